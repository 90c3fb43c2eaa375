"""Kernels that eager calls keep, by the shapes for which they were made."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

CAPACITY = 64  # kernels; each holds scratch memory of some megabytes at most


class KernelCache:
    """The kernels that were made for the latest arguments, at most `capacity` of them.

    A full cache drops a kernel at random. Dropping the one that was used longest ago would make a loop over one shape
    more than there is room for miss every time; at random it misses a few in a hundred. Each thread has kernels of its
    own, because a kernel writes into its scratch memory.

    Args:
        capacity: How many kernels are kept.
    """

    def __init__(self, capacity: int = CAPACITY):
        self.capacity = capacity
        self._kernels: dict[Any, Callable[..., None]] = {}
        self._draw = random.Random(0)
        self._lock = threading.Lock()

    def get(self, make: Callable[..., Callable[..., None]], *how: Any) -> Callable[..., None]:
        """The kernel `make(*how)`, made now or kept from an earlier call.

        Args:
            make: A function that allocates scratch memory and returns a kernel.
            *how: Its arguments; they can be hashed.
        """
        key = threading.get_ident(), make, how
        kernel = self._kernels.get(key)
        if kernel is None:
            kernel = make(*how)
            with self._lock:
                if len(self._kernels) >= self.capacity:
                    del self._kernels[self._draw.choice(list(self._kernels))]
                self._kernels[key] = kernel
        return kernel

    def __len__(self) -> int:
        return len(self._kernels)
