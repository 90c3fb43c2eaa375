"""The modules of the stand-in for TensorFlow, where each finds its names, and the error for any other."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from keras_front.errors import KerasFrontError
from keras_front.legacy.paths import ROOTS

from . import functions

_ALL = ("functions", "dtypes", "process", "sessions", "assignments", "first_values", "random", "tape")
_OPS = ("functions", "assignments", "first_values", "random")

# Modules of the stand-in, without `tensorflow`, and the files of this folder with their names.
MODULES: dict[str, tuple[str, ...]] = {
    "": _ALL,
    "app": ("flags",),
    "autograph": ("process",),
    "compat": ("process",),
    "compat.v1": _ALL,
    "compat.v1.app": ("flags",),
    "compat.v1.config": ("devices",),
    "compat.v1.config.experimental": ("devices",),
    "compat.v1.distribute": ("strategies",),
    "compat.v1.errors": ("strategies",),
    "compat.v1.flags": ("flags",),
    "compat.v1.gfile": ("files",),
    "compat.v1.image": ("functions",),
    "compat.v1.initializers": ("first_values", "short_initializers"),
    "compat.v1.io": (),
    "compat.v1.io.gfile": ("files",),
    "compat.v1.linalg": ("functions",),
    "compat.v1.logging": ("logs",),
    "compat.v1.math": ("functions",),
    "compat.v1.nn": ("functions",),
    "compat.v1.random": ("random",),
    "compat.v1.test": ("devices",),
    "compat.v2": _ALL,
    "config": ("devices",),
    "config.experimental": ("devices",),
    "config.optimizer": ("devices",),
    "config.threading": ("devices",),
    "contrib": (),
    "distribute": ("strategies",),
    "distribute.cluster_resolver": ("strategies",),
    "dtypes": ("dtypes",),
    "errors": ("strategies",),
    "flags": ("flags",),
    "gfile": ("files",),
    "image": ("functions",),
    "initializers": ("first_values", "short_initializers"),
    "io": (),
    "io.gfile": ("files",),
    "linalg": ("functions",),
    "logging": ("logs",),
    "manip": ("functions",),
    "math": ("functions",),
    "nn": ("functions",),
    "python": (),
    "python.client": (),
    "python.client.device_lib": ("devices",),
    "python.framework": (),
    "python.framework.errors": ("strategies",),
    "python.framework.ops": ("sessions",),
    "python.ops": (),
    "python.ops.array_ops": _OPS,
    "python.ops.check_ops": _OPS,
    "python.ops.clip_ops": _OPS,
    "python.ops.control_flow_ops": _OPS,
    "python.ops.embedding_ops": _OPS,
    "python.ops.functional_ops": _OPS,
    "python.ops.gen_math_ops": _OPS,
    "python.ops.init_ops": _OPS,
    "python.ops.init_ops_v2": _OPS,
    "python.ops.linalg_ops": _OPS,
    "python.ops.math_ops": _OPS,
    "python.ops.nn": _OPS,
    "python.ops.nn_ops": _OPS,
    "python.ops.random_ops": _OPS,
    "python.ops.resource_variable_ops": _OPS,
    "python.ops.state_ops": _OPS,
    "python.ops.variable_scope": _OPS,
    "python.ops.variables": _OPS,
    "python.platform": (),
    "python.platform.tf_logging": ("logs",),
    "random": ("random",),
    "signal": ("functions",),
    "sysconfig": ("devices",),
    "test": ("devices",),
    "version": ("process",),
}


# What TensorFlow 2 offers of Keras beside `tf.keras`.
_KERAS = ("losses", "metrics", "optimizers")


class MissingFromStandInError(KerasFrontError, AttributeError):
    """A program asked the stand-in for something that only the real TensorFlow has."""


class StandIn(ModuleType):
    """A module of the stand-in."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        path = self.__name__.partition(".")[2]
        if name == "newaxis":
            return None
        if name in _KERAS and path in ("", "compat.v2"):
            return importlib.import_module(f"tensorflow.keras.{name}")
        if f"{path}.{name}".lstrip(".") in MODULES or f"{self.__name__}.{name}" in ROOTS:
            return importlib.import_module(f"{self.__name__}.{name}")
        for source in MODULES[path]:
            found = getattr(importlib.import_module(f"{__package__}.{source}"), name, None)
            if found is not None and not _is_import(found):
                return found
        found = functions.of_tensorflow(path, name) if "functions" in MODULES[path] else None
        if found is not None:
            return found
        raise MissingFromStandInError(missing(f"{self.__name__}.{name}"))


def _is_import(found: Any) -> bool:
    """Whether something is in a file because the file needs it."""
    return isinstance(found, ModuleType) or getattr(found, "__module__", "") in ("typing", "collections.abc")


def missing(name: str) -> str:
    """The message for something that the stand-in does not have.

    Args:
        name: its name, such as 'tensorflow.data'.
    """
    return (
        f"{name}: TensorFlow is not installed, and the stand-in that keras_front has for it knows only what programs "
        "for Keras commonly use beside `tensorflow.keras`. For this one install the real one: pip install tensorflow."
    )
