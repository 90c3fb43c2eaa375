"""Arithmetic of convolutions: lengths, paddings, and kernels that Theano and TensorFlow stored differently."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.compatibility import reject_unknown, renamed
from keras_front.errors import ArgumentError

__all__ = [
    "conv_input_length",
    "conv_output_length",
    "convert_kernel",
    "deconv_length",
    "deconv_output_length",
    "normalize_data_format",
    "normalize_padding",
    "normalize_tuple",
]


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A tuple of `n` integers.

    Args:
        value: such a sequence, or an integer that stands for all.
        n: how many.
        name: the argument, for the message.

    Raises: ArgumentError for anything else.
    Source: Keras 2.3.1, `keras/utils/conv_utils.py`, as all of this module.
    Example:
        >>> normalize_tuple(2, 3, "strides")
        (2, 2, 2)
    """
    if isinstance(value, int | np.integer):
        return (int(value),) * n
    message = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    try:
        found = tuple(value)
        integers = tuple(map(int, found))
    except (TypeError, ValueError):
        raise ArgumentError(message) from None
    if len(found) != n or integers != found:
        raise ArgumentError(message)
    return integers


def normalize_padding(value: str) -> str:
    """The name of a padding in small letters.

    Args:
        value: 'valid', 'same' or 'causal', in any letter case.

    Raises: ArgumentError for any other word.
    """
    padding = str(value).lower()
    if padding not in ("valid", "same", "causal"):
        raise ArgumentError(
            f'The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: {value!r}'
        )
    return padding


def normalize_data_format(value: str | None) -> str:
    """A data format by its current name; see `keras_front.config.normalize_data_format`.

    Args:
        value: 'channels_last', 'channels_first', 'tf', 'th', or None for the default.
    """
    from keras_front import config

    return config.normalize_data_format(value)


def convert_kernel(kernel: Any, dim_ordering: str | None = None) -> np.ndarray:
    """A kernel turned around along its spatial axes: what Theano's convolution needs where TensorFlow's has `kernel`.

    Done twice it changes nothing.

    Args:
        kernel: array of three to five axes.
        dim_ordering: 'th' if the first two axes are those of channels; by default the last two are.

    Raises: ArgumentError for another number of axes or another `dim_ordering`.
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ArgumentError(f"convert_kernel: expected three to five axes, received the kernel shape {kernel.shape}.")
    if dim_ordering not in (None, "tf", "th"):
        raise ArgumentError(f"convert_kernel: expected dim_ordering 'tf' or 'th', received {dim_ordering!r}.")
    turned = (slice(None, None, -1),) * (kernel.ndim - 2)
    kept = (slice(None),) * 2
    return kernel[kept + turned if dim_ordering == "th" else turned + kept].copy()


class PaddingError(ArgumentError, AssertionError):
    """Another padding than a length can be computed for: an AssertionError in Keras."""


def _check_padding(where: str, padding: Any, *choices: str) -> None:
    if padding not in choices:
        raise PaddingError(f"{where}: expected padding {', '.join(map(repr, choices))}, received {padding!r}.")


@renamed
def conv_output_length(
    input_length: Any, filter_size: int, padding: str, stride: int, dilation: int = 1, **kwargs: Any
) -> Any:
    """The length that a convolution or pooling gives.

    Args:
        input_length: size of the input along the axis; None, which is also returned, if it is not known.
        filter_size: size of the window.
        padding: 'valid', 'same', 'causal' or 'full'.
        stride: by how much the window moves.
        dilation: distance between the inputs that neighbours in the window see.
        **kwargs: older names of these arguments.

    Raises: ArgumentError for another padding.
    Example:
        >>> conv_output_length(7, 3, "valid", 2)
        3
    """
    reject_unknown("conv_output_length", kwargs, conv_output_length)
    return convolved_length(input_length, filter_size, padding, stride, dilation)


def convolved_length(length: Any, size: int, padding: str, stride: int, dilation: int = 1) -> Any:
    """As `conv_output_length`, for layers, which know its arguments.

    Args:
        length: size of the input along the axis, or None.
        size: size of the window.
        padding: 'valid', 'same', 'causal' or 'full'.
        stride: by how much the window moves.
        dilation: distance between the inputs that neighbours in the window see.
    """
    if length is None:
        return None
    _check_padding("conv_output_length", padding, "valid", "same", "causal", "full")
    reach = (size - 1) * dilation
    covered = length + {"valid": -reach, "full": reach}.get(padding, 0)
    return (covered + stride - 1) // stride


@renamed
def conv_input_length(output_length: Any, filter_size: int, padding: str, stride: int, **kwargs: Any) -> Any:
    """The length of the input of a convolution with this output.

    Args:
        output_length: size of the output along the axis, or None, which is also returned.
        filter_size: size of the window.
        padding: 'valid', 'same' or 'full'.
        stride: by how much the window moves.
        **kwargs: older names of these arguments.

    Raises: ArgumentError for another padding.
    Example:
        >>> conv_input_length(3, 3, "valid", 2)
        7
    """
    reject_unknown("conv_input_length", kwargs, conv_input_length)
    if output_length is None:
        return None
    return (output_length - 1) * stride - 2 * _pad("conv_input_length", padding, filter_size) + filter_size


def _pad(where: str, padding: str, size: int) -> int:
    """How many places a padding adds on each side."""
    _check_padding(where, padding, "valid", "same", "full")
    return {"valid": 0, "same": size // 2, "full": size - 1}[padding]


def deconv_length(
    dim_size: Any,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> Any:
    """The length that a transposed convolution gives.

    Args:
        dim_size: size of the input along the axis, a number or a tensor; None, which is also returned, if unknown.
        stride_size: by how much the places of neighbouring inputs differ.
        kernel_size: size of the window.
        padding: 'valid', 'same' or 'full'.
        output_padding: how much is added at one end; None for the length that the stride makes.
        dilation: distance between the places that neighbours in the window reach.

    Raises: ArgumentError for another padding.
    Example:
        >>> deconv_length(4, 2, 3, "same")
        8
    """
    if dim_size is None:
        return None
    size = (kernel_size - 1) * dilation + 1
    pad = _pad("deconv_length", padding, size)
    if output_padding is not None:
        return (dim_size - 1) * stride_size + size - 2 * pad + output_padding
    surplus = {"valid": max(size - stride_size, 0), "same": 0, "full": 2 - stride_size - size}[padding]
    return dim_size * stride_size + surplus


def deconv_output_length(
    input_length: Any,
    filter_size: int,
    padding: str,
    output_padding: int | None = None,
    stride: int = 0,
    dilation: int = 1,
) -> Any:
    """`deconv_length` with the arguments in the order of tf.keras.

    Args:
        input_length: see `dim_size` there.
        filter_size: see `kernel_size` there.
        padding: 'valid', 'same' or 'full'.
        output_padding: see there.
        stride: see `stride_size` there.
        dilation: see there.

    Source: tf.keras 2.15, `keras/src/utils/conv_utils.py`.
    """
    return deconv_length(input_length, stride, filter_size, padding, output_padding, dilation)
