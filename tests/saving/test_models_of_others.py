"""Models that tf_keras and Keras 3 wrote in every format they have: the same outputs, and the same training goes on."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from record_models_of_others import FILE, own_classes

import keras_front
from keras_front.models import load_model

ARCHIVE = zipfile.ZipFile(FILE)
OWN = own_classes(keras_front)
OBJECTS = {**OWN, "mine>Scale": OWN["Scale"]}
NAMES = [n for n in ARCHIVE.namelist() if not n.endswith(("arrays.npz", ".data-00000-of-00001"))]


def goes_on_as_there(model, arrays):
    """The loss, and what comes after two more steps."""
    np.testing.assert_allclose(model.evaluate(arrays["x"], arrays["t"], verbose=0), arrays["loss"], rtol=1e-4)
    for _ in range(2):
        model.train_on_batch(arrays["x"], arrays["t"])
    np.testing.assert_allclose(model.predict(arrays["x"], verbose=0), arrays["y_trained"], rtol=2e-3, atol=1e-4)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("name", NAMES)
def test_models_of_others_predict_and_go_on_as_there(backend, name, tmp_path):
    folder, _, file = name.rpartition("/")
    ARCHIVE.extractall(tmp_path, [n for n in ARCHIVE.namelist() if n.startswith(f"{folder}/")])
    arrays = np.load(io.BytesIO(ARCHIVE.read(f"{folder}/arrays.npz")))
    if file in ("model.keras", "model.h5"):
        model = load_model(tmp_path / name, custom_objects=OBJECTS)
    else:
        model = load_model(tmp_path / folder / "model.keras", custom_objects=OBJECTS, compile=False)
        model.set_weights([0 * w for w in model.get_weights()])
        model.load_weights(str(tmp_path / name).removesuffix(".index"))
    np.testing.assert_allclose(model.predict(arrays["x"], verbose=0), arrays["y"], rtol=1e-4, atol=1e-5)
    if model.optimizer and "t" in arrays and name != "keras/low_rank/model.keras":  # which has the change in the weight
        goes_on_as_there(model, arrays)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_with_a_call_of_its_own_and_a_config_comes_back(backend, tmp_path, suffix):
    x = np.random.default_rng(0).normal(size=(4, 4))
    model = OWN["Net"](units=2)
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.ones((4, 3)))
    model.save(tmp_path / f"m{suffix}")
    again = load_model(tmp_path / f"m{suffix}", custom_objects=OWN)
    assert again.units == 2
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_with_a_call_of_its_own_comes_back_within_another_one(backend, tmp_path, suffix):
    x = np.random.default_rng(0).normal(size=(4, 4))
    row = keras_front.Input((4,))
    model = keras_front.Model(row, keras_front.layers.Dense(2)(OWN["Net"](units=2)(row)))
    model.save(tmp_path / f"m{suffix}")
    again = load_model(tmp_path / f"m{suffix}", custom_objects=OWN)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
