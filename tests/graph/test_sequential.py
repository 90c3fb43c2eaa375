"""Stacks of layers: adding, popping, waiting for a shape, and their configs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.models import Model, Sequential, clone_model, model_from_config, model_from_json


@pytest.fixture(autouse=True)
def fresh_names():
    K.reset_uids()


def test_layers_are_added_and_taken_off():
    model = Sequential()
    model.add(L.Dense(3, input_dim=4))
    model.add(L.Dense(2))
    assert model.output_shape == (None, 2)
    model.pop()
    assert model.output_shape == (None, 3)
    assert [layer.name for layer in model.layers] == ["dense_1"]
    model.add(L.Dense(5))
    assert model.output_shape == (None, 5)
    assert len(model.weights) == 4
    model.pop()
    model.pop()
    assert not model.built
    with pytest.raises(RuntimeError, match="no layers in the model"):
        model.pop()


def test_what_is_no_layer_is_refused():
    with pytest.raises(TypeError, match="must be an instance of class Layer"):
        Sequential([L.Dense])
    with pytest.raises(ValueError, match=r'should have unique names\. Name "twin" is already'):
        Sequential([L.Dense(1, name="twin"), L.Dense(1, name="twin")])
    with pytest.raises(TypeError, match="single output tensor"):
        Sequential([L.LSTM(2, return_state=True, input_shape=(3, 2))])


def test_a_stack_without_a_shape_waits_for_its_first_input(backend):
    model = Sequential([L.Dense(3), L.BatchNormalization(), L.Dense(2)])
    assert not model.built
    assert model.weights == []
    assert K.to_numpy(model(np.ones((2, 4), "float32"))).shape == (2, 2)
    assert model.input_shape == (None, 4)
    assert len(model.layers) == 3
    assert [w.name for w in model.weights][:3] == [
        "dense_1/kernel:0",
        "dense_1/bias:0",
        "batch_normalization_1/gamma:0",
    ]


def test_build_gives_the_shape():
    model = Sequential([L.Conv2D(2, 3), L.Flatten(), L.Dense(1)])
    model.build((None, 5, 5, 1))
    assert model.output_shape == (None, 1)
    assert model.count_params() == 20 + 19
    again = Sequential.from_config(json.loads(json.dumps(model.get_config())))
    assert again.count_params() == 39


@pytest.mark.parametrize(
    "first",
    [
        lambda: [L.Dense(3, input_shape=(4,))],
        lambda: [L.Dense(3, batch_input_shape=(7, 4))],
        lambda: [L.Input((4,)), L.Dense(3)],
        lambda: [L.InputLayer((4,)), L.Dense(3)],
        lambda: [Sequential([L.Dense(3, input_shape=(4,))])],
        lambda: [Sequential([L.Dense(3)]), L.Dense(2)],
        lambda: [L.Dense(3)],
    ],
)
def test_configs_of_every_beginning_go_round(first):
    model = Sequential(first(), name="stack")
    again = model_from_config(json.loads(json.dumps({"class_name": "Sequential", "config": model.get_config()})))
    assert again.get_config() == model.get_config()
    assert again.built == model.built
    if model.built:
        assert again.input_shape == model.input_shape


def test_the_list_that_keras_wrote_before_2_2_3_is_read():
    model = Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
    again = Sequential.from_config(model.get_config()["layers"])
    assert again.output_shape == (None, 2)
    with pytest.raises(ValueError, match="expects a dictionary, not a list"):
        model_from_config(model.get_config()["layers"])


def test_json_and_clone():
    model = Sequential([L.Embedding(9, 3, input_length=4), L.Flatten(), L.Dense(2, kernel_constraint="max_norm")])
    again = model_from_json(model.to_json())
    assert again.to_json() == model.to_json()
    clone = clone_model(model)
    assert clone.to_json() == model.to_json()
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])


def test_stacks_nest_and_serve_as_layers(backend):
    block = Sequential([L.Dense(4, activation="relu"), L.Dropout(0.5)], name="block")
    x = L.Input((3,))
    model = Model(x, L.Dense(1)(block(x)))
    assert model.weights[0].name == "dense_1/kernel:0"
    assert K.to_numpy(model(np.ones((2, 3), "float32"))).shape == (2, 1)
    noisy = K.to_numpy(model(np.ones((50, 3), "float32"), training=True))
    assert noisy.std() > 0 or np.allclose(model.get_weights()[0], 0)


def test_the_layer_of_another_model_keeps_its_weights():
    source = Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
    head = Sequential(source.layers[:1])
    x = np.ones((2, 4), "float32")
    want = x @ source.get_weights()[0]
    np.testing.assert_allclose(K.to_numpy(head(x)), want, rtol=1e-6)


def test_adding_many_layers_costs_no_more_than_each_of_them():
    model = Sequential([L.Dense(2, input_shape=(2,))])
    for _ in range(400):
        model.add(L.Activation("linear"))
    assert len(model.layers) == 401
    assert model.output_shape == (None, 2)
