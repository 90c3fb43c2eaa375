"""Adapters whose programs serve batches of any size, and those that leave a program to another adapter."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import codegen, discovery
from keras_front.layers import BatchNormalization, Dense
from keras_front.models import Sequential
from keras_front_numpy.backend import NumpyBackend


class AnyBatch(NumpyBackend):
    """NumPy, with one program for all sizes of a batch; steps that train go to NumPy as it is."""

    name, any_batch = "any_batch", True

    def __init__(self, refuses=()):
        super().__init__()
        self.host, self.refuses, self.programs = NumpyBackend(), refuses, []

    def adapter_for(self, donate, refused):
        return self.host if refused or 0 in donate else self

    def compile_program(self, program):
        self.programs.append(program)
        known = all(None not in t.shape for t in K.symbolic.leaves_of(program.args))
        return None if known in self.refuses else codegen.function_of(program)


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setattr(discovery, "_instances", dict(discovery._instances))

    def use(**settings):
        return discovery.use_backend(AnyBatch(**settings))

    return use


def model():
    made = Sequential([Dense(4, activation="relu", input_shape=(3,)), BatchNormalization(), Dense(2)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


X = np.random.default_rng(0).normal(size=(9, 3)).astype("float32")
Y = X[:, :2]


def test_one_program_predicts_and_one_evaluates_batches_of_every_size(engine):
    with engine() as active:
        net = model()
        found = {rows: (net.predict(X[:rows]), net.evaluate(X[:rows], Y[:rows], verbose=0)) for rows in (9, 1, 5)}
        assert [p.args[2][0].shape for p in active.programs[:1]] == [(None, 3)]
        assert sum(p.donate == (1,) for p in active.programs) == 2
        assert {p.constant for p in active.programs if p.donate == (1,)} == {(0,)}
        net.fit(X, Y, epochs=1, verbose=0)
        assert not any(p.donate == (0,) for p in active.programs)
    with discovery.use_backend("numpy"):
        untrained = model()
        untrained.set_weights(net.get_weights())
    for rows, (outputs, _) in found.items():
        np.testing.assert_allclose(outputs, found[9][0][:rows], atol=1e-6)
    assert untrained.predict(X).shape == (9, 2)


def test_a_function_has_one_program_for_the_placeholders_of_any_batch(engine):
    with engine() as active:
        x, w = K.placeholder((None, 3)), K.placeholder((3,))
        f = K.function([x, w], [K.sum(x * w, axis=-1), K.mean(x)])
        for rows in (1, 4, 9):
            total, mean = f([X[:rows], np.ones(3)])
            np.testing.assert_allclose(total, X[:rows].sum(-1), atol=1e-6)
            np.testing.assert_allclose(mean, X[:rows].mean(), atol=1e-6)
        assert [[a.shape for a in p.args] for p in active.programs] == [[(None, 3), (3,)]]


@pytest.mark.parametrize(("refuses", "tried"), [((False,), 3), ((False, True), 3)])
def test_what_an_engine_refuses_is_tried_with_the_size_and_then_left_to_the_other(engine, refuses, tried):
    with engine(refuses=refuses) as active:
        f = K.compile(lambda x: K.exp(x) + 1, batched=(0,))
        for rows in (2, 5, 2, 5):
            np.testing.assert_allclose(f(X[:rows]), np.exp(X[:rows]) + 1, rtol=1e-6)
        assert len(active.programs) == tried


def test_code_that_needs_the_size_of_the_batch_gets_it(engine):
    with engine() as active:
        f = K.compile(lambda x: x * float(K.int_shape(x)[0]), batched=(0,))
        for rows in (2, 5):
            np.testing.assert_allclose(f(X[:rows]), X[:rows] * rows)
        assert [p.args[0].shape for p in active.programs] == [(2, 3), (5, 3)]
