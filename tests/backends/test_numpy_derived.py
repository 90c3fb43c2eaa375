"""A class derived from NumPy's adapter with ops of its own is asked for them everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front.backend.adapter import Backend
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front_numpy.backend import NumpyBackend


class Doubling(NumpyBackend):
    """Products of matrices are twice what they should be."""

    name = "doubling"

    def matmul(self, a, b):
        return 2 * np.matmul(a, b)


class Even(Doubling):
    """And softmax gives every class the same."""

    name = "even"

    def softmax(self, x, *, axis):
        return np.full_like(x, 1 / x.shape[axis])


class Compiling(NumpyBackend):
    """Brings its own compiler, which is kept."""

    name = "compiling"

    def matmul(self, a, b):
        return np.matmul(a, b)

    def compile_program(self, program):
        return super().compile_program(program)


class Renamed(NumpyBackend):
    """Has no op of its own, and is as fast as NumPy's."""

    name = "renamed"


@pytest.fixture(autouse=True)
def _own_instances(monkeypatch):
    monkeypatch.setattr(discovery, "_instances", dict(discovery._instances))


@pytest.mark.parametrize("engine", [Doubling, Even])
def test_an_own_primitive_counts_eagerly_in_functions_and_in_models(engine):
    x = np.array([[1.0, 2.0]], "float32")
    with discovery.use_backend(engine()):
        kernel = K.constant([[3.0], [4.0]])
        np.testing.assert_array_equal(K.eval(K.dot(K.constant(x), kernel)), [[22.0]])
        symbol = K.placeholder((None, 2))
        np.testing.assert_array_equal(K.function([symbol], [K.dot(symbol, kernel)])([x])[0], [[22.0]])
        model = Sequential([Dense(1, use_bias=False, input_dim=2, weights=[np.array([[3.0], [4.0]])])])
        model.compile("sgd", "mse")
        np.testing.assert_array_equal(model.predict(x, verbose=0), [[22.0]])
        assert model.train_on_batch(x, [[21.0]]) == 1.0
        # The gradient of (2 xW - y)^2 as the rule for matmul has it: 2 (2 xW - y) times x' by the doubled product.
        np.testing.assert_allclose(model.get_weights()[0], [[3.0 - 0.01 * 4], [4.0 - 0.01 * 8]], rtol=1e-6)


def test_an_own_composite_counts_eagerly_and_in_models():
    x = np.array([[1.0, 5.0]], "float32")
    with discovery.use_backend(Even()):
        np.testing.assert_array_equal(K.eval(K.softmax(K.constant(x))), [[0.5, 0.5]])
        model = Sequential([Dense(4, activation="softmax", input_dim=2)])
        np.testing.assert_array_equal(model.predict(x, verbose=0), np.full((1, 4), 0.25))


def test_what_a_class_brings_itself_is_kept():
    assert Compiling.compile_program is not Backend.compile_program
    assert Renamed.compile_program is NumpyBackend.compile_program
    assert Renamed.dot is NumpyBackend.dot
    assert Even.matmul is Doubling.matmul
