"""Initializers where TensorFlow has them: `tf.random_normal_initializer`, `tf.initializers`, `init_ops_v2`.

Source: TensorFlow 2.15, `tf.initializers`; the widths of `tf.*_normal_initializer` are those of version 2.
"""

from __future__ import annotations

from typing import Any

from keras_front import initializers

_SUFFIX = "_initializer"


def __getattr__(name: str) -> Any:
    short = name.removesuffix(_SUFFIX)
    spelled = short.title().replace("_", "") if name != short else name
    found = getattr(initializers, spelled, None) if spelled[0].isupper() else None
    if not (isinstance(found, type) and issubclass(found, initializers.Initializer)):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
