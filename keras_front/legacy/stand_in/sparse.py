"""`tf.sparse`: tensors of which only the places and values that are not zero are kept.

Models take them as they take matrices of SciPy: a batch is made dense.
Source: TensorFlow 2.15, `tf.sparse`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend.shapes import TensorShape
from keras_front.errors import ArgumentError

from .functions import constant
from .ragged import host_array, tensor_or_texts


class SparseTensor:
    """Values at places; all others are zero.

    Args:
        indices: the place of each value, a row each.
        values: the values.
        dense_shape: the shape of the whole.

    Raises: ArgumentError unless there is a place with an index for each axis for every value.
    """

    is_composite = True  # a `Dataset` keeps it as it is

    def __init__(self, indices: Any, values: Any, dense_shape: Any):
        values = host_array(constant(values) if not isinstance(values, np.ndarray) else values)
        size = tuple(int(n) for n in host_array(dense_shape))
        places = host_array(indices).astype("int64").reshape(len(values), len(size))
        if ((places < 0) | (places >= np.array(size, "int64"))).any():
            raise ArgumentError(f"SparseTensor: expected places in a tensor of shape {size}, received others.")
        self._places, self._size = places, size
        self.values = tensor_or_texts(values)

    @property
    def indices(self) -> Any:
        """The place of each value."""
        return constant(self._places)

    @property
    def dense_shape(self) -> Any:
        """The shape of the whole as a tensor."""
        return constant(np.array(self._size, "int64"))

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole."""
        return TensorShape(self._size)

    def get_shape(self) -> TensorShape:
        """The shape of the whole."""
        return self.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._size)

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.values.dtype

    def __len__(self) -> int:
        return self._size[0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        dense = to_dense_array(self)
        return dense if dtype is None else dense.astype(dtype)

    def tocsr(self) -> Any:
        """The matrix as one of SciPy."""
        from scipy.sparse import csr_array

        rows, columns = self._places.T
        return csr_array((host_array(self.values), (rows, columns)), shape=self._size)

    def __repr__(self) -> str:
        places, values = self._places.tolist(), host_array(self.values).tolist()
        return f"SparseTensor(indices={places}, values={values}, dense_shape={self._size})"


SparseTensorValue = SparseTensor


def to_dense_array(sparse: SparseTensor, default_value: Any = None) -> np.ndarray:
    """All values, as an array of NumPy.

    Args:
        sparse: the tensor.
        default_value: what the others are; by default 0, and for texts the empty one.
    """
    values = host_array(sparse.values)
    texts = values.dtype.kind in "OSU"
    filling = ("" if texts else 0) if default_value is None else host_array(default_value)
    dense = np.full(sparse._size, filling, object if texts else values.dtype)
    dense[tuple(sparse._places.T)] = values
    return dense


def to_dense(sp_input: SparseTensor, default_value: Any = None, validate_indices: bool = True, name: Any = None) -> Any:
    """All values.

    Args:
        sp_input: the tensor.
        default_value: what the others are; by default 0, and for texts the empty one.
        validate_indices: not used.
        name: not used.
    """
    return tensor_or_texts(to_dense_array(sp_input, default_value))


sparse_tensor_to_dense = to_dense


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The values that are not zero.

    Args:
        tensor: all values.
        name: not used.
    """
    dense = host_array(constant(tensor) if not hasattr(tensor, "shape") else tensor)
    places = np.argwhere(dense != ("" if dense.dtype.kind in "OSU" else 0))
    return SparseTensor(places, dense[tuple(places.T)], dense.shape)


def reorder(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """The same with the places in their order.

    Args:
        sp_input: the tensor.
        name: not used.
    """
    order = np.lexsort(sp_input._places.T[::-1])
    return SparseTensor(sp_input._places[order], host_array(sp_input.values)[order], sp_input._size)


def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """Some of the values.

    Args:
        sp_input: the tensor.
        to_retain: for each value whether it stays.
    """
    kept = host_array(to_retain).astype(bool)
    return SparseTensor(sp_input._places[kept], host_array(sp_input.values)[kept], sp_input._size)


def reshape(sp_input: SparseTensor, shape: Any, name: str | None = None) -> SparseTensor:
    """The same values in another shape.

    Args:
        sp_input: the tensor.
        shape: the shape; -1 for the size that is left.
        name: not used.
    """
    size = np.empty(sp_input._size, "bool").reshape([int(n) for n in host_array(shape)]).shape
    flat = np.ravel_multi_index(tuple(sp_input._places.T), sp_input._size)
    return SparseTensor(np.stack(np.unravel_index(flat, size), axis=-1), host_array(sp_input.values), size)


def transpose(sp_input: SparseTensor, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The axes in another order.

    Args:
        sp_input: the tensor.
        perm: the order; by default the reverse one.
        name: not used.
    """
    order = list(range(sp_input.ndim))[::-1] if perm is None else [int(n) for n in host_array(perm)]
    size = [sp_input._size[i] for i in order]
    return reorder(SparseTensor(sp_input._places[:, order], host_array(sp_input.values), size))


def expand_dims(sp_input: SparseTensor, axis: int = -1, name: str | None = None) -> SparseTensor:
    """The same with an axis of size 1.

    Args:
        sp_input: the tensor.
        axis: where.
        name: not used.
    """
    axis = axis % (sp_input.ndim + 1)
    places = np.insert(sp_input._places, axis, 0, axis=1)
    return SparseTensor(places, host_array(sp_input.values), [*sp_input._size[:axis], 1, *sp_input._size[axis:]])


def concat(axis: int, sp_inputs: Any, *args: Any, **options: Any) -> SparseTensor:
    """Tensors behind each other along an axis.

    Args:
        axis: the axis.
        sp_inputs: the tensors.
        args: not used.
        **options: not used.
    """
    axis, begins, places = axis % sp_inputs[0].ndim, 0, []
    for one in sp_inputs:
        moved = one._places.copy()
        moved[:, axis] += begins
        begins += one._size[axis]
        places.append(moved)
    size = [begins if i == axis else n for i, n in enumerate(sp_inputs[0]._size)]
    return reorder(
        SparseTensor(np.concatenate(places), np.concatenate([host_array(s.values) for s in sp_inputs]), size)
    )


def add(a: Any, b: Any, threshold: float = 0) -> Any:
    """The sum; dense where one of both is dense.

    Args:
        a: a tensor.
        b: another one.
        threshold: not used.
    """
    dense = np.asarray(a if isinstance(a, SparseTensor) else host_array(a)) + np.asarray(
        b if isinstance(b, SparseTensor) else host_array(b)
    )
    return from_dense(dense) if isinstance(a, SparseTensor) and isinstance(b, SparseTensor) else constant(dense)


def slice(sp_input: SparseTensor, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """A part by its beginning and size.

    Args:
        sp_input: the tensor.
        start: where it begins on each axis.
        size: how large it is.
        name: not used.
    """
    begins = host_array(start).astype("int64")
    ends = np.minimum(begins + host_array(size), sp_input._size)
    kept = ((sp_input._places >= begins) & (sp_input._places < ends)).all(axis=1)
    return SparseTensor(sp_input._places[kept] - begins, host_array(sp_input.values)[kept], ends - begins)


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: Any = None) -> SparseTensor:
    """The identity matrix.

    Args:
        num_rows: its rows.
        num_columns: its columns, by default as many.
        dtype: its dtype.
        name: not used.
    """
    return from_dense(np.eye(num_rows, num_columns, dtype=str(getattr(dtype, "name", dtype))))


def reduce_sum(sp_input: SparseTensor, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    """The sum of the values.

    Args:
        sp_input: the tensor.
        axis: along which axes; None for all.
        keepdims: whether they stay, of size 1.
        **options: not used.
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    return constant(to_dense_array(sp_input).sum(axis=axis, keepdims=bool(keepdims)))


def reduce_max(sp_input: SparseTensor, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    """The largest of the values; zeros that are not kept do not count.

    Args:
        sp_input: the tensor.
        axis: along which axes; None for all.
        keepdims: whether they stay, of size 1.
        **options: not used.
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    values = host_array(sp_input.values)
    least = -np.inf if values.dtype.kind == "f" else np.iinfo(values.dtype).min
    found = to_dense_array(sp_input, least).max(axis=axis, keepdims=bool(keepdims))
    return constant(np.where(found == least, 0, found).astype(values.dtype))


def sparse_dense_matmul(sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: Any = None) -> Any:
    """The product of a sparse matrix and a dense one.

    Args:
        sp_a: the first.
        b: the second.
        adjoint_a: take the first one transposed.
        adjoint_b: take the second one transposed.
        name: not used.
    """
    first = to_dense(sp_a) if isinstance(sp_a, SparseTensor) else sp_a
    second = to_dense(b) if isinstance(b, SparseTensor) else b
    first = K.transpose(first) if adjoint_a else first
    return K.dot(first, K.transpose(second) if adjoint_b else second)


sparse_tensor_dense_matmul = sparse_dense_matmul


def mask(a: SparseTensor, mask_indices: Any, name: str | None = None) -> SparseTensor:
    """The values in other rows than these.

    Args:
        a: the tensor.
        mask_indices: the numbers of rows.
        name: not used.
    """
    return retain(a, ~np.isin(a._places[:, 0], host_array(mask_indices)))


def map_values(op: Any, *args: Any, **kwargs: Any) -> SparseTensor:
    """What a function makes of the values, at the same places.

    Args:
        op: gets the values in place of each sparse tensor.
        args: what it is called with.
        kwargs: the same by name.
    """
    first = next(arg for arg in args if isinstance(arg, SparseTensor))
    flat = [arg.values if isinstance(arg, SparseTensor) else arg for arg in args]
    return SparseTensor(first._places, host_array(op(*flat, **kwargs)), first._size)
