"""The learning-rate finder: what it tries, what it suggests, and that nothing of it is left."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.callbacks import LearningRateFinder
from keras_front.errors import ArgumentError, StateError
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.optimizers import SGD, Adam, schedules

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def compiled(optimizer):
    model = Sequential([Dense(1, input_dim=3, use_bias=False, kernel_initializer="zeros")])
    model.compile(optimizer, "mse")
    return model


@pytest.mark.engine_neutral
def test_the_sweep_and_what_it_leaves(backend):
    model = compiled(Adam(0.3))
    model.fit(X, Y, batch_size=8, verbose=0)
    before, state = model.get_weights(), model.optimizer.get_weights()
    finder = LearningRateFinder(1e-3, 10.0, steps=9, smoothing=0.0)
    model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[finder])
    np.testing.assert_allclose(finder.rates, 10.0 ** np.linspace(-3, 1, 9)[: len(finder.rates)], rtol=1e-6)
    for a, b in zip([*before, *state], [*model.get_weights(), *model.optimizer.get_weights()], strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(K.get_value(model.optimizer.lr)) == pytest.approx(0.3)


def test_losses_are_those_of_single_batches():
    model, w = compiled(SGD(0.3)), np.zeros((3, 1))
    finder = LearningRateFinder(1e-3, 1e5, steps=50, smoothing=0.0)
    model.fit(X, Y, batch_size=8, epochs=50, shuffle=False, verbose=0, callbacks=[finder])
    for i, (rate, loss) in enumerate(zip(finder.rates, finder.losses, strict=True)):
        x, y = (a[i * 8 % 32 :][:8].astype(float) for a in (X, Y))
        assert loss == pytest.approx(((x @ w - y) ** 2).mean(), rel=1e-3, abs=1e-7)
        w = w - rate * 2 * x.T @ (x @ w - y) / 8
    assert len(finder.rates) < 50  # the loss had exploded
    assert 0.01 < finder.suggestion < 1.0


def test_wrong_sweeps():
    with pytest.raises(ArgumentError, match=r"expected 0 < start < end, received start=1.0 and end=0\.1"):
        LearningRateFinder(1, 0.1)
    with pytest.raises(StateError, match="nothing was tried yet"):
        LearningRateFinder().suggestion  # noqa: B018
    with pytest.raises(ArgumentError, match="follows a schedule"):
        compiled(SGD(schedules.ExponentialDecay(0.1, 10, 0.9))).fit(X, Y, verbose=0, callbacks=[LearningRateFinder()])
    finder = LearningRateFinder(1e-3, 1.0)
    with pytest.warns(UserWarning, match="ended after 4 of 100 batches"):
        compiled("sgd").fit(X, Y, batch_size=8, verbose=0, callbacks=[finder])


class Axes:
    """Notes what is drawn, as matplotlib's axes do."""

    def __init__(self):
        self.drawn = {}

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.drawn.update({name: (args, kwargs)})


def test_the_drawing():
    finder = LearningRateFinder(1e-3, 1.0, steps=20)
    compiled("sgd").fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[finder])
    drawn = finder.plot(Axes()).drawn
    assert drawn["plot"][0] == (finder.rates, finder.smoothed)
    assert drawn["axvline"][0] == (finder.suggestion,)
    assert drawn["set"][1]["xscale"] == "log"
