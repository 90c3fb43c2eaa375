"""Functions of TensorFlow whose size depends on values, and those that take matrices apart."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers
from keras_front.errors import ArgumentError
from keras_front.tf_names import find

A = np.random.RandomState(0).rand(4, 3).astype("float32")
S = (A @ A.T + np.eye(4)).astype("float32")


def call(name, *args, **kwargs):
    found = find(name)(*args, **kwargs)
    return [K.to_numpy(t) for t in found] if isinstance(found, tuple | list) else K.to_numpy(found)


def test_different_elements_come_in_their_order(backend):
    values, index, counts = call("unique_with_counts", np.array([4, 1, 4, 2, 1]))
    assert values.tolist() == [4, 1, 2]
    assert index.tolist() == [0, 1, 0, 2, 1]
    assert counts.tolist() == [2, 2, 1]
    assert [a.tolist() for a in call("unique", np.array([2.5, 2.5]), "int64")] == [[2.5], [0, 0]]
    with pytest.raises(ArgumentError, match="a vector"):
        call("unique", A)


def test_parts_by_number(backend):
    parts = call("dynamic_partition", A, np.array([1, 0, 1, 3]), 4)
    assert [part.tolist() for part in parts] == [A[1:2].tolist(), A[[0, 2]].tolist(), [], A[3:].tolist()]
    stitched = call("dynamic_stitch", [np.array([1]), np.array([[0, 1]])], [A[:1], A[None, 1:3]])
    assert stitched.tolist() == [A[1].tolist(), A[2].tolist()]
    assert call("histogram_fixed_width", np.array([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0]), [0.0, 5.0], 5).tolist() == [
        2,
        1,
        1,
        0,
        2,
    ]
    assert call("tensor_scatter_nd_sub", A, np.array([[0]]), A[:1]).tolist() == [[0, 0, 0], *A[1:].tolist()]
    assert call("unravel_index", np.array([5, 1]), [2, 3]).tolist() == [[1, 0], [2, 1]]


def test_matrices_are_taken_apart(backend):
    s, u, v = call("linalg.svd", A)
    assert u.shape == (4, 3)
    np.testing.assert_allclose((u * s) @ v.T, A, atol=1e-5)
    np.testing.assert_allclose(call("svd", A, compute_uv=False), np.linalg.svd(A, compute_uv=False), rtol=1e-4)
    assert call("linalg.svd", A, full_matrices=True)[1].shape == (4, 4)
    q, r = call("linalg.qr", A)
    np.testing.assert_allclose(q @ r, A, atol=1e-5)
    values, vectors = call("linalg.eigh", S)
    np.testing.assert_allclose(S @ vectors, vectors * values, atol=1e-4)
    np.testing.assert_allclose(call("linalg.logdet", S), np.log(np.linalg.det(S)), rtol=1e-4)
    np.testing.assert_allclose(call("linalg.pinv", A), np.linalg.pinv(A), atol=1e-4)
    unit, length = call("linalg.normalize", A, axis=1)
    np.testing.assert_allclose(unit * length, A, atol=1e-6)
    np.testing.assert_allclose(length[:, 0], np.linalg.norm(A, axis=1), rtol=1e-5)


def test_equations_are_solved(backend):
    chol = np.linalg.cholesky(S).astype("float32")
    np.testing.assert_allclose(call("linalg.cholesky_solve", chol, A), np.linalg.solve(S, A), atol=1e-4)
    np.testing.assert_allclose(
        call("linalg.triangular_solve", chol.T, A, lower=False), np.linalg.solve(chol.T, A), atol=1e-4
    )
    np.testing.assert_allclose(
        call("linalg.triangular_solve", chol, A, adjoint=True), np.linalg.solve(chol.T, A), atol=1e-4
    )
    y = A[:, :1] + 1
    np.testing.assert_allclose(call("linalg.lstsq", A, y), np.linalg.lstsq(A, y, rcond=None)[0], atol=1e-3)
    ridge = np.linalg.solve(A.T @ A + 0.5 * np.eye(3), A.T @ y)
    np.testing.assert_allclose(call("linalg.lstsq", A, y, l2_regularizer=0.5), ridge, atol=1e-4)


def test_arguments_of_tf_keras_in_layers():
    layers.BatchNormalization(fused=True, virtual_batch_size=None)
    with pytest.raises(ArgumentError, match="batch_size"):
        layers.BatchNormalization(virtual_batch_size=4)
    layer = layers.Normalization()
    assert layer.mean is None
    layer.adapt(np.array([[1.0], [3.0]]))
    assert (layer.mean.numpy().tolist(), layer.variance.numpy().tolist()) == ([2.0], [1.0])
    assert layers.Normalization(mean=3.0, variance=2.0).variance == 2.0
