"""What a call was given belongs to the caller: lists, dicts and arrays may change afterwards, the graph does not."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.models import Model, Sequential


class Weighted(L.Layer):
    """A sum of tensors from a dict, and of a list of tensors given by keyword, with numbers beside them."""

    def call(self, inputs, others=None, factors=None):
        total = inputs["first"] * 1.0
        for tensor, factor in zip(others["list"], factors, strict=True):
            total = total + tensor * factor
        return total


def test_a_list_that_grows_after_each_call_makes_a_dense_block(backend):
    x = L.Input((3,))
    parts = [x]
    for _ in range(3):
        joined = L.concatenate(parts) if len(parts) > 1 else x
        parts.append(L.Dense(2, kernel_initializer="ones")(joined))
    model = Model(x, L.Concatenate()(parts))
    assert model.output_shape == (None, 9)
    value = np.random.RandomState(0).rand(4, 3).astype("float32")
    expected = [value]
    for _ in range(3):
        expected.append(np.concatenate(expected, -1).sum(-1, keepdims=True) * np.ones((1, 2)))
    np.testing.assert_allclose(model.predict(value), np.concatenate(expected, -1), rtol=1e-5)


def test_the_same_list_named_by_the_result(backend):
    x = L.Input((2,))
    tensors, y = [x], x
    for _ in range(3):
        tensors.append(y)
        y = L.Add()(tensors)
    value = np.array([[1.0, 2.0]], "float32")
    np.testing.assert_allclose(Model(x, y).predict(value), value * 8)  # 1, 1+1, 1+1+2, 1+1+2+4


def test_dicts_nested_lists_keywords_and_arrays_are_copied(backend):
    a, b = L.Input((2,)), L.Input((2,))
    first, others, factors = {"first": a}, {"list": [b]}, np.array([3.0], "float32")
    model = Model([a, b], Weighted()(first, others=others, factors=factors))
    first["first"] = b
    others["list"].append(a)
    others["more"] = a
    factors[0] = 100.0
    x, y = np.ones((1, 2), "float32"), np.full((1, 2), 2.0, "float32")
    np.testing.assert_allclose(model.predict([x, y]), [[7.0, 7.0]])
    node = model.layers[-1].inbound_nodes[0]
    assert node.arguments["others"] == {"list": [b]}
    assert node.arguments["factors"][0] == 3.0


def test_the_lists_of_a_model_are_its_own(backend):
    a, b = L.Input((2,)), L.Input((2,))
    inputs, outputs = [a, b], [L.Add()([a, b]), L.Subtract()([a, b])]
    model = Model(inputs, outputs)
    inputs.pop(), outputs.append(a)
    x, y = np.ones((1, 2), "float32"), np.full((1, 2), 2.0, "float32")
    total, difference = model.predict([x, y])
    np.testing.assert_allclose(total, [[3.0, 3.0]])
    np.testing.assert_allclose(difference, [[-1.0, -1.0]])


def test_popping_the_list_of_layers_shows_in_the_model(backend):
    """Feature extraction as in the first scripts: Keras 2.3.1, `keras/engine/network.py`, `layers` is the list."""
    x = L.Input((3,))
    h = L.Dense(5, name="features")(x)
    model = Model(x, L.Dense(2, name="classes")(h))
    popped = model.layers.pop()
    assert popped.name == "classes"
    assert model.layers[-1].name == "features"
    assert model.count_params() == 3 * 5 + 5
    with pytest.raises(ValueError, match="No such layer: classes"):
        model.get_layer("classes")
    features = Model(model.input, model.layers[-1].output)
    value = np.ones((2, 3), "float32")
    weights, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(features.predict(value), value @ weights + bias, rtol=1e-5)
    assert model.predict(value).shape == (2, 2)  # the outputs stay


def test_a_stack_gives_its_list_until_the_input_is_known(backend):
    """Keras 2.3.1, `keras/engine/sequential.py`, `layers`."""
    model = Sequential([L.Dense(4), L.Dense(3)])
    model.layers.pop()
    model.build((None, 2))
    assert model.output_shape == (None, 4)
    model.layers.pop()  # a copy
    assert len(model.layers) == 1
    model.add(L.Dense(3))
    model.pop()
    assert model.output_shape == (None, 4)
    assert K.int_shape(model.output) == (None, 4)
