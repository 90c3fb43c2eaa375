"""Pooling to a given output size: window i of an axis goes from `floor(i * n / size)` to `ceil((i + 1) * n / size)`.

Source for names and arguments: Keras 3, `layers/pooling`.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from keras_front import backend as K
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import DataFormat, Size
from .base import Layer, LayerArguments


def _windows(size: int, new: int) -> list[range]:
    return [range(i * size // new, -(-(i + 1) * size // new)) for i in range(new)]


def _average(x: Any, axis: int, new: int) -> Any:
    """One axis averaged: a product with a matrix of weights."""
    size = K.int_shape(x)[axis]
    weights = np.zeros((size, new), K.dtype(x) if K.dtype(x) != "bfloat16" else "float32")
    for place, window in enumerate(_windows(size, new)):
        weights[window, place] = 1 / len(window)
    order = [i for i in range(K.ndim(x)) if i != axis] + [axis]
    moved = K.dot(K.permute_dimensions(x, tuple(order)), K.convert(weights, K.dtype(x)))
    return K.permute_dimensions(moved, tuple(int(i) for i in np.argsort(order)))


def _maximum(x: Any, axis: int, new: int) -> Any:
    """One axis reduced to maxima; shorter windows name their last element more than once."""
    windows = _windows(K.int_shape(x)[axis], new)
    length = max(len(w) for w in windows)
    places = np.array([[w[min(i, len(w) - 1)] for w in windows] for i in range(length)], "int32")
    result = K.gather(x, places[0], axis=axis)
    for row in places[1:]:
        result = K.maximum(result, K.gather(x, row, axis=axis))
    return result


class _AdaptivePooling(Layer):
    """As many windows along each axis as the output shall have.

    Args:
        output_size: size of the output, one number for all axes or one for each.
        data_format: 'channels_last' (batch, ..., channels) or 'channels_first' (batch, channels, ...). By default what
            `keras_front.config.image_data_format()` says.
    """

    _rank, _usual_data_format = 2, None
    _reduce: Any = staticmethod(_average)

    def __init__(self, output_size: Size, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: Any) -> Any:
        start = 1 if self.data_format == "channels_last" else 2
        axes = range(start, start + self._rank)
        if None in [K.int_shape(inputs)[a] for a in axes]:  # a model is being built; only the shape matters
            return K.resize(inputs, self.output_size, data_format=self.data_format)
        for axis, new in zip(axes, self.output_size, strict=True):
            inputs = self._reduce(inputs, axis, new)
        return inputs


@LAYERS.register()
class AdaptiveAveragePooling1D(_AdaptivePooling):
    """Mean over windows of sequences, as many as `output_size` says.

    Shape: (batch, steps, features) -> (batch, output_size, features)
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
    """

    _rank = 3


@LAYERS.register()
class AdaptiveMaxPooling1D(_AdaptivePooling):
    """Maximum over windows of sequences, as many as `output_size` says.

    Shape: (batch, steps, features) -> (batch, output_size, features)
    """

    _rank, _reduce = 1, staticmethod(_maximum)


@LAYERS.register()
class AdaptiveMaxPooling2D(_AdaptivePooling):
    """Maximum over windows of images, as many as `output_size` says.

    Shape: (batch, rows, columns, channels) -> (batch, *output_size, channels)
    """

    _reduce = staticmethod(_maximum)


@LAYERS.register()
class AdaptiveMaxPooling3D(_AdaptivePooling):
    """Maximum over windows of volumes, as many as `output_size` says.

    Shape: (batch, three spatial axes, channels) -> (batch, *output_size, channels)
    """

    _rank, _reduce = 3, staticmethod(_maximum)
