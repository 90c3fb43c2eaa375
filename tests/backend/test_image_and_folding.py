"""Resizing, patches and folds against plain NumPy."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend.ops.image import resize_weights

X = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")


def first(x):
    return np.moveaxis(x, -1, 1).copy()


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("size", [(10, 12), (7, 9), (3, 4), (5, 6)])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_resize_is_a_product_with_weights_along_each_axis(backend, interpolation, size, data_format):
    x = X if data_format == "channels_last" else first(X)
    got = K.to_numpy(K.resize(K.convert(x), size, interpolation, data_format))
    got = got if data_format == "channels_last" else np.moveaxis(got, 1, -1)
    if interpolation == "nearest":
        rows, columns = ([int((i + 0.5) * old / new) for i in range(new)] for old, new in zip((5, 6), size))
        want = X[:, rows][:, :, columns]
    else:
        rows, columns = (resize_weights(old, new, interpolation) for old, new in zip((5, 6), size))
        want = np.einsum("bhwc,hi,wj->bijc", X.astype("float64"), rows, columns)
    np.testing.assert_allclose(got, want, atol=2e-6)


def test_weights_reproduce_lines_and_constants():
    for interpolation in ("bilinear", "bicubic"):
        weights = resize_weights(8, 16, interpolation)
        np.testing.assert_allclose(weights.sum(0), 1)
        inner = (np.arange(8) @ weights)[4:12]
        np.testing.assert_allclose(inner, (np.arange(16)[4:12] + 0.5) / 2 - 0.5, atol=1e-12)


def test_resize_images_and_volumes(backend):
    got = K.to_numpy(K.resize_images(K.convert(X), 2, 3, "channels_last"))
    np.testing.assert_array_equal(got, X.repeat(2, 1).repeat(3, 2))
    volume = X.reshape(2, 5, 2, 3, 3)
    got = K.to_numpy(K.resize_volumes(K.convert(volume), 2, 1, 2, "channels_last"))
    np.testing.assert_array_equal(got, volume.repeat(2, 1).repeat(2, 3))
    x = K.placeholder((None, None, 4, 3))
    for interpolation in ("nearest", "bilinear"):
        y = K.resize_images(x, 2, 2, "channels_last", interpolation)
        assert y.shape == (None, None, 8, 3)
        assert K.function([x], [y])([np.ones((2, 5, 4, 3))])[0].shape == (2, 10, 8, 3)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_patches_are_the_windows(backend, data_format):
    last = data_format == "channels_last"
    got = K.to_numpy(K.extract_patches(K.convert(X if last else first(X)), (2, 3), (1, 2), "valid", None, data_format))
    for i in range(4):
        for j in range(2):
            window = X[:, i : i + 2, 2 * j : 2 * j + 3]
            if last:
                np.testing.assert_array_equal(got[:, i, j], window.reshape(2, -1))
            else:
                np.testing.assert_array_equal(got[:, :, i, j], first(window).reshape(2, -1))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_local_convolution_has_a_kernel_for_each_place(backend, data_format):
    kernel = np.random.default_rng(1).normal(size=(16, 18, 4)).astype("float32")
    last = data_format == "channels_last"
    x = K.convert(X if last else first(X))
    got = K.to_numpy(K.local_conv2d(x, K.convert(kernel), (2, 3), (1, 1), (4, 4), data_format))
    for i in range(4):
        for j in range(4):
            window = X[:, i : i + 2, j : j + 3]
            vector = (window if last else first(window)).reshape(2, -1)
            place = got[:, i, j] if last else got[:, :, i, j]
            np.testing.assert_allclose(place, vector @ kernel[i * 4 + j], atol=1e-5)


def test_local_convolution_along_one_axis(backend):
    x, kernel = X[:, 0], np.random.default_rng(1).normal(size=(2, 9, 4)).astype("float32")
    got = K.to_numpy(K.local_conv1d(K.convert(x), K.convert(kernel), (3,), (3,)))
    for i in range(2):
        np.testing.assert_allclose(got[:, i], x[:, 3 * i : 3 * i + 3].reshape(2, -1) @ kernel[i], atol=1e-5)


def test_maps_and_folds(backend):
    x = K.placeholder((None, 3))
    values = np.arange(12.0).reshape(4, 3)
    f = K.function(
        [x],
        [
            K.map_fn(lambda row: K.sum(row), x),
            K.map_fn(lambda pair: pair[0] * pair[1], [x, x]),
            K.foldl(lambda a, row: a * 0.5 + row, x),
            K.foldr(lambda a, row: a * 0.5 + row, x, K.zeros((3,))),
        ],
    )
    sums, squares, left, right = f([values])
    np.testing.assert_allclose(sums, values.sum(1))
    np.testing.assert_allclose(squares, values**2)
    np.testing.assert_allclose(left, ((values[0] / 2 + values[1]) / 2 + values[2]) / 2 + values[3])
    np.testing.assert_allclose(right, values[0] + values[1] / 2 + values[2] / 4 + values[3] / 8)
    eager = K.foldl(lambda a, row: a + row, K.convert(values.astype("float32")))
    np.testing.assert_allclose(K.to_numpy(eager), values.sum(0))
