"""Images turned, moved, sheared, zoomed, flipped and coloured: given how, or at random.

The functions `random_*` draw from NumPy's global state. SciPy (`pip install 'keras-front[image]'`) is imported when the
first image is turned.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front.compatibility import accept_legacy_arguments, reject_unknown
from keras_front.errors import ArgumentError, MissingPackageError
from keras_front.failures import explains_failures
from keras_front.utils.image_utils import array_to_img, img_to_array, pillow

__all__ = [
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "apply_transform",
    "flip_axis",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "transform_matrix_offset_center",
]

FILL_MODES = ("nearest", "constant", "reflect", "wrap")


class Affine(NamedTuple):
    """The first two rows of a matrix that says from where (row, column, 1) is taken."""

    a: float
    b: float
    row: float
    c: float
    d: float
    column: float

    def after(self, other: Affine) -> Affine:
        """The product of both matrices.

        Args:
            other: the matrix on the right.
        """
        return Affine(
            self.a * other.a + self.b * other.c,
            self.a * other.b + self.b * other.d,
            self.a * other.row + self.b * other.column + self.row,
            self.c * other.a + self.d * other.c,
            self.c * other.b + self.d * other.d,
            self.c * other.row + self.d * other.column + self.column,
        )


def _matrix(theta: float, tx: float, ty: float, shear: float, zx: float, zy: float) -> Affine | None:
    """Rotation, shift, shear and zoom as one matrix; None if nothing changes."""
    parts = []
    if theta != 0:
        angle = math.radians(theta)
        parts.append(Affine(math.cos(angle), -math.sin(angle), 0.0, math.sin(angle), math.cos(angle), 0.0))
    if tx != 0 or ty != 0:
        parts.append(Affine(1.0, 0.0, tx, 0.0, 1.0, ty))
    if shear != 0:
        angle = math.radians(shear)
        parts.append(Affine(1.0, -math.sin(angle), 0.0, 0.0, math.cos(angle), 0.0))
    if zx != 1 or zy != 1:
        parts.append(Affine(zx, 0.0, 0.0, 0.0, zy, 0.0))
    return functools.reduce(Affine.after, parts) if parts else None


def transform_matrix_offset_center(matrix: Any, x: int, y: int) -> np.ndarray:
    """An affine matrix that acts about the middle of an image in place of its corner.

    Args:
        matrix: the matrix for (row, column, 1).
        x: how many rows the image has.
        y: how many columns it has.

    Shape: (3, 3) -> (3, 3)
    Source: Keras-Preprocessing 1.1.2; the middle is half a pixel behind the middle of the outermost ones.

    Example:
        >>> tuple(transform_matrix_offset_center(np.eye(3), 4, 4).shape)
        (3, 3)
    """
    middle, back = np.eye(3), np.eye(3)
    middle[:2, 2] = x / 2 + 0.5, y / 2 + 0.5
    back[:2, 2] = -middle[:2, 2]
    return middle @ np.asarray(matrix) @ back


@explains_failures
def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 0,
    col_axis: int = 1,
    channel_axis: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """An image rotated, shifted, sheared and zoomed about its middle; one that nothing changes is returned as it is.

    Args:
        x: the image.
        theta: rotation in degrees.
        tx: shift along the rows, in pixels.
        ty: shift along the columns, in pixels.
        shear: in degrees.
        zx: zoom along the rows: below 1 enlarges.
        zy: zoom along the columns.
        row_axis: the axis whose length is that of the rows.
        col_axis: the axis whose length is that of the columns.
        channel_axis: the axis of channels; of the other two the first one has the rows.
        fill_mode: what is beyond the edges: 'nearest' (the edge itself), 'constant' (`cval`), 'reflect' or 'wrap'.
        cval: the value for 'constant'.
        order: degree of the spline between pixels: 0 the nearest one, 1 linear, up to 5.

    Shape: as `x`, also its dtype.
    Raises: ArgumentError for another `fill_mode` or number of axes; MissingPackageError without SciPy.
    Source: Keras-Preprocessing 1.1.2.

    Example:
        >>> tuple(apply_affine_transform(np.ones((4, 4, 3)), theta=30).shape)
        (4, 4, 3)
    """
    matrix = _matrix(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    x = np.asarray(x)
    if x.ndim != 3:
        raise ArgumentError(f"apply_affine_transform: expected an image of three axes, received shape {x.shape}.")
    rows, columns = x.shape[row_axis] / 2 + 0.5, x.shape[col_axis] / 2 + 0.5
    centered = (
        Affine(1.0, 0.0, rows, 0.0, 1.0, columns).after(matrix).after(Affine(1.0, 0.0, -rows, 0.0, 1.0, -columns))
    )
    return _transformed(x, channel_axis, centered, fill_mode, cval, order)


def _transformed(
    x: np.ndarray, channel_axis: int, matrix: Affine, fill_mode: str, cval: float, order: int
) -> np.ndarray:
    """Each channel of an image looked up at other places."""
    if fill_mode not in FILL_MODES:
        raise ArgumentError(f"fill_mode: expected one of {', '.join(FILL_MODES)}; received {fill_mode!r}.")
    try:
        from scipy.ndimage import affine_transform
    except ImportError as error:
        raise MissingPackageError.of("Rotation, shift, shear and zoom", "SciPy", "image") from error
    linear, offset = np.array([[matrix.a, matrix.b], [matrix.c, matrix.d]]), (matrix.row, matrix.column)
    result = np.empty_like(x)
    for source, target in zip(np.moveaxis(x, channel_axis, 0), np.moveaxis(result, channel_axis, 0)):
        affine_transform(source, linear, offset, output=target, order=order, mode=fill_mode, cval=cval)
    return result


@explains_failures
def apply_transform(
    x: np.ndarray, transform_matrix: Any, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> np.ndarray:
    """An image looked up at the places that a matrix says, each the nearest pixel.

    Args:
        x: the image.
        transform_matrix: affine, for (row, column, 1), as `transform_matrix_offset_center` gives it.
        channel_axis: the axis of channels.
        fill_mode: what is beyond the edges, see `apply_affine_transform`.
        cval: the value for 'constant'.

    Shape: as `x`.
    Source: Keras 1.2.2, `keras.preprocessing.image.apply_transform`.

    Example:
        >>> tuple(apply_transform(np.ones((3, 4, 4)), np.eye(3)).shape)
        (3, 4, 4)
    """
    matrix = Affine(*np.asarray(transform_matrix, "float64")[:2].ravel().tolist())
    return _transformed(np.asarray(x), channel_axis, matrix, fill_mode, cval, order=0)


@explains_failures
def flip_axis(x: Any, axis: int) -> np.ndarray:
    """An array with one axis in reverse.

    Args:
        x: the array.
        axis: the axis.

    Example:
        >>> flip_axis(np.array([[1, 2], [3, 4]]), 1).tolist()
        [[2, 1], [4, 3]]
    """
    x = np.asarray(x)
    return x[(slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)]  # what np.flip does, in a third of its time


# Colours ----------------------------------------------------------------------------------------------


@explains_failures
def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """An image made brighter by adding to all channels; the least and the largest value stay what they were.

    Args:
        x: the image.
        intensity: what is added.
        channel_axis: the axis of channels; accepted because Keras has it, all channels change alike.

    Shape: as `x`.
    Source: Keras-Preprocessing 1.1.2.

    Example:
        >>> apply_channel_shift(np.array([[[1.0, 2.0]]]), 1.0).tolist()
        [[[2.0, 2.0]]]
    """
    x = np.asarray(x)
    return np.clip(x + float(intensity), x.min(), x.max())


@explains_failures
def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> np.ndarray:
    """An image of another brightness.

    Args:
        x: the image, channels last.
        brightness: 0 for black, 1 for the brightness that it has, above 1 for brighter.
        scale: spread the values over 0 to 255 first, see `array_to_img`.

    Shape: as `x`; whole numbers from 0 to 255 as `floatx`.
    Raises: MissingPackageError without Pillow.
    Source: Keras-Preprocessing 1.1.2; `scale` as in tf.keras 2.

    Example:
        >>> tuple(apply_brightness_shift(np.full((2, 2, 3), 100.0), 1.5).shape)
        (2, 2, 3)
    """
    picture = array_to_img(x, data_format="channels_last", scale=scale)
    picture = pillow("ImageEnhance").Brightness(picture).enhance(brightness)
    return img_to_array(picture, data_format="channels_last")


# At random --------------------------------------------------------------------------------------------


@explains_failures
def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image rotated at random.

    Args:
        x: the image.
        rg: by how many degrees at most, to either side.
        row_axis, col_axis: have no effect, as in Keras-Preprocessing: the middle is that of axes 0 and 1.
        channel_axis, fill_mode, cval: see `apply_affine_transform`.
        interpolation_order: `order` there.

    Shape: as `x`.

    Example:
        >>> tuple(random_rotation(np.ones((3, 4, 4)), 30).shape)
        (3, 4, 4)
    """
    theta = np.random.uniform(-rg, rg)
    return _about_first_axes(x, channel_axis, fill_mode, cval, interpolation_order, theta=theta)


@explains_failures
def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image shifted at random.

    Args:
        x: the image.
        wrg: by what share of its width at most, to either side.
        hrg: by what share of its height at most.
        row_axis, col_axis, channel_axis, fill_mode, cval: see `apply_affine_transform`.
        interpolation_order: `order` there.

    Shape: as `x`.

    Example:
        >>> tuple(random_shift(np.ones((3, 4, 4)), 0.2, 0.2).shape)
        (3, 4, 4)
    """
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = row_axis, col_axis, channel_axis
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


@explains_failures
def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image sheared at random.

    Args:
        x: the image.
        intensity: by how many degrees at most, to either side.
        row_axis, col_axis: have no effect, see `random_rotation`.
        channel_axis, fill_mode, cval: see `apply_affine_transform`.
        interpolation_order: `order` there.

    Shape: as `x`.

    Example:
        >>> tuple(random_shear(np.ones((3, 4, 4)), 10).shape)
        (3, 4, 4)
    """
    shear = np.random.uniform(-intensity, intensity)
    return _about_first_axes(x, channel_axis, fill_mode, cval, interpolation_order, shear=shear)


@explains_failures
def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image zoomed at random, rows and columns by different factors.

    Args:
        x: the image.
        zoom_range: the least and the largest factor.
        row_axis, col_axis: have no effect, see `random_rotation`.
        channel_axis, fill_mode, cval: see `apply_affine_transform`.
        interpolation_order: `order` there.

    Shape: as `x`.
    Raises: ArgumentError unless `zoom_range` is two numbers.

    Example:
        >>> tuple(random_zoom(np.ones((3, 4, 4)), (0.8, 1.2)).shape)
        (3, 4, 4)
    """
    zx, zy = draw_zoom(two_numbers("zoom_range", zoom_range))
    return _about_first_axes(x, channel_axis, fill_mode, cval, interpolation_order, zx=zx, zy=zy)


def _about_first_axes(
    x: np.ndarray, channel_axis: int, fill_mode: str, cval: float, order: int, **change: float
) -> np.ndarray:
    """An image changed about the middle that it has if its first two axes are rows and columns.

    Keras-Preprocessing, whose numbers these are, leaves `row_axis` and `col_axis` out here; Keras 1 does not.
    """
    given: dict[str, Any] = {**change, "channel_axis": channel_axis}
    return apply_affine_transform(x, **given, fill_mode=fill_mode, cval=cval, order=order)


@accept_legacy_arguments
def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0, **kwargs: Any) -> np.ndarray:
    """An image to whose channels something is added at random, see `apply_channel_shift`.

    Args:
        x: the image.
        intensity_range: how much at most, up or down.
        channel_axis: the axis of channels.
        **kwargs: `intensity`, the name of `intensity_range` in Keras 1.

    Shape: as `x`.

    Example:
        >>> tuple(random_channel_shift(np.ones((3, 2, 2)), 0.1).shape)
        (3, 2, 2)
    """
    reject_unknown("random_channel_shift", kwargs, random_channel_shift)
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


@explains_failures
def random_brightness(x: Any, brightness_range: Sequence[float], scale: bool = True) -> np.ndarray:
    """An image of a random brightness, see `apply_brightness_shift`.

    Args:
        x: the image, channels last.
        brightness_range: the least and the largest brightness.
        scale: spread the values over 0 to 255 first.

    Shape: as `x`.
    Raises: ArgumentError unless `brightness_range` is two numbers.

    Example:
        >>> tuple(random_brightness(np.full((2, 2, 3), 100.0), (0.5, 1.5)).shape)
        (2, 2, 3)
    """
    lowest, highest = two_numbers("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(lowest, highest), scale)


def draw_zoom(zoom_range: Sequence[float]) -> tuple[float, float]:
    """Zoom of rows and of columns; nothing is drawn where only 1 is allowed.

    Args:
        zoom_range: the least and the largest factor.
    """
    if zoom_range[0] == 1 and zoom_range[1] == 1:
        return 1, 1
    zx, zy = np.random.uniform(zoom_range[0], zoom_range[1], 2).tolist()
    return zx, zy


def two_numbers(name: str, value: Any) -> Sequence[float]:
    """`value`, two numbers.

    Args:
        name: the argument, for the message.
        value: what was passed.

    Raises: ArgumentError for anything else.
    """
    if isinstance(value, tuple | list | np.ndarray) and len(value) == 2:
        return value  # type: ignore[return-value]
    raise ArgumentError(f"{name}: expected a tuple or list of two numbers, received {value!r}.")
