"""Models in training that real tf_keras and Keras 3 wrote: they load compiled, and training goes on as it did there."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import optimizers
from keras_front.layers import Dense, Input
from keras_front.losses import Huber
from keras_front.models import Model, Sequential, load_model
from keras_front.saving.training_config import in_slot_order, set_optimizer_state

FILE = zipfile.ZipFile(Path(__file__).with_name("optimizers.zip"))
ARRAYS = dict(np.load(io.BytesIO(FILE.read("arrays.npz"))))
NAMES = sorted(set(ARRAYS) - {"x", "y"})


def losses(model):
    return [float(model.train_on_batch(ARRAYS["x"], ARRAYS["y"])[0]) for _ in range(4)]


@pytest.mark.few_compiled(10)
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on(backend, name, suffix, tmp_path):
    FILE.extract(f"{name}.{suffix}", tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load_model(tmp_path / f"{name}.{suffix}")
    model.save(tmp_path / f"ours.{suffix}")
    np.testing.assert_allclose(losses(model), ARRAYS[name], rtol=2e-5)
    np.testing.assert_allclose(losses(load_model(tmp_path / f"ours.{suffix}")), ARRAYS[name], rtol=2e-5)


def test_the_state_of_a_single_scalar_weight_without_a_rate():
    """With one weight of one number, only their count tells a rate from a slot."""
    numbers = [np.asarray(float(i)) for i in range(4)]
    weight = K.variable(0.0)
    found = [in_slot_order(optimizers.Adam(), list("0123")[:n], numbers[:n], [weight]) for n in (3, 4)]
    assert [[float(value) for value in values] for values in found] == [[0, 1, 2], [0, 2, 3]]


@pytest.mark.of_the_host
def test_how_a_model_was_compiled_as_data(backend, tmp_path):
    """`get_compile_config` and `compile_from_config`, also of a class with a `compile` of its own."""
    model = Sequential([Dense(1, input_dim=2)])
    assert model.get_compile_config() == {}
    schedule = optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(optimizers.Adam(schedule), Huber(0.5), metrics=["mae"], loss_weights=[2.0])
    described = json.loads(json.dumps(model.get_compile_config()))
    again = Sequential([Dense(1, input_dim=2)])
    again.compile_from_config(described)
    assert again.get_compile_config() == described
    assert again.optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == 10

    class Own(Model):
        def compile(self, speed):
            self.speed = speed
            super().compile(optimizers.SGD(speed), "mse")

        def get_compile_config(self):
            return {"speed": self.speed}

        def compile_from_config(self, config):
            self.compile(**config)

    x = Input((2,))
    own = Own(x, Dense(1)(x))
    own.compile(0.25)
    own.save(tmp_path / "own.keras")
    found = load_model(tmp_path / "own.keras", custom_objects={"Own": Own})
    assert (found.speed, float(found.optimizer.learning_rate)) == (0.25, 0.25)


@pytest.mark.parametrize("numbered", [True, False])
def test_slots_that_are_mere_numbers_may_be_missing_as_in_tf_keras(numbered):
    """Which keeps no rows and columns of vectors, and all slots weight by weight."""
    x, y = ARRAYS["x"], ARRAYS["y"]
    found = []
    for _ in range(2):
        model = Sequential([Dense(5, input_shape=(3,)), Dense(2)])
        model.compile(optimizers.Adafactor(0.1), "mse")
        found.append(model)
    trained, again = found
    for _ in range(2):
        trained.train_on_batch(x, y)
    again.set_weights(trained.get_weights())
    state = {"iteration:0": np.asarray(2, "int64")}
    for number, weight in enumerate(trained.trainable_weights):
        slots = trained.optimizer.slots_of(weight)
        kept = slots if len(weight.shape) == 2 else {"v": slots["v"]}
        state |= {f"Adafactor/{slot}/w{number}:0": kept[slot].numpy() for slot in kept}
    names = [str(place) for place in range(len(state))] if numbered else list(state)
    set_optimizer_state(again.optimizer, again, names, list(state.values()), "a file")
    for model in found:
        model.train_on_batch(x, y)
    for got, want in zip(again.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
