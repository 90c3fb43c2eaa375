"""A function that is compiled anew again and again says which shape changes, once."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import keras_front.backend.recompiling as recompiling
from keras_front import backend as K
from keras_front.errors import HintWarning
from keras_front.layers import Dense, GlobalAveragePooling1D, Input
from keras_front.models import Sequential

pytestmark = pytest.mark.engine_neutral


def hints(run):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [str(item.message) for item in caught if item.category is HintWarning]


def test_a_step_that_meets_ever_new_lengths(backend):
    model = Sequential([Input((None, 2), name="words"), GlobalAveragePooling1D(), Dense(1)])
    model.compile("sgd", "mse")

    def train(lengths):
        for length in lengths:
            model.train_on_batch(np.ones((2, length, 2), "float32"), np.ones((2, 1), "float32"))

    assert hints(lambda: train(range(1, recompiling.MANY))) == []
    (text,) = hints(lambda: train(range(recompiling.MANY, recompiling.MANY + 3)))
    assert text.startswith("'train' was compiled 8 times, for 'words' with 1, 2, 3, 4, ... along axis 1.")
    assert "pad_sequences" in text


def test_batches_of_ever_new_sizes(backend):
    double = K.compile(lambda x: x * 2.0)
    (text,) = hints(lambda: [double(np.ones((n, 3), "float32")) for n in range(1, 12)])
    assert "for argument 0 with 1, 2, 3, 4, ... along axis 0." in text
    assert "batches of one size" in text


def test_few_shapes_and_several_causes_are_no_reason(backend):
    double = K.compile(lambda x: x * 2.0)
    assert hints(lambda: [double(np.ones((n % 4 + 1, 3), "float32")) for n in range(20)]) == []


def test_what_changed():
    keys = [("engine", "settings", (((n, 4), "float32"), ((n, 1), "int32"))) for n in range(3)]
    first, second = recompiling.changes([key[2:] for key in keys])
    assert (first.array, first.axis, first.found) == (0, 0, (0, 1, 2))
    assert second.array == 1
    (change,) = recompiling.changes([(((2,), "int32"),), (((2,), "float32"),)])
    assert (change.axis, change.found) == (None, ("int32", "float32"))
    (change,) = recompiling.changes([(((2,), "int32"),), (((2, 3), "int32"),)])
    assert change.found == ((2,), (2, 3))
    assert [*recompiling.changes([(None, ()), (None, ())])] == []
