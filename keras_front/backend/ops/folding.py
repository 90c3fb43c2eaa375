"""Functions applied to the rows of tensors, one after the other: `map_fn`, `foldl`, `foldr`. All are scans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend.declare import as_symbol_or_tensor
from keras_front.backend.ops.elementwise import cast
from keras_front.backend.ops.recurrence import scan
from keras_front.backend.ops.subscript import getitem
from keras_front.errors import ArgumentError


def _rows(elems: Any, name: str) -> tuple[list[Any], bool]:
    """The tensors whose rows are taken, and whether several were given."""
    several = isinstance(elems, list | tuple)
    tensors = [as_symbol_or_tensor(e) for e in (elems if several else [elems])]
    if not tensors or any(len(t.shape) == 0 for t in tensors):
        raise ArgumentError(f"{name}: expected tensors with a first axis to walk along, received {elems!r:.60}.")
    return tensors, several


def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of each row of `elems`, stacked.

    `elems` may be a list of tensors of equal length, whose rows `fn` gets as a list; `fn` may return a list. `dtype`
    is the dtype of the result.
    """
    tensors, several = _rows(elems, "map_fn")
    made: list[bool] = []

    def step(carry: list[Any], xs: list[Any]) -> tuple[list[Any], list[Any]]:
        result = fn(list(xs) if several else xs[0])
        made[:] = [isinstance(result, list | tuple)]
        return carry, list(result) if made[0] else [result]

    _, ys = scan(step, [], tensors)
    if dtype is not None:
        ys = [cast(y, dtype) for y in ys]
    return ys if made[0] else ys[0]


def _fold(fn: Callable[..., Any], elems: Any, initializer: Any, reverse: bool, name: str) -> Any:
    tensors, several = _rows(elems, name)
    if initializer is None:
        place, rest = (-1, slice(None, -1)) if reverse else (0, slice(1, None))
        if several:
            raise ArgumentError(f"{name}: several tensors need an `initializer`.")
        initializer, tensors = getitem(tensors[0], place), [getitem(tensors[0], rest)]
    nested = isinstance(initializer, list | tuple)
    init = list(initializer) if nested else [initializer]

    def step(carry: list[Any], xs: list[Any]) -> tuple[list[Any], list[Any]]:
        result = fn(list(carry) if nested else carry[0], list(xs) if several else xs[0])
        return list(result) if nested else [result], []

    final, _ = scan(step, init, tensors, reverse)
    return final if nested else final[0]


def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(fn(fn(initializer, x0), x1), ...)` over the rows of `elems`; without an initializer the first row begins."""
    return _fold(fn, elems, initializer, False, "foldl")


def foldr(fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As `foldl`, from the last row to the first."""
    return _fold(fn, elems, initializer, True, "foldr")
