"""`import keras` as `keras_front`, for scripts that are not ours to edit.

A finder answers for `keras` and everything below it with the module of the same path in `keras_front`: the
very same object, so a class is the same class under either name. Modules that were divided otherwise once
(`keras.layers.convolutional`, `keras.engine.topology`, `keras.objectives`) take their names from where they are
today. It is installed on request only (`keras-front run`).
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from keras_front.errors import StateError

OLD, NEW = "keras", "keras_front"

_LAYERS = ("layers", "graph", "models")
# Modules of old, and where today's names are that were in them, the first place first.
HOMES: dict[str, tuple[str, ...]] = {
    "engine": _LAYERS,
    **{f"engine.{name}": _LAYERS for name in (
        "base_layer", "input_layer", "network", "sequential", "topology", "training",
    )},
    "engine.saving": ("models", "saving"),
    "initializations": ("legacy.initializations", "initializers"),
    **{f"layers.{name}": ("layers",) for name in (
        "advanced_activations", "convolutional", "convolutional_recurrent", "core", "embeddings", "local", "noise",
        "normalization", "pooling", "recurrent", "wrappers",
    )},
    "legacy.layers": ("layers",),
    "objectives": ("losses",),
    "utils.layer_utils": ("utils", "layers"),
}  # fmt: skip

# Methods that scripts of old call on any layer.
METHODS = {"get_output_shape_for": "compute_output_shape"}


class Gathered(ModuleType):
    """A module of old, whose names are those of several modules of today."""

    _homes: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        for home in [] if name.startswith("__") else self._homes:
            found = getattr(importlib.import_module(f"{NEW}.{home}"), name, None)
            if found is not None:
                return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras.a.b` and loads `keras_front.a.b` for it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != OLD and not fullname.startswith(OLD + "."):
            return None
        if fullname.removeprefix(OLD + ".") not in HOMES and not _is_there(_new_name(fullname)):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == f"{OLD}.engine")

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        homes = HOMES.get(spec.name.removeprefix(OLD + "."))
        if homes is not None:
            gathered = Gathered(spec.name, f"Names of old from {', '.join(homes)}.")
            gathered._homes = homes
            self._kept = spec, self
            return gathered
        module = importlib.import_module(_new_name(spec.name))
        self._kept = module.__spec__, getattr(module, "__loader__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__, module.__loader__ = self._kept  # the import system wrote the alias's own over them


def _new_name(old: str) -> str:
    return NEW + old.removeprefix(OLD)


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def install() -> None:
    """From now on `import keras` gives `keras_front`.

    Raises: StateError if another `keras` has been imported already.
    """
    present = sys.modules.get(OLD)
    if present is not None and present.__name__ != NEW:
        raise StateError("Another `keras` is imported already; call this before anything imports keras.")
    if not any(isinstance(finder, Alias) for finder in sys.meta_path):
        sys.meta_path.insert(0, Alias())
        for name in [home for home in HOMES if "." not in home]:
            setattr(importlib.import_module(NEW), name, importlib.import_module(f"{OLD}.{name}"))
        layer = importlib.import_module(f"{NEW}.graph").Layer
        for old, new in METHODS.items():
            setattr(layer, old, lambda self, *args, new=new: getattr(self, new)(*args))
