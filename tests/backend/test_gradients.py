"""Every gradient rule against finite differences, traced against the engine's own, and second derivatives."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend.gradients import GRADIENT


def array(*shape, low=-2.0, high=2.0, seed=0):
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def spaced(*shape):
    """Values that are all well apart, so that no finite step crosses a kink."""
    n = int(np.prod(shape))
    return np.random.default_rng(n).permutation(np.linspace(-2.0, 2.0, n) + 0.013).reshape(shape)


def joined(tensors):
    return K.concatenate([K.flatten(t) for t in tensors])


def squares_of_svd(x):
    """What of a decomposition does not depend on the signs of its vectors."""
    u, s, vt = K.svd(x)
    return joined([K.square(u), s, K.square(vt)])


def twice(output):
    """The result of a recurrent step whose state is its output."""
    return output, [output]


IMAGE, KERNEL = array(2, 5, 6, 4), array(3, 2, 2, 6)
CONV = {"strides": (2, 1), "padding": "same", "dilation": (1, 2), "groups": 2, "data_format": "channels_last"}
POOL = {"pool_size": (2, 3), "strides": (2, 2), "padding": "same", "data_format": "channels_last"}
INDEX = np.array([[0, 2], [3, 2]])

CASES = {
    "add": [(K.add, array(3, 4), array(4))],
    "subtract": [(K.subtract, array(3, 1), array(2, 1, 4))],
    "multiply": [(K.multiply, array(3, 4), array(3, 1)), (lambda x: x * x * 2.0, array(3))],
    "divide": [(K.divide, array(3, 4), array(4, low=0.5))],
    "negative": [(K.negative, array(3))],
    "abs": [(K.abs, spaced(5))],
    "square": [(K.square, array(3))],
    "exp": [(K.exp, array(3))],
    "expm1": [(K.expm1, array(3))],
    "log": [(K.log, array(3, low=0.2))],
    "log1p": [(K.log1p, array(3, low=-0.5))],
    "square_root": [(K.square_root, array(3, low=0.2))],
    "sin": [(K.sin, array(3))],
    "cos": [(K.cos, array(3))],
    "tanh": [(K.tanh, array(3))],
    "sigmoid": [(K.sigmoid, array(3))],
    "erf": [(K.erf, array(3))],
    "erfinv": [(K.erfinv, array(3, low=0.2) / 4)],
    "where": [(lambda x, y: K.where(K.greater(x, 0.1), x, y), spaced(3, 4), array(4))],
    "identity": [(K.identity, array(3))],
    "mod": [(lambda x: K.mod(x, 0.7), array(5))],
    "relu": [(K.relu, spaced(6)), (lambda x: K.relu(x, alpha=0.2, max_value=1.0, threshold=0.3), spaced(6))],
    "power": [(K.power, array(3, low=0.3), array(3)), (lambda x: K.pow(x, 3), array(3))],
    "maximum": [(K.maximum, spaced(4, 3), spaced(3))],
    "minimum": [(K.minimum, spaced(4, 3), spaced(3))],
    "cast": [(lambda x: K.cast(K.cast(x, "float64"), "float64"), array(3))],
    "sum": [(lambda x: K.sum(x, axis=(0, -1)), array(2, 3, 4)), (lambda x: K.sum(x), array(2, 2))],
    "mean": [(lambda x: K.mean(x, axis=1, keepdims=True), array(2, 3))],
    "max": [(lambda x: K.max(x, axis=1), spaced(3, 4))],
    "min": [(lambda x: K.min(x, axis=(0, 2), keepdims=True), spaced(2, 3, 4))],
    "prod": [(lambda x: K.prod(x, axis=(0, 2)), array(2, 3, 2)), (K.prod, np.array([2.0, 0.0, 3.0]))],
    "cumsum": [(lambda x: K.cumsum(x, axis=1), array(2, 3))],
    "cumprod": [(lambda x: K.cumprod(x, axis=0), np.array([[2.0, 1.0], [0.0, 3.0], [4.0, 0.5]]))],
    "reshape": [(lambda x: K.reshape(x, (3, -1)), array(2, 6))],
    "broadcast_to": [(lambda x: K.broadcast_to(x, (2, 3, 4)), array(3, 1))],
    "permute_dimensions": [(lambda x: K.permute_dimensions(x, (2, 0, 1)), array(2, 3, 4))],
    "flip": [(lambda x: K.reverse(x, (0, -1)), array(2, 3))],
    "concatenate": [(lambda x, y: K.concatenate([x, y, x], axis=1), array(2, 3), array(2, 1))],
    "pad": [(lambda x: K.pad(x, ((1, 0), (2, 1)), (0, 2)), array(2, 3))],
    "strided_slice": [
        (lambda x: K.getitem(x, (slice(1, None), slice(None, None, 2))), array(3, 5)),
        (lambda x: K.getitem(x, (slice(None, None, -1), 1)), array(3, 5)),
    ],
    "gather": [(lambda x: K.gather(x, INDEX), array(4, 3)), (lambda x: K.gather(x, INDEX, axis=1), array(2, 4, 3))],
    "scatter_add": [(lambda x: K.scatter_add(x, INDEX, 4, 0), array(2, 2, 3))],
    "take_along_axis": [(lambda x: K.take_along_axis(x, INDEX, axis=1), array(2, 4))],
    "matmul": [(K.matmul, array(3, 4), array(4, 2)), (K.matmul, array(2, 3, 4), array(4, 2))],
    "linear": [(K.linear, array(3, 4), array(4, 2), array(2))],
    "cholesky": [(lambda x: K.cholesky(K.add(K.matmul(x, K.transpose(x)), 2 * np.eye(3))), array(3, 3))],
    "solve": [(K.solve, array(2, 3, 3), array(2, 3, 2)), (K.solve, array(2, 3, 3), array(3, 2))],
    "det": [(K.det, array(2, 3, 3))],
    "householder_qr": [(lambda x: joined(K.qr(x)), array(2, 4, 3))],
    "svd": [(squares_of_svd, array(2, 4, 3)), (squares_of_svd, array(3, 4)), (lambda x: K.svd(x)[1], array(3, 3))],
    "fft": [(lambda a, b: joined(K.fft(a, b, axis=0)), array(5, 2), array(5, 2, seed=1))],
    "ifft": [(lambda a, b: joined(K.ifft(a, b)), array(2, 4), array(2, 4, seed=1))],
    "softmax": [(K.softmax, array(3, 4)), (lambda x: K.softmax(x, axis=0), array(3, 4))],
    "log_softmax": [(K.log_softmax, array(3, 4))],
    "softmax_crossentropy": [(K.softmax_crossentropy, array(3, 4), array(3, 4, low=0.0))],
    "clipped_softmax_crossentropy": [
        (lambda z, t: K.clipped_softmax_crossentropy(z, t, -1.5), array(3, 4), array(3, 4, low=0.0))
    ],
    "binary_crossentropy": [
        (lambda t, p: K.binary_crossentropy(t, K.clip(p, 0.1, 0.9)), array(3, 4, low=0.0), array(3, 4, low=0.0)),
        (lambda t, z: K.binary_crossentropy(t, z, from_logits=True), array(3, 4, low=0.0), array(3, 4)),
    ],
    "clipped_sigmoid_crossentropy": [
        (lambda z, t: K.clipped_sigmoid_crossentropy(z, t, -0.7, 0.9), array(3, 4), array(3, 4, low=0.0))
    ],
    "clipped_binary_crossentropy": [
        (lambda p, t: K.clipped_binary_crossentropy(p, t, 0.2, 0.3), array(3, 4, low=0.05) / 2.5, array(3, 4, low=0.0))
    ],
    "sigmoid_crossentropy": [(K.sigmoid_crossentropy, array(3, 4), array(3, 4, low=0.0))],
    "conv": [(lambda x, k: K.conv(x, k, **CONV), IMAGE, KERNEL)],
    "conv_input_gradient": [
        (lambda g, k: K.conv_input_gradient(g, k, (2, 5, 6, 4), **CONV), array(2, 3, 6, 6), KERNEL)
    ],
    "conv_kernel_gradient": [
        (lambda x, g: K.conv_kernel_gradient(x, g, (3, 2, 2, 6), **CONV), IMAGE, array(2, 3, 6, 6))
    ],
    "max_pool": [(lambda x: K.max_pool(x, **POOL), spaced(2, 5, 6, 2))],
    "max_pool_gradient": [(lambda g: K.max_pool_gradient(spaced(1, 5, 6, 2), g, **POOL), array(1, 3, 3, 2))],
    "max_pool_pick": [(lambda y: K.max_pool_pick(spaced(1, 5, 6, 2), y, **POOL), array(1, 5, 6, 2))],
    "average_pool": [(lambda x: K.average_pool(x, **POOL), array(2, 5, 6, 2))],
    "lstm_sequence": [
        (
            lambda z, h, c, r: K.concatenate(
                [K.lstm_sequence(z, h, c, r)[0], K.expand_dims(K.lstm_sequence(z, h, c, r)[2], 0)], 0
            ),
            array(3, 2, 8),
            array(2, 2),
            array(2, 2),
            array(2, 8),
        ),
        (
            lambda z, h, c, r: K.lstm_sequence(z, h, c, r, np.array([[1, 0], [1, 1], [0, 1]], bool))[0],
            array(3, 2, 8),
            array(2, 2),
            array(2, 2),
            array(2, 8),
        ),
    ],
    "conv_lstm_sequence": [
        (
            lambda z, h, c, r, mask=mask: K.concatenate(
                [K.expand_dims(y, 0) for y in K.conv_lstm_sequence(z, h, c, r, mask)[1:]], 0
            ),
            array(3, 2, 3, 2, 8),
            array(2, 3, 2, 2),
            array(2, 3, 2, 2),
            array(2, 3, 2, 8),
        )
        for mask in (None, np.array([[1, 0], [1, 1], [0, 1]], bool))
    ],
    "gru_sequence": [
        (
            lambda z, h, r, b, mask=mask, after=after: K.gru_sequence(z, h, r, b, mask, reset_after=after)[0],
            array(3, 2, 6),
            array(2, 2),
            array(2, 6),
            array(2),
        )
        for mask in (None, np.array([[1, 0], [1, 1], [0, 1]], bool))
        for after in (False, True)
    ],
    "simple_rnn_sequence": [
        (
            lambda z, h, r, mask=mask: K.simple_rnn_sequence(z, h, r, mask)[0],
            array(3, 2, 2),
            array(2, 2),
            array(2, 2),
        )
        for mask in (None, np.array([[1, 0], [1, 1], [0, 1]], bool))
    ],
    "average_pool_gradient": [(lambda g: K.average_pool_gradient(g, (2, 5, 6, 2), **POOL), array(2, 3, 3, 2))],
}
COMPOSED = {
    "lstm": (
        lambda x, h, c, k, r, b: K.lstm(x, h, c, k, r, b, np.array([[1, 1, 0], [1, 0, 0]], bool))[0],
        array(2, 3, 2), array(2, 2), array(2, 2), array(2, 8), array(2, 8), array(8),
    ),
    "rnn": (
        lambda x, h, w: K.rnn(lambda t, s: twice(K.tanh(K.dot(t, w) + s[0])), x, [h], go_backwards=True)[1],
        array(2, 3, 2), array(2, 2), array(2, 2),
    ),
    "batch": (lambda x, g, b: K.normalize_batch_in_training(x, g, b, (0,))[0], array(5, 3), array(3), array(3)),
    "layer": (lambda x, g, b: K.layer_normalization(x, g, b), array(5, 3), array(3), array(3)),
    "crossentropy": (lambda t, z: K.categorical_crossentropy(t, K.softmax(z)), array(2, 3, low=0.0), array(2, 3)),
    "logsumexp": (lambda x: K.logsumexp(x, axis=1), array(2, 3)),
    "l2": (lambda x: K.l2_normalize(x, axis=1), array(2, 3)),
    "elu": (K.elu, spaced(5)),
    "gelu": (K.gelu, array(5)),
    "clip": (lambda x: K.clip(x, -1.0, 1.0), spaced(6)),
}  # fmt: skip
ALL = [(f"{n}-{i}", c) for n, cases in CASES.items() for i, c in enumerate(cases)] + list(COMPOSED.items())


# Tested in test_custom_gradient.py, test_print_tensor.py, test_recompute.py and, in several processes, in distribution/
OF_THEIR_OWN = {"custom_gradient", "host_print", "recompute", "barrier", "replica_gather"}


def test_every_rule_has_a_case():
    assert set(GRADIENT) - OF_THEIR_OWN == set(CASES) & set(GRADIENT)


def weighted(fn):
    """A scalar that depends on every element of the result in another way."""

    def loss(params):
        result = fn(*params)
        weights = np.cos(np.arange(int(np.prod(result.shape)))).reshape(result.shape)
        return K.sum(result * K.convert(weights, "float64")), [result]

    return loss


def directional(value, arrays, direction, step=1e-6):
    up = value([a + step * d for a, d in zip(arrays, direction)])
    down = value([a - step * d for a, d in zip(arrays, direction)])
    return (up - down) / (2 * step)


@pytest.mark.engine_neutral
@pytest.mark.parametrize(("name", "case"), ALL, ids=[name for name, _ in ALL])
def test_rule_against_finite_differences(backend, name, case):
    fn, *arrays = case
    loss = weighted(fn)
    params = [K.convert(a, "float64") for a in arrays]
    engine = K.discovery.active()
    traced = K.compile(lambda ps: K.gradients_by_rules(lambda p: loss(p)[0], ps))
    value, grads = traced(params)
    direction = [np.random.default_rng(9).normal(size=a.shape) for a in arrays]

    def evaluate(at):
        return float(K.to_numpy(traced([K.convert(a, "float64") for a in at])[0]))

    slope = sum(float(np.sum(K.to_numpy(g) * d)) for g, d in zip(grads, direction))
    assert np.isclose(slope, directional(evaluate, arrays, direction), rtol=2e-5, atol=2e-6)
    (native_value, _), native = K.value_and_grad(loss, params)
    assert np.isclose(float(K.to_numpy(native_value)), float(K.to_numpy(value)), rtol=1e-9, atol=1e-12)
    for g, n in zip(grads, native):
        np.testing.assert_allclose(engine.to_numpy(n), engine.to_numpy(g), rtol=1e-7, atol=1e-9)


SECOND = ["multiply-0", "tanh-0", "conv-0", "max_pool-0", "average_pool-0", "softmax-0", "matmul-0", "power-0", "lstm"]


@pytest.mark.engine_neutral
@pytest.mark.parametrize("name", SECOND)
def test_second_derivative(backend, name):
    fn, *arrays = dict(ALL)[name]
    loss = weighted(lambda *a: K.square(fn(*a)))
    direction = [np.random.default_rng(9).normal(size=a.shape) for a in arrays]

    def slope(params):
        _, grads = K.gradients_by_rules(lambda p: loss(p)[0], params)
        parts = [K.sum(g * K.convert(d, "float64")) for g, d in zip(grads, direction)]
        return sum(parts[1:], parts[0])

    traced = K.compile(lambda ps: K.gradients_by_rules(slope, ps))
    _, second = traced([K.convert(a, "float64") for a in arrays])

    def first(at):
        return float(K.to_numpy(traced([K.convert(a, "float64") for a in at])[0]))

    curvature = sum(float(np.sum(K.to_numpy(g) * d)) for g, d in zip(second, direction))
    assert np.isclose(curvature, directional(first, arrays, direction, 1e-5), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("fn", "x", "y", "gx", "gy"), [
    (K.maximum, 1.0, 1.0, 0.5, 0.5),
    (K.minimum, 1.0, 1.0, 0.5, 0.5),
    (lambda x, y: K.relu(x) + 0 * y, 0.0, 0.0, 0.0, 0.0),
    (lambda x, y: K.abs(x) + 0 * y, 0.0, 0.0, 0.0, 0.0),
    (lambda x, y: K.clip(x, -1.0, 1.0) + 0 * y, 1.0, 0.0, 1.0, 0.0),
    (lambda x, y: K.max(K.stack([x, y])), 2.0, 2.0, 0.5, 0.5),
    (lambda x, y: K.min(K.stack([x, y])), 2.0, 2.0, 0.5, 0.5),
])  # fmt: skip
def test_ties_share_the_gradient_as_promised(backend, fn, x, y, gx, gy):
    """Decision D9: both by the rules and by the engine's own differentiation."""
    params = [K.convert(np.array(v), "float64") for v in (x, y)]
    _, native = K.value_and_grad(lambda p: (K.sum(fn(*p)), []), params)
    _, ruled = K.compile(lambda ps: K.gradients_by_rules(lambda p: K.sum(fn(*p)), ps))(params)
    for grads in (native, ruled):
        assert [float(K.to_numpy(g)) for g in grads] == [gx, gy]


@pytest.mark.slow
def test_a_long_chain_does_not_meet_the_recursion_limit(backend):
    steps = 3000
    x = K.placeholder((None,))
    y = x
    for _ in range(steps):
        y = y + 1.0
    (g,) = K.gradients(y, [x])
    value, slope = K.function([x], [y, g])([np.zeros(2)])
    assert value.tolist() == [steps, steps]
    assert slope.tolist() == [1, 1]


def test_gradients_of_what_is_not_used_are_none():
    x, y = K.placeholder((2,)), K.placeholder((2,))
    assert K.gradients(K.sum(x), [y]) == [None]
