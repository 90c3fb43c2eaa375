"""Models whose inputs and outputs are dicts: data, losses, results and files go by their keys.

The order of keys and what `predict` gives are those of tf_keras 2.21 and Keras 3.15.1.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

from keras_front import layers, models
from keras_front.errors import ArgumentError

X = {"left": np.ones((4, 3), "float32"), "right": np.arange(8, dtype="float32").reshape(4, 2)}
Y = {"zero": np.ones((4, 1), "float32"), "first": np.zeros((4, 2), "float32")}


def model():
    a, b = layers.Input((3,), name="a"), layers.Input((2,), name="b")
    joined = layers.concatenate([a, b])
    ends = {"zero": layers.Dense(1, name="o")(joined), "first": layers.Dense(2, name="p")(joined)}
    return models.Model({"right": b, "left": a}, ends)


def test_data_losses_and_results_go_by_the_keys(backend):
    made = model()
    made.compile("sgd", {"zero": "mse", "first": "mae"}, metrics={"zero": "mae"}, loss_weights={"first": 0.5})
    assert (made.input_names, made.output_names) == (["left", "right"], ["first", "zero"])
    history = made.fit(X, Y, batch_size=2, verbose=0).history
    assert list(history) == ["loss", "first_loss", "zero_loss", "zero_mae"]
    whole, batched = made.predict(X), made.predict(X, batch_size=3)
    assert list(whole) == list(batched) == list(made.predict_on_batch(X)) == ["first", "zero"]
    for key, shape in (("first", (4, 2)), ("zero", (4, 1))):
        assert whole[key].shape == shape
        np.testing.assert_allclose(batched[key], whole[key], rtol=1e-5)
    in_order = made.predict([X["left"], X["right"]])  # a list is in the order of the keys
    np.testing.assert_allclose(in_order["zero"], whole["zero"], rtol=1e-6)
    loss, first, zero, _ = made.evaluate(X, Y, verbose=0)
    assert loss == pytest.approx(0.5 * first + zero, rel=1e-5)


@pytest.mark.engine_neutral
def test_losses_by_the_names_of_layers_count_for_the_keys(backend):
    by_layers, by_keys = model(), model()
    by_keys.set_weights(by_layers.get_weights())
    by_layers.compile("sgd", {"o": "mse", "p": "mae"}, metrics={"o": ["mae"]}, loss_weights={"p": 0.5})
    by_keys.compile("sgd", {"zero": "mse", "first": "mae"}, metrics={"zero": ["mae"]}, loss_weights={"first": 0.5})
    histories = [made.fit(X, Y, verbose=0).history for made in (by_layers, by_keys)]
    assert list(histories[0]) == ["loss", "first_loss", "zero_loss", "zero_mae"]
    for key, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][key], rtol=1e-6)
    with pytest.raises(ArgumentError, match="'nobody'"):
        by_keys.compile("sgd", {"zero": "mse", "nobody": "mae"})


@pytest.mark.of_the_host
@pytest.mark.parametrize("how", ["m.h5", "m.keras", "json", "clone", "deepcopy"])
def test_a_copy_keeps_the_keys(backend, tmp_path, how):
    made = model()
    if how == "json":
        again = models.model_from_json(made.to_json())
    elif how == "clone":
        again = models.clone_model(made)
    elif how == "deepcopy":
        again = copy.deepcopy(made)
    else:
        made.save(tmp_path / how)
        again = models.load_model(tmp_path / how)
    again.set_weights(made.get_weights())
    want, got = made.predict(X), again.predict(X)
    assert list(got) == list(want)
    for key in want:
        np.testing.assert_array_equal(got[key], want[key])


@pytest.mark.of_the_host
def test_a_missing_key_is_named(backend):
    with pytest.raises(ArgumentError, match="right"):
        model().predict({"left": X["left"], "wrong": X["right"]})


class Pair(models.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs):
        y = self.dense(inputs["left"])
        return {"twice": 2 * y, "once": y}


def test_a_subclass_that_returns_a_dict(backend):
    made = Pair()
    made.compile("sgd", {"once": "mse", "twice": "mse"})
    history = made.fit(X, {"twice": np.zeros((4, 2)), "once": np.zeros((4, 2))}, verbose=0).history
    assert set(history) == {"loss", "once_loss", "twice_loss"}
    for size in (2, 8):
        found = made.predict(X, batch_size=size)
        np.testing.assert_allclose(found["twice"], 2 * found["once"], rtol=1e-6)
