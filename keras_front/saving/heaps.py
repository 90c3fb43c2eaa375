"""Heaps of HDF5 files, in which texts of any length lie: looked through before the library reads them.

A heap is a row of objects, each with its size. libhdf5 goes from one to the next by that size, and for ever where it
leads nowhere: 64 damaged bytes in a file of 30 kB would stop a program.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from keras_front.errors import UnreadableFileError

SIGNATURE = b"GCOL\x01\x00\x00\x00"  # with the version and what is reserved
HEAD = 16  # bytes before the first object, and before the content of each
LARGEST = 1 << 22  # bytes of a heap that are followed
PART = 1 << 20  # bytes that are read at a time, so that they lie in the cache


def check_heaps(source: Any, where: str) -> None:
    """Refuse a file with a heap through which there is no way.

    Args:
        source: path of the file, or a stream that can be read from any place; it stands where it stood afterwards.
        where: what to call the file in messages.

    Raises: UnreadableFileError.

    Source: HDF5 File Format Specification 3.0, III.E, global heaps; they begin at multiples of 8 bytes.
    """
    if isinstance(source, str | bytes | os.PathLike):
        with open(source, "rb") as stream:
            _check(stream, where)
    elif hasattr(source, "seek") and hasattr(source, "read"):
        before = source.tell()
        _check(source, where)
        source.seek(before)


def _check(stream: BinaryIO, where: str) -> None:
    for place in list(_places(stream)):
        stream.seek(place + 8)
        size = int.from_bytes(stream.read(8), "little")
        stream.seek(place)
        if not _leads_through(stream.read(min(size, LARGEST)), size):
            raise UnreadableFileError(
                f"{where}: expected texts one after the other, received a heap at byte {place} that leads nowhere. The "
                "file is damaged: take another copy of it."
            )


def _places(stream: BinaryIO) -> Iterator[int]:
    """Where heaps begin. Words are compared, since a search for bytes would take as long as reading the weights."""
    stream.seek(0)
    wanted, place, rest = int.from_bytes(SIGNATURE, "little"), 0, b""
    while part := stream.read(PART):
        data = rest + part if rest else part
        words = len(data) // 8
        for word in np.flatnonzero(np.frombuffer(data, "<u8", words) == wanted):
            yield place + 8 * int(word)
        place, rest = place + 8 * words, data[8 * words :]


def _leads_through(heap: bytes, size: int) -> bool:
    at = HEAD
    while at + HEAD <= len(heap):
        number, length = int.from_bytes(heap[at : at + 2], "little"), int.from_bytes(heap[at + 8 : at + 16], "little")
        step = HEAD + (length + 7) // 8 * 8 if number else length
        if not 0 < step <= size - at:
            return False
        at += step
    return True
