"""Private functions of Keras's backend modules that other libraries import.

Source: Keras 2.2.4 and 2.3.1, `keras/backend/tensorflow_backend.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from keras_front import backend as K
from keras_front import config
from keras_front.backend import discovery

F = TypeVar("F", bound=Callable[..., Any])


def symbolic(func: F) -> F:
    """Decorator of Keras's own functions that changes nothing: functions of K take symbols and values.

    Args:
        func: the function.
    """
    return func


def eager(func: F) -> F:
    """Decorator of Keras's own functions that changes nothing: functions of K take symbols and values.

    Args:
        func: the function.
    """
    return func


def _to_tensor(x: Any, dtype: Any) -> Any:
    """A value as a tensor.

    Args:
        x: the value.
        dtype: its dtype.
    """
    return K.cast(K.convert(x), dtype)


def _is_symbolic_tensor(x: Any) -> bool:
    """Whether something is a symbolic tensor.

    Args:
        x: anything.
    """
    return K.is_symbolic(x)


def _get_available_gpus() -> list[str]:
    """The names of the active backend's GPUs."""
    return [name for name in discovery.active().devices() if not name.lower().startswith(("cpu", "host"))]


def _normalize_axis(axis: Any, ndim: int) -> Any:
    """Axes counted from the front.

    Args:
        axis: a number, several, or None.
        ndim: the number of axes.
    """
    if isinstance(axis, list | tuple):
        return [one % ndim for one in axis]
    return None if axis is None else axis % ndim


def _preprocess_padding(padding: str) -> str:
    """TensorFlow's word for a padding.

    Args:
        padding: 'same' or 'valid'.
    """
    return padding.upper()


def _preprocess_conv2d_input(x: Any, data_format: str, force_transpose: bool = False) -> tuple[Any, str]:
    """Images with channels last, and TensorFlow's word for that.

    Args:
        x: images.
        data_format: where their channels are.
        force_transpose: not used: they are always put last.
    """
    if config.normalize_data_format(data_format) == "channels_first":
        x = K.permute_dimensions(x, (0, 2, 3, 1))
    return x, "NHWC"
