"""What a compiled step bakes in belongs to its key: settings that change after the first step count in the next one."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config
from keras_front.layers import BatchNormalization, Dense, Dropout, Lambda
from keras_front.models import Sequential
from keras_front.optimizers import SGD

X = np.ones((6, 40), "float32")


def noisy():
    model = Sequential([Dropout(0.5, input_shape=(40,)), Dense(1, kernel_initializer="ones")])
    model.compile(SGD(0.0), "mse")
    return model


def fresh_loss(method, model, seed, reproducible=False):
    """What a step gives right after a seed was set; the optimizer's counter is set back, for it keys the noise too."""
    K.set_value(model.optimizer.iterations, 0)
    K.set_random_seed(seed, reproducible=reproducible)
    y = np.zeros((6, 1), "float32")
    if method == "train_on_batch":
        return model.train_on_batch(X, y)
    return model.fit(X, y, batch_size=6, epochs=1, verbose=0, shuffle=False).history["loss"][0]


@pytest.mark.parametrize("method", ["train_on_batch", "fit"])
def test_a_seed_set_later_counts(backend, method):
    model = noisy()
    first = [fresh_loss(method, model, seed) for seed in (1, 2, 1, 2)]
    assert first[:2] == first[2:]
    assert first[0] != first[1]
    other = noisy()
    assert fresh_loss(method, other, 2) == pytest.approx(first[1], rel=1e-6)


def test_reproducible_noise_set_later_is_that_of_the_host(backend):
    model = noisy()
    fresh_loss("train_on_batch", model, 5)
    got = fresh_loss("train_on_batch", model, 5, reproducible=True)
    with_numpy = noisy()
    from keras_front.backend import discovery

    with discovery.use_backend("numpy"):
        want = fresh_loss("train_on_batch", with_numpy, 5, reproducible=True)
    assert got == pytest.approx(want, rel=1e-5)


def test_a_learning_phase_fixed_later_counts(backend):
    model = noisy()
    y = np.zeros((6, 1))
    plain = model.evaluate(X, y, verbose=0)
    assert plain == pytest.approx(1600.0)
    K.set_learning_phase(1)
    try:
        assert model.evaluate(X, y, verbose=0) != plain
        assert (model.predict(X) != 40.0).any()
        assert model.test_on_batch(X, y) != plain
    finally:
        K.clear_session()
    assert model.evaluate(X, y, verbose=0) == plain
    assert model.test_on_batch(X, y) == plain


def test_an_epsilon_set_later_counts(backend):
    model = Sequential([Lambda(lambda x: x / (x + K.epsilon()), input_shape=(1,))])
    tiny = np.full((2, 1), 1e-6, "float32")
    before = model.predict(tiny)
    with config.use(epsilon=1e-6):
        np.testing.assert_allclose(model.predict(tiny), 0.5, rtol=1e-5)
        np.testing.assert_allclose(model.predict(np.repeat(tiny, 40, 0), batch_size=8), 0.5, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(tiny), before)


def test_floats_of_another_size_set_later(backend):
    """The metric and the loss follow `floatx` of the moment; weights keep their dtype."""
    model = Sequential([BatchNormalization(input_shape=(40,)), Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    y = np.zeros((6, 1))
    want = model.test_on_batch(X, y)
    with config.use(floatx="float64"):
        np.testing.assert_allclose(model.test_on_batch(X, y), want, rtol=1e-5)
        assert np.isfinite(model.train_on_batch(X, y)).all()
    np.testing.assert_allclose(model.test_on_batch(X, y) is not None, True)
