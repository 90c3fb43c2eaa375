"""Constraints: against real Keras, and what they promise about norms."""

import interop
import numpy as np
import pytest

import keras_front as keras
from keras_front import backend as K
from keras_front import constraints
from keras_front.errors import ShapeError

W = np.random.default_rng(0).normal(size=(4, 5)) * 3


@pytest.mark.parametrize("entry", interop.cases("constraint"))
def test_as_real_keras(backend, entry):
    got = K.to_numpy(interop.evaluate(entry, keras))
    np.testing.assert_allclose(got, interop.expected(entry), rtol=1e-5, atol=1e-6)


def norms(w, axis=0):
    return np.sqrt((np.asarray(w, "float64") ** 2).sum(axis))


def test_norms_come_to_lie_where_promised(backend):
    apply = lambda constraint: K.to_numpy(constraint(K.constant(W)))
    assert norms(apply(constraints.MaxNorm(2.0))).max() <= 2 + 1e-5
    np.testing.assert_allclose(norms(apply(constraints.UnitNorm(axis=1)), 1), 1, rtol=1e-5)
    limited = norms(apply(constraints.MinMaxNorm(0.5, 1.5)))
    assert limited.min() >= 0.5 - 1e-5
    assert limited.max() <= 1.5 + 1e-5
    half = norms(apply(constraints.MinMaxNorm(0.5, 1.5, rate=0.5)))
    np.testing.assert_allclose(half, (norms(W) + np.clip(norms(W), 0.5, 1.5)) / 2, rtol=1e-5)
    np.testing.assert_array_equal(apply(constraints.NonNeg()), np.maximum(W, 0).astype("float32"))


def test_a_zero_weight_stays_finite(backend):
    for name in ("max_norm", "unit_norm", "min_max_norm"):
        assert np.isfinite(K.to_numpy(constraints.get(name)(K.constant(np.zeros((3, 2)))))).all()


def test_rings_of_a_radial_kernel_are_equal(backend):
    kernel = np.arange(25.0).reshape(5, 5, 1, 1)
    got = K.to_numpy(constraints.RadialConstraint()(K.constant(kernel)))[..., 0, 0]
    assert got[2, 2] == 6
    assert set(got[1:4, 1:4].ravel()) == {6.0, 12.0}
    assert set(got[0]) == set(got[:, 4]) == {18.0}
    with pytest.raises(ShapeError, match="expected a kernel"):
        constraints.RadialConstraint()(K.constant(np.zeros((3, 2, 1, 1))))


def test_names_and_configs():
    assert constraints.get(None) is None
    assert isinstance(constraints.get("maxnorm"), constraints.MaxNorm)
    config = constraints.serialize(constraints.MinMaxNorm(0.1, 0.9, axis=[0, 1]))
    assert config == {
        "class_name": "MinMaxNorm",
        "config": {"min_value": 0.1, "max_value": 0.9, "rate": 1.0, "axis": [0, 1]},
    }
    assert constraints.serialize(constraints.deserialize(config)) == config
    for name in constraints.CONSTRAINTS.names():
        assert constraints.serialize(constraints.get(name))["class_name"] == name
