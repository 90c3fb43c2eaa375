"""A seed that is set after the first step: the numbers of a process that had it from the start, and no new program."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import program, seeds
from keras_front.layers import Dense, Dropout, GaussianNoise, Input, Lambda, SpatialDropout1D
from keras_front.models import Model, Sequential
from keras_front.optimizers import SGD

X, Y = np.ones((12, 40), "float32"), np.zeros((12, 1), "float32")


def noisy():
    model = Sequential([Dropout(0.5, input_shape=(40,)), GaussianNoise(0.1), Dense(1, kernel_initializer="ones")])
    model.compile(SGD(0.0), "mse")
    return model


def forever_noisy():
    x = Input((40,))
    return Model(x, Lambda(lambda t: K.dropout(t, 0.5))(x))


def steps(model, how):
    """The loss of a first step in each of the ways to train; the counter, which keys the noise too, is set back."""
    K.set_value(model.optimizer.iterations, 0)
    if how == "train_on_batch":
        return model.train_on_batch(X, Y)
    if how == "fit_generator":
        return model.fit_generator(((X, Y) for _ in range(2)), steps_per_epoch=2, verbose=0).history["loss"]
    return model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False).history["loss"]


@pytest.fixture
def compiled(monkeypatch):
    """A list that grows with every function that is traced."""
    found, trace = [], program.trace
    monkeypatch.setattr(program, "trace", lambda *args, **more: found.append(args[1]) or trace(*args, **more))
    return found


def in_a_fresh_process(seed, make, what, reproducible=False):
    """What a script gives that sets the seed first. Streams are counted from there, so nothing before matters."""
    K.set_random_seed(seed, reproducible=reproducible)
    return what(make())


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize("how", ["train_on_batch", "fit", "fit_generator"])
@pytest.mark.parametrize("reproducible", [False, True])
def test_training(backend, compiled, how, reproducible):
    want = [in_a_fresh_process(seed, noisy, lambda m: steps(m, how), reproducible) for seed in (7, 2**62 + 1)]
    assert want[0] != want[1]
    model = noisy()
    K.set_random_seed(1, reproducible=reproducible)
    steps(model, how)
    compiled.clear()
    for seed, expected in ((7, want[0]), (2**62 + 1, want[1]), (7, want[0])):
        K.set_random_seed(seed, reproducible=reproducible)
        assert steps(model, how) == expected
    assert not compiled


def test_predicting_with_noise(backend, compiled):
    want = in_a_fresh_process(7, forever_noisy, lambda m: [m.predict(X), m.predict(X), m.predict(X, batch_size=5)])
    assert (want[0] != want[1]).any()
    model = forever_noisy()
    model.predict(X, batch_size=5)
    model.predict(X)
    compiled.clear()
    K.set_random_seed(7)
    got = [model.predict(X), model.predict(X), model.predict(X, batch_size=5)]
    np.testing.assert_array_equal(got, want)
    assert not compiled


def test_functions_of_the_backend(backend, compiled):
    def make():
        x = K.placeholder((3,))
        noise = K.random_normal((3,)) + K.random_uniform((3,))
        return K.function([x], [x + noise, K.dropout(K.ones((50,)), 0.5), noise])

    want = in_a_fresh_process(7, make, lambda f: [f([np.zeros(3)]), f([np.zeros(3)])])
    K.set_random_seed(1)
    K.random_normal((2,))  # earlier draws of the process do not matter
    K.eval(K.random_uniform((2,)))
    run = make()
    before = run([np.zeros(3)])
    compiled.clear()
    K.set_random_seed(7)
    for expected in want:
        got = run([np.zeros(3)])
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not compiled
    assert (before[0] != want[0][0]).any()
    np.testing.assert_array_equal(want[0][0], want[0][2])  # one noise, read twice


def test_eager_noise(backend):
    def draws(_=None):
        return [K.eval(K.random_normal((4,))), K.eval(K.random_uniform((4,))), K.eval(K.truncated_normal((4,)))]

    want = in_a_fresh_process(7, lambda: None, draws)
    K.set_random_seed(8)
    assert (draws()[0] != want[0]).any()
    SpatialDropout1D(0.5)(Input((3, 2)))  # what layers try out while a model is built draws nothing
    K.set_random_seed(7)
    np.testing.assert_array_equal(draws(), want)


def test_building_a_model_draws_no_noise(backend):
    K.set_random_seed(7)
    want = K.eval(K.random_normal((4,)))
    K.set_random_seed(7)
    forever_noisy()
    noisy()
    np.testing.assert_array_equal(K.eval(K.random_normal((4,))), want)


def test_a_layer_with_a_seed_of_its_own_keeps_it(backend):
    def made():
        model = Sequential([Dropout(0.5, input_shape=(40,), seed=3), Dense(1, kernel_initializer="ones")])
        model.compile(SGD(0.0), "mse")
        return model

    model = made()
    K.set_random_seed(1)
    first = steps(model, "fit")
    K.set_random_seed(2)
    assert steps(model, "fit") == first
    assert steps(made(), "fit") == first


def test_a_callback_sets_the_seed(backend, compiled):
    from keras_front.callbacks import LambdaCallback

    def losses(*callbacks):
        K.set_random_seed(5)
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, callbacks=list(callbacks))
        return model.history.history["loss"]

    model = noisy()
    plain = losses()
    K.set_value(model.optimizer.iterations, 0)
    compiled.clear()
    seeded = losses(LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch and K.set_random_seed(6)))
    assert seeded[0] == plain[0]
    assert seeded[1] != plain[1]
    assert not compiled


def test_a_seed_for_a_block(backend):
    model = noisy()
    K.set_random_seed(5)
    outside = steps(model, "train_on_batch")
    with seeds.temporary_seed(6):
        inside = steps(model, "train_on_batch")
    assert steps(model, "train_on_batch") == outside != inside
    K.set_random_seed(6)
    assert steps(model, "train_on_batch") == inside


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_steps_that_are_gone_follow_no_seed(name):
    with K.use_backend(name):
        model = noisy()
        model.train_on_batch(X, Y)
        gc.collect()
        before = len(seeds._followers)
        model.compile("sgd", "mse")
        del model
        gc.collect()
        assert len(seeds._followers) < before
