"""Inputs that have a value of their own, and clones on other inputs."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.layers import Conv2D, Dense, Input, add, subtract
from keras_front.models import Model, Sequential, clone_model

X = np.random.RandomState(0).normal(size=(8, 4)).astype("float32")
Y = np.random.RandomState(1).normal(size=(8, 2)).astype("float32")


def test_an_input_made_of_a_variable_is_not_fed(backend):
    held = K.variable(X)
    x = Input(tensor=held)
    model = Model(x, Dense(2)(x))
    model.compile("sgd", "mse")
    assert model._feed_inputs == []
    assert held not in model.weights
    losses = [model.train_on_batch(None, Y) for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]
    model.fit(y=Y, batch_size=8, epochs=2, verbose=0)
    w, b = model.get_weights()
    np.testing.assert_allclose(model.evaluate(None, Y, verbose=0), ((X @ w + b - Y) ** 2).mean(), rtol=1e-4)
    np.testing.assert_allclose(model.predict(None, steps=1), X @ w + b, rtol=1e-4, atol=1e-5)
    K.set_value(held, 2 * X)
    np.testing.assert_allclose(model.predict(None), 2 * X @ w + b, rtol=1e-4, atol=1e-5)


def test_one_input_is_fed_and_one_is_constant(backend):
    fixed, fed = Input(tensor=K.constant(X)), Input((4,), name="fed")
    model = Model([fixed, fed], Dense(2)(add([fixed, fed])))
    model.compile("sgd", "mse")
    assert model._feed_input_names == ["fed"]
    model.fit({"fed": X}, Y, batch_size=8, verbose=0)
    w, b = model.get_weights()
    np.testing.assert_allclose(model.predict(X), 2 * X @ w + b, rtol=1e-4, atol=1e-5)


def test_the_gradient_by_an_image_that_a_network_is_built_on(backend):
    """Style transfer and deep dreams: the network begins with an expression of a variable and a placeholder."""
    style = K.variable(np.ones((1, 6, 6, 3)))
    image = K.placeholder((1, 6, 6, 3))
    x = Input(tensor=K.concatenate([style, image], axis=0))
    model = Model(x, Conv2D(2, 3, use_bias=False, name="conv")(x))
    features = model.get_layer("conv").output
    loss = K.sum(K.square(features[0] - features[1]))
    run = K.function([image], [loss, K.gradients(loss, image)[0]])
    start = np.zeros((1, 6, 6, 3), "float32")
    value, slope = run([start])
    moved = run([start - 1e-3 * slope])[0]
    assert slope.shape == start.shape
    np.testing.assert_allclose(moved - value, -1e-3 * (slope**2).sum(), rtol=0.3)
    np.testing.assert_allclose(run([np.ones_like(start)])[0], 0, atol=1e-8)


def two_inputs():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    return Model([a, b], Dense(2)(subtract([a, b])))


@pytest.mark.parametrize(
    ("given", "fed"),
    [
        (lambda: [Input((4,))], 2),
        (lambda: [Input((4,)), Input((4,))], 2),
        (lambda: {"b": Input((4,))}, 2),
        (lambda: K.placeholder((None, 4)), 2),
        (lambda: [K.variable(X)], 1),
        (lambda: X, 1),
        (lambda: {"b": K.constant(X)}, 1),
        (lambda: [None, K.variable(X)], 1),
    ],
)
def test_a_clone_on_other_inputs(backend, given, fed):
    model = two_inputs()
    tensors = given()
    clone = clone_model(model, input_tensors=tensors)
    clone.set_weights(model.get_weights())
    assert len(clone.inputs) == 2
    assert len(clone._feed_inputs) == fed
    zeros = np.zeros_like(X)
    if fed == 2:
        np.testing.assert_allclose(clone.predict([X, zeros]), model.predict([X, zeros]), rtol=1e-5)
        return
    second = isinstance(tensors, dict) or (isinstance(tensors, list) and len(tensors) == 2)
    want = model.predict([zeros, X] if second else [X, zeros])
    np.testing.assert_allclose(clone.predict(zeros), want, rtol=1e-5)


def test_a_clone_of_a_stack_on_other_inputs(backend):
    model = Sequential([Dense(2, input_shape=(4,))])
    for tensor in (K.variable(X), K.placeholder((None, 4)), Input((4,))):
        clone = clone_model(model, input_tensors=tensor)
        clone.set_weights(model.get_weights())
        data = X if clone._feed_inputs else None
        np.testing.assert_allclose(clone.predict(data), model.predict(X), rtol=1e-5)


@pytest.mark.engine_neutral
def test_inputs_that_do_not_exist(backend):
    with pytest.raises(ArgumentError, match="expected 2 input tensors, received 3"):
        clone_model(two_inputs(), input_tensors=[Input((4,)) for _ in range(3)])
    with pytest.raises(ArgumentError, match=r"expected the input names \['a', 'b'\], received also \['c'\]"):
        clone_model(two_inputs(), input_tensors={"c": Input((4,))})
