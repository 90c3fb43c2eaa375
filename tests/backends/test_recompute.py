"""`K.recompute`, `Layer(recompute=True)` and `model.recompute`: the same numbers, with less that is kept."""

from __future__ import annotations

import copy
import pickle
import tracemalloc

import numpy as np
import pytest

import keras_front
from keras_front import RematScope, layers, remat
from keras_front import backend as K
from keras_front.backend.seeds import set_random_seed
from keras_front.errors import ArgumentError
from keras_front.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Input,
    Layer,
    MultiHeadAttention,
    TimeDistributed,
)
from keras_front.models import Model, Sequential, load_model, model_from_json
from keras_front.optimizers import SGD

R = np.random.RandomState(0)
X, Y = R.rand(8, 4).astype("float32"), R.rand(8, 1).astype("float32")


class Plain(Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = Dense(3, "tanh"), Dense(1)

    def call(self, inputs, training=None):
        return self.second(self.first(inputs))


class Reporting(Layer):
    """Adds a loss and draws noise."""

    def call(self, inputs):
        self.add_loss(K.mean(K.square(inputs)))
        return inputs * K.random_uniform((1,), 0.5, 1.5)


def small():
    return Sequential([Dense(3, "tanh", input_shape=(4,)), Dropout(0.3), Dense(1)])


def deep():
    parts = [Dense(6, "tanh", input_shape=(4,)), BatchNormalization(), Dropout(0.3), Reporting(), Dense(6, "tanh")]
    return Sequential([*parts, Dense(1, activity_regularizer="l2")])


def sequences():
    inside = Sequential([Dense(3, "tanh", input_shape=(3,)), Dense(3, "tanh")], name="inside")
    model = Sequential([Embedding(5, 3, mask_zero=True, input_length=4), LSTM(3, return_sequences=True)])
    model.add(TimeDistributed(inside))
    model.add(LSTM(2))
    return model


def attention():
    x = Input((4, 2))
    return Model(x, Dense(1)(layers.Flatten()(MultiHeadAttention(2, 2, name="attention")(x, x))))


def trained(make, choose, x, y, **keywords):
    set_random_seed(3)
    model = make()
    choose(model)
    model.compile(SGD(0.1), "mse", **keywords)
    return [np.array([model.train_on_batch(x, y) for _ in range(2)]), *model.get_weights()]


def compared(make, choose, x, y, **keywords):
    expected = trained(make, lambda model: None, x, y, **keywords)
    for a, b in zip(trained(make, choose, x, y, **keywords), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def whole(model):
    model.recompute = True


def each(model):
    model.recompute = [".*"]


def test_a_model_in_parts_trains_to_the_same_numbers(backend):
    compared(small, whole, X, Y)


@pytest.mark.slow
@pytest.mark.engine_neutral
@pytest.mark.parametrize("choose", [whole, each])
def test_models_of_all_kinds_train_to_the_same_numbers(backend, choose):
    """With noise, statistics, losses of layers, penalties on outputs, masks, loops."""
    compared(deep, choose, X, Y)
    compared(sequences, choose, R.randint(0, 5, size=(6, 4)), R.rand(6, 2))
    compared(attention, choose, R.rand(6, 4, 2), R.rand(6, 1))
    if choose is whole:
        compared(Plain, whole, X, Y)


@pytest.mark.slow
@pytest.mark.backends("torch", "numpy")
def test_a_step_that_is_debugged_draws_the_same_noise(backend):
    compared(deep, whole, X, Y, run_eagerly=True)


def block(x, w):
    for _ in range(3):
        x = K.tanh(K.dot(x, w))
    return {"result": x, "none": None}


def test_gradients_are_those_of_a_plain_call(backend):
    """By the engine and by the rules, also where the function uses what it was not given."""
    w = K.variable(R.rand(4, 4))
    (value, _), (g,) = K.value_and_grad(
        lambda _: (K.sum(K.recompute(block, K.constant(X), w=w.read())["result"]), None), [w]
    )
    (expected, _), (h,) = K.value_and_grad(lambda _: (K.sum(block(K.constant(X), w.read())["result"]), None), [w])
    np.testing.assert_allclose(K.to_numpy(g), K.to_numpy(h), rtol=1e-5)
    assert float(K.to_numpy(value)) == pytest.approx(float(K.to_numpy(expected)), rel=1e-5)
    x = K.placeholder((8, 4))
    outer = K.sum(K.square(K.gradients(remat(lambda t: block(t, w)["result"])(x), [w])[0]))  # differentiated twice
    plain = K.sum(K.square(K.gradients(block(x, w)["result"], [w])[0]))
    results = K.function([x], [*K.gradients(outer, [w, x]), *K.gradients(plain, [w, x])])([X])
    np.testing.assert_allclose(results[0], results[2], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(results[1], results[3], rtol=1e-4, atol=1e-6)


def step_of(recompute):
    """A step that differentiates eight blocks of three `tanh`."""

    def step(ws, x):
        def loss(values):
            h = x
            for w in values:
                h = K.recompute(block, h, w)["result"] if recompute else block(h, w)["result"]
            return K.sum(h), []

        (value, _), grads = K.value_and_grad(loss, ws)
        return [value, *grads]

    return K.compile(step)


WS, ROWS = [R.rand(4, 4).astype("float32") for _ in range(8)], R.rand(4096, 4).astype("float32")


@pytest.mark.backends("numpy")
def test_numpy_computes_twice_and_keeps_less(backend):
    found = []
    for recompute in (False, True):
        step = step_of(recompute)
        tracemalloc.start()
        step(WS, ROWS)
        found.append(
            (sum(i.op == "tanh" for i in step.program(WS, ROWS).instructions), tracemalloc.get_traced_memory()[1])
        )
        tracemalloc.stop()
    assert [ops for ops, _ in found] == [24, 48]
    assert found[1][1] < 0.6 * found[0][1]


class Kept:
    """A tensor that torch keeps for the gradient; the class counts what is kept at most."""

    now = most = 0

    def __init__(self, tensor):
        self.tensor = tensor
        Kept.now += tensor.numel()
        Kept.most = max(Kept.most, Kept.now)

    def __del__(self):
        Kept.now -= self.tensor.numel()


@pytest.mark.backends("torch")
def test_torch_keeps_less(backend):
    import torch

    most = []
    for recompute in (False, True):
        Kept.now = Kept.most = 0
        with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
            step_of(recompute)(WS, np.tile(ROWS, (5, 1)))  # for less, the rules of K are used
        most.append(Kept.most)
    assert most[1] < 0.5 * most[0]


@pytest.mark.backends("jax", "tensorflow")
def test_engines_that_compile_are_told(backend):
    """JAX: the checkpoint is in what it compiles. TensorFlow: so are both runs, the second one behind the gradient."""
    step = step_of(True)
    ws, x = [backend.convert(w) for w in WS], backend.convert(ROWS)
    if backend.name == "jax":
        import jax

        assert str(jax.make_jaxpr(lambda ws, x: step.inline(ws, x))(ws, x)).count("prevent_cse=True") >= 8
    else:
        import tensorflow as tf

        graph = tf.function(lambda: step.inline(ws, x), autograph=False).get_concrete_function().graph
        assert sum(op.type == "Tanh" for op in graph.get_operations()) == 48


# In configs, copies and files ------------------------------------------------------------------------------------


@pytest.mark.engine_neutral
def test_layers_remember_it(backend, tmp_path):
    model = Sequential([Dense(3, input_shape=(4,), recompute=True), Dense(1)])
    model.compile("sgd", "mse")
    assert [layer.get_config().get("recompute") for layer in model.layers] == [True, None]
    path = str(tmp_path / "model.h5")
    model.save(path)
    for again in (
        model_from_json(model.to_json()),
        load_model(path),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ):
        assert [layer.recompute for layer in again.layers] == [True, False]
    with pytest.raises(ArgumentError, match="recompute"):
        Dense(3, recompute="yes")


@pytest.mark.engine_neutral
def test_layers_are_chosen_by_patterns_and_by_scopes():
    inner = Sequential([Dense(2, input_shape=(4,), name="a"), Dense(2, name="b")], name="block1")
    model = Sequential([inner, Dense(1, name="top")])
    model.recompute = ["block[12]"]
    assert (inner.recompute, model.get_layer("top").recompute, model.recompute) == (True, False, ["block[12]"])
    model.recompute = "block1/b"
    assert (inner.recompute, inner.get_layer("b").recompute) == (False, True)
    with pytest.raises(ArgumentError, match="fits none"):
        model.recompute = ["nothing"]
    x = K.placeholder((None, 4))
    for mode, expected in (("full", True), ("activations", True), (None, False)):
        with RematScope(mode):
            layer = Dense(3, "relu")
        assert keras_front.graph.recompute.scope_of_now() is None
        assert layer._remat_scope.applies_to(layer, x) is expected
    with RematScope("larger_than", output_size_threshold=5):
        assert [layer._remat_scope.applies_to(layer, x) for layer in (Dense(5), Dense(6))] == [False, True]
    with pytest.raises(ArgumentError, match="mode"):
        RematScope("some")


@pytest.mark.backends("numpy")
def test_a_scope_has_its_layers_computed_again(backend):
    def ops(mode):
        with RematScope(mode):
            model = Sequential([Dense(3, "tanh", input_shape=(4,)), Dense(3, "tanh"), Dense(1)])
        model.compile("sgd", "mse")
        model.train_on_batch(X, Y)
        steps = model._compilation.steps
        (train,) = [c for key, c in steps._compiled.items() if key[0][0] == "train"]
        return next(reversed(train.programs.values())).instructions

    assert [sum(i.op == "tanh" for i in ops(mode)) for mode in (None, "full")] == [2, 4]
