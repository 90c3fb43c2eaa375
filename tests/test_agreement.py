"""Same seed, same run: one model trained on every backend gives the same weights, batches and loss curve.

Over 100 steps, with SGD and with Adam, curves agree within 1e-8 (relative) in float64 and 1e-3 in float32. Dropout
masks are drawn on the host for this (`reproducible=True`).
"""

import numpy as np
import pytest

import keras_front as keras
from keras_front import backend as K

layers = keras.layers


def mlp():
    return keras.Sequential(
        [
            layers.Dense(12, activation="relu", input_shape=(6,)),
            layers.Dropout(0.3),
            layers.Dense(8, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def convnet():
    return keras.Sequential(
        [
            # No bias: before a normalization its gradient is nothing but rounding, which Adam scales up to whole steps.
            layers.Conv2D(4, 3, padding="same", use_bias=False, input_shape=(6, 6, 2)),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def lstm():
    return keras.Sequential(
        [
            layers.Embedding(20, 5, input_length=7),
            layers.LSTM(6, dropout=0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )


MODELS = {"mlp": (mlp, (6,)), "convnet": (convnet, (6, 6, 2)), "lstm": (lstm, (7,))}


def data(shape, integers):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20, (200, *shape)) if integers else rng.normal(size=(200, *shape))
    return x, np.eye(3)[rng.integers(0, 3, 200)]


def run(name, optimizer, floatx):
    """(initial weights, losses of 100 steps, final weights, inputs of the first batches) on the active backend."""
    build, shape = MODELS[name]
    K.set_random_seed(7, reproducible=True)
    K.reset_uids()
    model = build()
    start = model.get_weights()
    model.compile(optimizer, "categorical_crossentropy")
    x, y = data(shape, name == "lstm")
    losses = []
    watch = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: losses.append(float(logs["loss"])))
    model.fit(x.astype("int32" if name == "lstm" else floatx), y.astype(floatx), 8, 4, verbose=0, callbacks=[watch])
    return start, np.array(losses), model.get_weights()


_REFERENCE = {}


def reference(name, optimizer, floatx):
    key = (name, optimizer, floatx)
    if key not in _REFERENCE:
        with K.use_backend("numpy"):
            _REFERENCE[key] = run(*key)
    return _REFERENCE[key]


@pytest.fixture
def precision(request):
    K.set_floatx(request.param)
    yield request.param
    K.set_floatx("float32")


@pytest.mark.parametrize("precision", ["float64", "float32"], indirect=True)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.few_compiled(7)
def test_the_same_seed_gives_the_same_run(backend, name, optimizer, precision):
    start, losses, end = reference(name, optimizer, precision)
    own_start, own_losses, own_end = run(name, optimizer, precision)
    for a, b in zip(own_start, start):
        assert a.dtype == b.dtype == np.dtype(precision)
        np.testing.assert_array_equal(a, b)
    assert len(own_losses) == 100
    tolerance = 1e-8 if precision == "float64" else 1e-3
    np.testing.assert_allclose(own_losses, losses, rtol=tolerance)
    for a, b in zip(own_end, end):
        np.testing.assert_allclose(a, b, rtol=100 * tolerance, atol=tolerance)
    assert np.ptp(losses) > 0.05  # it did learn something: the curves are no constants


def test_batches_come_in_the_same_order(backend):
    """A model that never changes and answers 0 has, batch by batch, the mean square of the targets it was given."""
    K.set_random_seed(3)
    model = keras.Sequential([layers.Dense(1, kernel_initializer="zeros", trainable=False, input_shape=(1,))])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    seen = []
    watch = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(float(logs["loss"])))
    x, y = np.zeros((12, 1), "float32"), np.arange(12, dtype="float32")[:, None]
    model.fit(x, y, batch_size=1, epochs=2, verbose=0, callbacks=[watch])
    order = [round(value**0.5) for value in seen]
    assert sorted(order[:12]) == sorted(order[12:]) == list(range(12))
    assert order[:12] != order[12:]
    assert _REFERENCE.setdefault("order of batches", order) == order


def test_noise_of_the_host_is_the_same_inside_loops_of_steps(backend, monkeypatch):
    """Without callbacks several steps go in one dispatch where the engine gains from it; the masks stay the same."""
    dispatched = []
    compile_multi_step = type(backend).compile_multi_step

    def counted(self, step):
        run = compile_multi_step(self, step)
        return lambda state, data, order, count: dispatched.append(count) or run(state, data, order, count)

    monkeypatch.setattr(type(backend), "compile_multi_step", counted)

    def losses():
        K.set_random_seed(7, reproducible=True)
        model = mlp()
        model.compile("adam", "categorical_crossentropy")
        x, y = data((6,), False)
        return model.fit(x.astype("float32"), y.astype("float32"), 8, 4, verbose=0).history["loss"]

    own = losses()
    assert type(backend).supports_multi_step is K.Backend.supports_multi_step or max(dispatched) > 1
    with K.use_backend("numpy"):
        np.testing.assert_allclose(own, losses(), rtol=1e-3)
