"""A cache of a fixed size that does not thrash: for kernels by shape, and for generated functions by state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from keras_front.backend.tables import make_room

T = TypeVar("T")


class BoundedCache(Generic[T]):
    """What was made for the latest keys, at most `capacity` things.

    A full cache drops one at random. Dropping the one that was used longest ago would make a loop over one key more
    than there is room for miss every time; at random it misses a few in a hundred.

    Args:
        capacity: How many things are kept.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self._kept: dict[Hashable, T] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under a key; `make()` if nothing is."""
        found = self._kept.get(key)
        return self._put(key, make()) if found is None else found

    def _put(self, key: Hashable, item: T) -> T:
        with self._lock:
            make_room(self._kept, entries=self.capacity)
            self._kept[key] = item
        return item

    def __len__(self) -> int:
        return len(self._kept)
