"""Updates and overridden properties: the protocol by which layers of Keras 1 and 2 say what belongs to them."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.layers import LSTM, BatchNormalization, Dense, Input, Layer, Wrapper
from keras_front.models import Model, Sequential

X = np.random.RandomState(0).normal(size=(8, 4)).astype("float32")
Y = np.random.RandomState(1).normal(size=(8, 2)).astype("float32")


def normalized():
    x = Input((4,))
    h = BatchNormalization(momentum=0.5, name="bn")(x)
    model = Model(x, Dense(2)(h))
    model.compile("sgd", "mse")
    return model


def test_updates_of_batch_normalization_in_a_function(backend):
    model = normalized()
    bn = model.get_layer("bn")
    assert [v for v, _ in bn.updates] == [bn.moving_mean, bn.moving_variance]
    assert [v for v, _ in model.updates] == [bn.moving_mean, bn.moving_variance]
    assert [v for v, _ in bn.get_updates_for(bn.input)] == [bn.moving_mean, bn.moving_variance]
    assert bn.get_updates_for(None) == []
    assert bn.get_updates_for(Input((4,))) == []
    run = K.function([*model.inputs, K.learning_phase()], model.outputs, updates=model.updates)
    run([X, 1])
    np.testing.assert_allclose(K.get_value(bn.moving_mean), 0.5 * X.mean(0), rtol=1e-4, atol=1e-6)
    before = bn.get_weights()
    run([X, 0])
    for got, want in zip(bn.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, want)
    bn.trainable = False
    assert bn.updates == []
    assert model.updates == []


def test_a_training_step_of_ones_own(backend):
    """The loop of Keras 2 by hand: updates of the layers and of the optimizer in one `K.function`."""
    model, other = normalized(), normalized()
    other.set_weights(model.get_weights())
    target = K.placeholder((None, 2))
    loss = K.mean(K.square(model.output - target))
    updates = model.updates + model.optimizer.get_updates(loss=loss, params=model.trainable_weights)
    train = K.function([*model.inputs, target, K.learning_phase()], [loss], updates=updates)
    for _ in range(3):
        got = train([X, Y, 1])[0]
        want = other.train_on_batch(X, Y)
        np.testing.assert_allclose(got, want, rtol=1e-5)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_updates_of_a_stateful_layer(backend):
    model = Sequential([LSTM(3, stateful=True, batch_input_shape=(2, 3, 4))])
    assert len(model.state_updates) == len(model.updates) == 2
    x = np.random.RandomState(2).normal(size=(2, 3, 4)).astype("float32")
    run = K.function(model.inputs, model.outputs, updates=model.state_updates)
    first, second = run([x])[0], run([x])[0]
    model.reset_states()
    np.testing.assert_allclose(model.predict(x), first, rtol=1e-5)
    np.testing.assert_allclose(model.predict(x), second, rtol=1e-5)


class Counting(Layer):
    """Counts batches, in each of the ways in which layers said so."""

    def __init__(self, how, **kwargs):
        super().__init__(**kwargs)
        self.how = how

    def build(self, input_shape):
        self.count = self.add_weight("count", (1,), initializer="zeros", trainable=False)
        if self.how == "in build":
            self.add_update((self.count, self.count + 1.0))
        super().build(input_shape)

    def call(self, inputs):
        if self.how == "pair":
            self.add_update((self.count, self.count + 1.0), inputs=inputs)
        elif self.how == "K.update":
            self.add_update([K.update_add(self.count, K.ones((1,)))], inputs)
        elif self.how == "moving average":
            self.add_update(K.moving_average_update(self.count, self.count + 2.0, 0.5), inputs)
        elif self.how == "keras 1":
            self.updates = [(self.count, self.count + 1.0)]
        elif self.how == "keras 1, appended":
            self.updates = []
            self.updates.append((self.count, self.count + 1.0))
        return inputs


@pytest.mark.parametrize("how", ["pair", "K.update", "moving average", "keras 1", "keras 1, appended", "in build"])
def test_updates_are_carried_out_while_training_only(backend, how):
    model = Sequential([Dense(2, input_shape=(4,)), Counting(how)])
    model.compile("sgd", "mse")
    counted = model.layers[1]
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    assert K.get_value(counted.count).tolist() == [4.0]
    model.train_on_batch(X, Y)
    assert K.get_value(counted.count).tolist() == [5.0]
    model.evaluate(X, Y, verbose=0)
    model.test_on_batch(X, Y)
    model.predict(X)
    assert K.get_value(counted.count).tolist() == [5.0]
    variables = [v for v, _ in model.updates]
    assert variables
    assert all(v is counted.count for v in variables)


def test_an_overridden_updates_decides(backend):
    class Own(Counting):
        @property
        def updates(self):
            return [(self.count, self.count + 3.0)]

    model = Sequential([Dense(2, input_shape=(4,)), Own("")])
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    model.predict(X)
    assert model.get_weights()[-1].tolist() == [3.0]


class Linear(Layer):
    """Two weights, of which a subclass says what they are."""

    def build(self, input_shape):
        self.scale = K.variable(np.full((4, 4), 0.5), name="scale")
        self.bias = K.variable(np.zeros(4), name="bias")
        super().build(input_shape)

    def call(self, inputs):
        return K.dot(inputs, self.scale) + self.bias


class OnlyBias(Linear):
    @property
    def trainable_weights(self):
        return [self.bias]

    @property
    def non_trainable_weights(self):
        return [self.scale]


def test_overridden_weights_decide(backend):
    model = Sequential([OnlyBias(input_shape=(4,))])
    model.compile("sgd", "mse")
    layer = model.layers[0]
    assert layer.weights == [layer.bias, layer.scale]
    assert model.weights == [layer.bias, layer.scale]
    assert model.trainable_weights == [layer.bias]
    assert model.non_trainable_weights == [layer.scale]
    assert model.count_params() == 20
    model.fit(X, np.ones((8, 4)), verbose=0)
    np.testing.assert_array_equal(K.get_value(layer.scale), 0.5)
    assert K.get_value(layer.bias).any()
    again = Sequential([OnlyBias(input_shape=(4,))])
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-6)


def test_weights_that_only_an_override_knows(backend):
    class Hidden(Layer):
        def build(self, input_shape):
            self.kept = {("a", 1): [[K.variable(np.eye(4))]]}  # too deep to be found
            super().build(input_shape)

        def call(self, inputs):
            return K.dot(inputs, self.kept["a", 1][0][0])

        @property
        def trainable_weights(self):
            return self.kept["a", 1][0]

    model = Sequential([Hidden(input_shape=(4,))])
    model.compile("sgd", "mse")
    assert len(model.weights) == 1
    model.fit(X, np.ones((8, 4)), verbose=0)
    assert (model.get_weights()[0] != np.eye(4)).any()


def test_a_wrapper_with_layers_of_its_own(backend):
    """An attention around a layer: the wrapper lists what is trained, as those of Keras 2.0 did."""

    class Gated(Wrapper):
        def __init__(self, layer, **kwargs):
            super().__init__(layer, **kwargs)
            self.gate = Dense(1, activation="sigmoid", name="gate")

        def build(self, input_shape):
            if not self.layer.built:
                self.layer.build(input_shape)
                self.layer.built = True
            self.gate.build(self.layer.compute_output_shape(input_shape))
            self.gate.built = True
            super().build()

        def call(self, inputs, mask=None):
            out = self.layer.call(inputs)
            return out * self.gate.call(out)

        def compute_output_shape(self, input_shape):
            return self.layer.compute_output_shape(input_shape)

        @property
        def trainable_weights(self):
            return self.layer.trainable_weights + self.gate.trainable_weights

    model = Sequential([Gated(Dense(2), input_shape=(4,))])
    model.compile("sgd", "mse")
    before = model.get_weights()
    assert [w.shape for w in before] == [(4, 2), (2,), (2, 1), (1,)]
    model.fit(X, Y, verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_an_overridden_losses_decides(backend):
    class Penalized(Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight("kernel", (4, 2), regularizer="l2")  # not counted, `losses` decides
            super().build(input_shape)

        def call(self, inputs):
            self.add_loss(K.sum(inputs) * 0.01)
            return K.dot(inputs, self.kernel)

        @property
        def losses(self):
            return [3.0 * K.sum(K.square(self.kernel))]

    model = Sequential([Penalized(input_shape=(4,))])
    model.compile("sgd", "mse")
    kernel = model.get_weights()[0]
    want = ((X @ kernel - Y) ** 2).mean() + 3 * (kernel**2).sum() + X.sum() * 0.01
    np.testing.assert_allclose(model.test_on_batch(X, Y), want, rtol=1e-4)
    np.testing.assert_allclose(K.eval(model.layers[0].losses[0]), 3 * (kernel**2).sum(), rtol=1e-4)
    gradient = 2 / Y.size * X.T @ (X @ kernel - Y) + 6 * kernel
    model.train_on_batch(X, Y)
    np.testing.assert_allclose(model.get_weights()[0], kernel - 0.01 * gradient, rtol=1e-4, atol=1e-5)


def test_losses_as_layers_of_keras_1_set_them(backend):
    class Mean(Layer):
        def call(self, inputs):
            self.losses = [7.0 * K.mean(inputs)]
            return inputs

    model = Sequential([Dense(2, input_shape=(4,)), Mean()])
    model.compile("sgd", "mse")
    out = model.predict(X)
    np.testing.assert_allclose(model.test_on_batch(X, Y), ((out - Y) ** 2).mean() + 7 * out.mean(), rtol=1e-4)


def test_updates_outside_a_step_wait(backend):
    """`K.update` on variables is an operation to be run, as on TensorFlow 1; real values are assigned at once."""
    fast, slow = K.variable(np.ones(2)), K.variable(np.zeros(2))
    pull, copy = K.update(slow, slow + 0.5 * (fast - slow)), K.update(fast, slow)
    assert K.get_value(slow).tolist() == [0.0, 0.0]
    assert K.batch_get_value([pull])[0].tolist() == [0.5, 0.5]
    assert K.get_value(fast).tolist() == [1.0, 1.0]
    assert K.get_value(copy).tolist() == [0.5, 0.5]
    K.batch_get_value([pull, copy])  # both from the values of before
    assert K.get_value(slow).tolist() == K.get_value(fast).tolist() == [0.5, 0.5]
    K.function([], [], updates={slow: fast + 1})([])  # a dict, as Theano took it
    assert K.get_value(slow).tolist() == [1.5, 1.5]


def test_losses_and_updates_of_the_inputs_of_a_model(backend):
    x = Input((4,))
    h = BatchNormalization()(Dense(3, kernel_regularizer="l2", activity_regularizer="l1")(x))
    model = Model(x, Dense(2)(h))
    assert len(model.losses) == 2
    assert len(model.get_losses_for(None)) == 1
    assert model.get_losses_for(model.inputs) == model.get_losses_for(x) == model.losses[1:]
    assert model.get_updates_for(model.inputs) == model.updates
    assert len(model.updates) == 2
    assert model.get_losses_for(Input((4,))) == []
    outer = Sequential([Model(x, h), Dense(1)])
    assert len(outer.updates) == 2
