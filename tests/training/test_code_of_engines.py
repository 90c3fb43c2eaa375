"""Steps and loops as the guides of Keras 3 write them for one engine, with functions of that engine in them."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config, losses, metrics, optimizers
from keras_front.errors import BackendError, StateError
from keras_front.layers import BatchNormalization, Dense, Layer
from keras_front.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
mse = losses.MeanSquaredError()


def new(cls=Sequential):
    rows = [Dense(2, input_shape=(3,), kernel_initializer="ones"), Dense(1, kernel_initializer="ones")]
    model = Sequential(rows)
    return model if cls is Sequential else cls(model.inputs, model.outputs)


@pytest.fixture
def expected():
    """The losses of three steps, and the weights after them."""
    model = new()
    model.compile(optimizers.SGD(0.01), "mse")
    return [float(model.train_on_batch(X, Y)) for _ in range(3)], model.get_weights()


def check(found, model, expected):
    np.testing.assert_allclose(found, expected[0], rtol=1e-5)
    for a, b in zip(model.get_weights(), expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def normalizing():
    """A model with statistics of batches and a penalty on a weight."""
    rows = [
        Dense(3, use_bias=False, input_shape=(3,), kernel_initializer="ones", kernel_regularizer="l2"),
        BatchNormalization(),
        Dense(1, kernel_initializer="ones"),
    ]
    return Sequential(rows)


@pytest.fixture
def expected_of_normalizing():
    """The same for that model, under Adam."""
    model = normalizing()
    model.compile(optimizers.Adam(0.01), "mse")
    return [float(model.train_on_batch(X, Y)) for _ in range(3)], model.get_weights()


@pytest.mark.backends("torch")
def test_backward_in_a_loop_outside_of_fit(backend, expected_of_normalizing):
    import torch

    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    with config.dialect("keras3"):
        model, optimizer, seen, found = normalizing(), optimizers.Adam(0.01), metrics.MeanAbsoluteError(), []
        assert not model(X).requires_grad  # an array, whose result may be read as one
        for _ in range(3):
            y_pred = model(x, training=True)
            loss = mse(y, y_pred) + sum(model.losses)
            model.zero_grad()
            loss.backward()
            weights = list(model.trainable_weights)
            with torch.no_grad():
                optimizer.apply([v.value.grad for v in weights], weights)
            seen.update_state(y, y_pred)
            found.append(loss.item())
            with torch.no_grad():
                assert not model(x).requires_grad
    check(found, model, expected_of_normalizing)
    assert 0 < float(seen.result()) < 5
    assert not any(w.current().requires_grad for w in (*model.weights, *seen.variables))


@pytest.mark.backends("torch")
def test_functions_of_torch_take_variables(backend):
    """A layer that multiplies by its weight with torch's own function, in a model that is built by its first call."""
    import torch

    class Product(Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], 2), initializer="ones")

        def call(self, x):
            return torch.matmul(x, self.w) + torch.mean(self.w)

    with config.dialect("keras3"):
        model = Sequential([Product()])
        y = model(torch.from_numpy(X))
        y.sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), X @ np.ones((3, 2)) + 1.0, rtol=1e-5)
    expected = np.repeat(X.sum(0)[:, None], 2, 1) + 2 * len(X) / 6
    np.testing.assert_allclose(model.weights[0].value.grad.numpy(), expected, rtol=1e-4)


@pytest.mark.backends("torch")
def test_optimizers_of_torch_train_a_model(backend, expected):
    import torch

    model, found = new(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(torch.from_numpy(X), training=True), torch.from_numpy(Y))
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    check(found, model, expected)
    model.compile(optimizers.SGD(0.01), "mse")
    model.train_on_batch(X, Y)  # steps of `fit` in between
    assert all(np.array_equal(p.detach().numpy(), w.numpy()) for p, w in zip(model.parameters(), model.weights))
    with K.use_backend("numpy"), pytest.raises(BackendError, match="has no tensor of torch"):
        list(model.parameters())


@pytest.mark.backends("torch")
@pytest.mark.filterwarnings("ignore:This code cannot be traced")
def test_backward_in_a_step_that_cannot_be_traced(backend, expected):
    import torch

    class Own(Model):
        def train_step(self, data):
            x, y = data
            x = torch.cat([x[:8], x[8:]])  # which knows nothing of symbols
            self.zero_grad()
            loss = mse(y, self(x, training=True))
            loss.backward()
            self.zero_grad()
            loss = mse(y, self(x, training=True))
            loss.backward()
            weights = list(self.trainable_weights)
            with torch.no_grad():
                self.optimizer.apply([v.value.grad for v in weights], weights)
            return {"loss": loss}

    model = new(Own)
    model.compile(optimizers.SGD(0.01))
    found = model.fit(X, Y, batch_size=16, epochs=3, verbose=0).history["loss"]
    check(found, model, expected)
    assert not any(w.current().requires_grad for w in model.weights)


@pytest.mark.backends("jax")
def test_variables_in_the_functions_of_jax(backend, expected):
    import jax

    model, optimizer = new(), optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables)

    @jax.jit
    def step(state, x, y):
        trainable, others, slots = state

        def loss_of(trainable, others):
            y_pred, others = model.stateless_call(trainable, others, x, training=True)
            return mse(y, y_pred), others

        (loss, others), grads = jax.value_and_grad(loss_of, has_aux=True)(trainable, others)
        trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
        return loss, (trainable, others, slots)

    state = model.trainable_variables, model.non_trainable_variables, optimizer.variables
    found = []
    for _ in range(3):
        loss, state = step(state, X, Y)
        found.append(float(loss))
    for variable, value in zip(model.trainable_variables, state[0], strict=True):
        variable.assign(value)
    check(found, model, expected)
    with pytest.raises(StateError, match="a function that the engine traces by itself"):
        jax.jit(lambda x: model.weights[0].assign(x))(np.ones((3, 2), "float32"))


@pytest.mark.backends("jax")
def test_losses_and_metrics_in_the_functions_of_jax(backend):
    import jax

    model, seen = normalizing(), metrics.CategoricalAccuracy()
    model.compile("sgd", "mse")
    groups = model.trainable_variables, model.non_trainable_variables, model.metrics_variables
    values = [[v.value for v in group] for group in groups]

    @jax.jit
    def loss_of(trainable, others, measured, counts):
        y_pred, others = model.stateless_call(trainable, others, X, training=True)
        loss, after = model.stateless_compute_loss(trainable, others, measured, x=X, y=Y, y_pred=y_pred)
        return loss, after, seen.stateless_update_state(counts, X, X)  # whose indices have 64 bits in K

    loss, after, counts = loss_of(*values, seen.variables)
    assert [len(group) for group in after] == [len(group) for group in groups]
    np.testing.assert_allclose(float(loss), float(model.train_on_batch(X, Y)), rtol=1e-5)
    assert float(seen.stateless_result(counts)) == 1.0


@pytest.mark.backends("tensorflow")
def test_a_function_of_tensorflow_around_a_step_and_its_state(backend, expected_of_normalizing, monkeypatch):
    import tensorflow as tf

    from keras_front.legacy.stand_in import graph_functions, real

    real.complete_functions(tf)
    monkeypatch.setattr(tf, "function", tf.function)  # which is put back
    graph_functions.complete_function(tf)
    model, optimizer, seen = normalizing(), optimizers.Adam(0.01), metrics.MeanAbsoluteError()

    class Loop:
        @tf.function
        def step(self, x, y):
            with tf.GradientTape() as tape:
                y_pred = model(x, training=True)
                loss = mse(y, y_pred) + sum(model.losses)
            grads = tape.gradient(loss, model.trainable_weights)
            optimizer.apply(grads, model.trainable_weights)
            if tf.reduce_sum(x) > 1e6:  # by autograph
                loss = loss * 0.0
            seen.update_state(y, y_pred)
            return loss

    loop, noise = Loop(), tf.function(lambda: K.random_uniform((2,)))
    found = [float(loop.step(tf.constant(X), tf.constant(Y))) for _ in range(2)]
    model.set_weights(model.get_weights())  # from outside, in between
    found.append(float(loop.step(tf.constant(X), tf.constant(Y))))
    check(found, model, expected_of_normalizing)
    assert 0 < float(seen.result()) < 5
    assert not np.array_equal(noise(), noise())
    assert loop.step.python_function.__name__ == "step"


@pytest.mark.backends("tensorflow")
@pytest.mark.filterwarnings("ignore:This code cannot be traced")
def test_a_tape_in_a_step_that_cannot_be_traced_and_in_a_loop(backend, expected):
    import tensorflow as tf

    from keras_front.legacy.stand_in import real

    real.complete_functions(tf)

    class Own(Model):
        def train_step(self, data):
            x, y = data
            x = x + 0.0 * K.random_normal((tf.shape(tf.raw_ops.Identity(input=x))[0], 3))
            with tf.GradientTape() as tape:
                loss = mse(y, self(x, training=True))
            grads = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply(grads, self.trainable_weights)
            return {"loss": loss}

    model = new(Own)
    model.compile(optimizers.SGD(0.01))
    found = model.fit(X, Y, batch_size=16, epochs=3, verbose=0).history["loss"]
    check(found, model, expected)

    model, optimizer, found = new(), optimizers.SGD(0.01), []
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = mse(Y, model(tf.constant(X), training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
        found.append(float(loss))
    check(found, model, expected)
    with pytest.raises(StateError, match="a function that the engine traces by itself"):
        tf.function(lambda x: model.weights[0].assign(x), autograph=False)(np.ones((3, 2), "float32"))
