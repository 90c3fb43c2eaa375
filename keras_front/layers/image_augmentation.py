"""Augmentations made of others, or that look at neighbours: `RandomGaussianBlur`, `RandomErasing`, `RandAugment`, ...

Made of ops of K, as `image_preprocessing.py`. Source for names, arguments and ranges: Keras 3,
`layers/preprocessing/image_preprocessing`. What is drawn is distributed as there, but for other noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Unpack

from keras_front import backend as K
from keras_front import random
from keras_front.backend.ops.arrangement import shape_only
from keras_front.graph.layer import LAYERS
from keras_front.ops import image
from keras_front.ops.core import switch

from .arguments import DataFormat, Factor, Flag, NotNegative, Number, Positive, Range, Seed, Sizes, ValueRange
from .base import LayerArguments
from .image_colors import (
    AutoContrast,
    Part,
    RandomColorDegeneration,
    RandomHue,
    RandomPosterization,
    RandomSaturation,
    RandomSharpness,
    Solarization,
)
from .image_histograms import Equalization
from .image_preprocessing import (
    FillMode,
    RandomBrightness,
    RandomContrast,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    Sampling,
    _GeometricLayer,
    _RandomImageLayer,
)

Scale = Annotated[Factor, Range(0)]


class SometimesLayer(_RandomImageLayer):
    """Images changed with a probability that is drawn from `factor`, for each image by itself.

    Args:
        factor: `(low, high)` from 0 to 1, or one number for 0 up to it.
    """

    factor: tuple[float, float]

    def _transform(self, x: Any) -> Any:
        if K.int_shape(x)[0] is None or None in self._space(x):
            return shape_only(x, x.shape, K.dtype(x), type(self).__name__)
        changed = self._draw(x, 0.0, 1.0) < self._draw(x, *self.factor)
        return K.where(changed, self._changed(x), x)

    def _changed(self, x: Any) -> Any:
        raise NotImplementedError

    def _windows(self, x: Any, down: Any, across: Any) -> Any:
        """Where a window of each image is: True inside.

        Args:
            x: the images.
            down: height of the window as a part of the image's, (batch, 1, 1, 1).
            across: the same for the width.
        """
        inside = None
        first = 1 if self.data_format == "channels_last" else 2
        for axis, size, part in zip((first, first + 1), self._space(x), (down, across), strict=True):
            start = self._draw(x, 0.0, 1.0) * size * (1.0 - part)
            shape = [size if a == axis else 1 for a in range(4)]
            place = K.reshape(K.arange(0, size, dtype=K.dtype(x)), shape)
            here = K.logical_and(place >= K.floor(start), place < K.floor(start + part * size))
            inside = here if inside is None else K.logical_and(inside, here)
        return inside


@LAYERS.register()
class RandomGaussianBlur(SometimesLayer):
    """Images blurred at random.

    Args:
        kernel_size: columns and rows of the window, or one number for both.
        sigma: deviations of the bell along rows and along columns, each drawn for the batch: `(low, high)` from 0 to
            1, or one number for 0 up to it.
        value_range: smallest and largest value of the result, (0, 255) for pixels as files have them.

    Shape: as the input.

    Example:
        >>> tuple(RandomGaussianBlur(kernel_size=3, sigma=1.0, seed=1)(np.ones((1, 8, 8, 3)), training=True).shape)
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Part = 1.0,
        kernel_size: Annotated[int | Sequence[int], Sizes(2)] = 3,
        sigma: Part = 1.0,
        value_range: ValueRange = (0, 255),
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _changed(self, x: Any) -> Any:
        drawn = K.random_uniform((2,), *self.sigma, dtype=K.dtype(x), seed=self.seed)
        across, down = (_bell(K.getitem(drawn, i), size) for i, size in enumerate(self.kernel_size))
        blurred = _smoothed(x, K.expand_dims(down, 1) * K.expand_dims(across, 0), self.data_format)
        return K.clip(blurred, *self.value_range)


def _bell(sigma: Any, size: int) -> Any:
    """The weights of a bell at `size` places."""
    places = K.arange(0, size, dtype=K.dtype(sigma)) - (size - 1) / 2
    values = K.exp(-0.5 * K.square(places / K.maximum(sigma, 1e-3)))
    return values / K.sum(values)


def _smoothed(x: Any, window: Any, data_format: str) -> Any:
    """Each channel with the same window."""
    rows, columns = K.int_shape(window)
    channels = K.int_shape(x)[3 if data_format == "channels_last" else 1]
    kernel = K.tile(K.reshape(window, (rows, columns, 1, 1)), (1, 1, channels, 1))
    return K.depthwise_conv2d(x, kernel, padding="same", data_format=data_format)


@LAYERS.register()
class RandomErasing(SometimesLayer):
    """Images of which a random rectangle is filled.

    Args:
        scale: area of the rectangle as a part of the image's: `(low, high)`, or one number for 0 up to it. Height and
            width are drawn by themselves.
        fill_value: what it is filled with; None for noise.
        value_range: smallest and largest value of the noise.

    Shape: as the input.

    Example:
        >>> tuple(RandomErasing(seed=1)(np.ones((1, 8, 8, 3)), training=True).shape)
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Part = 1.0,
        scale: Part = (0.02, 0.33),
        fill_value: Number | None = None,
        value_range: ValueRange = (0, 255),
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _changed(self, x: Any) -> Any:
        down, across = (K.square_root(self._draw(x, *self.scale)) for _ in range(2))
        filled = K.zeros_like(x) + self.fill_value if self.fill_value is not None else self._noise(x)
        return K.where(self._windows(x, down, across), filled, x)

    def _noise(self, x: Any) -> Any:
        low, high = self.value_range
        return K.clip(K.random_normal(K.int_shape(x), dtype=K.dtype(x), seed=self.seed) * (high - low), low, high)


@LAYERS.register()
class RandomPerspective(SometimesLayer):
    """Images seen from another side: their corners are moved at random.

    Args:
        scale: how far corners are moved at most, twice as parts of the height and width.
        interpolation: 'bilinear', or 'nearest' for images whose values are labels.
        fill_value: what lies outside.

    Shape: as the input.

    Example:
        >>> tuple(RandomPerspective(seed=1)(np.ones((1, 8, 8, 3)), training=True).shape)
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Part = 1.0,
        scale: NotNegative = 1.0,
        interpolation: Sampling = "bilinear",
        fill_value: Number = 0.0,
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _changed(self, x: Any) -> Any:
        (rows, columns), batch = self._space(x), K.int_shape(x)[0]
        right, bottom = columns - 1.0, rows - 1.0
        corners = K.constant([[[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]]], dtype=K.dtype(x))
        moves = K.random_uniform((batch, 4, 2), -0.5, 0.5, dtype=K.dtype(x), seed=self.seed)
        sizes = K.constant([[[right, bottom]]], dtype=K.dtype(x)) * self.scale
        return image.perspective_transform(
            x, corners + K.zeros_like(moves), corners + moves * sizes, self.interpolation, self.fill_value,
            self.data_format,
        )  # fmt: skip


@LAYERS.register()
class RandomElasticTransform(SometimesLayer, _GeometricLayer):
    """Images whose pixels are moved by smooth random distances.

    Args:
        scale: how far and how smoothly, drawn for the batch: `(low, high)`, or one number for 0 up to it. At 1 the
            distances have a deviation of 3 in 100 of the image's size.
        interpolation: 'bilinear', or 'nearest' for images whose values are labels.
        fill_mode: what lies outside: 'reflect', 'wrap', 'nearest' or 'constant'.
        fill_value: what lies outside with 'constant'.
        value_range: smallest and largest value of the result.

    Shape: as the input.
    Source: Simard et al. (2003).

    Example:
        >>> tuple(RandomElasticTransform(seed=1)(np.ones((1, 8, 8, 3)), training=True).shape)
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Part = 1.0,
        scale: Scale = 1.0,
        interpolation: Sampling = "bilinear",
        fill_mode: FillMode = "reflect",
        fill_value: Number = 0.0,
        value_range: ValueRange = (0, 255),
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _changed(self, x: Any) -> Any:
        return K.clip(_GeometricLayer._transform(self, x), *self.value_range)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        size, most, batch = (rows + columns) / 2, self.scale[1], K.int_shape(x)[0]
        drawn = K.squeeze(K.random_uniform((1,), *self.scale, dtype=K.dtype(x), seed=self.seed), 0)
        bell = _bell(drawn * (_SMOOTHNESS * size), int(6 * _SMOOTHNESS * size * most) | 1)
        noise = K.random_normal((batch, rows, columns, 2), dtype=K.dtype(x), seed=self.seed)
        moves = _smoothed(noise, K.expand_dims(bell, 1) * K.expand_dims(bell, 0), "channels_last")
        moves = moves / K.sum(K.square(bell)) * (drawn * (_DISTANCE * size))
        return y + K.getitem(moves, (..., 0)), z + K.getitem(moves, (..., 1))


_DISTANCE, _SMOOTHNESS = 0.0284, 0.045  # of Keras 3.15, measured


class _Composed(_RandomImageLayer):
    """Images changed by other layers."""

    def _seed(self, number: int) -> int | None:
        return None if self.seed is None else self.seed + number


@LAYERS.register()
class RandomColorJitter(_Composed):
    """Images whose brightness, contrast, saturation and hue are changed at random, in this order.

    Args:
        value_range: smallest and largest value of the images, (0, 255) for pixels as files have them.
        brightness_factor: see `RandomBrightness`; None leaves it alone.
        contrast_factor: see `RandomContrast`; None leaves it alone.
        saturation_factor: see `RandomSaturation`; None leaves it alone.
        hue_factor: see `RandomHue`; None leaves it alone.

    Shape: as the input.

    Example:
        >>> tuple(RandomColorJitter(brightness_factor=0.2, seed=1)(np.full((1, 8, 8, 3), 100.0), training=True).shape)
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: ValueRange = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        kinds = (RandomBrightness, RandomContrast, RandomSaturation, RandomHue)
        factors = (brightness_factor, contrast_factor, saturation_factor, hue_factor)
        given = [(kind, factor) for kind, factor in zip(kinds, factors, strict=True) if factor is not None]
        self._parts: list[Any] = [
            kind(factor, value_range=self.value_range, seed=self._seed(i), data_format=self.data_format)
            for i, (kind, factor) in enumerate(given)
        ]

    def _transform(self, x: Any) -> Any:
        for part in self._parts:
            x = part._transform(x)
        return x


class _OneOfMany(_Composed):
    """Images changed by layers that are chosen at random, for a whole batch.

    In a model all of them compute, and one result is taken, as no program can choose; on arrays only the chosen ones.
    """

    value_range: tuple[float, float]
    factor: tuple[float, float]
    interpolation: str

    def _choices(self, all_ops: bool = True) -> list[Any]:
        low, high = self.factor
        turned: dict[str, Any] = {"interpolation": self.interpolation}
        colours: dict[str, Any] = {"value_range": self.value_range}
        bits = (max(1, int(8 * low)), max(1, int(8 * high)))
        described: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
            (RandomShear, (self.factor, self.factor), turned), (RandomTranslation, (self.factor, self.factor), turned),
            (RandomRotation, (self.factor,), turned), (Solarization, (self.factor, self.factor), colours),
            (RandomPosterization, (bits,), colours), (AutoContrast, (), colours), (Equalization, (), colours),
        ]  # fmt: skip
        if all_ops:
            contrast = (low, high)
            described += [
                (RandomBrightness, (self.factor,), colours), (RandomColorDegeneration, (self.factor,), colours),
                (RandomContrast, (contrast,), colours), (RandomSharpness, (self.factor,), colours),
            ]  # fmt: skip
        return [
            kind(*args, **kwargs, data_format=self.data_format, **self._seeded(kind, i))
            for i, (kind, args, kwargs) in enumerate(described)
        ]

    def _seeded(self, kind: Any, number: int) -> dict[str, Any]:
        return {"seed": self._seed(number)} if issubclass(kind, _RandomImageLayer) and kind is not AutoContrast else {}

    def _picks(self, x: Any, number: int) -> list[Any]:
        """Random numbers of layers, no two equal as long as there are enough."""
        count, picks = len(self._parts), []
        while number:
            scores = K.random_uniform((count,), dtype=K.dtype(x), seed=self.seed)
            order = K.argsort(scores)
            picks += [K.getitem(order, i) for i in range(min(number, count))]
            number -= min(number, count)
        return picks

    def _applied(self, pick: Any, x: Any) -> Any:
        return switch(pick, [part._transform for part in self._parts], x)


@LAYERS.register()
class RandAugment(_OneOfMany):
    """Images changed by some of eleven augmentations, chosen at random for each batch.

    Args:
        value_range: smallest and largest value of the images, (0, 255) for pixels as files have them.
        num_ops: how many augmentations follow each other.
        factor: their strength: `(low, high)` from 0 to 1, or one number for 0 up to it.
        interpolation: 'bilinear' or 'nearest', where pixels are moved.

    Shape: as the input.
    Source: Cubuk et al. (2020).

    Example:
        >>> tuple(RandAugment(seed=1)(np.full((1, 8, 8, 3), 100.0), training=True).shape)
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: ValueRange = (0, 255),
        num_ops: Positive = 2,
        factor: Part = 0.5,
        interpolation: Sampling = "bilinear",
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self._parts = self._choices()

    def _transform(self, x: Any) -> Any:
        if None in self._space(x):
            return shape_only(x, x.shape, K.dtype(x), type(self).__name__)
        for pick in self._picks(x, self.num_ops):
            x = self._applied(pick, x)
        return x


@LAYERS.register()
class AugMix(_OneOfMany):
    """Images mixed with what chains of random augmentations make of them.

    Args:
        value_range: smallest and largest value of the images, (0, 255) for pixels as files have them.
        num_chains: how many chains are mixed.
        chain_depth: how many augmentations a chain has at most.
        factor: their strength: `(low, high)` from 0 to 1, or one number for 0 up to it.
        alpha: parameter of the distributions of weights: below 1 a few weigh much, above 1 all weigh alike.
        all_ops: whether brightness, contrast, sharpness and the strength of colours are among them.
        interpolation: 'bilinear' or 'nearest', where pixels are moved.

    Shape: as the input.
    Source: Hendrycks et al. (2020).

    Example:
        >>> tuple(AugMix(seed=1)(np.full((1, 8, 8, 3), 100.0), training=True).shape)
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: ValueRange = (0, 255),
        num_chains: Positive = 3,
        chain_depth: Positive = 3,
        factor: Part = 0.3,
        alpha: Number = 1.0,
        all_ops: Flag = True,
        interpolation: Sampling = "bilinear",
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self._parts = self._choices(all_ops)

    def _transform(self, x: Any) -> Any:
        batch = K.int_shape(x)[0]
        if batch is None or None in self._space(x):
            return shape_only(x, x.shape, K.dtype(x), type(self).__name__)
        dtype = K.dtype(x)
        parts = [random.gamma((batch, 1, 1, 1), self.alpha, dtype, self._seed(i)) for i in range(self.num_chains)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        mixed = K.zeros_like(x)
        for part in parts:
            mixed = mixed + self._chain(x) * (part / total)
        weight = random.beta((batch, 1, 1, 1), self.alpha, self.alpha, dtype, self._seed(self.num_chains))
        return x * weight + mixed * (1.0 - weight)

    def _chain(self, x: Any) -> Any:
        length = K.squeeze(K.random_uniform((1,), 0.0, float(self.chain_depth), dtype=K.dtype(x), seed=self.seed), 0)
        for number, pick in enumerate(self._picks(x, self.chain_depth)):
            x = K.where(length >= number, self._applied(pick, x), x)
        return x
