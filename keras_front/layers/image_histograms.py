"""`Equalization`: images whose values are spread evenly.

Made of ops of K, as `image_preprocessing.py`. Source for names and arguments: Keras 3,
`layers/preprocessing/image_preprocessing`; the numbers are compared with it.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front.backend.ops.arrangement import shape_only
from keras_front.graph.layer import LAYERS

from .arguments import DataFormat, Positive, ValueRange
from .base import LayerArguments
from .image_preprocessing import _ImageLayer


class _HistogramLayer(_ImageLayer):
    """A layer that looks at how often values occur, channel by channel; not only while training.

    Args:
        value_range: smallest and largest value of the images, (0, 255) for pixels as files have them.
    """

    value_range: tuple[float, float]

    def _transform(self, x: Any) -> Any:
        if None in (*self._space(x), K.int_shape(x)[0]):
            return shape_only(x, x.shape, K.dtype(x), type(self).__name__)
        first = self.data_format == "channels_first"
        low, high = self.value_range
        x = K.permute_dimensions(x, (0, 2, 3, 1)) if first else x
        result = self._equalized((x - low) * (255.0 / (high - low))) * ((high - low) / 255.0) + low
        return K.permute_dimensions(result, (0, 3, 1, 2)) if first else result

    def _equalized(self, x: Any) -> Any:
        """Images (batch, rows, columns, channels) of values from 0 to 255."""
        raise NotImplementedError


def _counts(codes: Any, bins: int) -> Any:
    """How often each bin occurs: (batch, pixels, channels) -> (batch, bins, channels)."""
    marks = K.equal(K.expand_dims(codes, 2), K.reshape(K.arange(0, bins, dtype=K.dtype(codes)), (1, 1, bins, 1)))
    return K.sum(K.cast(marks, K.floatx()), axis=1)


@LAYERS.register()
class Equalization(_HistogramLayer):
    """Images in which all values occur about equally often.

    Args:
        bins: into how many steps values are divided.

    Shape: as the input.
    Source: Keras 3, `equalization.py`.

    Example:
        >>> tuple(Equalization()(np.ones((1, 4, 4, 3))).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        value_range: ValueRange = (0, 255),
        bins: Positive = 256,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _equalized(self, x: Any) -> Any:
        batch, rows, columns, channels = K.int_shape(x)
        codes = K.cast(K.clip(K.floor(x * ((self.bins - 1.0) / 255.0)), 0.0, self.bins - 1.0), "int32")
        codes = K.reshape(codes, (batch, rows * columns, channels))
        summed = K.cumsum(_counts(codes, self.bins), axis=1)
        first = K.min(K.where(summed > 0, summed, K.zeros_like(summed) + rows * columns), axis=1, keepdims=True)
        span = rows * columns - first
        table = K.round((summed - first) * 255.0 / K.maximum(span, 1.0))
        found = K.take_along_axis(K.clip(table, 0.0, 255.0), codes, axis=1)
        found = K.reshape(K.cast(found, K.dtype(x)), (batch, rows, columns, channels))
        return K.where(K.expand_dims(span, 1) > 0, found, x)
