"""Pooling: the maximum or mean of windows, or of everything.

Padding of 'same' never wins a maximum and does not count in a mean.
Source: Keras 2.3.1, `keras/layers/pooling.py`; `keepdims` from tf_keras 2.21.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front.backend import dtypes
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import DataFormat, Flag, Padding, Size
from .base import Layer, LayerArguments


class _Pooling(Layer):
    """Windows over `_rank` spatial axes, reduced by `_mode`.

    Args:
        pool_size: size of the window, one number for all axes or one for each.
        strides: by how much the window moves, one number or one for each axis; by default the size of the window, so
            that windows do not overlap.
        padding: 'valid' (only whole windows) or 'same' (windows may reach over the edge; what is outside is ignored).
        data_format: 'channels_last' (batch, ..., channels) or 'channels_first' (batch, channels, ...). By default what
            `keras_front.config.image_data_format()` says, and 'channels_last' in one dimension.

    Raises: ArgumentError for a size that is not positive or a padding that does not exist.
    """

    _rank, _mode = 2, "max"

    def __init__(
        self,
        pool_size: Size = 2,
        strides: Size | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.strides = pool_size if strides is None else strides
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: Any) -> Any:
        pool = (K.pool1d, K.pool2d, K.pool3d)[self._rank - 1]
        return pool(
            inputs, self.pool_size, strides=self.strides, padding=self.padding, data_format=self.data_format,
            pool_mode=self._mode,
        )  # fmt: skip


@LAYERS.register("MaxPooling1D", "MaxPool1D")
class MaxPooling1D(_Pooling):
    """Maximum over windows of time.

    Shape: (batch, steps, features) -> (batch, new steps, features)

    Example:
        >>> MaxPooling1D()(np.arange(4.0).reshape(1, 4, 1)).tolist()
        [[[1.0], [3.0]]]
    """

    _rank = 1


@LAYERS.register("AveragePooling1D", "AvgPool1D")
class AveragePooling1D(_Pooling):
    """Mean over windows of time.

    Shape: (batch, steps, features) -> (batch, new steps, features)

    Example:
        >>> AveragePooling1D()(np.arange(4.0).reshape(1, 4, 1)).tolist()
        [[[0.5], [2.5]]]
    """

    _rank, _mode = 1, "avg"


@LAYERS.register("MaxPooling2D", "MaxPool2D")
class MaxPooling2D(_Pooling):
    """Maximum over windows of images.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels)
    Example:
        >>> MaxPooling2D().compute_output_shape((None, 28, 28, 8))
        (None, 14, 14, 8)
    """


@LAYERS.register("AveragePooling2D", "AvgPool2D")
class AveragePooling2D(_Pooling):
    """Mean over windows of images.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels)

    Example:
        >>> AveragePooling2D().compute_output_shape((None, 8, 8, 3))
        (None, 4, 4, 3)
    """

    _mode = "avg"


@LAYERS.register("MaxPooling3D", "MaxPool3D")
class MaxPooling3D(_Pooling):
    """Maximum over windows of volumes.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, channels)

    Example:
        >>> MaxPooling3D().compute_output_shape((None, 8, 8, 8, 3))
        (None, 4, 4, 4, 3)
    """

    _rank = 3


@LAYERS.register("AveragePooling3D", "AvgPool3D")
class AveragePooling3D(_Pooling):
    """Mean over windows of volumes.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, channels)

    Example:
        >>> AveragePooling3D().compute_output_shape((None, 8, 8, 8, 3))
        (None, 4, 4, 4, 3)
    """

    _rank, _mode = 3, "avg"


# Global ----------------------------------------------------------------------------------------------


class _GlobalPooling(Layer):
    """Everything but batch and channels, reduced by `_mode`.

    Args:
        data_format: 'channels_last' (batch, ..., channels) or 'channels_first' (batch, channels, ...). By default what
            `keras_front.config.image_data_format()` says, and 'channels_last' in one dimension.
        keepdims: whether the reduced axes stay, with size 1.
    """

    _rank, _mode = 2, "max"

    def __init__(self, data_format: DataFormat = None, keepdims: Flag = False, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _axes(self) -> tuple[int, ...]:
        start = 2 if self.data_format == "channels_first" else 1
        return tuple(range(start, start + self._rank))

    def call(self, inputs: Any) -> Any:
        reduce = K.max if self._mode == "max" else K.mean
        return reduce(inputs, axis=self._axes(), keepdims=self.keepdims)


@LAYERS.register("GlobalMaxPooling1D", "GlobalMaxPool1D")
class GlobalMaxPooling1D(_GlobalPooling):
    """Maximum over all steps.

    Shape: (batch, steps, features) -> (batch, features)

    Example:
        >>> GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]])).tolist()
        [[3.0]]
    """

    _rank = 1


@LAYERS.register("GlobalAveragePooling1D", "GlobalAvgPool1D")
class GlobalAveragePooling1D(_GlobalPooling):
    """Mean over all steps, or over those that the mask keeps.

    Shape: (batch, steps, features) -> (batch, features); mask (batch, steps).

    Example:
        >>> GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]])).tolist()
        [[2.0]]
    """

    _rank, _mode = 1, "avg"
    supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        axis, dtype = self._axes()[0], K.dtype(inputs)
        wide = dtypes.as_single(dtype)  # sums of many steps leave the range of float16
        kept = K.expand_dims(K.cast(mask, wide), 3 - axis)  # (batch, steps, 1) or (batch, 1, steps)
        total = K.sum(K.cast(inputs, wide) * kept, axis=axis, keepdims=self.keepdims)
        mean = total / K.sum(kept, axis=axis, keepdims=self.keepdims)
        return mean if wide == dtype else K.cast(mean, dtype)


@LAYERS.register("GlobalMaxPooling2D", "GlobalMaxPool2D")
class GlobalMaxPooling2D(_GlobalPooling):
    """Maximum over each channel of an image.

    Shape: (batch, rows, columns, channels) -> (batch, channels)

    Example:
        >>> GlobalMaxPooling2D(keepdims=True).compute_output_shape((None, 8, 8, 3))
        (None, 1, 1, 3)
    """


@LAYERS.register("GlobalAveragePooling2D", "GlobalAvgPool2D")
class GlobalAveragePooling2D(_GlobalPooling):
    """Mean over each channel of an image.

    Shape: (batch, rows, columns, channels) -> (batch, channels)

    Example:
        >>> GlobalAveragePooling2D().compute_output_shape((None, 8, 8, 3))
        (None, 3)
    """

    _mode = "avg"


@LAYERS.register("GlobalMaxPooling3D", "GlobalMaxPool3D")
class GlobalMaxPooling3D(_GlobalPooling):
    """Maximum over each channel of a volume.

    Shape: (batch, three spatial axes, channels) -> (batch, channels)

    Example:
        >>> GlobalMaxPooling3D().compute_output_shape((None, 8, 8, 8, 3))
        (None, 3)
    """

    _rank = 3


@LAYERS.register("GlobalAveragePooling3D", "GlobalAvgPool3D")
class GlobalAveragePooling3D(_GlobalPooling):
    """Mean over each channel of a volume.

    Shape: (batch, three spatial axes, channels) -> (batch, channels)

    Example:
        >>> GlobalAveragePooling3D().compute_output_shape((None, 8, 8, 8, 3))
        (None, 3)
    """

    _rank, _mode = 3, "avg"
