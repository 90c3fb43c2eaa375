"""`fit(accumulate=k)`: a batch in parts trains as the whole batch does."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config, losses
from keras_front.errors import ArgumentError
from keras_front.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Input, Lambda, TimeDistributed
from keras_front.mixed_precision import LossScaleOptimizer
from keras_front.models import Model, Sequential
from keras_front.optimizers import SGD, Adam

R = np.random.RandomState(0)
X, Y = R.rand(18, 4).astype("float32"), R.rand(18, 2).astype("float32")


def simple():
    model = Sequential([Dense(3, "tanh", input_shape=(4,), kernel_regularizer="l2"), Dense(2)])
    model.compile(Adam(0.01, clipnorm=0.1), "mse", metrics=["mae"])
    return model


def several_outputs():
    x = Input((4,))
    hidden = Dense(3, "tanh")(x)
    model = Model(x, [Dense(2, name="a")(hidden), Dense(2, name="b")(hidden)])
    model.add_loss(K.mean(K.square(hidden)))
    model.compile(SGD(0.05), [losses.MeanSquaredError(reduction="sum"), "mae"], loss_weights=[0.1, 2.0])
    return model


def masked():
    model = Sequential([Embedding(5, 3, mask_zero=True, input_length=4), LSTM(3, return_sequences=True)])
    model.add(TimeDistributed(Dense(1)))
    model.compile(SGD(0.1), "mse", sample_weight_mode="temporal")
    return model


class Own(Model):
    """A step that updates two optimizers, and one that is the trainer's, with what both leave in logs."""

    def train_step(self, data):
        if self.inherits:
            return super().train_step(data)
        x, y = data
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        weights = self.trainable_weights
        grads = K.gradients(loss, weights)
        self.optimizer.apply(grads[:2], weights[:2])
        self.second.apply_gradients(zip(grads[2:], weights[2:], strict=True))
        return {**self.compute_metrics(x, y, y_pred), "size": K.mean(K.abs(y_pred))}


def own_step(inherits):
    x = Input((4,))
    model = Own(x, Dense(2)(Dense(3, "tanh", activity_regularizer="l2")(x)))
    model.inherits, model.second = inherits, LossScaleOptimizer(SGD(0.05, momentum=0.9))
    model.compile(Adam(0.01, clipnorm=0.1), "mse", metrics=["mae"])
    return model


@pytest.mark.few_compiled(1)
@pytest.mark.parametrize("inherits", [False, True])
def test_a_step_of_ones_own_goes_through_the_batch_in_parts(backend, inherits):
    compared(lambda: own_step(inherits), X, Y, 3, batch_size=8, epochs=1)


def with_target():
    x, goal = Input((4,)), Input((2,))
    model = Model([x, goal], Dense(2)(x))
    model.compile(SGD(0.1), "mse", target_tensors=[Lambda(lambda t: t * 2.0)(goal)])
    return model


def compared(make, x, y, parts, **keywords):
    whole, in_parts = make(), make()
    in_parts.set_weights(whole.get_weights())
    expected = whole.fit(x, y, verbose=0, shuffle=False, **keywords).history
    found = in_parts.fit(x, y, verbose=0, shuffle=False, accumulate=parts, **keywords).history
    for a, b in zip(in_parts.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4)


def test_parts_of_unequal_size_equal_the_whole(backend):
    weights = np.linspace(0, 2, 10)
    compared(simple, X[:10], Y[:10], 3, batch_size=10, epochs=2, sample_weight=weights)  # parts of 4, 4 and 2


@pytest.mark.engine_neutral
@pytest.mark.parametrize("parts", [2, 18, 50])
def test_any_number_of_parts(backend, parts):
    compared(simple, X, Y, parts, batch_size=8, epochs=2, validation_data=(X, Y))


@pytest.mark.engine_neutral
def test_sums_and_several_outputs_and_losses_of_layers(backend):
    compared(several_outputs, X, [Y, Y], 3, batch_size=16)
    compared(with_target, [X, Y], None, 3, batch_size=16)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("dialect", ["keras2.2", "keras2.3"])
def test_masks_and_weights_are_those_of_the_whole_batch(backend, dialect):
    x = R.randint(0, 5, size=(18, 4))
    weights = (R.rand(18, 4) > 0.4).astype("float32")
    with config.dialect(dialect):
        compared(masked, x, R.rand(18, 4, 1), 4, batch_size=18, sample_weight=weights)


@pytest.mark.engine_neutral
def test_a_debugged_step_takes_the_parts_too(backend):
    def eager():
        model = simple()
        model.run_eagerly = True
        return model

    compared(eager, X, Y, 2, batch_size=9)


def test_batch_normalization_sees_each_part_as_a_batch(backend):
    model = Sequential([BatchNormalization(momentum=0.5, input_shape=(4,)), Dense(1)])
    model.compile(SGD(0.0), "mse")
    model.fit(X[:16], np.zeros(16), batch_size=16, accumulate=2, shuffle=False, verbose=0)
    expected = 0.25 * X[:8].mean(axis=0) + 0.5 * X[8:16].mean(axis=0)
    np.testing.assert_allclose(model.layers[0].get_weights()[2], expected, rtol=1e-4)


def test_each_part_draws_noise_of_its_own(backend):
    model = Sequential([Dropout(0.5, input_shape=(50,)), Dense(1, use_bias=False)])
    model.layers[1].set_weights([np.zeros((50, 1))])
    model.compile(SGD(1.0), lambda y, p: K.sum(p, axis=-1))
    one = np.ones((2, 50))
    model.fit(one, np.zeros(2), batch_size=2, accumulate=2, verbose=0)
    seen = -model.get_weights()[0]  # the mean of two masks, of values 0 and 2
    assert set(np.unique(seen.round(3))) == {0.0, 1.0, 2.0}


@pytest.mark.engine_neutral
def test_wrong_numbers_and_models_that_need_whole_batches():
    model = simple()
    for wrong in (0, 1.5, "2"):
        with pytest.raises(ArgumentError, match="accumulate"):
            model.fit(X, Y, accumulate=wrong, verbose=0)

    stateful = Sequential([LSTM(2, stateful=True, batch_input_shape=(6, 2, 2))])
    stateful.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="gradient_accumulation_steps=2"):
        stateful.fit(X.reshape(18, 2, 2), Y, batch_size=6, accumulate=2, verbose=0)


@pytest.mark.backends("numpy")
def test_parts_take_less_memory(backend):
    def peak(parts):
        model = Sequential([Dense(128, "tanh", input_shape=(4,)), Dense(128, "tanh"), Dense(1)])
        model.compile("sgd", "mse")
        x, y = np.zeros((2048, 4), "float32"), np.zeros((2048, 1), "float32")
        tracemalloc.start()
        model.fit(x, y, batch_size=2048, accumulate=parts, verbose=0)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(16) < 0.5 * peak(1)
