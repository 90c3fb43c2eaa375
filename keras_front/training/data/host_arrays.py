"""What users have their numbers in, as arrays of the host: tensors of any engine, data frames, tables, files.

Nothing is recognised by the name of its library: a data frame has named columns, a file has chunks, a tensor says of
itself how it becomes an array (`__array__`, `__dlpack__`), or the backend of its engine is asked. What is larger than
memory is not read here but row by row later on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend import discovery, dtypes
from keras_front.errors import ArgumentError
from keras_front.graph.host_stage import HostRows

MAPPED = 1 << 26  # bytes from which on a memory map is read in parts; smaller ones are read at once
NUMBERS = "biufc"


def as_array(value: Any, what: str = "The data") -> np.ndarray:
    """Anything array-like as an array.

    Args:
        value: an array, number, nested list, tensor of any engine (on any device, with or without gradient), data
            frame, series, table, or an object with `__array__` or `__dlpack__`.
        what: what it is, for messages.

    Shape: as `value`; (rows, columns) for data frames and tables.
    Raises: ArgumentError for what NumPy cannot make an array of numbers of; it names the column of a data frame.
    """
    if isinstance(value, np.ndarray):
        return dtypes.plain_array(value)
    value = _made_dense(value)
    owner = discovery.owner(value)
    if owner is not None:
        return np.asarray(owner.to_numpy(value))
    array = _by_protocol(value)
    if array.dtype.kind in NUMBERS:
        return array
    if is_frame(value):
        columns = [_column(value[name], f"{what}: the column {name!r}") for name in column_names(value)]
        return np.stack(columns, axis=1)
    if array.ndim == 1 and (hasattr(value, "dtype") or hasattr(value, "type")):  # a series, or an array of Arrow
        return _column(value, what)
    if array.dtype == object:
        raise _no_numbers(value, what)
    return array


def _no_numbers(value: Any, what: str) -> ArgumentError:
    """The error for what NumPy makes no array of numbers of."""
    if callable(value):
        return ArgumentError(f"{what}: received the function {value!r}. If it is a generator call it: pass f(), not f.")
    if callable(getattr(value, "collect", None)):
        return ArgumentError(f"{what}: received a {type(value).__name__}, which is computed later: pass x.collect().")
    return ArgumentError(
        f"Failed to find data adapter that can handle input of {type(value)}: expected numbers in a rectangular "
        "array, received what NumPy cannot make one of. If these are sequences of different lengths, pad them "
        "first." + (" Batches in a list are passed as an iterator, iter(batches)." if isinstance(value, list) else "")
    )


def _by_protocol(value: Any) -> np.ndarray:
    """What NumPy or the engine of a tensor makes of it; an array of an object where they make nothing."""
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except ValueError:  # rows of different lengths
        return np.asarray(None, object)
    except Exception:  # a tensor that does not give itself to NumPy, as one on another device
        engine = discovery.engine_of(value)
        if engine is None:
            raise
        return np.asarray(engine.to_numpy(value))


def _made_dense(value: Any) -> Any:
    """A sparse tensor of torch, or one in the form of TensorFlow (places and values), as it is when dense."""
    if getattr(value, "is_sparse", False) and hasattr(value, "to_dense"):
        return value.to_dense()
    if not hasattr(value, "dense_shape") or not hasattr(value, "indices"):
        return value
    places, values = np.asarray(value.indices), np.asarray(value.values)
    dense = np.zeros([int(d) for d in value.dense_shape], values.dtype)
    dense[tuple(places.T)] = values
    return dense


# Data frames -----------------------------------------------------------------------------------------


def is_frame(value: Any) -> bool:
    """Whether `value` is a table with named columns, as those of pandas, Polars and Arrow are."""
    return hasattr(value, "__array__") and (hasattr(value, "column_names") or _has_columns(value))


def _has_columns(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "__getitem__") and len(getattr(value, "shape", ())) == 2


def column_names(frame: Any) -> list[Any]:
    """The names of the columns, in order.

    Args:
        frame: a table; see `is_frame`.
    """
    return list(frame.column_names if hasattr(frame, "column_names") else frame.columns)


def _column(column: Any, what: str) -> np.ndarray:
    """The numbers of a column, with NaN where there is none.

    Raises: ArgumentError for a column of anything else; it says what it holds and what to do.
    """
    array = np.asarray(column)
    items = array.tolist() if array.dtype == object else []
    if items and all(isinstance(item, int | float | np.number) or _is_missing(item) for item in items):
        array = np.array([np.nan if _is_missing(item) else item for item in items], "float64")
    elif items and not isinstance(items[0], str | bytes):
        array = _stacked(items)  # lists of one length, as embeddings are stored
    if array.dtype.kind in NUMBERS:
        return array
    first = next((item for item in items if not _is_missing(item)), array.flat[0] if array.size else None)
    raise ArgumentError(
        f"{what} has dtype {getattr(column, 'dtype', array.dtype)}, as in {first!r:.40}; expected numbers. Leave it "
        "out, make numbers of it (codes of categories, one-hot columns, seconds), or give texts to an input of dtype "
        "'string' before a StringLookup layer."
    )


def _stacked(items: list[Any]) -> np.ndarray:
    try:
        return np.array(items)
    except ValueError:
        return np.asarray(None, object)


def _is_missing(item: Any) -> bool:
    """Whether an item stands for no value: None, NaN, or the like, which are not equal to themselves."""
    if item is None:
        return True
    try:
        return bool(item != item)
    except TypeError:  # a mark for missing values that is neither true nor false
        return True
    except ValueError:  # an array
        return False


def columns_by_name(value: Any, names: Sequence[str]) -> dict[str, Any] | None:
    """The columns of a data frame whose names are those of inputs or outputs; None if it is none or lacks some.

    Args:
        value: what the user passed.
        names: of inputs or outputs.
    """
    if isinstance(value, np.ndarray) or not is_frame(value) or not set(names) <= set(column_names(value)):
        return None
    return {name: value[name] for name in names}


# What is read in parts -------------------------------------------------------------------------------


class SparseRows:
    """A sparse matrix of SciPy whose rows become dense when they are read.

    Args:
        matrix: a matrix whose rows can be chosen.
    """

    def __init__(self, matrix: Any):
        self.matrix, self.shape = matrix, tuple(matrix.shape)

    def __getitem__(self, rows: Any) -> SparseRows:
        return SparseRows(self.matrix[rows])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.matrix.toarray(), dtype)


class RowRange:
    """Some rows of an array that is read in parts; none is read before it is asked for.

    Args:
        array: the array.
        start: the first row.
        stop: the row behind the last one.
    """

    def __init__(self, array: Any, start: int, stop: int):
        self.array, self.start = array, start
        self.shape = (stop - start, *array.shape[1:])

    def part(self, start: int, stop: int) -> RowRange:
        """Some of these rows.

        Args:
            start: the first row.
            stop: the row behind the last one.
        """
        return RowRange(self.array, self.start + start, self.start + min(stop, self.shape[0]))

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(self.shape[0])
            block = self.array[self.start + start : self.start + stop]
            return np.array(block) if isinstance(block, np.memmap) else np.asarray(block)  # read it now, not when used
        return np.asarray(self.array[rows + self.start])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


def is_lazy(value: Any) -> bool:
    """Whether `value` is read in parts, as a data set in a file is: it has a shape and chunks, but is no array.

    Args:
        value: what the user passed.
    """
    kind = type(value)
    if kind is np.ndarray:
        return False
    if isinstance(value, np.memmap):
        return value.nbytes >= MAPPED
    if kind in (SparseRows, HostRows, RowRange) or kind.__name__ == "HDF5Matrix":
        return True
    return all(hasattr(value, name) for name in ("shape", "dtype", "chunks", "__getitem__"))


def in_parts(value: Any) -> Any:
    """What is read in parts, as an object that is no array.

    Args:
        value: see `is_lazy`.
    """
    return RowRange(value, 0, len(value)) if isinstance(value, np.memmap) else value


def row_slice(array: Any, start: int, stop: int) -> Any:
    """Consecutive rows of an array; nothing is read of one that is read in parts.

    Args:
        array: the array.
        start: the first row.
        stop: the row behind the last one.
    """
    if isinstance(array, np.ndarray | SparseRows | HostRows) or not is_lazy(array):
        return array[start:stop]
    return array.part(start, stop) if isinstance(array, RowRange) else RowRange(array, start, min(stop, len(array)))


def read_block(array: Any, rows: np.ndarray) -> np.ndarray:
    """Rows of an array that is read in parts, in their order. They are read in rising order, as files want it.

    Args:
        array: see `is_lazy`.
        rows: their numbers, none of them twice.
    """
    order = np.argsort(rows, kind="stable")
    if len(rows) and int(rows[order[-1]]) - int(rows[order[0]]) == len(rows) - 1:
        start = int(rows[order[0]])
        block = np.asarray(array[start : start + len(rows)])
    else:
        block = np.asarray(array[rows[order]])
    return block if (order[1:] > order[:-1]).all() else block[np.argsort(order, kind="stable")]
