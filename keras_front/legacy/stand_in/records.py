"""`TFRecord` files, and the messages `tf.train.Example` in them.

Source: TensorFlow 2.15, `tensorflow/core/lib/io/record_writer.h`, `tensorflow/core/example/example.proto`.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError, SerializationError
from keras_front.saving.crc32c import crc32c
from keras_front.saving.protobuf import Message, varint
from keras_front.utils.dataset_elements import values_of

from .functions import constant
from .image_files import bytes_of
from .sparse import SparseTensor
from .texts import texts_of

_MASK = 0xA282EAD8


def _checksum(data: bytes) -> bytes:
    found = crc32c(data)
    return struct.pack("<I", (((found >> 15) | (found << 17)) + _MASK) & 0xFFFFFFFF)


# Files -----------------------------------------------------------------------------------------------------


class TFRecordOptions:
    """How the records of a file are packed.

    Args:
        compression_type: 'GZIP', 'ZLIB', or nothing.
        **options: not used.
    """

    def __init__(self, compression_type: Any = "", **options: Any):
        self.compression_type = compression_type or ""


class TFRecordWriter:
    """Writes records to a file; a `with` block closes it.

    Args:
        path: the file.
        options: `TFRecordOptions`, or 'GZIP' or 'ZLIB'.
    """

    def __init__(self, path: Any, options: Any = None):
        kind = getattr(options, "compression_type", options) or ""
        path = os.fsdecode(bytes_of(os.fspath(path) if hasattr(path, "__fspath__") else path))
        self._file: Any = gzip.open(path, "wb") if kind == "GZIP" else open(path, "wb")
        self._packer = zlib.compressobj() if kind == "ZLIB" else None

    def write(self, record: Any) -> None:
        """Write a record.

        Args:
            record: its bytes.
        """
        data = bytes_of(record)
        length = struct.pack("<Q", len(data))
        whole = length + _checksum(length) + data + _checksum(data)
        self._file.write(self._packer.compress(whole) if self._packer else whole)

    def flush(self) -> None:
        """Let the file hold what was written."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if not self._file.closed:
            self._file.write(self._packer.flush() if self._packer else b"")
            self._file.close()

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def records_of(path: str, compression: str = "") -> Iterator[bytes]:
    """The records of a file.

    Args:
        path: the file.
        compression: 'GZIP', 'ZLIB', or nothing.

    Raises: SerializationError for a file that is cut off, or whose checksums do not fit.
    """
    with gzip.open(path, "rb") if compression == "GZIP" else open(path, "rb") as opened:
        file: Any = _Unpacked(zlib.decompress(opened.read())) if compression == "ZLIB" else opened
        while head := file.read(12):
            if len(head) < 12 or head[8:] != _checksum(head[:8]):
                raise SerializationError(f"{path}: expected a record of TensorFlow, received other bytes.")
            (size,) = struct.unpack("<Q", head[:8])
            data = file.read(size)
            if len(data) < size or file.read(4) != _checksum(data):
                raise SerializationError(f"{path}: expected a record of {size} bytes, which is cut off or was changed.")
            yield data


class _Unpacked:
    def __init__(self, data: bytes):
        self._data, self._place = data, 0

    def read(self, size: int) -> bytes:
        self._place += size
        return self._data[self._place - size : self._place]


def tf_record_iterator(path: str, options: Any = None) -> Iterator[bytes]:
    """The records of a file.

    Args:
        path: the file.
        options: as of `TFRecordWriter`.
    """
    return records_of(os.fspath(path), getattr(options, "compression_type", options) or "")


# Messages --------------------------------------------------------------------------------------------------


def _number(value: int) -> bytes:
    value &= (1 << 64) - 1
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def _field(number: int, data: bytes) -> bytes:
    return _number(number << 3 | 2) + _number(len(data)) + data


class _List:
    """A list of values in a message.

    Args:
        value: the values.
    """

    def __init__(self, value: Any = ()):
        self.value = list(value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.value == other.value  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]


class BytesList(_List):
    """A list of bytes.

    Args:
        value: the bytes, or texts.
    """

    def __init__(self, value: Any = ()):
        super().__init__([bytes_of(one) for one in value])

    def SerializeToString(self) -> bytes:
        """The message as bytes."""
        return b"".join(_field(1, one) for one in self.value)


class FloatList(_List):
    """A list of floats.

    Args:
        value: the numbers.
    """

    def __init__(self, value: Any = ()):
        super().__init__([float(np.float32(one)) for one in np.asarray(value).ravel()])

    def SerializeToString(self) -> bytes:
        """The message as bytes."""
        return _field(1, np.asarray(self.value, "<f4").tobytes()) if self.value else b""


class Int64List(_List):
    """A list of integers.

    Args:
        value: the numbers.
    """

    def __init__(self, value: Any = ()):
        super().__init__([int(one) for one in np.asarray(value).ravel()])

    def SerializeToString(self) -> bytes:
        """The message as bytes."""
        return _field(1, b"".join(map(_number, self.value))) if self.value else b""


class Feature:
    """A feature of an example: one list.

    Args:
        bytes_list: of bytes.
        float_list: of floats.
        int64_list: of integers.
    """

    def __init__(self, bytes_list: Any = None, float_list: Any = None, int64_list: Any = None):
        self.bytes_list, self.float_list = bytes_list or BytesList(), float_list or FloatList()
        self.int64_list = int64_list or Int64List()
        given = {"bytes_list": bytes_list, "float_list": float_list, "int64_list": int64_list}
        self.kind = next((name for name, value in given.items() if value is not None), None)

    def WhichOneof(self, name: str) -> str | None:
        """Which list it is.

        Args:
            name: 'kind'.
        """
        return self.kind

    def SerializeToString(self) -> bytes:
        """The message as bytes."""
        if self.kind is None:
            return b""
        return _field(("bytes_list", "float_list", "int64_list").index(self.kind) + 1, self.list.SerializeToString())

    @property
    def list(self) -> Any:
        """The list that it is."""
        return getattr(self, self.kind or "bytes_list")

    @classmethod
    def FromString(cls, data: bytes) -> Feature:
        """The feature that bytes are.

        Args:
            data: the bytes.
        """
        message = Message(data)
        if parts := message.parts(1):
            return cls(bytes_list=BytesList(Message(parts[-1]).parts(1)))
        if parts := message.parts(2):
            raw = b"".join(Message(parts[-1]).parts(1))
            return cls(float_list=FloatList(np.frombuffer(raw, "<f4")))
        if parts := message.parts(3):
            return cls(int64_list=Int64List(list(_integers(Message(parts[-1]).fields.get(1, [])))))
        return cls()


def _integers(found: Any) -> Iterator[int]:
    for item in found:
        if isinstance(item, int):
            yield _signed(item)
            continue
        place = 0
        while place < len(item):
            value, place = varint(item, place)
            yield _signed(value)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


class Features:
    """The features of an example, by name.

    Args:
        feature: a dict of them.
    """

    def __init__(self, feature: Any = None):
        self.feature = dict(feature or {})

    def SerializeToString(self) -> bytes:
        """The message as bytes."""
        return b"".join(
            _field(1, _field(1, name.encode()) + _field(2, self.feature[name].SerializeToString()))
            for name in sorted(self.feature)
        )


class Example:
    """A sample as TFRecord files hold it.

    Args:
        features: its features.
    """

    def __init__(self, features: Features | None = None):
        self.features = features or Features()

    def SerializeToString(self) -> bytes:
        """The message as bytes."""
        return _field(1, self.features.SerializeToString())

    def ParseFromString(self, data: Any) -> int:
        """Become the example that bytes are.

        Args:
            data: the bytes.
        """
        content = bytes_of(data)
        entries = [e for part in Message(content).messages(1) for e in part.messages(1)]
        self.features = Features({e.text(1): Feature.FromString((e.parts(2) or [b""])[-1]) for e in entries})
        return len(content)

    @classmethod
    def FromString(cls, data: Any) -> Example:
        """The example that bytes are.

        Args:
            data: the bytes.
        """
        made = cls()
        made.ParseFromString(data)
        return made


# Features by their descriptions ----------------------------------------------------------------------------


class FixedLenFeature(NamedTuple):
    """A feature of one shape."""

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature of several values of one shape, as many as there are."""

    shape: Any
    dtype: Any
    allow_missing: bool = True
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature of as many values as there are."""

    dtype: Any


def parse_single_example(serialized: Any, features: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The features of an example.

    Args:
        serialized: its bytes.
        features: what each is, by name.
        **options: not used.

    Raises: ArgumentError for a feature that is missing or has another shape or dtype.
    """
    found = Example.FromString(serialized).features.feature
    made: dict[str, Any] = {}
    for name, kind in features.items():
        values = _values(name, found.get(name), kind)
        if isinstance(kind, VarLenFeature):
            places = np.arange(len(values))[:, None]
            made[name] = SparseTensor(places, values, [len(values)])
        else:
            made[name] = values_of(values) if values.dtype == object else constant(values)
    return made


def parse_example(serialized: Any, features: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The features of several examples, along a first axis.

    Args:
        serialized: the bytes of each.
        features: what each feature is, by name.
        **options: not used.
    """
    texts = texts_of(serialized)
    if not texts.ndim:
        return parse_single_example(serialized, features)
    parsed = [parse_single_example(text, features) for text in texts.ravel()]
    made: dict[str, Any] = {}
    for name, kind in features.items():
        parts = [one[name] for one in parsed]
        if isinstance(kind, VarLenFeature):
            arrays = [K.to_numpy(part.values) for part in parts]
            places = [(row, i) for row, array in enumerate(arrays) for i in range(len(array))]
            size = [len(parts), max(map(len, arrays), default=0)]
            made[name] = SparseTensor(np.array(places).reshape(-1, 2), np.concatenate(arrays), size)
        else:
            whole = np.stack([np.asarray(p) if isinstance(p, np.ndarray) else K.to_numpy(p) for p in parts])
            made[name] = values_of(whole) if whole.dtype == object else constant(whole)
    return made


def _values(name: str, feature: Feature | None, kind: Any) -> np.ndarray:
    dtype = str(getattr(kind.dtype, "name", kind.dtype))
    wanted = {"string": "bytes_list", "int64": "int64_list"}.get(dtype, "float_list")
    if feature is None or feature.kind is None:
        if isinstance(kind, VarLenFeature | FixedLenSequenceFeature):
            return np.zeros((0, *(getattr(kind, "shape", None) or ())), object if dtype == "string" else dtype)
        if kind.default_value is None:
            raise ArgumentError(f"tf.io.parse_example: expected the feature {name!r}, which the example does not have.")
        return np.broadcast_to(np.asarray(kind.default_value, object if dtype == "string" else dtype), kind.shape)
    if feature.kind != wanted:
        raise ArgumentError(f"tf.io.parse_example: expected {name!r} to be {dtype}, received a {feature.kind}.")
    flat = np.array([*feature.list.value, None], object)[:-1]
    flat = flat if dtype == "string" else flat.astype(dtype)
    if isinstance(kind, VarLenFeature):
        return flat
    shape = list(kind.shape) if np.ndim(kind.shape) else [kind.shape]
    try:
        return flat.reshape([-1, *shape] if isinstance(kind, FixedLenSequenceFeature) else shape)
    except ValueError as error:
        raise ArgumentError(
            f"tf.io.parse_example: expected {name!r} to have the shape {tuple(shape)}, received {flat.size} values."
        ) from error


# Tensors as bytes ------------------------------------------------------------------------------------------

_DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 9: "int64", 10: "bool",
    17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip


def serialize_tensor(tensor: Any, name: str | None = None) -> Any:
    """A tensor as the bytes of a message.

    Args:
        tensor: the tensor, of numbers.
        name: not used.
    """
    array = K.to_numpy(tensor)
    number = next(n for n, dtype in _DTYPES.items() if dtype == array.dtype.name)
    shape = b"".join(_field(2, _number(1 << 3) + _number(size)) for size in array.shape)
    little = array.astype(array.dtype.newbyteorder("<"))
    return values_of(_number(1 << 3) + _number(number) + _field(2, shape) + _field(4, little.tobytes()))


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Any:
    """The tensor that `serialize_tensor` was given.

    Args:
        serialized: the bytes.
        out_type: its dtype.
        name: not used.

    Raises: ArgumentError if it has another dtype.
    """
    message = Message(bytes_of(serialized))
    dtype, wanted = _DTYPES.get(message.number(1)), str(getattr(out_type, "name", out_type))
    if dtype != wanted or dtype == "string":
        raise ArgumentError(f"tf.io.parse_tensor: expected a tensor of {wanted}, received one of {dtype}.")
    shape = [size.number(1) for part in message.messages(2) for size in part.messages(2)]
    raw = (message.parts(4) or [b""])[-1]
    return constant(np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape))
