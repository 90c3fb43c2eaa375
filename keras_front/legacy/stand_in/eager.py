"""`tensorflow.python.eager.context`: what libraries ask about how and where TensorFlow runs.

Source: TensorFlow 2.15, `tensorflow/python/eager/context.py`.
"""

from __future__ import annotations

import contextlib

from keras_front.backend import seeds

from .devices import list_logical_devices
from .process import executing_eagerly


def global_seed() -> int:
    """The seed that all random numbers come from."""
    return seeds.root_seed()


def num_gpus() -> int:
    """How many GPUs the active backend has."""
    return len(list_logical_devices("GPU"))


eager_mode = graph_mode = contextlib.nullcontext


class Context:
    """How TensorFlow would run in this thread."""

    executing_eagerly = staticmethod(executing_eagerly)
    num_gpus = staticmethod(num_gpus)


_CONTEXT = Context()


def context() -> Context:
    """The one context."""
    return _CONTEXT
