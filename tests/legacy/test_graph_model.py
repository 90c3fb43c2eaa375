"""`Graph` of Keras 0.3 and 1, and the files that Keras 0.3 wrote."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from keras_front import layers as L
from keras_front.errors import SerializationError
from keras_front.legacy.graph_model import Graph
from keras_front.models import load_model, model_from_json

pytestmark = pytest.mark.filterwarnings("ignore::keras_front.legacy.hooks.OldNameWarning")

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(6, 4)).astype("float32"), RNG.normal(size=(6, 3)).astype("float32")


def graph():
    model = Graph()
    model.add_input("a", input_shape=(4,))
    model.add_input("b", input_shape=(3,))
    model.add_node(L.Dense(5, activation="tanh"), "hidden", input="a")
    model.add_node(L.Dense(2), "both", inputs=["hidden", "b"])
    model.add_node(L.Dense(1), "last", input="both", create_output=True)
    model.add_output("joined", inputs=["hidden", "both"], merge_mode="concat")
    return model


def expected(model):
    w = model.get_weights()
    hidden = np.tanh(A @ w[0] + w[1])
    both = np.concatenate([hidden, B], 1) @ w[2] + w[3]
    return {"last": both @ w[4] + w[5], "joined": np.concatenate([hidden, both], 1)}


def assert_as_expected(model):
    got, want = model.predict({"a": A, "b": B}), expected(model)
    assert set(got) == set(want)
    for name, value in want.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-4, atol=1e-5)


def test_a_graph_is_put_together_by_names(backend, tmp_path):
    model = graph()
    assert_as_expected(model)
    data = {"a": A, "b": B, "last": B[:, :1], "joined": np.zeros((6, 7), "float32")}
    model.compile("sgd", {"last": "mse", "joined": "mae"})
    want = expected(model)
    parts = [((want["last"] - data["last"]) ** 2).mean(), abs(want["joined"]).mean()]
    np.testing.assert_allclose(model.evaluate(data, verbose=0), [sum(parts), *parts], rtol=1e-4)
    np.testing.assert_allclose(model.test_on_batch(data), [sum(parts), *parts], rtol=1e-4)
    history = model.fit(data, nb_epoch=3, batch_size=6, verbose=0, validation_data=data).history
    assert history["loss"][2] < history["loss"][0]
    model.fit_generator(iter([data] * 3), samples_per_epoch=6, nb_epoch=2, verbose=0, validation_data=data)
    assert_as_expected(model)
    for again in (model_from_json(model.to_json()), Graph.from_config(model.get_config())):
        again.set_weights(model.get_weights())
        assert_as_expected(again)
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5")
    assert_as_expected(again)
    np.testing.assert_allclose(again.train_on_batch(data), model.train_on_batch(data), rtol=1e-5)


@pytest.mark.parametrize("kwargs", [{"merge_mode": "sum"}, {"outputs": ["x", "y"]}])
def test_a_shared_node(backend, kwargs):
    model = Graph()
    for name in "ab":
        model.add_input(name, (4,))
    model.add_shared_node(L.Dense(3, name="d"), "shared", inputs=["a", "b"], create_output=True, **kwargs)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    kernel, _ = model.get_weights()
    for one in (model, again):
        got = one.predict({"a": A, "b": 2 * A})
        want = {"shared": 3 * A @ kernel} if "merge_mode" in kwargs else {"x": A @ kernel, "y": 2 * A @ kernel}
        assert set(got) == set(want)
        for name in got:
            np.testing.assert_allclose(got[name], want[name], rtol=1e-4, atol=1e-5)


def test_wrong_names():
    model = graph()
    for call, message in (
        (lambda: model.add_input("a", (2,)), "expected a new name, received 'a'"),
        (lambda: model.add_node(L.Dense(1), "n", input="nobody"), "received 'nobody'"),
        (lambda: model.add_node(L.Dense(1), "n"), "'n' needs an input"),
        (lambda: model.add_output("last", input="both"), "a new name for an output"),
        (lambda: model.add_shared_node(L.Dense(1), "n", inputs=["a"]), "an output for each of"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# Files of Keras 0.3 ------------------------------------------------------------------------------------

DENSE = {
    "name": "Dense", "custom_name": "dense", "output_dim": 3, "init": "glorot_uniform", "activation": "linear",
    "W_regularizer": {"name": "L1L2", "l1": 0.0, "l2": 0.5}, "b_regularizer": None, "trainable": True,
    "cache_enabled": True,
}  # fmt: skip
STACK = {
    "name": "Sequential",
    "layers": [
        {**DENSE, "input_shape": [4]},
        {"name": "Dropout", "p": 0.5, "custom_name": "dropout", "cache_enabled": True},
        {**DENSE, "output_dim": 2, "custom_name": "out"},
    ],
    "loss": "mse", "optimizer": {"name": "SGD", "lr": 0.1}, "class_mode": "categorical",
}  # fmt: skip
GRAPH = {
    "name": "Graph",
    "input_config": [{"name": "a", "input_shape": [4], "dtype": "float"}],
    "node_config": [
        {"name": "d", "input": "a", "inputs": [], "merge_mode": "concat", "concat_axis": -1, "create_output": True}
    ],
    "output_config": [{"name": "d", "input": "d", "inputs": [], "merge_mode": "concat", "concat_axis": -1}],
    "nodes": {"d": DENSE},
    "optimizer": {"name": "SGD"}, "loss": {"d": "mse"},
}  # fmt: skip


def arrays(group, *values):
    group.attrs["nb_params"] = len(values)
    for number, value in enumerate(values):
        group[f"param_{number}"] = value


def test_a_stack_of_keras_03(tmp_path):
    model = model_from_json(json.dumps(STACK))
    assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Dropout", "Dense"]
    assert model.layers[2].name == "out"
    assert model.layers[0].kernel_regularizer.l2 == 0.5
    first, second = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["nb_layers"] = 3
        arrays(file.create_group("layer_0"), first, np.ones(3))
        arrays(file.create_group("layer_1"))
        arrays(file.create_group("layer_2"), second, np.zeros(2))
    model.load_weights(tmp_path / "w.h5")
    np.testing.assert_allclose(model.predict(A), (A @ first + 1) @ second, rtol=1e-4, atol=1e-5)
    with h5py.File(tmp_path / "w.h5", "r+") as file:
        file["layer_0"].attrs["nb_params"] = 10**12
    with pytest.raises(ValueError):
        model.load_weights(tmp_path / "w.h5")


def test_a_graph_of_keras_03(tmp_path):
    model = model_from_json(json.dumps(GRAPH))
    kernel = RNG.normal(size=(4, 3))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        arrays(file.create_group("graph"), kernel, np.ones(3))
    model.load_weights(tmp_path / "w.h5")
    np.testing.assert_allclose(model.predict({"a": A})["d"], A @ kernel + 1, rtol=1e-4, atol=1e-5)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        arrays(file.create_group("graph"), kernel, np.ones(3), np.ones(3))
    with pytest.raises(SerializationError, match="1 arrays more"):
        model.load_weights(tmp_path / "w.h5")


def test_what_keras_03_did_not_write_is_refused():
    for config in ({"name": "Dense", "output_dim": 3}, {"nothing": 1}):
        with pytest.raises(SerializationError, match="'class_name' and 'config'"):
            model_from_json(json.dumps(config))


def test_words_and_an_lstm_of_keras_0_3(tmp_path):
    """`Embedding` said the number of words as its input; recurrent layers of 0.2 had an argument of Theano's."""
    beside = {"cache_enabled": True}
    gates = {"init": "glorot_uniform", "inner_init": "orthogonal", "forget_bias_init": "one", "activation": "tanh",
             "inner_activation": "hard_sigmoid", "truncate_gradient": -1}  # fmt: skip
    config = {"name": "Sequential", "class_mode": "binary", "loss": "mse", "optimizer": {"name": "SGD"}, "layers": [
        {"name": "Embedding", "custom_name": "embedding", "input_dim": 10, "output_dim": 4, "init": "uniform",
         "input_length": 6, "mask_zero": False, "input_shape": [10], **beside},
        {"name": "LSTM", "custom_name": "lstm", "output_dim": 3, "return_sequences": False, **gates, **beside},
    ]}  # fmt: skip
    model = model_from_json(json.dumps(config))
    random = np.random.RandomState(0)
    words, parts = random.randn(10, 4), [random.randn(*s) for s in [(4, 3), (3, 3), (3,)] * 4]
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["nb_layers"] = 2
        for place, arrays in enumerate(([words], parts)):
            group = file.create_group(f"layer_{place}")
            group.attrs["nb_params"] = len(arrays)
            for number, array in enumerate(arrays):
                group.create_dataset(f"param_{number}", data=array)
    model.load_weights(str(tmp_path / "w.h5"))
    x = np.arange(30).reshape(5, 6) % 10
    h = c = np.zeros((5, 3))
    for step in range(6):
        i, g, f, o = (words[x[:, step]] @ w + h @ u + b for w, u, b in zip(parts[::3], parts[1::3], parts[2::3]))
        i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
    np.testing.assert_allclose(model.predict(x), h, rtol=1e-4, atol=1e-5)
