"""Locally connected layers: convolutions whose kernel is another one at each place.

Source for names, arguments and the three forms of the kernel: Keras 2.3.1 and tf_keras 2.21, `layers/local`.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Unpack

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS
from keras_front.initializers import host_dtype
from keras_front.utils.conv_utils import convolved_length

from .arguments import (
    CHOICE,
    ActivationFunction,
    Constraint,
    DataFormat,
    Flag,
    Initializer,
    Padding,
    Positive,
    Regularizer,
    Size,
)
from .base import CommonArguments
from .convolution import _Spatial


class _Local(_Spatial):
    """Windows over `_rank` axes, each with a kernel of its own.

    Args:
        padding: 'valid' (only whole windows) or, with implementation 2 and 3, 'same' (the input as if zeros were
            around it).
        use_bias: whether a bias is added, one for each output of each place.
        implementation: how the kernel is held: 1 as one matrix for each place, good for large images; 2 as one matrix
            from all inputs to all outputs, good for small ones; 3 as the list of its entries. Files of one cannot be
            read by another.

    Raises:
        ArgumentError: for 'same' with implementation 1.
        ShapeError: when it is built if a size but the batch is unknown.
    """

    def __init__(
        self,
        filters: Positive,
        kernel_size: Size,
        strides: Size = 1,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        activation: ActivationFunction = None,
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        implementation: Annotated[Literal[1, 2, 3], CHOICE] = 1,
        **kwargs: Unpack[CommonArguments],
    ):
        super().__init__(**kwargs)
        if self.implementation == 1 and self.padding != "valid":
            raise ArgumentError(
                f"Invalid border mode for {type(self).__name__} (only 'valid' is supported if implementation is 1): "
                f"{padding!r}. Pass implementation=2 or 3 for 'same'."
            )

    @property
    def _first(self) -> bool:
        return self.data_format == "channels_first"

    def _grid(self, shape: Any) -> tuple[Any, ...]:
        return tuple(shape[2:]) if self._first else tuple(shape[1:-1])

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        grid = self._grid(input_shape)
        if None in grid:
            raise ShapeError(
                f"{self.name}: the spatial dimensions of the inputs to a {type(self).__name__} layer should be fully-"
                f"defined, but the layer received the inputs shape {tuple(input_shape)}."
            )
        self._input_grid = grid
        self._output_grid = tuple(
            int(convolved_length(n, k, self.padding, s) or 0)
            for n, k, s in zip(grid, self.kernel_size, self.strides, strict=True)
        )
        if 0 in self._output_grid or min(self._output_grid) < 0:
            raise ShapeError(
                f"{self.name}: expected a kernel_size that fits into inputs of shape {tuple(input_shape)}, received "
                f"{self.kernel_size}."
            )
        self._build_kernel(channels)
        self.bias = self.add_weight("bias", (*self._output_grid, self.filters)) if self.use_bias else None
        self.built = True

    def _build_kernel(self, channels: int) -> None:
        if self.implementation == 1:
            shape: tuple[int, ...] = (
                math.prod(self._output_grid),
                math.prod(self.kernel_size) * channels,
                self.filters,
            )
        else:
            self._connected = _connections(self._input_grid, self.kernel_size, self.strides, self.padding)
            shape = self._dense_shape(channels)
        if self.implementation == 3:
            wide = np.broadcast_to(self._connected_as(shape), shape)
            self._entries = np.argwhere(wide.reshape(self._matrix(shape)).T)  # (output, input), sorted, as in files
            shape = (len(self._entries),)
        self.kernel = self.add_weight("kernel", shape)

    def _dense_shape(self, channels: int) -> tuple[int, ...]:
        if self._first:
            return (channels, *self._input_grid, self.filters, *self._output_grid)
        return (*self._input_grid, channels, *self._output_grid, self.filters)

    def _matrix(self, shape: tuple[int, ...]) -> tuple[int, int]:
        half = self._rank + 1
        return math.prod(shape[:half]), math.prod(shape[half:])

    def _connected_as(self, shape: tuple[int, ...]) -> np.ndarray:
        """Which inputs reach which outputs, with axes of size 1 for the channels."""
        rank, found = self._rank, self._connected
        places = (0, rank + 1) if self._first else (rank, 2 * rank + 1)
        return np.expand_dims(found, places)

    def call(self, inputs: Any) -> Any:
        outputs = self._by_place(inputs) if self.implementation == 1 else self._by_matrix(inputs)
        return self._add_bias_and_activate(outputs)

    def _by_place(self, inputs: Any) -> Any:
        return K.local_conv(inputs, self.kernel, self.kernel_size, self.strides, self._output_grid, self.data_format)

    def _by_matrix(self, inputs: Any) -> Any:
        channels = K.int_shape(inputs)[1 if self._first else -1]
        shape = self._dense_shape(channels)
        rows, columns = self._matrix(shape)
        if self.implementation == 2:
            connected = self._connected_as(shape).astype(host_dtype(K.dtype(inputs)))
            kernel = K.reshape(self.kernel * connected, (rows, columns))
        else:
            flat = self._entries[:, 1] * columns + self._entries[:, 0]
            kernel = K.reshape(K.scatter_add(self.kernel, flat.astype("int32"), rows * columns), (rows, columns))
        outputs = K.dot(K.reshape(inputs, (-1, rows)), kernel)
        return K.reshape(outputs, (-1, *shape[self._rank + 1 :]))


def _connections(grid: Any, size: Any, strides: Any, padding: str) -> np.ndarray:
    """Whether an input place lies in the window of an output place: a bool array (input grid, output grid)."""
    axes = [_connected_along(n, k, s, padding) for n, k, s in zip(grid, size, strides, strict=True)]
    if len(axes) == 1:
        return axes[0]
    rows, columns = axes
    return rows[:, None, :, None] & columns[None, :, None, :]


def _connected_along(length: int, size: int, stride: int, padding: str) -> np.ndarray:
    """(length, new length): whether a place is in a window, along one axis.

    Source: Keras 2.3.1, `conv_utils.conv_connected_inputs`: with 'same' the window is centred on its stride.
    """
    new = convolved_length(length, size, padding, stride) or 0
    half = size // 2
    centres = np.arange(new) * stride + (half if padding == "valid" else 0)
    low, high = np.maximum(0, centres - half), np.minimum(length, centres - half + size)
    places = np.arange(length)[:, None]
    return (places >= low) & (places < high)


@LAYERS.register()
class LocallyConnected1D(_Local):
    """Like `Conv1D`, with another kernel at each step.

    Shape: (batch, steps, channels) -> (batch, new steps, filters)
    Weights: kernel (new steps, size * channels, filters) for implementation 1; bias (new steps, filters).

    Example:
        >>> LocallyConnected1D(8, 3).compute_output_shape((None, 10, 3))
        (None, 8, 8)
    """

    _rank = 1


@LAYERS.register()
class LocallyConnected2D(_Local):
    """Like `Conv2D`, with another kernel at each place.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters)
    Weights: kernel (new places, rows * columns * channels, filters) for implementation 1; bias (new rows, new columns,
        filters).

    Example:
        >>> LocallyConnected2D(8, 3).compute_output_shape((None, 10, 10, 3))
        (None, 8, 8, 8)
    """
