"""Files of safetensors: weights by name, read without that package, and written by it.

    8 bytes      length of the header, the lowest byte first
    the header   JSON: for each name 'dtype', 'shape' and 'data_offsets', begin and end among the numbers
    the numbers  one array behind the other, without gaps

Source: the page on the format in the project safetensors, https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from keras_front.backend import dtypes
from keras_front.errors import MissingPackageError, SerializationError

from . import atomic, failures, guard

__all__ = ["Tensor", "read", "tensors", "write"]

# NumPy has no bfloat16: it is read as float32.
DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "F32": "float32", "F64": "float64", "BF16": "bfloat16",
}  # fmt: skip
LENGTH = 8  # bytes that say how long the header is
FURTHER = "__metadata__"  # texts beside the arrays


class Tensor(NamedTuple):
    """An array as the header describes it.

    Attributes:
        dtype: name of its type, as NumPy calls it, or 'bfloat16'.
        shape: its shape.
        begin: where it begins in the file.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int

    @property
    def bytes(self) -> int:
        """How many bytes it takes."""
        return math.prod(self.shape) * dtypes.item_bytes(self.dtype)


def tensors(path: Any) -> dict[str, Tensor]:
    """What a file says of its arrays, once it is found that they are there and do not overlap.

    Args:
        path: the file.

    Raises: UnreadableFileError for a file of another kind, or whose header is wrong.
    """
    where = os.fspath(path)
    with failures.reading(where, "a header of safetensors", guard.UnreadableFileError), open(path, "rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(LENGTH))
        size = os.path.getsize(path)
        if length > min(guard.CONFIG_BYTES, size - LENGTH):
            raise guard.UnreadableFileError(f"{where}: expected a header in {size} bytes, received one of {length}.")
        text = guard.text_of(stream.read(length), where)
        guard.parsed(text, where)
        header = json.loads(text, object_pairs_hook=_without_twins)
        found = {name: _tensor(name, entry, LENGTH + length) for name, entry in header.items() if name != FURTHER}
        _check_places(found, LENGTH + length, size)
    return found


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SerializationError("expected each name once, received one twice.")
    return found


def _tensor(name: str, entry: Mapping[str, Any], start: int) -> Tensor:
    dtype, shape, (begin, end) = DTYPES.get(entry["dtype"]), tuple(entry["shape"]), entry["data_offsets"]
    if dtype is None or not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise SerializationError(f"{name!r:.80}: expected a type of numbers and sizes, received {entry!r:.200}.")
    found = Tensor(dtype, shape, start + begin)
    if found.bytes != end - begin:
        raise SerializationError(f"{name!r:.80}: expected {found.bytes} bytes, received {end - begin}.")
    return found


def _check_places(found: Mapping[str, Tensor], start: int, size: int) -> None:
    for name, tensor in sorted(found.items(), key=lambda item: (item[1].begin, item[1].bytes)):
        if tensor.begin != start:
            raise SerializationError(f"{name!r:.80}: expected it at {start}, without a gap, not {tensor.begin}.")
        start += tensor.bytes
    if start != size:
        raise SerializationError(f"expected a file of {start} bytes, received one of {size}.")


def read(path: Any) -> dict[str, np.ndarray]:
    """The arrays of a file by name.

    Args:
        path: the file.

    Raises: UnreadableFileError for a file of another kind, or whose header is wrong.
    """
    return dict(_arrays(path, tensors(path)))


def _arrays(path: Any, found: Mapping[str, Tensor]) -> Iterator[tuple[str, np.ndarray]]:
    with open(path, "rb") as stream:
        for name, tensor in found.items():
            stream.seek(tensor.begin)
            data = bytearray(stream.read(tensor.bytes))
            if tensor.dtype == "bfloat16":
                values = dtypes.from_bfloat16(np.frombuffer(data, "<u2"))
            else:
                values = np.frombuffer(data, np.dtype(tensor.dtype).newbyteorder("<"))
            yield name, values.reshape(tensor.shape)


def write(path: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name.

    Args:
        path: the file.
        arrays: arrays of numbers by name.

    Raises: MissingPackageError without the package safetensors.
    """
    try:
        package: Any = import_module("safetensors.numpy")
    except ImportError:
        raise MissingPackageError.of("Files of safetensors", "safetensors", "safetensors") from None
    state = {name: np.ascontiguousarray(a) if a.ndim else a for name, a in arrays.items()}
    with atomic.replacing(path) as temporary:
        package.save_file(state, temporary)
