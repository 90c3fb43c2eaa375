"""CRC-32C (Castagnoli), the checksum in TensorFlow's checkpoints, computed by NumPy on many places at once.

A checksum that begins with 0 is linear: zeros in front change nothing, and that of two parts is that of the first,
moved on by the length of the second, plus (exclusive or) that of the second. So the bytes lie in rows of equal length,
all rows go on four bytes in a step, and the checksums of neighbours are joined until one is left.
Source: RFC 3720, appendix B.4; masks as in TensorFlow 2.21, `tensorflow/core/lib/hash/crc32c.h`.
"""

from __future__ import annotations

import functools

import numpy as np

__all__ = ["crc32c", "unmasked"]

POLYNOMIAL = 0x82F63B78
MASK = 0xA282EAD8
ALL = 0xFFFFFFFF
WORDS = 256  # steps for a row
PART = 1 << 24  # bytes that are laid out at once


def crc32c(data: bytes) -> int:
    """The checksum of some bytes.

    Args:
        data: the bytes.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    found = 0
    for start in range(0, len(data), PART):
        part = data[start : start + PART]
        found = int(_moved(np.uint32(found), len(part))) ^ _of_zero(part)
    return int(_moved(np.uint32(ALL), len(data))) ^ found ^ ALL


def unmasked(stored: int) -> int:
    """A checksum as TensorFlow stores it, as it was computed.

    Args:
        stored: the number in the file.
    """
    turned = (stored - MASK) & ALL
    return (turned >> 17 | turned << 15) & ALL


def _of_zero(data: bytes) -> int:
    """The checksum that begins with 0 and is not inverted."""
    rows = 1
    while rows * WORDS * 4 < len(data):
        rows *= 2
    filled = np.zeros(rows * WORDS * 4, "uint8")
    filled[len(filled) - len(data) :] = np.frombuffer(data, "uint8")
    words = np.ascontiguousarray(filled.view("<u4").reshape(rows, WORDS).T)
    found, (low, high) = np.zeros(rows, "uint32"), _tables(4)
    for word in words:
        found ^= word
        found = low[found & 0xFFFF] ^ high[found >> 16]
    length = WORDS * 4
    while len(found) > 1:
        found, length = _moved(found[::2], length) ^ found[1::2], 2 * length
    return int(found[0])


def _moved(found: np.ndarray | np.uint32, length: int) -> np.ndarray:
    """Checksums after so many zeros more."""
    moved, power = np.asarray(found), 1
    while length:
        if length & 1:
            low, high = _tables(power)
            moved = low[moved & 0xFFFF] ^ high[moved >> 16]
        length, power = length >> 1, power * 2
    return moved


@functools.lru_cache(maxsize=64)
def _tables(zeros: int) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of the lower and of the upper 16 bits of a checksum after so many zeros, a power of two."""
    if zeros == 1:
        images = [_one_byte(1 << bit) for bit in range(32)]
    else:
        low, high = _tables(zeros // 2)
        images = [int(low[image & 0xFFFF] ^ high[image >> 16]) for image in map(int, _images(low, high))]
    return _of_images(images[:16]), _of_images(images[16:])


def _images(low: np.ndarray, high: np.ndarray) -> list[np.uint32]:
    return [table[1 << bit] for table in (low, high) for bit in range(16)]


def _one_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


def _of_images(images: list[int]) -> np.ndarray:
    """A table of all numbers of 16 bits from what becomes of each bit."""
    table = np.zeros(1, "uint32")
    for image in images:
        table = np.concatenate([table, table ^ np.uint32(image)])
    return table
