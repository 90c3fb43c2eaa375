"""Steps that own their state, and several of them in one dispatch, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K

RNG = np.random.default_rng(2)
X = RNG.normal(size=(24, 3)).astype("float32")
W = RNG.normal(size=(3, 2)).astype("float32")


def slots(optimizer):
    return {"sgd": 1, "momentum": 2, "rmsprop": 2, "adam": 3}[optimizer]


def make_step(optimizer):
    def step(state, batch):
        t, weights, rest = state[0], state[1:2], state[2:]

        def loss(params):
            return K.mean(K.square(K.dot(batch[0], params[0]) - 1.0)), []

        (value, _), grads = K.value_and_grad(loss, weights)
        t = t + 1
        if optimizer == "adam":
            new, m, v, _ = K.adam_update(weights, grads, rest[:1], rest[1:], [], 0.1, K.cast(t, "float32"))
            return [t, *new, *m, *v], value
        if optimizer == "rmsprop":
            new, squares = K.rmsprop_update(weights, grads, rest, 0.1)
            return [t, *new, *squares], value
        momentum = 0.9 if optimizer == "momentum" else 0.0
        new, moments = K.sgd_update(weights, grads, rest, 0.1, momentum=momentum)
        return [t, *new, *moments], value

    return step


def start(backend, optimizer):
    arrays = [np.asarray(0, "int64"), W, *[np.zeros_like(W)] * (slots(optimizer) - 1)]
    return [backend.asarray(a) for a in arrays]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_loop_is_its_steps(backend, optimizer):
    order = np.arange(24).reshape(6, 4)[::-1]
    data = [backend.asarray(X)]
    step = K.compile(make_step(optimizer), donate=(0,))
    state = start(backend, optimizer)
    for rows in order:
        state, loss = step(state, [backend.asarray(X[rows])])
    run = K.compile_multi_step(make_step(optimizer))
    other, last = start(backend, optimizer), None
    for count in (4, 2):
        other, last = run(other, data, order[:4] if count == 4 else np.roll(order, -4, 0)[:4], count)
    for got, want in zip([last, *other], [loss, *state], strict=True):
        np.testing.assert_allclose(backend.to_numpy(got), backend.to_numpy(want), rtol=1e-5, atol=1e-6)
    assert int(backend.to_numpy(other[0])) == 6


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_step_that_owns_its_state_gives_the_numbers_of_one_that_does_not(backend, optimizer):
    owning, plain = K.compile(make_step(optimizer), donate=(0,)), K.compile(make_step(optimizer))
    mine, yours = start(backend, optimizer), start(backend, optimizer)
    for _ in range(3):
        mine, a = owning(mine, [backend.asarray(X)])
        kept = [backend.to_numpy(t).copy() for t in yours]
        new, b = plain(yours, [backend.asarray(X)])
        for before, after in zip(kept, yours, strict=True):
            np.testing.assert_array_equal(before, backend.to_numpy(after))  # not owned, so not touched
        yours = new
        np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=1e-6)
    for got, want in zip(mine, yours, strict=True):
        np.testing.assert_allclose(backend.to_numpy(got), backend.to_numpy(want), rtol=1e-5, atol=1e-7)


def test_a_state_with_equal_entries_stays_apart(backend):
    """The second weight becomes a copy of the first; the next step must not write into both."""

    def step(state, batch):
        (value, _), grads = K.value_and_grad(lambda p: (K.sum(K.square(p[0])), []), state[:1])
        new, _ = K.sgd_update(state[:1], grads, [], 0.25)
        return [new[0], K.reshape(new[0], (2, 2))], [value, state[1]]

    run = K.compile(step, donate=(0,))
    state = [backend.asarray(np.ones((4,), "float32")), backend.asarray(np.zeros((2, 2), "float32"))]
    state, (_, before) = run(state, None)
    np.testing.assert_array_equal(backend.to_numpy(before), 0)
    np.testing.assert_allclose(backend.to_numpy(state[1]), 0.5)
    state, (_, before) = run(state, None)
    np.testing.assert_allclose(backend.to_numpy(before), 0.5)
    np.testing.assert_allclose(backend.to_numpy(state[0]), 0.25)


def test_the_old_weights_are_still_there_for_whoever_asks_for_them(backend):
    def step(state, batch):
        old = K.reshape(state[0], (-1,))
        (value, _), grads = K.value_and_grad(lambda p: (K.sum(K.square(p[0])), []), state)
        new, _ = K.sgd_update(state, grads, [], 0.25)
        return new, [value, K.sum(K.abs(K.reshape(new[0], (-1,)) - old)), old]

    run = K.compile(step, donate=(0,))
    state, (_, moved, old) = run([backend.asarray(np.ones((2, 2), "float32"))], None)
    np.testing.assert_allclose(backend.to_numpy(moved), 2.0)
    np.testing.assert_allclose(backend.to_numpy(old), 1.0)
    np.testing.assert_allclose(backend.to_numpy(state[0]), 0.5)
