"""What a compiled step hands to JAX, and what it gives back as it was."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from keras_front import backend as K

pytestmark = pytest.mark.backends("jax")


def test_what_a_step_gives_back_is_neither_copied_nor_overwritten(backend):
    def step(state, batch):
        weight, rate, _, counter = state
        return [weight - rate * K.sum(batch[0]), rate, K.constant(0.0, shape=()), counter + 1], [weight * 2]

    compiled = K.compile(step, donate=(0,))
    weight, rate, mean = (jax.device_put(np.float32(value)) for value in (3.0, 0.5, 7.0))
    state = [weight, rate, mean, K.convert(np.array(2**40), "int64")]
    new, results = compiled(state, [np.ones(4, "float32")])
    assert new[1] is rate
    assert not rate.is_deleted()
    assert weight.is_deleted()
    assert [float(value) for value in new] == [1.0, 0.5, 0.0, 2**40 + 1]
    assert float(results[0]) == 6.0


def test_state_that_comes_back_twice_is_two_tensors(backend):
    compiled = K.compile(lambda state: ([state[1], state[1]], []), donate=(0,))
    new, _ = compiled([K.constant([1.0]), K.constant([2.0])])
    assert new[0] is not new[1]
    compiled(new)  # JAX refuses to be given the same memory twice


def test_steps_of_32_bits_give_the_same_without_the_scope_of_64(backend):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    for dtype in ("float32", "float64"):
        compiled = K.compile(lambda x: K.softmax(K.relu(K.dot(x, K.transpose(x)) / 3)))
        found = compiled(K.convert(x, dtype))
        wide = np.maximum(x.astype("float64") @ x.T / 3, 0)
        wanted = np.exp(wide) / np.exp(wide).sum(1, keepdims=True)
        assert str(found.dtype) == dtype
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=2e-6 if dtype == "float32" else 2e-15)
    assert not jax.config.jax_enable_x64
