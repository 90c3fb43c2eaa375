"""`keras.ops.numpy` of Keras 3: the same functions as in `keras_front.ops`."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("keras_front.ops"), name)
