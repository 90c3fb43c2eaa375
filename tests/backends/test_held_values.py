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


HANDED_OUT = {
    "weights of a model": lambda model: model.get_weights()[0],
    "weights of a layer": lambda model: model.layers[1].get_weights()[2],
    "predictions": lambda model: model.predict(X),
    "predictions of a batch": lambda model: model.predict_on_batch(X),
    "weights of an optimizer": lambda model: model.optimizer.get_weights()[1],
    "the value of a slot": lambda model: model.optimizer.weights[1].value,
}


def stay(model, held):
    """Everything that is held has its value still after steps, a fit and an assignment."""
    before = {name: np.array(K.to_numpy(value)) for name, value in held.items()}
    model.train_on_batch(X, Y)
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    model.layers[0].kernel.assign(np.zeros((3, 4), "float32"))
    for name, value in before.items():
        np.testing.assert_array_equal(K.to_numpy(held[name]), value, err_msg=name)
        assert not np.allclose(value, 0), name


@pytest.mark.slow
@pytest.mark.engine_neutral
@pytest.mark.parametrize("name", VIEWS)
def test_one_view_is_all_that_is_held(model, name):
    """A value with one holder may be the one that is taken for free."""
    stay(model, {name: VIEWS[name](model.layers[0].kernel.value)})


def test_views_of_a_value(model):
    stay(model, {name: view(model.layers[0].kernel.value) for name, view in VIEWS.items()})


def test_eager_ops_on_a_variable(model):
    with state.eager():
        held = {name: view(model.layers[0].kernel) for name, view in VIEWS.items()}
    stay(model, {name: K.convert(value) for name, value in held.items()})


def test_values_read_out(model):
    stay(model, {name: read(model.layers[0].kernel) for name, read in READERS.items()})


def test_what_a_model_hands_out(model):
    stay(model, {name: read(model) for name, read in HANDED_OUT.items()})
