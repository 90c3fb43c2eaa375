"""Initializers: statistics of real Keras, seeds, configs."""

import interop
import numpy as np
import pytest

import keras_front as keras
from keras_front import backend as K
from keras_front import initializers
from keras_front.backend import seeds
from keras_front.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("entry", interop.cases("initializer"))
def test_statistics_of_real_keras(backend, entry):
    initializer = interop.evaluate(entry, keras)
    value = K.get_value(keras.layers.Layer().add_weight("w", entry["shape"], initializer=initializer))
    want, size = entry["expected"], value.size
    assert value.dtype == "float32"
    assert value.shape == tuple(entry["shape"])
    assert value.mean(dtype="float64") == pytest.approx(want["mean"], abs=5 * want["std"] / size**0.5 + 1e-6)
    assert value.std(dtype="float64") == pytest.approx(want["std"], rel=0.03 + 3 / size**0.5)
    if "gram" in want:
        flat = value.reshape(-1, value.shape[-1]).astype("float64")
        small = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
        np.testing.assert_allclose(small, want["gram"], atol=1e-5)
    elif "untruncated" not in entry["code"] and "random_normal" not in entry["code"]:
        reach = max(abs(want["min"]), abs(want["max"]))
        assert abs(value).max() <= reach * 1.01 + 1e-6


def test_a_seed_gives_the_same_weights_and_a_second_call_others():
    first, second = initializers.RandomNormal(seed=3), initializers.RandomNormal(seed=3)
    a, b = first((4, 4)), first((4, 4))
    np.testing.assert_array_equal(a, second((4, 4)))
    assert not np.array_equal(a, b)
    assert first.get_config()["seed"] == 3


def test_without_a_seed_the_global_one_decides():
    seeds.set_random_seed(5)
    a = initializers.glorot_uniform()((3, 3))
    b = initializers.glorot_uniform()((3, 3))
    seeds.set_random_seed(5)
    np.testing.assert_array_equal(a, initializers.GlorotUniform()((3, 3)))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize(("dtype", "kept"), [("float16", "float16"), ("float64", "float64"), ("bfloat16", "float32")])
def test_dtypes(dtype, kept):
    for name in ("zeros", "random_normal", "glorot_uniform", "orthogonal", "identity", "constant"):
        assert initializers.get(name)((4, 4), dtype=dtype).dtype == kept


def test_constants():
    assert initializers.Constant(2.5)(()).item() == 2.5
    np.testing.assert_array_equal(initializers.Constant([1, 2, 3, 4])((2, 2)), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(initializers.Constant([1, 2])((2, 2)), [[1, 2], [1, 2]])
    with pytest.raises(ShapeError, match="as many as a weight of shape"):
        initializers.Constant([1, 2, 3])((2, 2))
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)), [[3, 0, 0], [0, 3, 0]])
    with pytest.raises(ShapeError, match="two axes"):
        initializers.Identity()((2, 2, 2))


def test_fans():
    assert initializers.fans((3, 4)) == (3, 4)
    assert initializers.fans((5, 5, 3, 4)) == (75, 100)
    assert initializers.fans((9,)) == (9, 9)
    assert initializers.fans(()) == (1, 1)


def test_orthogonal_rows_or_columns():
    for shape in ((6, 3), (3, 6), (2, 3, 4)):
        w = initializers.Orthogonal(seed=1)(shape, dtype="float64").reshape(-1, shape[-1])
        small = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
        np.testing.assert_allclose(small, np.eye(min(w.shape)), atol=1e-12)
    with pytest.raises(ShapeError, match="two axes or more"):
        initializers.Orthogonal()((3,))


def test_names_and_configs():
    default = initializers.serialize(initializers.get("glorot_uniform"))
    assert default["class_name"] == "VarianceScaling"  # every Keras can read this
    assert initializers.serialize(initializers.HeNormal(7)) == {"class_name": "HeNormal", "config": {"seed": 7}}
    old = {"class_name": "RandomUniform", "config": {"minval": 0, "maxval": 1, "seed": None, "dtype": "float32"}}
    assert initializers.deserialize(old).maxval == 1
    for name in initializers.INITIALIZERS.names():
        config = initializers.serialize(initializers.get(name))
        assert initializers.serialize(initializers.deserialize(config)) == config
    with pytest.raises(ArgumentError, match="expected mode to be one of"):
        initializers.VarianceScaling(mode="fan_out_in")
    with pytest.raises(ArgumentError, match="positive scale"):
        initializers.VarianceScaling(scale=0)


@pytest.mark.of_the_host
@pytest.mark.parametrize(
    ("window", "factors"), [("hann", np.hanning(8)), ("hamming", np.hamming(8)), (None, np.ones(8))]
)
def test_kernels_of_fourier_transforms_are_those_of_numpy(backend, window, factors):
    x = np.random.default_rng(0).normal(size=8)
    found = [np.asarray(initializers.STFT(side, window, None)((8, 1, 5), "float64"))[:, 0] for side in ("real", "imag")]
    np.testing.assert_allclose(x @ found[0] + 1j * (x @ found[1]), np.fft.rfft(x * factors), atol=1e-12)
    density = np.asarray(initializers.get("stft")((8, 1, 5), "float64"))[:, 0, 0]
    assert np.square(density).sum() == pytest.approx(1)
    spectrum = initializers.STFT(window="blackman", scaling="spectrum", periodic=True)((8, 1, 5), "float64")
    assert np.asarray(spectrum)[:, 0, 0].sum() == pytest.approx(1)
    with pytest.raises(ValueError, match=r"another name of scipy.signal.windows"):
        initializers.STFT(window="glass")((8, 1, 5))
    with pytest.raises(ValueError, match="expected 8 factors"):
        initializers.STFT(window=[1.0])((8, 1, 5))
