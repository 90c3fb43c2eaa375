"""Layers of others that derive from `Recurrent`, as Keras 1 and the first Keras 2 had it."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.errors import StateError
from keras_front.legacy.recurrent import ConvRecurrent2D, Recurrent, time_distributed_dense
from keras_front.models import Sequential, load_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3)).astype("float32")


class Leaky(Recurrent):
    """A leaky sum of the inputs' projection, written as for Keras 1: no `training` anywhere."""

    def __init__(self, output_dim, leak=0.5, **kwargs):
        self.output_dim, self.leak = output_dim, leak
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight((input_shape[-1], self.output_dim), initializer="glorot_uniform", name="W")
        self.states = [None]
        if self.stateful:
            self.reset_states()
        self.built = True

    def preprocess_input(self, x):
        return K.dot(x, self.W)

    def get_constants(self, x):
        return [K.constant(self.leak)]

    def step(self, x, states):
        previous, leak = states
        output = x + leak * previous
        return output, [output]

    def get_output_shape_for(self, input_shape):
        steps = (input_shape[1],) if self.return_sequences else ()
        return (input_shape[0], *steps, self.output_dim)

    def get_config(self):
        return {**super().get_config(), "output_dim": self.output_dim, "leak": self.leak}


def reference(kernel, x, first=0.0):
    state, outputs = np.zeros((len(x), kernel.shape[1])) + first, []
    for t in range(x.shape[1]):
        state = x[:, t] @ kernel + 0.5 * state
        outputs.append(state)
    return np.stack(outputs, 1)


@pytest.mark.filterwarnings("ignore::keras_front.legacy.hooks.OldNameWarning")
@pytest.mark.parametrize("sequences", [True, False])
def test_a_layer_of_somebody_else(backend, sequences, tmp_path):
    model = Sequential([Leaky(2, return_sequences=sequences, input_dim=3, input_length=5)])
    expected = reference(model.get_weights()[0], X)
    expected = expected if sequences else expected[:, -1]
    assert model.output_shape == (None, *expected.shape[1:])
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5", {"Leaky": Leaky})
    np.testing.assert_allclose(again.predict(X), expected, rtol=1e-4, atol=1e-5)
    model.compile("sgd", "mse")
    assert model.train_on_batch(X, 2 * expected) > model.train_on_batch(X, 2 * expected)


@pytest.mark.filterwarnings("ignore::keras_front.legacy.hooks.OldNameWarning")
def test_states_that_stay(backend):
    model = Sequential([Leaky(2, stateful=True, batch_input_shape=(4, 5, 3))])
    kernel = model.get_weights()[0]
    first = reference(kernel, X)[:, -1]
    np.testing.assert_allclose(model.predict(X, batch_size=4), first, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(X, batch_size=4), reference(kernel, X, first)[:, -1], rtol=1e-4, atol=1e-5)
    model.layers[0].reset_states()
    np.testing.assert_allclose(model.predict(X, batch_size=4), first, rtol=1e-4, atol=1e-5)
    with pytest.raises(StateError, match="batch_input_shape"):
        Leaky(2).reset_states()


def test_masks_and_states_go_through(backend):
    layer = Leaky(2, return_state=True, return_sequences=True)
    mask = np.array([[True, True, False, False, False]] * 4)
    inputs = L.Input((5, 3))
    outputs, state = layer(inputs, mask=K.constant(mask))
    assert outputs.shape == (4, 5, 2)  # of the mask
    got = K.function([inputs], [outputs, state])([X])
    want = reference(layer.get_weights()[0], X)
    np.testing.assert_allclose(got[0][:, :2], want[:, :2], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got[1], want[:, 1], rtol=1e-4, atol=1e-5)


def test_layers_of_today_count_as_recurrent():
    assert isinstance(L.LSTM(2), Recurrent)
    assert not isinstance(L.Dense(2), Recurrent)
    assert isinstance(L.ConvLSTM2D(2, 3), ConvRecurrent2D)
    assert not isinstance(L.LSTM(2), ConvRecurrent2D | Leaky)


def test_shapes_of_images_and_a_dense_layer_at_each_step(backend):
    layer = ConvRecurrent2D(8, 3, padding="same", strides=2, return_sequences=True)
    assert layer.compute_output_shape((None, 5, 8, 8, 3)) == (None, 5, 4, 4, 8)
    w, b = RNG.normal(size=(3, 2)).astype("float32"), np.ones(2, "float32")
    got = time_distributed_dense(K.constant(X), K.constant(w), K.constant(b), dropout=0.5)
    np.testing.assert_allclose(K.to_numpy(got), X @ w + 1, rtol=1e-4, atol=1e-5)
