"""`import keras` as `keras_front`, for scripts that are not ours to edit.

A finder answers for `keras` and everything below it with the module of the same path in `keras_front`: the
very same object, so a class is the same class under either name. It is installed on request only
(`keras-front run`).
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

from keras_front.errors import StateError

OLD, NEW = "keras", "keras_front"


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras.a.b` and loads `keras_front.a.b` for it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != OLD and not fullname.startswith(OLD + "."):
            return None
        if importlib.util.find_spec(_new_name(fullname)) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(_new_name(spec.name))
        self._kept = module.__spec__, getattr(module, "__loader__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__, module.__loader__ = self._kept  # the import system wrote the alias's own over them


def _new_name(old: str) -> str:
    return NEW + old.removeprefix(OLD)


def install() -> None:
    """From now on `import keras` gives `keras_front`.

    Raises: StateError if another `keras` has been imported already.
    """
    present = sys.modules.get(OLD)
    if present is not None and present.__name__ != NEW:
        raise StateError("Another `keras` is imported already; call this before anything imports keras.")
    if not any(isinstance(finder, Alias) for finder in sys.meta_path):
        sys.meta_path.insert(0, Alias())
