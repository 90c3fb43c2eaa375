"""Initializers where TensorFlow has them: `tf.random_normal_initializer`, `tf.initializers`, `init_ops_v2`.

Source: TensorFlow 2.15, `tf.initializers`; the widths of `tf.*_normal_initializer` are those of version 2.
"""

from __future__ import annotations

from typing import Any

from keras_front import initializers

_SUFFIX = "_initializer"


def __getattr__(name: str) -> Any:
    found = None if name.startswith("_") else getattr(initializers, name.removesuffix(_SUFFIX), None)
    if found is None or not (name.endswith(_SUFFIX) or hasattr(found, "get_config") or name in _FUNCTIONS):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found


_FUNCTIONS = frozenset(
    "constant glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform ones orthogonal "
    "truncated_normal variance_scaling zeros".split()
)
