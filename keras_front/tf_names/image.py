"""`tf.image`: images (rows, columns, channels), or a batch of them, turned, cut, enlarged and coloured.

The arguments of each function have the names that they have in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import ops
from keras_front.backend.host_values import when_known
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.errors import ArgumentError

from .arrays import cast
from .dtypes import dtype_name

__all__ = ["FUNCTIONS"]

METHODS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")


def _sizes(images: Any) -> tuple[int, int]:
    rows, columns = K.int_shape(images)[-3:-1]
    if rows is None or columns is None:
        raise ArgumentError(f"tf.image: expected images of known rows and columns, received {K.int_shape(images)}.")
    return rows, columns


def resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False,
    **older: Any,
) -> Any:  # fmt: skip
    """Images of another size; of floats, but for the method 'nearest'.

    Raises: ArgumentError for a method that there is no interpolation for, or `align_corners`.
    """
    name = METHODS[method] if isinstance(method, int) else str(getattr(method, "value", method))
    if older.get("align_corners") or name not in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
        raise ArgumentError(f"tf.image.resize: expected a method such as 'bilinear', received {name!r} {older}.")
    rows, columns = size
    if preserve_aspect_ratio:
        height, width = _sizes(images)
        scale = min(rows / height, columns / width)
        rows, columns = round(height * scale), round(width * scale)
    images = images if name == "nearest" else K.cast(images, "float32")
    return ops.image.resize(images, (rows, columns), name, antialias, data_format="channels_last")


def _lengths(images: Any) -> list[Any]:
    """Rows and columns of a batch of images: numbers where they are known, symbols otherwise."""
    shape = K.shape(images)
    return [
        shape[axis] if known is None else known for axis, known in zip((1, 2), K.int_shape(images)[1:3], strict=True)
    ]


def _places(before: Any, after: Any, align_corners: bool, half_pixel_centers: bool) -> Any:
    """Where the pixels of the result lie among those of an image, along one axis, as TensorFlow 1 placed them."""
    if K.is_symbolic(before) or K.is_symbolic(after):
        place, before, after = K.arange(0, after, dtype="float32"), K.cast(before, "float32"), K.cast(after, "float32")
    else:
        place = np.arange(after, dtype="float64")
    if align_corners and not (isinstance(after, int) and after == 1):
        return place * (before - 1) / (after - 1)
    scale = before / after
    return K.maximum((place + 0.5) * scale - 0.5, 0) if half_pixel_centers else place * scale


def _whole(places: Any, before: Any) -> Any:
    """Places as numbers of pixels: rounded down, and inside of the image."""
    if K.is_symbolic(places) or K.is_symbolic(before):
        return K.minimum(K.cast(K.floor(places), "int32"), K.cast(before, "int32") - 1)
    return np.minimum(np.floor(K.to_numpy(places)), before - 1).astype("int64")


def resize_bilinear(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Any:
    """Images of another size, in the places of TensorFlow 1."""
    images = K.cast(images, "float32")
    for axis, (before, after) in zip((1, 2), zip(_lengths(images), size, strict=True), strict=True):
        place = _places(before, after, align_corners, half_pixel_centers)
        low = _whole(place, before)
        weight = K.reshape(K.cast(place - low, "float32"), [-1] + [1] * (3 - axis))
        lower, upper = (K.gather(images, p, axis=axis) for p in (low, _whole(low + 1, before)))
        images = lower + (upper - lower) * weight
    return images


def resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False
) -> Any:
    """Images of another size with the nearest pixel, in the places of TensorFlow 1."""
    for axis, (before, after) in zip((1, 2), zip(_lengths(images), size, strict=True), strict=True):
        place = _places(before, after, align_corners, False) + (0.5 * before / after if half_pixel_centers else 0)
        images = K.gather(images, _whole(place + 0.5 if align_corners else place, before), axis=axis)
    return images


class ResizeMethod:
    """The methods of `tf.image.resize_images`, by their numbers in TensorFlow 1."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, AREA = 0, 1, 2, 3


def resize_images(
    images: Any, size: Any, method: Any = 0, align_corners: bool = False, preserve_aspect_ratio: bool = False
) -> Any:
    """Images of another size, in the places of TensorFlow 1.

    Raises: ArgumentError for another method than 'bilinear' or 'nearest'.
    """
    name = METHODS[method] if isinstance(method, int) else str(method)
    made = {"bilinear": resize_bilinear, "nearest": resize_nearest_neighbor}.get(name)
    if made is None or preserve_aspect_ratio:
        raise ArgumentError(f"tf.image.resize_images: expected the method 'bilinear' or 'nearest', received {name!r}.")
    return made(images, (size[0], size[1]), align_corners)


def _flip(axis: int) -> Callable[..., Any]:
    return lambda image: K.reverse(image, axis)


def rot90(image: Any, k: int = 1) -> Any:
    """Images turned by quarters, against the clock."""
    axes = K.ndim(as_symbol_or_tensor(image))
    return ops.rot90(image, k, axes=(axes - 3, axes - 2))


def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """Pixels farther from, or nearer to, the mean of their channel."""
    mean = K.mean(images, axis=(-3, -2), keepdims=True)
    return (images - mean) * contrast_factor + mean


def per_image_standardization(image: Any) -> Any:
    """Images with mean 0 and deviation 1."""
    image = K.cast(image, "float32")
    count = float(np.prod(K.int_shape(image)[-3:]))
    mean = K.mean(image, axis=(-3, -2, -1), keepdims=True)
    deviation = K.std(image, axis=(-3, -2, -1), keepdims=True)
    return (image - mean) / K.maximum(deviation, 1 / np.sqrt(count))


def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """Images inside of larger ones of zeros."""
    return ops.image.pad_images(image, offset_height, offset_width, None, None, target_height, target_width,
                                data_format="channels_last")  # fmt: skip


def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """A part of images."""
    rows = slice(offset_height, offset_height + target_height)
    return K.getitem(image, (..., rows, slice(offset_width, offset_width + target_width), slice(None)))


def central_crop(image: Any, central_fraction: float) -> Any:
    """The middle of images."""
    rows, columns = _sizes(image)
    top, left = (int((n - n * central_fraction) / 2) for n in (rows, columns))
    return crop_to_bounding_box(image, top, left, rows - 2 * top, columns - 2 * left)


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    """Images cut at the margins, or with zeros around them."""
    rows, columns = _sizes(image)
    top, left = max(rows - target_height, 0) // 2, max(columns - target_width, 0) // 2
    height, width = min(rows, target_height), min(columns, target_width)
    image = crop_to_bounding_box(image, top, left, height, width)
    place = max(target_height - rows, 0) // 2, max(target_width - columns, 0) // 2
    return pad_to_bounding_box(image, *place, target_height, target_width)


def resize_with_pad(
    image: Any, target_height: int, target_width: int, method: Any = "bilinear", antialias: bool = False
) -> Any:
    """Images of another size whose sides keep their relation, with zeros around them."""
    rows, columns = _sizes(image)
    ratio = max(columns / target_width, rows / target_height)
    height, width = (int(np.floor(n / ratio)) for n in (rows, columns))
    image = resize(image, (height, width), method, antialias=antialias)
    place = max(0, (target_height - height) // 2), max(0, (target_width - width) // 2)
    return pad_to_bounding_box(image, *place, target_height, target_width)


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False) -> Any:
    """Images of another dtype, in its range: floats from 0 to 1, integers up to their largest."""
    before, after = K.dtype(as_symbol_or_tensor(image)), dtype_name(dtype, "float32")
    if "float" in before and "float" in after:
        return cast(image, after)
    if "float" in after:
        return cast(image, after) / float(np.iinfo(before).max)
    scaled = image * (float(np.iinfo(after).max) + 0.5) if "float" in before else image
    return ops.saturate_cast(scaled, after) if saturate else cast(scaled, after)


def rgb_to_grayscale(images: Any) -> Any:
    """Images with one channel, by TensorFlow's weights of the colours."""
    weights = K.constant([[0.2989], [0.587], [0.114]], "float32")
    return ops.tensordot(K.cast(images, "float32"), weights, 1)


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str) -> Any:
    """The windows of images as vectors."""
    given = tuple(sizes[1:3]), tuple(strides[1:3]), tuple(rates[1:3])
    return ops.image.extract_patches(images, given[0], given[1], given[2][0], padding.lower(), "channels_last")


def total_variation(images: Any) -> Any:
    """The sum of the differences of neighbours."""
    down = K.getitem(images, (..., slice(1, None), slice(None), slice(None))) - K.getitem(
        images, (..., slice(None, -1), slice(None), slice(None))
    )
    right = K.getitem(images, (..., slice(1, None), slice(None))) - K.getitem(
        images, (..., slice(None, -1), slice(None))
    )
    return sum(K.sum(K.abs(part), axis=(-3, -2, -1)) for part in (down, right))


def psnr(a: Any, b: Any, max_val: float) -> Any:
    """How near images are to each other, in decibels."""
    error = K.mean(K.square(a - b), axis=(-3, -2, -1))
    return (20 * np.log10(max_val) - 10 / np.log(10) * K.log(error)) if max_val else error


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5, score_threshold: float = -np.inf
) -> Any:
    """The numbers of the boxes (y1, x1, y2, x2) that overlap no likelier one, the likeliest first.

    Raises: UntraceableError in a step for many batches, for how many stay depends on values.
    Source: TensorFlow 2.15, `tensorflow/core/kernels/image/non_max_suppression_op.cc`.
    """

    def kept(corners: np.ndarray, likely: np.ndarray, most: np.ndarray) -> np.ndarray:
        likely = np.where(likely > score_threshold, likely, -np.inf)
        return np.array(_apart(corners, likely, int(most), iou_threshold), "int32")

    return when_known("tf.image.non_max_suppression", kept, [boxes, scores, max_output_size], (None,), "int32")


def _apart(corners: np.ndarray, likely: np.ndarray, most: int, limit: float) -> list[int]:
    """The numbers of at most so many boxes that share no more than `limit` with a likelier one, the likeliest first."""
    low, high = (np.sort(corners.reshape(-1, 2, 2), axis=1)[:, place] for place in (0, 1))
    area, kept = np.prod(high - low, axis=-1), list[int]()
    for i in np.argsort(-likely, kind="stable"):
        if len(kept) >= most or likely[i] == -np.inf:
            break
        shared = np.prod(np.maximum(np.minimum(high[kept], high[i]) - np.maximum(low[kept], low[i]), 0), axis=-1)
        if not (shared > limit * (area[kept] + area[i] - shared)).any():
            kept.append(int(i))
    return kept


def crop_and_resize(
    image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: str = "bilinear", extrapolation_value: float = 0,
    **older: Any,
) -> Any:  # fmt: skip
    """Parts of images (batch, rows, columns, channels) that boxes cut out, each resized.

    A box is (y1, x1, y2, x2) in parts of the image's height and width less one; where it leaves the image there is
    `extrapolation_value`.
    Source: TensorFlow 2.15, `tensorflow/core/kernels/image/crop_and_resize_op.cc`.
    """
    numbers = K.reshape(K.cast(older.get("box_ind", box_indices), "int32"), (-1, 1, 1))
    image, boxes = K.cast(image, "float32"), K.cast(boxes, "float32")
    (rows, columns), flat = _sizes(image), K.reshape(image, (-1, K.int_shape(image)[-1]))
    ends = [K.getitem(boxes, (slice(None), slice(axis, 4, 2))) for axis in (0, 1)]
    (at_y, part_y, in_y), (at_x, part_x, in_x) = (
        _sampled(*along, method == "nearest") for along in zip(ends, (rows, columns), crop_size, strict=True)
    )

    def pixels(y: Any, x: Any) -> Any:
        return K.gather(flat, (numbers * rows + K.expand_dims(y, 2)) * columns + K.expand_dims(x, 1))

    part_x, part_y = K.reshape(part_x, (-1, 1, crop_size[1], 1)), K.reshape(part_y, (-1, crop_size[0], 1, 1))
    lines = [pixels(y, at_x[0]) * (1 - part_x) + pixels(y, at_x[1]) * part_x for y in at_y]
    cut = lines[0] * (1 - part_y) + lines[1] * part_y
    inside = K.logical_and(K.expand_dims(in_y, 2), K.expand_dims(in_x, 1))
    return K.where(K.expand_dims(inside, -1), cut, K.zeros_like(cut) + extrapolation_value)


def _sampled(ends: Any, size: int, count: int, nearest: bool) -> tuple[list[Any], Any, Any]:
    """Where boxes are sampled along an axis: the elements on both sides, the part of the latter, whether inside."""
    first, last = K.getitem(ends, (slice(None), slice(0, 1))), K.getitem(ends, (slice(None), slice(1, 2)))
    shares = np.linspace(0, 1, count, dtype="float32") if count > 1 else np.full(1, 0.5, "float32")
    place = (first + (last - first) * K.constant(shares)) * (size - 1)
    inside = K.logical_and(K.greater_equal(place, 0), K.less_equal(place, size - 1))
    place = K.clip(K.floor(place + 0.5) if nearest else place, 0, size - 1)
    low = K.floor(place)
    return [K.cast(low, "int32"), K.cast(K.minimum(low + 1, size - 1), "int32")], place - low, inside


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        adjust_contrast, central_crop, convert_image_dtype, crop_and_resize, crop_to_bounding_box, extract_patches,
        non_max_suppression, pad_to_bounding_box,
        per_image_standardization, psnr, resize, resize_with_crop_or_pad, resize_with_pad, rgb_to_grayscale, rot90,
        total_variation,
    )},
    "extract_image_patches": lambda images, ksizes, strides, rates, padding: extract_patches(
        images, ksizes, strides, rates, padding
    ),
    "flip_left_right": _flip(-2),
    "flip_up_down": _flip(-3),
    "grayscale_to_rgb": lambda images: K.concatenate([images] * 3, -1),
    "hsv_to_rgb": lambda images: ops.image.hsv_to_rgb(images, data_format="channels_last"),
    "ResizeMethod": ResizeMethod,
    "resize_bilinear": resize_bilinear,
    "resize_images": resize_images,
    "resize_nearest_neighbor": resize_nearest_neighbor,
    "rgb_to_hsv": lambda images: ops.image.rgb_to_hsv(images, data_format="channels_last"),
    "ssim": lambda img1, img2, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03: ops.image.ssim(
        img1, img2, max_val, filter_size, filter_sigma, k1, k2, data_format="channels_last"
    ),
    "transpose": lambda image: ops.swapaxes(image, -3, -2),
}  # fmt: skip
