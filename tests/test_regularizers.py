"""Regularizers: against real Keras, against formulas, by name."""

import interop
import numpy as np
import pytest

import keras_front as keras
from keras_front import backend as K
from keras_front import regularizers
from keras_front.errors import ArgumentError, ShapeError

X = np.random.default_rng(0).normal(size=(4, 5))


@pytest.mark.parametrize("entry", interop.cases("regularizer"))
def test_as_real_keras(backend, entry):
    got = K.to_numpy(interop.evaluate(entry, keras))
    np.testing.assert_allclose(got, interop.expected(entry), rtol=1e-5, atol=1e-7)


def test_as_the_formula(backend):
    value = lambda regularizer: float(K.to_numpy(regularizer(K.constant(X))))
    assert value(regularizers.l1(0.5)) == pytest.approx(0.5 * abs(X).sum(), rel=1e-5)
    assert value(regularizers.l2(l2=0.5)) == pytest.approx(0.5 * (X**2).sum(), rel=1e-5)
    assert value(regularizers.get("l1_l2")) == pytest.approx(0.01 * (abs(X) + X**2).sum(), rel=1e-5)
    assert value(regularizers.L1L2()) == 0
    rows = X / np.linalg.norm(X, axis=1, keepdims=True)
    cosines = abs(rows @ rows.T)[np.triu_indices(4, 1)]
    assert value(regularizers.OrthogonalRegularizer(0.1)) == pytest.approx(0.1 * cosines.mean(), rel=1e-4)


def test_names_and_configs():
    assert regularizers.get(None) is None
    assert regularizers.get("l2").l2 == 0.01
    assert regularizers.serialize(regularizers.l1(l=0.3)) == {"class_name": "L1L2", "config": {"l1": 0.3, "l2": 0.0}}
    assert regularizers.deserialize({"class_name": "L2", "config": {"l2": 0.25}}).l2 == 0.25
    assert regularizers.L2(0.5).get_config() == {"l2": 0.5}
    with pytest.raises(ArgumentError, match="expected a finite factor"):
        regularizers.l2(float("nan"))
    with pytest.raises(ArgumentError, match="'rows' or 'columns'"):
        regularizers.OrthogonalRegularizer(mode="all")
    with pytest.raises(ShapeError, match="expected a matrix"):
        regularizers.OrthogonalRegularizer()(np.zeros((2, 2, 2)))
