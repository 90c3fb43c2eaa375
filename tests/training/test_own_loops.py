"""Loops of one's own: steps as pure functions, optimizers in all spellings, and steps as other engines have them."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import losses, metrics, use_backend
from keras_front.errors import ArgumentError, ShapeError, StateError, UntraceableError
from keras_front.layers import BatchNormalization, Dense, Dropout, Input
from keras_front.models import Model, Sequential
from keras_front.optimizers import SGD, Adam

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def small(cls=Sequential):
    x = Input((3,))
    layers = [Dense(4, use_bias=False), BatchNormalization(), Dense(1)]
    if cls is Sequential:
        model = Sequential([x, *layers])
    else:
        y = x
        for layer in layers:
            y = layer(y)
        model = cls(x, y)
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(0.5, 1.0, size=w.shape).astype("float32") for w in model.weights])
    return model


@pytest.fixture(scope="module")
def fitted():
    """What `fit` computes, on NumPy."""
    with use_backend("numpy"):
        model = small()
        model.compile(Adam(0.05), "mse", metrics=["mae"])
        history = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        return history, model.get_weights()


def test_a_compiled_loop_computes_what_fit_does(fitted, backend):
    expected, weights = fitted
    model, optimizer, loss_fn = small(), Adam(0.05), losses.MeanSquaredError()
    optimizer.build(model.trainable_variables)

    def step(trainable, others, slots, x, y):
        def loss_of(values):
            y_pred, after = model.stateless_call(values, others, x, training=True)
            return loss_fn(y, y_pred), after

        (loss, others), grads = K.value_and_grad(loss_of, trainable)
        trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
        return trainable, others, slots, loss

    compiled = K.compile(step, donate=(0, 1, 2))
    groups = model.trainable_variables, model.non_trainable_variables, optimizer.variables
    state = [[v.value for v in group] for group in groups]
    for _ in range(2):
        seen = []
        for i in (0, 8):
            *state, loss = compiled(*state, X[i : i + 8], Y[i : i + 8])
            seen.append(float(K.to_numpy(loss)))
    assert np.mean(seen) == pytest.approx(expected["loss"][1], rel=1e-4)
    for group, values in zip(groups, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(K.to_numpy(value))
    for a, b in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


class ByBackward(Model):
    """As the guide of Keras 3 for PyTorch writes it."""

    def train_step(self, data):
        x, y = data
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        loss.backward()
        weights = list(self.trainable_weights)
        self.optimizer.apply([v.value.grad for v in weights], weights)
        for metric in self.metrics:
            metric.update_state(*((loss,) if metric.name == "loss" else (y, y_pred)))
        return {m.name: m.result() for m in self.metrics}


class ByState(Model):
    """As the guide of Keras 3 for JAX writes it, with K in the place of jax."""

    def train_step(self, state, data):
        trainable, others, slots, counts = state
        x, y = data

        def loss_of(values):
            y_pred, after = self.stateless_call(values, others, x, training=True)
            return self.compute_loss(x, y, y_pred), (y_pred, after)

        (loss, (y_pred, others)), grads = K.value_and_grad(loss_of, trainable)
        trainable, slots = self.optimizer.stateless_apply(slots, grads, trainable)
        logs, counts = self.measured(counts, loss, y, y_pred)
        return logs, (trainable, others, slots, counts)

    def test_step(self, state, data):
        trainable, others, counts = state
        x, y = data
        y_pred, others = self.stateless_call(trainable, others, x, training=False)
        logs, counts = self.measured(counts, self.compute_loss(x, y, y_pred), y, y_pred)
        return logs, (trainable, others, counts)

    def predict_step(self, state, data):
        trainable, others = state
        return self.stateless_call(trainable, others, data[0], training=False)

    def measured(self, counts, loss, y, y_pred):
        logs, after = {}, []
        for metric in self.metrics:
            held = counts[len(after) : len(after) + len(metric.variables)]
            given = (loss,) if metric.name == "loss" else (y, y_pred)
            held = metric.stateless_update_state(held, *given)
            logs[metric.name] = metric.stateless_result(held)
            after += held
        return logs, after


@pytest.mark.few_compiled(1)
@pytest.mark.parametrize("cls", [ByBackward, ByState])
def test_steps_in_the_forms_of_other_engines(cls, fitted, backend):
    expected, weights = fitted
    model = small(cls)
    model.compile(Adam(0.05), "mse", metrics=["mae"])
    found = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    for name in ("loss", "mae"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4)
    for a, b in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    y_pred = model.predict(X, batch_size=8)
    assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(((y_pred - Y) ** 2).mean(), rel=1e-4)


def test_spellings_of_a_step():
    def weight():
        return K.variable([1.0, 2.0])

    grads = [K.constant([0.5, -1.0])]
    for step in (
        lambda o, w: o.apply_gradients(zip(grads, [w], strict=True)),
        lambda o, w: o.apply([w], grads),
        lambda o, w: o.apply(grads, [w]),
        lambda o, w: (o.build([w]), o.apply(grads)),
        lambda o, w: o.minimize(lambda: K.sum(w * grads[0]), [w]),
    ):
        w = weight()
        step(SGD(0.5), w)
        np.testing.assert_allclose(w.numpy(), [0.75, 2.5])
    optimizer, w = Adam(0.1), weight()
    optimizer.build([w])
    assert [v.shape for v in optimizer.variables] == [(), (), (2,), (2,)] == [v.shape for v in optimizer.variables()]
    with pytest.raises(ArgumentError, match="expected a gradient for each weight, received 2 gradients and 1 weights"):
        optimizer.apply(grads * 2, [w])
    with pytest.raises(ArgumentError, match="a function without arguments as loss"):
        optimizer.minimize(K.constant(1.0), [w])
    with pytest.raises(StateError, match="build the optimizer first"):
        SGD().stateless_apply([], grads, [w.value])
    with pytest.raises(ShapeError, match="expected 4 values as optimizer_variables, received 1"):
        optimizer.stateless_apply([1], grads, [w.value])


def test_noise_of_calls_without_state():
    model = Sequential([Dropout(0.5, input_shape=(64,))])
    assert [v.shape for v in model.non_trainable_variables] == [()]  # what the noise follows from
    assert model.non_trainable_weights == []
    start, x = [v.value for v in model.non_trainable_variables], np.ones((1, 64), "float32")
    call = K.compile(lambda others, x: model.stateless_call([], others, x, training=True))
    first, after = call(start, x)
    again, _ = call(start, x)
    second, _ = call(after, x)
    first, again, second = map(K.to_numpy, (first, again, second))
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()
    with pytest.raises(ShapeError, match="expected 1 values as non_trainable_variables, received 0"):
        model.stateless_call([], [], x)


def test_losses_of_calls_without_state():
    layer = Dense(1, kernel_regularizer="l2", use_bias=False)
    layer.build((None, 2))
    outputs, others, penalties = layer.stateless_call([np.ones((2, 1), "float32")], [], X[:, :2], return_losses=True)
    assert (K.int_shape(outputs), others) == ((16, 1), [])
    assert float(K.to_numpy(penalties[0])) == pytest.approx(0.02)


def test_metrics_without_state():
    mean = metrics.Mean()
    start = mean.stateless_reset_state()
    after = mean.stateless_update_state(start, np.array([1.0, 3.0], "float32"))
    assert float(K.to_numpy(mean.stateless_result(after))) == 2.0
    assert not any(v.numpy().any() for v in mean.variables)
    with pytest.raises(ShapeError, match="expected 2 values of variables, received 0"):
        mean.stateless_result([])


class NoPair(Model):
    def train_step(self, state, data):
        return {"loss": K.constant(0.0)}


def test_wrong_forms():
    model = small(NoPair)
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="returns a pair, logs and the new state; received dict"):
        model.fit(X, Y, verbose=0)
    for thing in (K.variable(1.0), Input((3,))):  # what a tape of TensorFlow asks for first
        with pytest.raises(UntraceableError, match="GradientTape records tensors and variables of TensorFlow"):
            thing._id  # noqa: B018
    with pytest.raises(StateError, match="no step of a model here whose weights"):
        Input((3,)).backward()
