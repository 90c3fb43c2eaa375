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
    from keras_front.utils.image_dataset_utils import image_dataset_from_directory as image_dataset_from_directory
    from keras_front.utils.text_dataset_utils import text_dataset_from_directory as text_dataset_from_directory
    from keras_front.utils.timeseries_dataset_utils import (
        timeseries_dataset_from_array as timeseries_dataset_from_array,
    )

_MODULES = ("image", "sequence", "text")
_OF_UTILS = ("image_dataset_from_directory", "text_dataset_from_directory", "timeseries_dataset_from_array")

__all__ = [*_MODULES, *_OF_UTILS]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _OF_UTILS:
        return getattr(import_module("keras_front.utils"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
