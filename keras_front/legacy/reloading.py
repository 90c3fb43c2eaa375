"""`importlib.reload(keras.backend)`, with which programs change the engine after writing it into the environment.

os.environ["KERAS_BACKEND"] = "theano"
importlib.reload(K)
assert K.backend() == "theano"
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
from types import ModuleType
from typing import Any

from keras_front import config
from keras_front.backend import discovery


class Reloader(importlib.abc.Loader):
    """Chooses the backend again instead of running the module again."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def exec_module(self, module: ModuleType) -> None:
        """Take the engine that `KERAS_BACKEND` names now, or speak in its name if it is gone or another one was chosen.

        Args:
            module: the module of K.

        Raises: BackendNotFoundError if it cannot be had.
        """
        module.__spec__, module.__loader__ = self.spec, self.spec.loader
        ours, classic = config.KINDS["backend"].environment
        wanted = os.environ.get(classic)
        if wanted and wanted not in discovery.RETIRED and not os.environ.get(ours):
            discovery.set_backend(wanted)
        known = wanted in config.ENGINES_OF_KERAS_2 and wanted != discovery.backend()
        config.put("speak_as", wanted if known else config.KINDS["speak_as"].default, "reload(keras.backend)")


def spec_of(module: ModuleType) -> importlib.machinery.ModuleSpec:
    """How to load the module of K again.

    Args:
        module: the module.
    """
    spec = importlib.machinery.ModuleSpec(module.__name__, Reloader(module.__spec__), is_package=True)
    spec.submodule_search_locations = list(module.__path__)
    return spec
