"""Losses that were given to `compile` as objects, as tf_keras 2.21 and Keras 3.15 write them."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from keras_front import layers as L
from keras_front import losses
from keras_front.models import Sequential, load_model
from keras_front.saving import config

# Source: `get_config()` of each in Keras 3.15.1, and in tf_keras 2.21.0, which writes the function as well.
KERAS3 = {
    "SparseCategoricalCrossentropy": {"from_logits": True, "ignore_class": None},
    "CategoricalCrossentropy": {"from_logits": False, "label_smoothing": 0.1, "axis": -1},
    "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.0, "axis": -1},
}
TF_KERAS = {
    "SparseCategoricalCrossentropy": {
        "fn": "sparse_categorical_crossentropy",
        "from_logits": True,
        "ignore_class": None,
    },
    "CategoricalCrossentropy": {"fn": "categorical_crossentropy", "label_smoothing": 0.0, "axis": -1},
    "Huber": {"fn": "huber", "delta": 2.0},
    "MeanSquaredError": {"fn": "mean_squared_error"},
    "CosineSimilarity": {"fn": "cosine_similarity", "axis": -1},
}


@pytest.mark.parametrize(("kind", "arguments"), [*KERAS3.items(), *TF_KERAS.items()])
def test_a_loss_of_a_file(tmp_path, kind, arguments):
    model = Sequential([L.Dense(3, input_shape=(2,))])
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        training = json.loads(file.attrs["training_config"])
        described = {"reduction": "sum_over_batch_size", "name": "loss_of_it", **arguments}
        training["loss"] = {"class_name": kind, "config": described}
        file.attrs["training_config"] = json.dumps(training)
    loss = load_model(tmp_path / "m.h5").loss
    own = {name: value for name, value in arguments.items() if name not in ("fn", "ignore_class", "axis")}
    x = np.random.default_rng(0).uniform(0.1, 1, (4, 3)).astype("float32")
    y = np.array([0, 1, 2, 1]) if kind.startswith("Sparse") else np.eye(3, dtype="float32")[[0, 1, 2, 1]]
    assert float(loss(y, x)) == pytest.approx(float(getattr(losses, kind)(**own)(y, x)), rel=1e-5)


def test_what_changes_the_loss_is_kept():
    """Another function beside a class is passed over, as tf_keras does; the class says what is computed."""
    described = {"class_name": "MeanSquaredError", "config": {"fn": "mean_absolute_error"}}
    assert config.to_keras2(described) == {"class_name": "MeanSquaredError", "config": {}}
    described = {"class_name": "SparseCategoricalCrossentropy", "config": {"ignore_class": 2}}
    assert config.to_keras2(described) == described
