"""Several outputs, masks, temporal weights, metrics and their names."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front import losses, metrics
from keras_front.errors import ArgumentError
from keras_front.models import Sequential
from keras_front.training.losses_and_metrics import metric_of


@pytest.fixture
def arrays():
    rng = np.random.RandomState(0)
    return [rng.randn(12, n).astype("float32") for n in (3, 2, 1, 2)]


def parts(model, a, b, p, q):
    found_p, found_q = model.predict([a, b])
    return float(((found_p - p) ** 2).mean()), float(np.abs(found_q - q).mean())


@pytest.mark.parametrize("form", ["dict", "list"])
def test_losses_and_weights_of_several_outputs(backend, two_outputs, arrays, form):
    a, b, p, q = arrays
    if form == "dict":
        given = {"loss": {"p": "mse", "q": "mae"}, "loss_weights": {"p": 0.3, "q": 0.7}, "metrics": {"q": ["mse"]}}
        data = ({"a": a, "b": b}, {"p": p, "q": q})
    else:
        given = {"loss": ["mse", "mae"], "loss_weights": [0.3, 0.7], "metrics": [[], ["mse"]]}
        data = ([a, b], [p, q])
    two_outputs.compile("sgd", **given)
    assert two_outputs.metrics_names == ["loss", "p_loss", "q_loss", "q_mse"]
    first, second = parts(two_outputs, a, b, p, q)
    mse = ((two_outputs.predict([a, b])[1] - q) ** 2).mean()
    got = two_outputs.evaluate(*data, batch_size=5, verbose=0)
    np.testing.assert_allclose(got, [0.3 * first + 0.7 * second, first, second, mse], rtol=1e-5)
    history = two_outputs.fit(*data, batch_size=12, epochs=1, verbose=0).history
    assert history["p_loss"][0] == pytest.approx(first, rel=1e-5)
    assert two_outputs.train_on_batch(*data)[0] < history["loss"][0]


def test_an_output_without_a_loss_takes_no_targets(backend, two_outputs, arrays):
    a, b, _, q = arrays
    two_outputs.compile("sgd", loss={"q": "mse"})
    before = two_outputs.get_layer("p").get_weights()[0]
    two_outputs.fit([a, b], q, epochs=1, verbose=0)
    np.testing.assert_array_equal(two_outputs.get_layer("p").get_weights()[0], before)


def test_weights_for_one_of_several_outputs(two_outputs, arrays):
    a, b, p, q = arrays
    two_outputs.compile("sgd", "mse")
    weight = np.arange(12.0)
    found = two_outputs.predict([a, b])
    got = two_outputs.evaluate([a, b], [p, q], sample_weight={"p": weight}, verbose=0)
    assert got[1] == pytest.approx((weight * ((found[0] - p) ** 2)[:, 0]).mean(), rel=1e-5)
    assert got[2] == pytest.approx(((found[1] - q) ** 2).mean(), rel=1e-5)


def test_unknown_outputs_are_named(two_outputs):
    with pytest.raises(ArgumentError, match=r"loss: expected the output names \['p', 'q'\] as keys"):
        two_outputs.compile("sgd", {"r": "mse"})
    with pytest.raises(ArgumentError, match="loss: expected 2 elements"):
        two_outputs.compile("sgd", ["mse"])
    with pytest.raises(ArgumentError, match="metrics: expected the output names"):
        two_outputs.compile("sgd", "mse", metrics={"r": "mse"})


# Metrics -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "loss", "function"),
    [
        ((None, 1), "mse", "binary_accuracy"),
        ((None, 4), "binary_crossentropy", "binary_accuracy"),
        ((None, 4), "categorical_crossentropy", "categorical_accuracy"),
        ((None, 4), "sparse_categorical_crossentropy", "sparse_categorical_accuracy"),
        ((None, 4), "my_own", "categorical_accuracy"),
    ],
)
@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_accuracy_goes_with_shape_and_loss(name, shape, loss, function):
    metric = metric_of(name, K.placeholder(shape), loss)
    assert metric.name == name
    assert metric._fn is getattr(metrics, function)


def test_metric_names_are_those_that_were_given():
    def half(y_true, y_pred):
        return K.mean(y_pred) / 2

    model = Sequential([L.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae", metrics.mean_squared_error, half, metrics.AUC(name="area"), "mae"])
    assert model.metrics_names == ["loss", "mae", "mean_squared_error", "half", "area", "mae_1"]


def test_functions_and_objects_as_metrics(backend, arrays):
    a, _, p, _ = arrays

    def largest(y_true, y_pred):
        return K.max(y_pred)

    model = Sequential([L.Dense(1, input_shape=(3,))])
    model.compile("sgd", losses.MeanSquaredError(), metrics=[largest, metrics.MeanAbsoluteError(name="mae")])
    found = model.predict(a)
    got = model.evaluate(a, p, batch_size=12, verbose=0)
    expected = [((found - p) ** 2).mean(), found.max(), np.abs(found - p).mean()]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_objects_are_copied_for_further_outputs(two_outputs):
    two_outputs.compile("sgd", "mse", metrics=[metrics.MeanAbsoluteError(name="mae")])
    assert two_outputs.metrics_names[3:] == ["p_mae", "q_mae"]
    assert len({id(m) for m in two_outputs.metrics}) == 2


def test_metrics_that_layers_add(backend, data):
    class Noted(L.Layer):
        def call(self, x):
            self.add_metric(K.mean(x), name="level", aggregation="mean")
            return x

    x, y = data
    model = Sequential([Noted(input_shape=(6,)), L.Dense(1)])
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss", "level"]
    history = model.fit(x, y, epochs=1, batch_size=20, verbose=0, shuffle=False).history
    assert history["level"][0] == pytest.approx(x.mean(), rel=1e-4)
    assert model.evaluate(x, y, batch_size=20, verbose=0)[1] == pytest.approx(x.mean(), rel=1e-4)


# Masks and time ------------------------------------------------------------------------------------------------


@pytest.fixture
def masked():
    rng = np.random.RandomState(3)
    x = rng.randn(6, 4, 2).astype("float32")
    keep = rng.rand(6, 4) > 0.4
    x[~keep] = 0.0
    return x, rng.randn(6, 4, 3).astype("float32"), keep


def steps_model():
    return Sequential([L.Masking(0.0, input_shape=(4, 2)), L.TimeDistributed(L.Dense(3))])


needs_masking = pytest.mark.skipif(
    not (hasattr(L, "Masking") and hasattr(L, "TimeDistributed")), reason="needs the layers Masking, TimeDistributed"
)


@needs_masking
def test_masks_count_in_loss_and_metrics(backend, masked):
    x, y, keep = masked
    model = steps_model()
    model.compile("sgd", "mse", metrics=["mae"])
    error = model.predict(x) - y
    loss, mae = model.evaluate(x, y, verbose=0)
    assert loss == pytest.approx((error**2).mean(-1)[keep].mean(), rel=1e-5)  # Keras 3.15.1: `losses/loss.py`
    assert mae == pytest.approx(np.abs(error).mean(-1)[keep].mean(), rel=1e-5)
    model.compile("sgd", losses.MeanSquaredError(reduction="sum"))
    assert model.evaluate(x, y, verbose=0) == pytest.approx((error**2).mean(-1)[keep].sum(), rel=1e-5)


@needs_masking
def test_temporal_weights_and_masks_multiply(backend, masked):
    x, y, keep = masked
    weight = np.random.RandomState(0).rand(6, 4)
    model = steps_model()
    model.compile("sgd", "mse", sample_weight_mode="temporal", weighted_metrics=["mae"])
    error = model.predict(x) - y
    loss, mae = model.evaluate(x, y, sample_weight=weight, verbose=0)
    assert loss == pytest.approx(((error**2).mean(-1) * weight)[keep].mean(), rel=1e-5)
    assert mae == pytest.approx(np.average(np.abs(error).mean(-1), weights=keep * weight), rel=1e-5)


def test_sample_weights_for_losses_of_time_steps(backend):
    rng = np.random.RandomState(0)
    x, y, weight = rng.randn(6, 4, 2).astype("f"), rng.randn(6, 4, 3).astype("f"), rng.rand(6)
    model = Sequential([L.Dense(3, input_shape=(4, 2))])
    model.compile("sgd", "mse")
    error = ((model.predict(x) - y) ** 2).mean(-1)
    assert model.evaluate(x, y, sample_weight=weight, verbose=0) == pytest.approx(
        (error * weight[:, None]).mean(), rel=1e-5
    )


def test_sparse_targets_of_time_steps_need_no_last_axis(backend):
    rng = np.random.RandomState(0)
    x, y = rng.randn(6, 4, 2).astype("f"), rng.randint(0, 3, (6, 4))
    model = Sequential([L.Dense(3, input_shape=(4, 2), activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    found = model.predict(x)
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert loss == pytest.approx(-np.log(np.take_along_axis(found, y[..., None], -1)).mean(), rel=1e-4)
    assert accuracy == pytest.approx((found.argmax(-1) == y).mean())
