"""`keras.legacy.interfaces` of Keras 2: decorators with which a layer accepted older argument names.

Here every layer does, so the decorators, which layers of others were written with, change nothing.
Source: Keras 2.2.4, `keras/legacy/interfaces.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def generate_legacy_interface(*args: Any, **kwargs: Any) -> Callable[[T], T]:
    """Decorator that returns what it is given.

    Args:
        *args: what the decorator of Keras took; it is not needed.
        **kwargs: likewise.
    """
    return _unchanged


def _unchanged(function: T) -> T:
    return function


def __getattr__(name: str) -> Any:
    """`legacy_dense_support` and its like."""
    if name.startswith("legacy_") and name.endswith("_support"):
        return _unchanged
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
