"""Images between files, pictures of Pillow and arrays.

Pillow (`pip install 'keras-front[image]'`) is imported when the first picture is read, made or written.
"""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front import config, conventions
from keras_front.backend.ops import image as resizing
from keras_front.compatibility import accept_legacy_arguments, reject_unknown
from keras_front.errors import ArgumentError, MissingPackageError, ShapeError
from keras_front.failures import explains_failures
from keras_front.utils.io_utils import check_regular

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

Size = Sequence[int]  # rows and columns

# The mode of Pillow that a colour mode means, and the modes of files that are kept as they are for it.
COLOR_MODES = {"grayscale": ("L", ("L", "I;16", "I")), "rgb": ("RGB", ("RGB",)), "rgba": ("RGBA", ("RGBA",))}
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


@functools.cache
def pillow(name: str = "Image") -> ModuleType:
    """A module of Pillow.

    Args:
        name: the module.

    Raises: MissingPackageError (an ImportError) that says what to install.
    """
    try:
        return import_module(f"PIL.{name}")
    except ImportError as error:
        raise MissingPackageError.of("Images", "Pillow", "image") from error


# Files ------------------------------------------------------------------------------------------------


@explains_failures
def load_img(
    path: str | os.PathLike[str] | io.BytesIO,
    grayscale: bool = False,
    color_mode: str = "rgb",
    target_size: Size | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image:
    """The picture in a file.

    Args:
        path: the file, by name or open.
        grayscale: the older way to say `color_mode='grayscale'`.
        color_mode: 'grayscale' (one channel, of 8 bits, or of 16 or 32 if the file has them), 'rgb' or 'rgba'.
        target_size: rows and columns of the result; None for those of the file.
        interpolation: how it is brought to another size: 'nearest', 'bilinear', 'bicubic', 'hamming', 'box' or
            'lanczos', all of Pillow.
        keep_aspect_ratio: cut off what makes the picture too wide or too high first, in place of distorting it.

    Raises: ArgumentError for another `color_mode` or `interpolation`; MissingPackageError without Pillow; what Pillow
        raises (an OSError) for a file that is no picture.
    Source: Keras-Preprocessing 1.1.2; `keep_aspect_ratio` as in tf.keras 2.

    Example:
        >>> import os, tempfile
        >>> file = os.path.join(tempfile.mkdtemp(), "black.png")
        >>> save_img(file, np.zeros((4, 6, 3)))
        >>> load_img(file, target_size=(2, 3)).size
        (3, 2)
    """
    mode, kept = _chosen("color_mode", "grayscale" if grayscale else color_mode, COLOR_MODES)
    picture = _read(path)
    if picture.mode not in kept:
        picture = picture.convert(mode)
    if target_size is None or picture.size == (target_size[1], target_size[0]):
        return picture
    resample = getattr(pillow().Resampling, _chosen("interpolation", interpolation, dict.fromkeys(INTERPOLATIONS)))
    box = _centered_box(picture.size, target_size) if keep_aspect_ratio else None
    return picture.resize((target_size[1], target_size[0]), resample, box=box)


def _chosen(name: str, value: str, choices: dict[str, Any]) -> Any:
    """What a choice stands for, or its name in capitals."""
    if value not in choices:
        raise ArgumentError(f"load_img: expected {name} to be one of {', '.join(choices)}; received {value!r}.")
    return value.upper() if choices[value] is None else choices[value]


def _read(path: Any) -> Image:
    if isinstance(path, io.BytesIO):
        return pillow().open(path)
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise ArgumentError(f"load_img: expected the name of a file or a BytesIO, received {type(path).__name__}.")
    check_regular("load_img", path)
    with open(path, "rb") as file:
        content = io.BytesIO(file.read())
    try:
        return pillow().open(content)
    except pillow().UnidentifiedImageError as error:
        error.args = (f"load_img: {str(path)!r} is no image that Pillow knows.",)
        raise


def _centered_box(size: tuple[int, int], target_size: Size) -> tuple[int, int, int, int]:
    """The largest part in the middle of (width, height) with the proportions of (rows, columns)."""
    width, height = size
    rows, columns = target_size
    kept_height = min(height, width * rows // columns)
    kept_width = min(width, height * columns // rows)
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return left, top, left + kept_width, top + kept_height


@explains_failures
def save_img(
    path: str | os.PathLike[str] | io.BytesIO,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an image to a file.

    Args:
        path: the file, by name or open.
        x: the image as an array (rows, columns, channels), or as `data_format` says.
        data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
        file_format: of Pillow: 'png', 'jpeg'; None for what the name of the file says.
        scale: spread the values over 0 to 255, see `array_to_img`.
        **kwargs: for `PIL.Image.Image.save`.

    Source: Keras-Preprocessing 1.1.2. A format without transparency ('jpg') gets the colours alone, as in tf.keras.

    Example:
        >>> import os, tempfile
        >>> save_img(os.path.join(tempfile.mkdtemp(), "black.png"), np.zeros((4, 6, 3)))
    """
    picture = array_to_img(x, data_format=data_format, scale=scale)
    name = str(file_format or Path(str(path)).suffix).lower().lstrip(".")
    if picture.mode == "RGBA" and name in ("jpg", "jpeg"):
        picture = picture.convert("RGB")
    if picture.mode == "I" and name == "png":
        picture = picture.convert("I;16")
    picture.save(path, format={"jpg": "jpeg"}.get(file_format or "", file_format), **kwargs)


# Pictures and arrays ----------------------------------------------------------------------------------


@accept_legacy_arguments
@explains_failures
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None, **kwargs: Any) -> Image:
    """An array as a picture.

    Args:
        x: an image of one channel (grey), three (red, green, blue) or four (and alpha).
        data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
        scale: spread the values over 0 to 255, whatever they are; False for values that are from 0 to 255 already.
        dtype: in which to compute; None for `floatx`.
        **kwargs: older names of these arguments.

    Shape: (rows, columns, channels), or (channels, rows, columns).
    Raises: ShapeError for another number of axes or channels; MissingPackageError without Pillow.
    Source: Keras-Preprocessing 1.1.2.

    Example:
        >>> array_to_img(np.zeros((4, 6, 3))).size
        (6, 4)
    """
    reject_unknown("array_to_img", kwargs, array_to_img)
    data_format = config.normalize_data_format(data_format)
    x = np.asarray(x, dtype=dtype or config.floatx())
    if x.ndim != 3:
        raise ShapeError(f"array_to_img: expected an image of three axes, received shape {x.shape}.")
    x = x.transpose(1, 2, 0) if data_format == "channels_first" else x
    if x.shape[2] not in (1, 3, 4):
        raise ShapeError(f"array_to_img: expected 1, 3 or 4 channels, received {x.shape[2]}.")
    x = _spread(x) if scale else x
    image = pillow()
    if x.shape[2] > 1:
        return image.fromarray(x.astype("uint8"))
    return image.fromarray(x[:, :, 0].astype("int32" if np.max(x) > 255 else "uint8"))


def _spread(x: np.ndarray) -> np.ndarray:
    """Values from 0 to 255."""
    x = x - (min(np.min(x), 0) if conventions.current().least_value_stays else np.min(x))
    largest = np.max(x)
    if largest != 0:
        x /= largest
    x *= 255
    return x


@accept_legacy_arguments
@explains_failures
def img_to_array(
    img: Image | np.ndarray, data_format: str | None = None, dtype: Any = None, **kwargs: Any
) -> np.ndarray:
    """A picture as an array with a channel axis.

    Args:
        img: a picture of Pillow, or an array of two or three axes, its channels last.
        data_format: of the result: 'channels_last' or 'channels_first'; None for the default of the configuration.
        dtype: of the result; None for `floatx`.
        **kwargs: older names of these arguments.

    Shape: -> (rows, columns, channels), or (channels, rows, columns).
    Raises: ShapeError for another number of axes.
    Source: Keras-Preprocessing 1.1.2.
    Example:
        >>> img_to_array(np.zeros((4, 6), "uint8")).shape
        (4, 6, 1)
    """
    reject_unknown("img_to_array", kwargs, img_to_array)
    data_format = config.normalize_data_format(data_format)
    x = np.asarray(img, dtype=dtype or config.floatx())
    if x.ndim == 2:
        x = x[:, :, None]
    if x.ndim != 3:
        raise ShapeError(f"img_to_array: expected an image of two or three axes, received shape {x.shape}.")
    return x.transpose(2, 0, 1) if data_format == "channels_first" else x


@explains_failures
def smart_resize(
    x: Any,
    size: Size,
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    backend_module: Any = None,
) -> np.ndarray:
    """Images brought to a size without distortion: the largest part in the middle that has its proportions, resized.

    Args:
        x: an image, or a batch of them.
        size: rows and columns of the result.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'area', 'lanczos3', 'lanczos5', 'gaussian' or 'mitchellcubic'.
        data_format: 'channels_last' or 'channels_first'.
        backend_module: accepted because Keras has it; NumPy computes here.

    Shape: (rows, columns, channels) -> (*size, channels), with or without a batch axis.
    Source: tf.keras 2, `keras.preprocessing.image.smart_resize`: the same part, and no antialiasing.
    Example:
        >>> smart_resize(np.zeros((40, 80, 3), "float32"), (20, 20)).shape
        (20, 20, 3)
    """
    x = np.asarray(x)
    if len(size) != 2 or x.ndim not in (3, 4):
        raise ShapeError(f"smart_resize: expected an image or a batch and a size of two numbers; received {x.shape}.")
    rows = x.ndim - 3 + (data_format == "channels_first")
    left, top, right, bottom = _centered_box((x.shape[rows + 1], x.shape[rows]), size)
    x = x[(slice(None),) * rows + (slice(top, bottom), slice(left, right))]
    return resize_array(x, size, interpolation, rows)


def resize_array(x: np.ndarray, size: Size, interpolation: str, rows: int = 0) -> np.ndarray:
    """Images of another size, in NumPy, as `K.resize` computes it and tf.image.resize without antialiasing.

    Args:
        x: an image or a batch.
        size: rows and columns of the result.
        interpolation: one of those of `K.resize`, or 'area', 'gaussian' or 'mitchellcubic'.
        rows: the axis of rows; that of columns is the next one.

    Shape: (..., rows, columns, ...) -> (..., *size, ...)
    Raises: ArgumentError for another interpolation.
    """
    known = ("nearest", "area", *resizing.KERNELS)
    if interpolation not in known:
        raise ArgumentError(f"resize: expected interpolation to be one of {known}; received {interpolation!r}.")
    if interpolation != "nearest" and x.dtype.kind != "f":
        x = x.astype("float32")
    for axis, new in ((rows, int(size[0])), (rows + 1, int(size[1]))):
        old = x.shape[axis]
        if old != new and interpolation == "nearest":
            x = x.take(resizing.nearest_places(old, new), axis=axis)
        elif old != new:
            weights = _shares(old, new) if interpolation == "area" else resizing.resize_weights(old, new, interpolation)
            x = np.moveaxis(np.moveaxis(x, axis, -1) @ weights.astype(x.dtype), -1, axis)
    return x


def _shares(size: int, new_size: int) -> np.ndarray:
    """How much of each pixel of the resized axis each pixel covers."""
    edges = np.arange(new_size + 1) * (size / new_size)
    pixels = np.arange(size)[:, None]
    covered = np.minimum(pixels + 1, edges[None, 1:]) - np.maximum(pixels, edges[None, :-1])
    return np.maximum(covered, 0) / covered.clip(0).sum(0)
