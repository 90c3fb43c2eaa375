"""Sample and class weights become one array for each output."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front.errors import ArgumentError, ShapeError
from keras_front.training.data import arrays as W

ONE, TWO = ["out"], ["p", "q"]
Y = np.array([[0], [1], [1], [2]], "float32")
ONE_HOT = np.eye(3, dtype="float32")[[0, 1, 1, 2]]


def test_no_weights_cost_nothing():
    assert W.sample_weights([Y, Y], None, None, TWO, [None, None]) == [None, None]


@pytest.mark.parametrize("y", [Y, Y[:, 0], ONE_HOT])
def test_class_weights_from_numbers_and_one_hot(y):
    (got,) = W.sample_weights([y], None, {0: 1.0, 1: 0.5, 2: 2.0}, ONE, [None])
    assert got.tolist() == [1.0, 0.5, 0.5, 2.0]
    assert got.dtype == "float32"


def test_class_and_sample_weights_multiply():
    (got,) = W.sample_weights([Y], [1, 2, 3, 4], {0: 1.0, 1: 0.5, 2: 2.0}, ONE, [None])
    assert got.tolist() == [1.0, 1.0, 1.5, 8.0]


def test_weights_by_output_names():
    got = W.sample_weights([Y, Y], {"q": np.ones(4)}, {"p": {0: 1, 1: 2, 2: 3}}, TWO, [None, None])
    assert got[0].tolist() == [1, 2, 2, 3]
    assert got[1].tolist() == [1, 1, 1, 1]


def test_temporal_weights():
    y = np.zeros((4, 5, 2))
    (got,) = W.sample_weights([y], np.ones((4, 5)), None, ONE, W.weight_modes("temporal", ONE))
    assert got.shape == (4, 5)


def test_modes():
    assert W.weight_modes(None, TWO) == [None, None]
    assert W.weight_modes({"q": "temporal"}, TWO) == [None, "temporal"]
    assert W.weight_modes(["temporal", None], TWO) == ["temporal", None]
    with pytest.raises(ArgumentError, match="expected 'temporal' or None, received 'each'"):
        W.weight_modes("each", TWO)


@pytest.mark.parametrize(
    ("y", "sample", "classes", "mode", "message"),
    [
        (Y, None, {0: 1, 1: 1}, None, r"there is none for \[2\.0\]. The dict has \[0, 1\]"),
        (Y, None, [1, 2, 3], None, "class_weight: expected 1 elements|expected a dict from class number"),
        (np.zeros((4, 5, 2)), None, {0: 1}, None, r"targets of shape \(n, classes\) or \(n, 1\)"),
        (Y, np.ones((4, 5)), None, None, 'compile with sample_weight_mode="temporal"'),
        (Y, np.ones(3), None, None, r"expected the shape \(4,\) of its targets, received \(3,\)"),
        (Y, np.ones((4, 5)), None, "temporal", "temporal weights need targets of at least 3 axes"),
        (np.zeros((4, 5, 2)), np.ones(4), None, "temporal", r"expected the shape \(4, 5\) \(n, steps\)"),
    ],
)
def test_what_does_not_fit_is_named(y, sample, classes, mode, message):
    with pytest.raises((ShapeError, ArgumentError), match=message):
        W.sample_weights([y], sample, classes, ONE, [mode])


def test_unknown_output_names():
    with pytest.raises(ArgumentError, match=r"expected the output names \['p', 'q'\] as keys, received also \['r'\]"):
        W.sample_weights([Y, Y], {"r": np.ones(4)}, None, TWO, [None, None])
    with pytest.raises(ArgumentError, match="the model has 2 outputs"):
        W.sample_weights([Y, Y], np.ones(4), None, TWO, [None, None])
