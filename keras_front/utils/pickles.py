"""Pickles and `.npz` files of data sets, read without running anything that they name.

A pickle is a program: it may call any function that it names. Data sets of the time are pickles all the same (CIFAR,
the texts of IMDB and Reuters, all of Keras 1). So nothing that a pickle names is looked up. It is checked opcode by
opcode first, which also keeps it from asking for memory that its own size does not explain; and the few names that
arrays need stand for objects of this module, which keep what the file says, check it, and make the arrays.
"""

from __future__ import annotations

import contextlib
import io
import lzma
import math
import os
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Literal

import numpy as np

from keras_front.errors import KerasFrontError, SerializationError, UnreadableFileError, UnsafeFileError
from keras_front.utils.unpacking import most_unpacked

__all__ = ["StandIn", "load_npz", "load_pickle"]

_DEEPEST = 50  # lists in lists; data sets have three or four levels
_LARGEST_MEMBER = 2**32  # bytes of one array in an .npz file, unpacked: far above every data set that is read here
_REPEATED = 1_000_000  # values beyond the bytes of a pickle that may come of naming a list more than once


# Which opcodes there are ------------------------------------------------------------------------------------

# Opcodes of a fixed size, without those that make instances of classes: runs of them are skipped at once.
_PLAIN = re.compile(
    rb"(?:[(012N\x88\x89\]ael}dsutQ)\x85\x86\x87Rb\x93\x94]|[Khq\x80].|M..|[Jj].{4}|[G\x95].{8})++", re.DOTALL
)
# Opcodes followed by a length and so many bytes: how the length is written.
_COUNTED = {
    **dict.fromkeys(b"U\x8cC\x8a", "<B"),
    **dict.fromkeys(b"TXB\x8b", "<I"),
    **dict.fromkeys(b"\x8d\x8e\x96", "<Q"),
}
# Opcodes followed by lines of text.
_LINES = {**dict.fromkeys(b"ILFSVpg", 1), ord("c"): 2}
_STOP, _LONG_BINPUT, _PUT = b".rp"


def _check_opcodes(data: bytes, where: str) -> None:
    """Raise UnsafeFileError for an opcode that data do not need, or for sizes that the file cannot hold."""
    at, end = 0, len(data)
    while at < end:
        run = _PLAIN.match(data, at)
        if run is not None:
            at = run.end()
            continue
        code = data[at]
        if code == _STOP:
            return
        at = _after(data, at, code, where)
    raise SerializationError(f"{where}: the pickle ends too early; the file is incomplete.")


def _after(data: bytes, at: int, code: int, where: str) -> int:
    """The place behind an opcode with arguments."""
    if code == _LONG_BINPUT and at + 5 <= len(data):
        _check_memo(struct.unpack_from("<I", data, at + 1)[0], data, where)
        return at + 5
    if code in _COUNTED:
        form = _COUNTED[code]
        start = at + 1 + struct.calcsize(form)
        length = struct.unpack_from(form, data, at + 1)[0] if start <= len(data) else len(data)
        if start + length <= len(data):
            return start + length
    elif code in _LINES:
        first = stop = at + 1
        for _ in range(_LINES[code]):
            stop = data.find(b"\n", stop) + 1 or len(data) + 1
        if code == _PUT and data[first:stop].strip().isdigit():
            _check_memo(int(data[first : min(stop, first + 20)]), data, where)
        if stop <= len(data):
            return stop
    else:
        raise UnsafeFileError(
            f"{where}: expected a pickle of arrays, lists, texts and numbers, received opcode {bytes([code])!r}."
        )
    raise SerializationError(f"{where}: the pickle ends too early; the file is incomplete.")


def _check_memo(index: int, data: bytes, where: str) -> None:
    """The unpickler takes memory for all numbers up to the one under which something is kept."""
    if index > len(data):
        raise UnsafeFileError(f"{where}: a pickle of {len(data)} bytes numbers its parts up to {index}.")


# What stands for the names that arrays need -----------------------------------------------------------------


class _Dtype:
    """The dtype of an array in a pickle."""

    __slots__ = ("value",)
    _SIMPLE = re.compile(r"b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|O[48]?|[SU]\d{1,4}|[?bBhHiIlLqQefdgFDO]")

    def __init__(self, code: Any):
        code = code.decode("latin-1") if isinstance(code, bytes) else code
        if not (isinstance(code, str) and self._SIMPLE.fullmatch(code)):
            raise UnsafeFileError(f"expected the dtype of numbers, texts or objects, received {code!r:.80}.")
        self.value = np.dtype("O" if code.startswith("O") else code)

    def __setstate__(self, state: Any) -> None:
        """Take the byte order; a dtype with fields is no dtype of a data set."""
        _version, order, *further = state
        if any(part is not None for part in further[:3]):
            raise UnsafeFileError("expected the dtype of numbers, texts or objects, received one with fields.")
        if order in (">", b">"):
            self.value = self.value.newbyteorder(">")


class _Array:
    """An array in a pickle; `value` is the array itself once its state has come."""

    __slots__ = ("value",)

    def __setstate__(self, state: Any) -> None:
        shape, dtype, fortran, data = state[-4:]
        self.value = _array(shape, dtype, "F" if fortran else "C", data)


def _array(shape: Any, dtype: Any, order: Literal["C", "F"], data: Any) -> np.ndarray:
    """The array of these bytes or objects, of which there must be as many as its shape says."""
    if not (isinstance(dtype, _Dtype) and isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise UnsafeFileError("expected an array with a shape and a dtype.")
    size, kind = math.prod(shape), dtype.value
    if kind.kind == "O":
        flat = np.empty(len(data) if isinstance(data, list) else -1, object)
        for i, element in enumerate(data):
            flat[i] = element
    else:
        data = data.encode("latin-1") if isinstance(data, str) else data
        flat = np.frombuffer(bytearray(data), kind)
    if flat.size != size:
        raise UnsafeFileError(f"expected {size} elements for an array of shape {shape}, received {flat.size}.")
    return flat.reshape(shape, order=order)


class StandIn:
    """What stands for an object of another library until the pickle is read; `value` takes its place then.

    Args:
        value: the value.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value


class Dictionary(dict[Any, Any]):
    """A dictionary of a class of another library, of which the attributes are left out."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        pass


class Call:
    """A name that a pickle may call. It has no attributes, so a pickle can change nothing about it."""

    __slots__ = ()

    def __call__(self, *args: Any) -> Any:
        raise UnsafeFileError("expected an array, received a call of its class.")


class _Reconstruct(Call):
    __slots__ = ()

    def __call__(self, *args: Any) -> _Array:
        return _Array()


class _FromBuffer(Call):
    __slots__ = ()

    def __call__(self, buffer: Any, dtype: Any, shape: Any, order: Any) -> _Array:
        array = _Array()
        array.value = _array(shape, dtype, "F" if order == "F" else "C", buffer)
        return array


class _Scalar(Call):
    __slots__ = ()

    def __call__(self, dtype: Any, data: Any) -> Any:
        if not isinstance(dtype, _Dtype) or dtype.value.kind == "O":
            raise UnsafeFileError("expected a number of NumPy, received an object.")
        return _array((), dtype, "C", data)[()]


class _MakeDtype(Call):
    __slots__ = ()

    def __call__(self, code: Any, *args: Any) -> _Dtype:
        return _Dtype(code)


class _Encode(Call):
    """`_codecs.encode(text, 'latin1')`: how protocol 2 writes bytes."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any) -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
            raise UnsafeFileError("expected bytes, received another use of _codecs.encode.")
        return text.encode("latin-1")


class _NoBytes(Call):
    """`bytes()`: how protocol 2 writes no bytes."""

    __slots__ = ()

    def __call__(self) -> bytes:
        return b""


_NAMES: dict[tuple[str, str], Call] = {
    ("numpy", "ndarray"): Call(),
    ("numpy", "dtype"): _MakeDtype(),
    ("_codecs", "encode"): _Encode(),
    ("builtins", "bytes"): _NoBytes(),
    ("__builtin__", "bytes"): _NoBytes(),
    **{
        (f"numpy.{core}.{module}", name): call
        for core in ("core", "_core")
        for module, name, call in (
            ("multiarray", "_reconstruct", _Reconstruct()),
            ("multiarray", "scalar", _Scalar()),
            ("numeric", "_frombuffer", _FromBuffer()),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    """Finds the names of `_NAMES`, those of the caller, and no other."""

    names: Mapping[tuple[str, str], Any] = {}
    outside: Callable[[Any], Any] | None = None

    def find_class(self, module: str, name: str) -> Any:
        found = self.names.get((module, name)) or _NAMES.get((module, name))
        if found is None:
            raise UnsafeFileError(f"a pickle of a data set must not name {module}.{name}; it was not loaded.")
        return found

    def persistent_load(self, pid: Any) -> Any:
        if self.outside is not None:
            return self.outside(pid)
        raise UnsafeFileError("a pickle of a data set must not refer to objects outside of it.")


# From stand-ins to arrays -----------------------------------------------------------------------------------

_VALUES = frozenset({int, float, complex, bool, str, bytes, bytearray, type(None)})


class _Resolver:
    """Puts arrays into the places of their stand-ins, and counts what there is.

    A pickle may name one list many times, in lists that it names many times again. Who goes through such a thing has
    more to do than any file of its size accounts for.

    Args:
        most: how many values there may be, each counted wherever it stands.
    """

    def __init__(self, most: int) -> None:
        self.done: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}
        self._most, self._count = most, 0

    def resolve(self, thing: Any, depth: int = 0) -> Any:
        if type(thing) in _VALUES or isinstance(thing, np.generic):
            self._add(1)
            return thing
        if id(thing) in self.done:
            self._add(self._sizes.get(id(thing), 1))
            return self.done[id(thing)]
        if depth > _DEEPEST:
            raise UnsafeFileError(f"lists are nested more than {_DEEPEST} times.")
        make, before = _RESOLVE.get(type(thing)), self._count
        if make is None:
            raise UnsafeFileError("expected arrays, lists, texts and numbers, received a name without a use.")
        self.done[id(thing)] = thing  # a list may hold itself
        self.done[id(thing)] = make(self, thing, depth + 1)
        self._sizes[id(thing)] = self._count - before
        return self.done[id(thing)]

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > self._most:
            raise UnsafeFileError(
                f"expected up to {self._most} values, received more: the same lists stand in many places."
            )

    def _list(self, thing: list[Any], depth: int) -> list[Any]:
        if _VALUES.issuperset(map(type, thing)):
            self._add(len(thing))
        else:
            thing[:] = [self.resolve(element, depth) for element in thing]
        return thing

    def _tuple(self, thing: tuple[Any, ...], depth: int) -> tuple[Any, ...]:
        return tuple(self.resolve(element, depth) for element in thing)

    def _dict(self, thing: dict[Any, Any], depth: int) -> dict[Any, Any]:
        return {self.resolve(key, depth): self.resolve(value, depth) for key, value in thing.items()}

    def _stand_in(self, thing: StandIn, depth: int) -> Any:
        return thing.value

    def _array(self, thing: _Array, depth: int) -> np.ndarray:
        array = thing.value
        if array.dtype == object:
            for i, element in enumerate(array.flat):
                array.flat[i] = self.resolve(element, depth)
        return array


_RESOLVE: dict[type, Callable[[_Resolver, Any, int], Any]] = {
    list: _Resolver._list,
    tuple: _Resolver._tuple,
    dict: _Resolver._dict,
    Dictionary: _Resolver._dict,
    _Array: _Resolver._array,
    StandIn: _Resolver._stand_in,
}


def load_pickle(
    data: bytes,
    where: str = "pickle",
    names: Mapping[tuple[str, str], Any] | None = None,
    outside: Callable[[Any], Any] | None = None,
) -> Any:
    """What is in a pickle of arrays, lists, tuples, dicts, texts, bytes and numbers.

    Args:
        data: the pickle, of any protocol. Texts of Python 2 are read as bytes.
        where: what the data come from, for messages.
        names: what further names (module, name) stand for: callables without attributes that give `StandIn`s.
        outside: gives the objects outside of the pickle by what it calls them; by default there are none.

    Raises: UnsafeFileError if the pickle names or asks for anything else; SerializationError if it is no pickle, or an
        incomplete one.
    Example:
        >>> load_pickle(pickle.dumps({"labels": [1, 2], "data": np.zeros(2)}))
        {'labels': [1, 2], 'data': array([0., 0.])}
    """
    _check_opcodes(data, where)
    try:
        unpickler = _Unpickler(io.BytesIO(data), encoding="bytes" if names is None else "utf-8")
        unpickler.names, unpickler.outside = names or {}, outside
        return _Resolver(len(data) + _REPEATED).resolve(unpickler.load())
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{where}: {error}") from None
    except Exception as error:  # whatever an odd pickle makes the unpickler raise
        raise SerializationError(f"{where}: expected a pickle of arrays, lists and numbers: {error}") from error


# .npz files -------------------------------------------------------------------------------------------------


def load_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name; arrays of objects are read as `load_pickle` reads.

    Args:
        path: the file.

    Raises: SerializationError if it is no such file, or an incomplete one; UnsafeFileError if it asks for more than
        data.
    """
    where = os.fspath(path)
    found: dict[str, np.ndarray] = {}
    with _damaged(where, "an .npz file"), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in found:
                raise UnsafeFileError(f"{where}: expected each array once, received {name!r} twice.")
            with _damaged(f"{where}, {info.filename}", "an array"):
                found[name] = _member(archive, info, f"{where}, {info.filename}")
    return found


@contextlib.contextmanager
def _damaged(where: str, expected: str) -> Iterator[None]:
    try:
        yield
    except KerasFrontError:
        raise
    except _DAMAGE as error:
        raise UnreadableFileError(f"{where}: expected {expected}, received other bytes ({error}).") from error


# What zip archives, their compressions and headers of arrays raise that are damaged.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError,
    ValueError, TypeError, OverflowError, SyntaxError, KeyError,
)  # fmt: skip


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> np.ndarray:
    most = min(_LARGEST_MEMBER, most_unpacked(info.compress_size))
    if info.file_size > most:
        raise UnsafeFileError(f"{where}: expected at most {most} bytes, received {info.file_size}.")
    with archive.open(info) as stream:
        shape, fortran, dtype = _header(stream)
        data = stream.read()
    if dtype == np.dtype(object):
        return np.asarray(load_pickle(data, where))
    if dtype.hasobject or dtype.names is not None or not dtype.itemsize:
        raise UnsafeFileError(f"{where}: expected an array of numbers or texts, received dtype {dtype}.")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise SerializationError(f"{where}: expected an array of shape {shape}, received {len(data)} bytes.")
    return np.frombuffer(bytearray(data), dtype).reshape(shape, order="F" if fortran else "C")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"unknown version {version}")
