"""Compiling takes time in proportion to the depth of a model, on every backend, and depth never ends a recursion."""

from __future__ import annotations

import cProfile
import pstats

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers, models, optimizers
from keras_front.backend import codegen, program

pytestmark = pytest.mark.slow


def plain(x, kernels, biases):
    for kernel, bias in zip(kernels, biases, strict=True):
        x = K.relu(K.bias_add(K.dot(x, kernel), bias))
    return x


def residual(x, kernels, biases):
    for kernel, bias in zip(kernels, biases, strict=True):
        x = x + K.relu(K.bias_add(K.dot(x, kernel), bias))
    return x


def views(x, kernels, biases):
    for kernel, bias in zip(kernels, biases, strict=True):
        x = K.transpose(K.reshape(x * kernel[:, 0] + bias, (4, 4)))
        x = K.reshape(x, (2, 8))[:, ::-1]
        x = K.reshape(x, (4, 4))
    return x


def unrolled(x, kernels, biases):
    """The same weights at every step, whose gradients are added up."""
    state = x
    for _ in kernels:
        state = K.tanh(K.dot(state, kernels[0]) + K.dot(x, kernels[1]) + biases[0])
    return state


def dense(x, kernels, biases):
    """Every layer reads the sum of all before it."""
    total = x
    for kernel, bias in zip(kernels, biases, strict=True):
        x = K.tanh(K.dot(total, kernel) + bias)
        total = total + x
    return total


NETS = {fn.__name__: fn for fn in (plain, residual, views, unrolled, dense)}


def step_of(net):
    def step(state, x):
        half = len(state) // 2

        def loss(params):
            return K.mean(K.square(net(x, params[:half], params[half:]))), []

        (value, _), grads = K.value_and_grad(loss, state)
        return K.sgd_update(state, grads, [], 0.01)[0], value

    return step


def compile_net(backend, net, depth):
    """What this project does before an engine compiles by itself: trace, differentiate, simplify, write, plan."""
    rng = np.random.default_rng(0)
    state = [backend.asarray(0.1 * rng.standard_normal((4, 4)).astype("float32")) for _ in range(depth)]
    state += [backend.asarray(np.zeros(4, "float32")) for _ in range(depth)]
    x = backend.asarray(rng.standard_normal((4, 4)).astype("float32"))
    traced = program.trace(backend, step_of(net), [state, x], (0,))
    if backend.name not in ("numpy", "torch"):
        return codegen.function_of(traced)
    return backend.compile_program(traced)(state, x)


def calls(act, *args):
    profile = cProfile.Profile()
    profile.runcall(act, *args)
    return pstats.Stats(profile).total_calls


@pytest.mark.parametrize("name", NETS)
def test_the_work_grows_with_the_depth(backend, name):
    compile_net(backend, NETS[name], 10)  # what is imported and cached once
    counts = [calls(compile_net, backend, NETS[name], depth) for depth in (20, 40, 80)]
    assert (counts[2] - counts[1]) < 2.2 * (counts[1] - counts[0])


def deep_model(depth):
    inputs = x = layers.Input(shape=(3,))
    for _ in range(depth):
        x = layers.Add()([x, layers.Dense(3, activation="tanh", kernel_initializer="zeros")(x)])
    return models.Model(inputs, x)


@pytest.mark.backends("numpy", "torch")
def test_a_thousand_layers_train(backend):
    model = deep_model(1000)
    model.compile(loss="mse", optimizer=optimizers.SGD(1e-6))
    x = np.ones((2, 3), "float32")
    assert model.train_on_batch(x, x * 2) == pytest.approx(1.0)  # all kernels are zero: the model is the identity
    assert model.train_on_batch(x, x * 2) < 1.0
    assert model.predict(x, verbose=0).shape == (2, 3)
