"""Augmentation of images: what is random is compared in its distribution, and by what must hold for every draw."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.errors import ArgumentError, DtypeError

pytestmark = pytest.mark.engine_neutral

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 10, 8, 3))
RANDOM = {
    "RandomGaussianBlur": {}, "RandomErasing": {}, "RandomPerspective": {}, "RandomElasticTransform": {},
    "RandomColorJitter": {"brightness_factor": 0.3, "hue_factor": 0.2}, "RandAugment": {}, "AugMix": {"num_chains": 2},
    "MixUp": {}, "CutMix": {},
}  # fmt: skip


def numbers(x):
    return K.to_numpy(x)


@pytest.mark.parametrize("kind", RANDOM)
def test_every_random_layer_keeps_its_promises(backend, kind):
    def made(**more):
        return getattr(L, kind)(**RANDOM[kind], seed=5, **more)

    layer = made()
    np.testing.assert_array_equal(numbers(layer(PIXELS, training=False)), PIXELS)
    found = numbers(layer(PIXELS, training=True))
    assert found.shape == PIXELS.shape
    assert found.dtype == "float32"
    assert 0 <= found.min() <= found.max() <= 256
    assert np.abs(found - PIXELS).max() > 1
    np.testing.assert_allclose(numbers(layer(PIXELS.astype("uint8"), training=False)), PIXELS)
    assert numbers(layer(PIXELS[0], training=True)).shape == PIXELS[0].shape
    first = made(data_format="channels_first")
    turned = numbers(first(PIXELS.transpose(0, 3, 1, 2), training=True))
    assert turned.shape == (6, 3, 10, 8)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("kind", ["RandomGaussianBlur", "RandomErasing", "RandomPerspective", "RandomElasticTransform"])
@pytest.mark.parametrize(("factor", "expected"), [(0.0, 0.0), (1.0, 0.5), ((1.0, 1.0), 1.0)])
def test_a_factor_is_a_probability_for_each_image(backend, kind, factor, expected):
    images = np.random.default_rng(1).uniform(0, 255, (400, 6, 6, 1)).astype("float32")
    options = {"scale": (0.3, 0.5)} if kind == "RandomErasing" else {"sigma": (0.5, 1.0)} if "Blur" in kind else {}
    found = numbers(getattr(L, kind)(factor, **options)(images, training=True))
    changed = (found != images).any((1, 2, 3)).mean()
    assert changed == pytest.approx(expected, abs=0.12)


def test_erased_rectangles_have_the_area_of_scale(backend):
    layer = L.RandomErasing((1.0, 1.0), (0.04, 0.36), fill_value=1.0)
    filled = numbers(layer(np.zeros((300, 20, 20, 1)), training=True))[..., 0]
    high, wide = filled.any(2).sum(1), filled.any(1).sum(1)
    np.testing.assert_array_equal(filled.sum((1, 2)), high * wide)  # rectangles
    assert 3 <= min(high.min(), wide.min()) <= max(high.max(), wide.max()) <= 13
    assert filled.mean() == pytest.approx(0.188, abs=0.02)


def test_mixed_labels_are_the_shares_of_mixed_images(backend):
    images = np.stack([np.full((4, 4, 1), float(i)) for i in range(5)])
    data = {"images": images, "labels": np.eye(5, dtype="float32")}
    found = {k: numbers(v) for k, v in L.MixUp(1.0)(data, training=True).items()}
    np.testing.assert_allclose(found["labels"].sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(found["images"][:, 0, 0, 0], found["labels"] @ np.arange(5), rtol=1e-4, atol=1e-5)
    assert (found["labels"].diagonal() < 0.999).any()


def test_cut_rectangles_come_from_one_other_image(backend):
    images = np.stack([np.full((32, 32, 1), float(i)) for i in range(40)])
    masks = images[..., :1]
    data = {"images": images, "labels": np.eye(40, dtype="float32"), "segmentation_masks": masks}
    found = {k: numbers(v) for k, v in L.CutMix((1.0, 1.0))(data, training=True).items()}
    np.testing.assert_array_equal(found["images"], found["segmentation_masks"])
    for i, (image, label) in enumerate(zip(found["images"][..., 0], found["labels"], strict=True)):
        assert set(np.unique(image)) <= set(np.flatnonzero(label)) | {i}
        assert (image == i).mean() == pytest.approx(label[i], abs=0.07)


def test_what_cannot_be_mixed_is_refused(backend):
    with pytest.raises(DtypeError, match="to_categorical"):
        L.MixUp()({"images": PIXELS, "labels": np.arange(6)}, training=True)
    with pytest.raises(ArgumentError, match="boxes"):
        L.CutMix()({"images": PIXELS, "bounding_boxes": {}}, training=True)


def test_boxes_are_cut_and_padded(backend):
    boxes = np.arange(16, dtype="float32").reshape(2, 2, 4)
    data = {"images": PIXELS[:2], "bounding_boxes": {"boxes": boxes, "labels": np.ones((2, 2))}}
    more, less = (L.MaxNumBoundingBoxes(n)(data)["bounding_boxes"] for n in (3, 1))
    np.testing.assert_array_equal(numbers(more["boxes"]), np.pad(boxes, ((0, 0), (0, 1), (0, 0)), constant_values=-1))
    np.testing.assert_array_equal(numbers(more["labels"]), [[1, 1, -1]] * 2)
    np.testing.assert_array_equal(numbers(less["boxes"]), boxes[:, :1])
