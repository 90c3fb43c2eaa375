"""Sizes that `call` leaves open are those that the `compute_output_shape` of a layer says, as in Keras 2."""

import numpy as np

from keras_front import backend as K
from keras_front.layers import Conv2D, Dense, Flatten, Layer
from keras_front.models import Sequential


class Reshaped(Layer):
    """Its output has the shape of its input, which it reads while the step runs."""

    def call(self, x):
        return K.reshape(K.reshape(x, (-1,)), K.shape(x))

    def compute_output_shape(self, input_shape):
        return input_shape


class Halves(Layer):
    def call(self, x):
        half = K.shape(x)[1] // 2
        return [x[:, :half], x[:, half:]]

    def compute_output_shape(self, input_shape):
        half = input_shape[1] // 2
        return [(input_shape[0], half), (input_shape[0], half)]


def test_layers_after_it_know_the_sizes(backend):
    model = Sequential([Reshaped(input_shape=(4, 4, 2)), Conv2D(3, 3), Reshaped(), Flatten(), Dense(1)])
    assert [layer.output_shape for layer in model.layers][:3] == [(None, 4, 4, 2), (None, 2, 2, 3), (None, 2, 2, 3)]
    x = np.random.default_rng(0).normal(size=(5, 4, 4, 2)).astype("float32")
    plain = Sequential([Conv2D(3, 3, input_shape=(4, 4, 2)), Flatten(), Dense(1)])
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(model.predict(x), plain.predict(x), rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(x, np.zeros((5, 1))))


def test_several_outputs():
    left, right = Halves()(K.placeholder((None, 6)))
    assert left.shape == right.shape == (None, 3)


def test_a_declaration_may_ask_what_call_gives():
    class Asks(Reshaped):
        def compute_output_shape(self, input_shape):
            return Layer.compute_output_shape(self, input_shape)

    assert Asks()(K.placeholder((None, 4))).shape[0] is None
