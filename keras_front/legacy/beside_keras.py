"""What `keras_preprocessing` and `keras_applications` had beside their modules: which Keras they work with.

Source: Keras-Preprocessing 1.1.2 and Keras-Applications 1.0.8, their `__init__.py`.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from keras_front.errors import ArgumentError

# Where 1.0.8 kept the modules that it was given; `keras_applications._KERAS_BACKEND` is `keras.backend`.
_KEPT = {f"_KERAS_{name.upper()}": name for name in ("backend", "layers", "models", "utils")}
SUBMODULES = ("backend", "engine", "layers", "models", "utils")


def set_keras_submodules(**submodules: Any) -> None:
    """Nothing: this is the Keras that they work with.

    Args:
        submodules: modules of a Keras by name.

    Raises: ArgumentError for a name that is none.
    """
    for name in submodules:
        get_keras_submodule(name)


def get_keras_submodule(name: str) -> ModuleType:
    """A module of Keras.

    Args:
        name: 'backend', 'engine', 'layers', 'models' or 'utils'.

    Raises: ArgumentError for another name.
    """
    if name not in SUBMODULES:
        raise ArgumentError(f"get_keras_submodule: expected one of {SUBMODULES}, received {name!r}.")
    return import_module(f"keras.{name}")


def get_submodules_from_kwargs(kwargs: dict[str, Any]) -> tuple[ModuleType, ...]:
    """The modules backend, layers, models and utils of Keras.

    Args:
        kwargs: arguments of a function; modules among them are not needed.
    """
    return tuple(get_keras_submodule(name) for name in ("backend", "layers", "models", "utils"))


def __getattr__(name: str) -> Any:
    if name in _KEPT:
        return get_keras_submodule(_KEPT[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
