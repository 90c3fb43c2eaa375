"""Memory while a program runs: buffers, operands that lie in them, and the pool that hands buffers out.

A `Buffer` is a piece of memory. An `Operand` says where one tensor is: in memory that is known before the program runs
(an array, often a view of a buffer), or in a register, a local variable of the generated function.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

ALIGNMENT = 64  # bytes of a cache line


def aligned(nbytes: int) -> np.ndarray:
    """So many bytes, uninitialized, that begin at a cache line."""
    raw = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]


def rounded(nbytes: int) -> int:
    """The bytes of the cache lines that so many bytes touch, at least one line."""
    return max(1, -(-nbytes // ALIGNMENT)) * ALIGNMENT


def nbytes_of(tensor: Any) -> int:
    """The bytes of a symbolic tensor."""
    return math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize


def same_memory(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Whether two arrays are the same elements in the same order."""
    if a is b:
        return True
    return (
        a is not None
        and b is not None
        and a.shape == b.shape
        and a.dtype == b.dtype
        and a.strides == b.strides
        and a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
    )


class Buffer:
    """A piece of memory, known by its identity.

    Args:
        memory: Its bytes, aligned; None for memory that the pool does not own, such as the state.
    """

    __slots__ = ("memory",)

    def __init__(self, memory: np.ndarray | None = None):
        self.memory = memory

    @property
    def pinned(self) -> bool:
        """Whether it never returns to the pool."""
        return self.memory is None


class Operand(NamedTuple):
    """Where a tensor is while a program runs.

    Attributes:
        shape: Its shape.
        dtype: Its dtype in memory; a mask may stay `bool` where the program says float.
        array: Its elements, where that memory is known before the program runs; else None.
        register: The local variable that holds it, where `array` is None.
        buffer: The buffer in which `array` lies, as far as its reuse is watched.
        label: How names of `array` begin in the generated code.
        allocated: Whether the generated code makes the array for this tensor alone.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    array: np.ndarray | None = None
    register: str = ""
    buffer: Buffer | None = None
    label: str = "b"
    allocated: bool = False

    @classmethod
    def of(cls, array: np.ndarray, buffer: Buffer | None = None, label: str = "b") -> Operand:
        """The operand of an array that is known before the program runs."""
        return cls(array.shape, array.dtype, array, "", buffer, label)

    @classmethod
    def in_register(cls, register: str, shape: Sequence[int], dtype: Any, allocated: bool = False) -> Operand:
        """The operand of what only exists while the program runs."""
        return cls(tuple(shape), np.dtype(dtype), None, register, None, "b", allocated)


class BufferPool:
    """Buffers that are handed out and taken back while a program is scheduled.

    Attributes:
        total: The bytes of all its buffers.
    """

    def __init__(self) -> None:
        self.total = 0
        self._free: list[tuple[int, int, np.ndarray]] = []  # (bytes, minus the time it came back, memory), in order
        self._time = itertools.count()

    def take(self, shape: Sequence[int], dtype: Any) -> Operand:
        """An array in the smallest free buffer that is large enough, or in a new one if all are far too large."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        need = rounded(size)
        best = bisect.bisect_left(self._free, (need,))  # of equal ones the latest, which the cache still holds
        if best < len(self._free) and self._free[best][0] <= max(4 * need, 4096):
            memory = self._free.pop(best)[2]
        else:
            memory = aligned(need)
            self.total += need
        return Operand.of(memory[:size].view(dtype).reshape(tuple(shape)), Buffer(memory))

    def give(self, buffer: Buffer) -> None:
        """Take a buffer back whose contents nobody reads any more."""
        if buffer.memory is not None:
            bisect.insort(self._free, (buffer.memory.nbytes, -next(self._time), buffer.memory))
