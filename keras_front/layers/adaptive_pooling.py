"""Pooling to a given output size: window i of an axis goes from `floor(i * n / size)` to `ceil((i + 1) * n / size)`.

Source for names and arguments: Keras 3, `layers/pooling`.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front.backend.ops.adaptive import average_windows, largest_of_windows
from keras_front.backend.ops.arrangement import shape_only
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import DataFormat, Size
from .base import Layer, LayerArguments


class _AdaptivePooling(Layer):
    """As many windows along each axis as the output shall have.

    Args:
        output_size: size of the output, one number for all axes or one for each.
        data_format: 'channels_last' (batch, ..., channels) or 'channels_first' (batch, channels, ...). By default what
            `keras_front.config.image_data_format()` says.
    """

    _rank, _usual_data_format = 2, None
    _reduce: Any = staticmethod(average_windows)

    def __init__(self, output_size: Size, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: Any) -> Any:
        start = 1 if self.data_format == "channels_last" else 2
        axes = range(start, start + self._rank)
        shape = list(K.int_shape(inputs))
        if any(shape[a] is None and new != 1 for a, new in zip(axes, self.output_size, strict=True)):
            shape[start : start + self._rank] = self.output_size
            return shape_only(inputs, shape, K.dtype(inputs), type(self).__name__)
        for axis, new in zip(axes, self.output_size, strict=True):
            inputs = self._reduce(inputs, axis, new)
        return inputs


@LAYERS.register()
class AdaptiveAveragePooling1D(_AdaptivePooling):
    """Mean over windows of sequences, as many as `output_size` says.

    Shape: (batch, steps, features) -> (batch, output_size, features)

    Example:
        >>> AdaptiveAveragePooling1D(2).compute_output_shape((None, 8, 3))
        (None, 2, 3)
    """

    _rank = 1


@LAYERS.register()
class AdaptiveAveragePooling2D(_AdaptivePooling):
    """Mean over windows of images, as many as `output_size` says.

    Shape: (batch, rows, columns, channels) -> (batch, *output_size, channels)
    Example:
        >>> AdaptiveAveragePooling2D(2)(np.arange(9.0).reshape(1, 3, 3, 1))[0, :, :, 0].tolist()
        [[2.0, 3.0], [5.0, 6.0]]
    """


@LAYERS.register()
class AdaptiveAveragePooling3D(_AdaptivePooling):
    """Mean over windows of volumes, as many as `output_size` says.

    Shape: (batch, three spatial axes, channels) -> (batch, *output_size, channels)

    Example:
        >>> AdaptiveAveragePooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
        (None, 2, 2, 2, 3)
    """

    _rank = 3


@LAYERS.register()
class AdaptiveMaxPooling1D(_AdaptivePooling):
    """Maximum over windows of sequences, as many as `output_size` says.

    Shape: (batch, steps, features) -> (batch, output_size, features)

    Example:
        >>> AdaptiveMaxPooling1D(2).compute_output_shape((None, 8, 3))
        (None, 2, 3)
    """

    _rank, _reduce = 1, staticmethod(largest_of_windows)


@LAYERS.register()
class AdaptiveMaxPooling2D(_AdaptivePooling):
    """Maximum over windows of images, as many as `output_size` says.

    Shape: (batch, rows, columns, channels) -> (batch, *output_size, channels)

    Example:
        >>> AdaptiveMaxPooling2D((2, 3)).compute_output_shape((None, 8, 9, 3))
        (None, 2, 3, 3)
    """

    _reduce = staticmethod(largest_of_windows)


@LAYERS.register()
class AdaptiveMaxPooling3D(_AdaptivePooling):
    """Maximum over windows of volumes, as many as `output_size` says.

    Shape: (batch, three spatial axes, channels) -> (batch, *output_size, channels)

    Example:
        >>> AdaptiveMaxPooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
        (None, 2, 2, 2, 3)
    """

    _rank, _reduce = 3, staticmethod(largest_of_windows)
