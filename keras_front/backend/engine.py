"""What the floors below the adapters know of an engine: the few members by which they speak to one.

`adapter.Backend` has them all. Nothing here imports an engine, nor the class that adapters derive from.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np


class Engine(Protocol):
    """An adapter as seen by those who choose one, keep its tensors, and move them."""

    name: str
    native: set[type]

    def check(self) -> None:
        """Raises: BackendError naming the primitives that are missing."""

    def devices(self) -> list[str]:
        """Names of the devices that the engine can use here."""

    def is_tensor(self, x: Any) -> bool:
        """Whether `x` is one of the engine's tensors.

        Args:
            x: anything.
        """

    def to_numpy(self, x: Any) -> np.ndarray:
        """The values of a tensor; the array may share memory with it.

        Args:
            x: a tensor of the engine.
        """

    def dtype_of(self, x: Any) -> str:
        """The name of a tensor's dtype.

        Args:
            x: a tensor of the engine, or an array.
        """

    def convert(self, value: Any, dtype: str | None = None) -> Any:
        """Anything array-like as a tensor of the engine.

        Args:
            value: a tensor, array, number, list or variable.
            dtype: the name of the result's dtype; None keeps the value's own.
        """

    def import_tensor(self, value: Any, source: Engine | None, dtype: str) -> Any:
        """A tensor of another engine, or of the host, as one's own.

        Args:
            value: the tensor.
            source: whose it is; None for an array.
            dtype: the name of the result's dtype.
        """

    def copy(self, x: Any) -> Any:
        """A tensor with memory of its own.

        Args:
            x: a tensor of the engine.
        """

    def user_code(self) -> AbstractContextManager[Any]:
        """A context for code of the user's that computes on real tensors."""

    def overrides(self, name: str) -> bool:
        """Whether the adapter brings an op itself, also in programs.

        Args:
            name: the op.
        """
