"""`compile(debug_nans=True)`: who made the first NaN or infinity of a step."""

from __future__ import annotations

import re

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import losses
from keras_front.errors import NotFiniteError
from keras_front.layers import Dense, Dropout, Input, Lambda
from keras_front.models import Model, Sequential

X, Y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


def net(*layers, loss="mse", optimizer="sgd"):
    model = Sequential([Input((3,), name="x"), Dense(2, kernel_initializer="ones", name="first"), *layers])
    model.compile(optimizer, loss, debug_nans=True)
    return model


def message(run):
    with pytest.raises(NotFiniteError) as caught:
        run()
    assert isinstance(caught.value, FloatingPointError)
    return str(caught.value)


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize("fit", [False, True], ids=["batch", "fit"])
def test_the_layer_that_made_it(backend, fit):
    model = net(Dropout(0.0), Lambda(lambda t: K.log(t - 5.0), name="log"), Dense(1, name="last"))
    before = model.get_weights()
    run = (lambda: model.fit(X, Y, verbose=0)) if fit else (lambda: model.train_on_batch(X, Y))
    said = message(run)
    assert said.startswith("Step 1: the layer 'log' (Lambda) made the first: 8 of 8 numbers of its output are nan")
    assert "its inputs go from 3 to 3" in said
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def bad(loss):
    return net(Dense(1, kernel_initializer="zeros", name="last"), loss=loss)


CASES = [
    (lambda: net(Dense(1)).fit(np.where(np.arange(4)[:, None] == 2, np.nan, X), Y, verbose=0, shuffle=False),
     r"the data for the input 'x' are not finite, in 1 of 4 samples of this batch \(numbers 2\)"),
    (lambda: net(Dense(1, name="out")).train_on_batch(X, Y * np.inf), "the data for the target 'out' are not finite"),
    (lambda: bad(lambda y, p: K.mean(K.log(p - y), axis=-1)).train_on_batch(X, Y), "the loss '.*lambda.*' of the out"),
    (lambda: bad(lambda y, p: K.mean(K.pow(K.abs(p), 0.5), axis=-1)).train_on_batch(X, Y),
     "the gradient for 'last/.*' is not finite"),
    (lambda: spoilt().train_on_batch(X, Y), "layer 'first' .* its weights first/kernel.* were not finite before"),
    (lambda: exploding().fit(X, 1e30 * Y, epochs=9, verbose=0), "Step [1-9]: "),
]  # fmt: skip


def spoilt():
    model = net(Dense(1))
    model.set_weights([np.nan * w if i == 0 else w for i, w in enumerate(model.get_weights())])
    return model


def exploding():
    from keras_front.optimizers import SGD

    return net(Dense(1), optimizer=SGD(1e10))


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize(("run", "words"), CASES)
def test_what_brought_it(backend, run, words):
    assert re.search(words, message(run))


@pytest.mark.engine_neutral
def test_a_step_of_ones_own_and_a_sound_one(backend):
    class Mine(Model):
        def __init__(self):
            super().__init__()
            self.layer = Dense(1, name="inner")

        def call(self, x):
            return K.log(self.layer(x) * 0.0 - 1.0)

        def train_step(self, data):
            x, y = data
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            self.optimizer.apply_gradients(zip(K.gradients(loss, self.trainable_weights), self.trainable_weights))
            return {"loss": loss}

    model = Mine()
    model.compile("sgd", "mse", debug_nans=True)
    assert "(Mine) made the first" in message(lambda: model.fit(X, Y, verbose=0))
    sound = net(Dense(1), loss=losses.MeanSquaredError(), optimizer="adam")
    plain = Sequential.from_config(sound.get_config())
    plain.set_weights(sound.get_weights())
    plain.compile("adam", "mse")
    for model in (sound, plain):
        model.fit(X, Y, epochs=2, batch_size=3, verbose=0, shuffle=False)
    for one, other in zip(sound.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
