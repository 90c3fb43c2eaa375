"""The gradients of a batch that goes through a step of the user's in parts: added up, and used after the last part.

While parts are collected, `Optimizer.apply` adds its gradients to those of the parts before, instead of taking a step.
A step may call it several times, for several optimizers: the calls of a part are told apart by their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from keras_front.errors import ArgumentError

_COLLECTING: ContextVar[Parts | None] = ContextVar("keras_front_parts", default=None)


class Parts:
    """What the calls of `apply` in each part had: the weights, and the sum of their gradients, each with its share."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., None], Sequence[Any], list[Any]]] = []
        self._share, self._place = 1.0, 0

    def begin(self, share: float) -> None:
        """Begin a part.

        Args:
            share: of the samples of the batch.
        """
        self._share, self._place = share, 0

    def add(self, apply: Callable[..., None], params: Sequence[Any], grads: Sequence[Any]) -> None:
        """Take the gradients of a call.

        Args:
            apply: takes the step: `apply(params, grads)`.
            params: the weights.
            grads: their gradients, or None.

        Raises: ArgumentError if the parts do not call for the same weights.
        """
        scaled = [None if g is None else g * self._share for g in grads]
        if self._place == len(self._calls):
            self._calls.append((apply, params, scaled))
        else:
            _, known, sums = self._calls[self._place]
            if [*map(id, known)] != [*map(id, params)]:
                raise ArgumentError("fit: accumulate: expected train_step to update the same weights for each part.")
            sums[:] = [b if a is None else a if b is None else a + b for a, b in zip(sums, scaled, strict=True)]
        self._place += 1

    def apply(self) -> None:
        """Take the steps, in the order of their calls."""
        for apply, params, sums in self._calls:
            apply(params, sums)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """A context in which optimizers take no step."""
        token = _COLLECTING.set(self)
        try:
            yield
        finally:
            _COLLECTING.reset(token)


def deferred(apply: Callable[..., None], params: Sequence[Any], grads: Sequence[Any]) -> bool:
    """Whether gradients wait for those of other parts; then they are kept.

    Args:
        apply: takes the step later.
        params: the weights.
        grads: their gradients.

    Example:
        >>> deferred(print, [], [])
        False
    """
    parts = _COLLECTING.get()
    if parts is not None:
        parts.add(apply, params, grads)
    return parts is not None
