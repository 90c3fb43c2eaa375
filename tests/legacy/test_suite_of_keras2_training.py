"""What upstream's tests of training ask of Keras 2 that no other test here does, in words of its own."""

import warnings

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config, losses, metrics, optimizers
from keras_front.callbacks import Callback, EarlyStopping, LambdaCallback, ReduceLROnPlateau
from keras_front.layers import Dense, Input, Layer
from keras_front.legacy.engine import training_utils
from keras_front.models import Model

X, Y = np.arange(12.0).reshape(4, 3) / 12, np.ones((4, 2))


@pytest.mark.of_the_host
def test_what_lengths_of_arrays_and_weights_may_be(backend):
    check = training_utils.check_array_length_consistency
    for fine in ((None, None, None), (X, X, X), ([X, X], [X], [X]), ([None], [None], [None])):
        check(*fine)
    for wrong in ((X, None, None), (X, X, None), ([X], [None], None), ([X], [X[1:]], None), ([X], None, [X[1:]])):
        with pytest.raises(ValueError, match="samples"):
            check(*wrong)
    with pytest.raises(TypeError, match="2 outputs"):
        training_utils.standardize_sample_weights(len, ["a", "b"])
    with pytest.raises(ValueError, match="validation_freq"):
        training_utils.should_run_validation("a", 1)


@pytest.mark.of_the_host
def test_arguments_of_compile_and_params_of_callbacks(backend):
    x, seen = Input((3,)), []
    model = Model(x, [Dense(2, name="a")(x), Dense(2, name="b")(x)])
    with config.dialect("keras2.2"):
        with pytest.raises(ValueError, match='Output "b" missing'):
            model.compile("sgd", "mse", sample_weight_mode={"a": None})
        with pytest.raises(TypeError, match="target_tensors"):
            model.compile("sgd", "mse", target_tensors=set())
        model.compile("sgd", "mse")
        model.fit(X, [Y, Y], 2, verbose=0, callbacks=[look := LambdaCallback()])
        seen.append(look.params)
    model.fit(X, [Y, Y], 2, verbose=0, callbacks=[look])
    seen.append(look.params)
    assert [(params["samples"], params["steps"]) for params in seen] == [(4, None), (4, 2)]


def test_models_that_need_no_data(backend):
    x = Input(tensor=K.variable(X))
    model = Model(x, Dense(2, name="here")(x))
    assert model.predict(None, steps=3).shape == (12, 2)
    model.compile("sgd", "mse", target_tensors=[K.variable(Y)])
    before = model.train_on_batch(None, None)
    with pytest.warns(UserWarning, match="not used for"):
        assert model.train_on_batch(None, [None], sample_weight={"here": np.ones(4)}) < before
    model.fit(epochs=2, steps_per_epoch=2, verbose=0)
    assert model.evaluate(steps=2, verbose=0) < before


class Counting(Layer):
    """Reports sums by a metric and by a tensor."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sums = metrics.Sum(name="sums")

    def call(self, inputs):
        """The inputs."""
        self.add_metric(self.sums(inputs))
        self.add_metric(K.sum(inputs), name="level", aggregation="mean")
        return inputs


def test_the_result_of_a_metric_is_reported_by_that_metric(backend):
    x = Input((3,))
    y = Counting()(x)
    model = Model(x, y)
    model.add_metric(metrics.MeanSquaredError(name="error")(x, 2 * y))
    model.add_metric(metrics.Sum(name="total")(y))
    model.add_loss(K.mean(y))
    model.compile("sgd")
    seen = model.fit(X, batch_size=2, verbose=0).history
    assert list(seen) == ["loss", "sums", "level", "error", "total"]
    found = [X.sum(), X.sum() / 2, np.square(X).mean(), X.sum()]
    np.testing.assert_allclose([seen[name][0] for name in list(seen)[1:]], found, rtol=1e-5)
    again = Model.from_config(model.get_config(), custom_objects={"Counting": Counting})
    again.compile("sgd")
    np.testing.assert_allclose(again.evaluate(X, verbose=0)[3:], found[2:], rtol=1e-5)


@pytest.mark.of_the_host
def test_what_callbacks_of_other_versions_take_and_are_told(backend):
    seen = []

    class Look(Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(logs["outputs"])

    model = Model(x := Input((3,)), Dense(2)(x))
    np.testing.assert_allclose(model.predict(X, 2, callbacks=[Look()]), np.concatenate(seen))
    with config.dialect("keras2.2"), pytest.warns(RuntimeWarning, match="fallback to auto"):
        EarlyStopping(mode="unknown")


@pytest.mark.of_the_host
@pytest.mark.parametrize("dialect", ["keras1", "keras2.2", "keras2.3"])
def test_configs_of_optimizers_are_compared_as_then(backend, dialect):
    with config.dialect(dialect):
        optimizer = optimizers.Adam(decay=1e-3)
        written = optimizers.serialize(optimizer)
        again = optimizers.serialize(optimizers.deserialize(written))
        assert written == {**again, "class_name": "adam"}
        assert "name" not in written["config"]
    assert optimizer.get_config()["name"] == "Adam"


@pytest.mark.of_the_host
def test_the_learning_rate_has_its_name_in_configs(backend):
    for dialect, name, other in (("keras1", "lr", "learning_rate"), ("keras2.2", "lr", "learning_rate"),
                                 ("keras2.3", "learning_rate", "lr")):  # fmt: skip
        with config.dialect(dialect):
            for kind in (optimizers.SGD, optimizers.Adam, optimizers.Nadam):
                written = kind(0.25).get_config()
                assert name in written
                assert other not in list(written)
                assert float(kind.from_config(written).get_config()[name]) == 0.25


@pytest.mark.of_the_host
def test_wrong_kinds_of_arguments_of_compile(backend):
    x = Input((3,))
    model = Model(x, [Dense(2)(x), Dense(2)(x)])
    for wrong in ({"loss_weights": "half"}, {"metrics": {"acc"}}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            model.compile("sgd", "mse", **wrong)
    with pytest.raises(ValueError, match="targets to have the same shape"):
        training_utils.check_loss_and_target_compatibility(
            [np.ones((2, 5))], [losses.categorical_crossentropy], [(2, 6)]
        )


def test_what_is_trained_may_have_neither_inputs_nor_losses(backend):
    x = Input(tensor=K.variable(X))
    model = Model(x, y := Dense(2)(x))
    model.add_loss(K.mean(K.square(y)))
    model.compile("sgd")
    before = model.train_on_batch(None, None)
    assert model.fit(steps_per_epoch=2, verbose=0).history["loss"][0] < before
    assert model.evaluate(steps=1, verbose=0) < before


@pytest.mark.of_the_host
def test_generators_without_a_number_of_steps(backend):
    def endless():
        while True:
            yield X, Y

    model = Model(x := Input((3,)), Dense(2)(x))
    with config.dialect("keras2.2"):
        model.compile("sgd", "mse")
        for call, name in (
            (lambda: model.fit(endless()), "steps_per_epoch"),
            (lambda: model.fit(X, Y, validation_data=endless(), verbose=0), "validation_steps"),
            (lambda: model.evaluate(endless()), "steps"),
            (lambda: model.predict(endless()), "steps"),
        ):
            with pytest.raises(ValueError, match=name):
                call()
    model.evaluate(iter([(X, Y)]), verbose=0)


@pytest.mark.of_the_host
def test_a_summary_says_that_trainable_was_changed_in_vain(backend):
    x = Input((3,))
    inner = Model(x, Dense(2)(x))
    inner.trainable = False
    model = Model(x, Dense(2)(inner(x)))
    model.compile("sgd", "mse")
    inner.trainable = True
    for call in (lambda: model.summary(print_fn=len), lambda: model.fit(X, Y, verbose=0)):
        with pytest.warns(UserWarning, match="Discrepancy"):
            call()
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.summary(print_fn=len)
        Model(x, inner(x)).summary(print_fn=len)


@pytest.mark.of_the_host
def test_a_warning_names_the_argument_that_is_gone(backend):
    with pytest.warns(UserWarning, match="`epsilon` argument is deprecated"):
        assert ReduceLROnPlateau(epsilon=1e-13).min_delta == 1e-13
