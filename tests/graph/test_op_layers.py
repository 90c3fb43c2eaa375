"""Ops of K between layers are layers of the model: shown, counted, written, cloned, copied, pickled, trained."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front import ops
from keras_front.graph import OpLayer
from keras_front.graph.added_layers import AddLoss, AddMetric
from keras_front.models import Model, Sequential, clone_model, load_model, model_from_json


@pytest.fixture(autouse=True)
def fresh_names():
    K.reset_uids()


RANDOM = np.random.RandomState(0)
X = RANDOM.rand(6, 4).astype("float32")


def on(*inputs, outputs):
    return Model(list(inputs), outputs)


# Each makes an output from two inputs (batch, 4); the truth is NumPy.
CASES = {
    "operators": (lambda a, b: 2 - (a * 3 + b) / 4 - (-a) ** 2, lambda a, b: 2 - (a * 3 + b) / 4 - a**2),
    "constants": (
        lambda a, b: a * np.arange(4, dtype="float32") + K.constant([[1.0, 2, 3, 4]]) - b,
        lambda a, b: a * np.arange(4) + np.array([[1, 2, 3, 4]]) - b,
    ),
    "slices": (lambda a, b: K.concatenate([a[:, 1:3], b[..., ::-1]]), lambda a, b: np.c_[a[:, 1:3], b[:, ::-1]]),
    "int index": (lambda a, b: a[:, -1:] + b[:, 0][:, None], lambda a, b: a[:, -1:] + b[:, :1]),
    "list index": (lambda a, b: ops.take(a, [0, 2], axis=1) + b[:, 1:3], lambda a, b: a[:, [0, 2]] + b[:, 1:3]),
    "reductions": (
        lambda a, b: (K.mean(a, axis=1) + K.max(b, axis=-1))[:, None] + K.sum(b, axis=[1], keepdims=True),
        lambda a, b: (a.mean(1) + b.max(1) + b.sum(1))[:, None],
    ),
    "shapes": (
        lambda a, b: K.reshape(K.reshape(a, (K.shape(b)[0], 2, 2)), (-1, 4)) + K.squeeze(K.expand_dims(b, 1), 1),
        lambda a, b: a + b,
    ),
    "choice": (lambda a, b: K.switch(a > b, a, K.zeros_like(b)), lambda a, b: np.where(a > b, a, 0)),
    "several results": (
        lambda a, b: (lambda m: m[0] + K.sqrt(m[1]))(ops.moments(a, axes=[1], keepdims=True)) * b,
        lambda a, b: (a.mean(1, keepdims=True) + a.std(1, keepdims=True)) * b,
    ),
    "numpy names": (
        lambda a, b: ops.clip(ops.tensordot(a, np.ones((4, 4), "float32"), axes=1), 0.0, 2.0)
        + ops.split(b, 2, axis=1)[1][:, :1],
        lambda a, b: np.clip(a @ np.ones((4, 4)), 0, 2) + b[:, 2:3],
    ),
    "integers": (lambda a, b: K.one_hot(K.argmax(a), 4) + b, lambda a, b: np.eye(4)[a.argmax(1)] + b),
    "softmax of a product": (
        lambda a, b: K.softmax(K.batch_dot(K.expand_dims(a, -1), K.expand_dims(b, 1)))[:, :, 0],
        lambda a, b: (lambda e: e / e.sum(-1, keepdims=True))(np.exp(a[:, :, None] * b[:, None, :]))[:, :, 0],
    ),
    "a loop": (
        lambda a, b: K.foldl(lambda total, row: total + row, K.permute_dimensions(a, (1, 0)))[:, None] + b,
        lambda a, b: a.sum(1, keepdims=True) + b,
    ),
}  # fmt: skip


def built(case):
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    return Model([a, b], CASES[case][0](a, b))


def as_numbers(model):
    return model.predict([X, X[::-1].copy()])


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("case", CASES)
def test_numbers_of_copies_are_those_of_the_model(backend, case):
    model = built(case)
    expected = CASES[case][1](X.astype("float64"), X[::-1].astype("float64"))
    np.testing.assert_allclose(as_numbers(model), expected, rtol=2e-5, atol=2e-6)
    copies = [clone_model(model), copy.deepcopy(model), Model.from_config(model.get_config())]
    for again in copies:
        np.testing.assert_allclose(as_numbers(again), expected, rtol=2e-5, atol=2e-6)
        assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("case", CASES)
def test_numbers_after_files_and_pickles(backend, case, tmp_path):
    model = built(case)
    before = as_numbers(model)
    copies = [pickle.loads(pickle.dumps(model)), model_from_json(model.to_json())]
    for name in ("m.h5", "m.keras"):
        model.save(str(tmp_path / name))
        copies.append(load_model(str(tmp_path / name)))
    for again in copies:
        np.testing.assert_array_equal(as_numbers(again), before)


def test_the_layers_are_those_that_the_model_shows(backend):
    x = L.Input((4,), name="x")
    model = Model(x, L.Dense(2, name="d")(x * 2.0 + 1.0)[:, 0])
    assert [layer.name for layer in model.layers] == ["x", "op_multiply_1", "op_add_1", "d", "op_getitem_1"]
    assert isinstance(model.get_layer("op_add_1"), OpLayer)
    lines = []
    model.summary(print_fn=lines.append)
    assert any("op_multiply_1 (OpLayer)" in line and "(None, 4)" in line for line in lines)
    multiply = model.get_layer("op_multiply_1")
    assert multiply.output_shape == (None, 4)
    assert multiply.weights == []
    assert multiply.outbound_nodes[0].layer is model.get_layer("op_add_1")
    middle = Model(x, multiply.output)
    np.testing.assert_allclose(middle.predict(X), X * 2)


def test_k_alone_makes_no_layers(backend):
    x = L.Input((4,))
    h = K.square(x)
    (gradient,) = K.gradients(K.sum(h), [x])
    np.testing.assert_allclose(K.function([x], [gradient])([X])[0], 2 * X, rtol=1e-6)
    assert h.history is None
    assert x.history[0].outbound_nodes == []


def autoencoder():
    """Losses and metrics of the graph, made by ops: a variational autoencoder without its noise."""
    x = L.Input((4,), name="x")
    mean, log_var = L.Dense(2, name="mean")(x), L.Dense(2, name="log_var")(x)
    y = L.Dense(4, name="y")(mean + K.exp(log_var / 2))
    model = Model(x, y)
    model.add_loss(K.mean(-0.5 * K.sum(1 + log_var - K.square(mean) - K.exp(log_var), axis=-1)))
    model.add_loss(0.01 * K.sum(K.square(model.get_layer("y").kernel)))
    model.add_metric(K.mean(K.abs(mean)), name="size")
    return model


def trained(model):
    model.compile("adam", "mse")
    return model.fit(X, X, epochs=2, shuffle=False, verbose=0).history


def copies_of(model, tmp_path):
    for name in ("m.h5", "m.keras"):
        model.save(str(tmp_path / name))
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    rebuilt = Model.from_config(model.get_config())
    rebuilt.set_weights(model.get_weights())
    return {
        "deepcopy": copy.deepcopy(model), "pickle": pickle.loads(pickle.dumps(model)), "clone": clone,
        "config": rebuilt, "h5": load_model(str(tmp_path / "m.h5")), "keras": load_model(str(tmp_path / "m.keras")),
    }  # fmt: skip


def test_what_was_added_to_the_graph_is_in_every_copy(backend, tmp_path):
    model = autoencoder()
    w = dict(zip([v.name.partition(":")[0] for v in model.weights], model.get_weights(), strict=True))
    mean, log_var = (X @ w[f"{n}/kernel"] + w[f"{n}/bias"] for n in ("mean", "log_var"))
    kl = np.mean(-0.5 * np.sum(1 + log_var - mean**2 - np.exp(log_var), -1))
    y = (mean + np.exp(log_var / 2)) @ w["y/kernel"] + w["y/bias"]
    expected = np.mean((y - X) ** 2) + kl + 0.01 * np.sum(w["y/kernel"] ** 2)
    model.compile("adam", "mse")
    loss, size = model.evaluate(X, X, verbose=0)
    np.testing.assert_allclose([loss, size], [expected, np.abs(mean).mean()], rtol=1e-5)
    copies = copies_of(model, tmp_path)
    history = trained(model)
    for name, again in copies.items():
        assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers], name
        for key, values in trained(again).items():
            np.testing.assert_allclose(values, history[key], rtol=1e-5, err_msg=f"{name}, {key}")
        for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6, err_msg=name)


def test_added_layers_follow_all_others_as_in_tf_keras():
    model = autoencoder()
    kinds = [type(layer) for layer in model.layers]
    assert [kinds.count(kind) for kind in (AddLoss, AddMetric)] == [2, 1]
    assert kinds.index(AddLoss) > [layer.name for layer in model.layers].index("y")


def test_a_copy_shares_no_weights_and_keeps_the_tie_of_tied_weights(backend):
    x = L.Input((4,))
    dense = L.Dense(2, use_bias=False)
    model = Model(x, K.dot(dense(x), K.transpose(dense.kernel)))
    kernel = dense.get_weights()[0]
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), clone, model_from_json(model.to_json())):
        again.set_weights([kernel * 2])
        np.testing.assert_allclose(again.predict(X), X @ kernel @ kernel.T * 4, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X), X @ kernel @ kernel.T, rtol=1e-5)


def test_a_model_with_ops_as_a_layer_of_another(backend, tmp_path):
    inner_x = L.Input((4,), name="inner_x")
    inner = Model(inner_x, L.Dense(4, name="d")(inner_x * 2.0) + inner_x, name="inner")
    inner.add_loss(K.mean(K.square(inner.output)))
    x = L.Input((4,), name="x")
    model = Model(x, inner(inner(x)) - 1.0)
    model.compile("sgd", "mse")
    expected, loss = model.predict(X), model.evaluate(X, X, verbose=0)
    for name, again in copies_of(model, tmp_path).items():
        np.testing.assert_allclose(again.predict(X), expected, rtol=1e-5, err_msg=name)
        again.compile("sgd", "mse")
        np.testing.assert_allclose(again.evaluate(X, X, verbose=0), loss, rtol=1e-5, err_msg=name)


def test_a_stack_keeps_its_added_loss_in_copies(backend, tmp_path):
    model = Sequential([L.Dense(3, input_shape=(4,)), L.Dense(4)])
    model.add_loss(K.mean(K.square(model.layers[0].output)))
    model.compile("sgd", "mse")
    loss = model.evaluate(X, X, verbose=0)
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), clone]
    for name in ("m.h5", "m.keras"):
        model.save(str(tmp_path / name))
        copies.append(load_model(str(tmp_path / name)))
    for again in copies:
        again.compile("sgd", "mse")
        np.testing.assert_allclose(again.evaluate(X, X, verbose=0), loss, rtol=1e-6)
        assert isinstance(again, Sequential)
        assert len(again.layers) == 2


def test_attributes_of_the_user_and_the_state_of_training_are_copied(backend):
    model = autoencoder()
    trained(model)
    model.note, model.parts = {"version": 3}, [model.get_layer("y")]
    model.get_layer("y").tag = "last"
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.note == {"version": 3}
        assert again.parts[0] is again.get_layer("y")
        assert again.parts[0].tag == "last"
        assert int(again.optimizer.iterations.numpy()) == 2
        losses = [m.train_on_batch(X, X) for m in (copy.deepcopy(model), again)]
        np.testing.assert_allclose(*losses, rtol=1e-6)


def test_a_thousand_ops_take_time_in_proportion(backend):
    import time

    def seconds(count):
        y = x = L.Input((2,))
        for _ in range(count):
            y = y + x
        begin = time.perf_counter()
        model = Model(x, y)
        model.get_config()
        return time.perf_counter() - begin

    seconds(50)
    short = min(seconds(200) for _ in range(3))
    assert min(seconds(1000) for _ in range(2)) < 15 * short


def test_the_names_of_ops_are_an_allow_list():
    with pytest.raises(ValueError, match="name of an op of K"):
        OpLayer("os.system")


def test_the_config_is_json_with_the_wiring_of_tf_keras():
    x = L.Input((4,), name="x")
    model = Model(x, (2.0 - x)[:, 1:3])
    entries = json.loads(json.dumps(model.get_config()))["layers"]
    assert [entry["config"].get("function") for entry in entries] == [None, "subtract", "getitem"]
    assert entries[1]["inbound_nodes"] == [["_CONSTANT_VALUE", -1, 2.0, {"y": ["x", 0, 0]}]]
    whole, cut = {"start": None, "stop": None, "step": None}, {"start": 1, "stop": 3, "step": None}
    assert entries[2]["inbound_nodes"] == [["op_subtract_1", 0, 0, {"key": [whole, cut]}]]


def test_losses_given_to_layers_count_and_are_copied(backend):
    x = L.Input((4,))
    dense = L.Dense(4, use_bias=False)
    h = dense(x)
    dense.add_loss(K.mean(K.square(h)))
    dense.add_loss(0.1 * K.sum(K.square(dense.kernel)))
    model = Model(x, h)
    kernel = dense.get_weights()[0]
    y = X @ kernel
    expected = np.mean((y - X) ** 2) + np.mean(y**2) + 0.1 * np.sum(kernel**2)
    for again in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        again.compile("sgd", "mse")
        np.testing.assert_allclose(again.evaluate(X, X, verbose=0), expected, rtol=1e-5)
    again.set_weights([kernel * 0])
    np.testing.assert_allclose(again.evaluate(X, X, verbose=0), np.mean(X**2), rtol=1e-5)


def test_noise_and_the_learning_phase_between_layers(backend, tmp_path):
    x = L.Input((4,))
    model = Model(x, K.in_train_phase(x * 100.0 + 0.0 * K.random_normal(K.shape(x)), x * 2.0))
    model.save(str(tmp_path / "m.h5"))
    for again in (model, copy.deepcopy(model), clone_model(model), load_model(str(tmp_path / "m.h5"))):
        np.testing.assert_allclose(again.predict(X), X * 2, rtol=1e-6)
        np.testing.assert_allclose(K.to_numpy(again(X, training=True)), X * 100, rtol=1e-5)


def test_gradients_as_an_output_are_copied(backend):
    x = L.Input((4,))
    dense = L.Dense(1, use_bias=False)
    model = Model(x, K.gradients(K.sum(K.square(dense(x))), [x])[0])
    kernel = dense.get_weights()[0]
    for again in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_allclose(again.predict(X), 2 * (X @ kernel) @ kernel.T, rtol=1e-5)


def test_functions_use_the_layers_of_the_copy(backend):
    x = L.Input((4,))
    dense = L.Dense(4, use_bias=False)
    model = Model(x, L.Lambda(lambda h: K.dot(h, K.transpose(dense.kernel)))(dense(x)))
    model.add_loss(lambda: 0.1 * K.sum(K.square(dense.kernel)))
    kernel = dense.get_weights()[0]
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        again.set_weights([kernel * 2])
        np.testing.assert_allclose(again.predict(X), X @ kernel @ kernel.T * 4, rtol=1e-5)
        again.compile("sgd", "mse")
        expected = np.mean((X @ kernel @ kernel.T * 4 - X) ** 2) + 0.4 * np.sum(kernel**2)
        np.testing.assert_allclose(again.evaluate(X, X, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X), X @ kernel @ kernel.T, rtol=1e-5)
    with pytest.warns(UserWarning, match="add_loss is not part of the config"):
        model.get_config()


def test_ops_on_a_model_that_was_read_find_free_names(tmp_path):
    x = L.Input((4,))
    model = Model(x, (x + 1.0) + x)
    model.add_loss(K.mean(model.output))
    model.save(str(tmp_path / "m.h5"))
    K.reset_uids()  # as in a fresh process
    read = load_model(str(tmp_path / "m.h5"))
    longer = Model(read.input, read.output + 1.0)
    longer.add_loss(K.mean(longer.output))
    names = [layer.name for layer in longer.layers]
    assert len(set(names)) == len(names)
    assert {"op_add_1", "op_add_2", "op_add_3"} <= set(names)
    np.testing.assert_allclose(longer.predict(X), 2 * X + 2, rtol=1e-6)
