"""What a user holds is never overwritten by a later step: values, views of them, predictions, slots of optimizers."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import state
from keras_front.layers import BatchNormalization, Dense
from keras_front.models import Sequential

VIEWS = {
    "itself": lambda w: w,
    "convert": K.convert,
    "transpose": K.transpose,
    "permute_dimensions": lambda w: K.permute_dimensions(w, (1, 0)),
    "reshape": lambda w: K.reshape(w, (-1,)),
    "flatten": K.flatten,
    "getitem": lambda w: w[0],
    "slice": lambda w: w[:, 1:],
    "expand_dims": lambda w: K.expand_dims(w, 0),
    "squeeze": lambda w: K.squeeze(K.expand_dims(w, 0), 0),
    "reverse": lambda w: K.reverse(w, 0),
    "identity": K.identity,
    "stop_gradient": K.stop_gradient,
    "cast": lambda w: K.cast(w, "float32"),
    "broadcast_to": lambda w: K.broadcast_to(w, (2, 3, 4)),
    "sum over nothing": lambda w: K.sum(w, axis=()),
    "relu": K.relu,
}
READERS = {
    "get_value": K.get_value,
    "eval": lambda w: K.eval(K.transpose(w)),
    "function": lambda w: K.function([], [K.transpose(w)])([])[0],
    "numpy": lambda w: w.numpy(),
    "asarray": np.asarray,
    "to_numpy": lambda w: K.to_numpy(w),
    "memory of the value": lambda w: K.to_numpy(w.value),
}
X = np.linspace(-1, 1, 48, dtype="float32").reshape(16, 3)
Y = X[:, :2] ** 2


@pytest.fixture
def model(backend):
    model = Sequential([Dense(4, input_shape=(3,)), BatchNormalization(), Dense(2)])
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    return model


def stays(model, held):
    before = np.array(K.to_numpy(held))
    model.train_on_batch(X, Y)
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    model.layers[0].kernel.assign(np.zeros((3, 4), "float32"))
    np.testing.assert_array_equal(K.to_numpy(held), before)
    assert not np.allclose(before, 0)


@pytest.mark.parametrize("name", VIEWS)
def test_views_of_a_value(model, name):
    stays(model, VIEWS[name](model.layers[0].kernel.value))


@pytest.mark.parametrize("name", VIEWS)
def test_eager_ops_on_a_variable(model, name):
    with state.eager():
        held = VIEWS[name](model.layers[0].kernel)
    stays(model, K.convert(held))


@pytest.mark.parametrize("name", READERS)
def test_values_read_out(model, name):
    stays(model, READERS[name](model.layers[0].kernel))


@pytest.mark.parametrize(
    "read",
    [
        lambda model: model.get_weights()[0],
        lambda model: model.layers[1].get_weights()[2],
        lambda model: model.predict(X),
        lambda model: model.predict_on_batch(X),
        lambda model: model.optimizer.get_weights()[1],
        lambda model: model.optimizer.weights[1].value,
    ],
)
def test_what_a_model_hands_out(model, read):
    stays(model, read(model))
