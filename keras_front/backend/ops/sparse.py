"""Sparse matrices: those of SciPy, and what the functions of K do with them.

K computes with dense tensors. A sparse matrix is met in two places: `dot` of a sparse matrix and a dense one runs on
the elements that are there (one gather, one sum by rows), and a sparse placeholder takes a sparse matrix and makes it
dense when it is fed. `K.variable` of a sparse matrix is a sparse matrix, as in Keras 2. SciPy is not imported for any
of it: a program that has such a matrix has done so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import operands, symbolic
from keras_front.backend.dtypes import is_sparse_matrix
from keras_front.backend.op import OPS


class SparsePlaceholder(symbolic.SymbolicTensor):
    """A placeholder that may be fed with a sparse matrix."""

    __slots__ = ()


def is_sparse(tensor: Any) -> bool:
    """Whether `tensor` is a sparse matrix of SciPy, or a placeholder for one.

    Args:
        tensor: anything.

    Example:
        >>> K.is_sparse(np.ones((2, 2)))
        False
    """
    return is_sparse_matrix(tensor) or isinstance(tensor, SparsePlaceholder)


def to_dense(tensor: Any) -> Any:
    """A sparse tensor as a dense one; others pass.

    Args:
        tensor: a sparse matrix of SciPy, a sparse placeholder, or any tensor.

    Returns: a tensor of the same values.

    Example:
        >>> K.to_dense(np.array([[0, 1]])).tolist()
        [[0, 1]]
    """
    if is_sparse_matrix(tensor):
        return operands.as_symbol_or_tensor(np.ascontiguousarray(tensor.toarray()))
    if isinstance(tensor, SparsePlaceholder):
        return OPS["identity"].function(tensor)
    return tensor


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """`K.concatenate` where some are sparse matrices: a sparse one of sparse ones, else a dense tensor.

    Args:
        tensors: sparse matrices, or such and tensors.
        axis: along which axis they are joined.
    """
    if not all(map(is_sparse_matrix, tensors)):
        return OPS["concatenate"].function([to_dense(t) for t in tensors], axis=axis)
    from scipy.sparse import hstack, vstack

    return (vstack if axis in (0, -2) else hstack)(list(tensors), format="csr")
