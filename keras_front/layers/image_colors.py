"""Colours of images changed at random while training: `RandomHue`, `RandomGrayscale`, `Solarization`, ...

Made of ops of K, as `image_preprocessing.py`. Source for names, arguments and formulas: Keras 3,
`layers/preprocessing/image_preprocessing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Unpack

import numpy as np

from keras_front import backend as K
from keras_front.backend.ops.colours import gray_of, hsv_of, rgb_of
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS

from .arguments import DataFormat, Factor, Range, Reader, Seed, ValueRange
from .base import LayerArguments
from .image_preprocessing import _ImageLayer, _RandomImageLayer


def _probability(value: Any, layer: Any) -> float:
    return _PART.read(value, layer)[1]


def _bits(value: Any, layer: Any) -> tuple[int, int]:
    low, high = _BITS.read(value, layer)
    return int(low), int(high)


_PART, _BITS = Range(0, 1), Range(1, 8)
Part = Annotated[Factor, _PART]
Signed = Annotated[Factor, Range(-1, 1)]
Probability = Annotated[float, Reader(_probability, "a number between 0 and 1")]
Bits = Annotated[int | Sequence[int], Reader(_bits, _BITS.expected)]


class _ColorLayer(_RandomImageLayer):
    """A random image layer that looks at single channels.

    Args:
        value_range: smallest and largest value that the images may have, (0, 255) for pixels as files have them.
    """

    value_range: tuple[float, float]

    @property
    def _axis(self) -> int:
        return 3 if self.data_format == "channels_last" else 1

    def _colours(self, x: Any) -> list[Any]:
        """Red, green and blue, each with a channel axis of 1."""
        if K.int_shape(x)[self._axis] != 3:
            raise ShapeError(f"{self.name}: expected images with 3 channels, received {tuple(K.int_shape(x))}.")
        return [K.getitem(x, (slice(None),) * self._axis + (slice(i, i + 1),)) for i in range(3)]

    def _gray(self, x: Any) -> Any:
        return gray_of(self._colours(x))

    def _scaled(self, x: Any, most: float, back: bool = False) -> Any:
        """Values of `value_range` brought to 0 up to `most`, or back."""
        low, high = self.value_range
        if (low, high) == (0, most):
            return x
        return x / most * (high - low) + low if back else (x - low) / (high - low) * most

    def _hsv(self, x: Any) -> tuple[Any, Any, Any]:
        """Hue from 0 to 1, saturation and value of each pixel."""
        return hsv_of(self._colours(x))

    def _rgb(self, hue: Any, saturation: Any, value: Any) -> Any:
        return K.concatenate(rgb_of(hue, saturation, value), axis=self._axis)


@LAYERS.register()
class RandomGrayscale(_ColorLayer):
    """Images made gray at random; they keep their three channels.

    Args:
        factor: probability that an image becomes gray, from 0 to 1.

    Shape: as the input.

    Example:
        >>> tuple(RandomGrayscale(seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Probability = 0.5,
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        return K.where(self._draw(x, 0.0, 1.0) < self.factor, self._gray(x) + K.zeros_like(x), x)


@LAYERS.register()
class RandomInvert(_ColorLayer):
    """Images turned into their negatives, with a probability drawn from `factor`.

    Args:
        factor: `(low, high)` from 0 to 1, or one number for 0 up to it.

    Shape: as the input.

    Example:
        >>> RandomInvert(factor=(1.0, 1.0))(np.full((1, 1, 1, 3), 55.0), training=True).tolist()
        [[[[200.0, 200.0, 200.0]]]]
    """

    def __init__(
        self,
        factor: Part = 1.0,
        value_range: ValueRange = (0, 255),
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        turned = self._draw(x, 0.0, 1.0) < self._draw(x, *self.factor)
        return K.where(turned, self.value_range[1] - x, x)


@LAYERS.register()
class RandomPosterization(_ColorLayer):
    """Images whose values keep only their `factor` highest of 8 bits.

    Args:
        factor: number of bits from 1 to 8: `(low, high)`, of which the high one is not drawn unless they are equal; or
            one number for 1 up to it.

    Shape: as the input.

    Example:
        >>> tuple(RandomPosterization(4, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Bits,
        value_range: ValueRange = (0, 255),
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        low, high = self.factor
        bits = K.floor(self._draw(x, low, max(high, low + 1))) if high > low else low
        step = K.pow(2.0 * K.ones_like(self._draw(x, 0.0, 1.0)), 8.0 - bits)
        kept = K.floor(K.floor(K.clip(self._scaled(x, 255), 0.0, 255.0)) / step) * step
        return self._scaled(kept, 255, back=True)


@LAYERS.register()
class Solarization(_ColorLayer):
    """Values moved up by a random amount, and from a random threshold on turned into their negatives.

    Args:
        addition_factor: how far values are moved: `(low, high)` as parts of the range of values, or one number for 0
            up to it.
        threshold_factor: from where on values are turned, likewise.

    Shape: as the input.

    Example:
        >>> Solarization(threshold_factor=0.5)(np.full((1, 1, 1, 3), 200.0), training=True).tolist()
        [[[[55.0, 55.0, 55.0]]]]
    """

    def __init__(
        self,
        addition_factor: Part = 0.0,
        threshold_factor: Part = 0.0,
        value_range: ValueRange = (0, 255),
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        moved = self._scaled(x, 255) + 255.0 * self._draw(x, *self.addition_factor)
        moved = K.clip(moved, 0.0, 255.0)
        turned = K.where(moved < 255.0 * self._draw(x, *self.threshold_factor), moved, 255.0 - moved)
        return self._scaled(turned, 255, back=True)


@LAYERS.register()
class RandomSaturation(_ColorLayer):
    """Images whose saturation is multiplied by `f / (1 - f)`, f drawn from `factor`: 0.5 leaves them alone, 0 is gray.

    Args:
        factor: `(low, high)` from -1 to 1, or one number for minus and plus.

    Shape: as the input.

    Example:
        >>> tuple(RandomSaturation(0.2, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Signed,
        value_range: ValueRange = (0, 255),
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        amount = self._draw(x, *self.factor)
        hue, saturation, value = self._hsv(x)
        return self._rgb(hue, K.clip(saturation * (amount / (1.0 - amount + K.epsilon())), *self.value_range), value)


@LAYERS.register()
class RandomHue(_ColorLayer):
    """Images whose colours are turned around the circle of hues, by up to half of it in either direction.

    Args:
        factor: `(low, high)` as parts of half the circle, or one number for 0 up to it.

    Shape: as the input.

    Example:
        >>> tuple(RandomHue(0.2, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Part,
        value_range: ValueRange = (0, 255),
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        side = K.where(self._draw(x, 0.0, 1.0) > 0.5, -0.5, 0.5)
        hue, saturation, value = self._hsv(self._scaled(x, 1))
        turned = self._rgb(K.mod(hue + side * self._draw(x, *self.factor), 1.0), saturation, value)
        return self._scaled(K.clip(turned, 0.0, 1.0), 1, back=True)


@LAYERS.register()
class RandomColorDegeneration(_ColorLayer):
    """Images moved towards gray: 0 leaves them alone, 1 is gray, and below 0 their colours get stronger.

    Args:
        factor: `(low, high)` from -1 to 1, or one number for minus and plus.

    Shape: as the input.

    Example:
        >>> tuple(RandomColorDegeneration(0.5, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Signed,
        value_range: ValueRange = (0, 255),
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        return K.clip(x + self._draw(x, *self.factor) * (self._gray(x) - x), *self.value_range)


@LAYERS.register()
class RandomSharpness(_ColorLayer):
    """Images blurred or sharpened at random.

    Args:
        factor: `(low, high)` from 0 to 1, or one number for 0 up to it: 0 blurs, 0.5 leaves images alone, 1 sharpens.

    Shape: as the input.

    Example:
        >>> tuple(RandomSharpness(0.2, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Part,
        value_range: ValueRange = (0, 255),
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        channels = K.int_shape(x)[self._axis]
        window = np.full((3, 3, channels, 1), 1 / 13)
        window[1, 1] = 5 / 13
        smooth = K.depthwise_conv2d(x, K.convert(window, K.dtype(x)), padding="same", data_format=self.data_format)
        return K.clip(x + (1.0 - 2.0 * self._draw(x, *self.factor)) * (smooth - x), *self.value_range)


@LAYERS.register()
class AutoContrast(_ColorLayer):
    """Images whose values fill the range of values, channel by channel; not only while training.

    Shape: as the input.

    Example:
        >>> AutoContrast()(np.array([50.0, 100.0]).reshape(1, 2, 1, 1)).tolist()
        [[[[0.0]], [[255.0]]]]
    """

    def __init__(
        self, value_range: ValueRange = (0, 255), data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]
    ):
        super().__init__(**kwargs)

    call = _ImageLayer.call  # type: ignore[assignment]

    def _transform(self, x: Any) -> Any:
        axes = (1, 2) if self.data_format == "channels_last" else (2, 3)
        low, high = K.min(x, axis=axes, keepdims=True), K.max(x, axis=axes, keepdims=True)
        span = K.where(high > low, high - low, K.ones_like(low))
        first, last = self.value_range
        return K.where(high > low, (x - low) / span * (last - first) + first, x)
