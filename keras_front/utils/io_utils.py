"""HDF5 files as arrays and as dictionaries, and the question before a file is replaced.

h5py is imported when a file is opened, not before. What is read are numbers and texts: pickles in a dictionary are read
as those of data sets are, without running anything.
Source: Keras 2.3.1, `keras/utils/io_utils.py`; 1.2.2 for `save_array` and `load_array`.
"""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TypeVar

import numpy as np

from keras_front.compatibility import checked_constructor
from keras_front.errors import (
    ArgumentError,
    DtypeError,
    SerializationError,
    StateError,
    UnreadableFileError,
    UnsafeFileError,
    WrongKindError,
)
from keras_front.utils.messages import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
    print_msg,
)

__all__ = [
    "H5Dict",
    "HDF5Matrix",
    "ask_to_proceed_with_overwrite",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "h5dict",
    "is_interactive_logging_enabled",
    "load_array",
    "load_from_binary_h5py",
    "path_to_string",
    "print_msg",
    "save_array",
    "save_to_binary_h5py",
]

HDF5_OBJECT_HEADER_LIMIT = 64512  # bytes of one attribute
T = TypeVar("T")


def path_to_string(path: Any) -> Any:
    """A path as text; anything else is itself.

    Args:
        path: a path, a text, or an open file.
    """
    return os.fspath(path) if isinstance(path, os.PathLike) else path


def ask_to_proceed_with_overwrite(filepath: str | os.PathLike[str]) -> bool:
    """Ask at the terminal whether a file may be replaced; the answer.

    Args:
        filepath: the file.
    """
    answer = input(f"[WARNING] {os.fspath(filepath)} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    if answer == "y":
        print("[TIP] Next time specify overwrite=True!")
    return answer == "y"


class HDF5Matrix:
    """A data set in an HDF5 file, read part by part in the place of an array: `fit`, `evaluate` and `predict` take it.

    Shuffle with `fit(..., shuffle="batch")`: rows that lie together are read at once.

    Args:
        datapath: the file.
        dataset: name of the data set in it.
        start: the first row.
        end: the row after the last one; None for all.
        normalizer: called on what was read; it may change the shape of a row, but not the number of rows.

    Raises: ArgumentError if there is no such data set; UnsafeFileError if its values lie in another file.

    Example:
        >>> import tempfile
        >>> import h5py
        >>> path = tempfile.mkdtemp() + "/data.h5"
        >>> with h5py.File(path, "w") as file:
        ...     file["x"] = np.arange(12.0).reshape(6, 2)
        >>> HDF5Matrix(path, "x", start=2).shape
        (4, 2)
    """

    @checked_constructor
    def __init__(
        self,
        datapath: str | os.PathLike[str],
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[np.ndarray], Any] | None = None,
    ):
        if not isinstance(datapath, str | bytes | os.PathLike):
            raise WrongKindError(f"HDF5Matrix: expected the name of a file, received {datapath!r:.60}.")
        self._place = os.fspath(datapath), dataset
        self._data: Any = None
        self.start, self.end = start, len(self.data) if end is None else end
        self.normalizer = normalizer
        first = self._normalized(self.data[0:1])
        self._base_shape, self._base_dtype = first.shape[1:], first.dtype

    @property
    def data(self) -> Any:
        """The data set, a `h5py.Dataset`; the file is opened when it is first asked for, in each process."""
        if self._data is None:
            self._data = _dataset(*self._place)
        return self._data

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_data": None}

    def _normalized(self, rows: Any) -> np.ndarray:
        return np.asarray(rows if self.normalizer is None else self.normalizer(rows))

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> np.ndarray:
        """Rows by number, slice, or a sequence of numbers, from the start that was given.

        Raises: IndexError for rows that are not there; DtypeError (a TypeError) for what names no rows.
        """
        if isinstance(key, slice):
            first, stop, step = self._inside(key)
            return self._normalized(self.data[first:stop:step])
        if isinstance(key, int | np.integer):
            return self._normalized(self.data[self._row(int(key))])
        try:
            rows = np.asarray(list(key))
        except TypeError:
            raise DtypeError(f"HDF5Matrix: expected numbers of rows or a slice, received {key!r}.") from None
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return self._rows([self._row(int(row)) for row in rows])

    def _inside(self, key: slice) -> tuple[int, int, int | None]:
        first, stop = (0 if key.start is None else key.start), (len(self) if key.stop is None else key.stop)
        first, stop = (n + len(self) if n < 0 else n for n in (first, stop))
        if stop > len(self) or first < 0:
            raise IndexError(f"HDF5Matrix: expected rows from 0 to {len(self)}, received {key}.")
        return first + self.start, stop + self.start, key.step

    def _row(self, row: int) -> int:
        if not -len(self) <= row < len(self):
            raise IndexError(f"HDF5Matrix: expected a row below {len(self)}, received {row}.")
        return self.start + row % len(self)

    def _rows(self, rows: list[int]) -> np.ndarray:
        """Rows in any order; a file gives them in rising order, each once."""
        rising, order = np.unique(np.asarray(rows, int), return_inverse=True)
        if not len(rising):
            return self._normalized(self.data[0:0])
        return self._normalized(self.data[rising.tolist()][order.reshape(-1)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, as that of an array."""
        return (len(self), *self._base_shape)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of what is read."""
        return self._base_dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


def check_regular(where: str, path: str | bytes | os.PathLike[Any]) -> None:
    """Raise unless a path that exists is that of a file: a pipe would be waited for, a device read without end.

    Args:
        where: what reads it, for the message.
        path: the path.

    Raises: UnreadableFileError, an OSError.
    """
    try:
        odd = os.path.exists(path) and not os.path.isfile(path)
    except UnicodeEncodeError:  # half a character
        odd = True
    if odd:
        raise UnreadableFileError(f"{where}: expected a file, {path!r:.200} is a folder, a pipe or a device.")


def _dataset(path: str, name: str) -> Any:
    import h5py

    check_regular("HDF5Matrix", path)
    file = h5py.File(path, "r")
    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        raise ArgumentError(f"HDF5Matrix: expected one of the data sets {list(file)} of {path}, received {name!r}.")
    if found.external or found.is_virtual or found.file.filename != file.filename:
        raise UnsafeFileError(f"HDF5Matrix: the values of {name!r} lie in another file than {path}.")
    return found


# HDF5 as a dictionary -----------------------------------------------------------------------------------------


class H5Dict:
    """A group of an HDF5 file, or a dictionary, with one manner of writing: `d["name"] = array`.

    Arrays become data sets; numbers, texts and lists of texts become attributes; `d["other"]` of a name that is not
    there is a new group. A dictionary holds pickles of arrays in their place.

    Args:
        path: a file, a `h5py.Group`, or a dictionary.
        mode: 'a' to go on, 'r' to read only, 'w' to begin anew.

    Raises: TypeError for anything else as `path`.
    """

    def __init__(self, path: Any, mode: str = "a"):
        import h5py

        self.read_only, self._is_file = mode == "r", isinstance(path, str | os.PathLike)
        if not self.is_supported_type(path):
            raise DtypeError(f"H5Dict: expected a file, a group or a dict, received {type(path).__name__}.")
        self.data: Any = h5py.File(path, mode) if self._is_file else path
        if self._in_memory:
            if mode == "w":
                self.data.clear()
            self.data["_is_group"] = True  # tells it from a dict that is a value

    @staticmethod
    def is_supported_type(path: Any) -> bool:
        """Whether `path` can be made an `H5Dict`.

        Args:
            path: anything.
        """
        import h5py

        return isinstance(path, h5py.Group | dict | str | os.PathLike)

    @property
    def _in_memory(self) -> bool:
        return isinstance(self.data, dict)

    def __setitem__(self, attr: str | bytes, val: Any) -> None:
        if self.read_only:
            raise ArgumentError("Cannot set item in read-only mode.")
        attr = _text(attr)
        if self._in_memory:
            _remember(self.data, attr, val)
        elif attr in self.data:
            raise KeyError(f'Cannot set attribute. Group with name "{attr}" exists.')
        elif isinstance(val, np.ndarray | np.generic):
            self.data.create_dataset(attr, data=val)
        elif isinstance(val, list | tuple):
            _write_list(self.data.attrs, attr, list(val))
        else:
            self.data.attrs[attr] = val

    def __getitem__(self, attr: str | bytes) -> Any:
        import h5py

        attr = _text(attr)
        if self._in_memory:
            return self._from_memory(attr)
        if attr in self.data.attrs:
            value = self.data.attrs[attr]
            return value.tolist() if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "S" else value
        if attr in self.data:
            found = self.data[attr]
            return np.asarray(found) if isinstance(found, h5py.Dataset) else self._below(found)
        if f"{attr}0" in self.data.attrs:
            return _read_list(self.data.attrs, attr)
        self._check_writable()
        return H5Dict(self.data.create_group(attr))

    def _from_memory(self, attr: str) -> Any:
        if attr not in self.data:
            self._check_writable()
            self.data[attr] = {}
            return H5Dict(self.data[attr])
        value = self.data[attr]
        if isinstance(value, dict) and value.get("_is_group"):
            return self._below(value)
        if f"_{attr}_pickled" in self.data:
            from keras_front.utils.pickles import load_pickle

            return load_pickle(value, attr)
        return value

    def _below(self, group: Any) -> H5Dict:
        below = H5Dict(group)
        below.read_only = self.read_only
        return below

    def _check_writable(self) -> None:
        if self.read_only:
            raise ArgumentError("Cannot create group in read-only mode.")

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def iter(self) -> Iterator[str]:
        """The names of data sets and groups."""
        return iter(self.data)

    def __getattr__(self, attr: str) -> Any:
        """Methods of the group or dictionary; a group that they return is an `H5Dict`."""
        if attr == "data":
            raise AttributeError(attr)
        found = getattr(self.data, attr)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            out = found(*args, **kwargs)
            return H5Dict(out) if isinstance(self.data, type(out)) else out

        return call

    def close(self) -> None:
        """Write what is to be written, and close the file if this object opened it."""
        if not self._in_memory:
            self.data.file.flush()
            if self._is_file:
                self.data.close()

    def update(self, *args: Any) -> None:
        """Update a dictionary; a file cannot be updated at once.

        Args:
            *args: as for `dict.update`.

        Raises: NotImplementedError for a file.
        """
        if not self._in_memory:
            raise NotImplementedError("H5Dict.update: expected a dictionary in memory; assign the items one by one.")
        self.data.update(*args)

    def __contains__(self, key: str) -> bool:
        return key in self.data or (not self._in_memory and key in self.data.attrs)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name.

        Args:
            key: the name.
            default: what is returned if it is not there.
        """
        return self[key] if key in self else default

    def __enter__(self) -> H5Dict:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()


h5dict = H5Dict


def _text(name: str | bytes) -> str:
    return name.decode("utf-8") if isinstance(name, bytes) else name


def _remember(data: dict[str, Any], attr: str, value: Any) -> None:
    if isinstance(value, np.ndarray | np.generic):
        data[attr], data[f"_{attr}_pickled"] = pickle.dumps(value), True
    else:
        data[attr] = value


def _write_list(attrs: MutableMapping[str, Any], attr: str, values: list[Any]) -> None:
    """Write a list as an attribute, or where it is too large for one as `name0`, `name1`, ..."""
    encoded = [value.encode("utf-8") if isinstance(value, str) else value for value in values]
    if any(isinstance(value, bytes) and len(value) > HDF5_OBJECT_HEADER_LIMIT for value in encoded):
        raise SerializationError(
            f"{attr}: expected texts of at most {HDF5_OBJECT_HEADER_LIMIT} bytes, as an attribute of HDF5 may have."
        )
    array = np.asarray(encoded)
    count = 1
    while any(part.nbytes > HDF5_OBJECT_HEADER_LIMIT for part in np.array_split(array, count)):
        count += 1
    if count == 1:
        attrs[attr] = array if encoded else np.zeros(0)
        return
    for number, part in enumerate(np.array_split(array, count)):
        attrs[f"{attr}{number}"] = part


def _read_list(attrs: MutableMapping[str, Any], attr: str) -> list[Any]:
    values: list[Any] = []
    number = 0
    while f"{attr}{number}" in attrs:
        values += [value.decode("utf8") if isinstance(value, bytes) else value for value in attrs[f"{attr}{number}"]]
        number += 1
    return values


def load_from_binary_h5py(load_function: Callable[[Any], T], stream: Any) -> T:
    """What a function returns for the HDF5 file that a stream holds.

    Args:
        load_function: called with a `h5py.File`.
        stream: object whose `read` gives the bytes of the file.
    """
    import io

    import h5py

    with h5py.File(io.BytesIO(stream.read()), "r") as file:
        return load_function(file)


def save_to_binary_h5py(save_function: Callable[[Any], T], stream: Any) -> T:
    """Write an HDF5 file, made in memory, into a stream; what the function returns.

    Args:
        save_function: called with a `h5py.File`, into which it writes.
        stream: object whose `write` takes the bytes of the file.
    """
    import h5py

    with h5py.File("in-memory-h5py", "w", driver="core", backing_store=False) as file:
        result = save_function(file)
        file.flush()
        stream.write(file.id.get_file_image())
    return result


def save_array(array: Any, name: str | os.PathLike[str]) -> None:
    """Write an array into an HDF5 file of its own, as Keras 1 did with PyTables.

    Args:
        array: the array.
        name: the file.
    """
    import h5py

    with h5py.File(name, "w") as file:
        file.create_dataset("data", data=np.asarray(array))


def load_array(name: str | os.PathLike[str]) -> np.ndarray:
    """The array that `save_array` wrote, here or in Keras 1.

    Args:
        name: the file.

    Raises: StateError if there is no such array in it.
    """
    import h5py

    with h5py.File(name, "r") as file:
        if not isinstance(file.get("data"), h5py.Dataset):
            raise StateError(f"load_array: expected a data set 'data' in {os.fspath(name)}, received {list(file)}.")
        return file["data"][()]
