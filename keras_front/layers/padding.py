"""Layers that add, cut or repeat rows: zero padding, cropping, upsampling.

Source: Keras 2.3.1, `keras/layers/convolutional.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS, InputSpec, Layer

from ._arguments import one_of, pairs, positive, sizes


class _Formatted(Layer):
    """A layer over `_rank` spatial axes in a data format."""

    _rank = 2

    def _set_format(self, data_format: str | None) -> None:
        self.data_format = config.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _axes(self) -> range:
        start = 2 if getattr(self, "data_format", "channels_last") == "channels_first" else 1
        return range(start, start + self._rank)


# Padding ---------------------------------------------------------------------------------------------


@LAYERS.register()
class ZeroPadding1D(Layer):
    """Zeros before and after a sequence.

    Args:
        padding: one number for both ends, or (before, after).

    Shape: (batch, steps, features) -> (batch, steps + before + after, features)
    """

    def __init__(self, padding: Any = 1, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = sizes("ZeroPadding1D", "padding", padding, 2, least=0)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return K.temporal_padding(inputs, padding=self.padding)


class _ZeroPadding(_Formatted):
    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = pairs(type(self).__name__, "padding", padding, self._rank)
        self._set_format(data_format)


@LAYERS.register()
class ZeroPadding2D(_ZeroPadding):
    """Zeros around an image.

    Args:
        padding: one number, (rows, columns), or ((top, bottom), (left, right)).

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels)
    """

    def call(self, inputs: Any) -> Any:
        return K.spatial_2d_padding(inputs, padding=self.padding, data_format=self.data_format)


@LAYERS.register()
class ZeroPadding3D(_ZeroPadding):
    """Zeros around a volume.

    Args:
        padding: one number, three, or three pairs (before, after).

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, channels)
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
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = sizes("Cropping1D", "cropping", cropping, 2, least=0)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return _cropped(self, inputs, [1], [self.cropping])


class _Cropping(_Formatted):
    def __init__(self, cropping: Any = 0, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = pairs(type(self).__name__, "cropping", cropping, self._rank)
        self._set_format(data_format)

    def call(self, inputs: Any) -> Any:
        return _cropped(self, inputs, self._axes(), self.cropping)


@LAYERS.register()
class Cropping2D(_Cropping):
    """An image without its margins.

    Args:
        cropping: one number, (rows, columns), or ((top, bottom), (left, right)).

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels)
    """


@LAYERS.register()
class Cropping3D(_Cropping):
    """A volume without its margins.

    Args:
        cropping: one number, three, or three pairs (before, after).

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, channels)
    """

    _rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)


# Upsampling ------------------------------------------------------------------------------------------


@LAYERS.register()
class UpSampling1D(Layer):
    """Each step `size` times.

    Shape: (batch, steps, features) -> (batch, size * steps, features)
    """

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = positive("UpSampling1D", "size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return K.repeat_elements(inputs, self.size, axis=1)


class _UpSampling(_Formatted):
    size: tuple[int, ...]

    def _repeated(self, inputs: Any) -> Any:
        for axis, times in zip(self._axes(), self.size, strict=True):
            inputs = K.repeat_elements(inputs, times, axis=axis) if times > 1 else inputs
        return inputs


@LAYERS.register()
class UpSampling2D(_UpSampling):
    """An image enlarged by whole factors.

    Args:
        size: factor, or (rows, columns).
        interpolation: 'nearest' or 'bilinear' (between pixel centres).

    Shape: (batch, rows, columns, channels) -> (batch, size[0] * rows, size[1] * columns, channels)
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.size = sizes("UpSampling2D", "size", size, 2)
        self.interpolation = one_of("UpSampling2D", "interpolation", interpolation, ("nearest", "bilinear"))
        self._set_format(data_format)

    def call(self, inputs: Any) -> Any:
        return K.resize_images(inputs, *self.size, self.data_format, self.interpolation)


@LAYERS.register()
class UpSampling3D(_UpSampling):
    """A volume enlarged by whole factors.

    Shape: (batch, three spatial axes, channels) -> (batch, three axes times `size`, channels)
    """

    _rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = sizes("UpSampling3D", "size", size, 3)
        self._set_format(data_format)

    def call(self, inputs: Any) -> Any:
        return self._repeated(inputs)
