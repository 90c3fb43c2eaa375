"""How much may come out of something packed before it is taken for a bomb: one rule for everything that is read.

Deflate can pack 1032 to 1, other methods more, and a bomb is made of it. Numbers, texts and pictures that somebody
wants to read stay far below 200 to 1; small files may be anything.
"""

from __future__ import annotations

from typing import Protocol

from keras_front.errors import UnsafeFileError

__all__ = ["HOLLOW_BYTES", "RATIO", "most_unpacked", "read_unpacked"]

RATIO = 200
HOLLOW_BYTES = 16 << 20  # what is not larger than this is not looked at


def most_unpacked(packed: int) -> int:
    """The most bytes that so many packed ones may become.

    Args:
        packed: how many bytes there are in the file.

    Example:
        >>> most_unpacked(1_000_000)
        200000000
    """
    return max(HOLLOW_BYTES, RATIO * packed)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_unpacked(stream: _Readable, packed: int, where: str) -> bytes:
    """Everything in a stream that unpacks.

    Args:
        stream: what unpacks while it is read.
        packed: how many bytes it is made from.
        where: what is read, for messages.

    Raises: UnsafeFileError if it is more than `most_unpacked`; no more than that is held then.
    """
    most = most_unpacked(packed)
    data = stream.read(most + 1)
    if len(data) > most:
        raise UnsafeFileError(
            f"{where}: expected at most {most} bytes from {packed} packed ones, received more.\n  Data do not pack "
            "like that: it is a bomb."
        )
    return data
