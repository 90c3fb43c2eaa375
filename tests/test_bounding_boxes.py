"""Boxes: numbers as Keras 3.15 gives them for the same arguments, and those that follow by hand."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import bounding_boxes as bb
from keras_front import utils
from keras_front.errors import ArgumentError, ShapeError

A = np.array([[[1.0, 2.0, 5.0, 8.0], [0.0, 0.0, 4.0, 4.0]]])
B = np.array([[[2.0, 2.0, 6.0, 6.0], [0.0, 0.0, 4.0, 5.0], [9.0, 9.0, 9.0, 9.0]]])

FORMS = {
    "xyxy": [1.0, 2.0, 5.0, 8.0],
    "yxyx": [2.0, 1.0, 8.0, 5.0],
    "xywh": [1.0, 2.0, 4.0, 6.0],
    "center_xywh": [3.0, 5.0, 4.0, 6.0],
    "center_yxhw": [5.0, 3.0, 6.0, 4.0],
    "rel_xyxy": [0.05, 0.2, 0.25, 0.8],
    "rel_yxyx": [0.2, 0.05, 0.8, 0.25],
    "rel_xywh": [0.05, 0.2, 0.2, 0.6],
    "rel_center_xywh": [0.15, 0.5, 0.2, 0.6],
}


def close(found, expected):
    np.testing.assert_allclose(K.to_numpy(found), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_formats(form):
    there = bb.convert_format(A[:, :1], "xyxy", form, height=10, width=20)
    close(there, [[FORMS[form]]])
    for other in ("xyxy", "rel_center_xywh"):
        close(bb.convert_format(there, form, other, height=10, width=20), [[FORMS[other]]])


def test_boxes_of_several_images_and_in_dicts(backend):
    boxes = {"boxes": np.concatenate([A, A]), "labels": np.array([[1, 2], [1, 2]])}
    found = bb.convert_format(boxes, "xyxy", "rel_xyxy", height=np.array([10, 20]), width=np.array([20, 10]))
    close(found["boxes"][:, 0], [[0.05, 0.2, 0.25, 0.8], [0.1, 0.1, 0.5, 0.4]])
    assert found["labels"] is boxes["labels"]
    assert utils.bounding_boxes is bb


def test_how_much_boxes_share(backend):
    close(bb.compute_iou(A, B, "xyxy"), [[[3 / 7, 9 / 35, 0.0], [1 / 7, 0.8, 0.0]]])
    close(bb.compute_iou(A[0], B[0], "xyxy"), [[3 / 7, 9 / 35, 0.0], [1 / 7, 0.8, 0.0]])
    absent = np.array([[[-1.0, -1.0, -1.0, -1.0], [-5.0, -5.0, 2.0, 2.0]]])
    close(bb.compute_iou(A, absent, "xyxy", use_masking=True), [[[-1.0, 0.0], [-1.0, 4 / 61]]])
    close(bb.compute_iou(A, absent, "xyxy", use_masking=True, mask_val=9), [[[9.0, 0.0], [9.0, 4 / 61]]])
    shares = bb.convert_format(A, "xyxy", "rel_xyxy", 10, 20)
    close(bb.compute_iou(shares, shares, "rel_xyxy", image_shape=(10, 20, 3))[0, 0, 0], 1.0)
    close(bb.compute_ciou(A, B[:, :2], "xyxy"), [[0.39536, 0.793782]])


def test_boxes_at_edges(backend):
    boxes = {"boxes": np.array([[[-1.0, 2.0, 50.0, 8.0], [11.0, 11.0, 12.0, 12.0]]]), "labels": np.array([[1, 2]])}
    found = bb.clip_to_image_size(boxes, height=10, width=20)
    close(found["boxes"], [[[0.0, 2.0, 20.0, 8.0], [11.0, 10.0, 12.0, 10.0]]])
    assert K.to_numpy(found["labels"]).tolist() == [[1, -1]]
    close(
        bb.clip_to_image_size(np.array([[-0.5, 0.0, 2.0, 1.0]]), bounding_box_format="rel_xyxy"), [[0.0, 0.0, 1.0, 1.0]]
    )
    close(bb.crop(A, 1, 2, 4, 4), A - [2, 1, 2, 1])
    close(bb.pad(A, 1, 2, bounding_box_format="xywh"), A + [2, 1, 0, 0])


def test_boxes_are_moved(backend):
    numbers = [np.array([value]) for value in (30.0, 1.0, 2.0, 1.5, 5.0, 3.0)]
    expected = [[[37.20623, 15.356487, 47.84356, 26.114233], [34.11335, 13.36172, 43.0165, 21.442778]]]
    close(bb.affine_transform(A, *numbers, height=10, width=20), expected)
    turned = bb.affine_transform(
        np.array([[[4.0, 2.0, 8.0, 3.0]]]), [90.0], *([0.0], [0.0], [1.0], [0.0], [0.0]), 10, 20, 0.0, 0.0
    )
    close(turned, [[[2.0, -8.0, 3.0, -4.0]]])


def test_what_detectors_learn(backend):
    deltas = bb.encode_box_to_deltas(A, B[:, :2], "xyxy", "xyxy")
    close(deltas, [[[-1 / 6, 0.25, np.log(4 / 6), 0.0], [0.125, 0.0, np.log(1.25), 0.0]]])
    variance = [0.1, 0.1, 0.2, 0.2]
    scaled = bb.encode_box_to_deltas(A, B[:, :2], "xyxy", "xyxy", "center_xywh", variance)
    close(scaled, [[[2.5, -5 / 3, 0.0, np.log(4 / 6) / 0.2], [0.0, 1.25, 0.0, np.log(1.25) / 0.2]]])
    back = bb.decode_deltas_to_boxes({"P3": A}, {"P3": scaled}, "xyxy", "xywh", "center_xywh", variance)
    close(back["P3"], [[[2.0, 2.0, 4.0, 4.0], [0.0, 0.0, 4.0, 5.0]]])


def test_wrong_boxes():
    with pytest.raises(ArgumentError, match="a format among"):
        bb.convert_format(A, "xyxy", "corners")
    with pytest.raises(ArgumentError, match="height and width"):
        bb.convert_format(A, "xyxy", "rel_xyxy")
    with pytest.raises(ShapeError, match="4 numbers"):
        bb.convert_format(A[..., :3], "xyxy", "xywh")
    with pytest.raises(ArgumentError, match="height and width"):
        bb.clip_to_image_size(A)
    with pytest.raises(ArgumentError, match="encoding"):
        bb.encode_box_to_deltas(A, A, "xyxy", "xyxy", "xyxy")
    with pytest.raises(ShapeError, match="variance"):
        bb.decode_deltas_to_boxes(A, A, "xyxy", "xyxy", variance=[1.0])
    with pytest.raises(ShapeError, match="axes"):
        bb.compute_iou(A[0, 0], B, "xyxy")
