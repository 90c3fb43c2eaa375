"""Losses: against real Keras, against formulas in float64, weights and reductions, configs."""

import json
from pathlib import Path

import interop
import numpy as np
import pytest

import keras_front as keras
from keras_front import backend as K
from keras_front import losses, metrics
from keras_front.errors import ArgumentError
from keras_front.layers import Activation, Dense, Lambda, Reshape
from keras_front.models import Sequential
from keras_front.optimizers import Adam

RECORDED = json.loads(Path(__file__).with_name("keras3_losses.json").read_text())
RNG = np.random.default_rng(0)
REAL = RNG.uniform(-2, 2, (2, 6, 5))
POSITIVE = RNG.uniform(0.1, 1, (2, 6, 5))
ONE_HOT = np.eye(5)[RNG.integers(0, 5, 6)]
SCORES = np.exp(REAL[0]) / np.exp(REAL[0]).sum(-1, keepdims=True)
SIGNS = np.sign(REAL[0])


def unit(x):
    return x / np.sqrt((x**2).sum(-1, keepdims=True))


# Name: (targets, outputs, the loss of each sample in float64).
FORMULAS = {
    "mean_squared_error": (*REAL, lambda t, p: ((t - p) ** 2).mean(-1)),
    "mean_absolute_error": (*REAL, lambda t, p: abs(t - p).mean(-1)),
    "mean_absolute_percentage_error": (*POSITIVE, lambda t, p: 100 * abs((t - p) / t).mean(-1)),
    "mean_squared_logarithmic_error": (*POSITIVE, lambda t, p: ((np.log1p(t) - np.log1p(p)) ** 2).mean(-1)),
    "hinge": (SIGNS, REAL[1], lambda t, p: np.maximum(1 - t * p, 0).mean(-1)),
    "squared_hinge": (SIGNS, REAL[1], lambda t, p: (np.maximum(1 - t * p, 0) ** 2).mean(-1)),
    "categorical_hinge": (
        ONE_HOT,
        REAL[1],
        lambda t, p: np.maximum(0, ((1 - t) * p).max(-1) - (t * p).sum(-1) + 1),
    ),
    "logcosh": (*REAL, lambda t, p: np.log(np.cosh(p - t)).mean(-1)),
    "huber_loss": (
        *REAL,
        lambda t, p: np.where(abs(t - p) < 1, 0.5 * (t - p) ** 2, abs(t - p) - 0.5).mean(-1),
    ),
    "categorical_crossentropy": (ONE_HOT, SCORES, lambda t, p: -(t * np.log(p)).sum(-1)),
    "sparse_categorical_crossentropy": (
        ONE_HOT.argmax(-1),
        SCORES,
        lambda t, p: -np.log(np.take_along_axis(p, t[:, None], -1))[:, 0],
    ),
    "binary_crossentropy": (
        ONE_HOT,
        SCORES,
        lambda t, p: -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(-1),
    ),
    "kullback_leibler_divergence": (*POSITIVE, lambda t, p: (t * np.log(t / p)).sum(-1)),
    "poisson": (*POSITIVE, lambda t, p: (p - t * np.log(p)).mean(-1)),
    "cosine_similarity": (*REAL, lambda t, p: -(unit(t) * unit(p)).sum(-1)),
}


@pytest.mark.few_compiled(5)
@pytest.mark.parametrize("entry", interop.cases("loss", engine_neutral=True))
def test_as_real_keras(backend, entry):
    got = K.to_numpy(interop.evaluate(entry, keras))
    np.testing.assert_allclose(got, interop.expected(entry), rtol=2e-5, atol=1e-6)


@pytest.mark.few_compiled(5)
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_as_the_formula(backend, name):
    y_true, y_pred, formula = FORMULAS[name]
    got = K.to_numpy(losses.get(name)(K.convert(y_true), K.constant(y_pred)))
    np.testing.assert_allclose(got, formula(y_true, y_pred), rtol=1e-4, atol=1e-5)


def test_every_function_has_a_formula():
    recorded = {function for function, *_ in RECORDED["losses"]}
    functions = {name for name in losses.LOSSES.names() if name.islower()}
    assert functions == set(FORMULAS) | recorded


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("case", range(len(RECORDED["losses"])))
def test_functions_of_keras_3(backend, case):
    name, true, pred, keywords, expected = RECORDED["losses"][case]
    got = getattr(losses, name)(np.asarray(true), np.asarray(pred, "float32"), **keywords)
    np.testing.assert_allclose(K.to_numpy(got), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.few_compiled(5)
@pytest.mark.parametrize("case", range(len(RECORDED["loss_classes"])))
def test_classes_of_keras_3(backend, case):
    name, true, pred, keywords, weights, expected = RECORDED["loss_classes"][case]
    loss = getattr(losses, name)(**keywords)
    got = loss(np.asarray(true), np.asarray(pred, "float32"), None if weights is None else np.asarray(weights))
    assert float(K.to_numpy(got)) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert losses.get(losses.serialize(loss)).get_config() == loss.get_config()


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("case", range(len(RECORDED["metrics"])))
def test_metrics_of_keras_3(backend, case):
    name, batches, keywords, expected = RECORDED["metrics"][case]
    metric = getattr(metrics, name)(**keywords)
    for batch in batches:
        metric.update_state(*(np.asarray(array) for array in batch))
    np.testing.assert_allclose(K.to_numpy(metric.result()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize("loss", ["dice", "binary_focal_crossentropy", losses.Tversky(axis=-1), "circle", "ctc"])
def test_a_model_learns_with_a_loss_of_keras_3(backend, loss):
    x = RNG.normal(size=(24, 6)).astype("float32")
    model = Sequential([Dense(6, activation="softmax", input_shape=(6,))])
    y = np.eye(6)[x.argmax(-1)]
    if loss == "circle":
        model.add(Lambda(lambda h: K.l2_normalize(h, axis=-1)))
        y = x.argmax(-1)
    if loss == "ctc":
        model.add(Reshape((3, 2)))
        y = np.ones((24, 1))
    model.compile(Adam(0.05), loss)
    history = model.fit(x, y, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_arguments_that_a_loss_of_keras_3_cannot_use():
    with pytest.raises(ArgumentError, match="q to be a number between 0 and 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=2.0)([0], [[0.5, 0.5]])
    for wrong, message in (
        (lambda: metrics.F1Score(average="mean"), "average to be one of"),
        (lambda: metrics.FBetaScore(beta=0), "beta above 0"),
        (lambda: metrics.F1Score(threshold=2), "between 0 and 1"),
        (lambda: metrics.R2Score("mean"), "class_aggregation to be one of"),
        (lambda: metrics.F1Score().update_state([1.0], [1.0]), r"shape \(samples, outputs\)"),
        (lambda: metrics.IoU(2, [2]), "target_class_ids from 0 to 1"),
    ):
        with pytest.raises(ArgumentError, match=message):
            wrong()


def test_classes_weigh_and_reduce(backend):
    t, p = REAL
    weights = RNG.uniform(0, 2, 6)
    each = ((t - p) ** 2).mean(-1)
    value = lambda loss, w=None: K.to_numpy(loss(t, K.constant(p), w))
    np.testing.assert_allclose(value(losses.MeanSquaredError()), each.mean(), rtol=1e-5)
    np.testing.assert_allclose(value(losses.MeanSquaredError(), weights), (each * weights).mean(), rtol=1e-5)
    np.testing.assert_allclose(value(losses.MeanSquaredError("sum"), weights), (each * weights).sum(), rtol=1e-5)
    np.testing.assert_allclose(value(losses.MeanSquaredError("none"), weights[:, None]), each * weights, rtol=1e-5)
    np.testing.assert_allclose(value(losses.MeanSquaredError(None)), each, rtol=1e-5)


def test_weights_of_samples_spread_over_timesteps(backend):
    t, p = RNG.uniform(-1, 1, (2, 4, 3, 2))
    each = abs(t - p).mean(-1)
    weights = np.array([1.0, 2.0, 0.0, 4.0])
    got = K.to_numpy(losses.MeanAbsoluteError()(t, K.constant(p), weights))
    np.testing.assert_allclose(got, (each * weights[:, None]).mean(), rtol=1e-5)


def test_a_column_of_outputs_meets_a_row_of_targets(backend):
    t, p = RNG.uniform(-1, 1, (2, 6))
    got = K.to_numpy(losses.MeanSquaredError("none")(t, K.constant(p[:, None])))
    np.testing.assert_allclose(got, (t - p) ** 2, rtol=1e-4, atol=1e-6)
    got = K.to_numpy(losses.BinaryCrossentropy(from_logits=True)(t > 0, K.constant(p[:, None])))
    np.testing.assert_allclose(got, np.mean(np.logaddexp(0, p) - p * (t > 0)), rtol=1e-5)


def test_label_smoothing(backend):
    smooth = ONE_HOT * 0.9 + 0.02
    got = K.to_numpy(losses.categorical_crossentropy(ONE_HOT, K.constant(SCORES), label_smoothing=0.1))
    np.testing.assert_allclose(got, -(smooth * np.log(SCORES)).sum(-1), rtol=1e-4)
    smooth = ONE_HOT * 0.9 + 0.05
    got = K.to_numpy(losses.binary_crossentropy(ONE_HOT, K.constant(SCORES), label_smoothing=0.1))
    want = -(smooth * np.log(SCORES) + (1 - smooth) * np.log(1 - SCORES)).mean(-1)
    np.testing.assert_allclose(got, want, rtol=1e-4)


@pytest.mark.engine_neutral
def test_gradients_flow_through_every_loss(backend):
    for name, (y_true, y_pred, _) in FORMULAS.items():
        loss = losses.get(name)

        def total(params, loss=loss, y_true=y_true):
            return K.sum(loss(K.convert(y_true), params[0])), []

        _, grads = K.value_and_grad(total, [K.constant(y_pred)])
        grad = K.to_numpy(grads[0])
        assert np.isfinite(grad).all(), name
        assert np.abs(grad).max() > 0, name


def test_names_and_configs():
    assert losses.get(None) is None
    assert losses.get("MSE") is losses.mse is losses.mean_squared_error
    assert losses.serialize(losses.mae) == "mean_absolute_error"
    for name in losses.LOSSES.names():
        if name[0].isupper() and name != "LossFunctionWrapper":
            config = losses.serialize(losses.get(name))
            assert losses.serialize(losses.deserialize(config)) == config
    wrapped = losses.LossFunctionWrapper("huber", delta=0.3)
    config = losses.serialize(wrapped)
    assert config["config"] == {"fn": "huber_loss", "reduction": "sum_over_batch_size", "name": None, "delta": 0.3}
    assert losses.serialize(losses.deserialize(config)) == config
    keras3 = {"class_name": "MeanSquaredError", "config": {"reduction": "sum", "name": "m", "dtype": "float32"}}
    assert losses.deserialize(keras3).reduction == "sum"
    assert losses.is_categorical_crossentropy("categorical_crossentropy")
    assert losses.is_categorical_crossentropy(losses.CategoricalCrossentropy())
    assert losses.is_categorical_crossentropy(losses.categorical_crossentropy)
    assert not losses.is_categorical_crossentropy("mse")
    with pytest.raises(ArgumentError, match="expected a reduction among"):
        losses.MeanSquaredError("total")
    with pytest.raises(NotImplementedError):
        losses.Loss()(np.zeros(2), np.zeros(2))


def test_targets_of_an_ignored_class_do_not_count(backend):
    """The numbers are those of tf_keras 2.21 and Keras 3.15.1 for the same arrays."""
    shares = np.random.RandomState(0).rand(2, 3, 4).astype("float32")
    shares /= shares.sum(-1, keepdims=True)
    labels, weights = np.array([[0, -1, 3], [2, 1, -1]]), np.array([[0.5], [2.0]], "float32")
    for y in (labels, labels[..., None]):
        loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
        assert float(loss(y, shares)) == pytest.approx(1.8362020, rel=1e-5)
        assert float(loss(y, shares, weights)) == pytest.approx(2.5104668, rel=1e-5)
        assert float(
            losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction="sum")(y, shares)
        ) == pytest.approx(7.3448076, rel=1e-5)
    again = losses.get(losses.serialize(loss))
    assert (again.ignore_class, loss.get_config()["ignore_class"]) == (-1, -1)
    assert "axis" not in losses.CategoricalCrossentropy().get_config()
    np.testing.assert_allclose(
        K.eval(losses.CategoricalCrossentropy(axis=1, reduction="none")(np.round(shares), shares))[1, 1],
        0.72580194,
        rtol=1e-5,
    )
    assert losses.BinaryCrossentropy(axis=1, reduction="none")(np.round(shares), shares).shape == (2, 4)
    model = Sequential([Activation("softmax", input_shape=(3, 4))])
    model.compile("sgd", loss)
    assert model.evaluate(shares, labels, verbose=0) == pytest.approx(1.4451324, rel=1e-5)
