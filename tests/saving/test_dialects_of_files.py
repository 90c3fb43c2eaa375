"""What a file says about training means what it meant to the Keras that wrote the file."""

from __future__ import annotations

import json
import zipfile

import h5py
import numpy as np
import pytest

import keras_front
from keras_front import config, conventions, layers, models, optimizers

pytest.importorskip("keras_front.legacy", reason="other dialects than the native one are needed")

FORMATS = ("m.h5", "m.keras")
X, Y = np.array([[3.0]]), np.array([[0.0]])


def model_with(optimizer=None, **kwargs):
    """One weight of 1 and a bias of 0: at `X`, `Y` the gradients of the squared error are 18 and 6."""
    model = models.Sequential([layers.Dense(1, input_dim=1, kernel_initializer="ones", **kwargs)])
    model.compile(optimizer or optimizers.SGD(1.0, clipnorm=1.0), "mse", metrics=["accuracy"])
    return model


def stepped(model):
    model.train_on_batch(X, Y)
    return [float(w.ravel()[0]) for w in model.get_weights()]


JOINT, EACH = [1 - 3 / 10**0.5, -1 / 10**0.5], [0.0, -1.0]


def of_version(path, version, model):
    """A file as real Keras of that version wrote it."""
    model.save(path)
    with h5py.File(path, "r+") as file:
        training = json.loads(file.attrs["training_config"])
        del file.attrs["dialect"], file.attrs["keras_version"], training["optimizer_config"]["dialect"]
        file.attrs["training_config"] = json.dumps(training)
        if version is not None:
            file.attrs["keras_version"] = version.encode()
    return path


@pytest.mark.parametrize(
    ("version", "dialect"),
    [(None, "keras1"), ("0.3.3", "keras1"), ("1.2.2", "keras1"), ("2.0.0", "keras2.2"), ("2.2.4", "keras2.2"),
     ("2.2.4-tf", "keras_front"), ("2.3.0-tf", "keras_front"), ("2.3.1", "keras2.3"), ("2.4.0", "keras_front"),
     ("2.21.0", "keras_front"), ("3.15.1", "keras_front"), ("10.1", "keras_front"), ("nightly", "keras_front")],
)  # fmt: skip
def test_the_dialect_of_a_version(version, dialect):
    assert conventions.dialect_of_version(version) == dialect


@pytest.mark.parametrize(
    ("version", "expected", "accuracy"),
    [("1.2.2", JOINT, "acc"), ("2.2.4", JOINT, "acc"), ("2.3.1", JOINT, "accuracy"), ("2.4.0", EACH, "accuracy")],
)
def test_a_file_of_others_keeps_its_meaning(backend, tmp_path, version, expected, accuracy):
    model = models.load_model(of_version(tmp_path / "m.h5", version, model_with()))
    assert model.metrics_names == ["loss", accuracy]
    assert model.optimizer.clipnorm == 1.0
    for name in FORMATS:  # and when it is written again
        model.save(tmp_path / name)
        again = models.load_model(tmp_path / name)
        assert again.metrics_names == ["loss", accuracy]
        np.testing.assert_allclose(stepped(again), expected, atol=1e-6)
    np.testing.assert_allclose(stepped(model), expected, atol=1e-6)


@pytest.mark.parametrize(("version", "whole"), [("2.3.1", True), ("2.3.0-tf", False)])
def test_activity_penalties_of_a_file(backend, tmp_path, version, whole):
    path = of_version(tmp_path / "m.h5", version, model_with(activity_regularizer="l2"))
    got = models.load_model(path).evaluate(np.ones((5, 1)), np.ones((5, 1)), verbose=0)[0]
    np.testing.assert_allclose(got, 0.01 * (5 if whole else 1), rtol=1e-5)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_ours_states_its_dialect(tmp_path, name):
    native = model_with()
    with keras_front.dialect("keras2.3"):
        old = model_with()
    for model, expected in ((native, EACH), (old, JOINT)):
        model.save(tmp_path / name)
        np.testing.assert_allclose(stepped(models.load_model(tmp_path / name)), expected, atol=1e-6)
    if name == "m.keras":  # Keras 3 reads the same numbers
        with zipfile.ZipFile(tmp_path / name) as archive:
            described = json.loads(archive.read("config.json"))["compile_config"]["optimizer"]["config"]
        assert described["global_clipnorm"] == 1.0
        assert "clipnorm" not in described
        return
    with h5py.File(tmp_path / name) as file:
        assert file.attrs["dialect"] == "keras2.3"


@pytest.mark.parametrize("name", FORMATS)
def test_an_optimizer_of_a_file_keeps_its_dialect_in_other_models(tmp_path, name):
    loaded = models.load_model(of_version(tmp_path / "m.h5", "2.3.1", model_with()))
    other = model_with(loaded.optimizer)
    other.save(tmp_path / name)
    again = models.load_model(tmp_path / name)
    np.testing.assert_allclose(stepped(again), JOINT, atol=1e-6)
    np.testing.assert_allclose(stepped(other), JOINT, atol=1e-6)
    native = models.load_model(of_version(tmp_path / "m.h5", "2.4.0", model_with()))
    with keras_front.dialect("keras2.3"):
        model_with(native.optimizer).save(tmp_path / name)
    np.testing.assert_allclose(stepped(models.load_model(tmp_path / name)), EACH, atol=1e-6)


def test_the_dialect_of_the_user_wins(tmp_path):
    path = of_version(tmp_path / "m.h5", "2.3.1", model_with())
    for name, expected in (("keras_front", EACH), ("keras1", JOINT)):
        with keras_front.dialect(name):
            model = models.load_model(path)
        np.testing.assert_allclose(stepped(model), expected, atol=1e-6)
    config.set_dialect("keras_front")
    np.testing.assert_allclose(stepped(models.load_model(path)), EACH, atol=1e-6)


def test_a_dialect_that_nobody_knows_is_passed_over(tmp_path):
    path = of_version(tmp_path / "m.h5", "2.3.1", model_with())
    with h5py.File(path, "r+") as file:
        file.attrs["dialect"] = b"keras9"
    np.testing.assert_allclose(stepped(models.load_model(path)), JOINT, atol=1e-6)


@pytest.mark.parametrize("kind", ["BatchNormalizationV1", "BatchNormalizationV2", "BatchNormalization"])
def test_classes_that_tf_keras_1_had_twice(kind):
    """Their names in files of 1.13 to 2.0; so are those of initializers, which have a dtype there."""
    ones = {"class_name": "OnesV2", "config": {"dtype": "float32"}}
    described = {
        "name": "n",
        "axis": [1],
        "gamma_initializer": ones,
        "batch_input_shape": [None, 3],
        "dtype": "float32",
    }
    stack = {"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": kind, "config": described}]}}
    layer = models.model_from_config(stack).layers[0]
    assert (type(layer), type(layer.gamma_initializer).__name__) == (layers.BatchNormalization, "Ones")
