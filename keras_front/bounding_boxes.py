"""Boxes around what is seen in images: their formats, how much two cover each other, cropping, padding, moving.

A box is four numbers along the last axis. Boxes are an array or tensor, or a dict with `boxes` beside `labels`.
Source: the arguments, formats and numbers of Keras 3.15, `keras.utils.bounding_boxes`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import ops
from keras_front.errors import ArgumentError, ShapeError

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip


def _parts(boxes: Any) -> list[Any]:
    return ops.split(boxes, 4, axis=-1)


def _joined(*parts: Any) -> Any:
    return K.concatenate(list(parts), axis=-1)


def _to_corners(boxes: Any, form: str) -> Any:
    a, b, c, d = _parts(boxes)
    if form == "yxyx":
        return _joined(b, a, d, c)
    if form == "xywh":
        return _joined(a, b, a + c, b + d)
    if form == "center_xywh":
        return _joined(a - c / 2, b - d / 2, a + c / 2, b + d / 2)
    if form == "center_yxhw":
        return _joined(b - d / 2, a - c / 2, b + d / 2, a + c / 2)
    return boxes


def _from_corners(boxes: Any, form: str) -> Any:
    x1, y1, x2, y2 = _parts(boxes)
    if form == "yxyx":
        return _joined(y1, x1, y2, x2)
    if form == "xywh":
        return _joined(x1, y1, x2 - x1, y2 - y1)
    if form == "center_xywh":
        return _joined((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    if form == "center_yxhw":
        return _joined((y1 + y2) / 2, (x1 + x2) / 2, y2 - y1, x2 - x1)
    return boxes


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: str = "float32"
) -> Any:
    """Boxes in another format.

    Args:
        boxes: boxes (..., 4), or a dict that has them as 'boxes', of which a copy is returned.
        source: their format: 'xyxy' (left, top, right, bottom), 'yxyx', 'xywh' (left, top, width, height),
            'center_xywh', 'center_yxhw', or with 'rel_' before it in shares of the image.
        target: the format that is wanted.
        height: of the image, where one of the formats has shares and the other has not.
        width: the same.
        dtype: of the result.

    Raises: ArgumentError for another format, or where height and width are needed; ShapeError for other than 4 numbers.
    Example:
        >>> convert_format(np.array([[1.0, 2.0, 5.0, 8.0]]), "xyxy", "center_xywh").tolist()
        [[3.0, 5.0, 4.0, 6.0]]
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    forms = [str(form).lower() for form in (source, target)]
    for form in forms:
        if form not in FORMATS:
            raise ArgumentError(f"convert_format: expected a format among {', '.join(FORMATS)}; received {form!r}.")
    shape = np.shape(boxes) if isinstance(boxes, list | tuple) else tuple(boxes.shape)
    if not shape or shape[-1] != 4:
        raise ShapeError(
            f"convert_format: expected boxes of 4 numbers along the last axis, received the shape {shape}."
        )
    boxes = K.cast(K.constant(np.asarray(boxes)) if isinstance(boxes, list | tuple) else boxes, dtype)
    if forms[0] == forms[1]:
        return boxes
    relative = [form.startswith("rel_") for form in forms]
    corners = _to_corners(boxes, forms[0].removeprefix("rel_"))
    if relative[0] != relative[1]:
        if height is None or width is None:
            raise ArgumentError(f"convert_format: expected height and width to go from {source!r} to {target!r}.")
        size = _size_of_images(height, width, dtype)
        corners = corners * size if relative[0] else corners / size
    return _from_corners(corners, forms[1].removeprefix("rel_"))


def _size_of_images(height: Any, width: Any, dtype: str) -> Any:
    """What numbers of boxes are shares of; one for each image where there are several heights."""
    if np.ndim(height) or np.ndim(width):
        sides = [K.expand_dims(K.expand_dims(K.cast(side, dtype), -1), -1) for side in (width, height)]
        return _joined(*sides, *sides)
    return np.array([width, height, width, height], dtype)


def _corners(boxes: Any, form: str, image_shape: Any) -> Any:
    height, width = (None, None) if image_shape is None else tuple(image_shape)[:2]
    return convert_format(boxes, form, "xyxy", height, width)


def _area(boxes: Any) -> Any:
    x1, y1, x2, y2 = _parts(boxes)
    return (x2 - x1) * (y2 - y1)


def compute_iou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, use_masking: bool = False, mask_val: float = -1,
    image_shape: Any = None,
) -> Any:  # fmt: skip
    """How much of what two boxes cover both cover, for each box with each of others.

    Args:
        boxes1: boxes (n, 4) or (batch, n, 4).
        boxes2: boxes (m, 4) or (batch, m, 4).
        bounding_box_format: the format of both.
        use_masking: whether boxes of four negative numbers stand for none.
        mask_val: the result for these.
        image_shape: height and width, for formats in shares.

    Shape: (n, m) or (batch, n, m).
    Raises: ShapeError for boxes of other shapes.
    Example:
        >>> first, second = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0], [0.0, 0.0, 2.0, 1.0]])
        >>> np.asarray(compute_iou(first, second, "xyxy"), "float64").round(4).tolist()
        [[0.3333, 0.5]]
    """
    ranks = {len(tuple(boxes.shape)) for boxes in (boxes1, boxes2)}
    if not ranks <= {2, 3}:
        raise ShapeError(
            f"compute_iou: expected boxes of shape (n, 4) or (batch, n, 4), received {sorted(ranks)} axes."
        )
    corners = [_corners(boxes, bounding_box_format, image_shape) for boxes in (boxes1, boxes2)]
    first, second = K.expand_dims(corners[0], -2), K.expand_dims(corners[1], -3)
    common = K.maximum(K.minimum(first[..., 2:], second[..., 2:]) - K.maximum(first[..., :2], second[..., :2]), 0.0)
    shared = common[..., 0] * common[..., 1]
    union = _area(first)[..., 0] + _area(second)[..., 0] - shared
    found = K.where(K.equal(union, 0.0), K.zeros_like(union), shared / K.maximum(union, K.epsilon()))
    if not use_masking:
        return found
    absent = ops.logical_or(*(K.less(K.max(boxes, axis=-1), 0.0) for boxes in (first, second)))
    return K.where(absent, K.zeros_like(found) + mask_val, found)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Any:
    """`compute_iou` of each box with the one at its place, less the distance of the centres and what the shapes differ.

    Args:
        boxes1: boxes (..., 4).
        boxes2: as many.
        bounding_box_format: the format of both.
        image_shape: height and width, for formats in shares.

    Shape: that of the boxes without the last axis.
    Source: Zheng et al. (2020), "Distance-IoU loss", section 3.4.
    Example:
        >>> round(float(compute_ciou(np.array([1.0, 2.0, 5.0, 8.0]), np.array([2.0, 2.0, 6.0, 6.0]), "xyxy")), 4)
        0.3954
    """
    first, second = (_corners(boxes, bounding_box_format, image_shape) for boxes in (boxes1, boxes2))
    sizes = [boxes[..., 2:] - boxes[..., :2] for boxes in (first, second)]
    common = K.maximum(K.minimum(first[..., 2:], second[..., 2:]) - K.maximum(first[..., :2], second[..., :2]), 0.0)
    shared = common[..., 0] * common[..., 1]
    areas = [size[..., 0] * size[..., 1] for size in sizes]
    iou = shared / (areas[0] + areas[1] - shared + K.epsilon())
    around = K.maximum(first[..., 2:], second[..., 2:]) - K.minimum(first[..., :2], second[..., :2])
    diagonal = K.sum(K.square(around), axis=-1) + K.epsilon()
    between = K.sum(K.square((first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2), axis=-1)
    angles = [ops.arctan(size[..., 0] / (size[..., 1] + K.epsilon())) for size in sizes]
    unlike = 4 / math.pi**2 * K.square(angles[1] - angles[0])
    return iou - between / diagonal - unlike * unlike / (unlike - iou + 1 + K.epsilon())


def clip_to_image_size(
    bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes cut at the edges of the image. The label of one that is outside becomes -1.

    Args:
        bounding_boxes: a dict of 'boxes' and 'labels', or boxes alone.
        height: of the image.
        width: of the image.
        bounding_box_format: the format of the boxes.

    Raises: ArgumentError where height and width are needed.
    Example:
        >>> clip_to_image_size(np.array([[-1.0, 2.0, 50.0, 8.0]]), 10, 20).tolist()
        [[0.0, 2.0, 20.0, 8.0]]
    """
    alone = not isinstance(bounding_boxes, dict)
    boxes = bounding_boxes if alone else bounding_boxes["boxes"]
    if bounding_box_format.startswith("rel_"):
        size, form = np.ones(4, "float32"), "rel_xyxy"
    elif height is None or width is None:
        raise ArgumentError("clip_to_image_size: expected height and width of the image.")
    else:
        size, form = _size_of_images(height, width, "float32"), "xyxy"
    corners = K.minimum(K.maximum(convert_format(boxes, bounding_box_format, form), 0.0), size)
    clipped = convert_format(corners, form, bounding_box_format)
    if alone:
        return clipped
    labels = K.cast(bounding_boxes["labels"], K.dtype(bounding_boxes["labels"]))
    outside = K.less_equal(_area(corners)[..., 0], 0.0)
    return {**bounding_boxes, "boxes": clipped, "labels": K.where(outside, -K.ones_like(labels), labels)}


def _moved(boxes: Any, top: float, left: float, form: str, height: Any, width: Any) -> Any:
    return convert_format(boxes, form, "xyxy", height, width) - np.array([left, top, left, top], "float32")


def crop(boxes: Any, top: int, left: int, height: int, width: int, bounding_box_format: str = "xyxy") -> Any:
    """Boxes of an image of which a part is cut out, in the pixels of that part; they may reach beyond it.

    Args:
        boxes: boxes (..., 4).
        top: where the part begins.
        left: the same.
        height: of the image, for formats in shares.
        width: the same.
        bounding_box_format: the format of the boxes.

    Example:
        >>> crop(np.array([[2.0, 3.0, 5.0, 8.0]]), 1, 2, 4, 4).tolist()
        [[0.0, 2.0, 3.0, 7.0]]
    """
    moved = _moved(boxes, top, left, bounding_box_format, height, width)
    return convert_format(moved, "xyxy", bounding_box_format, height, width)


def pad(
    boxes: Any, top: int, left: int, height: int | None = None, width: int | None = None,
    bounding_box_format: str = "xyxy",
) -> Any:  # fmt: skip
    """Boxes of an image around which something is put.

    Args:
        boxes: boxes (..., 4).
        top: how much above.
        left: how much to the left.
        height: of the image, for formats in shares.
        width: the same.
        bounding_box_format: the format of the boxes.

    Example:
        >>> pad(np.array([[2.0, 3.0, 5.0, 8.0]]), 1, 2).tolist()
        [[4.0, 4.0, 7.0, 9.0]]
    """
    moved = _moved(boxes, -top, -left, bounding_box_format, height, width)
    return convert_format(moved, "xyxy", bounding_box_format, height, width)


def affine_transform(
    boxes: Any, angle: Any, translate_x: Any, translate_y: Any, scale: Any, shear_x: Any, shear_y: Any, height: int,
    width: int, center_x: float | None = None, center_y: float | None = None, bounding_box_format: str = "xyxy",
) -> Any:  # fmt: skip
    """Boxes around boxes that were moved, turned, sheared and scaled, for each image of a batch in its own way.

    Args:
        boxes: boxes (batch, n, 4).
        angle: degrees by which each is turned against the clock.
        translate_x: how far it is moved before, in shares of the image.
        translate_y: the same.
        scale: a factor of its size.
        shear_x: degrees.
        shear_y: degrees.
        height: of the images.
        width: of the images.
        center_x: what stays where it is, in shares of the image; by default its middle.
        center_y: the same.
        bounding_box_format: the format of the boxes.

    Example:
        >>> boxes, none = np.array([[[4.0, 2.0, 8.0, 3.0]]]), [0.0]
        >>> turned = affine_transform(boxes, [90.0], none, none, [1.0], none, none, height=10, width=20)
        >>> np.asarray(turned).round(4).tolist()
        [[[7.0, 6.0, 8.0, 10.0]]]
    """
    turn, x, y, factor, lean_x, lean_y = (
        np.asarray(K.to_numpy(value) if hasattr(value, "shape") else value, "float64").reshape(-1, 1, 1)
        for value in (angle, translate_x, translate_y, scale, shear_x, shear_y)
    )
    turn, lean_x, lean_y = np.deg2rad(turn), np.tan(np.deg2rad(lean_x)), np.tan(np.deg2rad(lean_y))
    middle_x = (0.5 if center_x is None else center_x) * (width - 1)
    middle_y = (0.5 if center_y is None else center_y) * (height - 1)
    down_x, down_y = np.cos(turn) * lean_y - np.sin(turn), np.cos(turn) + np.sin(turn) * lean_y
    along_x, along_y = np.cos(turn) - lean_x * down_x, np.sin(turn) + lean_x * down_y
    left, top, right, bottom = _parts(convert_format(boxes, bounding_box_format, "xyxy", height, width))
    across = _joined(left, right, left, right) + (x * (width - 1) - middle_x).astype("float32")
    downward = _joined(top, top, bottom, bottom) + (y * (height - 1) - middle_y).astype("float32")

    def mixed(of_x: Any, of_y: Any, middle: float) -> Any:
        turned = across * (factor * of_x).astype("float32") + downward * (factor * of_y).astype("float32") + middle
        return K.min(turned, axis=-1, keepdims=True), K.max(turned, axis=-1, keepdims=True)

    (x1, x2), (y1, y2) = mixed(along_x, along_y, middle_x), mixed(down_x, down_y, middle_y)
    return convert_format(_joined(x1, y1, x2, y2), "xyxy", bounding_box_format, height, width)


# What detectors are trained on ---------------------------------------------------------------------------------


def _checked(name: str, encoding: str, variance: Any) -> Any:
    if encoding not in ("center_yxhw", "center_xywh"):
        raise ArgumentError(f"{name}: expected 'center_yxhw' or 'center_xywh' as the encoding, received {encoding!r}.")
    if variance is None:
        return np.ones(4, "float32")
    factors = np.asarray(variance, "float32")
    if factors.shape != (4,):
        raise ShapeError(f"{name}: expected 4 numbers as variance, received the shape {factors.shape}.")
    return factors


def encode_box_to_deltas(
    anchors: Any, boxes: Any, anchor_format: str, box_format: str, encoding_format: str = "center_yxhw",
    variance: Any = None, image_shape: Any = None,
) -> Any:  # fmt: skip
    """How far boxes are from anchors, in sizes of these, and the logarithms of how much larger they are.

    Args:
        anchors: boxes (n, 4) or (batch, n, 4).
        boxes: as many.
        anchor_format: the format of the anchors.
        box_format: the format of the boxes.
        encoding_format: the order of the numbers: 'center_yxhw' or 'center_xywh'.
        variance: four numbers by which they are divided.
        image_shape: height and width, for formats in shares.

    Raises: ArgumentError for another encoding, ShapeError for another variance.
    Example:
        >>> anchors, boxes = np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([[1.0, 0.0, 5.0, 4.0]])
        >>> encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy").tolist()
        [[0.0, 0.25, 0.0, 0.0]]
    """
    factors = _checked("encode_box_to_deltas", encoding_format, variance)
    start, end = (
        convert_format(_corners(b, form, image_shape), "xyxy", encoding_format)
        for b, form in ((anchors, anchor_format), (boxes, box_format))
    )
    size = K.maximum(start[..., 2:], K.epsilon())
    moved = (end[..., :2] - start[..., :2]) / size
    return _joined(moved, K.log(K.maximum(end[..., 2:], K.epsilon()) / size)) / factors


def decode_deltas_to_boxes(
    anchors: Any, boxes_delta: Any, anchor_format: str, box_format: str, encoded_format: str = "center_yxhw",
    variance: Any = None, image_shape: Any = None,
) -> Any:  # fmt: skip
    """The boxes of which `encode_box_to_deltas` made numbers.

    Args:
        anchors: boxes (n, 4) or (batch, n, 4); or a dict of them, by level.
        boxes_delta: the numbers, nested as the anchors.
        anchor_format: the format of the anchors.
        box_format: the format that is wanted.
        encoded_format: the order of the numbers: 'center_yxhw' or 'center_xywh'.
        variance: as it was given there.
        image_shape: height and width, for formats in shares.

    Raises: ArgumentError for another encoding, ShapeError for another variance.
    Example:
        >>> anchors, deltas = np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([[0.0, 0.25, 0.0, 0.0]])
        >>> decode_deltas_to_boxes(anchors, deltas, "xyxy", "xyxy").tolist()
        [[1.0, 0.0, 5.0, 4.0]]
    """
    rest = (anchor_format, box_format, encoded_format, variance, image_shape)
    if isinstance(anchors, dict):
        return {key: decode_deltas_to_boxes(anchors[key], boxes_delta[key], *rest) for key in anchors}
    factors = _checked("decode_deltas_to_boxes", encoded_format, variance)
    start = convert_format(_corners(anchors, anchor_format, image_shape), "xyxy", encoded_format)
    deltas = K.cast(boxes_delta, "float32") * factors
    center = start[..., :2] + deltas[..., :2] * start[..., 2:]
    corners = convert_format(_joined(center, K.exp(deltas[..., 2:]) * start[..., 2:]), encoded_format, "xyxy")
    height, width = (None, None) if image_shape is None else tuple(image_shape)[:2]
    return convert_format(corners, "xyxy", box_format, height, width)
