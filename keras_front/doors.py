"""`install_as_keras`: from now on `import keras` and its like give keras_front, here and in child processes."""

from __future__ import annotations

import os
from pathlib import Path

from keras_front import config
from keras_front.backend import discovery
from keras_front.legacy import modules

__all__ = ["install_as_keras"]


def install_as_keras(
    backend: str | None = None, dialect: str | None = None, speak_as: str | None = None, children: bool = True
) -> None:
    """From now on `import keras`, `import tensorflow.keras` and their like give keras_front.

    Where TensorFlow is installed all but its Keras stays what it is; where it is not, `tensorflow` is a small stand-in
    with what programs for Keras use of it.

    Args:
        backend: the backend to run on. By default the active one.
        dialect: the Keras whose defaults and conventions hold: 'keras1', 'keras2.2', 'keras2.3', 'tf.keras' or
            'keras3'. By default what is set.
        speak_as: what `K.backend()` answers, for libraries that know three engines and refuse a fourth: 'tensorflow',
            'theano' or 'cntk', or 'backend', the default, for the name of the backend.
        children: whether processes that this one starts inherit all this: those of `multiprocessing`, and any Python
            that is not started with `-E` or `-I`. They are told by the environment: `KERAS_FRONT_BACKEND` and the
            like, and a folder in `PYTHONPATH` with a `sitecustomize.py`.

    Raises: StateError if another `keras` has been imported already; ConfigError for an unknown name;
        BackendNotFoundError if there is no such backend.
    """
    given = {"dialect": dialect, "speak_as": speak_as}
    for name, value in given.items():
        if value is not None:
            config.put(name, value, "install_as_keras")
    if backend is not None:
        discovery.check_name(backend)
    modules.install()  # before the engine is loaded, which may import a Keras of its own
    if backend is not None:
        discovery.set_backend(backend)
    if children:
        _tell_children({"backend": backend, **given})


def _tell_children(settings: dict[str, str | None]) -> None:
    for name, value in settings.items():
        if value is not None:
            os.environ[f"KERAS_FRONT_{name.upper()}"] = value
    start = str(Path(modules.__file__).parent / "start")
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != start]
    os.environ["PYTHONPATH"] = os.pathsep.join([start, *paths])
