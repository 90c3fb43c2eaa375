"""Functions applied to the rows of tensors, one after the other: `map_fn`, `foldl`, `foldr`. All are scans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend import symbolic
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops.arrangement import stack
from keras_front.backend.ops.elementwise import cast
from keras_front.backend.ops.recurrence import scan
from keras_front.backend.ops.subscript import getitem
from keras_front.errors import ArgumentError, WrongKindError
from keras_front.failures import explains_failures


def _rows(fn: Any, elems: Any, name: str) -> tuple[list[Any], bool]:
    """The tensors whose rows are taken, and whether several were given."""
    if not callable(fn):
        raise WrongKindError(f"K.{name}: expected fn to be a function, received {fn!r:.60}.")
    several = isinstance(elems, list | tuple)
    tensors = [as_symbol_or_tensor(e) for e in (elems if several else [elems])]
    if not tensors or any(len(t.shape) == 0 for t in tensors):
        raise ArgumentError(f"{name}: expected tensors with a first axis to walk along, received {elems!r:.60}.")
    return tensors, several


@explains_failures
def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of each row of `elems`, stacked.

    Args:
        fn: takes a row (or a list of rows) and returns a tensor or a list of them.
        elems: a tensor, or a list of tensors of equal length, of whose rows `fn` gets a list.
        name: ignored; Keras 2 named the node.
        dtype: that of the result; None: as `fn` returns it.

    Returns: a tensor, or a list of them.

    Raises:
        ArgumentError: a tensor has no rows.

    Example:
        >>> from keras_front import backend as K
        >>> K.eval(map_fn(lambda row: 2 * row, K.constant([1.0, 2.0]))).tolist()
        [2.0, 4.0]
    """
    tensors, several = _rows(fn, elems, "map_fn")
    made: list[bool] = []

    def step(carry: list[Any], xs: list[Any]) -> tuple[list[Any], list[Any]]:
        result = fn(list(xs) if several else xs[0])
        made[:] = [isinstance(result, list | tuple)]
        return carry, list(result) if made[0] else [result]

    ys = _each_by_itself(step, tensors) if symbolic.asks_for_values() else scan(step, [], tensors)[1]
    if isinstance(dtype, list | tuple):
        ys = [cast(y, of) for y, of in zip(ys, dtype, strict=True)]
    elif dtype is not None:
        ys = [cast(y, dtype) for y in ys]
    return ys if made[0] else ys[0]


def _each_by_itself(step: Callable[..., Any], tensors: list[Any]) -> list[Any]:
    """What `step` makes of each row, stacked, in a record for known values: the code may ask for those of a row."""
    rows = [step([], [getitem(t, i) for t in tensors])[1] for i in range(tensors[0].shape[0])]
    return [stack(list(ys), axis=0) for ys in zip(*rows, strict=True)]


def _fold(fn: Callable[..., Any], elems: Any, initializer: Any, reverse: bool, name: str) -> Any:
    tensors, several = _rows(fn, elems, name)
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


@explains_failures
def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(fn(fn(initializer, x0), x1), ...)` over the rows of `elems`.

    Args:
        fn: takes what there is so far and a row (or a list of rows), and returns what there is then.
        elems: a tensor, or a list of tensors of equal length.
        initializer: what there is before; None: the first row, and the loop begins at the next one.
        name: ignored; Keras 2 named the node.

    Returns: the last result.

    Raises:
        ArgumentError: a tensor has no rows, or several tensors come without an initializer.

    Example:
        >>> from keras_front import backend as K
        >>> float(K.eval(foldl(lambda so_far, row: so_far - row, K.constant([1.0, 2.0, 4.0]))))
        -5.0
    """
    return _fold(fn, elems, initializer, False, "foldl")


@explains_failures
def foldr(fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As `foldl`, from the last row to the first.

    Args:
        fn: takes what there is so far and a row (or a list of rows), and returns what there is then.
        elems: a tensor, or a list of tensors of equal length.
        initializer: what there is before; None: the last row, and the loop begins at the next one.
        name: ignored; Keras 2 named the node.

    Returns: the last result.

    Raises:
        ArgumentError: a tensor has no rows, or several tensors come without an initializer.

    Example:
        >>> from keras_front import backend as K
        >>> float(K.eval(foldr(lambda so_far, row: so_far - row, K.constant([1.0, 2.0, 4.0]))))
        1.0
    """
    return _fold(fn, elems, initializer, True, "foldr")
