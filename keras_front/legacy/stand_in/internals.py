"""What libraries import from `tensorflow.python`, where TensorFlow itself keeps it.

Source: TensorFlow 1.15 and 2.15, `python/util/tf_export.py`, `python/ops/rnn_cell_impl.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.legacy.tf_layers import AbstractRNNCell

from .modules import MissingFromStandInError, missing

RNNCell = AbstractRNNCell


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


class _Refused:
    """Can be imported, as libraries do that use it in one of their layers alone; making one is an error."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise MissingFromStandInError(missing(f"tensorflow.lookup.{cls.__name__}"))


class StaticHashTable(_Refused):
    """A table in TensorFlow's memory; `keras.layers.StringLookup` is one for any backend."""


HashTable = StaticHashTable


class TextFileInitializer(_Refused):
    """What a table is read from."""
