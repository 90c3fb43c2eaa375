"""Recurrent layers with every option give the numbers of their cell, called step by step."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from keras_front import Model
from keras_front import backend as K
from keras_front import layers as L
from keras_front.backend import discovery, seeds
from keras_front.errors import ArgumentError, ShapeError
from keras_front.legacy import formats

UNITS = 3
KINDS = {
    "simple": (L.SimpleRNN, L.SimpleRNNCell, {}),
    "gru": (L.GRU, L.GRUCell, {}),
    "gru_after": (L.GRU, L.GRUCell, {"reset_after": True}),
    "lstm": (L.LSTM, L.LSTMCell, {}),
}
OF_CELL = {
    "activation", "recurrent_activation", "use_bias", "implementation", "dropout", "recurrent_dropout", "reset_after",
    "unit_forget_bias",
}  # fmt: skip
HOLES = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
PADDED = np.arange(5) < np.array([[5], [2], [1], [0]])

# What a layer is made with, and (with names in capitals) how it is called.
OPTIONS = {
    "plain": {},
    "sequences": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True, "return_sequences": True, "return_state": True},
    "padded": {"MASK": PADDED, "return_state": True},
    "holes": {"MASK": HOLES, "return_sequences": True, "return_state": True, "STATES": True},
    "holes backwards": {"MASK": HOLES, "go_backwards": True, "return_sequences": True, "return_state": True},
    "wide mask": {"MASK": HOLES[..., None], "return_sequences": True},
    "zeros for masked": {"MASK": HOLES, "return_sequences": True, "zero_output_for_mask": True, "go_backwards": True},
    "time first": {"MASK": HOLES, "time_major": True, "return_sequences": True, "return_state": True},
    "states": {"STATES": True, "return_state": True},
    "stateful": {"stateful": True, "MASK": HOLES, "return_sequences": True},
    "unrolled": {"unroll": True, "MASK": HOLES, "return_sequences": True},
    "implementation 1": {"implementation": 1, "use_bias": False},
    "dropout": {"dropout": 0.4, "TRAINING": True, "return_sequences": True},
    "dropout by gate": {"dropout": 0.4, "implementation": 1, "TRAINING": True, "MASK": HOLES},
    "recurrent dropout": {"dropout": 0.3, "recurrent_dropout": 0.4, "TRAINING": True, "MASK": HOLES},
    "dropout, not training": {"dropout": 0.4, "recurrent_dropout": 0.4, "MASK": HOLES},
    "hard": {"activation": "relu", "recurrent_activation": "hard_sigmoid", "MASK": HOLES},
    "odd": {"activation": "hard_sigmoid", "recurrent_activation": "tanh", "return_sequences": True},
    "unknown to K": {"activation": "softsign", "MASK": HOLES, "return_sequences": True},
    "one step": {"X": (4, 1, 2), "return_sequences": True, "return_state": True},
    "one row": {"X": (1, 5, 2), "MASK": HOLES[:1]},
}
FOR_SOME = {"implementation": ("gru", "gru_after", "lstm"), "recurrent_activation": ("gru", "gru_after", "lstm")}


class OneByOne(L.Layer):
    """A cell that the loop does not know, so that it calls it for each step."""

    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.state_size = cell.state_size

    def build(self, shape):
        self.cell.build(shape)
        self.built = True

    @property
    def weights(self):
        return self.cell.weights

    def call(self, inputs, states, training=None):
        return self.cell.call(inputs, states, training=training)


class SameMask(OneByOne):
    """One whose dropout masks are drawn once for a whole loop, as those of our cells are."""

    def call(self, inputs, states, training=None):
        if not hasattr(self, "_drawn"):
            self._drawn = self.cell.dropout_masks(inputs, states, training)
        of_inputs, of_states = self._drawn
        return self.cell.step(self.cell.project_inputs(inputs, of_inputs), states, of_states)


def made_of(kind, option, dtype="float32"):
    """(the layer, the loop over its cell), not built."""
    layer, cell, always = KINDS[kind]
    given = {k: v for k, v in OPTIONS[option].items() if not k.isupper() and kind in FOR_SOME.get(k, KINDS)}
    of_cell = {k: v for k, v in given.items() if k in OF_CELL}
    rest = {k: v for k, v in given.items() if k not in OF_CELL}
    wrap = SameMask if "TRAINING" in OPTIONS[option] else OneByOne
    if rest.get("stateful"):
        rest["batch_input_shape"] = (4, 5, 2)
    single = L.RNN(wrap(cell(UNITS, **of_cell, **always, dtype=dtype), dtype=dtype), **rest, dtype=dtype)
    return layer(UNITS, **given, **always, dtype=dtype, **{k: v for k, v in rest.items() if k not in given}), single


def weights_of(kind, like):
    rng = np.random.default_rng(sorted(KINDS).index(kind))
    return [rng.uniform(-0.9, 0.9, w.shape) for w in like]


def arguments(kind, option, dtype="float32"):
    """Inputs and keywords of the call, as arrays."""
    rng, options = np.random.default_rng(7), OPTIONS[option]
    x = rng.normal(size=options.get("X", (4, 5, 2))).astype(dtype)
    call = {"mask": options.get("MASK"), "training": options.get("TRAINING", False)}
    if "STATES" in options:
        call["initial_state"] = [rng.normal(size=(4, UNITS)).astype(dtype) for _ in range(2 if kind == "lstm" else 1)]
    if options.get("time_major"):
        x, call["mask"] = np.swapaxes(x, 0, 1), np.swapaxes(call["mask"], 0, 1)
    return x, {k: v for k, v in call.items() if v is not None}


def results(layer, kind, option, dtype="float32"):
    """What two calls in a row give, as arrays."""
    x, call = arguments(kind, option, dtype)
    layer.build(x.shape)
    layer.set_weights(weights_of(kind, layer.weights))
    call = {k: v if isinstance(v, bool) else _tensors(v) for k, v in call.items()}
    found = []
    for _ in range(2 if layer.stateful else 1):
        out = layer(K.constant(x), **call)
        found += out if isinstance(out, list) else [out]
    return [K.to_numpy(t) for t in found]


def _tensors(value):
    return [_tensors(v) for v in value] if isinstance(value, list) else K.convert(value)


@functools.cache
def expected(kind, option):
    """The numbers of the cell, which do not depend on the backend."""
    with discovery.use_backend("numpy"):
        seeds.set_random_seed(5, reproducible=True)
        return results(made_of(kind, option)[1], kind, option)


@pytest.mark.few_compiled(10)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cell_step_by_step(backend, kind, option):
    want = expected(kind, option)
    seeds.set_random_seed(5, reproducible=True)
    got = results(made_of(kind, option)[0], kind, option)
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def gradients(layer, kind, option):
    """Loss and gradients for inputs, states and weights, by a compiled program."""
    x, call = arguments(kind, option, "float64")
    layer.build(x.shape)
    layer.set_weights(weights_of(kind, layer.weights))
    mask, states = call.get("mask"), call.get("initial_state", [])

    def fn(x, states, *values):
        def loss(params):
            x, states, values = params[0], params[1 : len(states_in) + 1], params[len(states_in) + 1 :]
            with K.bind(layer.weights, values):
                out = layer.call(x, mask=mask, training=False, initial_state=states or None)
            parts = [K.sum(t * t * (i + 1) + t) for i, t in enumerate(out if isinstance(out, list) else [out])]
            return functools.reduce(lambda a, b: a + b, parts), []

        return K.value_and_grad(loss, [x, *states, *values])

    states_in = [K.convert(s) for s in states]
    (loss, _), grads = K.compile(fn)(K.convert(x), states_in, *[w.value for w in layer.weights])
    return [K.to_numpy(t) for t in (loss, *grads)]


@pytest.mark.backends("numpy", "torch")
@pytest.mark.parametrize("option", ["sequences", "backwards", "padded", "holes", "holes backwards", "hard", "odd"])
@pytest.mark.parametrize("kind", KINDS)
def test_its_gradients_are_those_of_the_cell(backend, kind, option):
    layer, single = made_of(kind, option, "float64")
    for a, b in zip(gradients(layer, kind, option), gradients(single, kind, option), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_time_may_be_unknown(backend, kind):
    layer, always = KINDS[kind][0], KINDS[kind][2]
    x = L.Input((None, 2))
    model = Model(x, layer(UNITS, return_sequences=True, **always)(L.Masking()(x)))
    model.set_weights(weights_of(kind, model.weights))
    long = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    long[1, 4:] = 0
    found = [model.predict_on_batch(long[:, :n]) for n in (6, 4)]
    assert model.output_shape == (None, None, UNITS)
    np.testing.assert_allclose(found[0][:, :4], found[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[0][1, 3], found[0][1, 5], rtol=1e-6)


STORED = {"lstm": L.CuDNNLSTM, "gru_after": L.CuDNNGRU}


@pytest.mark.parametrize("kind", STORED)
def test_layers_that_store_for_cudnn_run_anywhere(backend, kind):
    plain, cell, always = KINDS[kind]
    x = np.random.default_rng(1).normal(size=(4, 5, 2)).astype("float32")
    layer = STORED[kind](UNITS, return_sequences=True, go_backwards=True)
    single = L.RNN(OneByOne(cell(UNITS, **always)), return_sequences=True, go_backwards=True)
    layer.build(x.shape), single.build(x.shape)
    layer.set_weights(weights_of(kind, layer.weights))
    single.set_weights(formats.convert(plain(UNITS, **always), layer.get_weights(), "2.3.1", None))
    np.testing.assert_allclose(
        K.to_numpy(layer(x, mask=K.convert(HOLES))), K.to_numpy(single(x, mask=K.convert(HOLES))), rtol=2e-5, atol=2e-6
    )


@pytest.mark.parametrize(("kind", "mode"), [("gru_after", "concat"), ("lstm", "sum"), ("lstm", None)])
def test_both_directions(backend, kind, mode):
    """Each direction by itself, merged by hand."""
    layer, _, always = KINDS[kind]
    x = np.random.default_rng(2).normal(size=(4, 5, 2)).astype("float32")
    mask = K.convert(HOLES)
    both = L.Bidirectional(layer(UNITS, return_sequences=True, **always), merge_mode=mode)
    got = both(x, mask=mask)
    half = len(both.get_weights()) // 2
    ways = [layer(UNITS, return_sequences=True, go_backwards=back, **always) for back in (False, True)]
    for way, weights in zip(ways, (both.get_weights()[:half], both.get_weights()[half:]), strict=True):
        way.build(x.shape)
        way.set_weights(weights)
    forth, back = (K.to_numpy(way(x, mask=mask)) for way in ways)
    back = back[:, ::-1]
    want = {"concat": np.concatenate([forth, back], -1), "sum": forth + back, None: [forth, back]}[mode]
    np.testing.assert_allclose(
        [K.to_numpy(t) for t in got] if mode is None else K.to_numpy(got), want, rtol=2e-5, atol=2e-6
    )


class Doubled(L.LSTMCell):
    """A cell of ours with another step."""

    def call(self, inputs, states, training=None):
        h, states = super().call(inputs, states, training)
        return 2 * h, states


def test_a_cell_that_overrides_the_step_of_ours_is_called(backend):
    x = np.random.default_rng(3).normal(size=(2, 3, 2)).astype("float32")
    plain, doubled = L.RNN(L.LSTMCell(UNITS)), L.RNN(Doubled(UNITS))
    want = 2 * K.to_numpy(plain(x))
    doubled.build(x.shape)
    doubled.set_weights(plain.get_weights())
    np.testing.assert_allclose(K.to_numpy(doubled(x)), want, rtol=1e-5)


@pytest.mark.backends("numpy")
def test_an_activation_that_ops_do_not_know_is_named(backend):
    with pytest.raises(ArgumentError, match=r"expected an activation of 'tanh', .* received 'softsign'"):
        K.simple_rnn(np.ones((1, 2, 3)), np.ones((1, 1)), np.ones((3, 1)), np.ones((1, 1)), activation="softsign")


IMAGE_OPTIONS = {
    "plain": {},
    "holes": {"MASK": HOLES, "return_sequences": True, "return_state": True},
    "backwards": {"MASK": HOLES, "go_backwards": True, "return_sequences": True, "padding": "same", "strides": 2},
    "channels first": {"data_format": "channels_first", "MASK": HOLES, "dilation_rate": 2},
    "dropout": {"dropout": 0.4, "TRAINING": True},
    "recurrent dropout": {"recurrent_dropout": 0.4, "TRAINING": True},
    "odd": {"activation": "softsign", "recurrent_activation": "sigmoid", "use_bias": False},
}


class ImageByImage(SameMask):
    @property
    def state_shape(self):
        return self.cell.state_shape


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize("option", IMAGE_OPTIONS)
def test_layers_over_images_are_their_cell_step_by_step(backend, option):
    options = IMAGE_OPTIONS[option]
    given = {k: v for k, v in options.items() if not k.isupper()}
    loop = {k: v for k, v in given.items() if k.startswith(("return", "go"))}
    cell = L.ConvLSTM2DCell(2, (2, 3), **{k: v for k, v in given.items() if k not in loop})
    layer, single = L.ConvLSTM2D(2, (2, 3), **given), L.ConvRNN2D(ImageByImage(cell), **loop)
    x = np.random.default_rng(4).normal(size=(4, 5, 5, 6, 5)).astype("float32")
    call = {"training": options.get("TRAINING", False)} | ({"mask": options["MASK"]} if "MASK" in options else {})
    found = []
    for made, engine in ((layer, backend), (single, "numpy")):
        with discovery.use_backend(engine if isinstance(engine, str) else engine.name):
            seeds.set_random_seed(5, reproducible=True)
            made.build(x.shape)
            made.set_weights(weights_of("lstm", made.weights))
            out = made(K.convert(x), **{k: v if isinstance(v, bool) else K.convert(v) for k, v in call.items()})
            found.append([K.to_numpy(t) for t in (out if isinstance(out, list) else [out])])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("layer", [L.LSTM(2), L.RNN(L.GRUCell(2)), L.Bidirectional(L.SimpleRNN(2))])
def test_a_sequence_without_steps_is_named(backend, layer):
    with pytest.raises(ShapeError, match=r"expected a sequence of at least one step, received shape \(2, 0, 3\)"):
        layer(np.zeros((2, 0, 3), "float32"))


def test_no_steps_are_distributed_over(backend):
    assert L.TimeDistributed(L.Dense(2))(np.zeros((2, 0, 3), "float32")).shape == (2, 0, 2)
