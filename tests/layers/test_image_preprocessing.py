"""Layers that move pixels, by amounts for which NumPy has the answer; noise differs between the images of a batch."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L

IMAGES = np.random.default_rng(0).uniform(size=(3, 6, 6, 2)).astype("float32")


def trained(layer, images=IMAGES):
    return K.to_numpy(layer(images, training=True))


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["reflect", "wrap", "constant", "nearest"])
def test_a_quarter_turn_is_numpys(backend, mode):
    want = np.rot90(IMAGES, 1, (1, 2))
    close(trained(L.RandomRotation((0.25, 0.25), mode, "nearest")), want)


def test_translation_fills_as_numpy_does(backend):
    def move(mode, **options):
        return trained(L.RandomTranslation((1 / 3, 1 / 3), (0.0, 0.0), mode, "nearest", **options))

    close(move("wrap"), np.roll(IMAGES, 2, 1))
    around = ((0, 0), (2, 0), (0, 0), (0, 0))
    for mode, numpys in (("reflect", "symmetric"), ("nearest", "edge")):
        close(move(mode), np.pad(IMAGES, around, mode=numpys)[:, :6])
    close(move("constant", fill_value=0.5), np.pad(IMAGES, around, constant_values=0.5)[:, :6])


def test_without_training_nothing_changes(backend):
    for layer in (L.RandomFlip(), L.RandomZoom(0.3), L.RandomContrast(0.5), L.RandomBrightness(0.5)):
        close(K.to_numpy(layer(IMAGES)), IMAGES)
    close(K.to_numpy(L.RandomCrop(4, 2)(IMAGES)), IMAGES[:, 1:5, 2:4])


def test_each_image_has_its_own_noise(backend):
    same = np.repeat(IMAGES[:1], 40, axis=0)
    flipped = trained(L.RandomFlip("horizontal", seed=1), same)
    turned = [np.allclose(y, same[0, :, ::-1]) for y in flipped]
    kept = [np.allclose(y, same[0]) for y in flipped]
    assert all(a != b for a, b in zip(turned, kept, strict=True))
    assert 5 < sum(turned) < 35
    bright = trained(L.RandomBrightness(0.2, (-9, 9)), same) - same
    assert np.ptp(bright, axis=(1, 2, 3)).max() < 1e-4
    assert np.ptp(bright[:, 0, 0, 0]) > 0.1


def test_a_crop_is_a_part_of_the_image(backend):
    got = trained(L.RandomCrop(3, 4))
    places = [(i, j) for i in range(4) for j in range(3) if np.allclose(got, IMAGES[:, i : i + 3, j : j + 4])]
    assert len(places) == 1


@pytest.mark.backends("numpy")
def test_one_image_integers_and_wrong_arguments(backend):
    image = (IMAGES[0] * 255).astype("uint8")
    assert K.to_numpy(L.CenterCrop(2, 3)(image)).dtype == np.float32
    assert K.int_shape(L.Resizing(2, 3)(image)) == (2, 3, 2)
    with pytest.raises(ValueError, match="exclude each other"):
        L.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)
    with pytest.raises(ValueError, match=r"a pair \(low, high\)"):
        L.RandomTranslation(2.0, 0.1)
    with pytest.raises(ValueError, match="fill_mode"):
        L.RandomZoom(0.1, fill_mode="none")
