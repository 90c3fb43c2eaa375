"""Models inside of wrappers: what they assign and report counts once in a step."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import optimizers
from keras_front.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Input,
    Layer,
    Masking,
    TimeDistributed,
)
from keras_front.models import Model, Sequential

X = np.random.RandomState(0).normal(3, 2, (16, 5, 2)).astype("float32")


def inside(depth):
    """A BatchNormalization, in a model, in a model in a model."""
    layer = BatchNormalization(momentum=0.5)
    if depth:
        layer = Sequential([BatchNormalization(momentum=0.5, input_shape=(2,))])
    if depth > 1:
        x = Input((2,))
        layer = Model(x, layer(x))
    return layer


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_statistics_move_once_a_step(backend, depth):
    model = Sequential([TimeDistributed(inside(depth), input_shape=(5, 2))])
    model.compile("sgd", "mse")
    model.train_on_batch(X, X)
    rows = X.reshape(-1, 2).astype("float64")
    *_, mean, variance = model.get_weights()
    np.testing.assert_allclose(mean, 0.5 * rows.mean(0), rtol=1e-4)
    np.testing.assert_allclose(variance, 0.5 + 0.5 * rows.var(0, ddof=1), rtol=2e-2)


def test_statistics_move_once_in_nested_time_axes(backend):
    inner = Sequential([BatchNormalization(momentum=0.5, input_shape=(2,))])
    model = Sequential([TimeDistributed(TimeDistributed(inner), input_shape=(5, 1, 2))])
    model.compile("sgd", "mse")
    model.train_on_batch(X[:, :, None], X[:, :, None])
    np.testing.assert_allclose(model.get_weights()[2], 0.5 * X.reshape(-1, 2).mean(0), rtol=1e-4)


class Penalty(Layer):
    def call(self, x):
        self.add_loss(K.sum(x))
        return x


def test_losses_of_layers_count_once(backend):
    inner = Sequential([Penalty(input_shape=(2,)), Dense(1, kernel_initializer="zeros", bias_initializer="zeros")])
    model = Sequential([TimeDistributed(inner, input_shape=(5, 2))])
    model.compile("sgd", "mse")
    assert model.evaluate(X, np.zeros((16, 5, 1)), verbose=0) == pytest.approx(X.sum(dtype="float64"), rel=1e-5)


def test_asking_for_a_mask_changes_nothing(backend):
    inner = Sequential([BatchNormalization(momentum=0.5, input_shape=(2,))])
    with K.phase(1):
        assert inner.compute_mask(K.constant(X[:, 0])) is None
    np.testing.assert_array_equal(inner.get_weights()[2], [0, 0])


def test_the_mask_of_a_model_inside_passes_on(backend):
    """A model that masks inside gives the mask of its outputs; one that does not passes on that of the steps."""
    ids = np.array([[[1, 2], [3, 0]], [[0, 0], [4, 5]]])
    words = Sequential([Embedding(6, 3, mask_zero=True, input_length=2), LSTM(2)])
    model = Sequential([TimeDistributed(words, input_shape=(2, 2)), LSTM(3)])
    assert model.predict(ids).shape == (2, 3)
    steps = Input((2, 3))
    kept = TimeDistributed(Sequential([Dense(2, input_shape=(3,))]))(Masking()(steps))
    assert kept.mask.shape == (None, 2)


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adagrad", "adadelta", "adamax", "nadam"])
@pytest.mark.parametrize("what", ["nothing", "frozen"])
def test_models_that_train_no_weight(backend, name, what):
    layer = Dropout(0.5, input_shape=(2,)) if what == "nothing" else Dense(2, input_shape=(2,), trainable=False)
    model = Sequential([layer])
    model.compile(optimizers.get(name), "mse")
    before = model.get_weights()
    rows = X[:, 0]
    model.fit(rows, rows, batch_size=8, epochs=1, verbose=0)
    model.train_on_batch(rows, rows)
    assert int(model.optimizer.iterations.numpy()) == 3
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
