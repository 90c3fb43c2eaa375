"""keras_front: the classic Keras as a front over engines that it does not know.

Everything below is loaded when it is first named, so `import keras_front` costs next to nothing and imports
no engine: an engine is imported when the first op runs on it, and h5py when a file is read or written.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

_MODULES = {
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "distribution",
    "dtype_policies",
    "errors",
    "export",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "quantizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
}

# A name of the package, and the module that it comes from.
_NAMES = {
    "Input": "layers",
    "Model": "models",
    "RematScope": "graph.recompute",
    "Sequential": "models",
    "device": "backend.discovery",
    "dialect": "config",
    "install_as_keras": "doors",
    "remat": "backend.ops.recompute",
    "set_backend": "backend.discovery",
    "set_dialect": "config",
    "set_random_seed": "backend.seeds",
    "use_backend": "backend.discovery",
}

__all__ = sorted([*_MODULES, *_NAMES, "__version__"])

if TYPE_CHECKING:
    from keras_front import backend as backend
    from keras_front import config as config
    from keras_front import layers as layers
    from keras_front import models as models
    from keras_front.backend.discovery import device as device
    from keras_front.backend.discovery import set_backend as set_backend
    from keras_front.backend.discovery import use_backend as use_backend
    from keras_front.backend.ops.recompute import remat as remat
    from keras_front.backend.seeds import set_random_seed as set_random_seed
    from keras_front.config import dialect as dialect
    from keras_front.config import set_dialect as set_dialect
    from keras_front.doors import install_as_keras as install_as_keras
    from keras_front.graph.recompute import RematScope as RematScope
    from keras_front.layers import Input as Input
    from keras_front.models import Model as Model
    from keras_front.models import Sequential as Sequential


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        found = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = found
        return found
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    from keras_front.missing_names import missing_in_module

    raise missing_in_module(__name__, name)


def __dir__() -> list[str]:
    return __all__
