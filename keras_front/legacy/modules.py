"""`import keras` as `keras_front`, for scripts that are not ours to edit.

A finder answers for `keras` and everything below it with the module of the same path in `keras_front`: the very same
object, so a class is the same class under either name. A module that was divided otherwise once takes further names
from where they are today: `keras.layers.core` has all names of ours and also finds `Merge`; `keras.engine.topology` has
nothing but such names. No module of ours is ever replaced by another one. The finder is
installed on request only (`keras-front run`).
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from keras_front.errors import StateError

from . import backend, layers
from .arguments import NAMES

OLD, NEW = "keras", "keras_front"

_LAYERS = ("layers", "graph", "models")
# Former modules, and where the current names are that were in them, the first place first.
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
    "objectives": ("losses",),
    "utils.layer_utils": ("utils", "layers"),
}  # fmt: skip

# Methods that old scripts call on any layer.
METHODS = {"get_output_shape_for": "compute_output_shape"}


# Former names that modules of ours find when asked, by module: with them `from keras.layers import *` gives these too.
OLD_NAMES: dict[str, Callable[[], Iterable[str]]] = {
    "backend": backend.names,
    "layers": layers.names,
    "legacy.layers": layers.names,
    "regularizers": lambda: NAMES["regularizer"],
}


class Gathered(ModuleType):
    """A module some or all of whose names are those of other modules, its homes."""

    _homes: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return sorted({found for home in self._homes for found in public_names(_home(home))})
        for home in [] if name.startswith("__") else self._homes:
            found = getattr(_home(home), name, None)
            if found is not None:
                return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """The import system makes a module an attribute of its package; one of ours that is there already stays."""
        if not (isinstance(value, Gathered) and isinstance(vars(self).get(name), ModuleType)):
            super().__setattr__(name, value)


def public_names(module: ModuleType) -> list[str]:
    """What `from module import *` gives.

    Args:
        module: any module.
    """
    listed = getattr(module, "__all__", None)
    return list(listed) if listed is not None else [name for name in vars(module) if not name.startswith("_")]


def _home(name: str) -> ModuleType:
    return importlib.import_module(f"{NEW}.{name}")


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras.a.b` and loads `keras_front.a.b` for it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """How to load a module of `keras`; None if there is none of that name, or for any other module.

        Args:
            fullname: name of the module, with those of the packages that hold it.
            path: not needed.
            target: not needed.
        """
        if fullname != OLD and not fullname.startswith(OLD + "."):
            return None
        if _path(fullname) not in HOMES and not _is_there(_new_name(fullname)):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == f"{OLD}.engine")

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module of ours, or a new one for the names that were in it once.

        Args:
            spec: what `find_spec` returned.
        """
        homes = HOMES.get(_path(spec.name))
        if homes is not None:
            return Gathered(spec.name, f"Former names from {', '.join(homes)}.")
        module = importlib.import_module(_new_name(spec.name))
        spec.loader_state = module.__spec__  # the import system puts the spec of the alias into its place
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Complete what `create_module` returned.

        Args:
            module: a module of ours, or one for former names.
        """
        name = module.__spec__.name  # type: ignore[union-attr]
        if not isinstance(module, Gathered) or module.__name__ != name:
            module.__spec__ = module.__spec__.loader_state  # type: ignore[union-attr]
            _list_old_names(module, _path(name))
            return
        module._homes = HOMES[_path(name)]
        if _is_there(_new_name(name)):
            _look_in(importlib.import_module(_new_name(name)), module._homes)
            _look_in(importlib.import_module(_new_name(name).rpartition(".")[0]), ())
            module._homes = (_path(name), *module._homes)


def _look_in(module: ModuleType, homes: tuple[str, ...]) -> None:
    """From now on a module of ours looks for names that it does not have in its homes, and keeps its submodules."""
    if type(module) is ModuleType:
        module.__class__ = Gathered
        module._homes = homes  # type: ignore[attr-defined]


def _list_old_names(module: ModuleType, path: str) -> None:
    """Let `import *` give the former names that a module of ours finds."""
    if path in OLD_NAMES:
        module.__all__ = list(dict.fromkeys([*public_names(module), *OLD_NAMES[path]()]))  # type: ignore[attr-defined]


def _path(old: str) -> str:
    return old.removeprefix(OLD).removeprefix(".")


def _new_name(old: str) -> str:
    return NEW + old.removeprefix(OLD)


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def install() -> None:
    """From now on `import keras` gives `keras_front`.

    The modules of ours that scripts import are loaded here, in one thread: where one thread imports a package and
    another one a module of it, Python may find a deadlock.

    Raises: StateError if another `keras` has been imported already.
    """
    present = sys.modules.get(OLD)
    if present is not None and present.__name__ != NEW:
        raise StateError("Another `keras` is imported already; call this before anything imports keras.")
    if any(isinstance(finder, Alias) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, Alias())
    package = importlib.import_module(OLD)
    ours = [name for name in package.__all__ if _is_there(f"{NEW}.{name}")]
    for name in [*ours, *HOMES]:
        importlib.import_module(f"{OLD}.{name}")  # an attribute of its package, with the former names
    layer = importlib.import_module(f"{NEW}.graph").Layer
    for old, new in METHODS.items():
        setattr(layer, old, lambda self, *args, new=new: getattr(self, new)(*args))
