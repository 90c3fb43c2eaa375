"""Activations: against real Keras, against formulas in float64, by name."""

import interop
import numpy as np
import pytest

import keras_front as keras
from keras_front import activations
from keras_front import backend as K
from keras_front.errors import ArgumentError

X = np.linspace(-6, 6, 25)

FORMULAS = {
    "linear": lambda x: x,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + abs(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "hard_sigmoid_keras3": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "exponential": np.exp,
    "swish": lambda x: x / (1 + np.exp(-x)),
    "hard_silu": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "gelu": lambda x: x * np.array([0.5 * (1 + _erf(v / 2**0.5)) for v in x]),
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x: np.where(abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: np.select([x <= -1, x < 1], [0 * x, (x + 1) ** 2 / 4], x),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "log_softmax": lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
}


def _erf(value):
    import math

    return math.erf(value)


@pytest.mark.parametrize("entry", interop.cases("activation"))
def test_as_real_keras(backend, entry):
    got = K.to_numpy(interop.evaluate(entry, keras))
    np.testing.assert_allclose(got, interop.expected(entry), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_as_the_formula(backend, name):
    got = K.to_numpy(activations.get(name)(K.constant(X[None])))[0]  # softmax needs a batch
    np.testing.assert_allclose(got, FORMULAS[name](X), rtol=2e-5, atol=2e-6)


def test_every_activation_has_a_formula():
    elsewhere = {"glu", "sparsemax", "threshold"}  # in test_keras3_functions.py
    assert set(activations.ACTIVATIONS.names()) == set(FORMULAS) | elsewhere


def test_softmax_along_another_axis_sums_to_one(backend):
    got = K.to_numpy(activations.softmax(K.constant(np.random.randn(2, 3, 4)), axis=1))
    np.testing.assert_allclose(got.sum(1), 1, rtol=1e-6)


def test_names_and_configs():
    assert activations.get(None) is activations.linear
    assert activations.get("silu") is activations.swish
    assert activations.serialize(activations.relu) == "relu"
    assert activations.deserialize("relu") is activations.relu
    with pytest.raises(ArgumentError, match="Unknown activation function 'rleu'"):
        activations.get("rleu")
