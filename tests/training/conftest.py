"""Small models and data for the tests of training."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import layers as L
from keras_front.models import Model, Sequential


@pytest.fixture
def data():
    """40 samples of 6 numbers and whether the first three outweigh the others."""
    rng = np.random.RandomState(0)
    x = rng.randn(40, 6).astype("float32")
    return x, (x[:, :3].sum(1) > x[:, 3:].sum(1)).astype("float32")[:, None]


@pytest.fixture
def make_model():
    def make(optimizer="sgd", loss="binary_crossentropy", metrics=("accuracy",), **arguments):
        model = Sequential(
            [L.Dense(5, activation="tanh", input_shape=(6,)), L.Dense(1, activation="sigmoid", name="out")]
        )
        model.compile(optimizer, loss, metrics=list(metrics), **arguments)
        return model

    return make


@pytest.fixture
def two_outputs():
    """A model with the inputs a, b and the outputs p (1), q (2)."""
    a, b = L.Input((3,), name="a"), L.Input((2,), name="b")
    hidden = L.Dense(4, activation="tanh")(L.Concatenate()([a, b]))
    return Model([a, b], [L.Dense(1, name="p")(hidden), L.Dense(2, name="q")(hidden)])
