"""`keras.backend.load_backend` of Keras 2.3, of which programs ask where `keras.json` is.

Source: Keras 2.3.1, `keras/backend/load_backend.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import config

__all__ = ["get_keras_home"]


def get_keras_home() -> str:
    """The folder of `keras.json` and of cached files."""
    return str(config.path().parent)


def __getattr__(name: str) -> Any:
    if name == "_config_path":
        return str(config.path())
    if name in ("_keras_dir", "_keras_base_dir"):
        return get_keras_home()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
