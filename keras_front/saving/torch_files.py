"""Files of weights by `torch.save`, read and written without PyTorch.

    <name>/data.pkl       a pickle: a dictionary of tensors, each a view of a storage
    <name>/data/<key>     the numbers of a storage
    <name>/byteorder      'little' or 'big'
    <name>/version        '3'

What is read is what `torch.load(weights_only=True)` reads: dictionaries, lists, texts, numbers and tensors. Nothing
that the pickle names is looked up. Source: torch 2.13, `torch/serialization.py` and `torch/_weights_only_unpickler.py`.
"""

from __future__ import annotations

import math
import os
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_front.backend import dtypes
from keras_front.errors import SerializationError, UnsafeFileError
from keras_front.utils.pickles import Call, Dictionary, StandIn, load_pickle

from . import atomic, failures, guard

__all__ = ["is_torch_archive", "read", "write"]

# The classes of storages, and NumPy's type of their numbers. NumPy has no bfloat16: it is read as float32.
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool",
}  # fmt: skip
SHARED = 64  # layers that may share one weight, each of which the file names
WRITTEN = {dtype: name for name, dtype in STORAGES.items()}


class _OrderedDict(Call):
    __slots__ = ()

    def __call__(self) -> Any:  # type: ignore[override]
        return Dictionary()


class _Storage:
    """Numbers of a file, from which tensors are cut."""

    __slots__ = ("dtype", "numbers", "size", "taken", "views")

    def __init__(self, dtype: str, size: int, numbers: np.ndarray | None):
        self.dtype, self.size, self.numbers = dtype, size, numbers
        self.views: dict[Any, StandIn] = {}
        self.taken = 0

    def view(self, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> StandIn:
        """A tensor; weights that layers share are one array."""
        self.taken += math.prod(size)
        if self.taken > SHARED * self.size + guard.MEGABYTE:
            raise UnsafeFileError(f"expected tensors of its {self.size} numbers, received many more of the same.")
        key = (offset, size, stride)
        if key not in self.views:
            self.views[key] = StandIn(self._cut(*key))
        return self.views[key]

    def _cut(self, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
        if self.numbers is None:
            return np.broadcast_to(np.zeros((), dtypes.on_host(self.dtype)), size)
        held = self.numbers[offset:]
        view = np.lib.stride_tricks.as_strided(held, size, [step * held.itemsize for step in stride])
        return np.array(view, order="C")


class _Rebuild(Call):
    """`_rebuild_tensor_v2(storage, offset, size, stride, ...)`."""

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, size: Any, stride: Any, *further: Any) -> StandIn:
        whole = (offset, *size, *stride)
        if not isinstance(storage, _Storage) or not all(type(n) is int and n >= 0 for n in whole):
            raise UnsafeFileError("expected a tensor of a storage, with sizes and strides.")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if math.prod(size) and (last >= storage.size or math.prod(size) > storage.size):
            raise UnsafeFileError(f"expected a tensor within its {storage.size} numbers, received {size} of {stride}.")
        return storage.view(offset, tuple(size), tuple(stride))


class _RebuildParameter(Call):
    __slots__ = ()

    def __call__(self, data: Any, *further: Any) -> Any:
        return data


NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _OrderedDict(),
    ("torch._utils", "_rebuild_tensor_v2"): _Rebuild(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}


def is_torch_archive(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive is one of `torch.save`, which holds a pickle of this name.

    Args:
        archive: an open zip archive.
    """
    return _folder(archive) is not None


def _folder(archive: zipfile.ZipFile) -> str | None:
    found = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
    return found[0].partition("/")[0] if len(found) == 1 else None


def read(path: Any, values: bool = True) -> dict[str, np.ndarray]:
    """The tensors of a file by name.

    Args:
        path: the file.
        values: whether the numbers are wanted; without them the arrays have types and shapes, and cost no memory.

    Returns: the dictionary of tensors in the file: the whole, or what it calls 'state_dict' or 'model'.
    Raises: SerializationError for another file; UnsafeFileError for one that names other things than tensors.
    """
    guard.check_there(path)
    where = os.fspath(path)
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        raise guard.UnreadableFileError(
            f"{where}: expected a zip archive as torch.save writes since version 1.6, received something else."
        ) from None
    with archive, failures.reading(where, "weights of PyTorch", guard.UnreadableFileError):
        guard.check_archive(archive, where)
        return _tensors(_loaded(archive, where, values), where)


def _loaded(archive: zipfile.ZipFile, where: str, values: bool) -> Any:
    folder = _folder(archive)
    if folder is None:
        raise SerializationError(f"{where}: expected the file 'data.pkl' of torch.save in the archive, found none.")
    order = f"{folder}/byteorder"
    if order in archive.namelist() and guard.member(archive, order, where, 16) != b"little":
        raise SerializationError(f"{where}: expected numbers with the lowest byte first, received others.")
    storages: dict[str, _Storage] = {}

    def storage(pid: Any) -> _Storage:
        _, dtype, key, _, size = pid
        if not isinstance(dtype, str) or not isinstance(key, str) or type(size) is not int:
            raise UnsafeFileError(f"expected a storage of numbers, received {pid!r:.80}.")
        if key not in storages:
            storages[key] = _storage(archive, f"{folder}/data/{key}", where, dtype, size, values)
        return storages[key]

    pickle = guard.member(archive, f"{folder}/data.pkl", where, guard.CONFIG_BYTES)
    return load_pickle(pickle, f"{where}, data.pkl", NAMES, storage)


def _storage(archive: zipfile.ZipFile, name: str, where: str, dtype: str, size: int, values: bool) -> _Storage:
    width = dtypes.item_bytes(dtype)
    info = archive.NameToInfo.get(name)
    if info is None or info.file_size != width * size:
        raise SerializationError(
            f"{where}: expected {width * size} bytes in {name!r}, found {info and info.file_size}."
        )
    if not values:
        return _Storage(dtype, size, None)
    data = bytearray(guard.member(archive, name, where))
    if dtype == "bfloat16":
        return _Storage(dtype, size, dtypes.from_bfloat16(np.frombuffer(data, "<u2")))
    return _Storage(dtype, size, np.frombuffer(data, np.dtype(dtype).newbyteorder("<")))


def _tensors(loaded: Any, where: str) -> dict[str, np.ndarray]:
    """The dictionary of tensors: the whole, or a part that checkpoints commonly name so."""
    if isinstance(loaded, Mapping):
        for candidate in (loaded, *(loaded.get(key) for key in ("state_dict", "model", "model_state_dict"))):
            if isinstance(candidate, Mapping):
                found = {str(k): v for k, v in candidate.items() if isinstance(v, np.ndarray)}
                if found:
                    return found
    raise SerializationError(f"{where}: expected a dictionary of tensors, received {type(loaded).__name__}.")


# Writing ---------------------------------------------------------------------------------------------


def write(path: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Write tensors by name, as `torch.save` writes a dictionary of them.

    Args:
        path: the file.
        arrays: arrays of numbers by name.

    Raises: SerializationError for an array of a type that PyTorch does not have.
    """
    wrong = [f"{name} ({array.dtype})" for name, array in arrays.items() if array.dtype.name not in WRITTEN]
    if wrong:
        raise SerializationError(f"{os.fspath(path)}: expected arrays of numbers, received {', '.join(wrong)}.")
    with atomic.replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr("archive/data.pkl", b"".join(_pickle(arrays)))
        archive.writestr("archive/byteorder", "little")
        for key, array in enumerate(arrays.values()):
            data = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            archive.writestr(f"archive/data/{key}", data.tobytes())
        archive.writestr("archive/version", "3\n")


def _pickle(arrays: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    """A pickle of protocol 2, written opcode by opcode, for what it names is not installed here."""
    yield b"\x80\x02}("
    for key, (name, array) in enumerate(arrays.items()):
        strides = [step // array.itemsize for step in np.empty(array.shape, array.dtype).strides]
        yield _text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(("
        yield _text("storage") + f"ctorch\n{WRITTEN[array.dtype.name]}\n".encode() + _text(str(key)) + _text("cpu")
        yield _integer(array.size) + b"tQ" + _integer(0) + _tuple(array.shape) + _tuple(strides)
        yield b"\x89ccollections\nOrderedDict\n)RtR"
    yield b"u."


def _text(value: str) -> bytes:
    data = value.encode("utf-8")
    return b"X" + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def _tuple(values: Any) -> bytes:
    return b"(" + b"".join(map(_integer, values)) + b"t"
