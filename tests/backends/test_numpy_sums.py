"""Sums in NumPy's programs, most of which are products with ones, against NumPy's own in float64."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K

pytestmark = pytest.mark.backends("numpy")

CASES = [
    ((3, 4, 5), 0), ((3, 4, 5), 1), ((3, 4, 5), 2), ((3, 4, 5, 2), (1, 2)), ((3, 4, 5, 2), (0, 1)),
    ((3, 4, 5, 2), (0, 2)), ((3, 1, 5), 1), ((1, 4, 5), 1), ((3, 4, 1), 1), ((3, 0, 5), 1), ((3, 4, 5), (0, 1, 2)),
    ((9, 8192, 3), (0, 1)), ((2, 9, 8192, 3), (1, 2)), ((70000, 2), 0), ((2, 70000), 1),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_a_sum_is_that_of_numpy(backend, shape, axis):
    x = np.random.default_rng(0).normal(size=shape)
    for dtype, tolerance in (("float32", 3e-7), ("float64", 1e-15)):
        total = K.compile(lambda x, axis=axis: [K.sum(x, axis), K.sum(x * 2, axis, keepdims=True)])
        given = x.astype(dtype)
        plain, kept = (K.to_numpy(v) for v in total(K.convert(given)))
        wanted = given.astype("float64").sum(axis, keepdims=True)
        room = tolerance * np.abs(x).sum(axis).max(initial=0)
        assert str(plain.dtype) == str(kept.dtype) == dtype
        np.testing.assert_allclose(kept, 2 * wanted, rtol=0, atol=2 * room)
        np.testing.assert_allclose(plain, wanted.reshape(plain.shape), rtol=0, atol=room)


def test_sums_of_nan_and_infinity(backend):
    x = np.zeros((2, 6, 5, 4), "float32")
    x[0, 1, 2, 0], x[0, 1, 2, 1], x[1, 0, 0, 2] = np.nan, np.inf, -np.inf
    x[1, 0, 0, 3], x[1, 1, 0, 3] = np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        for axis in (1, 2), (0, 1, 2), 1, 0:
            found = K.compile(lambda x, axis=axis: K.sum(x, axis))(K.convert(x))
            np.testing.assert_array_equal(K.to_numpy(found), x.sum(axis))


def test_sums_of_what_lies_otherwise_in_memory(backend):
    x = np.random.default_rng(1).normal(size=(4, 5, 6))
    total = K.compile(lambda x: K.sum(K.permute_dimensions(x, (2, 0, 1)) + 1, 1))
    np.testing.assert_allclose(K.to_numpy(total(K.convert(x))), (x.transpose(2, 0, 1) + 1).sum(1), rtol=1e-12)
    np.testing.assert_allclose(K.to_numpy(total(K.convert(x[:, ::-1]))), (x[:, ::-1].transpose(2, 0, 1) + 1).sum(1))
