"""Colours of images changed at random while training: `RandomHue`, `RandomGrayscale`, `Solarization`, ...

Made of ops of K, as `image_preprocessing.py`. Source for names, arguments and formulas: Keras 3,
`layers/preprocessing/image_preprocessing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS

from .image_preprocessing import _Image, _RandomImage

_GRAY = (0.2989, 0.587, 0.114)  # of red, green and blue in the luma of Rec. 601


def part(where: str, name: str, factor: Any, least: float, most: float, alone: float | None = None) -> Any:
    """`(low, high)` between `least` and `most`; one number stands for `alone` (or `least`) up to it."""
    low = least if alone is None else alone
    pair = tuple(sorted(factor)) if isinstance(factor, Sequence) and len(factor) == 2 else (low, factor)
    if not all(isinstance(n, int | float) and least <= n <= most for n in pair):
        raise ArgumentError(
            f"{where}: expected {name} to be a number or a pair (low, high) between {least} and {most}, "
            f"received {factor!r}."
        )
    return float(pair[0]), float(pair[1])


class _Coloured(_RandomImage):
    """A random image layer that looks at single channels."""

    value_range: tuple[float, float]

    def _begin(self, seed: int | None, data_format: str | None, value_range: Sequence[float] = (0, 255)) -> None:
        if not isinstance(value_range, Sequence) or len(value_range) != 2:
            raise ArgumentError(f"{self.name}: expected value_range as a pair (low, high), received {value_range!r}.")
        self.seed, self.data_format = seed, config.normalize_data_format(data_format)
        self.value_range = (min(value_range), max(value_range))

    @property
    def _axis(self) -> int:
        return 3 if self.data_format == "channels_last" else 1

    def _colours(self, x: Any) -> list[Any]:
        """Red, green and blue, each with a channel axis of 1."""
        if K.int_shape(x)[self._axis] != 3:
            raise ShapeError(f"{self.name}: expected images with 3 channels, received {tuple(K.int_shape(x))}.")
        return [K.getitem(x, (slice(None),) * self._axis + (slice(i, i + 1),)) for i in range(3)]

    def _gray(self, x: Any) -> Any:
        return sum(weight * c for weight, c in zip(_GRAY, self._colours(x), strict=True))

    def _scaled(self, x: Any, most: float, back: bool = False) -> Any:
        """Values of `value_range` brought to 0 up to `most`, or back."""
        low, high = self.value_range
        if (low, high) == (0, most):
            return x
        return x / most * (high - low) + low if back else (x - low) / (high - low) * most

    def _hsv(self, x: Any) -> tuple[Any, Any, Any]:
        """Hue from 0 to 1, saturation and value of each pixel.

        Source: Smith (1978).
        """
        red, green, blue = self._colours(x)
        value = K.maximum(K.maximum(red, green), blue)
        span = value - K.minimum(K.minimum(red, green), blue)
        some = K.where(span > 0, span, K.ones_like(span))
        hue = K.where(
            K.equal(value, red), (green - blue) / some,
            K.where(K.equal(value, green), (blue - red) / some + 2.0, (red - green) / some + 4.0),
        )  # fmt: skip
        saturation = span / K.where(value > 0, value, K.ones_like(value))
        return K.mod(hue / 6.0, 1.0) * K.cast(span > 0, K.dtype(x)), saturation, value

    def _rgb(self, hue: Any, saturation: Any, value: Any) -> Any:
        parts = []
        for start in (5.0, 3.0, 1.0):
            k = K.mod(hue * 6.0 + start, 6.0)
            parts.append(value - value * saturation * K.clip(K.minimum(k, 4.0 - k), 0.0, 1.0))
        return K.concatenate(parts, axis=self._axis)


@LAYERS.register()
class RandomGrayscale(_Coloured):
    """Images made gray with the probability `factor`; they keep their three channels.

    Shape: as the input.
    """

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.factor = part("RandomGrayscale", "factor", factor, 0, 1)[1]
        self._begin(seed, data_format)

    def _changed(self, x: Any) -> Any:
        return K.where(self._draw(x, 0.0, 1.0) < self.factor, self._gray(x) + K.zeros_like(x), x)


@LAYERS.register()
class RandomInvert(_Coloured):
    """Images turned into their negatives, with a probability drawn from `factor`.

    Args:
        factor: `(low, high)`, or one number for 0 up to it.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any = 1.0, value_range: Sequence[float] = (0, 255), seed: int | None = None,
        data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor = part("RandomInvert", "factor", factor, 0, 1)
        self._begin(seed, data_format, value_range)

    def _changed(self, x: Any) -> Any:
        turned = self._draw(x, 0.0, 1.0) < self._draw(x, *self.factor)
        return K.where(turned, self.value_range[1] - x, x)


@LAYERS.register()
class RandomPosterization(_Coloured):
    """Images whose values keep only their `factor` highest of 8 bits.

    Args:
        factor: `(low, high)`, of which the high one is not drawn unless they are equal; or one number for 1 up to it.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, value_range: Sequence[float] = (0, 255), data_format: str | None = None,
        seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor = tuple(int(n) for n in part("RandomPosterization", "factor", factor, 1, 8))
        self._begin(seed, data_format, value_range)

    def _changed(self, x: Any) -> Any:
        low, high = self.factor
        bits = K.floor(self._draw(x, low, max(high, low + 1))) if high > low else low
        step = K.pow(2.0 * K.ones_like(self._draw(x, 0.0, 1.0)), 8.0 - bits)
        kept = K.floor(K.floor(K.clip(self._scaled(x, 255), 0.0, 255.0)) / step) * step
        return self._scaled(kept, 255, back=True)


@LAYERS.register()
class Solarization(_Coloured):
    """Values moved up by a random amount, and from a random threshold on turned into their negatives.

    Args:
        addition_factor, threshold_factor: `(low, high)` as parts of the range of values, or one number for 0 up to it.

    Shape: as the input.
    """

    def __init__(
        self, addition_factor: Any = 0.0, threshold_factor: Any = 0.0, value_range: Sequence[float] = (0, 255),
        seed: int | None = None, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.addition_factor = part("Solarization", "addition_factor", addition_factor, 0, 1)
        self.threshold_factor = part("Solarization", "threshold_factor", threshold_factor, 0, 1)
        self._begin(seed, data_format, value_range)

    def _changed(self, x: Any) -> Any:
        moved = self._scaled(x, 255) + 255.0 * self._draw(x, *self.addition_factor)
        moved = K.clip(moved, 0.0, 255.0)
        turned = K.where(moved < 255.0 * self._draw(x, *self.threshold_factor), moved, 255.0 - moved)
        return self._scaled(turned, 255, back=True)


@LAYERS.register()
class RandomSaturation(_Coloured):
    """Images whose saturation is multiplied by `f / (1 - f)`, f drawn from `factor`: 0.5 leaves them alone, 0 is gray.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, value_range: Sequence[float] = (0, 255), data_format: str | None = None,
        seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor = part("RandomSaturation", "factor", factor, -1, 1, alone=-_one(factor))
        self._begin(seed, data_format, value_range)

    def _changed(self, x: Any) -> Any:
        amount = self._draw(x, *self.factor)
        hue, saturation, value = self._hsv(x)
        return self._rgb(hue, K.clip(saturation * (amount / (1.0 - amount + K.epsilon())), *self.value_range), value)


@LAYERS.register()
class RandomHue(_Coloured):
    """Images whose colours are turned around the circle of hues, by up to half of it in either direction.

    Args:
        factor: `(low, high)` as parts of half the circle, or one number for 0 up to it.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, value_range: Sequence[float] = (0, 255), data_format: str | None = None,
        seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor = part("RandomHue", "factor", factor, 0, 1)
        self._begin(seed, data_format, value_range)

    def _changed(self, x: Any) -> Any:
        side = K.where(self._draw(x, 0.0, 1.0) > 0.5, -0.5, 0.5)
        hue, saturation, value = self._hsv(self._scaled(x, 1))
        turned = self._rgb(K.mod(hue + side * self._draw(x, *self.factor), 1.0), saturation, value)
        return self._scaled(K.clip(turned, 0.0, 1.0), 1, back=True)


@LAYERS.register()
class RandomColorDegeneration(_Coloured):
    """Images moved towards gray, by a part drawn from `factor`.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, value_range: Sequence[float] = (0, 255), data_format: str | None = None,
        seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor = part("RandomColorDegeneration", "factor", factor, -1, 1, alone=-_one(factor))
        self._begin(seed, data_format, value_range)

    def _changed(self, x: Any) -> Any:
        return K.clip(x + self._draw(x, *self.factor) * (self._gray(x) - x), *self.value_range)


@LAYERS.register()
class RandomSharpness(_Coloured):
    """Images blurred or sharpened: a factor of 0 blurs, 0.5 leaves them alone, 1 sharpens.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, value_range: Sequence[float] = (0, 255), data_format: str | None = None,
        seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor = part("RandomSharpness", "factor", factor, 0, 1)
        self._begin(seed, data_format, value_range)

    def _changed(self, x: Any) -> Any:
        channels = K.int_shape(x)[self._axis]
        window = np.full((3, 3, channels, 1), 1 / 13)
        window[1, 1] = 5 / 13
        smooth = K.depthwise_conv2d(x, K.convert(window, K.dtype(x)), padding="same", data_format=self.data_format)
        return K.clip(x + (1.0 - 2.0 * self._draw(x, *self.factor)) * (smooth - x), *self.value_range)


@LAYERS.register()
class AutoContrast(_Coloured):
    """Images whose values fill the range of values, channel by channel; not only while training.

    Shape: as the input.
    """

    def __init__(self, value_range: Sequence[float] = (0, 255), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self._begin(None, data_format, value_range)

    call = _Image.call  # type: ignore[assignment]

    def _changed(self, x: Any) -> Any:
        axes = (1, 2) if self.data_format == "channels_last" else (2, 3)
        low, high = K.min(x, axis=axes, keepdims=True), K.max(x, axis=axes, keepdims=True)
        span = K.where(high > low, high - low, K.ones_like(low))
        first, last = self.value_range
        return K.where(high > low, (x - low) / span * (last - first) + first, x)


def _one(factor: Any) -> float:
    return abs(float(factor)) if isinstance(factor, int | float) else 0.0
