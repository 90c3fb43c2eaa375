"""Checks of layer arguments: each returns the value in its canonical form or says what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.errors import ArgumentError


def positive(where: str, name: str, value: Any) -> int:
    """A positive integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer | float) or int(value) != value or value < 1:
        raise ArgumentError(f"{where}: expected {name} to be a positive integer, received {value!r}.")
    return int(value)


def fraction(where: str, name: str, value: Any) -> float:
    """A number, for a rate between 0 and 1; Keras clips what lies outside."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ArgumentError(f"{where}: expected {name} to be a number between 0 and 1, received {value!r}.")
    return float(value)


def sizes(where: str, name: str, value: Any, count: int, least: int = 1) -> tuple[int, ...]:
    """`count` integers, given as one number or that many."""
    items = (value,) * count if isinstance(value, int | np.integer) else value
    ok = isinstance(items, Sequence | np.ndarray) and not isinstance(items, str) and len(items) == count
    if ok and len(items) == count and all(isinstance(n, int | np.integer) and n >= least for n in items):
        return tuple(int(n) for n in items)
    raise ArgumentError(
        f"{where}: expected {name} to be an integer of at least {least}, or a tuple of {count} of them, "
        f"received {value!r}."
    )


def pairs(where: str, name: str, value: Any, count: int) -> tuple[tuple[int, int], ...]:
    """`count` pairs of amounts: one number for all, one for each axis, or (before, after) for each axis."""
    if isinstance(value, int | np.integer):
        return ((int(value), int(value)),) * count
    items = list(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else []
    if len(items) == count:
        both = [(n, n) if isinstance(n, int | np.integer) else tuple(n) for n in items]
        if all(len(p) == 2 and all(isinstance(n, int | np.integer) and n >= 0 for n in p) for p in both):
            return tuple((int(a), int(b)) for a, b in both)
    raise ArgumentError(
        f"{where}: expected {name} to be an integer, {count} integers, or {count} pairs (before, after), "
        f"received {value!r}."
    )


def one_of(where: str, name: str, value: Any, choices: Sequence[Any]) -> Any:
    """One of the choices."""
    if value not in choices:
        raise ArgumentError(
            f"{where}: expected {name} to be one of {', '.join(map(repr, choices))}, received {value!r}."
        )
    return value


def padding_of(where: str, value: Any, causal: bool = False) -> str:
    """'valid' or 'same', in any case; 'causal' where it makes sense."""
    choices = ("valid", "same", "causal") if causal else ("valid", "same")
    return one_of(where, "padding", str(value).lower(), choices)
