"""Recurrent layers as people wrote them: on the base class of Keras 1 and 2.0, with cells that are no layers."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import activations, initializers, models
from keras_front import backend as K
from keras_front.layers import LSTM, RNN, Bidirectional, Dense, Input, InputSpec, Masking, Recurrent, TimeDistributed
from keras_front.legacy.recurrent import time_distributed_dense
from keras_front.models import Model, Sequential

X = np.random.RandomState(0).normal(size=(4, 5, 3)).astype("float32")


class Simple1(Recurrent):
    """In the manner of Keras 1.2: `output_dim`, `preprocess_input(x)`, `get_constants(x)`, `get_initial_states(x)`."""

    def __init__(self, output_dim, init="glorot_uniform", activation="tanh", **kwargs):
        self.output_dim = output_dim
        self.init = initializers.get(init)
        self.activation = activations.get(activation)
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.input_spec = [InputSpec(shape=input_shape)]
        self.input_dim = input_shape[2]
        if self.stateful:
            self.states = [None]
            self.reset_states()
        else:
            self.states = [None]
        self.W = self.add_weight((self.input_dim, self.output_dim), initializer=self.init, name=f"{self.name}_W")
        self.U = self.add_weight((self.output_dim, self.output_dim), initializer="orthogonal", name=f"{self.name}_U")
        self.built = True

    def preprocess_input(self, x):
        return K.dot(x, self.W)

    def get_constants(self, x):
        return [K.constant(0.5)]

    def step(self, x, states):
        previous, scale = states
        h = self.activation(x + scale * K.dot(previous, self.U))
        return h, [h]

    def get_config(self):
        return dict(list(super().get_config().items()) + [("output_dim", self.output_dim)])


def simple(x, w, u, h=None):
    h, steps = np.zeros((len(x), u.shape[0])) if h is None else h, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ w + 0.5 * h @ u)
        steps.append(h)
    return np.stack(steps, axis=1)


def test_a_layer_on_recurrent(backend):
    model = Sequential([Simple1(2, input_shape=(5, 3), return_sequences=True), Simple1(2), Dense(1)])
    model.compile("sgd", "mse")
    first = Model(model.input, model.layers[0].output)
    np.testing.assert_allclose(first.predict(X), simple(X, *first.get_weights()), rtol=1e-4, atol=1e-5)
    before = model.get_weights()
    model.fit(X, np.ones((4, 1)), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    assert model.layers[0].output_shape == (None, 5, 2)
    again = Sequential.from_config(model.get_config(), {"Simple1": Simple1})
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5)


def test_masks_direction_and_last_states(backend):
    x = Input((5, 3))
    layer = Simple1(2, return_state=True, return_sequences=True)
    model = Model(x, layer(Masking()(x)))
    data = X.copy()
    data[:, 3:] = 0
    steps, last = model.predict(data)
    want = simple(data[:, :3], *model.get_weights())
    np.testing.assert_allclose(steps[:, :3], want, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, want[:, -1], rtol=1e-4, atol=1e-5)
    backwards = Simple1(2, go_backwards=True)
    model = Model(x, backwards(x))
    want = simple(X[:, ::-1], *model.get_weights())[:, -1]
    np.testing.assert_allclose(model.predict(X), want, rtol=1e-4, atol=1e-5)
    both = Sequential([Bidirectional(Simple1(2), input_shape=(5, 3))])
    assert both.predict(X).shape == (4, 4)


def test_a_stateful_layer_on_recurrent(backend):
    model = Sequential([Simple1(2, batch_input_shape=(4, 5, 3), stateful=True, return_sequences=True)])
    w, u = model.get_weights()
    first = model.predict(X, batch_size=4)
    second = model.predict(X, batch_size=4)
    np.testing.assert_allclose(first, simple(X, w, u), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(second, simple(X, w, u, first[:, -1]), rtol=1e-4, atol=1e-5)
    model.reset_states()
    np.testing.assert_allclose(model.predict(X, batch_size=4), first, rtol=1e-5)
    with pytest.raises(RuntimeError, match="expected a stateful layer"):
        Simple1(2).reset_states()


class AttentionDecoder(Recurrent):
    """In the manner of 2017: at every step it looks at the whole input. Source: Bahdanau et al. (2015), section 3."""

    def __init__(self, units, output_dim, **kwargs):
        self.units, self.output_dim = units, output_dim
        super().__init__(**kwargs)
        self.return_sequences = True

    def build(self, input_shape):
        self.batch_size, self.timesteps, self.input_dim = input_shape
        if self.stateful:
            super().reset_states()
        self.states = [None, None]
        sizes = {
            "V": (self.units,),
            "W": (self.units, self.units),
            "U": (self.input_dim, self.units),
            "C": (self.input_dim, self.units),
            "R": (self.output_dim, self.units),
            "O": (self.units, self.output_dim),
        }
        for name, shape in sizes.items():
            setattr(self, f"{name}_a", self.add_weight(shape=shape, name=name, initializer="glorot_uniform"))
        self.input_spec = [InputSpec(shape=(self.batch_size, self.timesteps, self.input_dim))]
        self.built = True

    def call(self, x):
        self.x_seq = x
        self._projected = time_distributed_dense(
            x, self.U_a, input_dim=self.input_dim, timesteps=self.timesteps, output_dim=self.units
        )
        return super().call(x)

    def get_initial_state(self, inputs):
        state = K.tanh(K.dot(inputs[:, 0], self.C_a))
        zeros = K.tile(K.expand_dims(K.sum(K.zeros_like(inputs), axis=(1, 2))), [1, self.output_dim])
        return [zeros, state]

    def step(self, x, states):
        before, state = states
        score = K.dot(
            K.tanh(K.dot(K.repeat(state, self.timesteps), self.W_a) + self._projected), K.expand_dims(self.V_a)
        )
        weight = K.exp(score)
        total = K.repeat(K.sum(weight, axis=1), self.timesteps)
        weight /= total
        context = K.squeeze(K.batch_dot(weight, self.x_seq, axes=1), axis=1)
        state = K.tanh(K.dot(context, self.C_a) + K.dot(before, self.R_a))
        output = K.softmax(K.dot(state, self.O_a))
        return output, [output, state]

    def compute_output_shape(self, input_shape):
        return (None, self.timesteps, self.output_dim)

    def get_config(self):
        return dict(list(super().get_config().items()) + [("units", self.units), ("output_dim", self.output_dim)])


def decoded(x, v, w, u, c, r, o):
    state, before, steps = np.tanh(x[:, 0] @ c), np.zeros((len(x), o.shape[1])), []
    for _ in range(x.shape[1]):
        score = np.exp(np.tanh((state @ w)[:, None] + x @ u) @ v)
        context = np.einsum("bs,bsn->bn", score / score.sum(1, keepdims=True), x)
        state = np.tanh(context @ c + before @ r)
        logits = np.exp(state @ o)
        before = logits / logits.sum(1, keepdims=True)
        steps.append(before)
    return np.stack(steps, axis=1)


def test_an_attention_decoder(backend):
    model = Sequential([AttentionDecoder(4, 6, input_shape=(5, 3))])
    model.compile("adam", "categorical_crossentropy")
    np.testing.assert_allclose(model.predict(X), decoded(X, *model.get_weights()), rtol=1e-4, atol=1e-5)
    target = np.eye(6)[np.arange(20).reshape(4, 5) % 6]
    losses = model.fit(X, target, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_cell_that_is_no_layer(backend):
    class Cell:
        state_size = 2

        def build(self, input_shape):
            self.kernel = K.variable(np.full((input_shape[-1], 2), 0.3))

        def call(self, inputs, states):
            h = K.tanh(K.dot(inputs, self.kernel) + states[0])
            return h, [h]

    model = Sequential([RNN(Cell(), input_shape=(5, 3)), Dense(1)])
    model.compile("sgd", "mse")
    h = np.zeros((4, 2))
    for t in range(5):
        h = np.tanh(X[:, t] @ np.full((3, 2), 0.3) + h)
    np.testing.assert_allclose(Model(model.input, model.layers[0].output).predict(X), h, rtol=1e-4, atol=1e-5)
    model.fit(X, np.ones((4, 1)), verbose=0)
    assert len(model.weights) == 2  # as in Keras: what is no layer has no weights
    stacked = Sequential([RNN([Cell(), Cell()], input_shape=(5, 3))])
    assert stacked.predict(X).shape == (4, 2)


def test_a_dense_at_every_step(backend):
    w, b = np.ones((3, 2), "float32"), np.array([1.0, 2.0], "float32")
    got = K.eval(time_distributed_dense(K.constant(X), K.constant(w), K.constant(b), timesteps=5))
    np.testing.assert_allclose(got, X @ w + b, rtol=1e-5)
    with K.phase(1):
        dropped = K.eval(time_distributed_dense(K.ones((2, 5, 3)), K.constant(np.eye(3)), dropout=0.5))
    assert set(np.unique(dropped)) <= {0.0, 2.0}
    assert (dropped == dropped[:, :1]).all()  # the same at all steps


def test_a_subclass_of_lstm(backend):
    """Keras 2.1: what `call` returns is changed, all arguments passed on."""

    class Doubled(LSTM):
        def call(self, inputs, mask=None, training=None, initial_state=None):
            return 2 * super().call(inputs, mask=mask, training=training, initial_state=initial_state)

    model = Sequential([Doubled(2, input_shape=(5, 3))])
    plain = Sequential([LSTM(2, input_shape=(5, 3), weights=model.get_weights())])
    np.testing.assert_allclose(model.predict(X), 2 * plain.predict(X), rtol=1e-5)
    wrapped = models.clone_model(Sequential([TimeDistributed(Doubled(2), input_shape=(2, 5, 3))]))
    assert wrapped.predict(np.stack([X, X], axis=1)).shape == (4, 2, 2)
