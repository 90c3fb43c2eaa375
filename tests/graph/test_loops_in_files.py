"""Loops and gradients between the layers of a model: they are written to files and pickles, and read again."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front import ops
from keras_front.errors import SerializationError
from keras_front.models import Model, load_model, model_from_config, model_from_json

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 5, 2)).astype("float32")
W = RANDOM.normal(size=(2, 2)).astype("float32")


class Square(L.Layer):
    """A layer with one weight, which loops use."""

    def build(self, input_shape):
        self.w = self.add_weight("w", (2, 2), initializer="zeros")

    def call(self, inputs):
        return K.dot(inputs, self.w)


def recurrence(x, mask=None, **kwargs):
    def step(now, states):
        new = K.tanh(now + K.dot(states[0], K.constant(W)) * 0.5)
        return new, [new]

    return K.rnn(step, x, [K.zeros_like(x[:, 0])], mask=mask, **kwargs)


def reference(x, keep=None):
    h, out = np.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] + h @ W * 0.5)
        h = new if keep is None else np.where(keep[:, t, None], new, h)
        out.append(h)
    return np.stack(out, 1)


def loop_with_a_weight(x):
    """A recurrence over a weight of a layer, and over a tensor that was computed outside of the loop."""
    layer = Square()
    y = layer(x)
    shift = K.mean(x, axis=1)

    def step(now, states):
        new = K.dot(now, layer.w) + states[0] + shift
        return new, [new]

    return K.rnn(step, y, [K.zeros_like(shift)])[1]


def with_a_weight(x):
    shift, y = x.mean(1), x @ W
    return np.cumsum(y @ W + shift[:, None], axis=1)


def doubled(x):
    @K.custom_gradient
    def twice(t):
        return t * 2.0, lambda g: g * 5.0

    return K.gradients(K.sum(K.square(twice(x))), [x])[0]


def second_derivative(x):
    (first,) = K.gradients(K.sum(x**4), [x])
    return K.gradients(K.sum(first), [x])[0]


def nested_loops(x):
    def outer(carry, row):
        inner, _ = K.scan(lambda c, e: ([c[0] + e[0]], []), [K.zeros_like(row[0][:, 0])], [K.transpose(row[0])])
        return [carry[0] + inner[0]], [inner[0]]

    time_first = K.permute_dimensions(x, (1, 0, 2))
    return K.scan(outer, [K.zeros_like(x[:, 0, 0])], [time_first], reverse=True)[0][0][:, None]


def through_a_loop(x):
    factors = K.constant(np.full((3, 1, 1), 2.0))
    (last,), _ = K.scan(lambda carry, factor: ([carry[0] * factor[0]], []), [x[:, 0]], [factors])
    return K.gradients(K.sum(last), [x])[0]


CASES = {
    "rnn": (lambda x: recurrence(x)[1], reference),
    "masked rnn": (
        lambda x: recurrence(x, mask=K.not_equal(x[:, :, 0] > 0, False))[1], lambda x: reference(x, x[:, :, 0] > 0)),
    "last output and states": (
        lambda x: (lambda r: r[0] + r[2][0])(recurrence(x, go_backwards=True)),
        lambda x: 2 * reference(x[:, ::-1])[:, -1]),
    "a weight": (loop_with_a_weight, with_a_weight),
    "map": (lambda x: K.map_fn(lambda row: K.cumsum(row, axis=0) * 2, x), lambda x: 2 * x.cumsum(1)),
    "nested": (nested_loops, lambda x: x.sum((1, 2))[:, None]),
    "while": (
        lambda x: ops.while_loop(lambda a: K.less(K.max(a), 100.0), lambda a: (a * 2,), (x * 0 + 1,), 20)[0],
        lambda x: np.full_like(x, 128.0)),
    "gradient": (lambda x: K.gradients(K.sum(K.square(x) * 3), [x])[0], lambda x: 6 * x),
    "second derivative": (second_derivative, lambda x: 12 * x**2),
    "gradient of a loop": (
        through_a_loop,
        lambda x: np.concatenate([np.full((3, 1, 2), 8.0), np.zeros((3, 4, 2))], 1)),
    "custom gradient": (doubled, lambda x: 2 * 2 * x * 5),
    "several gradients": (
        lambda x: (lambda g: K.concatenate([g[0], g[1]]))(K.gradients(K.sum((x * 2) ** 2 * x), [x, x])),
        lambda x: np.concatenate([12 * x**2] * 2, -1)),
}  # fmt: skip


def built(case):
    x = L.Input(batch_shape=(3, 5, 2), name="x")
    model = Model(x, CASES[case][0](x) * 1.0)
    model.set_weights([W for _ in model.weights])
    return model


@pytest.mark.parametrize("case", CASES)
def test_files_and_pickles(backend, case, tmp_path):
    model, expected = built(case), CASES[case][1](X.astype("float64"))
    np.testing.assert_allclose(model.predict(X, batch_size=3), expected, rtol=1e-4, atol=1e-5)
    copies = [pickle.loads(pickle.dumps(model))] if case != "a weight" else []
    objects = {"Square": Square}
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        copies.append(load_model(tmp_path / name, objects))
    copies.append(model_from_json(copies[-1].to_json(), objects))
    copies[-1].set_weights(model.get_weights())
    for again in copies:
        np.testing.assert_allclose(again.predict(X, batch_size=3), expected, rtol=1e-4, atol=1e-5)
        assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]


def test_training_goes_through_a_loop_from_a_file(backend, tmp_path):
    x = L.Input((5, 2))
    model = Model(x, L.Dense(1)(recurrence(L.Dense(2)(x))[0]))
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5")
    y = X[:, 0, :1]
    for _ in range(3):
        np.testing.assert_allclose(again.train_on_batch(X, y), model.train_on_batch(X, y), rtol=1e-5)


def test_a_loop_that_calls_a_layer_is_refused_before_anything_is_written(tmp_path):
    x, dense = L.Input((5, 2)), L.Dense(2)
    dense.build((None, 2))
    model = Model(x, K.rnn(lambda now, states: (dense(now), states), x, [])[1])
    for name in ("m.h5", "m.keras"):
        with pytest.raises(SerializationError, match=r"loop that calls '.*'.*\n.*RNN\(cell\)"):
            model.save(tmp_path / name)
        assert not (tmp_path / name).exists()
    Model.from_config(model.get_config())  # a copy in this process may use it


def entry_of(config, function):
    return next(e for e in config["config"]["layers"] if e["config"].get("function") == function)


def body_of(config):
    return entry_of(config, "scan")["inbound_nodes"][0]["kwargs"]["body"]["config"]


BREAKS = {
    "an op that is none": lambda c: body_of(c)["calls"][0].update(function="os.system"),
    "a function that makes files": lambda c: body_of(c)["calls"][0].update(function="print_tensor.__globals__"),
    "a tensor that is none": lambda c: body_of(c)["calls"][0].update(args=[{"class_name": "__step__", "config": 99}]),
    "results too many": lambda c: body_of(c)["calls"][0].update(results=[7, 8, 9]),
    "no calls": lambda c: body_of(c).pop("calls"),
    "calls that are none": lambda c: body_of(c).update(calls=[3]),
    "leaves that are none": lambda c: body_of(c).update(leaves=None),
    "an attribute that is none": lambda c: body_of(c)["calls"][0]["attrs"].update(nonsense=1),
    "no arguments": lambda c: entry_of(c, "scan")["inbound_nodes"][0].pop("args"),
    "no results": lambda c: entry_of(c, "scan")["config"].pop("results"),
    "a length without end": lambda c: entry_of(c, "scan")["inbound_nodes"][0]["kwargs"].update(length=10**12),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_no_loop_is_refused(name):
    config = json.loads(built("rnn").to_json())
    BREAKS[name](config)
    with pytest.raises(ValueError):
        model_from_config(config)
