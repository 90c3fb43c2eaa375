"""Products of sparse and dense matrices: on the elements that are there, by one gather and one sum by rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import operands
from keras_front.backend.declare import Tensor, composite
from keras_front.backend.dtypes import is_sparse_matrix
from keras_front.backend.op import OPS
from keras_front.backend.ops.arrangement import expand_dims
from keras_front.backend.ops.elementwise import multiply
from keras_front.backend.ops.indexing import gather, scatter_add
from keras_front.errors import ShapeError


@composite(promote=("values", "y"))
def sparse_dot(values: Tensor, rows: Tensor, columns: Tensor, y: Tensor, height):
    """The product of a sparse matrix, given by its elements and their places, and a dense matrix.

    Args:
        values: the elements that are not 0.
        rows: their rows.
        columns: their columns.
        y: the dense matrix.
        height: the number of rows of the sparse matrix.

    Shape: values, rows, columns (n,), y (width, m) -> (height, m).

    Example:
        >>> K.sparse_dot(np.array([2.0, 3.0]), np.array([0, 1]), np.array([1, 0]), np.array([[1.0], [10.0]]), 2)
        array([[20.],
               [ 3.]])
    """
    return scatter_add(multiply(expand_dims(values, axis=-1), gather(y, columns)), rows, height)


def dot(x: Any, y: Any) -> Any:
    """`K.dot` where x or y is a sparse matrix."""
    if is_sparse_matrix(x) and is_sparse_matrix(y):
        return operands.as_symbol_or_tensor(np.ascontiguousarray((x @ y).toarray()))
    transpose = OPS["transpose"].function
    if is_sparse_matrix(y):
        return transpose(dot(y.T, transpose(x)))
    shape = tuple(y.shape)
    if len(shape) != 2 or shape[0] not in (None, x.shape[1]):
        raise ShapeError(f"K.dot: a sparse matrix {x.shape} and a tensor {shape} do not fit.")
    found = x.tocoo()
    return sparse_dot(found.data, found.row.astype("int64"), found.col.astype("int64"), y, int(x.shape[0]))
