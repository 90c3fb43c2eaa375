"""`tf.linalg` and what of it stands in `tf` itself: products, norms, diagonals, solving; and `tf.signal`.

The arguments of each function have the names that they have in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import ops
from keras_front.backend.operands import as_array

__all__ = ["FUNCTIONS"]


def turned(x: Any) -> Any:
    """The last two axes in the other order."""
    return ops.swapaxes(x, -1, -2)


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **hints: Any) -> Any:
    """The product of matrices, or of stacks of them; `adjoint_a` and `adjoint_b` transpose as well."""
    a, b = as_array(a), as_array(b)  # several tensors are one with an axis more
    a = turned(a) if transpose_a or hints.get("adjoint_a") else a
    return K.matmul(a, turned(b) if transpose_b or hints.get("adjoint_b") else b)


def matvec(a: Any, b: Any, transpose_a: bool = False, **hints: Any) -> Any:
    """The product of matrices and vectors."""
    return K.squeeze(matmul(a, K.expand_dims(b, -1), transpose_a), -1)


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, **older: Any) -> Any:
    """The norm of all elements together, of vectors along an axis, or of matrices."""
    if axis is None and ord == "euclidean":
        axes = list(range(K.ndim(tensor)))
        return K.square_root(K.sum(K.square(tensor), axis=axes, keepdims=bool(keepdims)))
    axis = tuple(axis) if isinstance(axis, list) else axis
    return K.norm(tensor, None if ord == "euclidean" else ord, axis, bool(keepdims))


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """Vectors of length 1."""
    return x * K.rsqrt(K.maximum(K.sum(K.square(x), axis=axis, keepdims=True), epsilon))


def _mask_of(x: Any, keep: Callable[[Any, Any], Any]) -> Any:
    rows, columns = np.indices(K.int_shape(x)[-2:])
    return keep(rows, columns)


def band_part(input: Any, num_lower: int, num_upper: int) -> Any:
    """A matrix with zeros outside of a band; a negative number keeps all on that side."""

    def keep(i: Any, j: Any) -> Any:
        return ((num_lower < 0) | (i - j <= num_lower)) & ((num_upper < 0) | (j - i <= num_upper))

    return K.where(_mask_of(input, keep), input, K.zeros_like(input))


def diag(diagonal: Any, k: int = 0, **sizes: Any) -> Any:
    """Matrices with these diagonals."""
    return K.expand_dims(diagonal, -1) * np.eye(K.int_shape(diagonal)[-1], dtype="float32")


def diag_part(input: Any, k: int = 0, **sizes: Any) -> Any:
    """The diagonals of matrices."""
    return ops.diagonal(input, axis1=-2, axis2=-1)


def set_diag(input: Any, diagonal: Any, k: int = 0, **sizes: Any) -> Any:
    """Matrices with other diagonals."""
    return K.where(_mask_of(input, np.equal), K.expand_dims(K.cast(diagonal, K.dtype(input)), -1), input)


def frame(
    signal: Any, frame_length: int, frame_step: int, pad_end: bool = False, pad_value: float = 0, axis: int = -1
) -> Any:
    """Pieces of a signal that overlap."""
    size = K.int_shape(signal)[axis]
    starts = np.arange(0, size if pad_end else size - frame_length + 1, frame_step)
    last = starts[-1] + frame_length - size
    widths = [(0, 0)] * K.ndim(signal)
    widths[axis] = (0, int(max(last, 0)))
    padded = K.pad(signal, tuple(widths), value=pad_value)
    return K.gather(padded, starts[:, None] + np.arange(frame_length), axis=axis % K.ndim(signal))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        band_part, diag, diag_part, frame, l2_normalize, matmul, matvec, norm, set_diag,
    )},
    "adjoint": lambda matrix: turned(matrix),
    "cholesky": lambda input: K.cholesky(input),
    "cross": lambda a, b: ops.cross(a, b),
    "det": lambda input: K.det(input),
    "einsum": lambda equation, *inputs, **hints: K.einsum(equation, *inputs),
    "inv": lambda input, adjoint=False: K.inv(turned(input) if adjoint else input),
    "matrix_transpose": lambda a, conjugate=False: turned(a),
    "solve": lambda matrix, rhs, adjoint=False: K.solve(turned(matrix) if adjoint else matrix, rhs),
    "tensordot": lambda a, b, axes: ops.tensordot(a, b, axes),
    "trace": lambda x: K.sum(diag_part(x), axis=-1),
}  # fmt: skip
