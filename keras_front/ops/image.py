"""Images as Keras 3 names what is done to them: colours, sizes, places, blurs, edges, likeness.

Images are (rows, columns, channels) or (batch, rows, columns, channels), or have the channels first.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.backend import dtypes
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops.colours import gray_of, hsv_of, rgb_of
from keras_front.backend.ops.image import KERNELS
from keras_front.backend.precision import full_precision
from keras_front.errors import ArgumentError, ShapeError

from .arrays import _dtype, _whole, array

FILLS = ("constant", "nearest", "wrap", "mirror", "reflect")


def _in_batches(run: Callable[..., Any], images: Any, data_format: str | None, *args: Any) -> Any:
    """`run` of a batch of images with channels last; its result laid out as the images are."""
    x = as_symbol_or_tensor(images)
    single = len(x.shape) == 3
    if len(x.shape) not in (3, 4):
        raise ShapeError(f"images: expected 3 or 4 axes, received shape {tuple(x.shape)}.")
    x = K.expand_dims(x, 0) if single else x
    first = config.normalize_data_format(data_format) == "channels_first"
    y = run(K.permute_dimensions(x, (0, 2, 3, 1)) if first else x, *args)
    y = K.permute_dimensions(y, (0, 3, 1, 2)) if first else y
    return K.squeeze(y, 0) if single else y


def _channels(x: Any) -> list[Any]:
    if x.shape[-1] != 3:
        raise ShapeError(f"images: expected 3 channels, received shape {tuple(x.shape)}.")
    return [K.getitem(x, (..., slice(i, i + 1))) for i in range(3)]


def _as_float(x: Any) -> Any:
    return x if dtypes.is_float(_dtype(x)) else K.cast(x, dtypes.canonical(None))


# Colours -------------------------------------------------------------------------------------------------------


@full_precision
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Images with one channel, the luma.

    Args:
        images: with three channels.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    name = _dtype(as_symbol_or_tensor(images))
    return _in_batches(lambda x: K.cast(gray_of(_channels(_as_float(x))), name), images, data_format)


@full_precision
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Red, green and blue from 0 to 1 as hue, saturation and value.

    Args:
        images: floats with three channels.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    return _in_batches(lambda x: K.concatenate(list(hsv_of(_channels(x))), axis=-1), images, data_format)


@full_precision
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value from 0 to 1 as red, green and blue.

    Args:
        images: floats with three channels.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    return _in_batches(lambda x: K.concatenate(rgb_of(*_channels(x)), axis=-1), images, data_format)


# Sizes ---------------------------------------------------------------------------------------------------------


@full_precision
def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images of another size.

    Args:
        images: the images.
        size: rows and columns.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'.
        antialias: whether a smaller result takes all pixels into account.
        crop_to_aspect_ratio: whether the middle is cut out first, so that nothing is stretched.
        pad_to_aspect_ratio: whether a margin is added first instead.
        fill_mode: 'constant', the only one, for that margin.
        fill_value: its value.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("resize: expected one of crop_to_aspect_ratio and pad_to_aspect_ratio, received both.")
    if fill_mode != "constant":
        raise ArgumentError(f"resize: expected fill_mode 'constant', received {fill_mode!r}.")
    rows, columns = size

    def run(x: Any) -> Any:
        height, width = _whole(x, 1, "resize"), _whole(x, 2, "resize")
        if crop_to_aspect_ratio:
            kept = min(int(width * rows / columns), height), min(int(height * columns / rows), width)
            top, left = int((height - kept[0]) / 2), int((width - kept[1]) / 2)
            x = K.getitem(x, (slice(None), slice(top, top + kept[0]), slice(left, left + kept[1])))
        elif pad_to_aspect_ratio:
            wide = max(height, int(width * rows / columns)), max(width, int(height * columns / rows))
            top, left = int((wide[0] - height) / 2), int((wide[1] - width) / 2)
            around = ((top, wide[0] - height - top), (left, wide[1] - width - left))
            x = K.pad(x, ((0, 0), *around, (0, 0)), value=fill_value)
        name = _dtype(x)
        return K.cast(K.resize(x, (rows, columns), interpolation, "channels_last", antialias), name)

    return _in_batches(run, images, data_format)


def _margins(before: Any, after: Any, target: Any, size: int, what: str) -> tuple[int, int]:
    """What is left out, or added, on both sides of an axis; two of three numbers are given."""
    given = [before, after, target]
    if given.count(None) != 1:
        raise ArgumentError(f"{what}: expected two of the margins and the target size of each axis, received {given}.")
    total = None if target is None else abs(size - target)
    if before is None:
        return int(total - after), int(after)  # type: ignore[operator]
    return int(before), int(total - before if after is None else after)  # type: ignore[operator]


@full_precision
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images without a margin. Of each axis two numbers are given.

    Args:
        images: the images.
        top_cropping: rows left out at the top.
        left_cropping: columns left out on the left.
        bottom_cropping: rows left out at the bottom.
        right_cropping: columns left out on the right.
        target_height: rows that are left.
        target_width: columns that are left.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """

    def run(x: Any) -> Any:
        height, width = _whole(x, 1, "crop_images"), _whole(x, 2, "crop_images")
        top, bottom = _margins(top_cropping, bottom_cropping, target_height, height, "crop_images")
        left, right = _margins(left_cropping, right_cropping, target_width, width, "crop_images")
        return K.getitem(x, (slice(None), slice(top, height - bottom), slice(left, width - right)))

    return _in_batches(run, images, data_format)


@full_precision
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images with a margin of zeros. Of each axis two numbers are given.

    Args:
        images: the images.
        top_padding: rows added at the top.
        left_padding: columns added on the left.
        bottom_padding: rows added at the bottom.
        right_padding: columns added on the right.
        target_height: rows of the result.
        target_width: columns of the result.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """

    def run(x: Any) -> Any:
        rows = _margins(top_padding, bottom_padding, target_height, _whole(x, 1, "pad_images"), "pad_images")
        columns = _margins(left_padding, right_padding, target_width, _whole(x, 2, "pad_images"), "pad_images")
        return K.pad(x, ((0, 0), rows, columns, (0, 0)))

    return _in_batches(run, images, data_format)


@full_precision
def extract_patches(
    images: Any,
    size: int | Sequence[int],
    strides: Any = None,
    dilation_rate: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The windows of images as vectors.

    Args:
        images: the images.
        size: rows and columns of a window.
        strides: the distance of windows, by default their size.
        dilation_rate: the distance of the elements of a window.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    window = (size, size) if isinstance(size, int) else tuple(size)
    step = window if strides is None else (strides, strides) if isinstance(strides, int) else tuple(strides)
    gaps = (dilation_rate,) * 2 if isinstance(dilation_rate, int) else tuple(dilation_rate)
    return _in_batches(
        lambda x: K.extract_patches(x, window, step, padding, gaps, "channels_last"), images, data_format
    )


@full_precision
def extract_patches_3d(
    volumes: Any,
    size: int | Sequence[int],
    strides: Any = None,
    dilation_rate: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The windows of volumes as vectors.

    Args:
        volumes: (slices, rows, columns, channels) or with a batch axis in front, or with the channels first.
        size: of a window along each axis.
        strides: the distance of windows, by default their size.
        dilation_rate: the distance of the elements of a window.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    x = as_symbol_or_tensor(volumes)
    single, first = len(x.shape) == 4, config.normalize_data_format(data_format) == "channels_first"
    x = K.expand_dims(x, 0) if single else x
    x = K.permute_dimensions(x, (0, 2, 3, 4, 1)) if first else x
    window = (size,) * 3 if isinstance(size, int) else tuple(size)
    step = window if strides is None else (strides,) * 3 if isinstance(strides, int) else tuple(strides)
    gaps = (dilation_rate,) * 3 if isinstance(dilation_rate, int) else tuple(dilation_rate)
    y = K.extract_patches(x, window, step, padding, gaps, "channels_last")
    y = K.permute_dimensions(y, (0, 4, 1, 2, 3)) if first else y
    return K.squeeze(y, 0) if single else y


# Places --------------------------------------------------------------------------------------------------------


def _inside(place: Any, size: int, fill_mode: str) -> Any:
    """Whole numbers as places in an axis: what lies outside is brought inside."""
    if fill_mode == "wrap":
        return K.mod(place, float(size))
    if fill_mode == "reflect":  # d c b a | a b c d | d c b a
        place = K.mod(place, 2.0 * size)
        return K.minimum(place, 2.0 * size - 1 - place)
    if fill_mode == "mirror" and size > 1:  # d c b | a b c d | c b a
        place = K.mod(place, 2.0 * (size - 1))
        return K.minimum(place, 2.0 * (size - 1) - place)
    return K.clip(place, 0.0, size - 1.0)


@full_precision
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """The values of a tensor at some places, which need not be whole numbers.

    Args:
        inputs: tensor of any number of axes.
        coordinates: (axes, ...), the places along each axis.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: what lies outside: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'.
        fill_value: the value outside with 'constant'.
    """
    if order not in (0, 1):
        raise ArgumentError(f"map_coordinates: expected order 0 or 1, received {order!r}.")
    if fill_mode not in FILLS:
        raise ArgumentError(f"map_coordinates: expected fill_mode of {', '.join(FILLS)}, received {fill_mode!r}.")
    x = as_symbol_or_tensor(inputs)
    name, sizes = _dtype(x), [_whole(x, i, "map_coordinates") for i in range(len(x.shape))]
    places = as_symbol_or_tensor(coordinates)
    exact = dtypes.is_float(name)
    places = K.cast(places, name if exact and name not in dtypes.HALVES else dtypes.canonical("float32"))
    axes = [K.getitem(places, i) for i in range(len(sizes))]
    flat = K.reshape(x, (-1,))
    corners: list[list[tuple[Any, Any]]] = []
    for place in axes:
        if order == 0:
            corners.append([(K.round(place), None)])
        else:
            low = K.floor(place)
            corners.append([(low, 1 - (place - low)), (low + 1, place - low)])
    total: Any = None
    for chosen in itertools.product(*corners):
        index: Any = 0.0
        outside = None
        for (place, _), size in zip(chosen, sizes, strict=True):
            index = index * float(size) + _inside(place, size, fill_mode)
            beyond = K.logical_or(place < 0, place > size - 1)
            outside = beyond if outside is None else K.logical_or(outside, beyond)
        value = K.cast(K.gather(flat, K.cast(index, "int32")), _dtype(places))
        if fill_mode == "constant":
            value = K.where(outside, float(fill_value), value)
        weights = [w for _, w in chosen if w is not None]
        value = functools.reduce(K.multiply, weights, value)
        total = value if total is None else total + value
    return K.cast(total if exact or order == 0 else K.round(total), name)


def _sampled(x: Any, rows: Any, columns: Any, interpolation: str, fill_mode: str, fill_value: float) -> Any:
    """The pixels of a batch of images at places (batch, rows, columns)."""
    if interpolation not in ("nearest", "bilinear"):
        raise ArgumentError(f"images: expected interpolation 'nearest' or 'bilinear', received {interpolation!r}.")
    batch, channels = _whole(x, 0, "images"), _whole(x, 3, "images")
    shape = tuple(rows.shape)
    along = array(np.arange(batch).reshape(-1, 1, 1, 1), _dtype(rows))
    depth = array(np.arange(channels), _dtype(rows))
    whole = (batch, *shape[1:], channels)
    grid = [K.broadcast_to(t, whole) for t in (along, K.expand_dims(rows, -1), K.expand_dims(columns, -1), depth)]
    return map_coordinates(x, K.stack(grid, axis=0), int(interpolation == "bilinear"), fill_mode, fill_value)


def _grid(x: Any) -> tuple[Any, Any]:
    """The coordinates of pixels: x to the right, y down, (1, rows, columns) each."""
    rows, columns = _whole(x, 1, "images"), _whole(x, 2, "images")
    y, z = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    return array(z[None], "float32"), array(y[None], "float32")


@full_precision
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images whose pixels come from places that a linear map gives.

    Args:
        images: the images.
        transform: (8,) or (batch, 8), a to h: the pixel at (x, y) comes from `((a x + b y + c) / k, (d x + e y + f) /
            k)` with `k = g x + h y + 1`.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: what lies outside: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'.
        fill_value: the value outside with 'constant'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """

    def run(x: Any) -> Any:
        given = K.reshape(K.cast(as_symbol_or_tensor(transform), "float32"), (-1, 8, 1, 1))
        a, b, c, d, e, f, g, h = (K.getitem(given, (slice(None), i)) for i in range(8))
        across, down = _grid(x)
        k = g * across + h * down + 1
        columns, rows = (a * across + b * down + c) / k, (d * across + e * down + f) / k
        whole = (_whole(x, 0, "images"), *x.shape[1:3])
        rows, columns = K.broadcast_to(rows, whole), K.broadcast_to(columns, whole)
        return _sampled(x, rows, columns, interpolation, fill_mode, fill_value)

    return _in_batches(run, images, data_format)


@full_precision
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images in which four points have moved to four others.

    Args:
        images: the images.
        start_points: (4, 2) or (batch, 4, 2): the points (x, y) before.
        end_points: the points after.
        interpolation: 'bilinear' or 'nearest'.
        fill_value: the value of what lies outside.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    start, end = (K.reshape(K.cast(as_symbol_or_tensor(p), "float32"), (-1, 4, 2)) for p in (start_points, end_points))
    u, v = K.getitem(end, (..., 0)), K.getitem(end, (..., 1))
    x, y = K.getitem(start, (..., 0)), K.getitem(start, (..., 1))
    zero, one = K.zeros_like(u), K.ones_like(u)
    upper = K.stack([u, v, one, zero, zero, zero, -x * u, -x * v], axis=-1)
    lower = K.stack([zero, zero, zero, u, v, one, -y * u, -y * v], axis=-1)
    matrix = K.concatenate([upper, lower], axis=1)
    transform = K.squeeze(K.solve(matrix, K.expand_dims(K.concatenate([x, y], axis=1), -1)), -1)
    return affine_transform(images, transform, interpolation, "constant", fill_value, data_format)


@full_precision
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images whose pixels are moved by smooth random distances.

    Args:
        images: the images.
        alpha: how far, in pixels before they are smoothed.
        sigma: how smooth, the deviation of the blur.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: what lies outside: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'.
        fill_value: the value outside with 'constant'.
        seed: an integer that fixes the distances.
        data_format: 'channels_last', 'channels_first', or None for the configured default.

    Source: Simard et al. (2003).
    """

    def run(x: Any) -> Any:
        batch, height, width = (_whole(x, i, "elastic_transform") for i in range(3))
        moves = K.random_normal((batch, height, width, 2), seed=None if seed is None else int(seed)) * alpha
        size = int(6 * sigma) | 1
        moves = gaussian_blur(moves, (size, size), (sigma, sigma), "channels_last")
        across, down = _grid(x)
        rows, columns = down + K.getitem(moves, (..., 1)), across + K.getitem(moves, (..., 0))
        return _sampled(x, rows, columns, interpolation, fill_mode, fill_value)

    return _in_batches(run, images, data_format)


@full_precision
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Any:
    """Images scaled and moved along some axes.

    Args:
        images: tensor.
        output_shape: the sizes of the result.
        scale: the factor for each of these axes.
        translation: how far the result is moved along each.
        spatial_dims: the axes.
        method: 'linear' (also 'bilinear'), 'cubic' ('bicubic'), 'lanczos3' or 'lanczos5'.
        antialias: whether a smaller result takes all pixels into account.
    """
    x = _as_float(as_symbol_or_tensor(images))
    names = {"linear": "bilinear", "triangle": "bilinear", "trilinear": "bilinear", "cubic": "bicubic"}
    kernel = KERNELS.get(names.get(method, method))
    if kernel is None:
        raise ArgumentError(f"scale_and_translate: expected a method of {', '.join(KERNELS)}, received {method!r}.")
    factors, moves = (np.asarray(K.to_numpy(v), "float64") for v in (scale, translation))
    for axis, factor, move in zip(spatial_dims, factors, moves, strict=True):
        size, new = _whole(x, axis, "scale_and_translate"), int(output_shape[axis])
        place = (np.arange(new) + 0.5 - move) / factor - 0.5
        width = max(1.0, 1 / factor) if antialias else 1.0
        weights = kernel(np.abs(np.arange(size)[:, None] - place[None]) / width)
        total = weights.sum(0)
        weights = np.where(np.abs(total) > 1e-4, weights / np.where(total, total, 1), 0)
        weights = np.where((place >= -0.5) & (place <= size - 0.5), weights, 0)
        order = [i for i in range(len(x.shape)) if i != axis] + [axis]
        moved = K.dot(K.permute_dimensions(x, tuple(order)), array(weights, _dtype(x)))
        x = K.permute_dimensions(moved, tuple(int(i) for i in np.argsort(order)))
    return x


# Filters -------------------------------------------------------------------------------------------------------


def _filtered(x: Any, kernel: np.ndarray, padding: str = "same") -> Any:
    """Each channel with the same kernels (rows, columns, count)."""
    weights = np.repeat(kernel[:, :, None], _whole(x, 3, "images"), axis=2)
    return K.depthwise_conv2d(x, array(weights, _dtype(x)), padding=padding, data_format="channels_last")


def _bell(size: int, sigma: float) -> np.ndarray:
    places = np.arange(size) - (size - 1) / 2
    values = np.exp(-0.5 * (places / sigma) ** 2)
    return values / values.sum()


@full_precision
def gaussian_blur(
    images: Any,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Any:
    """Images in which each pixel is a mean of its neighbours, weighted by a bell.

    Args:
        images: the images.
        kernel_size: rows and columns of the bell.
        sigma: its deviations.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
    """
    bell = np.outer(_bell(kernel_size[0], sigma[0]), _bell(kernel_size[1], sigma[1]))
    return _in_batches(lambda x: _filtered(_as_float(x), bell[:, :, None]), images, data_format)


@full_precision
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """The slopes of images downwards and to the right.

    Args:
        images: (batch, rows, columns, channels), or with the channels first.
        data_format: 'channels_last', 'channels_first', or None for the configured default.

    Shape: that of the images, and an axis of 2.
    """
    x = as_symbol_or_tensor(images)
    first = config.normalize_data_format(data_format) == "channels_first"
    x = _as_float(K.permute_dimensions(x, (0, 2, 3, 1)) if first else x)
    rows, columns = _whole(x, 1, "sobel_edges"), _whole(x, 2, "sobel_edges")
    for axis, size in ((1, rows), (2, columns)):
        x = K.gather(x, np.pad(np.arange(size), 1, mode="reflect").astype("int32"), axis=axis)
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], "float64")
    found = _filtered(x, np.stack([down, down.T], axis=-1), "valid")
    found = K.reshape(found, (-1, rows, columns, x.shape[-1], 2))
    return K.permute_dimensions(found, (0, 3, 1, 2, 4)) if first else found


@full_precision
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """The structural similarity of images: 1 for equal ones.

    Args:
        image1: images.
        image2: images of the same shape.
        max_val: the largest value that there may be.
        filter_size: rows and columns of the bell by which neighbours are weighted.
        filter_sigma: its deviation.
        k1: keeps the comparison of means from dividing by 0.
        k2: keeps the comparison of variances from dividing by 0.
        data_format: 'channels_last', 'channels_first', or None for the configured default.

    Source: Wang et al. (2004).
    """
    bell = np.outer(*(_bell(filter_size, filter_sigma),) * 2)[:, :, None]
    first = config.normalize_data_format(data_format) == "channels_first"
    pair = [as_symbol_or_tensor(x) for x in (image1, image2)]
    pair = [K.expand_dims(x, 0) if len(x.shape) == 3 else x for x in pair]
    x, y = (_as_float(K.permute_dimensions(t, (0, 2, 3, 1)) if first else t) for t in pair)

    def blurred(t: Any) -> Any:
        return _filtered(t, bell, "valid")

    a, b = blurred(x), blurred(y)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    means = (2 * a * b + c1) / (a * a + b * b + c1)
    both = blurred(x * y) - a * b
    spread = blurred(x * x + y * y) - a * a - b * b
    return K.mean(K.mean(means * (2 * both + c2) / (spread + c2), axis=(1, 2)), axis=-1)
