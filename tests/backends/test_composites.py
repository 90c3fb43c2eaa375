"""Composites that an adapter brings itself: the same numbers and gradients as their bodies, which run on NumPy here."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import declare, discovery
from keras_front.testing import selection
from keras_front.testing.values import apply, leaves

RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.normal(size=shape)


def chances(*shape):
    x = RNG.random(size=shape)
    return x / x.sum(-1, keepdims=True)


class Case:
    def __init__(self, *arrays, grads=(0,), ordered=True, **attrs):
        self.arrays, self.grads, self.attrs = arrays, grads, attrs


A, B = normal(3, 4), normal(2, 3, 4)
EDGES = np.array([-3.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, 30.0])
IMAGES = normal(3, 4, 5, 2)
STATE = [normal(2, 3), normal(4), normal(2, 2, 2)]
LSTM = [normal(2, 5, 3), normal(2, 4), normal(2, 4), normal(3, 16), normal(4, 16), normal(16)]
GRU = [normal(2, 5, 3), normal(2, 4), normal(3, 12), normal(4, 12)]
RNN = [normal(2, 5, 3), normal(2, 4), normal(3, 4), normal(4, 4), normal(4)]
USUAL = {"activation": "tanh", "recurrent_activation": "sigmoid"}
MASK = np.array([[True, True, False, True, False], [True, False, True, True, True]])
EMPTY_ROW = np.array([[False] * 5, [False, True, True, False, False]])


HEADS = [normal(2, 3, 2, 4), normal(2, 3, 2, 4), normal(2, 3, 2, 5)]


def lists(*groups):
    return [[a * scale for a in STATE] for scale in groups]


UNIT, WHOLE = np.linspace(-0.9, 0.9, 12).reshape(3, 4), np.arange(1, 13, dtype="int32").reshape(3, 4)

CASES = {
    **{name: [Case(UNIT)] for name in ("arcsin", "arccos", "arctan", "erfinv", "erfc", "exp2", "i0")},
    **{name: [Case(A, A[::-1].copy(), grads=(0, 1))] for name in ("arctan2", "hypot")},
    **{name: [Case(WHOLE, WHOLE % 3, grads=())] for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    **{name: [Case(WHOLE, WHOLE % 3, grads=())] for name in ("left_shift", "right_shift")},
    "bitwise_not": [Case(WHOLE, grads=())],
    "arccosh": [Case(np.abs(A) + 1.5)],
    "cbrt": [Case(np.abs(A) + 0.1), Case(-np.abs(A) - 0.1)],
    "square": [Case(A)],
    "rsqrt": [Case(np.abs(A) + 0.1)],
    "relu": [
        Case(EDGES, alpha=0.0, max_value=None, threshold=0.0),
        Case(EDGES, alpha=0.1, max_value=1.5, threshold=0.5),
        Case(EDGES, alpha=0.0, max_value=6.0, threshold=0.0),
        Case(EDGES, alpha=0.2, max_value=None, threshold=0.0),
    ],
    "relu_gradient": [Case(normal(8), EDGES)],
    "clip_gradient": [Case(normal(7), np.linspace(-2.9, 2.8, 7), lowest=-1.0, highest=2.0)],
    "clip": [
        Case(EDGES, min_value=-1.0, max_value=1.0),
        Case(EDGES, min_value=None, max_value=1.0),
        Case(EDGES, min_value=0.0, max_value=None),
        Case(EDGES, min_value=1.0, max_value=0.0, grads=()),
    ],
    "elu": [Case(EDGES, alpha=1.0), Case(EDGES, alpha=0.3)],
    "gelu": [Case(EDGES, approximate=False), Case(EDGES, approximate=True)],
    "silu": [Case(EDGES)],
    "softplus": [Case(EDGES)],
    "mean": [Case(B, axis=axis, keepdims=k) for axis in (None, 0, (0, -1), ()) for k in (False, True)],
    "logsumexp": [
        Case(B, axis=None, keepdims=False),
        Case(B, axis=(0, 2), keepdims=True),
        Case(np.array([[-np.inf, -np.inf], [0.0, -np.inf]]), axis=1, keepdims=False, grads=()),
    ],
    "expand_dims": [Case(A, axis=axis) for axis in (0, -1, 1)],
    "stack": [Case([A, A * 2], axis=axis, grads=()) for axis in (0, -1)],
    "linear": [Case(A, normal(4, 5), normal(5), grads=(0, 1, 2))],
    "softmax": [Case(B, axis=-1), Case(B, axis=1), Case(B * 1000, axis=0, grads=())],
    "log_softmax": [Case(B, axis=-1), Case(B, axis=1), Case(B * 1000, axis=0, grads=())],
    "softmax_crossentropy": [
        Case(A, chances(3, 4), grads=(0, 1)),
        Case(A, normal(3, 4), grads=(0, 1)),
        Case(B, chances(2, 3, 4), grads=(0, 1)),
        Case(B, chances(3, 4), grads=(0, 1)),
    ],
    "sigmoid_crossentropy": [
        Case(A, RNG.random((3, 4)), grads=(0, 1)),
        Case(A * 300, RNG.random((3, 4)), grads=()),
        Case(B, RNG.random((3, 4)), grads=(0, 1)),
    ],
    "clipped_sigmoid_crossentropy": [
        Case(A * 3, RNG.random((3, 4)), lowest=-2.0, highest=1.5, grads=(0, 1)),
        Case(B * 300, RNG.random((3, 4)), lowest=-16.0, highest=15.0, grads=(0, 1)),
        Case(A * 3, RNG.random((3, 4)), lowest=-math.inf, highest=math.inf, grads=(0, 1)),
    ],
    "clipped_softmax_crossentropy": [
        Case(A * 3, chances(3, 4), lowest=-2.0, grads=(0, 1)),
        Case(B * 300, chances(3, 4), lowest=-16.0, grads=(0, 1)),
    ],
    "batch_normalization": [
        Case(IMAGES, normal(2), np.abs(normal(2)), normal(2), normal(2), axis=-1, epsilon=1e-3, grads=(0, 3, 4)),
        Case(IMAGES, normal(4), np.abs(normal(4)), None, normal(4), axis=1, epsilon=1e-3, grads=(0, 4)),
        Case(A, normal(4), np.abs(normal(4)), None, None, axis=-1, epsilon=1e-2, grads=(0, 1, 2)),
    ],
    "normalize_batch_in_training": [
        Case(IMAGES, normal(2), normal(2), reduction_axes=(0, 1, 2), epsilon=1e-3, grads=(0, 1, 2)),
        Case(IMAGES, normal(4), None, reduction_axes=(0, 2, 3), epsilon=1e-3, grads=(0, 1)),
        Case(A, None, None, reduction_axes=(0,), epsilon=1e-2, grads=(0,)),
        Case(B, normal(3, 4), normal(3, 4), reduction_axes=(0,), epsilon=1e-2, grads=(0, 1, 2)),
        Case(A[:1], normal(4), normal(4), reduction_axes=(0,), epsilon=1e-2, grads=(1, 2)),
    ],
    "layer_normalization": [
        Case(B, normal(4), normal(4), axes=-1, epsilon=1e-3, grads=(0, 1, 2)),
        Case(B, normal(3, 4), None, axes=(1, 2), epsilon=1e-3, grads=(0, 1)),
        Case(B, normal(3), normal(3), axes=1, epsilon=1e-3, grads=(0, 1, 2)),
        Case(B, None, None, axes=(-1,), epsilon=1e-3),
    ],
    "lstm": [
        Case(*LSTM, None, activation="tanh", recurrent_activation="sigmoid", reverse=r, grads=(0, 1, 2, 3, 4, 5))
        for r in (False, True)
    ]
    + [
        Case(*LSTM[:5], None, None, activation="tanh", recurrent_activation="sigmoid", reverse=False, grads=(3, 4)),
        Case(*LSTM, MASK, **USUAL, reverse=True, grads=(0, 1, 2, 3, 4, 5)),
        Case(*LSTM, EMPTY_ROW, **USUAL, reverse=False, grads=(0, 1, 2, 3, 4, 5)),
        Case(*LSTM, None, activation="relu", recurrent_activation="hard_sigmoid", reverse=False, grads=(0, 3, 4, 5)),
    ],
    "gru": [
        Case(*GRU, normal(2, 12), mask, **USUAL, reset_after=after, reverse=reverse, grads=(0, 1, 2, 3, 4))
        for after in (True, False)
        for mask, reverse in ((None, True), (MASK, False), (MASK, True))
    ]
    + [
        Case(*GRU, normal(12), None, **USUAL, reset_after=True, reverse=False, grads=(0, 4)),
        Case(*GRU, None, EMPTY_ROW, **USUAL, reset_after=True, reverse=False, grads=(0, 1, 3)),
    ],
    "simple_rnn": [
        Case(*RNN, mask, activation=name, reverse=reverse, grads=(0, 1, 2, 3, 4))
        for name in ("tanh", "relu", "sigmoid")
        for mask, reverse in ((None, True), (MASK, False), (EMPTY_ROW, True))
    ],
    "sgd_update": [
        Case(*lists(1, 0.5), [], np.asarray(0.1), momentum=0.0, nesterov=False, grads=()),
        Case(*lists(1, 0.5, 0.2), np.asarray(0.1), momentum=0.9, nesterov=False, grads=()),
        Case(*lists(1, 0.5, 0.2), np.asarray(0.1), momentum=0.9, nesterov=True, grads=()),
    ],
    "rmsprop_update": [
        Case(*lists(1, 0.5), [a * a for a in STATE], np.asarray(0.1), rho=0.9, epsilon=1e-3, grads=()),
    ],
    "adam_update": [
        Case(
            *lists(1, 0.5, 0.2), [a * a for a in STATE], vhats, np.asarray(0.1), np.asarray(float(t)),
            beta_1=0.9, beta_2=0.99, epsilon=1e-2, grads=(),
        )
        for t in (1, 2, 700)
        for vhats in ([], [np.abs(a) * 0.1 for a in STATE])
    ],
    "triangular_solve": [
        Case(normal(3, 3) + 3 * np.eye(3), normal(3, 2), lower=lower, grads=(0, 1)) for lower in (False, True)
    ],
    "fft": [Case(B, normal(2, 3, 4), axis=axis, grads=(0, 1)) for axis in (-1, 1)],
    "ifft": [Case(B, normal(2, 3, 4), axis=axis, grads=(0, 1)) for axis in (-1, 1)],
    "rfft": [Case(B, axis=axis) for axis in (-1, 1)],
    "dot_product_attention": [
        Case(*HEADS, None, None, scale=None, is_causal=causal, grads=(0, 1, 2)) for causal in (False, True)
    ]
    + [
        Case(*HEADS, normal(2, 2, 3, 3), None, scale=0.3, is_causal=causal, grads=(0, 1, 2, 3))
        for causal in (False, True)
    ]
    + [Case(*HEADS, None, np.tril(np.ones((3, 3), bool))[None, None], scale=None, is_causal=False, grads=(0, 1, 2))],
}  # fmt: skip
NOISE = {"keep_mask"}  # has its own test in test_primitives


def flat(structure):
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in flat(item)]
    return [structure]


def computed(engine, name, cases, compiled):
    """For each case the results and gradients as NumPy arrays; in one compiled function, or one by one."""
    with discovery.use_backend(engine) as backend:
        arguments = [[_tensor(backend, a) for a in case.arrays] for case in cases]
        counts = []

        def run(tensors):
            items = iter(tensors)
            found = [_results(name, case, apply(lambda _: next(items), case.arrays)) for case in cases]
            counts[:] = map(len, found)
            return flat(found)

        results = iter((K.compile(run) if compiled else run)([leaf for args in arguments for leaf in leaves(args)]))
        return [[np.array(backend.to_numpy(next(results))) for _ in range(count)] for count in counts]


def _tensor(backend, a):
    return None if a is None else [backend.asarray(x) for x in a] if isinstance(a, list) else backend.asarray(a)


def _results(name, case, arrays):
    def loss(params):
        args = [params[case.grads.index(i)] if i in case.grads else a for i, a in enumerate(arrays)]
        result = flat(declare.OPS[name].function(*args, **case.attrs))
        outputs = result[:1] if name == "normalize_batch_in_training" else result
        return sum(K.sum(K.sin(K.multiply(r, 0.7))) for r in outputs), result

    if not case.grads:
        return flat(declare.OPS[name].function(*arrays, **case.attrs))
    (_, results), grads = K.value_and_grad(loss, [arrays[i] for i in case.grads])
    return [*results, *grads]


@pytest.mark.backends("torch", "jax", "tensorflow")
def test_every_composite_that_is_overridden_has_a_case(backend):
    brought = {name for name in declare.composites() if backend.overrides(name)}
    assert brought <= set(CASES) | NOISE


@pytest.mark.backends("torch", "jax", "tensorflow")
@pytest.mark.parametrize("name", CASES)
def test_an_override_gives_the_numbers_of_the_body(backend, name):
    """Compiled where the engine has a compiler; one case also eagerly."""
    if not backend.overrides(name):
        pytest.skip("the body runs")
    cases = CASES[name]
    with np.errstate(all="ignore"):
        wanted = computed("numpy", name, cases, False)
    got = computed(backend.name, name, cases, selection.has_compiler())
    for case, results, want in zip(cases, got, wanted, strict=True):
        assert_same(results, want, 1e-6, repr(case.attrs))
    if selection.has_compiler():
        assert_same(computed(backend.name, name, cases[-1:], False)[0], wanted[-1], 1e-6, "the last case, eagerly")


def assert_same(got, want, rtol, message):
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-9, err_msg=message)


@pytest.mark.backends("torch")
@pytest.mark.parametrize("name", ["lstm", "normalize_batch_in_training", "relu", "softmax_crossentropy"])
def test_compiled_equals_eager(backend, name):
    for got, want in zip(*(computed("torch", name, CASES[name], compiled) for compiled in (True, False)), strict=True):
        assert_same(got, want, 1e-9, name)
