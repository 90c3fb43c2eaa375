"""`import keras` and `import tensorflow.keras` as `keras_front`, for programs that are not ours to edit.

A finder answers for the packages by which programs name Keras (`paths.ROOTS`) and for everything below them with the
module of the same path in `keras_front`: the very same object, so a class is the same class under every name. A module
that was divided otherwise once takes further names from where they are today (`paths.HOMES`): `keras.layers.core` has
all names of ours and also finds `Merge`; `keras.engine.topology` has nothing but such names. No module of ours is ever
replaced by another one. The finder is installed on request only, see `keras_front/as_keras.py`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from keras_front import bytecode
from keras_front.errors import StateError
from keras_front.missing_names import missing_in_module

from . import backend, layers, reloading, removed_names
from .arguments import NAMES
from .paths import ADDITIONS, FOLDERS, HOMES, ROOTS
from .stand_in import finder as tensorflow
from .versions import keras_version

OLD, NEW = "keras", "keras_front"
RELOADED = f"{NEW}.backend"  # `reload(keras.backend)` reads again which engine is wanted

# Former names that modules of ours find when asked, by module: with them `from keras.layers import *` gives these too.
OLD_NAMES: dict[str, Callable[[], Iterable[str]]] = {
    "backend": backend.names,
    "layers": layers.names,
    "legacy.layers": layers.names,
    "regularizers": lambda: NAMES["regularizer"],
}


# Modules with names of other modules --------------------------------------------------------------------------


class Gathered(ModuleType):
    """A module some or all of whose names are those of other modules, its homes."""

    _path = ""  # without the name of the package
    _homes: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return sorted({found for home in self._homes for found in public_names(home_module(home))})
        if not name.startswith("__"):
            path = f"{self._path}.{name}"
            if path not in HOMES:
                for home in self._homes:
                    found = getattr(home_module(home), name, None)
                    if found is not None:
                        return found
            if _homes(path) is not None:
                return importlib.import_module(_joined(OLD, path))
        raise missing_in_module(self.__name__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """The import system makes a module an attribute of its package; one of ours that is there already stays."""
        if not (isinstance(value, Gathered) and isinstance(vars(self).get(name), ModuleType)):
            super().__setattr__(name, value)


class Root(ModuleType):
    """A package by which programs name Keras, such as `keras` or `tensorflow.keras`: what ours of the same path has."""

    _path = ""

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return keras_version(self.__name__)
        if name == "__all__":
            return [found for found in public_names(self._ours()) if not found.startswith("_")]
        if not name.startswith("__"):
            for home in (self._ours(), home_module("legacy.beside_keras" if self._path else "legacy.package")):
                found = getattr(home, name, None)
                if found is not None:
                    return found
            if f"{self.__name__}.{name}" in ROOTS or _is_there(_joined(self._path, name)):
                return importlib.import_module(f"{self.__name__}.{name}")
        raise missing_in_module(self.__name__, name)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *dir(self._ours())})

    def _ours(self) -> ModuleType:
        return importlib.import_module(_joined(NEW, self._path))


def public_names(module: ModuleType) -> list[str]:
    """What `from module import *` gives.

    Args:
        module: any module.
    """
    listed = getattr(module, "__all__", None)
    return list(listed) if listed is not None else [name for name in vars(module) if not name.startswith("_")]


def home_module(path: str) -> ModuleType:
    """The module of ours that has a path; one without names if there is none.

    Args:
        path: the path without the name of the package.
    """
    name = _joined(NEW, path)
    return importlib.import_module(name) if _exists(name) else ModuleType(name)


# The finder ---------------------------------------------------------------------------------------------------


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras.a.b`, or `tensorflow.keras.a.b`, and loads `keras_front.a.b` for it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """How to load a module of Keras; None if there is none of that name, or for any other module.

        Args:
            fullname: name of the module, with those of the packages that hold it.
            path: not needed.
            target: not needed.
        """
        if target is not None and fullname == RELOADED:
            return reloading.spec_of(target)
        ours = our_path(fullname)
        if ours is None or not _is_there(ours) or tensorflow.is_still_real(fullname):
            return None
        is_package = fullname in ROOTS or _holds_modules(ours)
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=is_package)
        if fullname in ROOTS:
            spec.origin = importlib.import_module(_joined(NEW, ours)).__file__
            spec.submodule_search_locations = [os.path.dirname(spec.origin or "")]
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module of ours, or a new one for the names that were in it once.

        Args:
            spec: what `find_spec` returned.
        """
        path = our_path(spec.name)
        if spec.name in ROOTS:
            root = Root(spec.name, importlib.import_module(_joined(NEW, path)).__doc__)
            root._path, root.__file__ = path or "", spec.origin
            if spec.name == OLD:
                _load_modules(root)
            return root
        if spec.name != _joined(OLD, path):  # all packages share what is below them
            return _kept(importlib.import_module(_joined(OLD, path)))
        if (homes := _homes(path)) is not None:
            return Gathered(spec.name, f"Former names from {', '.join(homes)}.")
        return _kept(importlib.import_module(_joined(NEW, path)))

    def exec_module(self, module: ModuleType) -> None:
        """Complete what `create_module` returned.

        Args:
            module: a module of ours, or one for former names.
        """
        if isinstance(module, Root):
            importlib.import_module(OLD)  # which makes modules attributes of their packages
        elif module.__name__ in _SPECS:
            module.__spec__ = _SPECS[module.__name__]
            _find_old_names(module, module.__name__.partition(".")[2])
        else:
            _complete(module, module.__name__.partition(".")[2])


_SPECS: dict[str, importlib.machinery.ModuleSpec | None] = {}  # of modules that are imported under a second name


def _kept(module: ModuleType) -> ModuleType:
    """A module that exists under another name; the import system is about to overwrite its spec.

    The first one counts: another thread may be importing the module under a third name.
    """
    _SPECS.setdefault(module.__name__, module.__spec__)
    return module


def _complete(module: ModuleType, path: str) -> None:
    """Tell a new module for former names where they are; a module of ours that has the same path finds them too."""
    homes = _homes(path) or ()
    if _exists(_joined(NEW, path)):
        _look_in(path, homes)
        _look_in(path.rpartition(".")[0], ())
        homes = (path, *homes)
    module._path, module._homes = path, homes  # type: ignore[attr-defined]


def _look_in(path: str, homes: tuple[str, ...]) -> None:
    """From now on a module of ours looks for names that it does not have in its homes, and keeps its submodules."""
    module = importlib.import_module(_joined(NEW, path))
    if type(module) is ModuleType:
        module.__class__ = Gathered
        module._path, module._homes = path, homes  # type: ignore[attr-defined]


def _find_old_names(module: ModuleType, path: str) -> None:
    """Let a module of ours find former names that it does not look for itself, and `import *` give those it finds."""
    if path in ADDITIONS:
        _look_in(path, ADDITIONS[path])
    if path != "backend":  # whose functions are looked at by nobody, and are many
        importlib.import_module(f"{NEW}.legacy.members").take_former_names(module, path)
    if path in OLD_NAMES:
        module.__all__ = list(dict.fromkeys([*public_names(module), *OLD_NAMES[path]()]))  # type: ignore[attr-defined]


def _load_modules(package: Root) -> None:
    """Load the modules that programs import, and make them attributes of their packages.

    This happens before `keras` is in `sys.modules`. Python lets other threads import what is below a package that it
    has only begun to load: were it there, they would load our modules in other orders, and wait for each other for
    ever. The modules are entered in `sys.modules` here: were they imported, a thread that holds the lock of one of them
    and waits for `keras` would wait for ever, too.
    """
    importlib.import_module(f"{NEW}.backend").backend = backend.spoken_backend
    importlib.import_module(f"{NEW}.legacy.members").install()
    loaded: dict[str, ModuleType] = {"": package}
    for name in filter(_is_module, package.__all__):
        _attach(loaded, name, importlib.import_module(_joined(NEW, name)))
    for path in HOMES:
        gathered = Gathered(_joined(OLD, path), f"Former names from {', '.join(HOMES[path])}.")
        _complete(gathered, path)
        _attach(loaded, path, gathered)
    del loaded[""]  # which the import system enters
    for path, module in loaded.items():  # when other threads see one, all are complete
        sys.modules.setdefault(_joined(OLD, path), module)


def _attach(loaded: dict[str, ModuleType], path: str, module: ModuleType) -> None:
    """Complete a module, make it an attribute of its package, and add it to those that are loaded, by path."""
    _find_old_names(module, path)
    if _holds_modules(path):
        module.__path__ = getattr(module, "__path__", [])
    parent, _, name = path.rpartition(".")
    setattr(loaded[parent], name, module)
    loaded[path] = module


# Paths --------------------------------------------------------------------------------------------------------


def our_path(name: str) -> str | None:
    """The path of ours that a module of Keras has, without the name of the package; None for any other module.

    Args:
        name: name of the module, such as 'tensorflow.keras.layers'.
    """
    root = name
    while root and root not in ROOTS:
        root = root.rpartition(".")[0]
    return _joined(ROOTS[root], name[len(root) + 1 :]) if root else None


def _homes(path: str) -> tuple[str, ...] | None:
    if path in HOMES:
        return HOMES[path]
    folder, _, leaf = path.rpartition(".")
    place = FOLDERS.get(folder)
    if place is not None and leaf.replace("_", "") in {name.lower() for name in public_names(home_module(place))}:
        return (place,)
    return None


def _is_there(path: str) -> bool:
    return _homes(path) is not None or _is_module(path)


def _holds_modules(path: str) -> bool:
    """Whether there are modules below one that is listed in `HOMES`."""
    return path in FOLDERS or any(name.startswith(path + ".") for name in HOMES)


def _joined(*parts: str) -> str:
    return ".".join(filter(None, parts))


def _is_module(path: str) -> bool:
    return _exists(_joined(NEW, path))


@functools.cache
def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def install() -> None:
    """From now on `import keras` and the other names of Keras give `keras_front`.

    Raises: StateError if another `keras` has been imported already.
    """
    present = sys.modules.get(OLD)
    if present is not None and not isinstance(present, Root):
        raise StateError("Another `keras` is imported already; call this before anything imports keras.")
    for kind in (tensorflow.Tensorflow, Alias):
        if not any(isinstance(finder, kind) for finder in sys.meta_path):
            sys.meta_path.insert(0, kind())
    tensorflow.complete_present()
    removed_names.restore()
    bytecode.serve_old_programs()
