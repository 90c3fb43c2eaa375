"""Data on its way to a model: sequences, texts and images as arrays.

Each module is loaded when it is first named. None needs more than NumPy until images are read (Pillow) or turned
(SciPy).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_front.preprocessing import image as image
    from keras_front.preprocessing import sequence as sequence
    from keras_front.preprocessing import text as text

_MODULES = ("image", "sequence", "text")

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
