"""`tf.image`: changes of colour, and images changed by chance, as programs of tf.keras augment them."""

import colorsys

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.tf_names import find
from keras_front.utils import set_random_seed

IMAGE = np.random.RandomState(0).rand(4, 5, 3).astype("float32")
BYTES = (IMAGE * 255).astype("uint8")


def call(name, *args, **kwargs):
    return K.to_numpy(find(f"image.{name}")(*args, **kwargs))


def test_colours_as_the_standard_library_turns_them(backend):
    def turned(change):
        return np.array(
            [[colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*p))) for p in row] for row in IMAGE.tolist()]
        )

    hue = turned(lambda h, s, v: ((h - 0.3) % 1, s, v))
    np.testing.assert_allclose(call("adjust_hue", IMAGE, -0.3), hue, atol=1e-5)
    grayer = turned(lambda h, s, v: (h, min(s * 1.5, 1), v))
    np.testing.assert_allclose(call("adjust_saturation", IMAGE, 1.5), grayer, atol=1e-5)
    np.testing.assert_allclose(call("adjust_gamma", IMAGE, 2.0, 0.5), 0.5 * IMAGE**2, rtol=1e-5)


def test_bytes_stay_bytes_and_in_their_range(backend):
    brighter = call("adjust_brightness", BYTES, 0.2)
    assert brighter.dtype == np.uint8
    assert np.abs(brighter.astype(int) - np.minimum(BYTES.astype(int) + 51, 255)).max() <= 1
    assert call("random_saturation", BYTES, 0.5, 1.5).dtype == np.uint8
    np.testing.assert_allclose(call("adjust_brightness", IMAGE, 0.2), IMAGE + 0.2, rtol=1e-6)  # floats may leave it


@pytest.mark.parametrize(("name", "axis"), [("random_flip_left_right", 1), ("random_flip_up_down", 0)])
def test_flips_of_some_images_of_a_batch(backend, name, axis):
    set_random_seed(1)
    found = call(name, np.stack([IMAGE] * 40))
    flipped = [np.array_equal(one, np.flip(IMAGE, axis)) for one in found]
    assert all(was or np.array_equal(one, IMAGE) for was, one in zip(flipped, found, strict=True))
    assert 5 < sum(flipped) < 35
    assert {np.array_equal(call(name, BYTES), BYTES) for _ in range(20)} == {True, False}


def test_brightness_and_contrast_within_bounds(backend):
    moved = [float((call("random_brightness", IMAGE, 0.25) - IMAGE).mean()) for _ in range(10)]
    assert max(map(abs, moved)) <= 0.25
    assert len(set(moved)) > 5
    mean = IMAGE.mean((0, 1))
    factors = ((call("random_contrast", IMAGE, 0.5, 0.75) - mean) / (IMAGE - mean)).ravel()
    np.testing.assert_allclose(factors, factors[0], rtol=1e-3)
    assert 0.5 <= factors[0] <= 0.75
    assert call("random_hue", IMAGE, 0.1).shape == IMAGE.shape


def test_crops_come_from_everywhere(backend):
    places = set()
    for _ in range(60):
        part = call("random_crop", IMAGE, (3, 3, 3))
        here = [(r, c) for r in range(2) for c in range(3) if np.array_equal(part, IMAGE[r : r + 3, c : c + 3])]
        assert len(here) == 1
        places.update(here)
    assert len(places) == 6


def test_one_seed_one_result(backend):
    for name, arguments in (("random_brightness", (0.2,)), ("random_crop", ((2, 2, 3),)), ("random_flip_up_down", ())):
        first, again, other = (call(f"stateless_{name}", IMAGE, *arguments, seed=(n, 7)) for n in (1, 1, 2))
        assert np.array_equal(first, again), name
        assert first.shape == other.shape


def test_bounds_that_cannot_be(backend):
    with pytest.raises(ArgumentError, match="bounds in order, received 2 and 1"):
        call("random_contrast", IMAGE, 2, 1)
    with pytest.raises(ArgumentError, match="max_delta >= 0, received -1"):
        call("random_hue", IMAGE, -1)
    with pytest.raises(ArgumentError, match=r"a size within \(4, 5, 3\), received \[6, 2, 3\]"):
        call("random_crop", IMAGE, (6, 2, 3))
