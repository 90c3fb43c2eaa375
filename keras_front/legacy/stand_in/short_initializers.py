"""Initializers by their short names, as in `tf.initializers.zeros`."""

from __future__ import annotations

from typing import Any

from . import first_values


def __getattr__(name: str) -> Any:
    return getattr(first_values, f"{name}_initializer")
