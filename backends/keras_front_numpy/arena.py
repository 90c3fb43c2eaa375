"""Arenas: memory for the state that a step owns and updates in place.

All of a state lies in one piece of memory, weights beside weights and slots beside slots, so that an optimizer's update
is a few calls. Callers get views of it back from every step; as long as they hand these in again, nothing is copied.
"""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Hashable, Sequence
from operator import is_
from typing import Any

import numpy as np

from .buffers import aligned, rounded

_ARENAS: weakref.WeakValueDictionary[int, Arena] = weakref.WeakValueDictionary()


def references(arrays: Sequence[np.ndarray]) -> list[int]:
    """How many references each array has, those of this list and of the loop here included."""
    return [sys.getrefcount(array) for array in arrays]


_IDLE = references([np.empty(0)])[0]  # of an array that stands in one list; Python versions differ


class Layout:
    """Where each array of a state lies.

    Args:
        specs: The (shape, dtype) of each array.
        groups: Lists of places in `specs` whose arrays are to lie side by side, in this order.
    """

    def __init__(self, specs: Sequence[tuple[tuple[int, ...], Any]], groups: Sequence[Sequence[int]]):
        self.specs = [(tuple(shape), np.dtype(dtype)) for shape, dtype in specs]
        placed = [i for group in groups for i in group]
        rest = sorted(set(range(len(self.specs))).difference(placed))
        self.offsets = [0] * len(self.specs)
        end = 0
        for i in [*placed, *rest]:
            shape, dtype = self.specs[i]
            self.offsets[i] = end
            end += rounded(math.prod(shape) * dtype.itemsize)
        self.nbytes = end

    @property
    def key(self) -> Hashable:
        """What makes two layouts the same."""
        return tuple(
            (shape, dtype.str, offset) for (shape, dtype), offset in zip(self.specs, self.offsets, strict=True)
        )


class Arena:
    """Memory for a state.

    Args:
        layout: Where its arrays lie.

    Attributes:
        memory: All of it, as bytes.
        views: The arrays that callers get. Programs use views of their own, so the references to these tell whether
            the state is still referenced.
        writes: How often steps have written over the state, where the adapter counts it (see `arenas_of`).
    """

    def __init__(self, layout: Layout):
        self.layout, self.key, self.writes = layout, layout.key, 0
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


def arenas_of(arrays: Sequence[Any]) -> list[Arena]:
    """The arenas in which some of these arrays lie: where steps may write over them."""
    found = (_ARENAS.get(id(array)) for array in arrays)
    return list({id(arena): arena for arena in found if arena is not None}.values())


def arena_of(state: Sequence[Any], key: Hashable) -> Arena | None:
    """The arena of this layout in which arrays of `state` lie already, and no array of another state."""
    for value in state:
        found = _ARENAS.get(id(value))
        if found is not None and found.key == key and found.accepts(state):
            return found
    return None
