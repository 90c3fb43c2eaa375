"""Choices and loops that are Python functions: `cond`, `while_loop`, `vectorized_map`."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from keras_front.backend import scopes, symbolic
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops.elementwise import (
    cast,
    where,
)
from keras_front.backend.ops.folding import map_fn
from keras_front.backend.ops.recurrence import scan
from keras_front.errors import UntraceableError
from keras_front.tracebacks import api_boundary


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions; where `pred` has a value only that one is called, else both.

    Args:
        pred: a bool, or a scalar tensor of bool.
        true_fn: a function without arguments, whose result is taken where `pred` is true.
        false_fn: the same for false; its results have the shapes of those of `true_fn`.

    Returns: a tensor, or a list or tuple of them.

    Example:
        >>> cond(True, lambda: 1.0, lambda: 2.0)
        1.0
    """
    if not symbolic.is_symbolic(pred) and not hasattr(pred, "symbol"):
        return true_fn() if bool(pred) else false_fn()
    from keras_front.backend.choice import switch

    then, other = true_fn(), false_fn()
    if isinstance(then, list | tuple):
        return type(then)(switch(pred, a, b) for a, b in zip(then, other, strict=True))
    return switch(pred, then, other)


@api_boundary
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """`loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)`.

    Args:
        cond: takes the loop's tensors, returns a scalar bool.
        body: takes the loop's tensors, returns them for the next round, with the same shapes.
        loop_vars: a tensor, or a list or tuple of them.
        maximum_iterations: the most rounds, None for no limit. On symbolic tensors it must be given, unless the
            condition is about known numbers alone: the loop then runs that often, and stops changing when it is done.

    Returns: the last tensors, in the structure of `loop_vars`.

    Raises:
        UntraceableError: tensors are symbolic and there is no maximum.

    Example:
        >>> [int(v) for v in K.while_loop(lambda i: i < 3, lambda i: [i + 1], [K.constant(0)])]
        [3]
    """
    single = not isinstance(loop_vars, list | tuple)
    carry = [as_symbol_or_tensor(t) for t in ([loop_vars] if single else loop_vars)]
    if scopes.tracing() or builtins.any(map(symbolic.is_symbolic, carry)):
        carry = _recorded_loop(cond, body, carry, maximum_iterations)
    else:
        carry = _python_loop(cond, body, carry, maximum_iterations)
    return carry[0] if single else type(loop_vars)(carry)


def _listed(items: Any) -> list[Any]:
    return list(items) if isinstance(items, list | tuple) else [items]


def _python_loop(cond: Any, body: Any, carry: list[Any], limit: int | None) -> list[Any]:
    done = 0
    while (limit is None or done < limit) and bool(cond(*carry)):
        carry, done = [as_symbol_or_tensor(t) for t in _listed(body(*carry))], done + 1
    return carry


def _recorded_loop(cond: Any, body: Any, carry: list[Any], limit: int | None) -> list[Any]:
    """The loop in a record: one op where it has a limit; else each round, as long as the condition has a value."""
    if symbolic.asks_for_values() or (limit is None and not symbolic.is_symbolic(cond(*carry))):
        return _python_loop(cond, body, carry, limit)
    if limit is None:
        raise UntraceableError(
            "while_loop: on symbolic tensors give `maximum_iterations`, so that the loop has an end."
        )
    return _bounded_loop(cond, body, carry, limit)


def _bounded_loop(cond: Any, body: Any, carry: Sequence[Any], limit: int) -> list[Any]:
    def step(now: list[Any], _: list[Any]) -> tuple[list[Any], list[Any]]:
        going = cast(cond(*now), "bool")
        return [where(going, cast(n, t.dtype), t) for n, t in zip(_listed(body(*now)), now, strict=True)], []

    return list(scan(step, list(carry), [], length=limit)[0])


def vectorized_map(function: Callable[..., Any], elements: Any) -> Any:
    """`function` of each row of `elements`, stacked.

    Args:
        function: takes a row, or a list of rows.
        elements: a tensor, or a list of tensors of equal length, of whose rows the function gets a list.

    Returns: a tensor, or a list of them if the function returns a list.

    Example:
        >>> K.vectorized_map(lambda row: K.sum(row), np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [3.0, 7.0]
    """
    return map_fn(function, elements)
