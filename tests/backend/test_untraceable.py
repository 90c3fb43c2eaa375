"""Functions that cannot be traced: run on real tensors for the user's code, once with a warning, and an error else."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import untraceable
from keras_front.layers import Dense, Lambda
from keras_front.models import Sequential

ENGINES = pytest.mark.backends("torch", "jax", "tensorflow")


@pytest.fixture(autouse=True)
def nothing_told_yet(monkeypatch):
    monkeypatch.setattr(untraceable, "_warned", set())


def engines_relu(backend):
    """A function of the engine itself, which takes its own tensors only."""
    if backend.name == "torch":
        import torch

        return lambda x: torch.clamp(x, min=0.0)
    if backend.name == "jax":
        import jax

        return lambda x: jax.nn.relu(x)
    import tensorflow

    return lambda x: tensorflow.nn.relu(x)


def line_of(function):
    return function.__code__.co_firstlineno


@ENGINES
def test_code_of_the_engine_trains_and_warns_once(backend):
    relu = engines_relu(backend)
    model = Sequential([Dense(3, input_shape=(2,)), Lambda(relu), Dense(1)])
    plain = Sequential([Dense(3, input_shape=(2,), activation="relu"), Dense(1)])
    plain.set_weights(model.get_weights())
    x, y = np.random.RandomState(0).randn(8, 2), np.ones((8, 1))

    def train():
        for m in (model, plain):
            m.compile("sgd", "mse")
            m.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False)
            m.train_on_batch(x, y)

    with pytest.warns(RuntimeWarning, match="cannot be traced") as told:
        train()
    ours = [w for w in told if "cannot be traced" in str(w.message)]
    assert len(ours) == 1
    assert ours[0].filename == __file__
    assert ours[0].lineno == line_of(relu)
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.backends("torch")  # a compiler of the engine has no values either
def test_a_branch_on_a_value_is_named_with_its_line(backend):
    def clipped(x):
        return x * 0.5 if K.sum(x) > 3 else x

    fn = K.compile(clipped)
    with pytest.warns(RuntimeWarning, match="'clipped'") as told:
        results = [K.to_numpy(fn(np.full(n, value, "float32"))) for n, value in ((4, 1.0), (5, 0.1))]
    np.testing.assert_allclose(results[0], np.full(4, 0.5))
    np.testing.assert_allclose(results[1], np.full(5, 0.1))
    assert [w.lineno for w in told] == [line_of(clipped) + 1]


def test_an_error_of_the_users_own_is_raised_as_it_is(backend):
    def broken(y_true, y_pred):
        return undefined_name * y_pred  # noqa: F821

    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", broken)
    with pytest.raises(NameError, match="undefined_name") as error:
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert not untraceable._warned
    assert error.value.__cause__ is None


def test_an_error_of_the_library_does_not_fall_back(backend, monkeypatch):
    """What fails in a trace inside of our own code is a fault of ours: not a reason to run slower without a word."""

    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    scope = {"__name__": "keras_front.somewhere"}
    exec("def fails(self, *args, **kwargs):\n    raise KeyError('ours')", scope)
    monkeypatch.setattr(type(model.optimizer), "apply", scope["fails"])
    with pytest.raises(KeyError, match="ours"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def test_whose_fault_it_is():
    def caught(function):
        try:
            function()
        except Exception as error:
            return error

    scope = {"__name__": "keras_front.somewhere"}
    exec("def fails(): raise ValueError('ours')", scope)
    assert not untraceable.by_user_code(caught(scope["fails"]))
    assert untraceable.by_user_code(caught(lambda: 1 / 0))
    assert untraceable.by_user_code(caught(lambda: float(K.placeholder((2,)))))
    assert not untraceable.by_user_code(caught(lambda: K.reshape(K.placeholder((2, 3)), (4,))))


def test_a_fault_of_the_users_code_is_told_and_not_what_came_of_trying_again(backend):
    """The first error is the user's own; on real tensors the same code would fail in another place."""

    def loss(y_true, y_pred):
        if K.is_symbolic(y_pred):
            raise ValueError("a fault of my own")
        raise RuntimeError("what came of trying again")

    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match="a fault of my own"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
