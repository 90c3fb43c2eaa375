"""Memory of planned programs: a pool of buffers that are used again, values in them, and arenas for donated
state.

A `Root` is a piece of memory; the tensors that live in it, some of them as views, are counted, and when the
last one has been used the memory goes back to the pool. An `Arena` holds the state that a step owns: all of
it in one piece for each dtype, weights beside weights and slots beside slots, so that an optimizer's update
is a few calls.
"""

from __future__ import annotations

import bisect
import itertools
import math
import sys
import weakref
from collections.abc import Hashable, Sequence
from operator import is_
from typing import Any

import numpy as np

ALIGNMENT = 64


def aligned(nbytes: int) -> np.ndarray:
    """Bytes that begin at a cache line."""
    raw = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]


def rounded(nbytes: int) -> int:
    return max(1, -(-nbytes // ALIGNMENT)) * ALIGNMENT


def same_memory(a: np.ndarray | None, b: np.ndarray) -> bool:
    """Whether two contiguous arrays are the same elements."""
    if a is b:
        return True
    return (
        a is not None
        and a.shape == b.shape
        and a.dtype == b.dtype
        and a.strides == b.strides
        and a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
    )


class Root:
    """A piece of memory. `live` are the tensors in it that are still to be used; a `pinned` one never returns to the
    pool."""

    __slots__ = ("live", "memory", "pinned")

    def __init__(self, memory: np.ndarray | None, pinned: bool = False):
        self.memory, self.pinned = memory, pinned
        self.live: set[Any] = set()


class Value:
    """What a tensor is in the text: an expression, and for memory that is known beforehand the array itself.

    `array` is None for what only exists while the program runs; then `fresh` says that nobody else has that memory.
    """

    __slots__ = ("array", "dtype", "expr", "fresh", "root", "shape")

    def __init__(
        self, expr: str, shape: Any, dtype: Any, array: np.ndarray | None = None, root: Root | None = None,
        fresh: bool = False,
    ):  # fmt: skip
        self.expr, self.array, self.root, self.fresh = expr, array, root, fresh
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)


class Pool:
    """Buffers for the values of a program, given out and taken back while it is planned."""

    def __init__(self) -> None:
        self.free: list[tuple[int, int, np.ndarray]] = []  # (bytes, minus the time it came back, buffer), in order
        self.total = 0
        self._time = itertools.count()

    def take(self, shape: Sequence[int], dtype: Any) -> tuple[np.ndarray, Root]:
        """An array and its memory: the smallest free buffer that is large enough, unless it is far too large."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        need = rounded(size)
        best = bisect.bisect_left(self.free, (need,))  # of equal ones the latest, which the cache still holds
        if best < len(self.free) and self.free[best][0] <= max(4 * need, 4096):
            memory = self.free.pop(best)[2]
        else:
            memory = aligned(need)
            self.total += need
        return memory[:size].view(dtype).reshape(tuple(shape)), Root(memory)

    def give(self, root: Root) -> None:
        if not root.pinned and root.memory is not None:
            bisect.insort(self.free, (root.memory.nbytes, -next(self._time), root.memory))
            root.memory = None


# State ---------------------------------------------------------------------------------------------------------

_ARENAS: weakref.WeakValueDictionary[int, Arena] = weakref.WeakValueDictionary()


def references(arrays: Sequence[np.ndarray]) -> list[int]:
    """How many references each array has, this list's and the walk's own included."""
    return [sys.getrefcount(array) for array in arrays]


_IDLE = references([np.empty(0)])[0]  # of an array that stands in one list; Python versions differ


class Layout:
    """Where each array of a state lies: `groups` are lists of places to be laid side by side, in this order."""

    def __init__(self, specs: Sequence[tuple[tuple[int, ...], Any]], groups: Sequence[Sequence[int]]):
        self.specs = [(tuple(shape), np.dtype(dtype)) for shape, dtype in specs]
        placed = [i for group in groups for i in group]
        rest = [i for i in range(len(self.specs)) if i not in set(placed)]
        self.offsets = [0] * len(self.specs)
        end = 0
        for i in [*placed, *rest]:
            shape, dtype = self.specs[i]
            self.offsets[i] = end
            end += rounded(math.prod(shape) * dtype.itemsize)
        self.nbytes = end

    @property
    def key(self) -> Hashable:
        return tuple(
            (shape, dtype.str, offset) for (shape, dtype), offset in zip(self.specs, self.offsets, strict=True)
        )


class Arena:
    """Memory for a state. `views` are the arrays that callers get; programs use views of their own, so the references
    to these tell whether anybody still has the state."""

    def __init__(self, layout: Layout):
        self.layout, self.key = layout, layout.key
        self.memory = aligned(layout.nbytes)
        self.memory.fill(0)
        self.views = self.arrays()
        for view in self.views:
            _ARENAS[id(view)] = self

    def arrays(self) -> list[np.ndarray]:
        """New views of the state's arrays."""
        result = []
        for (shape, dtype), offset in zip(self.layout.specs, self.layout.offsets, strict=True):
            piece = self.memory[offset : offset + math.prod(shape) * dtype.itemsize]
            result.append(piece.view(dtype).reshape(shape))
        return result

    def span(self, places: Sequence[int]) -> np.ndarray | None:
        """One flat array over the given places, if they lie side by side and have one dtype; gaps hold zeros."""
        specs, offsets = self.layout.specs, self.layout.offsets
        if not places or len({specs[i][1] for i in places}) != 1:
            return None
        end = offsets[places[0]]
        for i in places:
            if offsets[i] != end:
                return None
            end += rounded(math.prod(specs[i][0]) * specs[i][1].itemsize)
        return self.memory[offsets[places[0]] : end].view(specs[places[0]][1])

    def idle(self) -> bool:
        """Whether nobody outside holds an array of this state."""
        return max(references(self.views), default=0) <= _IDLE

    def accepts(self, state: Sequence[Any]) -> bool:
        """Whether arrays of `state` lie here already, and nobody has any of the others: two states may share some."""
        taken = zip(references(self.views), self.views, state, strict=True)
        return any(map(is_, state, self.views)) and all(n <= _IDLE for n, view, value in taken if view is not value)

    def load(self, state: Sequence[Any]) -> None:
        """Copy in the arrays that are not here already."""
        moved = [(view, np.array(value)) for view, value in zip(self.views, state, strict=True) if view is not value]
        for view, value in moved:
            np.copyto(view, value, "unsafe")


def arena_of(state: Sequence[Any], key: Hashable) -> Arena | None:
    """The arena of this layout in which arrays of `state` lie already, and no array of another state."""
    for value in state:
        found = _ARENAS.get(id(value))
        if found is not None and found.key == key and found.accepts(state):
            return found
    return None
