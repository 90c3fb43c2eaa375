"""Activations, regularizers, constraints and AUC against the values that `record_keras3_functions.py` recorded."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import record_keras3_functions as record

from keras_front import activations, constraints, metrics, regularizers
from keras_front import backend as K
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.testing import selection

RECORDED = dict(np.load(record.FILE))
HERE = SimpleNamespace(
    activations=activations, constraints=constraints, metrics=metrics, regularizers=regularizers, asarray=K.convert
)


def test_values(backend):
    found = record.answers(HERE, lambda lines: selection.some(lines, 4))
    assert set(found) == set(RECORDED) or selection.reduced()
    for name, value in found.items():
        np.testing.assert_allclose(K.to_numpy(value), RECORDED[name], rtol=2e-5, atol=2e-6, err_msg=name)


def test_gradients(backend):
    """In one direction for each activation, against differences in float64; one program for all of them."""
    lines = [*record.ACTIVATIONS, "sparsemax(x)"]
    rng = np.random.default_rng(1)
    x = rng.permutation(np.linspace(-5.93, 5.87, 30)).reshape(5, 6)
    direction, step = rng.normal(size=x.shape), 1e-6

    def total(line, values):
        y = eval(line, {**vars(activations), "x": values})
        return K.sum(K.sin(y * 1.3)), []

    def gradients(values):
        return [K.value_and_grad(lambda p, line=line: total(line, p[0]), [values])[1][0] for line in lines]

    for line, gradient in zip(lines, K.compile(gradients)(K.convert(x, "float32")), strict=True):
        above, below = (total_of(line, x + s * step * direction) for s in (1, -1))
        want = (above - below) / (2 * step)
        np.testing.assert_allclose((K.to_numpy(gradient) * direction).sum(), want, rtol=2e-3, atol=2e-3, err_msg=line)


def total_of(line, x):
    from keras_front import use_backend

    with use_backend("numpy"):
        y = eval(line, {**vars(activations), "x": K.convert(x, "float64")})
        return K.to_numpy(K.sum(K.sin(y * 1.3)))


def test_areas_of_labels_while_training(backend):
    def model(**settings):
        made = Sequential([Dense(3, activation="sigmoid", input_shape=(4,))])
        made.compile("sgd", "binary_crossentropy", metrics=[metrics.AUC(20, multi_label=True, name="area", **settings)])
        return made

    x = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
    trained = model(num_labels=3)
    trained.fit(x, record.TRUE[:12], epochs=2, batch_size=5, verbose=0)
    area = metrics.AUC(20, multi_label=True, label_weights=[1, 1, 1])
    area.update_state(record.TRUE[:12], trained.predict(x))
    np.testing.assert_allclose(
        trained.evaluate(x, record.TRUE[:12], verbose=0)[1], K.to_numpy(area.result()), rtol=1e-5
    )
    with pytest.raises(ValueError, match="Pass num_labels=3"):
        model().fit(x, record.TRUE[:12], verbose=0)
    assert metrics.AUC.from_config(area.get_config()).get_config() == area.get_config()


def projected(x, axis):
    """The nearest point of the simplex, by bisection for the amount that is taken off."""
    low, high = (f(x, axis=axis, keepdims=True) for f in (np.min, np.max))
    low = low - 1
    for _ in range(60):
        middle = (low + high) / 2
        over = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.maximum(x - high, 0)


def test_sparsemax_projects_each_row_by_itself(backend):
    x = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")
    for axis in (-1, 1, 0):
        y = K.to_numpy(activations.sparsemax(K.convert(x), axis=axis))
        np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-5)
        assert (y >= 0).all()
        assert (y == 0).any()
        np.testing.assert_allclose(y, projected(x.astype("float64"), axis), atol=1e-6)
    alone = np.stack([K.to_numpy(activations.sparsemax(K.convert(row[None])))[0] for row in x.reshape(-1, 5)])
    np.testing.assert_allclose(K.to_numpy(activations.sparsemax(K.convert(x.reshape(-1, 5)))), alone, rtol=1e-5)


def test_the_regularizer_of_keras1_finds_the_largest_singular_value(backend):
    matrix = np.diag([3.0, 1.0, 0.5]).astype("float32") + 0.1
    got = K.to_numpy(regularizers.get({"class_name": "EigenvalueRegularizer", "config": {"k": 0.5}})(K.convert(matrix)))
    np.testing.assert_allclose(got, 0.5 * np.linalg.svd(matrix)[1][0], rtol=1e-4)
    with pytest.raises(ValueError, match="expected a matrix"):
        regularizers.EigenvalueRegularizer(1.0)(np.ones((2, 2, 2)))
