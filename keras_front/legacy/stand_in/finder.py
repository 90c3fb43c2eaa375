"""The finder for `tensorflow`: puts our Keras into the real one, or makes the modules of the stand-in."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from keras_front.backend import eager_tensors

from . import graph_functions, real, tensors
from .modules import MODULES, StandIn, missing

NAME = "tensorflow"
_NO_TENSORFLOW = "tensorboard.compat.notf"  # present where tensorboard is to do without
KERAS = (f"{NAME}.keras", f"{NAME}.compat.v1.keras", f"{NAME}.compat.v2.keras", f"{NAME}.python.keras")


class Tensorflow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `tensorflow` and what is below it, but for Keras."""

    is_stand_in = True  # looking for the backend of this name, one sees that it is not installed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """How to load a module of TensorFlow; None for any other.

        Args:
            fullname: name of the module, with those of the packages that hold it.
            path: passed on to other finders.
            target: passed on to other finders.

        Raises: ModuleNotFoundError for a module that the stand-in does not have.
        """
        if fullname == NAME:
            real = self._real(path, target)
            return real if real is not None else importlib.machinery.ModuleSpec(NAME, self, is_package=True)
        if not fullname.startswith(NAME + ".") or not isinstance(sys.modules.get(NAME), StandIn):
            return None
        if fullname[len(NAME) + 1 :] not in MODULES:
            raise ModuleNotFoundError(missing(fullname), name=fullname)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def _real(self, path: Any, target: Any) -> importlib.machinery.ModuleSpec | None:
        others = [finder for finder in sys.meta_path if not isinstance(finder, Tensorflow)]
        try:
            found = next(filter(None, (finder.find_spec(NAME, path, target) for finder in others)), None)
        except ImportError:  # somebody keeps it away
            return None
        if found is not None and found.loader is not None:
            found.loader = Completing(found.loader)
        return found

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """A module of the stand-in.

        Args:
            spec: what `find_spec` returned.
        """
        return StandIn(spec.name, sys.modules[__package__].__doc__)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: a module of the stand-in finds its names when they are asked for.

        The package `tensorboard` is told in its own way that there is no TensorFlow.

        Args:
            module: the module.
        """
        if module.__name__ == NAME:
            eager_tensors.answer_programs_of_tensorflow()
            tensors.teach()
            sys.modules.setdefault(_NO_TENSORFLOW, ModuleType(_NO_TENSORFLOW))


class Completing(importlib.abc.Loader):
    """The loader of the real TensorFlow, after which its Keras is ours."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """What the loader of TensorFlow makes.

        Args:
            spec: what the finder returned.
        """
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load TensorFlow, and put our Keras into it.

        Args:
            module: TensorFlow.
        """
        module.__loader__ = module.__spec__.loader = self.loader  # type: ignore[union-attr]
        self.loader.exec_module(module)
        complete(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


def complete(module: ModuleType) -> None:
    """Put our Keras into the real TensorFlow. What of TensorFlow itself needs its own old copy has it already.

    Args:
        module: TensorFlow.
    """
    for name in [name for name in sys.modules if f"{name}.".startswith(tuple(f"{keras}." for keras in KERAS))]:
        del sys.modules[name]
    module._keras_front_is_keras = True  # type: ignore[attr-defined]
    for keras in KERAS:
        parent, _, name = keras.rpartition(".")
        setattr(importlib.import_module(parent), name, importlib.import_module(keras))
    real.complete_names(module)
    real.complete_functions(module)
    graph_functions.complete_function(module)
    real.complete_seeds(module)
    eager_tensors.answer_programs_of_tensorflow(module.Tensor)  # type: ignore[attr-defined]
    tensors.teach()


def is_ready() -> bool:
    """Whether `tensorflow` is the stand-in or has our Keras; not while it is being loaded."""
    module = sys.modules.get(NAME)
    return isinstance(module, StandIn) or hasattr(module, "_keras_front_is_keras")


def is_still_real(name: str) -> bool:
    """Whether a module is one of a TensorFlow that is being loaded, which needs its own old copy of Keras.

    Args:
        name: name of the module.
    """
    return name.partition(".")[0] == NAME and not is_ready()


def complete_present() -> None:
    """Put our Keras into a TensorFlow that was imported already."""
    present = sys.modules.get(NAME)
    if present is not None and not is_ready():
        complete(present)
