"""Whole files of Keras 1: structure, weights, training config and the optimizer's state, against formulas in NumPy."""

from __future__ import annotations

import warnings

import keras1_files as files
import numpy as np
import pytest
from keras1_files import dense, first, layer, numbers, stack, trained

from keras_front import layers
from keras_front.models import Sequential, load_model, model_from_config


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def read(path):
    """The model in a file, with an error for every warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_model(path)


def firsts(optimizer):
    return [float(np.ravel(array)[0]) for array in optimizer.get_weights()]


# Optimizers: arguments, slots, and whether the counter was among the weights, in 1.x and from 2.3 on.
ADAM = {"lr": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
OPTIMIZERS = {
    "SGD": ({"lr": 0.01, "momentum": 0.9, "decay": 0.0, "nesterov": False}, 1, True),
    "RMSprop": ({"lr": 0.01, "rho": 0.9, "epsilon": 1e-8}, 1, False),
    "Adagrad": ({"lr": 0.01, "epsilon": 1e-8}, 1, False),
    "Adadelta": ({"lr": 1.0, "rho": 0.95, "epsilon": 1e-8}, 2, False),
    "Adam": (ADAM, 2, True),
    "Adamax": (ADAM, 2, True),
    "Nadam": ({**ADAM, "schedule_decay": 0.004}, 2, True),
}


@pytest.mark.parametrize("version", [None, "2.2.4", "2.3.1"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_each_optimizer(name, version, tmp_path):
    """Up to Keras 2.2 some had no counter; 2.2 kept stubs for a third slot of Adam."""
    arguments, slots, counted = OPTIMIZERS[name]
    w, b = numbers(4, 3), numbers(3)
    state = files.states([w.shape, b.shape], slots, counted or version == "2.3.1", "training/Optimizer/Variable_{}:0")
    if name == "Adam" and version in ("2.2.4", "2.3.1"):
        state |= {f"stub_{place}": np.zeros(1, "float32") for place in range(2)}
    config = stack(dense("dense_1", 3, "tanh", input_dim=4, **first([4])))
    path = files.write(tmp_path / "m.h5", config, [("dense_1", [w, b])], trained(name, **arguments), state, version)
    model = read(path)
    expected = [7.0 if counted or version == "2.3.1" else 0.0, *map(float, range(1, 1 + 2 * slots))]
    got = firsts(model.optimizer)
    assert (got[:1] + got[2:] if name == "Nadam" else got) == expected


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", "max"])
def test_a_stack_that_begins_with_merge(mode, tmp_path):
    """Keras 1 wrote the layers of the merged models one by one, in the weights and in the optimizer's state."""
    branches = [stack(dense(f"dense_{n}", 3, "tanh", input_dim=4, **first([4]))) for n in (1, 2)]
    raw = {f"{key}_type": "raw" for key in ("mode", "output_shape", "output_mask")}
    merge = {"class_name": "Merge", "config": {
        "name": "merge_1", "mode": mode, "concat_axis": -1, "dot_axes": -1, "output_shape": None, "output_mask": None,
        "arguments": {}, "layers": branches, **raw}}  # fmt: skip
    config = stack(merge, dense("dense_3", 2, "sigmoid"))
    a, b, c, d, f = numbers(4, 3), numbers(3), numbers(4, 3), numbers(3), numbers(2)
    e = numbers(6 if mode == "concat" else 3, 2)
    weights = [("dense_1", [a, b]), ("dense_2", [c, d]), ("dense_3", [e, f])]
    state = files.states([w.shape for _, held in weights for w in held], 2)
    x = numbers(5, 4)
    p, q = np.tanh(x @ a + b), np.tanh(x @ c + d)
    joined = {"concat": np.concatenate([p, q], -1), "sum": p + q, "mul": p * q, "ave": (p + q) / 2}
    want = sigmoid(joined.get(mode, np.maximum(p, q)) @ e + f)
    whole = files.write(tmp_path / "m.h5", config, weights, trained("Adam", "binary_crossentropy", **ADAM), state)
    model = read(whole)
    np.testing.assert_allclose(model.predict([x, x]), want, rtol=1e-5)
    assert firsts(model.optimizer) == [7.0, *range(1, 13)]
    for path in (files.write(tmp_path / "w.h5", None, weights), whole):
        other = model_from_config(config)
        other.load_weights(path)
        np.testing.assert_allclose(other.predict([x, x]), want, rtol=1e-5)
    model.save(str(tmp_path / "ours.h5"))
    np.testing.assert_allclose(read(tmp_path / "ours.h5").predict([x, x]), want, rtol=1e-5)


def lstm_of_keras1(x, gates, hard=True):
    """The last state of an LSTM whose gates i, c, f, o have arrays (W, U, b) of their own."""
    inner = (lambda z: np.clip(0.2 * z + 0.5, 0, 1)) if hard else sigmoid
    h = c = np.zeros((len(x), gates[0][1].shape[0]))
    for step in range(x.shape[1]):
        i, g, f, o = (x[:, step] @ w + h @ u + b for w, u, b in gates)
        c = inner(f) * c + inner(i) * np.tanh(g)
        h = inner(o) * np.tanh(c)
    return h


LSTM = {
    "return_sequences": False, "go_backwards": False, "stateful": False, "unroll": False, "consume_less": "cpu",
    "input_dim": 4, "input_length": None, "output_dim": 3, "init": "glorot_uniform", "inner_init": "orthogonal",
    "forget_bias_init": "one", "activation": "tanh", "inner_activation": "hard_sigmoid", "W_regularizer": None,
    "U_regularizer": None, "b_regularizer": None, "dropout_W": 0.2, "dropout_U": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("nested", [False, True])
def test_words_and_an_lstm_with_its_state(nested, tmp_path):
    """Twelve arrays of an LSTM, in its weights and each slot; a table of words stays one of floats."""
    table = {"input_dim": 10, "output_dim": 4, "init": "uniform", "input_length": 6, "mask_zero": False,
             "activity_regularizer": None, "W_regularizer": None, "W_constraint": None, "dropout": 0.2}  # fmt: skip
    parts = [layer("Embedding", "embedding_1", **table, **first([6], "int32")), layer("LSTM", "lstm_1", **LSTM)]
    words, w, b = numbers(10, 4), numbers(3, 1), numbers(1)
    gates = [[numbers(4, 3), numbers(3, 3), numbers(3)] for _ in range(4)]
    arrays = [array for gate in gates for array in gate]
    weights = [("embedding_1", [words]), ("lstm_1", arrays)]
    if nested:
        parts, weights = [stack(*parts)], [("sequential_1", [words, *arrays])]
    config = stack(*parts, dense("dense_1", 1, "sigmoid"))
    weights = [*weights, ("dense_1", [w, b])]
    state = files.states([array.shape for _, held in weights for array in held], 2)
    training = trained("Adam", "binary_crossentropy", **ADAM)
    model = read(files.write(tmp_path / "m.h5", config, weights, training, state))
    x = np.arange(30).reshape(5, 6) % 10
    want = sigmoid(lstm_of_keras1(words[x], gates) @ w + b)
    np.testing.assert_allclose(model.predict(x), want, rtol=1e-4)
    counter, of_words, of_kernel, *_ = model.optimizer.get_weights()
    assert (counter, of_words[0, 0]) == (7, 1)
    assert [of_kernel[0, column] for column in (0, 3, 6, 9)] == [2, 8, 5, 11]  # gates i, f, c, o
    assert np.isfinite(model.train_on_batch(x, np.ones((5, 1)))).all()


@pytest.mark.parametrize("order", ["th", "tf"])
@pytest.mark.parametrize("written_on", [None, "theano", "tensorflow"])
def test_kernels_of_convolutions(order, written_on, tmp_path):
    """Kernels in the order of the layer; those that the file says Theano used are turned, and their slots with them."""
    kernel, bias = numbers(2, 3, 3, 3), numbers(2)  # (out, in, rows, columns)
    x = numbers(2, 3, 6, 6)
    given = {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "init": "glorot_uniform", "activation": "linear", "bias": True,
             "border_mode": "valid", "subsample": [1, 1], "dim_ordering": order}  # fmt: skip
    shape = x.shape[1:] if order == "th" else (6, 6, 3)
    config = stack(layer("Convolution2D", "conv", **given, **first(shape)), layer("Flatten", "flatten_1"))
    stored = kernel if order == "th" else kernel.transpose(2, 3, 1, 0)
    slot = np.arange(stored.size, dtype="float32").reshape(stored.shape)
    state = {"param_0": slot, "param_1": bias}
    training = trained("RMSprop", lr=0.01, rho=0.9, epsilon=1e-8)
    weights = [("conv", [stored, bias]), ("flatten_1", [])]
    model = read(files.write(tmp_path / "m.h5", config, weights, training, state, None, written_on))
    turn = -1 if written_on == "theano" else 1
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    want = np.einsum("bcijrs,ocrs->boij", windows, kernel[:, :, ::turn, ::turn]) + bias[:, None, None]
    want, data = (want, x) if order == "th" else (want.transpose(0, 2, 3, 1), x.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(model.predict(data), want.reshape(2, -1), rtol=1e-4, atol=1e-4)
    expected = slot.transpose(2, 3, 1, 0) if order == "th" else slot
    np.testing.assert_array_equal(model.optimizer.get_weights()[1], expected[::turn, ::turn])


def test_layers_that_only_keras_1_had(tmp_path):
    """`Highway` with its bias, and `MaxoutDense` with regularizers whose class stands among their arguments."""
    w, carry, b, c = numbers(4, 4), numbers(4, 4), numbers(4), numbers(4)
    v, d = numbers(3, 4, 2), numbers(3, 2)
    config = stack(
        layer("Highway", "highway_1", init="glorot_uniform", transform_bias=-2, activation="tanh", bias=True,
              W_regularizer=None, b_regularizer=None, activity_regularizer=None, W_constraint=None, b_constraint=None,
              input_dim=4, **first([4])),
        layer("MaxoutDense", "maxoutdense_1", output_dim=2, init="glorot_uniform", nb_feature=3, bias=True,
              W_regularizer={"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}, b_regularizer=None,
              activity_regularizer=None, W_constraint={"name": "MaxNorm", "m": 2, "axis": 0}, b_constraint=None,
              input_dim=4),
    )  # fmt: skip
    model = read(files.write(tmp_path / "m.h5", config, [("highway_1", [w, carry, b, c]), ("maxoutdense_1", [v, d])]))
    x = numbers(5, 4)
    gate = sigmoid(x @ carry + c)
    hidden = np.tanh(x @ w + b) * gate + (1 - gate) * x
    np.testing.assert_allclose(model.predict(x), (np.einsum("bi,fio->bfo", hidden, v) + d).max(1), rtol=1e-4)
    np.testing.assert_allclose(float(model.losses[0]), 0.01 * np.sum(v**2), rtol=1e-4)


def test_a_graph(tmp_path):
    a, b, c, d, x = numbers(4, 3), numbers(3), numbers(4, 3), numbers(3), numbers(5, 4)
    beside = {"merge_mode": "concat", "concat_axis": -1, "dot_axes": -1, "create_output": False}
    config = {"class_name": "Graph", "config": {
        "name": "graph_1",
        "input_config": [{"name": "input", "input_shape": [4], "dtype": "float"}],
        "nodes": {"left": dense("left", 3, "tanh"), "right": dense("right", 3)},
        "node_config": [{"name": name, "input": "input", "inputs": [], **beside} for name in ("left", "right")],
        "output_config": [{"name": "output", "input": None, "inputs": ["left", "right"], "merge_mode": "sum",
                           "concat_axis": -1, "dot_axes": -1}],
    }}  # fmt: skip
    weights = [("input", []), ("left", [a, b]), ("right", [c, d])]
    training = trained("RMSprop", {"output": "mse"}, [], lr=0.001, rho=0.9, epsilon=1e-8)
    state = files.states([w.shape for w in (a, b, c, d)], 1, counted=False)
    model = read(files.write(tmp_path / "m.h5", config, weights, training, state, "1.0.8"))
    got = model.predict({"input": x})["output"]
    np.testing.assert_allclose(got, np.tanh(x @ a + b) + x @ c + d, rtol=1e-4, atol=1e-5)
    assert firsts(model.optimizer) == [0, 1, 2, 3, 4]
    model.train_on_batch({"input": x, "output": got})


# Where weights do not fit ----------------------------------------------------------------------------


RECURRENT = {
    "GRU": lambda after: layers.GRU(3, reset_after=after),
    "Bidirectional": lambda after: layers.Bidirectional(layers.GRU(3, reset_after=after)),
    "RNN": lambda after: layers.RNN(layers.GRUCell(3, reset_after=after)),
}


@pytest.mark.parametrize("form", ["h5", "keras"])
@pytest.mark.parametrize("name", RECURRENT)
def test_biases_of_another_gru_say_reset_after(name, form, tmp_path):
    for after in (True, False):
        written, other = (Sequential([layers.Input((5, 4)), RECURRENT[name](a)]) for a in (after, not after))
        written.save_weights(str(tmp_path / "w.h5"), save_format=form)
        with pytest.raises(ValueError, match=rf"make the layer with GRU\(3, reset_after={after}\)"):
            other.load_weights(str(tmp_path / "w.h5"))
