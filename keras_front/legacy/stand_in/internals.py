"""What libraries import from `tensorflow.python`, where TensorFlow itself keeps it.

Source: TensorFlow 1.15 and 2.15, `python/util/tf_export.py`, `python/ops/rnn_cell_impl.py`,
`python/training/moving_averages.py`, `python/trackable/base.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.legacy.tf_layers import AbstractRNNCell
from keras_front.legacy.tf_utils import constant_value, smart_cond  # noqa: F401 - names of the modules

from .choices import Refused
from .variable_modules import Module

RNNCell = AbstractRNNCell
AutoTrackable = Trackable = Module
smart_constant_value = constant_value


def keras_export(*names: str, **options: Any) -> Callable[[Any], Any]:
    """A decorator that changes nothing; TensorFlow's own names a function or class in its public modules.

    Args:
        names: the public names.
        options: not used.
    """
    return lambda decorated: decorated


tf_export = keras_export


def _concat(prefix: Any, suffix: Any, static: bool = False) -> Any:
    """A shape with sizes before it, as the cells of TensorFlow 1 made the shape of a state.

    Args:
        prefix: a size, such as that of the batch, or several.
        suffix: a size, or several.
        static: whether unknown sizes stay None.
    """
    sizes = [size for part in (prefix, suffix) for size in (part if isinstance(part, list | tuple) else [part])]
    plain = all(size is None or isinstance(size, int | np.integer) for size in sizes)
    return sizes if static or plain else K.stack(sizes)


class StaticHashTable(Refused):
    """A table in TensorFlow's memory; `keras.layers.StringLookup` is one for any backend."""

    _path = "lookup."


HashTable = StaticHashTable


class TextFileInitializer(Refused):
    """What a table is read from."""

    _path = "lookup."


def assign_moving_average(variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: Any = None) -> Any:
    """Move a variable towards a value.

    Args:
        variable: the variable.
        value: where to.
        decay: the part of its own value that it keeps.
        zero_debias: must be False, as in the layers that call this.
        name: not used.

    Raises: ArgumentError for a correction of the first values, which needs a counter beside the variable.
    """
    if zero_debias:
        raise ArgumentError(
            "assign_moving_average: expected zero_debias=False, received True. Count the updates in a variable of "
            "your own, and divide by `1 - decay ** count`."
        )
    return K.moving_average_update(variable, value, decay)


def NoDependency(value: Any) -> Any:
    """The value: what a program keeps out of TensorFlow's checkpoints.

    Args:
        value: anything.
    """
    return value


def no_automatic_dependency_tracking(method: Any) -> Any:
    """The method as it is.

    Args:
        method: any method.
    """
    return method


def deprecated(*words: Any, **options: Any) -> Callable[[Any], Any]:
    """A decorator that changes nothing.

    Args:
        words: not used.
        options: not used.
    """
    return lambda decorated: decorated


deprecated_args = deprecated_arg_values = deprecated_endpoints = deprecated


def enabled() -> bool:
    """Whether this is the second TensorFlow: yes."""
    return True
