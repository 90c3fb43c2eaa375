"""Images brought to one size, and changed at random while training: `Resizing`, `CenterCrop`, `RandomFlip`, ...

All of it is made of ops of K, so it runs on every backend, inside a model or on arrays. One image without a batch axis
is taken as well. Source for names, arguments and conventions: Keras 3, `layers/preprocessing/image_preprocessing`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Unpack

from keras_front import backend as K
from keras_front.backend.ops.arrangement import shape_only
from keras_front.backend.ops.image import INTERPOLATIONS
from keras_front.errors import ArgumentError, ShapeError
from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS

from .arguments import CHOICE, DataFormat, Factor, Flag, Number, OneOf, Positive, Range, Reader, Seed, ValueRange
from .base import Layer, LayerArguments


def _contrast(value: Any, layer: Any) -> Any:
    lower, upper = value if isinstance(value, Sequence) else (value, value)
    if min(lower, upper) < 0 or lower > 1:
        raise ValueError
    return value


Shift = Annotated[Factor, Range(-1, 1, mirrored=True)]
Zoom = Annotated[Factor, Range(-1, mirrored=True)]
FillMode = Annotated[Literal["reflect", "wrap", "constant", "nearest"], CHOICE]
FlipMode = Annotated[Literal["horizontal", "vertical", "horizontal_and_vertical"], CHOICE]
Sampling = Annotated[Literal["bilinear", "nearest"], CHOICE]


class _ImageLayer(Layer):
    """A layer over images with the channels first or last, of which integers become floats.

    Args:
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first' (batch, channels, rows,
            columns). By default what `keras_front.config.image_data_format()` says.
    """

    file_form = FileForm(
        says_training=True, tf_keras={"data_format": "channels_last"}, left_out={"data_format": "channels_last"}
    )

    data_format: str

    def call(self, inputs: Any) -> Any:
        return self._on_batch(inputs, self._transform)

    def _on_batch(self, inputs: Any, change: Any) -> Any:
        x = K.cast(inputs, self._dtype_here())
        if K.ndim(x) not in (3, 4):
            raise ShapeError(f"{self.name}: expected images (batch, rows, columns, channels), received {x.shape}.")
        y = change(x) if K.ndim(x) == 4 else K.squeeze(change(K.expand_dims(x, 0)), 0)
        return K.cast(y, K.dtype(x))

    def _transform(self, x: Any) -> Any:
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

    def _of_size(self, x: Any) -> Any:
        """Images of the layer's size, for a model that is built without knowing that of its images."""
        shape = list(K.int_shape(x))
        start = 1 if self.data_format == "channels_last" else 2
        shape[start : start + 2] = self.height, self.width
        return shape_only(x, shape, K.dtype(x), type(self).__name__)

    def _to_ratio(
        self, x: Any, height: Positive, width: Positive, interpolation: str = "bilinear", antialias: bool = False
    ) -> Any:
        """The largest part in the middle that has the new aspect ratio, resized."""
        rows, columns = self._space(x)
        high, wide = min(rows, int(columns * height / width)), min(columns, int(rows * width / height))
        high, wide = high or rows, wide or columns
        part = self._crop(x, int((rows - high) / 2), int((columns - wide) / 2), high, wide)
        return K.resize(part, (height, width), interpolation, self.data_format, antialias=antialias)


@LAYERS.register()
class Resizing(_ImageLayer):
    """Images brought to one size.

    Args:
        height: rows of the result.
        width: columns of the result.
        interpolation: 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.
        crop_to_aspect_ratio: whether to cut off what has not the new aspect ratio, instead of distorting.
        pad_to_aspect_ratio: whether to add `fill_value` around instead.
        fill_mode: 'constant', the only one that there is.
        fill_value: what is added around with `pad_to_aspect_ratio`.
        antialias: whether a smaller image takes all pixels into account.

    Shape: (batch, rows, columns, channels) -> (batch, height, width, channels)
    Raises: ArgumentError for both ways to keep the aspect ratio at once.
    Example:
        >>> Resizing(32, 32).compute_output_shape((None, 100, 80, 3))
        (None, 32, 32, 3)
    """

    file_form = _ImageLayer.file_form._replace(
        tf_keras={
            "antialias": False,
            "data_format": "channels_last",
            "fill_mode": "constant",
            "fill_value": 0.0,
            "pad_to_aspect_ratio": False,
        },
    )

    def __init__(
        self,
        height: Positive,
        width: Positive,
        interpolation: Annotated[str, OneOf(INTERPOLATIONS)] = "bilinear",
        crop_to_aspect_ratio: Flag = False,
        pad_to_aspect_ratio: Flag = False,
        fill_mode: Annotated[Literal["constant"], CHOICE] = "constant",
        fill_value: Number = 0.0,
        antialias: Flag = False,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError("Resizing: crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other.")

    def _transform(self, x: Any) -> Any:
        rows, columns = self._space(x)
        size = (self.height, self.width)
        if not (self.crop_to_aspect_ratio or self.pad_to_aspect_ratio):
            return K.resize(x, size, self.interpolation, self.data_format, antialias=self.antialias)
        if rows is None or columns is None:
            return self._of_size(x)
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
class CenterCrop(_ImageLayer):
    """The middle of images; smaller ones are enlarged first, keeping their aspect ratio.

    Args:
        height: rows of the result.
        width: columns of the result.

    Shape: (batch, rows, columns, channels) -> (batch, height, width, channels)

    Example:
        >>> CenterCrop(4, 4).compute_output_shape((None, 8, 8, 3))
        (None, 4, 4, 3)
    """

    def __init__(
        self, height: Positive, width: Positive, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        rows, columns = self._space(x)
        if rows is None or columns is None:
            return self._of_size(x)
        if rows < self.height or columns < self.width:
            return self._to_ratio(x, self.height, self.width)
        top, left = int((rows - self.height) / 2), int((columns - self.width) / 2)
        return self._crop(x, top, left, self.height, self.width)


# At random -------------------------------------------------------------------------------------------


class _RandomImageLayer(_ImageLayer):
    """Images changed while training, and left alone otherwise.

    Args:
        seed: of the layer's own stream of noise; by default it follows from `set_random_seed`.
    """

    seed: int | None

    def call(self, inputs: Any, training: Any = None) -> Any:
        def calm() -> Any:
            return self._on_batch(inputs, self._infer)

        return K.in_train_phase(lambda: self._on_batch(inputs, self._transform), calm, training=training)

    def _infer(self, x: Any) -> Any:
        return x

    def _draw(self, x: Any, low: float, high: float) -> Any:
        """One number for each image, (batch, 1, 1, 1)."""
        batch = K.int_shape(x)[0]
        batch = K.shape(x)[0] if batch is None else batch
        return K.random_uniform((batch, 1, 1, 1), low, high, dtype=K.dtype(x), seed=self.seed)


@LAYERS.register()
class RandomFlip(_RandomImageLayer):
    """Images flipped at random while training, each with a probability of one half.

    Args:
        mode: 'horizontal' (left and right change places), 'vertical' or 'horizontal_and_vertical'.

    Shape: as the input.

    Example:
        >>> tuple(RandomFlip("horizontal", seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        mode: FlipMode = "horizontal_and_vertical",
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        for word, axis in (("vertical", first), ("horizontal", first + 1)):
            if word in self.mode:
                x = K.where(self._draw(x, 0.0, 1.0) < 0.5, K.reverse(x, (axis,)), x)
        return x


class _GeometricLayer(_RandomImageLayer):
    """Images whose pixels come from other places; a subclass says from where.

    Args:
        fill_mode: what lies outside of the image: 'reflect' (d c b a | a b c d | d c b a), 'wrap' (a b c d | a b c d |
            a b c d), 'nearest' (a a a a | a b c d | d d d d) or 'constant' (`fill_value`).
        interpolation: 'bilinear', or 'nearest' for images whose values are labels.
        fill_value: what lies outside with 'constant'.
    """

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        """Row and column, (batch, rows, columns) each, from which the pixel at (y, z) comes."""
        raise NotImplementedError

    def _transform(self, x: Any) -> Any:
        if None in self._space(x):
            return shape_only(x, x.shape, K.dtype(x), type(self).__name__)
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


@LAYERS.register()
class RandomRotation(_GeometricLayer):
    """Images turned by a random angle, counterclockwise.

    Args:
        factor: part of a full turn, `(low, high)` or one number for minus and plus: 0.1 is up to 36 degrees.

    Shape: as the input.

    Example:
        >>> tuple(RandomRotation(0.1, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Annotated[Factor, Range(mirrored=True)],
        fill_mode: FillMode = "reflect",
        interpolation: Sampling = "bilinear",
        seed: Seed = None,
        fill_value: Number = 0.0,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        angle = self._flat_draw(x, self.factor) * (2 * math.pi)
        y, z = y - (rows - 1) / 2, z - (columns - 1) / 2
        cos, sin = K.cos(angle), K.sin(angle)
        return y * cos + z * sin + (rows - 1) / 2, z * cos - y * sin + (columns - 1) / 2


@LAYERS.register()
class RandomTranslation(_GeometricLayer):
    """Images moved at random, by parts of their height and width; positive is down and right.

    Args:
        height_factor: part of the height, `(low, high)` or one number for minus and plus, from -1 to 1.
        width_factor: part of the width, likewise.

    Shape: as the input.

    Example:
        >>> tuple(RandomTranslation(0.1, 0.1, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        height_factor: Shift,
        width_factor: Shift,
        fill_mode: FillMode = "reflect",
        interpolation: Sampling = "bilinear",
        seed: Seed = None,
        fill_value: Number = 0.0,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        y = y - self._flat_draw(x, self.height_factor) * rows + 0 * z
        return y, z - self._flat_draw(x, self.width_factor) * columns + 0 * y


@LAYERS.register()
class RandomZoom(_GeometricLayer):
    """Images enlarged or made smaller at random around their middle; positive is smaller.

    Args:
        height_factor: by how much the height that is seen grows: `(low, high)`, or one number for minus and plus. 0.5
            shows half as much again, -0.5 half as much; at least -1.
        width_factor: the same for the width; by default the height's, so that the aspect ratio stays.

    Shape: as the input.

    Example:
        >>> tuple(RandomZoom(0.2, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        height_factor: Zoom,
        width_factor: Zoom | None = None,
        fill_mode: FillMode = "reflect",
        interpolation: Sampling = "bilinear",
        seed: Seed = None,
        fill_value: Number = 0.0,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        high = 1 + self._flat_draw(x, self.height_factor)
        wide = high if self.width_factor is None else 1 + self._flat_draw(x, self.width_factor)
        y = (y - (rows - 1) / 2) * high + (rows - 1) / 2 + 0 * z
        return y, (z - (columns - 1) / 2) * wide + (columns - 1) / 2 + 0 * y


@LAYERS.register()
class RandomShear(_GeometricLayer):
    """Images slanted at random: each row is moved by its number times a factor, each column likewise.

    Args:
        x_factor: by how much each row is moved against the one above, as part of its distance: `(low, high)`, or one
            number for minus and plus, from -1 to 1. Both factors together change their sign at random.
        y_factor: the same for columns.

    Shape: as the input.

    Example:
        >>> tuple(RandomShear(x_factor=0.2, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        x_factor: Shift = 0.0,
        y_factor: Shift = 0.0,
        interpolation: Sampling = "bilinear",
        fill_mode: FillMode = "reflect",
        fill_value: Number = 0.0,
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _places(self, x: Any, y: Any, z: Any, rows: int, columns: int) -> tuple[Any, Any]:
        side = K.where(self._flat_draw(x, (0.0, 1.0)) > 0.5, -1.0, 1.0)
        across, down = side * self._flat_draw(x, self.x_factor), side * self._flat_draw(x, self.y_factor)
        return y + down * z, z + across * y


@LAYERS.register()
class RandomContrast(_RandomImageLayer):
    """Each channel's distance from its mean scaled by a random factor.

    Args:
        factor: one number or `(lower, upper)`; the scale lies between `1 - lower` and `1 + upper`.
        value_range: smallest and largest value of the result, (0, 255) for pixels as files have them.

    Shape: as the input.

    Example:
        >>> tuple(RandomContrast(0.2, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Annotated[Factor, Reader(_contrast, "a number between 0 and 1, or two")],
        value_range: ValueRange = (0, 255),
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        lower, upper = factor if isinstance(factor, Sequence) else (factor, factor)
        self._scales = (1.0 - lower, 1.0 + upper)

    def _transform(self, x: Any) -> Any:
        axes = (1, 2) if self.data_format == "channels_last" else (2, 3)
        mean = K.mean(x, axis=axes, keepdims=True)
        return K.clip((x - mean) * self._draw(x, *self._scales) + mean, *self.value_range)


@LAYERS.register()
class RandomBrightness(_RandomImageLayer):
    """A random number added to each image.

    Args:
        factor: `(low, high)`, parts of the width of `value_range`, or one number for minus and plus, from -1 to 1.
        value_range: smallest and largest value of the result, (0, 255) for pixels as files have them.

    Shape: as the input.

    Example:
        >>> tuple(RandomBrightness(0.2, seed=1)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Shift,
        value_range: ValueRange = (0, 255),
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _transform(self, x: Any) -> Any:
        low, high = self.value_range
        return K.clip(x + self._draw(x, *self.factor) * (high - low), low, high)


@LAYERS.register()
class RandomCrop(_RandomImageLayer):
    """A part of images, at a random place that all images of a batch share; the middle when not training.

    Args:
        height: rows of the result.
        width: columns of the result.

    Shape: (batch, rows, columns, channels) -> (batch, height, width, channels)

    Example:
        >>> RandomCrop(4, 4).compute_output_shape((None, 8, 8, 3))
        (None, 4, 4, 3)
    """

    def __init__(
        self,
        height: Positive,
        width: Positive,
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    file_form = _ImageLayer.file_form._replace(tf_keras={})  # it squeezes images when not training
    _infer = CenterCrop._transform

    def _transform(self, x: Any) -> Any:
        rows, columns = self._space(x)
        if rows is None or columns is None or rows < self.height or columns < self.width:
            return self._infer(x)
        starts = []
        for spare in (rows - self.height, columns - self.width):
            place = K.random_uniform((1,), 0.0, 1.0, dtype=K.dtype(x), seed=self.seed)
            starts.append(K.cast(K.minimum(K.floor(place * (spare + 1)), float(spare)), "int32"))
        return self._crop(x, starts[0], starts[1], self.height, self.width)
