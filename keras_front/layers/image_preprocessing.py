"""Images brought to one size, and changed at random while training: `Resizing`, `CenterCrop`, `RandomFlip`, ...

All of it is made of ops of K, so it runs on every backend, inside a model or on arrays. One image without a batch axis
is taken as well. Source for names, arguments and conventions: Keras 3, `layers/preprocessing/image_preprocessing`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front import config
from keras_front.backend.ops.image import INTERPOLATIONS
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS, Layer

from ._arguments import one_of, positive


class _Image(Layer):
    """A layer over images with the channels first or last, of which integers become floats."""

    data_format: str

    def call(self, inputs: Any) -> Any:
        return self._on_batch(inputs, self._changed)

    def _on_batch(self, inputs: Any, change: Any) -> Any:
        x = K.cast(inputs, self.dtype or config.floatx())
        if K.ndim(x) not in (3, 4):
            raise ShapeError(f"{self.name}: expected images (batch, rows, columns, channels), received {x.shape}.")
        return change(x) if K.ndim(x) == 4 else K.squeeze(change(K.expand_dims(x, 0)), 0)

    def _changed(self, x: Any) -> Any:
        raise NotImplementedError

    def _space(self, x: Any) -> tuple[Any, Any]:
        """Rows and columns of a batch."""
        shape = K.int_shape(x)
        return shape[1:3] if self.data_format == "channels_last" else shape[2:4]  # type: ignore[return-value]

    def _crop(self, x: Any, top: Any, left: Any, height: int, width: int) -> Any:
        """A part of the image; where it starts may be a tensor."""
        first = 1 if self.data_format == "channels_last" else 2
        for axis, start, size in ((first, top, height), (first + 1, left, width)):
            if isinstance(start, int):
                index = [slice(None)] * axis + [slice(start, start + size)]
                x = K.getitem(x, tuple(index))
            else:
                x = K.gather(x, start + K.arange(0, size, dtype="int32"), axis=axis)
        return x

    def _to_ratio(
        self, x: Any, height: int, width: int, interpolation: str = "bilinear", antialias: bool = False
    ) -> Any:
        """The largest part in the middle that has the new aspect ratio, resized."""
        rows, columns = self._space(x)
        high, wide = min(rows, int(columns * height / width)), min(columns, int(rows * width / height))
        high, wide = high or rows, wide or columns
        part = self._crop(x, int((rows - high) / 2), int((columns - wide) / 2), high, wide)
        return K.resize(part, (height, width), interpolation, self.data_format, antialias=antialias)


@LAYERS.register()
class Resizing(_Image):
    """Images brought to one size.

    Args:
        interpolation: 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.
        antialias: whether a smaller image takes all pixels into account.
        crop_to_aspect_ratio: whether to cut off what has not the new aspect ratio, instead of distorting.
        pad_to_aspect_ratio: whether to add `fill_value` around instead.

    Shape: (batch, rows, columns, channels) -> (batch, height, width, channels)
    Raises: ArgumentError for both ways to keep the aspect ratio at once.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.height, self.width = positive("Resizing", "height", height), positive("Resizing", "width", width)
        self.interpolation = one_of("Resizing", "interpolation", interpolation, INTERPOLATIONS)
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError("Resizing: crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other.")
        self.fill_mode = one_of("Resizing", "fill_mode", fill_mode, ("constant",))
        self.fill_value = fill_value
        self.antialias = bool(antialias)
        self.data_format = config.normalize_data_format(data_format)

    def _changed(self, x: Any) -> Any:
        rows, columns = self._space(x)
        size = (self.height, self.width)
        if rows is None or columns is None or not (self.crop_to_aspect_ratio or self.pad_to_aspect_ratio):
            return K.resize(x, size, self.interpolation, self.data_format, antialias=self.antialias)
        if self.crop_to_aspect_ratio:
            return self._to_ratio(x, *size, self.interpolation, self.antialias)
        high, wide = max(rows, int(columns * size[0] / size[1])), max(columns, int(rows * size[1] / size[0]))
        top, left = (high - rows) // 2, (wide - columns) // 2
        around = [
            (0, 0),
            (top, top),
            (left, left),
        ]  # the same on both sides, as Keras does even if one pixel is missing
        around.insert(3 if self.data_format == "channels_last" else 1, (0, 0))
        wide_image = K.pad(x, tuple(around), value=self.fill_value)
        return K.resize(wide_image, size, self.interpolation, self.data_format, antialias=self.antialias)


@LAYERS.register()
class CenterCrop(_Image):
    """The middle of images; smaller ones are enlarged first, keeping their aspect ratio.

    Shape: (batch, rows, columns, channels) -> (batch, height, width, channels)
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.height, self.width = positive("CenterCrop", "height", height), positive("CenterCrop", "width", width)
        self.data_format = config.normalize_data_format(data_format)

    def _changed(self, x: Any) -> Any:
        rows, columns = self._space(x)
        if rows is None or columns is None:  # a model is being built; only the shape matters
            return K.resize(x, (self.height, self.width), data_format=self.data_format)
        if rows < self.height or columns < self.width:
            return self._to_ratio(x, self.height, self.width)
        top, left = int((rows - self.height) / 2), int((columns - self.width) / 2)
        return self._crop(x, top, left, self.height, self.width)


# At random -------------------------------------------------------------------------------------------


class _RandomImage(_Image):
    """Images changed while training, and left alone otherwise."""

    seed: int | None

    def call(self, inputs: Any, training: Any = None) -> Any:
        def calm() -> Any:
            return self._on_batch(inputs, self._calm)

        return K.in_train_phase(lambda: self._on_batch(inputs, self._changed), calm, training=training)

    def _calm(self, x: Any) -> Any:
        return x

    def _draw(self, x: Any, low: float, high: float) -> Any:
        """One number for each image, (batch, 1, 1, 1)."""
        batch = K.int_shape(x)[0]
        batch = K.shape(x)[0] if batch is None else batch
        return K.random_uniform((batch, 1, 1, 1), low, high, dtype=K.dtype(x), seed=self.seed)


@LAYERS.register()
class RandomFlip(_RandomImage):
    """Images flipped at random: 'horizontal', 'vertical' or 'horizontal_and_vertical'.

    Shape: as the input.
    """

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: int | None = None, data_format: str | None = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.mode = one_of("RandomFlip", "mode", mode, ("horizontal", "vertical", "horizontal_and_vertical"))
        self.seed, self.data_format = seed, config.normalize_data_format(data_format)

    def _changed(self, x: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        for word, axis in (("vertical", first), ("horizontal", first + 1)):
            if word in self.mode:
                x = K.where(self._draw(x, 0.0, 1.0) < 0.5, K.reverse(x, (axis,)), x)
        return x


class _Moved(_RandomImage):
    """Images whose pixels come from other places; a subclass says from where."""

    def _set_filling(
        self, fill_mode: str, interpolation: str, seed: int | None, fill_value: float, data_format: str | None
    ) -> None:
        where = type(self).__name__
        self.fill_mode = one_of(where, "fill_mode", fill_mode, ("reflect", "wrap", "constant", "nearest"))
        self.interpolation = one_of(where, "interpolation", interpolation, ("bilinear", "nearest"))
        self.seed, self.fill_value = seed, fill_value
        self.data_format = config.normalize_data_format(data_format)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        """Row and column, (batch, rows, columns) each, from which the pixel at (y, z) comes."""
        raise NotImplementedError

    def _changed(self, x: Any) -> Any:
        if None in self._space(x):  # a model is being built; only the shape matters
            return x
        first = self.data_format == "channels_first"
        x = K.permute_dimensions(x, (0, 2, 3, 1)) if first else x
        rows, columns = K.int_shape(x)[1:3]
        y = K.reshape(K.arange(0, rows, dtype=K.dtype(x)), (1, rows, 1))
        z = K.reshape(K.arange(0, columns, dtype=K.dtype(x)), (1, 1, columns))
        result = self._sampled(x, *self._places(x, y, z, rows, columns))
        return K.permute_dimensions(result, (0, 3, 1, 2)) if first else result

    def _sampled(self, x: Any, rows: Any, columns: Any) -> Any:
        if self.interpolation == "nearest":
            return self._pixels(x, K.floor(rows + 0.5), K.floor(columns + 0.5))
        top, left = K.floor(rows), K.floor(columns)
        down, right = K.expand_dims(rows - top, -1), K.expand_dims(columns - left, -1)
        upper = self._pixels(x, top, left) * (1 - right) + self._pixels(x, top, left + 1) * right
        lower = self._pixels(x, top + 1, left) * (1 - right) + self._pixels(x, top + 1, left + 1) * right
        return upper * (1 - down) + lower * down

    def _pixels(self, x: Any, rows: Any, columns: Any) -> Any:
        """The pixels at whole numbered places, which may lie outside of the image."""
        height, width, channels = K.int_shape(x)[1:]
        index = self._inside(rows, height) * width + self._inside(columns, width)
        index = K.cast(K.reshape(index, (-1, height * width, 1)), "int32")
        index = index + K.cast(K.zeros_like(K.reshape(x, (-1, height * width, channels))), "int32")
        found = K.take_along_axis(K.reshape(x, (-1, height * width, channels)), index, axis=1)
        found = K.reshape(found, (-1, height, width, channels))
        if self.fill_mode != "constant":
            return found
        known = [K.logical_and(p >= 0, p <= n - 1) for p, n in ((rows, height), (columns, width))]
        return K.where(K.expand_dims(K.logical_and(*known), -1), found, self.fill_value)

    def _inside(self, place: Any, size: int) -> Any:
        if self.fill_mode == "wrap":
            return K.mod(place, float(size))
        if self.fill_mode == "reflect":  # d c b a | a b c d | d c b a
            place = K.mod(place, 2.0 * size)
            return K.minimum(place, 2.0 * size - 1 - place)
        return K.clip(place, 0.0, size - 1.0)

    def _flat_draw(self, x: Any, bounds: tuple[float, float]) -> Any:
        return K.squeeze(self._draw(x, *bounds), -1)


def bounds(where: str, name: str, factor: Any, least: float = -math.inf, most: float = math.inf) -> tuple[float, float]:
    """`(low, high)`; one number stands for minus and plus that number."""
    pair = factor if isinstance(factor, Sequence) else (-abs(factor), abs(factor))
    if len(pair) != 2 or not least <= pair[0] <= pair[1] <= most:
        raise ArgumentError(
            f"{where}: expected {name} to be a number or a pair (low, high) between {least} and {most}, "
            f"received {factor!r}."
        )
    return float(pair[0]), float(pair[1])


@LAYERS.register()
class RandomRotation(_Moved):
    """Images turned by a random angle, counterclockwise.

    Args:
        factor: part of a full turn, `(low, high)` or one number for minus and plus.
        fill_mode: what lies outside: 'reflect', 'wrap', 'constant' (`fill_value`) or 'nearest'.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear", seed: int | None = None,
        fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor = bounds("RandomRotation", "factor", factor)
        self._set_filling(fill_mode, interpolation, seed, fill_value, data_format)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        angle = self._flat_draw(x, self.factor) * (2 * math.pi)
        y, z = y - (rows - 1) / 2, z - (columns - 1) / 2
        cos, sin = K.cos(angle), K.sin(angle)
        return y * cos + z * sin + (rows - 1) / 2, z * cos - y * sin + (columns - 1) / 2


@LAYERS.register()
class RandomTranslation(_Moved):
    """Images moved at random, by parts of their height and width; positive is down and right.

    Args:
        height_factor, width_factor: `(low, high)`, or one number for minus and plus.
        fill_mode: what lies outside: 'reflect', 'wrap', 'constant' (`fill_value`) or 'nearest'.

    Shape: as the input.
    """

    def __init__(
        self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear",
        seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.height_factor = bounds("RandomTranslation", "height_factor", height_factor, -1, 1)
        self.width_factor = bounds("RandomTranslation", "width_factor", width_factor, -1, 1)
        self._set_filling(fill_mode, interpolation, seed, fill_value, data_format)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        y = y - self._flat_draw(x, self.height_factor) * rows + 0 * z
        return y, z - self._flat_draw(x, self.width_factor) * columns + 0 * y


@LAYERS.register()
class RandomZoom(_Moved):
    """Images enlarged or made smaller at random around their middle; positive is smaller.

    Args:
        height_factor, width_factor: `(low, high)`, or one number for minus and plus; without a width factor the
            aspect ratio stays.
        fill_mode: what lies outside: 'reflect', 'wrap', 'constant' (`fill_value`) or 'nearest'.

    Shape: as the input.
    """

    def __init__(
        self, height_factor: Any, width_factor: Any = None, fill_mode: str = "reflect",
        interpolation: str = "bilinear", seed: int | None = None, fill_value: float = 0.0,
        data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.height_factor = bounds("RandomZoom", "height_factor", height_factor, -1)
        self.width_factor = None if width_factor is None else bounds("RandomZoom", "width_factor", width_factor, -1)
        self._set_filling(fill_mode, interpolation, seed, fill_value, data_format)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        high = 1 + self._flat_draw(x, self.height_factor)
        wide = high if self.width_factor is None else 1 + self._flat_draw(x, self.width_factor)
        y = (y - (rows - 1) / 2) * high + (rows - 1) / 2 + 0 * z
        return y, (z - (columns - 1) / 2) * wide + (columns - 1) / 2 + 0 * y


@LAYERS.register()
class RandomShear(_Moved):
    """Images slanted at random: each row is moved by its number times a factor, each column likewise.

    Args:
        x_factor, y_factor: `(low, high)`, or one number for minus and plus; both together change their sign at random.
        fill_mode: what lies outside: 'reflect', 'wrap', 'constant' (`fill_value`) or 'nearest'.

    Shape: as the input.
    """

    def __init__(
        self, x_factor: Any = 0.0, y_factor: Any = 0.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
        fill_value: float = 0.0, data_format: str | None = None, seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.x_factor, self.y_factor = (
            bounds("RandomShear", name, factor, -1, 1)
            for name, factor in (("x_factor", x_factor), ("y_factor", y_factor))
        )
        self._set_filling(fill_mode, interpolation, seed, fill_value, data_format)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        side = K.where(self._flat_draw(x, (0.0, 1.0)) > 0.5, -1.0, 1.0)
        across, down = side * self._flat_draw(x, self.x_factor), side * self._flat_draw(x, self.y_factor)
        return y + down * z, z + across * y


@LAYERS.register()
class RandomContrast(_RandomImage):
    """Each channel's distance from its mean scaled by a random factor.

    Args:
        factor: one number or `(lower, upper)`; the scale lies between `1 - lower` and `1 + upper`.
        value_range: smallest and largest value of the result.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, value_range: Sequence[float] = (0, 255), seed: int | None = None,
        data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        pair = tuple(factor) if isinstance(factor, Sequence) else (factor, factor)
        if len(pair) != 2 or min(pair) < 0 or pair[0] > 1:
            raise ArgumentError(f"RandomContrast: expected a factor between 0 and 1, or two, received {factor!r}.")
        self.factor, self.seed, self.value_range = factor, seed, tuple(value_range)
        self._scales = (1.0 - pair[0], 1.0 + pair[1])
        self.data_format = config.normalize_data_format(data_format)

    def _changed(self, x: Any) -> Any:
        axes = (1, 2) if self.data_format == "channels_last" else (2, 3)
        mean = K.mean(x, axis=axes, keepdims=True)
        return K.clip((x - mean) * self._draw(x, *self._scales) + mean, *self.value_range)


@LAYERS.register()
class RandomBrightness(_RandomImage):
    """A random number added to each image.

    Args:
        factor: `(low, high)`, parts of the width of `value_range`, or one number for minus and plus.
        value_range: smallest and largest value of the result.

    Shape: as the input.
    """

    def __init__(
        self, factor: Any, value_range: Sequence[float] = (0, 255), seed: int | None = None,
        data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.factor, self.seed = bounds("RandomBrightness", "factor", factor, -1, 1), seed
        self.value_range, self.data_format = tuple(value_range), config.normalize_data_format(data_format)

    def _changed(self, x: Any) -> Any:
        low, high = self.value_range
        return K.clip(x + self._draw(x, *self.factor) * (high - low), low, high)


@LAYERS.register()
class RandomCrop(_RandomImage):
    """A part of images, at a random place that all images of a batch share; the middle when not training.

    Shape: (batch, rows, columns, channels) -> (batch, height, width, channels)
    """

    def __init__(self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.height, self.width = positive("RandomCrop", "height", height), positive("RandomCrop", "width", width)
        self.seed, self.data_format = seed, config.normalize_data_format(data_format)

    _calm = CenterCrop._changed

    def _changed(self, x: Any) -> Any:
        rows, columns = self._space(x)
        if rows is None or columns is None or rows < self.height or columns < self.width:
            return self._calm(x)
        starts = []
        for spare in (rows - self.height, columns - self.width):
            place = K.random_uniform((1,), 0.0, 1.0, dtype=K.dtype(x), seed=self.seed)
            starts.append(K.cast(K.minimum(K.floor(place * (spare + 1)), float(spare)), "int32"))
        return self._crop(x, starts[0], starts[1], self.height, self.width)
