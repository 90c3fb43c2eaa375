"""Where epsilon stands in RMSprop and Adagrad: under the root in files of later Keras, beside it in older ones."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from keras_front import optimizers
from keras_front.layers import Dense
from keras_front.models import Sequential, load_model

CASES = [optimizers.RMSprop(0.01), optimizers.RMSprop(0.01, centered=True), optimizers.Adagrad(0.01)]


def of_later_keras(path):
    """The file as Keras 3 would have written it: without a dialect and without `decay`."""
    with h5py.File(path, "r+") as file:
        training = json.loads(file.attrs["training_config"])
        config = training["optimizer_config"]["config"]
        del config["decay"], training["optimizer_config"]["dialect"], file.attrs["dialect"]
        file.attrs["training_config"] = json.dumps(training)
        file.attrs["keras_version"] = "3.15.1"


@pytest.mark.backends("numpy", "torch")
@pytest.mark.parametrize("optimizer", CASES)
def test_files_of_later_keras_go_on_with_epsilon_under_the_root(backend, tmp_path, optimizer):
    model = Sequential([Dense(1, use_bias=False, input_shape=(1,))])
    model.compile(type(optimizer).from_config(optimizer.get_config()), "mse")
    model.save(tmp_path / "m.h5")
    assert not load_model(tmp_path / "m.h5").optimizer.epsilon_in_root
    of_later_keras(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5")
    assert again.optimizer.epsilon_in_root
    for suffix in ("h5", "keras"):  # which of ours say it beside the config, where no other Keras looks
        again.save(tmp_path / f"again.{suffix}")
        assert load_model(tmp_path / f"again.{suffix}").optimizer.epsilon_in_root
    with h5py.File(tmp_path / "again.h5") as file:
        assert "epsilon_in_root" not in json.loads(file.attrs["training_config"])["optimizer_config"]["config"]
    again.set_weights([np.array([[0.5]])])
    gradient = 1e-4  # of (w - t)**2 where w - t is half of it
    again.train_on_batch(np.ones((1, 1)), np.array([[0.5 - gradient / 2]]))
    part = 1.0 if isinstance(optimizer, optimizers.Adagrad) else 0.1
    square = part * gradient**2 - (0.1 * gradient) ** 2 * bool(optimizer.get_config().get("centered"))
    step = 0.01 * gradient / np.sqrt(square + 1e-7)
    np.testing.assert_allclose(0.5 - again.get_weights()[0], step, rtol=2e-3)
