"""Layers that add, cut or repeat rows: zero padding, cropping, upsampling.

Source: Keras 2.3.1, `keras/layers/convolutional.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Unpack

from keras_front import backend as K
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import CHOICE, DataFormat, Pairs, Positive, Size, Sizes
from .base import Layer, LayerArguments

Ends = Annotated[int | Sequence[int], Sizes(count=2, least=0)]  # one number, or (before, after)


class _SpatialLayer(Layer):
    """A layer over `_rank` spatial axes in a data format.

    Args:
        data_format: 'channels_last' (batch, ..., channels) or 'channels_first' (batch, channels, ...). By default what
            `keras_front.config.image_data_format()` says.
    """

    _rank = 2

    def __init__(self, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _axes(self) -> range:
        start = 2 if self.data_format == "channels_first" else 1
        return range(start, start + self._rank)


# Padding ---------------------------------------------------------------------------------------------


@LAYERS.register()
class ZeroPadding1D(Layer):
    """Zeros before and after a sequence.

    Args:
        padding: one number for both ends, or (before, after).

    Shape: (batch, steps, features) -> (batch, steps + before + after, features)

    Example:
        >>> ZeroPadding1D(2).compute_output_shape((None, 10, 3))
        (None, 14, 3)
    """

    def __init__(self, padding: Ends = 1, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return K.temporal_padding(inputs, padding=self.padding)


class _ZeroPadding(_SpatialLayer):
    """Zeros around what is along the spatial axes.

    Args:
        padding: how many: one number for all sides, one for each axis, or for each axis a pair (before, after).

    Raises: ArgumentError for a negative number or a wrong number of them.
    """

    def __init__(self, padding: Pairs = 1, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)


@LAYERS.register()
class ZeroPadding2D(_ZeroPadding):
    """Zeros around an image.

    Args:
        padding: how many: one number, (rows, columns), or ((top, bottom), (left, right)).

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels)
    Example:
        >>> ZeroPadding2D(((1, 0), (2, 2))).compute_output_shape((None, 4, 4, 3))
        (None, 5, 8, 3)
    """

    def call(self, inputs: Any) -> Any:
        return K.spatial_2d_padding(inputs, padding=self.padding, data_format=self.data_format)


@LAYERS.register()
class ZeroPadding3D(_ZeroPadding):
    """Zeros around a volume.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, channels)

    Example:
        >>> ZeroPadding3D(1).compute_output_shape((None, 4, 4, 4, 3))
        (None, 6, 6, 6, 3)
    """

    _rank = 3

    def call(self, inputs: Any) -> Any:
        return K.spatial_3d_padding(inputs, padding=self.padding, data_format=self.data_format)


# Cropping --------------------------------------------------------------------------------------------


def _cropped(layer: Layer, inputs: Any, axes: Any, amounts: Any) -> Any:
    shape, key = K.int_shape(inputs), [slice(None)] * K.ndim(inputs)
    for axis, (before, after) in zip(axes, amounts, strict=True):
        if shape[axis] is not None and before + after >= shape[axis]:
            raise ShapeError(
                f"{layer.name}: cannot crop {before} + {after} from axis {axis} of size {shape[axis]}; nothing would "
                "be left."
            )
        key[axis] = slice(before, -after if after else None)
    return inputs[tuple(key)] if K.is_symbolic(inputs) else K.getitem(inputs, tuple(key))


@LAYERS.register()
class Cropping1D(Layer):
    """A sequence without its ends.

    Args:
        cropping: one number for both ends, or (before, after).

    Shape: (batch, steps, features) -> (batch, steps - before - after, features)

    Example:
        >>> Cropping1D((1, 2)).compute_output_shape((None, 10, 3))
        (None, 7, 3)
    """

    def __init__(self, cropping: Ends = (1, 1), **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return _cropped(self, inputs, [1], [self.cropping])


class _Cropping(_SpatialLayer):
    """What is along the spatial axes, without its edges.

    Args:
        cropping: how much is cut: one number for all sides, one for each axis, or for each axis a pair (before, after).

    Raises:
        ArgumentError: for a negative number or a wrong number of them.
        ShapeError: if nothing would be left.
    """

    def __init__(self, cropping: Pairs = 0, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return _cropped(self, inputs, self._axes(), self.cropping)


@LAYERS.register()
class Cropping2D(_Cropping):
    """An image without its margins.

    Args:
        cropping: how much is cut: one number, (rows, columns), or ((top, bottom), (left, right)).

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels)
    Example:
        >>> Cropping2D(((1, 0), (2, 2))).compute_output_shape((None, 5, 8, 3))
        (None, 4, 4, 3)
    """


@LAYERS.register()
class Cropping3D(_Cropping):
    """A volume without its margins.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, channels)

    Example:
        >>> Cropping3D(1).compute_output_shape((None, 10, 10, 10, 3))
        (None, 8, 8, 8, 3)
    """

    _rank = 3

    def __init__(
        self,
        cropping: Pairs = ((1, 1), (1, 1), (1, 1)),
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)


# Upsampling ------------------------------------------------------------------------------------------


@LAYERS.register()
class UpSampling1D(Layer):
    """Each step `size` times.

    Args:
        size: how often each step is repeated.

    Shape: (batch, steps, features) -> (batch, size * steps, features)
    Example:
        >>> UpSampling1D(2)(K.constant([[[1.0], [2.0]]]))[0, :, 0].tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: Positive = 2, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return K.repeat_elements(inputs, self.size, axis=1)


@LAYERS.register()
class UpSampling2D(_SpatialLayer):
    """An image enlarged by whole factors.

    Args:
        size: one factor, or (rows, columns).
        interpolation: 'nearest', which repeats pixels, or 'bilinear', which takes means between pixel centres.

    Shape: (batch, rows, columns, channels) -> (batch, size[0] * rows, size[1] * columns, channels)
    Example:
        >>> UpSampling2D((2, 3)).compute_output_shape((None, 4, 4, 3))
        (None, 8, 12, 3)
    """

    def __init__(
        self,
        size: Size = (2, 2),
        data_format: DataFormat = None,
        interpolation: Annotated[Literal["nearest", "bilinear"], CHOICE] = "nearest",
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        rows, columns = self.size
        return K.resize_images(inputs, rows, columns, self.data_format, self.interpolation)


@LAYERS.register()
class UpSampling3D(_SpatialLayer):
    """A volume enlarged by whole factors: each place is repeated.

    Args:
        size: one factor, or one for each of the three axes.

    Shape: (batch, three spatial axes, channels) -> (batch, three axes times `size`, channels)

    Example:
        >>> UpSampling3D(2).compute_output_shape((None, 4, 4, 4, 3))
        (None, 8, 8, 8, 3)
    """

    _rank = 3

    def __init__(self, size: Size = (2, 2, 2), data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        for axis, times in zip(self._axes(), self.size, strict=True):
            inputs = K.repeat_elements(inputs, times, axis=axis) if times > 1 else inputs
        return inputs
