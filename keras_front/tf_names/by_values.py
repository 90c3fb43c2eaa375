"""Functions of TensorFlow whose result has a size that depends on values, or that take matrices apart.

The arguments of each function have the names that they have in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import ops
from keras_front.backend.host_values import when_known
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.errors import ArgumentError

from .arrays import tensor_scatter_nd_add
from .dtypes import dtype_name
from .linear import norm, turned

__all__ = ["FUNCTIONS"]


# Different elements ----------------------------------------------------------------------------------


def _unique(which: str, x: Any, size: Any, dtype: str) -> Any:
    def found(values: np.ndarray) -> np.ndarray:
        _, first, inverse, counts = np.unique(values, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(first)  # as they come
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return {"values": values[first[order]], "index": place[inverse], "counts": counts[order]}[which]

    return when_known("tf.unique", found, [x], size, dtype)


def unique(x: Any, out_idx: Any = None) -> tuple[Any, Any]:
    """The different elements of a vector in the order in which they come, and the place of each element among them."""
    x = as_symbol_or_tensor(x)
    if K.ndim(x) != 1:
        raise ArgumentError(f"tf.unique: expected a vector, received a tensor of {K.ndim(x)} axes.")
    index = dtype_name(out_idx, "int32")
    return _unique("values", x, (None,), K.dtype(x)), _unique("index", x, K.int_shape(x), index)


def unique_with_counts(x: Any, out_idx: Any = None) -> tuple[Any, Any, Any]:
    """As `unique`, and how often each occurs."""
    values, index = unique(x, out_idx)
    return values, index, _unique("counts", as_symbol_or_tensor(x), (None,), dtype_name(out_idx, "int32"))


def dynamic_partition(data: Any, partitions: Any, num_partitions: int) -> list[Any]:
    """The parts of a tensor that belong to each number."""
    partitions = as_symbol_or_tensor(partitions)

    def places(number: int) -> Any:
        name = "tf.dynamic_partition"
        return when_known(name, lambda p: np.flatnonzero(p == number), [partitions], (None,), "int32")

    tail = [n if n is not None else -1 for n in K.int_shape(data)[K.ndim(partitions) :]]
    flat = K.reshape(data, (-1, *tail))
    return [K.gather(flat, places(number)) for number in range(num_partitions)]


def dynamic_stitch(indices: Any, data: Any) -> Any:
    """One tensor of parts of several, each at the place that its number says; of two at one place the later."""
    places = [as_symbol_or_tensor(index) for index in indices]
    parts = [as_symbol_or_tensor(part) for part in data]
    rows = [
        K.reshape(part, (-1, *K.int_shape(part)[K.ndim(index) :])) for index, part in zip(places, parts, strict=True)
    ]

    def last(*given: np.ndarray) -> np.ndarray:
        flat = np.concatenate([index.ravel() for index in given])
        chosen = np.zeros(int(flat.max(initial=-1)) + 1, "int32")
        chosen[flat] = np.arange(len(flat))
        return chosen

    return K.gather(K.concatenate(rows, axis=0), when_known("tf.dynamic_stitch", last, places, (None,), "int32"))


# Matrices --------------------------------------------------------------------------------------------


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """The singular values, and the vectors on the left and on the right, in columns."""
    if not compute_uv:
        return ops.svd(tensor, compute_uv=False)
    u, s, v = ops.svd(tensor, full_matrices)
    return s, u, turned(v)


def qr(input: Any, full_matrices: bool = False) -> Any:
    """A matrix as the product of one with orthogonal columns and of an upper triangle."""
    return ops.qr(input, "complete" if full_matrices else "reduced")


def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False) -> Any:
    """What a triangular matrix makes `rhs` of."""
    return ops.solve_triangular(turned(matrix) if adjoint else matrix, rhs, lower=lower != adjoint)


def cholesky_solve(chol: Any, rhs: Any) -> Any:
    """What the matrix whose Cholesky factor is given makes `rhs` of."""
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


def lstsq(matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True) -> Any:
    """What comes nearest to being made `rhs` by a matrix."""
    if not l2_regularizer:
        return ops.lstsq(matrix, rhs)
    square = K.matmul(turned(matrix), matrix)
    ridge = l2_regularizer * np.eye(K.int_shape(square)[-1], dtype=K.dtype(square))
    return K.solve(square + ridge, K.matmul(turned(matrix), rhs))


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None) -> tuple[Any, Any]:
    """A tensor divided by its norm, and that norm."""
    length = norm(tensor, ord, axis, keepdims=True)
    return tensor / length, length


def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any) -> Any:
    """A tensor with numbers taken away at these places."""
    return tensor_scatter_nd_add(tensor, indices, K.negative(as_symbol_or_tensor(updates)))


def histogram_fixed_width(values: Any, value_range: Any, nbins: int = 100, dtype: Any = None) -> Any:
    """How many values fall into each of several bins of one width; what is outside falls into the outer ones."""
    low, high = value_range
    place = K.cast(K.floor((K.cast(values, "float32") - low) / (high - low) * nbins), "int32")
    place = K.reshape(K.clip(place, 0, nbins - 1), (-1,))
    return K.sum(K.one_hot(place, nbins, dtype=dtype_name(dtype, "int32")), axis=0)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        cholesky_solve, dynamic_partition, dynamic_stitch, histogram_fixed_width, lstsq, normalize, qr, svd,
        tensor_scatter_nd_sub, triangular_solve, unique, unique_with_counts,
    )},
    "bitcast": lambda input, type: ops.view(input, dtype_name(type, "float32")),
    "bincount": lambda arr, weights=None, minlength=0, **options: ops.bincount(arr, weights, minlength or 0),
    "eigh": lambda tensor: ops.eigh(tensor),
    "eigvalsh": lambda tensor: ops.eigh(tensor)[0],
    "logdet": lambda matrix: ops.logdet(matrix),
    "pinv": lambda a, **options: ops.pinv(a),
    "self_adjoint_eig": lambda tensor: ops.eigh(tensor),
    "self_adjoint_eigvals": lambda tensor: ops.eigh(tensor)[0],
    "slogdet": lambda input: ops.slogdet(input),
    "tensor_diag": lambda diagonal: ops.diag(diagonal),
    "tensor_diag_part": lambda input: ops.diagonal(input),
    "unravel_index": lambda indices, dims: K.stack(list(ops.unravel_index(indices, tuple(np.asarray(dims).tolist())))),
}  # fmt: skip
