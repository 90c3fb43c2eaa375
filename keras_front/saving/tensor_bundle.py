"""Checkpoints of TensorFlow: an index of names, and files with the numbers.

    <prefix>.index                   a table in the format of LevelDB: for each name the dtype, shape and place
    <prefix>.data-00000-of-00001     the numbers, one array behind the other

What is said of sizes is compared with the length of the files before anything is read, and blocks that are packed by
Snappy are unpacked up to a limit. Nothing else is opened than these files beside each other. Checksums are compared.
Source: TensorFlow 2.21, `tensorflow/core/util/tensor_bundle/tensor_bundle.h`, `tensorflow/core/protobuf/
tensor_bundle.proto`; LevelDB 1.23, `doc/table_format.md`; Snappy 1.1.10, `format_description.txt`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from keras_front.backend import dtypes
from keras_front.errors import SerializationError

from . import guard
from .crc32c import crc32c, unmasked
from .protobuf import Message, varint

__all__ = ["TensorBundle", "content", "is_checkpoint", "snappy"]

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER, TRAILER = 48, 5  # bytes: places of the two indices and the magic number; kind of a block and its checksum
INDEX_BYTES = 64 << 20
SHARDS = 10_000

DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 10: "bool", 17: "uint16",
    19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
STRING, BFLOAT16 = 7, 14


class Entry(NamedTuple):
    """Where the numbers of a name are."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int


def is_checkpoint(prefix: object) -> bool:
    """Whether there is a checkpoint whose files begin so.

    Args:
        prefix: path without '.index'.
    """
    return isinstance(prefix, str | os.PathLike) and os.path.isfile(f"{os.fspath(prefix)}.index")


class TensorBundle:
    """A checkpoint, open for reading.

    Args:
        prefix: path of its files without '.index'.

    Raises: UnreadableFileError for an index that is none; UnsafeFileError for sizes that the files do not account for.
    """

    def __init__(self, prefix: str | os.PathLike[str]):
        self.prefix = os.fspath(prefix)
        self.where = f"{self.prefix}.index"
        try:
            table = dict(_table(content(self.where, INDEX_BYTES)))
            self.shards = max(Message(table.pop(b"", b"")).number(1, 1), 1)
            self._entries = {name.decode("utf-8", "replace"): _entry(value) for name, value in table.items()}
        except SerializationError as error:
            if isinstance(error, guard.UnreadableFileError | guard.UnsafeFileError):
                raise
            raise guard.UnreadableFileError(f"{self.where}: expected an index of a checkpoint; {error}.") from None
        if self.shards > SHARDS:
            raise guard.UnreadableFileError(f"{self.where}: expected up to {SHARDS} files, received {self.shards}.")

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._entries)

    def described(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Type and shape of each array of numbers, none of which is read."""
        known = {**DTYPES, BFLOAT16: "bfloat16"}
        return {name: (known[e.dtype], e.shape) for name, e in self._entries.items() if e.dtype in known}

    def array(self, name: str, limit: int | None = None) -> np.ndarray:
        """The numbers of a name.

        Args:
            name: its name.
            limit: most bytes that the caller can use.

        Raises: SerializationError for a name that is not there, or has no numbers; UnsafeFileError for a size that the
            model has no room for, or the files do not account for.
        """
        entry = self._entry_of(name)
        if entry.dtype not in DTYPES and entry.dtype != BFLOAT16:
            raise SerializationError(f"{self.where}, {name!r}: expected numbers, received dtype {entry.dtype}.")
        dtype = np.dtype("uint16" if entry.dtype == BFLOAT16 else DTYPES[entry.dtype]).newbyteorder("<")
        declared = dtype.itemsize * int(np.prod(entry.shape, dtype=object))
        if declared != entry.size or (limit is not None and declared > limit):
            raise guard.UnsafeFileError(
                f"{self.where}, {name!r}: expected {'at most ' + str(limit) if declared == entry.size else entry.size} "
                f"bytes, received a shape of {declared}.\n"
                "  The checkpoint does not belong to this model, or was made to exhaust memory."
            )
        data = self._bytes(name, entry)
        self._check(name, entry, data)
        values = np.frombuffer(data, dtype).reshape(entry.shape)
        if entry.dtype == BFLOAT16:
            values = dtypes.from_bfloat16(values)
        return values.astype(values.dtype.newbyteorder("="))

    def text(self, name: str) -> bytes:
        """The bytes of a scalar of texts.

        Args:
            name: its name.

        Raises: SerializationError if it is not there, or no such scalar.
        """
        entry = self._entry_of(name)
        if entry.dtype != STRING or entry.shape or entry.size > INDEX_BYTES:
            raise SerializationError(f"{self.where}, {name!r}: expected one text, received an entry of another kind.")
        data = self._bytes(name, entry)
        size, place = varint(data, 0)
        place += 4  # a checksum of the lengths
        if place + size > len(data):
            raise SerializationError(f"{self.where}, {name!r}: expected {size} bytes, received {len(data) - place}.")
        self._check(name, entry, size.to_bytes(4, "little") + data[place - 4 :])  # the length as it is in memory
        return data[place : place + size]

    def _entry_of(self, name: str) -> Entry:
        if name not in self._entries:
            raise SerializationError(f"{self.where}: expected {name!r}, found {sorted(self._entries)[:10]}.")
        return self._entries[name]

    def _check(self, name: str, entry: Entry, data: bytes) -> None:
        """Raises: UnreadableFileError for bytes that have another checksum than they had when they were written."""
        if entry.checksum and crc32c(data) != unmasked(entry.checksum):
            raise guard.UnreadableFileError(
                f"{self.prefix}.data-{entry.shard:05d}-of-{self.shards:05d}, {name!r}: expected numbers with the "
                f"checksum {unmasked(entry.checksum):#010x}, received {crc32c(data):#010x}.\n"
                "  The file was damaged after it was written: copy it again."
            )

    def _bytes(self, name: str, entry: Entry) -> bytes:
        path = f"{self.prefix}.data-{entry.shard:05d}-of-{self.shards:05d}"
        _check_regular(path)
        if entry.offset + entry.size > os.path.getsize(path):
            raise guard.UnsafeFileError(
                f"{path}: expected {entry.offset + entry.size} bytes for {name!r}, found {os.path.getsize(path)}.\n"
                "  The file was cut, or made to exhaust its reader."
            )
        with open(path, "rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)


def _entry(data: bytes) -> Entry:
    message = Message(data)
    shape = (message.messages(2) or [Message(b"")])[-1]
    sizes = tuple(part.number(1) for part in shape.messages(2))
    return Entry(message.number(1), sizes, message.number(3), message.number(4), message.number(5), _stored(message))


def _stored(message: Message) -> int:
    """The checksum that an entry states, 0 for none."""
    return int.from_bytes((message.parts(6) or [b""])[-1], "little")


def _check_regular(path: str) -> None:
    """Raises: UnreadableFileError for a file that is not there; UnsafeFileError for a link or anything but a file."""
    if os.path.islink(path) or (os.path.exists(path) and not os.path.isfile(path)):
        raise guard.UnsafeFileError(f"{path}: expected a file, found a link or a device.\n  A checkpoint holds files.")
    if not os.path.exists(path):
        raise guard.UnreadableFileError(f"{path}: expected the numbers of a checkpoint, found no such file.")


def content(path: str, limit: int) -> bytes:
    """The bytes of a file.

    Args:
        path: the file.
        limit: most bytes that it may have.

    Raises: UnsafeFileError for a link or a larger file; UnreadableFileError for none.
    """
    _check_regular(path)
    size = os.path.getsize(path)
    if size > limit:
        raise guard.UnsafeFileError(f"{path}: expected at most {limit >> 20} MiB, found {size} bytes.")
    with open(path, "rb") as file:
        return file.read(size)  # not `limit`: Python takes the memory before it reads


# Tables of LevelDB -----------------------------------------------------------------------------------


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table."""
    if len(data) < FOOTER or data[-len(MAGIC) :] != MAGIC:
        raise SerializationError("received a file that does not end as a table")
    footer = data[-FOOTER:]
    _, place = _handle(footer, 0)
    index, _ = _handle(footer, place)
    room = [INDEX_BYTES]  # what all blocks may be unpacked to
    for _, value in _block(_unpacked(data, index, room)):
        yield from _block(_unpacked(data, _handle(value, 0)[0], room))


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return (offset, size), place


def _unpacked(data: bytes, handle: tuple[int, int], room: list[int]) -> bytes:
    offset, size = handle
    if offset + size + TRAILER > len(data):
        raise SerializationError("received a block that ends behind the file")
    block, kind = data[offset : offset + size], data[offset + size]
    stored = int.from_bytes(data[offset + size + 1 : offset + size + TRAILER], "little")
    if stored and crc32c(data[offset : offset + size + 1]) != unmasked(stored):
        raise SerializationError("received a block whose checksum is another one: the file was damaged")
    if kind not in (0, 1):
        raise SerializationError(f"received a block of kind {kind}")
    block = block if kind == 0 else snappy(block, room[0])
    room[0] -= len(block)
    if room[0] < 0:
        raise SerializationError(f"received blocks of more than {INDEX_BYTES >> 20} MiB")
    return block


def _block(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys, of which each says what it has in common with the one before, and values of a block."""
    restarts = int.from_bytes(block[-4:], "little") if len(block) >= 4 else 0
    end = len(block) - 4 * (restarts + 1)
    place, key = 0, b""
    while place < end:
        shared, place = varint(block, place)
        own, place = varint(block, place)
        size, place = varint(block, place)
        if shared > len(key) or place + own + size > end:
            raise SerializationError("received an entry that ends behind its block")
        key = key[:shared] + block[place : place + own]
        yield key, block[place + own : place + own + size]
        place += own + size


def snappy(data: bytes, limit: int) -> bytes:
    """What Snappy packed.

    Args:
        data: the packed bytes.
        limit: most bytes that they may become.

    Raises: SerializationError for bytes that are not packed so, or become more.
    """
    size, place = varint(data, 0)
    if size > limit:
        raise SerializationError(f"received a block that unpacks to {size} bytes")
    result = bytearray()
    while place < len(data) and len(result) <= size:
        tag, place = data[place], place + 1
        if tag & 3 == 0:
            length, place = _literal_length(data, tag, place)
            result += data[place : place + length]
            place += length
        else:
            length, offset, place = _copy(data, tag, place)
            if not 0 < offset <= len(result):
                raise SerializationError("received a packed block that copies from before its beginning")
            start = len(result) - offset
            result += _repeated(result[start : start + length], length)
    if len(result) != size:
        raise SerializationError(f"received a packed block of {len(result)} bytes that says {size}")
    return bytes(result)


def _literal_length(data: bytes, tag: int, place: int) -> tuple[int, int]:
    length, more = tag >> 2, max((tag >> 2) - 59, 0)
    if more:
        length, place = _little(data, place, more), place + more
    return length + 1, place


def _copy(data: bytes, tag: int, place: int) -> tuple[int, int, int]:
    """Length, distance, and the place behind."""
    if tag & 3 == 1:
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | _little(data, place, 1), place + 1
    more = 2 if tag & 3 == 2 else 4
    return (tag >> 2) + 1, _little(data, place, more), place + more


def _little(data: bytes, place: int, size: int) -> int:
    """A number of some bytes."""
    if place + size > len(data):
        raise SerializationError("received a packed block that was cut")
    return int.from_bytes(data[place : place + size], "little")


def _repeated(part: bytearray, length: int) -> bytes:
    return bytes(part * (length // len(part) + 1))[:length]
