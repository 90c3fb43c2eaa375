"""Layers and weights that are frozen by patterns of their paths."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front.errors import ArgumentError, StateError
from keras_front.layers import Dense, Input
from keras_front.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def nested():
    """Two blocks of two layers, each a model of its own, and a layer on top."""
    blocks = [Sequential([Dense(3, input_dim=3, name="a"), Dense(3, name="b")], name=f"block{i}") for i in (1, 2)]
    x = Input((3,))
    return Model(x, Dense(1, name="top")(blocks[1](blocks[0](x))))


def changed(model):
    """The indices of the weights that a few steps change."""
    before = model.get_weights()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    return [i for i, (a, b) in enumerate(zip(before, model.get_weights(), strict=True)) if not np.array_equal(a, b)]


@pytest.mark.engine_neutral
def test_frozen_layers_stay(backend):
    model = nested()
    assert model.freeze("block[12]/.*") == ["block1/a", "block1/b", "block2/a", "block2/b"]
    assert model.freeze("block1/a") == []  # it was frozen before
    assert changed(model) == [8, 9]
    assert model.unfreeze("block2/b") == ["block2/b"]
    assert changed(model) == [6, 7, 8, 9]


def test_what_is_opened_within_something_frozen():
    model = nested()
    model.freeze()
    assert model.trainable_weights == []
    assert model.unfreeze("block1/.*/bias") == ["block1/a/bias", "block1/b/bias"]
    assert [w.name.split("/")[-1] for w in model.trainable_weights] == ["bias:0", "bias:0"]
    assert model.unfreeze("top", "block1/a") == ["top", "block1/a"]
    assert len(model.trainable_weights) == 5
    assert len(model.weights) == len(model.trainable_weights) + len(model.non_trainable_weights) == 10
    assert model.unfreeze() != []
    assert len(model.trainable_weights) == 10


def test_weights_in_layers_that_train():
    model = nested()
    order = model.weights
    assert model.freeze(".*/kernel") == [f"{p}/kernel" for p in ("block1/a", "block1/b", "block2/a", "block2/b", "top")]
    assert all(a is b for a, b in zip(model.weights, order, strict=True))  # files keep their order
    assert changed(model) == [1, 3, 5, 7, 9]


def test_patterns_that_fit_nothing():
    model = nested()
    with pytest.raises(ArgumentError, match=r"received 'block9/.\*', which fits none.\n  The layers are .*block1/a"):
        model.freeze("top", "block9/.*")
    assert model.get_layer("top").trainable  # nothing was frozen
    with pytest.raises(ArgumentError, match="expected regular expressions, received '\\*'"):
        model.freeze("*")
    with pytest.raises(StateError, match="no layers to freeze yet"):
        Sequential().freeze("a")
