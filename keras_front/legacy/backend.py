"""Names that `keras.backend` had and K has no more: renamed, reordered, or bound to an engine that is gone.

`keras_front.backend` asks here, by name, when it is asked for something it does not know; see `find`.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable
from typing import Any

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, BackendError

# Another name for the same function.
RENAMED = {"lesser": "less", "lesser_equal": "less_equal"}

# Python's own, which K's names hide.
PYTHON = {f"py_{name}": getattr(builtins, name) for name in ("all", "any", "sum", "slice")}

# What belongs to an engine that is gone or to a session: the former signature, and what to do today.
GONE = {
    "get_session": ("()", "There are no sessions: K.function, K.eval and K.get_value compute at once."),
    "set_session": ("(session)", "There are no sessions; choose the device with keras_front.device(name)."),
    "get_graph": ("()", "There is no global graph: a tensor knows its origin; K.clear_session resets names."),
    "v1_variable_initialization": ("()", "Variables have their values when they are made; nothing is left to do."),
    "set_legacy_weight_ordering": ("(value)", "Old files are read in their own order; nothing is left to choose."),
}

ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def format_of(dim_ordering: str | None) -> str:
    """`data_format` for a `dim_ordering`: 'tf', 'th' or 'default'.

    Args:
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
    """
    if dim_ordering in (None, "default"):
        return config.image_data_format()
    if dim_ordering not in ORDERINGS:
        raise ArgumentError(f"dim_ordering: expected 'tf', 'th' or 'default', received {dim_ordering!r}.")
    return ORDERINGS[dim_ordering]


def image_dim_ordering() -> str:
    """'tf' or 'th', Keras 1's word for the data format."""
    return {new: old for old, new in ORDERINGS.items()}[config.image_data_format()]


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Choose the data format by Keras 1's word for it.

    Args:
        dim_ordering: 'tf' (channels last) or 'th' (channels first).
    """
    if dim_ordering not in ORDERINGS:
        raise ArgumentError(f"dim_ordering: expected 'tf' or 'th', received {dim_ordering!r}.")
    config.set_image_data_format(ORDERINGS[dim_ordering])


def legacy_weight_ordering() -> bool:
    """Whether weights are ordered as in Keras 0: never."""
    return False


def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """`temporal_padding` with both amounts named.

    Args:
        x: tensor (batch, steps, features).
        left_pad: steps of zeros before.
        right_pad: steps of zeros after.
    """
    return K.temporal_padding(x, (left_pad, right_pad))


def asymmetric_spatial_2d_padding(
    x: Any, top_pad: int = 1, bottom_pad: int = 1, left_pad: int = 1, right_pad: int = 1, dim_ordering: str = "default"
) -> Any:
    """`spatial_2d_padding` with all amounts named.

    Args:
        x: tensor of images.
        top_pad: rows or columns of zeros at this side.
        bottom_pad: rows or columns of zeros at this side.
        left_pad: rows or columns of zeros at this side.
        right_pad: rows or columns of zeros at this side.
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
    """
    return K.spatial_2d_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), format_of(dim_ordering))


def deconv2d(
    x: Any, kernel: Any, output_shape: Any, strides: Any = (1, 1), border_mode: str = "valid",
    dim_ordering: str = "default", image_shape: Any = None, filter_shape: Any = None,
) -> Any:  # fmt: skip
    """`conv2d_transpose`, with a kernel (rows, columns, filters, channels).

    Args:
        x: tensor of images.
        kernel: kernel (rows, columns, filters, channels).
        output_shape: shape of the result, with the batch axis.
        strides: steps along rows and columns.
        border_mode: 'valid' or 'same'.
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
        image_shape: not used: the shape is that of the tensor.
        filter_shape: not used: the shape is that of the tensor.
    """
    return K.conv2d_transpose(x, kernel, output_shape, strides, border_mode, format_of(dim_ordering))


def atrous_conv2d(
    x: Any, kernel: Any, rate: int = 1, border_mode: str = "valid", dim_ordering: str = "default",
    image_shape: Any = None, filter_shape: Any = None,
) -> Any:  # fmt: skip
    """`conv2d` with holes in the kernel.

    Args:
        x: tensor of images.
        kernel: kernel (rows, columns, channels, filters).
        rate: distance between two numbers of the kernel along rows and columns.
        border_mode: 'valid' or 'same'.
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
        image_shape: not used: the shape is that of the tensor.
        filter_shape: not used: the shape is that of the tensor.
    """
    return K.conv2d(x, kernel, (1, 1), border_mode, format_of(dim_ordering), (rate, rate))


def _gone(name: str) -> Callable[..., Any]:
    text, advice = GONE[name]

    def gone(*args: Any, **kwargs: Any) -> Any:
        raise BackendError(f"K.{name} belongs to an engine that is gone. {advice}")

    scope: dict[str, Any] = {}
    exec(f"def {name}{text}: pass", scope)
    gone.__name__, gone.__doc__ = name, advice
    gone.__signature__ = inspect.signature(scope[name])  # type: ignore[attr-defined]
    return gone


FUNCTIONS = {
    fn.__name__: fn
    for fn in (
        image_dim_ordering, set_image_dim_ordering, legacy_weight_ordering, asymmetric_temporal_padding,
        asymmetric_spatial_2d_padding, deconv2d, atrous_conv2d,
    )
}  # fmt: skip


def names() -> list[str]:
    """Every name that `find` knows."""
    return sorted({*RENAMED, *PYTHON, *GONE, *FUNCTIONS})


def find(name: str) -> Any:
    """What `keras.backend.<name>` was. Raises: KeyError if there never was such a name.

    Args:
        name: a name that K does not have.
    """
    if name in RENAMED:
        return getattr(K, RENAMED[name])
    if name in GONE:
        return _gone(name)
    return {**PYTHON, **FUNCTIONS}[name]
