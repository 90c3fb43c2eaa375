"""Choices that TensorFlow leaves to programs and that change nothing here, and tensors as messages of TensorBoard.

Source: TensorFlow 2.15, `tf.VariableAggregation`, `tf.AggregationMethod`, `tf.make_tensor_proto`.
"""

from __future__ import annotations

import enum
from typing import Any

from keras_front.backend.host_values import on_host

from .modules import MissingFromStandInError, missing


class Refused:
    """A class that libraries import and ask `isinstance` about; nothing is an instance, and making one is an error."""

    _path = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise MissingFromStandInError(missing(f"tensorflow.{cls._path}{cls.__name__}"))


class IndexedSlices(Refused):
    """Gradients of some rows; gradients here are whole."""


IndexedSlicesValue = IndexedSlices


class VariableAggregation(enum.Enum):
    """How values of replicas become one; there is one replica."""

    NONE, SUM, MEAN, ONLY_FIRST_REPLICA = range(4)


class VariableSynchronization(enum.Enum):
    """When values of replicas become one."""

    AUTO, NONE, ON_WRITE, ON_READ = range(4)


class AggregationMethod:
    """How gradients of one tensor are summed: the engine decides."""

    ADD_N, DEFAULT, EXPERIMENTAL_TREE, EXPERIMENTAL_ACCUMULATE_N = 0, 0, 1, 2


def make_tensor_proto(values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False) -> Any:
    """A tensor as the message that files of TensorBoard hold, made by the package `tensorboard`.

    Args:
        values: a tensor, an array, numbers or texts.
        dtype: its dtype.
        shape: its shape.
        verify_shape: not used.
    """
    from tensorboard.util import tensor_util

    if not isinstance(values, str | bytes | list | tuple):
        (values,) = on_host("tf.make_tensor_proto", values)
    return tensor_util.make_tensor_proto(values, dtype, shape)


def make_ndarray(tensor: Any) -> Any:
    """The array of such a message.

    Args:
        tensor: the message.
    """
    from tensorboard.util import tensor_util

    return tensor_util.make_ndarray(tensor)
