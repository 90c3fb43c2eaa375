"""Primitives at the edges that engines leave open (decision D9), on every backend.

Values, dtypes, precision and gradients are compared in `tests/conformance`.
"""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import declare
from keras_front.testing.primitives import normal

# Ties: the gradients that engines leave open -------------------------------------------------------------------


def gradients(backend, fn, *arrays):
    _, grads = K.value_and_grad(
        lambda p: (K.sum(fn(*p)), []), [backend.asarray(np.asarray(a, "float64")) for a in arrays]
    )
    return [backend.to_numpy(g) for g in grads]


TIES = {
    "maximum": (K.maximum, ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]), ([0.5, 0, 1], [0.5, 1, 0])),
    "minimum": (K.minimum, ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]), ([0.5, 1, 0], [0.5, 0, 1])),
    "maximum, broadcast": (K.maximum, ([[1.0, 2.0], [3.0, 0.0]], [1.0]), ([[0.5, 1], [1, 0]], [1.5])),
    "max": (lambda x: K.max(x, axis=-1), ([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]],), ([[0, 0.5, 0.5], [1 / 3] * 3],)),
    "max of all": (K.max, ([[1.0, 3.0], [3.0, 2.0]],), ([[0, 0.5], [0.5, 0]],)),
    "min": (lambda x: K.min(x, axis=0), ([[1.0, 3.0], [1.0, 4.0]],), ([[0.5, 1], [0.5, 0]],)),
    "relu": (K.relu, ([-1.0, 0.0, 2.0],), ([0, 0, 1],)),
    "abs": (K.abs, ([-1.0, 0.0, 2.0],), ([-1, 0, 1],)),
    "clip": (lambda x: K.clip(x, 0.0, 1.0), ([-1.0, 0.0, 0.5, 1.0, 2.0],), ([0, 1, 1, 1, 0],)),
    "max_pool": (
        lambda x: K.pool2d(K.reshape(x, (1, 4, 4, 1)), (2, 2), (2, 2)),
        ([1.0, 1, 0, 2, 1, 1, 2, 2, 0, 3, 5, 4, 3, 3, 5, 5],),
        ([1.0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],),
    ),
    "max_pool, overlapping": (
        lambda x: K.pool2d(K.reshape(x, (1, 3, 3, 1)), (2, 2), (1, 1), padding="same"),
        ([0.0] * 9,),
        ([1.0] * 9,),
    ),
    "max_pool of volumes": (
        lambda x: K.pool3d(K.reshape(x, (1, 2, 2, 2, 1)), (2, 2, 2), (2, 2, 2)),
        ([1.0, 3, 3, 1, 3, 3, 3, 3],),
        ([0, 1.0, 0, 0, 0, 0, 0, 0],),
    ),
    "max_pool of sequences": (
        lambda x: K.pool1d(K.reshape(x, (1, 4, 1)), 2, 2),
        ([1.0, 1, 0, 0],),
        ([1.0, 0, 1, 0],),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TIES)
def test_gradient_at_ties(backend, name):
    fn, arrays, wanted = TIES[name]
    for got, want in zip(gradients(backend, fn, *arrays), wanted):
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_stop_gradient(backend):
    (got,) = gradients(backend, lambda x: K.multiply(x, K.stop_gradient(x)), [2.0, 3.0])
    np.testing.assert_array_equal(got, [2.0, 3.0])


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 3)])
def test_factors_make_the_matrix_again(backend, shape):
    x = normal(*shape)
    q, r = map(backend.to_numpy, K.householder_qr(backend.asarray(x)))
    np.testing.assert_allclose(q @ r, x, atol=1e-12)
    np.testing.assert_allclose(
        np.swapaxes(q, -1, -2) @ q,
        np.broadcast_to(np.eye(q.shape[-1]), (*q.shape[:-2], *[q.shape[-1]] * 2)),
        atol=1e-12,
    )
    u, s, vt = map(backend.to_numpy, K.svd(backend.asarray(x)))
    np.testing.assert_allclose((u * s[..., None, :]) @ vt, x, atol=1e-12)
    assert (np.diff(s) <= 0).all()


# Promotion, errors, noise, loops --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]
)
def test_tensors_of_every_dtype_come_and_go(backend, dtype):
    if backend.name == "numpy" and dtype == "bfloat16":
        pytest.skip("NumPy has no bfloat16")
    x = backend.asarray(np.array([0, 1, 1]), dtype)
    assert backend.dtype_of(x) == dtype
    np.testing.assert_array_equal(backend.to_numpy(x).astype("float64"), [0, 1, 1])
    assert (x.dtype in backend.floats) == ("float" in dtype)


def test_a_tensor_does_not_follow_the_array_it_was_made_from(backend):
    for n in (3, 4096):  # engines share the memory of large, aligned arrays
        array = np.zeros(n, "float32")
        x = backend.asarray(array)
        array[:] = 1
        assert not backend.to_numpy(x).any()


def test_awkward_arrays_are_taken(backend):
    base = np.arange(12.0).reshape(3, 4)
    for array in (base[::-1, ::2], base.T, base.astype(">f8"), np.asfortranarray(base), np.asarray(3.0)):
        np.testing.assert_array_equal(backend.to_numpy(backend.asarray(array)), array)


def test_sums_keep_small_integers(backend):
    x = backend.asarray(np.array([100, 100, 100], "int32"))
    assert backend.dtype_of(K.sum(x)) == "int32"
    assert backend.dtype_of(K.cumsum(x)) == "int32"


def test_gather_outside_the_range_is_an_error(backend):
    for wrong in (3, -4):
        with pytest.raises(Exception, match=r"."):
            K.to_numpy(K.gather(backend.asarray(normal(3, 2)), backend.asarray(np.array([0, wrong]))))


@pytest.mark.backends("jax")
def test_gather_outside_the_range_reads_the_nearest_row_in_a_program(backend):
    """What is compiled cannot raise; outside of programs it is an error as everywhere."""
    table, rows = backend.asarray(np.arange(3.0)), backend.asarray(np.array([7, -9]))
    np.testing.assert_array_equal(K.compile(K.gather)(table, rows), [2.0, 0.0])


@pytest.mark.parametrize("name", ["engine_uniform", "engine_normal"])
def test_noise_is_a_function_of_its_key(backend, name):
    draw = declare.OPS[name].function

    def noise(seed=1, stream=2, counter=3, shape=(4, 5), dtype="float32"):
        counter, seed = (backend.asarray(np.asarray(n, "int64")) for n in (counter, seed))
        return backend.to_numpy(draw(counter, seed, shape, dtype, stream))

    first = noise()
    assert first.shape == (4, 5)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, noise())
    for other in (noise(seed=2), noise(stream=1), noise(counter=4), noise(seed=2**62)):
        assert not np.array_equal(first, other)
    many = noise(shape=(200, 100), dtype="float64")
    mean, deviation = (0.5, 12**-0.5) if name == "engine_uniform" else (0.0, 1.0)
    assert abs(many.mean() - mean) < 0.02
    assert abs(many.std() - deviation) < 0.02
    if name == "engine_uniform":
        assert many.min() >= 0
        assert many.max() < 1


def test_host_noise_is_the_same_inside_a_compiled_function(backend):
    from keras_front.backend import seeds

    def draw(counter):
        return K.host_noise(counter, 5, (2, 3), "float32", 7, "normal")

    counter = backend.asarray(np.asarray(4, "int64"))
    want = seeds.noise(5, 7, 4, (2, 3), "normal")
    for got in (draw(counter), K.compile(draw)(counter)):
        np.testing.assert_array_equal(backend.to_numpy(got), want)


def test_dropout_differs_by_step_and_keeps_the_mean(backend):
    def masked(x, counter):
        with K.bind([], [], counter=counter):
            return K.dropout(x, 0.25)

    f, x = K.compile(masked), backend.asarray(np.ones((100, 100), "float32"))
    one, two = (backend.to_numpy(f(x, backend.asarray(np.asarray(n, "int64")))) for n in (1, 2))
    assert set(np.unique(one)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(one.mean() - 1) < 0.03
    assert (one != two).any()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_scan(backend, reverse, compiled):
    x, w = normal(5, 2, 3), normal(3)

    def total(params, x):
        def step(carry, now):
            state = K.tanh(K.add(K.multiply(carry[0], params[0]), now[0]))
            return [state], [K.multiply(state, 2.0)]

        (final,), (ys,) = K.scan(step, [K.zeros_like(x[0])], [x], reverse=reverse)
        return K.sum(K.multiply(ys, K.cumsum(ys, axis=0))), [final, ys]

    def run(params, x):
        return K.value_and_grad(lambda p: total(p, x), params)

    def reference(w):
        state, ys = np.zeros((2, 3)), np.zeros_like(x)
        for t in reversed(range(5)) if reverse else range(5):
            state = np.tanh(state * w + x[t])
            ys[t] = 2 * state
        return state, ys, np.sum(ys * np.cumsum(ys, 0))

    (loss, (final, ys)), (grad,) = (K.compile(run) if compiled else run)([backend.asarray(w)], backend.asarray(x))
    state, want, value = reference(w)
    np.testing.assert_allclose(backend.to_numpy(final), state, rtol=1e-9)
    np.testing.assert_allclose(backend.to_numpy(ys), want, rtol=1e-9)
    np.testing.assert_allclose(backend.to_numpy(loss), value, rtol=1e-9)
    h = 1e-6
    slope = [(reference(w + h * e)[2] - reference(w - h * e)[2]) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(backend.to_numpy(grad), slope, rtol=1e-5)
