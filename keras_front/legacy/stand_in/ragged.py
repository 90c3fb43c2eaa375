"""`tf.ragged`: rows of different lengths, as the values of all rows and where each row ends.

They are for what prepares data: models take `to_tensor()`, padded.
Source: TensorFlow 2.15, `tf.RaggedTensor`.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import tf_names
from keras_front.backend.shapes import TensorShape
from keras_front.errors import ArgumentError, ShapeError
from keras_front.utils.dataset_elements import values_of

from .functions import as_eager
from .functions import constant as tensor


def host_array(x: Any) -> np.ndarray:
    """The values of a tensor, an array or a list, on the host.

    Args:
        x: any of these.
    """
    return np.asarray(x if isinstance(x, np.ndarray) else K.to_numpy(x) if hasattr(x, "shape") else x)


def tensor_or_texts(array: np.ndarray) -> Any:
    """Numbers as a tensor; texts as their array.

    Args:
        array: the values.
    """
    return values_of(array) if array.dtype.kind in "OSU" else tensor(array)


class RaggedTensor:
    """Rows of different lengths.

    Args:
        values: the rows, one behind the other: an array, or rows themselves.
        row_splits: where each row begins, and where the last one ends.

    Raises: ArgumentError for splits that do not begin at 0, fall, or do not end with the values.
    """

    is_composite = True  # a `Dataset` keeps it as it is
    __array_priority__ = 100  # NumPy leaves arithmetic to it

    def __init__(self, values: Any, row_splits: Any):
        self.values = values if isinstance(values, RaggedTensor) else tensor_or_texts(host_array(values))
        splits = host_array(row_splits).astype("int64")
        number = len(values) if isinstance(values, RaggedTensor) else len(host_array(values))
        if splits.ndim != 1 or not splits.size or splits[0] or (np.diff(splits) < 0).any() or splits[-1] != number:
            raise ArgumentError(
                f"RaggedTensor: expected row_splits that rise from 0 to the {number} values, received {splits}."
            )
        self._splits = splits

    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, **options: Any) -> RaggedTensor:
        """Of values, and where each row begins and the last one ends."""
        return cls(values, row_splits)

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, **options: Any) -> RaggedTensor:
        """Of values, and the length of each row."""
        return cls(values, np.concatenate([[0], np.cumsum(host_array(row_lengths).astype("int64"))]))

    @classmethod
    def from_row_starts(cls, values: Any, row_starts: Any, **options: Any) -> RaggedTensor:
        """Of values, and where each row begins."""
        return cls(values, np.append(host_array(row_starts), len(host_array(values))))

    @classmethod
    def from_row_limits(cls, values: Any, row_limits: Any, **options: Any) -> RaggedTensor:
        """Of values, and where each row ends."""
        return cls(values, np.concatenate([[0], host_array(row_limits)]))

    @classmethod
    def from_value_rowids(cls, values: Any, value_rowids: Any, nrows: Any = None, **options: Any) -> RaggedTensor:
        """Of values, and the number of the row of each."""
        rows = host_array(value_rowids)
        lengths = np.bincount(rows, minlength=int(nrows) if nrows is not None else 0)
        return cls.from_row_lengths(values, lengths)

    @classmethod
    def from_tensor(cls, tensor: Any, lengths: Any = None, padding: Any = None, **options: Any) -> RaggedTensor:
        """Of a tensor, whose rows end at their lengths, or where nothing but padding follows."""
        rows = host_array(tensor)
        ends: Any
        if lengths is not None:
            ends = host_array(lengths)
        elif padding is None:
            ends = np.full(len(rows), rows.shape[1])
        else:
            ends = [int(max(np.flatnonzero(row != host_array(padding)), default=-1)) + 1 for row in rows]
        return of_rows([row[: int(end)] for row, end in zip(rows, ends, strict=True)])

    # What it is made of ------------------------------------------------------------------------------

    @property
    def row_splits(self) -> Any:
        """Where each row begins, and where the last one ends."""
        return tensor(self._splits)

    @property
    def flat_values(self) -> Any:
        """The values of the innermost rows."""
        return self.values.flat_values if isinstance(self.values, RaggedTensor) else self.values

    @property
    def nested_row_splits(self) -> tuple[Any, ...]:
        """The splits of the rows, and of the rows in them."""
        inner = self.values.nested_row_splits if isinstance(self.values, RaggedTensor) else ()
        return (self.row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        """How many axes have rows of different lengths."""
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.flat_values.dtype

    @property
    def shape(self) -> TensorShape:
        """The shape; None for the axes of different lengths."""
        return TensorShape((len(self), None, *tuple(self.values.shape)[1:]))

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """The length of each row."""
        if axis == 1:
            return tensor(np.diff(self._splits))
        return self.with_rows(self.values.row_lengths(axis - 1))

    def row_starts(self, name: str | None = None) -> Any:
        """Where each row begins."""
        return tensor(self._splits[:-1])

    def row_limits(self, name: str | None = None) -> Any:
        """Where each row ends."""
        return tensor(self._splits[1:])

    def value_rowids(self, name: str | None = None) -> Any:
        """The number of the row of each value."""
        return tensor(np.repeat(np.arange(len(self)), np.diff(self._splits)))

    def nrows(self, out_type: Any = None, name: str | None = None) -> Any:
        """How many rows there are."""
        return tensor(np.int64(len(self)))

    def bounding_shape(self, axis: Any = None, **options: Any) -> Any:
        """The shape of `to_tensor()`."""
        shape = tensor(np.array(host_array(self.to_tensor()).shape, "int64"))
        return shape if axis is None else shape[axis]

    # Rows --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._splits) - 1

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in builtins.range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            first, rest = key[0], key[1:]
            if not isinstance(first, slice):
                return self[first][rest if len(rest) > 1 else rest[0]] if rest else self[first]
            chosen = self[first]
            return of_rows([row[rest if len(rest) > 1 else rest[0]] for row in chosen]) if rest else chosen
        if isinstance(key, slice):
            return of_rows([self[i] for i in builtins.range(*key.indices(len(self)))], like=self)
        place = operator.index(int(key))
        if not -len(self) <= place < len(self):
            raise IndexError(f"RaggedTensor: there is no row {place} of {len(self)}.")
        place %= len(self)
        return self.values[int(self._splits[place]) : int(self._splits[place + 1])]

    def to_list(self) -> list[Any]:
        """The values as nested lists; texts as bytes."""
        return [row.to_list() if isinstance(row, RaggedTensor) else row.numpy().tolist() for row in self]

    def numpy(self) -> np.ndarray:
        """An array of the rows, each an array; one of numbers where they have one length."""
        rows = [row.numpy() for row in self]
        if len({np.shape(row) for row in rows}) <= 1:
            return np.array(rows)
        made = np.empty(len(rows), object)
        made[:] = rows
        return made

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Any:
        """The rows, filled up to one length.

        Args:
            default_value: what they are filled with; by default 0, and for texts the empty one.
            name: not used.
            shape: the sizes, None for those of the longest; what is longer is cut.
        """
        rows = [host_array(row.to_tensor(default_value) if isinstance(row, RaggedTensor) else row) for row in self]
        flat = host_array(self.flat_values)
        texts = flat.dtype.kind in "OSU"
        ndim = max([row.ndim for row in rows], default=1)
        sizes = [len(rows), *(max((row.shape[i] for row in rows), default=0) for i in builtins.range(ndim))]
        given = list(shape) if shape is not None else []
        sizes = [n if i >= len(given) or given[i] is None else int(given[i]) for i, n in enumerate(sizes)]
        filling = ("" if texts else 0) if default_value is None else host_array(default_value)
        whole = np.full(sizes, filling, object if texts else flat.dtype)
        for target, row in zip(whole, rows, strict=False):
            kept = tuple(slice(min(n, m)) for n, m in zip(row.shape, target.shape, strict=False))
            target[kept] = row[kept]
        return tensor_or_texts(whole)

    # Arithmetic --------------------------------------------------------------------------------------

    def with_values(self, values: Any) -> RaggedTensor:
        """The same rows with other innermost values."""
        inner = self.values.with_values(values) if isinstance(self.values, RaggedTensor) else values
        return RaggedTensor(inner, self._splits)

    with_flat_values = with_values

    def with_rows(self, values: Any) -> RaggedTensor:
        """The same rows of other values."""
        return RaggedTensor(values, self._splits)

    def _arithmetic(self, function: Callable[..., Any], other: Any) -> RaggedTensor:
        if isinstance(other, RaggedTensor):
            if any(
                (a != b).any() if a.shape == b.shape else True
                for a, b in zip(_splits(self), _splits(other), strict=True)
            ):
                raise ShapeError("RaggedTensor: expected rows of the same lengths on both sides.")
            other = other.flat_values
        return self.with_values(function(self.flat_values, other))

    def __repr__(self) -> str:
        return f"<tf.RaggedTensor {self.to_list()}>"


def _splits(ragged: RaggedTensor) -> list[np.ndarray]:
    return [host_array(splits) for splits in ragged.nested_row_splits]


def _operator(name: str) -> Callable[..., Any]:
    function = getattr(operator, name)
    return lambda self, other: self._arithmetic(function, other)


def _reflected(name: str) -> Callable[..., Any]:
    function = getattr(operator, name)
    return lambda self, other: self._arithmetic(lambda a, b: function(b, a), other)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(RaggedTensor, f"__{_name}__", _operator(_name))
    setattr(RaggedTensor, f"__r{_name}__", _reflected(_name))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(RaggedTensor, f"__{_name}__", _operator(_name))
RaggedTensor.__hash__ = object.__hash__  # type: ignore[method-assign]


def of_rows(rows: list[Any], like: RaggedTensor | None = None) -> RaggedTensor:
    """Rows as a ragged tensor.

    Args:
        rows: tensors, arrays or ragged tensors.
        like: of no rows, what has the dtype.
    """
    lengths = [len(row) for row in rows]
    if any(isinstance(row, RaggedTensor) for row in rows):
        parts = [part for row in rows for part in row]
        return RaggedTensor.from_row_lengths(of_rows(parts), lengths)
    arrays = [host_array(row) for row in rows] or [
        host_array(like.flat_values if like is not None else np.zeros(0, "float32"))[:0]
    ]
    return RaggedTensor.from_row_lengths(np.concatenate(arrays), lengths)


# `tf.ragged` ---------------------------------------------------------------------------------------------


def constant(pylist: Any, dtype: Any = None, ragged_rank: int | None = None, **options: Any) -> Any:
    """A ragged tensor with values.

    Args:
        pylist: nested lists.
        dtype: the dtype.
        ragged_rank: how many axes may have different lengths; by default all behind the first.
        **options: not used.
    """
    nested = [item for item in pylist if isinstance(item, list | tuple | np.ndarray)]
    if len(nested) < len(pylist):
        raise ArgumentError("tf.ragged.constant: expected rows of lists, received numbers beside lists.")
    deeper = any(isinstance(item, list | tuple) for row in nested for item in row)
    lengths = [len(row) for row in nested]
    flat = [item for row in nested for item in row]
    if deeper and ragged_rank != 1:
        return RaggedTensor.from_row_lengths(
            constant(flat, dtype, None if ragged_rank is None else ragged_rank - 1), lengths
        )
    values = (
        np.array(flat, object)
        if any(isinstance(item, str | bytes) for item in flat)
        else host_array(tensor(flat or np.zeros(0, "float32"), dtype))
    )
    return RaggedTensor.from_row_lengths(values, lengths)


def stack(values: Any, axis: int = 0, name: str | None = None) -> RaggedTensor:
    """Tensors of different lengths as rows.

    Args:
        values: the tensors.
        axis: 0.
        name: not used.
    """
    return of_rows(list(values))


def map_flat_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> RaggedTensor:
    """What a function makes of the values, in the same rows.

    Args:
        op: gets the values in place of each ragged tensor.
        args: what it is called with.
        kwargs: the same by name.
    """
    ragged = next(arg for arg in (*args, *kwargs.values()) if isinstance(arg, RaggedTensor))
    flat = [arg.flat_values if isinstance(arg, RaggedTensor) else arg for arg in args]
    named = {key: arg.flat_values if isinstance(arg, RaggedTensor) else arg for key, arg in kwargs.items()}
    return ragged.with_values(op(*flat, **named))


def range(starts: Any, limits: Any = None, deltas: Any = 1, **options: Any) -> RaggedTensor:
    """Rows of numbers at the same distance.

    Args:
        starts: where each begins, or with one argument where it ends.
        limits: where each ends.
        deltas: the distance.
        **options: not used.
    """
    starts, limits = (0, starts) if limits is None else (starts, limits)
    ends = np.broadcast_arrays(host_array(starts), host_array(limits), host_array(deltas))
    return of_rows([np.arange(*three) for three in zip(*map(np.atleast_1d, ends), strict=True)])


def applied(name: str, args: Any, named: dict[str, Any]) -> Any:
    """What a function of tensors makes of rows of different lengths; None if it makes nothing of them.

    Args:
        name: its name.
        args: what it is called with.
        named: the same by name.
    """
    if name.removeprefix("reduce_") in _REDUCING:
        return reduced(name, *args, **named)
    if name in _OF_ROWS:
        return _OF_ROWS[name](*args, **named)
    function = tf_names.find(name)
    return None if function is None else map_flat_values(lambda *flat: as_eager(function(*flat, **named)), *args)


def _joined(values: Any, axis: int = 0) -> RaggedTensor:
    if axis == 0:
        return of_rows([row for value in values for row in value])
    return of_rows([np.concatenate([host_array(part) for part in parts]) for parts in zip(*values, strict=True)])


def _gathered(params: RaggedTensor, indices: Any, axis: int = 0) -> RaggedTensor:
    return of_rows([params[int(i)] for i in host_array(indices)], like=params)


_REDUCING = ("sum", "mean", "max", "min", "prod", "any", "all")
_OF_ROWS: dict[str, Callable[..., Any]] = {
    "concat": _joined,
    "stack": lambda values, axis=0: of_rows([of_rows(list(value)) for value in values]),
    "gather": _gathered,
    "boolean_mask": lambda tensor, mask: _gathered(tensor, np.flatnonzero(host_array(mask))),
    "rank": lambda input: tensor(len(input.shape)),
    "size": lambda input, out_type=None: tensor(host_array(input.flat_values).size),
    "expand_dims": lambda input, axis=-1: input.with_values(
        tensor_or_texts(np.expand_dims(host_array(input.flat_values), -1))
    ),
}


def reduced(name: str, ragged: RaggedTensor, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    """What `tf.reduce_sum` and its like make of the rows.

    Args:
        name: such as 'reduce_sum'.
        ragged: the rows.
        axis: 1 for each row, 0 for each place, None for all values.
        keepdims: whether the axis stays.
        **options: not used.
    """
    function = getattr(np, name.removeprefix("reduce_"))
    flat = host_array(ragged.flat_values)
    if axis is None:
        return tensor(np.asarray(function(flat)))
    if axis == 0:
        longest = int(np.diff(ragged._splits).max(initial=0))
        columns = [[host_array(row)[i] for row in ragged if len(row) > i] for i in np.arange(longest)]
        return as_eager(tensor(np.array([function(column, axis=0) for column in columns], flat.dtype)))
    made = np.array(
        [
            function(host_array(row), axis=0) if len(row) or name in ("reduce_sum", "reduce_prod") else 0
            for row in ragged
        ]
    )
    made = made.astype(flat.dtype) if flat.dtype.kind != "b" else made
    return tensor(made[:, None] if keepdims else made)
