"""The layers of Keras 1, against their formulas in NumPy; and that models with them can be written and read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.errors import UnsafeFileError
from keras_front.legacy import layers as old
from keras_front.models import Model, Sequential, load_model
from keras_front.registry import custom_object_scope

pytestmark = pytest.mark.filterwarnings("ignore::keras_front.legacy.hooks.OldNameWarning")

RNG = np.random.default_rng(0)
X, Y = (RNG.normal(size=(4, 3)).astype("float32") for _ in range(2))
A, B = (RNG.normal(size=(4, 5, 3)).astype("float32") for _ in range(2))


def close(got, want, tolerance=1e-5):
    np.testing.assert_allclose(K.to_numpy(got), want, rtol=tolerance, atol=tolerance)


def spread(layer, *shape):
    layer.build((None, *shape))
    layer.set_weights([RNG.uniform(0.2, 0.9, w.shape) for w in layer.weights])
    return layer.get_weights()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def difference(inputs, scale=1.0):
    return (inputs[0] - inputs[1]) * scale


@pytest.mark.parametrize(
    ("mode", "want"),
    [
        ("sum", X + Y),
        ("mul", X * Y),
        ("ave", (X + Y) / 2),
        ("max", np.maximum(X, Y)),
        ("concat", np.concatenate([X, Y], -1)),
        ("dot", (X * Y).sum(1, keepdims=True)),
        ("cos", ((X * Y).sum(1) / np.linalg.norm(X, axis=1) / np.linalg.norm(Y, axis=1))[:, None]),
    ],
)
def test_merge_in_every_mode(backend, mode, want):
    close(old.Merge(mode=mode)([X, Y]), want)
    inputs = [L.Input((3,)), L.Input((3,))]
    output = old.merge(inputs, mode=mode, name="merged")
    assert output.shape == (None, want.shape[1])
    close(K.function(inputs, [output])([X, Y])[0], want)


def test_merge_of_sequences_functions_and_layers(backend):
    close(old.Merge(mode="dot", dot_axes=(2, 2))([A, B]), A @ B.transpose(0, 2, 1), 1e-4)
    close(old.Merge(mode="concat", concat_axis=1)([A, B]), np.concatenate([A, B], 1))
    close(old.Merge(mode=difference, arguments={"scale": 2.0})([X, Y]), 2 * (X - Y))
    left, right = L.Dense(2), L.Dense(2)
    ends = [L.Input((3,)), L.Input((3,))]
    left(ends[0]), right(ends[1])
    model = Model(ends, old.Merge([left, right], mode="sum").output)
    close(model.predict([X, Y]), K.to_numpy(left(X)) + K.to_numpy(right(Y)))


def test_a_sequential_may_begin_with_merged_models(backend, tmp_path):
    left, right = Sequential([L.Dense(2, input_dim=3)]), Sequential([L.Dense(4, input_dim=3), L.Dense(2)])
    model = Sequential()
    model.add(old.Merge([left, right], mode="concat"))
    model.add(L.Dense(1))
    assert [len(model.inputs), len(model.weights), model.output_shape] == [2, 8, (None, 1)]
    model.compile("sgd", "mse")
    before = left.get_weights()[0]
    model.fit([X, Y], np.ones((4, 1)), epochs=1, verbose=0)
    assert np.any(left.get_weights()[0] != before)
    kernel, bias = model.layers[-1].get_weights()
    want = np.concatenate([left.predict(X), right.predict(Y)], 1) @ kernel + bias
    close(model.predict([X, Y]), want)
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    close(again.predict([X, Y]), want)
    again.pop()
    again.add(L.Dense(5))
    assert again.predict([X, Y]).shape == (4, 5)


@pytest.mark.backends("numpy")
def test_merge_with_a_function_is_read_with_custom_objects(backend):
    layer = old.Merge(mode=difference, arguments={"scale": 3.0})
    with custom_object_scope({"difference": difference}):
        again = old.Merge.from_config(json.loads(json.dumps(layer.get_config())))
    close(again([X, Y]), 3 * (X - Y))
    close(old.Merge.from_config(layer.get_config())([X, Y]), 3 * (X - Y))  # code that never left the process
    with pytest.raises(UnsafeFileError, match="Python code"):
        old.Merge.from_config(json.loads(json.dumps(layer.get_config(), default=lambda code: code.get_config())))
    with pytest.raises(ValueError, match="a function or one of sum"):
        old.Merge(mode="difference")


@pytest.mark.backends("numpy")
def test_merge_keeps_masks(backend):
    ends = [L.Masking()(L.Input((5, 3))) for _ in range(2)]
    for mode, steps in (("sum", 5), ("concat", 5)):
        assert old.merge(ends, mode).mask.shape == (None, steps)
    assert old.merge(ends, "concat", concat_axis=1).mask.shape == (None, 10)
    assert old.merge(ends, "dot", dot_axes=2).mask is None


def test_highway_and_maxout(backend):
    highway = old.Highway(activation="tanh")
    w, carry, b, b_carry = spread(highway, 3)
    gate = sigmoid(X @ carry + b_carry)
    close(highway(X), gate * np.tanh(X @ w + b) + (1 - gate) * X)
    maxout = old.MaxoutDense(2, nb_feature=3, input_dim=3)
    w, b = spread(maxout, 3)
    close(maxout(X), (np.einsum("bn,fno->bfo", X, w) + b).max(1))


def test_activations(backend):
    softplus = old.ParametricSoftplus(shared_axes=1)
    alphas, betas = spread(softplus, 5, 3)
    assert alphas.shape == (1, 3)
    close(softplus(A), alphas * np.log1p(np.exp(betas * A)))
    srelu = old.SReLU()
    t_left, a_left, t_right, a_right = spread(srelu, 3)
    high = t_left + t_right
    want = np.where(X < t_left, t_left + a_left * (X - t_left), np.where(X > high, high + a_right * (X - high), X))
    close(srelu(X), want)


def test_normalization_in_three_modes(backend):
    by_batch = (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3)
    close(L.BatchNormalization(mode=2)(X), by_batch, 1e-4)
    close(L.BatchNormalization(mode=0)(X), X / np.sqrt(1.001), 1e-4)
    assert type(L.BatchNormalization(1e-3, mode=0)) is L.BatchNormalization
    deviation = np.sqrt(X.var(1, keepdims=True) + 1e-3) + 1e-3
    close(L.BatchNormalization(mode=1)(X), (X - X.mean(1, keepdims=True)) / deviation, 1e-4)
    with pytest.raises(ValueError, match="mode 0, 1 or 2"):
        L.BatchNormalization(mode=3)


def test_what_lives_on_under_another_name(backend):
    dense = old.TimeDistributedDense(2, input_dim=3, input_length=5)
    w, b = spread(dense, 5, 3)
    close(dense(A), A @ w + b)
    narrow = old.AtrousConvolution1D(2, 2, atrous_rate=2, border_mode="same")
    assert narrow.compute_output_shape((None, 5, 3)) == (None, 5, 2)
    assert narrow.dilation_rate == (2,)
    wide = old.AtrousConvolution2D(2, 2, 3, atrous_rate=(2, 1), dim_ordering="tf", bias=False)
    assert wide.compute_output_shape((None, 6, 6, 1)) == (None, 4, 4, 2)
    up = old.Deconvolution2D(2, 3, 3, (None, 9, 9, 2), subsample=(2, 2), dim_ordering="tf")
    assert up.compute_output_shape((None, 4, 4, 1)) == (None, 9, 9, 2)


MAKERS = [
    old.Highway, lambda: old.MaxoutDense(2), old.SReLU, old.ParametricSoftplus,
    lambda: L.BatchNormalization(mode=1), lambda: L.BatchNormalization(mode=2),
]  # fmt: skip


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("make", MAKERS)
def test_models_are_written_and_read(backend, make, tmp_path):
    inputs = [L.Input((3,)), L.Input((3,))]
    model = Model(inputs, old.merge([make()(inputs[0]), L.Dense(2)(inputs[1])], mode="concat"))
    json.dumps(model.get_config())
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    close(again([X, Y]), K.to_numpy(model([X, Y])))
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit([X, Y], np.ones(K.int_shape(again([X, Y])), "float32"), epochs=1, verbose=0)
    assert np.any(model.get_weights()[0] != before)


def test_a_merge_of_a_model_with_itself(backend, tmp_path):
    """One model in both places is one input, one set of weights, also after a file."""
    part = Sequential([L.Dense(5, "relu", input_shape=(3,))])
    model = Sequential([old.Merge([part, part], mode="sum"), L.Dense(2)])
    assert len(model.inputs) == 1
    kernel, bias, last, _ = model.get_weights()
    expected = 2 * np.maximum(X @ kernel + bias, 0) @ last
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    for again in (model, Sequential.from_config(model.get_config()), load_model(tmp_path / "m.h5")):
        again.set_weights(model.get_weights())
        close(again.predict(X), expected, 1e-4)
    model.fit(X, expected, epochs=1, verbose=0)
