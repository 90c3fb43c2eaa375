"""The bundled digits, and the small tools for labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import keras_front.datasets.digits as digits
from keras_front.errors import ArgumentError
from keras_front.utils import normalize, np_utils, to_categorical, to_ordinal


def test_the_digits_are_whole():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, x_test.shape) == ((1438, 8, 8), (359, 8, 8))
    assert (y_train.shape, y_test.shape) == ((1438,), (359,))
    assert x_train.dtype == y_train.dtype == np.uint8
    assert (x_train.max(), x_train.min()) == (16, 0)
    # Sums over the published data: 561,718 units of ink, and 178, 182, 177, ... digits of each kind.
    assert int(x_train.sum()) + int(x_test.sum()) == 561718
    counts = np.bincount(y_train) + np.bincount(y_test)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_loading_twice_gives_arrays_of_ones_own():
    (first, _), _ = digits.load_data()
    first[:] = 0
    (second, _), _ = digits.load_data()
    assert second.any()


def test_the_data_is_small_and_says_where_it_is_from():
    folder = Path(digits.__file__).parent
    assert (folder / "digits.npz").stat().st_size < 100_000
    note = (folder / "digits.LICENSE.txt").read_text()
    assert "CC BY 4.0" in note
    assert "Alpaydin" in note


@pytest.mark.parametrize("shape", [(3,), (3, 1), (5, 3), (5, 3, 1), (1,), (1, 1)])
def test_to_categorical_shapes(shape):
    y = np.random.default_rng(0).integers(0, 4, shape)
    rows = to_categorical(y, 4)
    expected = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
    assert rows.shape == (*expected, 4)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows.argmax(-1).reshape(-1), y.reshape(-1))
    np.testing.assert_array_equal(rows.sum(-1), 1)


def test_to_categorical_finds_the_number_of_classes():
    assert to_categorical([0, 2, 1]).shape == (3, 3)
    assert to_categorical([0.0, 1.0], dtype="int32").dtype == np.int32
    assert to_categorical([], 3).shape == (0, 3)
    with pytest.raises(ArgumentError, match="from 0 to 1, received numbers from 0 to 2"):
        to_categorical([0, 2], 2)
    with pytest.raises(ValueError, match="received numbers from -1"):
        to_categorical([-1, 1])


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(normalize(x), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(normalize(x, axis=0, order=1), [[1, 1], [0, 0]])
    np.testing.assert_allclose(normalize([3.0, 4.0]), [[0.6, 0.8]])  # two axes, as in Keras


def test_np_utils_is_the_classic_home():
    assert np_utils.to_categorical is to_categorical
    assert np_utils.normalize is normalize


def test_to_ordinal():
    assert to_ordinal([0, 1, 2, 3]).tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert to_ordinal([[1], [0]], 3, "int32").tolist() == [[1, 0], [0, 0]]
    with pytest.raises(ArgumentError, match="received numbers from 0 to 3"):
        to_ordinal([0, 3], 2)
