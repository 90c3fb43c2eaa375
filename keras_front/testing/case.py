"""One call of an op: its arguments and what should come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Case:
    """A call `op(*arrays, **attrs)` and `reference`, the same in NumPy.

    `arrays` are arrays, lists of arrays, or None; `grads` the places of arguments that have a gradient; `tolerance`
    multiplies what is allowed between results; `smooth` is False where the first gradient jumps, as it does at a tie;
    `view` is what of the results is compared (the signs of singular vectors are open).
    """

    def __init__(
        self,
        *arrays: Any,
        reference: Callable[..., Any] | None = None,
        grads: Sequence[int] = (),
        tolerance: float = 1.0,
        smooth: bool = True,
        view: Callable[[Any], Any] | None = None,
        **attrs: Any,
    ):
        self.arrays, self.attrs, self.reference, self.grads = arrays, attrs, reference, tuple(grads)
        self.tolerance, self.smooth, self.view = tolerance, smooth, view

    def __repr__(self) -> str:
        shapes = [[x.shape for x in a] if isinstance(a, list) else None if a is None else a.shape for a in self.arrays]
        attrs = "".join(f", {k}={v!r}" for k, v in self.attrs.items())
        return f"({', '.join(map(str, shapes))}{attrs})"
