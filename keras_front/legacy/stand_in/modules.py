"""The modules of the stand-in for TensorFlow, where each finds its names, and the error for any other."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from keras_front.errors import KerasFrontError
from keras_front.legacy.paths import ROOTS

from . import calls

_ALL = (
    "functions",
    "choices",
    "variable_modules",
    "checks",
    "dtypes",
    "process",
    "sessions",
    "assignments",
    "first_values",
    "kinds",
    "random",
    "tape",
    "tensor_arrays",
)
_OPS = ("functions", "assignments", "first_values", "random")

# Modules of the stand-in, without `tensorflow`, and the files of this folder with their names.
MODULES: dict[str, tuple[str, ...]] = {
    "": _ALL,
    "app": ("flags",),
    "autograph": ("process", "checks"),
    "autograph.experimental": ("process", "checks"),
    "debugging": ("checks",),
    "sparse": ("sparse",),
    "strings": ("texts",),
    "summary": ("summaries",),
    "train": ("checkpoints", "records"),
    "compat": ("process",),
    "compat.v1": _ALL,
    "compat.v1.app": ("flags",),
    "compat.v1.config": ("devices",),
    "compat.v1.config.experimental": ("devices",),
    "compat.v1.data": ("data",),
    "compat.v1.data.experimental": ("data",),
    "compat.v1.distribute": ("strategies",),
    "compat.v1.errors": ("strategies",),
    "compat.v1.flags": ("flags",),
    "compat.v1.gfile": ("files",),
    "compat.v1.image": ("functions", "image_files"),
    "compat.v1.initializers": ("first_values", "short_initializers"),
    "compat.v1.io": ("image_files", "records"),
    "compat.v1.io.gfile": ("files",),
    "compat.v1.linalg": ("functions",),
    "compat.v1.logging": ("logs",),
    "compat.v1.math": ("functions",),
    "compat.v1.metrics": ("batch_measures",),
    "compat.v1.nest": ("nests",),
    "compat.v1.nn": ("functions",),
    "compat.v1.random": ("random",),
    "compat.v1.summary": ("summaries",),
    "compat.v1.train": ("checkpoints", "records"),
    "compat.v1.sparse": ("sparse",),
    "compat.v1.strings": ("texts",),
    "compat.v1.test": ("devices",),
    "compat.v2": _ALL,
    "config": ("devices",),
    "config.experimental": ("devices",),
    "config.optimizer": ("devices",),
    "config.threading": ("devices",),
    "contrib": (),
    "data": ("data",),
    "data.experimental": ("data",),
    "distribute": ("strategies",),
    "distribute.cluster_resolver": ("strategies",),
    "dtypes": ("dtypes",),
    "errors": ("strategies",),
    "flags": ("flags",),
    "gfile": ("files",),
    "image": ("functions", "image_files"),
    "initializers": ("first_values", "short_initializers"),
    "io": ("image_files", "records"),
    "io.gfile": ("files",),
    "python_io": ("records",),
    "linalg": ("functions",),
    "logging": ("logs",),
    "manip": ("functions",),
    "math": ("functions",),
    "metrics": ("batch_measures",),
    "nest": ("nests",),
    "nn": ("functions",),
    "python": (),
    "python.client": (),
    "python.client.device_lib": ("devices",),
    "python.framework": (),
    "python.distribute": (),
    "python.distribute.distribution_strategy_context": ("strategies",),
    "python.eager": (),
    "python.eager.backprop": ("tape",),
    "python.eager.context": ("eager",),
    "python.eager.def_function": ("process",),
    "python.framework.config": ("devices",),
    "python.framework.constant_op": _OPS,
    "python.framework.dtypes": ("dtypes",),
    "python.framework.errors": ("strategies",),
    "python.framework.indexed_slices": ("choices",),
    "python.framework.ops": ("sessions", "functions", "choices", "process"),
    "python.framework.random_seed": ("random",),
    "python.framework.smart_cond": ("internals",),
    "python.framework.sparse_tensor": ("kinds",),
    "python.framework.tensor_spec": ("checks",),
    "python.framework.tensor_shape": ("functions",),
    "python.framework.tensor_util": ("functions",),
    "python.layers": (),
    "python.layers.utils": ("windows",),
    "python.ops": (),
    "python.ops.array_ops": _OPS,
    "python.ops.check_ops": _OPS,
    "python.ops.clip_ops": _OPS,
    "python.ops.control_flow_ops": _OPS,
    "python.ops.embedding_ops": _OPS,
    "python.ops.functional_ops": _OPS,
    "python.ops.gen_array_ops": _OPS,
    "python.ops.gen_math_ops": _OPS,
    "python.ops.gen_nn_ops": _OPS,
    "python.ops.gradients_impl": _OPS,
    "python.ops.init_ops": _OPS,
    "python.ops.init_ops_v2": _OPS,
    "python.ops.image_ops": _OPS,
    "python.ops.linalg_ops": _OPS,
    "python.ops.lookup_ops": ("internals",),
    "python.ops.math_ops": _OPS,
    "python.ops.nn": _OPS,
    "python.ops.nn_impl": _OPS,
    "python.ops.nn_ops": _OPS,
    "python.ops.random_ops": _OPS,
    "python.ops.resource_variable_ops": _OPS,
    "python.ops.rnn_cell": ("internals",),
    "python.ops.rnn_cell_impl": ("internals",),
    "python.ops.special_math_ops": _OPS,
    "python.ops.standard_ops": _OPS,
    "python.ops.state_ops": _OPS,
    "python.ops.tensor_array_ops": ("tensor_arrays",),
    "python.ops.variable_scope": _OPS,
    "python.ops.variables": _OPS,
    "python.platform": (),
    "python.platform.gfile": ("files",),
    "python.platform.tf_logging": ("logs",),
    "python.tf2": ("internals",),
    "python.trackable": (),
    "python.trackable.base": ("internals",),
    "python.trackable.data_structures": ("internals",),
    "python.training": (),
    "python.training.moving_averages": ("internals",),
    "python.training.tracking": (),
    "python.training.tracking.base": ("internals",),
    "python.training.tracking.data_structures": ("internals",),
    "python.training.tracking.tracking": ("internals",),
    "python.util": (),
    "python.util.compat": ("process",),
    "python.util.deprecation": ("internals",),
    "python.util.nest": ("nests",),
    "python.util.tf_export": ("internals",),
    "python.util.tf_inspect": ("inspection",),
    "ragged": ("ragged",),
    "random": ("random",),
    "signal": ("functions",),
    "sysconfig": ("devices",),
    "test": ("devices",),
    "version": ("process",),
}


# What TensorFlow 2 offers of Keras beside `tf.keras`.
_KERAS = ("losses", "optimizers")


class MissingFromStandInError(KerasFrontError, AttributeError):
    """A program asked the stand-in for something that only the real TensorFlow has."""


class StandIn(ModuleType):
    """A module of the stand-in."""

    def __getattr__(self, name: str) -> Any:
        path = self.__name__.partition(".")[2]
        if name == "__all__":  # for `from tensorflow.python.ops.rnn_cell import *`
            return _public_names(MODULES[path])
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if name == "newaxis":
            return None
        if name in _KERAS and path in ("", "compat.v2"):
            return importlib.import_module(f"tensorflow.keras.{name}")
        if f"{path}.{name}".lstrip(".") in MODULES or f"{self.__name__}.{name}" in ROOTS:
            return importlib.import_module(f"{self.__name__}.{name}")
        found = _found_in(MODULES[path], name)
        if found is None and "functions" in MODULES[path]:
            found = calls.of_tensorflow(path, name)
        if found is None:
            raise MissingFromStandInError(missing(f"{self.__name__}.{name}"))
        return found


def _found_in(sources: tuple[str, ...], name: str) -> Any:
    """What is called `name` in the first of these files of this folder that has it, or None."""
    for source in sources:
        found = getattr(importlib.import_module(f"{__package__}.{source}"), name, None)
        if found is not None and not _is_import(found):
            return found
    return None


def _public_names(sources: tuple[str, ...]) -> list[str]:
    files = [importlib.import_module(f"{__package__}.{source}") for source in sources]
    return sorted({n for file in files for n, found in vars(file).items() if n[0] != "_" and not _is_import(found)})


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
