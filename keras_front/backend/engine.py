"""What modules below `adapter` know of an engine: the few members that they use.

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
    lacks: frozenset[str]
    distributes: bool

    def __hash__(self) -> int:
        """Engines are distinguished by identity; caches are kept for each."""

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

    def import_variable(self, value: Any, source: Engine | None, variable: Any) -> Any:
        """The value of a variable as a tensor of one's own.

        Args:
            value: the tensor.
            source: whose it is; None for an array.
            variable: the variable.
        """

    def whole_variable(self, value: Any, variable: Any) -> Any:
        """The value of a variable, also where another process keeps it.

        Args:
            value: what this process has of it.
            variable: the variable.
        """

    def lasts(self, value: Any) -> bool:
        """Whether a tensor may be kept: not one in a function that the engine traces by itself.

        Args:
            value: anything.
        """

    def size(self, value: Any) -> Any:
        """A size that is a tensor, as a number; the tensor where its value is not known yet.

        Args:
            value: a scalar tensor.
        """

    def is_host(self, x: Any) -> bool:
        """Whether a tensor may as well be an array of the host's.

        Args:
            x: a tensor of the engine.
        """

    def share(self, value: Any) -> Any:
        """A tensor in the memory of an array or of a tensor of another engine.

        Args:
            value: the array or tensor.
        """

    def value_and_grad(self, fn: Any, params: Any) -> Any:
        """((loss, aux), gradients) on real tensors.

        Args:
            fn: a function of the parameters that gives (loss, aux).
            params: tensors of the engine.
        """

    def custom_gradient(self, fn: Any, args: Any) -> list[Any]:
        """The results of a function with a gradient of its own.

        Args:
            fn: gives (results, rule) from the arguments.
            args: tensors of the engine.
        """

    def recompute(self, fn: Any, args: Any, captured: Any) -> list[Any]:
        """The results of a function that is computed again for its gradient.

        Args:
            fn: gives a list of results from the two lists.
            args: tensors of the engine.
            captured: further ones.
        """

    def barrier(self, xs: Any, after: Any) -> list[Any]:
        """The same tensors, made later than others.

        Args:
            xs: tensors of the engine.
            after: those others.
        """

    def scan(self, fn: Any, init: list[Any], xs: list[Any], *, reverse: bool = False, length: int | None = None) -> Any:
        """A loop on real tensors; see `ops.recurrence.scan`.

        Args:
            fn: one step.
            init: the first carry.
            xs: what the steps take slices of.
            reverse: from the last step to the first.
            length: the number of steps where `xs` is empty.
        """

    def copy(self, x: Any) -> Any:
        """A tensor with memory of its own.

        Args:
            x: a tensor of the engine.
        """

    def own_value(self, variable: Any) -> Any:
        """The value of a variable for the user, who may keep it.

        Args:
            variable: the variable.
        """

    def user_code(self) -> AbstractContextManager[Any]:
        """A context for code of the user's that computes on real tensors."""

    def overrides(self, name: str) -> bool:
        """Whether the adapter brings an op itself, also in programs.

        Args:
            name: the op.
        """
