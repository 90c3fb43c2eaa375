"""Calls of K whose arguments do not fit: one error on every backend; and odd ones that give the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError, DtypeError, ShapeError, WrongKindError, WrongPlaceError

X = np.arange(6, dtype="float32").reshape(2, 3)

REFUSED = {
    "an index outside": (lambda x: K.take_along_axis(x, np.array([[3], [0]]), axis=1), WrongPlaceError, "0 to 2"),
    "an index below 0": (lambda x: K.take_along_axis(x, np.array([[-1], [0]]), axis=1), WrongPlaceError, "0 to 2"),
    "a class outside": (lambda x: K.in_top_k(x, np.array([0, 3]), 1), WrongPlaceError, "0 to 2"),
    "labels outside": (lambda x: K.sparse_categorical_crossentropy(np.array([0, 9]), x), WrongPlaceError, "0 to 2"),
    "a bool as axis": (lambda x: K.argmax(x, axis=True), WrongKindError, "integer as axis, received True"),
    "None as axis": (lambda x: K.gather(x, np.array([0]), axis=None), WrongKindError, "integer as axis, received None"),
    "axes as an axis": (lambda x: K.log_softmax(x, axis=None), WrongKindError, "integer as axis, received None"),
    "a bool as axes": (lambda x: K.sum(x, axis=True), WrongKindError, "axis, received True"),
    "no flag": (lambda x: K.var(x, axis=1, keepdims="yes"), WrongKindError, "True or False, received 'yes'"),
    "a maximum of nothing": (lambda x: K.max(x[:0], axis=0), ShapeError, r"at least one element.*\(0, 3\)"),
    "the place of nothing": (lambda x: K.argmax(x[:, :0]), ShapeError, r"at least one element.*\(2, 0\)"),
    "starts that are too few": (lambda x: K.slice(x, (0,), (1, 2)), ShapeError, "expected 2 starts and sizes"),
    "half a matrix": (lambda x: K.cholesky(K.cast(x[:, :2], "float16")), DtypeError, "float32 or float64"),
    "no tensor": (lambda x: K.dot(x, object()), ArgumentError, "Expected a tensor"),
    "channels that differ": (lambda x: K.conv1d(x[None], np.ones((1, 5, 1)), data_format="channels_last"), ShapeError,
                             "expects 5 channels, received 3"),
    "sizes that differ": (lambda x: K.batch_dot(x, np.ones((2, 5), "float32")), ShapeError, "batch_dot"),
}  # fmt: skip

TAKEN = {
    "numbers as a condition": (lambda x: K.where(np.array([1, 0, 2]), x, -x), np.where([1, 0, 2], X, -X)),
    "1 for True": (lambda x: K.min(x, axis=1, keepdims=1), X.min(1, keepdims=True)),
    "truth": (lambda x: K.max(x > 2, axis=1), (X > 2).max(1)),
    "a list beside a narrow tensor": (lambda x: K.maximum([[3, 1, 2]], K.cast(x, "int8")),
                                      np.maximum(X, [[3, 1, 2]]).astype("int8")),
    "an image of integers": (lambda x: K.pool2d(np.arange(16).reshape(1, 4, 4, 1), (2, 2), strides=(2, 2),
                                                pool_mode="avg", data_format="channels_last"),
                             np.array([2.5, 4.5, 10.5, 12.5], "float32").reshape(1, 2, 2, 1)),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_the_same_words(backend, case):
    call, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words) as caught:
        call(K.constant(X))
    assert str(caught.value).startswith("K.")


@pytest.mark.parametrize("case", TAKEN)
def test_it_gives_the_same(backend, case):
    call, expected = TAKEN[case]
    got = K.to_numpy(call(K.constant(X)))
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert got.dtype == expected.dtype


def test_a_norm_of_any_order_keeps_its_dtype(backend):
    x = np.array([[1.0, -2.0], [3.0, 0.5]])
    got = K.norm(K.constant(x, dtype="float64"), ord=3, axis=1)
    assert K.dtype(got) == "float64"
    np.testing.assert_allclose(K.to_numpy(got), np.linalg.norm(x, 3, axis=1), rtol=1e-12)
