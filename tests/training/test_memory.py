"""Models that nobody refers to any more are freed, and the engine keeps nothing of them."""

from __future__ import annotations

import gc
import weakref

import numpy as np

from keras_front import backend as K
from keras_front import layers as L
from keras_front.models import Sequential


def test_a_model_that_nobody_has_is_freed_with_all_that_it_has_compiled(backend):
    entries = engine_table(backend)
    before = len(entries)
    model = Sequential([L.Dense(3, activation="relu", input_shape=(2,)), L.BatchNormalization(), L.Dense(1)])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
    kept = [weakref.ref(model), weakref.ref(model.optimizer), *map(weakref.ref, model.weights)]
    del model
    K.clear_session()
    assert [ref() for ref in kept if ref() is not None] == []
    gc.collect()
    assert len(entries) == before


def engine_table(backend):
    """What the engine keeps for functions with a gradient of their own; an empty table where it keeps nothing."""
    if backend.name != "tensorflow":
        return ()
    from tensorflow.python.framework import ops

    return ops.gradient_registry._registry
