"""Layers and models that users write: the protocol of Keras 2, the later one, subclassed models, losses, metrics."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front import optimizers, regularizers
from keras_front.backend import state
from keras_front.graph import InputSpec
from keras_front.layers.merge import _Merge
from keras_front.models import Model, Sequential
from keras_front.registry import custom_object_scope


@pytest.fixture(autouse=True)
def fresh_names():
    K.reset_uids()


class Antirectifier(L.Layer):
    """As in the examples of Keras 1 and 2."""

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[-1] *= 2
        return tuple(shape)

    def call(self, inputs):
        inputs -= K.mean(inputs, axis=1, keepdims=True)
        inputs = K.l2_normalize(inputs, axis=1)
        return K.concatenate([K.relu(inputs), K.relu(-inputs)], axis=1)


class Classic(L.Layer):
    """Attributes before `super().__init__`, positional name in `add_weight`, `super().build`, `get_config`."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[1], self.output_dim), initializer="uniform", trainable=True
        )
        self.scale = K.variable(2.0, name="scale")
        self.input_spec = [InputSpec(ndim=2)]
        super().build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.kernel) * self.scale

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)

    def get_config(self):
        config = {"output_dim": self.output_dim}
        base_config = super().get_config()
        return dict(list(base_config.items()) + list(config.items()))


class Block(L.Layer):
    """Layers as attributes, in a list that grows later; `training` and `mask` are passed on."""

    def __init__(self, units=3, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.depth = units, depth
        self.dense = []
        for _ in range(depth):
            self.dense.append(L.Dense(units))
        self.drop = L.Dropout(0.5)
        self.norm = L.BatchNormalization()
        self.seen = None

    def call(self, inputs, training=None):
        self.seen = training
        for layer in self.dense:
            inputs = layer(inputs)
        return self.norm(self.drop(inputs))


def values(outputs) -> np.ndarray:
    return K.to_numpy(outputs)


def test_a_classic_layer_works_everywhere(backend):
    model = Sequential([Classic(3, input_shape=(4,)), Antirectifier(), L.Dense(1)])
    assert model.layers[1].output_shape == (None, 6)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    y = K.to_numpy(model(x))
    kernel, scale = model.layers[0].get_weights()
    assert scale == 2.0
    h = 2 * x @ kernel
    h = h - h.mean(axis=1, keepdims=True)
    h /= np.linalg.norm(h, axis=1, keepdims=True)
    want = np.concatenate([np.maximum(h, 0), np.maximum(-h, 0)], axis=1) @ model.layers[2].get_weights()[0]
    np.testing.assert_allclose(y, want, rtol=1e-4, atol=1e-5)
    with custom_object_scope({"Classic": Classic, "Antirectifier": Antirectifier}):
        again = Sequential.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(K.to_numpy(again(x)), y, rtol=1e-6)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(x, np.ones((5, 1)))
    assert all(np.any(a != b) for a, b in zip(before[:1], model.get_weights()[:1], strict=True))


def test_sublayers_are_tracked_and_phases_passed_on(backend):
    layer = Block(name="block")
    x = L.Input((4,))
    y = layer(x)
    assert [w.name for w in layer.weights] == [
        "block/dense_1/kernel:0",
        "block/dense_1/bias:0",
        "block/dense_2/kernel:0",
        "block/dense_2/bias:0",
        "block/batch_normalization_1/gamma:0",
        "block/batch_normalization_1/beta:0",
        "block/batch_normalization_1/moving_mean:0",
        "block/batch_normalization_1/moving_variance:0",
    ]
    assert len(layer.trainable_weights) == 6
    layer.trainable = False
    assert layer.trainable_weights == []
    layer.trainable = True
    model = Model(x, y)
    data = np.ones((64, 4), "float32")
    calm = values(model(data))
    assert layer.seen is False
    np.testing.assert_allclose(calm, values(model(data)))
    values(model(data, training=True))
    assert layer.seen is True
    assert layer.get_config()["units"] == 3


def test_what_training_assigns_is_kept_and_what_shapes_need_is_not(backend):
    class Counter(L.Layer):
        def build(self, input_shape):
            self.count = self.add_weight("count", (), initializer="zeros", trainable=False)

        def call(self, x):
            self.add_update([K.update_add(self.count, 1.0)], x)
            return x * 1.0

    model = Sequential([Counter(input_shape=(2,)), L.Dense(1)])
    assert model.layers[0].get_weights()[0] == 0, "making the graph counts for nothing"
    model.compile("sgd", "mse")
    for _ in range(3):
        model.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
    assert model.layers[0].get_weights()[0] == 3


class Small(Model):
    def __init__(self, classes=2, **kwargs):
        super().__init__(**kwargs)
        self.hidden = L.Dense(5, activation="relu")
        self.blocks = [L.Dense(4), L.BatchNormalization()]
        self.out = L.Dense(classes, activation="softmax")

    def call(self, inputs, training=None):
        x = self.hidden(inputs)
        for block in self.blocks:
            x = block(x)
        return self.out(x)


def test_a_subclassed_model_builds_runs_and_trains(backend):
    model = Small(classes=3)
    x = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
    assert values(model(x)).shape == (12, 3)
    assert len(model.weights) == 10
    assert [layer.name for layer in model.layers] == ["dense_1", "dense_2", "batch_normalization_1", "dense_3"]
    model.compile("adam", "categorical_crossentropy")
    y = np.eye(3)[np.arange(12) % 3]
    history = model.fit(x, y, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    with pytest.raises(NotImplementedError, match="its own `call`"):
        model.get_config()


def test_a_subclassed_model_may_be_part_of_a_graph(backend):
    small, x = Small(), L.Input((4,))
    y = small(x)
    model = Model(x, L.Dense(1)(y))
    assert y.shape == (None, 2)
    assert len(model.weights) == 12
    data = np.ones((2, 4), "float32")
    hidden = values(small(data))
    np.testing.assert_allclose(values(model(data)), hidden @ model.layers[-1].get_weights()[0], rtol=1e-5, atol=1e-6)


def test_masks_reach_layers_inside_a_subclass(backend):
    class Reader(Model):
        def __init__(self):
            super().__init__()
            self.embed = L.Embedding(9, 3, mask_zero=True)
            self.read = L.LSTM(2)

        def call(self, inputs):
            return self.read(self.embed(inputs))

    model = Reader()
    long, short = values(model(np.array([[1, 2, 0, 0]]))), values(model(np.array([[1, 2]])))
    np.testing.assert_allclose(long, short, rtol=1e-5, atol=1e-6)


# Losses ----------------------------------------------------------------------------------------------


def total_of(model, x) -> float:
    """The losses besides the objective, as a trainer adds them up."""
    variables = model.weights + model.state_variables
    with state.bind(variables, [v.value for v in variables]) as frame:
        model.run(K.convert(np.asarray(x, "float32")), training=False)
        found = [*model.regularization_losses(), *frame.losses]
        return float(sum(float(K.to_numpy(v)) for v in found))


def test_penalties_on_weights_and_outputs(backend):
    model = Sequential(
        [
            L.Dense(3, input_shape=(4,), kernel_regularizer=regularizers.l2(0.5)),
            L.Dense(2, activity_regularizer="l2", name="active"),
            L.ActivityRegularization(l1=0.1),
        ]
    )
    x = np.ones((6, 4))
    y = values(model(x.astype("float32")))
    kernel = model.get_weights()[0]
    want = 0.5 * (kernel**2).sum() + 0.01 * (y**2).sum() / 6 + 0.1 * np.abs(y).sum() / 6
    np.testing.assert_allclose(total_of(model, x), want, rtol=1e-5)
    assert len(model.losses) == 3
    model.layers[0].set_weights([kernel * 0, model.get_weights()[1]])
    assert total_of(model, x) < want


def test_add_loss_inside_call_and_in_build(backend):
    class Penalized(L.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight("kernel", (2,), initializer="ones")
            self.add_loss(0.5 * K.sum(K.square(self.kernel)))

        def call(self, x):
            self.add_loss(K.mean(x))
            return x * self.kernel

    layer = Penalized()
    x = L.Input((2,))
    model = Model(x, layer(x))
    np.testing.assert_allclose(total_of(model, np.full((3, 2), 4.0)), 4.0 + 1.0, rtol=1e-6)
    layer.set_weights([np.array([3.0, 0.0])])
    np.testing.assert_allclose(total_of(model, np.full((3, 2), 4.0)), 4.0 + 4.5, rtol=1e-6)
    assert len(layer.losses) == 2


def test_a_variational_autoencoder_adds_its_loss_to_the_model(backend):
    x = L.Input((6,))
    mean, spread = L.Dense(2)(x), L.Dense(2)(x)

    def sample(args):
        m, s = args
        return m + K.exp(s / 2) * K.random_normal(shape=(K.shape(m)[0], 2), mean=0.0, stddev=1.0)

    z = L.Lambda(sample, output_shape=(2,))([mean, spread])
    model = Model(x, L.Dense(6, activation="sigmoid")(z))
    kl = -0.5 * K.sum(1 + spread - K.square(mean) - K.exp(spread), axis=-1)
    model.add_loss(K.mean(kl + 6 * K.mean(K.square(x - model.outputs[0]), axis=-1)))
    model.add_metric(K.mean(kl), name="kl")
    model.compile(optimizer="adam")
    data = np.random.default_rng(0).uniform(size=(32, 6)).astype("float32")
    history = model.fit(data, epochs=2, verbose=0, batch_size=8).history
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(history["kl"]).all()


def test_add_metric_inside_call_is_shown(backend):
    class Watched(L.Layer):
        def call(self, x):
            self.add_metric(K.mean(x), name="level")
            return x * 2.0

    model = Sequential([Watched(input_shape=(2,)), L.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.full((8, 2), 3.0), np.zeros((8, 1)), epochs=1, verbose=0).history
    np.testing.assert_allclose(history["level"], [3.0], rtol=1e-6)


# Weights from arguments, Lambda ----------------------------------------------------------------------


def test_initial_weights_and_first_shapes():
    kernel, bias = np.ones((4, 2)), np.zeros(2)
    model = Sequential([L.Dense(2, input_dim=4, weights=[kernel, bias])])
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    assert L.LSTM(2, input_dim=3, input_length=5).batch_input_shape == (None, 5, 3)
    assert L.Dense(2, input_shape=(3,), batch_size=8).batch_input_shape == (8, 3)


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (lambda: L.Dense(2), [(3,), (3,)], "expects 1 input.*, but it received 2"),
        (lambda: L.Conv2D(2, 3), [(8, 8)], "expected ndim=4, found ndim=3"),
        (lambda: L.LSTM(2), [(4,)], "expected ndim=3, found ndim=2"),
    ],
)
def test_inputs_are_looked_at_before_weights_are_made_for_them(layer, shapes, message):
    made = layer()
    inputs = [L.Input(shape) for shape in shapes]
    with pytest.raises(ValueError, match=message):
        made(inputs if len(inputs) > 1 else inputs[0])
    assert not made.weights


def test_a_merging_layer_of_ones_own_says_how_two_tensors_merge(backend):
    class Between(_Merge):
        def _merge_function(self, inputs):
            return 0.25 * inputs[0] + 0.75 * inputs[1]

    a, b = L.Input((2,)), L.Input((2,))
    model = Model([a, b], Between()([a, b]))
    np.testing.assert_allclose(model.predict([np.full((1, 2), 4.0), np.full((1, 2), 8.0)]), [[7.0, 7.0]])


def test_an_unknown_argument_is_named():
    with pytest.raises(
        TypeError, match=r"Dense: Keyword argument not understood: 'actvation'. Did you mean 'activation'"
    ):
        L.Dense(2, actvation="relu")
    with pytest.raises(
        TypeError, match=r"Adam: Keyword argument not understood: learning_rte=0.1. Did you mean 'learn"
    ):
        optimizers.Adam(learning_rte=0.1)
    with pytest.raises(ValueError, match=r"Unknown layer 'Dens'.*\n.*Dense"):
        L.deserialize({"class_name": "Dens", "config": {}})


def test_code_in_a_lambda_is_not_run_unasked(backend):
    from keras_front import bytecode
    from keras_front.errors import UnsafeFileError

    model = Sequential([L.Lambda(lambda x, by: x * by, arguments={"by": 3.0}, input_shape=(2,), name="times")])
    config = json.loads(json.dumps(model.get_config()))
    with pytest.raises(UnsafeFileError, match="'times' carries Python code"):
        Sequential.from_config(config)
    with bytecode.permit():
        again = Sequential.from_config(config)
    np.testing.assert_allclose(values(again(np.ones((1, 2), "float32"))), 3.0)
    known = Sequential.from_config(config, custom_objects={"times": lambda x, by: x + by})
    np.testing.assert_allclose(values(known(np.ones((1, 2), "float32"))), 4.0)


def test_a_named_function_in_a_lambda_is_found_by_name():
    def thrice(x):
        return 3 * x

    config = json.loads(json.dumps(L.Lambda(thrice, name="times").get_config()))
    with pytest.raises(ValueError, match="'times' carries Python code"):
        L.Lambda.from_config(config)
    assert L.Lambda.from_config(config, custom_objects={"thrice": thrice}).function is thrice


@pytest.mark.backends("torch")
def test_a_lambda_may_use_the_engine_itself(backend):
    import torch

    x = L.Input((4,))
    y = L.Lambda(lambda t: torch.sin(t)[:, :2])(x)
    assert y.shape == (None, 2)
    data = np.ones((3, 4), "float32")
    np.testing.assert_allclose(values(Model(x, y)(data)), np.sin(data)[:, :2], rtol=1e-6)


def test_recurrent_states_live_on(backend):
    model = Sequential([L.LSTM(3, stateful=True, batch_input_shape=(2, 4, 1))])
    x = np.random.default_rng(0).normal(size=(2, 4, 1)).astype("float32")
    first, second = model.predict_on_batch(x), model.predict_on_batch(x)
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_allclose(model.predict_on_batch(x), first, rtol=1e-6)
    both = Sequential([L.LSTM(3, input_shape=(8, 1), weights=model.get_weights())])
    np.testing.assert_allclose(second, both.predict_on_batch(np.concatenate([x, x], axis=1)), rtol=1e-4, atol=1e-5)
    model.layers[0].reset_states([np.ones((2, 3)), np.zeros((2, 3))])
    assert not np.allclose(model.predict_on_batch(x), first)
    with pytest.raises(ValueError, match=r"expected shape \(2, 3\), found shape \(1, 3\)"):
        model.layers[0].reset_states([np.ones((1, 3)), np.zeros((2, 3))])
    with pytest.raises(ValueError, match="needs to know its batch size"):
        Sequential([L.GRU(3, stateful=True, input_shape=(4, 1))])


def test_initial_states_and_constants(backend):
    x, h, c = L.Input((4, 2)), L.Input((3,)), L.Input((3,))
    lstm = L.LSTM(3, return_state=True)
    out, last_h, last_c = lstm(x, initial_state=[h, c])
    model = Model([x, h, c], [out, last_h, last_c])
    config = json.loads(json.dumps(model.get_config()))
    again = Model.from_config(config)
    again.set_weights(model.get_weights())
    data = [np.ones((2, 4, 2)), np.full((2, 3), 0.5), np.full((2, 3), -0.5)]
    for a, b in zip(model(data), again(data), strict=True):
        np.testing.assert_allclose(values(a), values(b), rtol=1e-6)
    with pytest.raises(ValueError, match="expects 2 states, but was passed 1"):
        lstm(x, initial_state=[h])

    class Shifted(L.Layer):
        state_size = output_size = 2

        def call(self, inputs, states, constants):
            new = inputs + states[0] + constants[0]
            return new, [new]

    sequence, shift = L.Input((3, 2)), L.Input((2,))
    y = L.RNN(Shifted())(sequence, constants=shift)
    found = values(Model([sequence, shift], y)([np.ones((1, 3, 2)), np.full((1, 2), 10.0)]))
    np.testing.assert_allclose(found, 33.0)


def test_models_can_be_copied_and_pickled():
    import copy
    import pickle

    model = Sequential([L.Dense(3, input_shape=(2,), trainable=False), L.Lambda(lambda t: t * 2.0), L.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    model.fit(x, y, verbose=0)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(copy.deepcopy(Sequential(model.layers[:1]))))):
        assert not again.layers[0].trainable
        np.testing.assert_array_equal(again.layers[0].get_weights()[0], model.layers[0].get_weights()[0])
    again = copy.deepcopy(model)
    assert model.train_on_batch(x, y) == again.train_on_batch(x, y), "the optimizer goes on where it was"
    layer = copy.deepcopy(model.layers[0])
    layer.set_weights([w * 0 for w in layer.get_weights()])
    assert np.any(model.layers[0].get_weights()[0])
    assert layer.inbound_nodes == []


def test_a_model_with_a_backend_of_its_own_is_called_on_it():
    model = Sequential([L.Dense(3, input_shape=(2,))]).to_backend("numpy")
    with K.use_backend("numpy"):
        assert isinstance(model(np.ones((1, 2))), np.ndarray)


def test_a_layer_checks_real_inputs_as_well(backend):
    with pytest.raises(ValueError, match=r"conv1d_1.* incompatible with the layer: expected ndim=3"):
        L.Conv1D(2, 2)(np.ones((3, 4)))
    dense = L.Dense(2)
    dense(np.ones((3, 4)))
    with pytest.raises(ValueError, match="axis -1 of input shape to have value 4, found 5"):
        dense(np.ones((3, 5)))


def test_a_subclassed_model_can_be_copied():
    import copy

    model = Small()
    x = np.ones((2, 4), "float32")
    want = values(model(x))
    again = copy.deepcopy(model)
    np.testing.assert_allclose(values(again(x)), want, rtol=1e-6)
    again.set_weights([w * 0 for w in again.get_weights()])
    np.testing.assert_allclose(values(model(x)), want, rtol=1e-6)


def test_a_layer_inside_a_compiled_function_reads_its_weights_when_it_runs(backend):
    layer = L.Dense(2)
    x = np.ones((3, 4), "float32")
    layer(x)
    compiled = K.compile(lambda t: layer(t) * 2.0)
    for factor in (1.0, 3.0):
        layer.set_weights([np.full((4, 2), factor), np.zeros(2)])
        np.testing.assert_allclose(values(compiled(K.convert(x))), 8 * factor, rtol=1e-6)
    assert layer.inbound_nodes == [], "a traced call is no part of a model"


def test_arguments_of_call_without_a_default_are_given():
    class Strict(L.Layer):
        supports_masking = True

        def call(self, inputs, training, mask):
            return inputs * (2.0 if training else 1.0)

    x = L.Input((2,))
    model = Model(x, Strict()(x))
    np.testing.assert_allclose(values(model(np.ones((1, 2)))), 1.0)
    np.testing.assert_allclose(values(model(np.ones((1, 2)), training=True)), 2.0)


def test_a_weight_without_a_name_in_front_is_refused():
    with pytest.raises(ValueError, match="expected the name of the weight first"):
        L.Dense(1).add_weight((3, 4))
    assert L.Dense(1).dtype == "float32"


def test_a_step_sees_the_flags_of_the_moment_it_was_settled(backend):
    model = Sequential([L.BatchNormalization(input_shape=(2,))])
    settled = model.trainable_flags()
    model.trainable = False
    x = K.convert(np.array([[0.0, 4.0], [2.0, 8.0]], "float32"))
    variables = model.weights
    with state.bind(variables, [v.value for v in variables]) as frame:
        calm = values(model.run_with_masks(x, True)[0])
        np.testing.assert_allclose(values(frame.values_of(variables)[2]), 0.0)
        by_batch = values(model.run_with_masks(x, True, trainable_flags=settled)[0])
        assert np.all(values(frame.values_of(variables)[2]) > 0)
    np.testing.assert_allclose(calm, values(x) / np.sqrt(1.001), rtol=1e-5)
    np.testing.assert_allclose(by_batch, [[-1, -1], [1, 1]], atol=1e-2)
    assert not model.layers[0].trainable


def test_a_discriminator_frozen_after_compile_still_trains_by_itself(backend):
    judge = Sequential([L.Dense(4, input_shape=(3,)), L.BatchNormalization(), L.Dense(1)])
    judge.compile("sgd", "mse")
    judge.trainable = False
    z = L.Input((2,))
    both = Model(z, judge(L.Dense(3)(z)))
    both.compile("sgd", "mse")
    before = judge.get_weights()
    both.train_on_batch(np.random.default_rng(0).normal(size=(8, 2)), np.ones((8, 1)))
    for a, b in zip(before, judge.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    judge.train_on_batch(np.random.default_rng(1).normal(size=(8, 3)), np.ones((8, 1)))
    changed = [np.any(a != b) for a, b in zip(before, judge.get_weights(), strict=True)]
    assert [changed[i] for i in (0, 4, 5)] == [True] * 3, "weights and running statistics"
