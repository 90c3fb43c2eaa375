"""NaN, infinity and kinks in activations: one contract for every backend, eager and compiled."""

import numpy as np
import pytest

from keras_front import backend as K

INF, NAN = np.inf, np.nan
X = np.array([NAN, -INF, -8.0, -1.0, 0.0, 0.5, 3.0, 8.0, INF])


def rectified(alpha, top, threshold):
    below = alpha * (X - threshold) if alpha else 0.0
    return np.where(np.isnan(X), NAN, np.where(X > threshold, np.minimum(X, top), np.where(X == threshold, 0, below)))


CASES = {
    "relu": (K.relu, np.maximum(X, 0)),
    "alpha": (lambda x: K.relu(x, alpha=0.1), rectified(0.1, INF, 0)),
    "max_value": (lambda x: K.relu(x, max_value=2.0), rectified(0, 2, 0)),
    "threshold": (lambda x: K.relu(x, threshold=1.0), rectified(0, INF, 1)),
    "all": (lambda x: K.relu(x, alpha=0.1, max_value=6.0, threshold=1.0), rectified(0.1, 6, 1)),
    "relu6": (K.relu6, rectified(0, 6, 0)),
    "leaky_relu": (lambda x: K.leaky_relu(x, 0.1), rectified(0.1, INF, 0)),
    "clip": (lambda x: K.clip(x, -1.0, 1.0), np.clip(X, -1, 1)),
    "clip below": (lambda x: K.clip(x, min_value=-1.0), np.maximum(X, -1)),
    "clip above": (lambda x: K.clip(x, max_value=1.0), np.minimum(X, 1)),
    "clip by tensors": (lambda x: K.clip(x, K.convert(-1.0, "float64"), K.convert(np.ones(9))), np.clip(X, -1, 1)),
    "maximum": (lambda x: K.maximum(x, 0.0), np.maximum(X, 0)),
    "minimum": (lambda x: K.minimum(0.0, x), np.minimum(X, 0)),
    "hard_sigmoid": (K.hard_sigmoid, np.clip(0.2 * X + 0.5, 0, 1)),
    "elu": (K.elu, np.where(X > 0, X, np.expm1(np.minimum(X, 0)))),
    "softplus": (K.softplus, np.array([NAN, 0, *np.log1p(np.exp(X[2:-1])), INF])),
    "bodies": (lambda x: K.Backend.relu(x, alpha=0.0, max_value=None, threshold=0.0), np.maximum(X, 0)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_stays_nan_and_infinity_is_a_number_like_others(backend, name, dtype):
    fn, want = CASES[name]
    if name == "clip by tensors" and dtype == "float32":
        want = want.astype("float32")
    x = K.convert(X, dtype)
    np.testing.assert_allclose(K.to_numpy(fn(x)), want, rtol=1e-6)
    np.testing.assert_allclose(K.to_numpy(K.compile(fn)(x)), want, rtol=1e-6)


SLOPES = {
    "relu": (K.relu, 0.0),
    "softplus": (K.softplus, 0.5),
    "log_sigmoid": (K.log_sigmoid, 0.5),
    "mish": (K.mish, np.tanh(np.log(2))),
    "sinh": (K.sinh, 1.0),
    "arcsinh": (K.arcsinh, 1.0),
    "arctanh": (K.arctanh, 1.0),
    "cosh": (K.cosh, 0.0),
    "softsign": (K.softsign, 1.0),
    "elu": (K.elu, 1.0),
    "silu": (K.silu, 0.5),
    "gelu": (K.gelu, 0.5),
    "gelu by tanh": (lambda x: K.gelu(x, approximate=True), 0.5),
    "logaddexp": (lambda x: K.logaddexp(x, x * 3.0), 2.0),
    "sigmoid_crossentropy": (lambda x: K.sigmoid_crossentropy(x, K.convert(np.full(3, 0.2))), 0.3),
    "body of sigmoid_crossentropy": (lambda x: K.Backend.sigmoid_crossentropy(x, K.convert(np.full(3, 0.2))), 0.3),
}


@pytest.mark.parametrize("name", SLOPES)
def test_functions_that_are_smooth_at_zero_have_their_slope_there(backend, name):
    """Zeros are what a layer gives before it has learned anything."""
    fn, slope = SLOPES[name]
    zero = [K.convert(np.zeros(3))]

    def native(p):
        return K.value_and_grad(lambda q: (K.sum(fn(q[0])), []), p)[1][0]

    def ruled(p):
        return K.gradients_by_rules(lambda q: K.sum(fn(q[0])), p)[1][0]

    for found in (native(zero), K.compile(native)(zero), K.compile(ruled)(zero)):
        np.testing.assert_allclose(K.to_numpy(found), slope, rtol=1e-6, atol=1e-12)


def test_hyperbolic_functions_far_from_zero(backend):
    x = np.array([-3e38, -1e20, -1e4, -20.0, -1e-6, 1e-6, 0.5, 20.0, 1e4, 1e20, 3e38], "float32")
    np.testing.assert_allclose(K.to_numpy(K.arcsinh(K.convert(x))), np.arcsinh(x.astype("float64")), rtol=1e-6)
    x = np.array([-88.0, -20.0, -1.0, -1e-6, 1e-6, 0.5, 20.0, 88.0], "float32")
    np.testing.assert_allclose(K.to_numpy(K.sinh(K.convert(x))), np.sinh(x.astype("float64")), rtol=1e-5)


def test_logaddexp_of_infinities(backend):
    x, y = np.array([-INF, -INF, INF, 1.0, NAN]), np.array([-INF, 2.0, INF, 1.0, 1.0])
    want = [-INF, 2.0, INF, 1 + np.log(2), NAN]
    np.testing.assert_allclose(K.to_numpy(K.logaddexp(K.convert(x), K.convert(y))), want, rtol=1e-9)


def test_the_first_nan_is_the_largest_and_the_smallest(backend):
    x = np.array([[1, NAN, 3], [NAN, 1, NAN], [2, 5, 4]], "float32")
    p = K.placeholder((3, 3))
    for op, want in ((K.argmax, np.argmax(x, -1)), (K.argmin, np.argmin(x, -1))):
        np.testing.assert_array_equal(K.to_numpy(op(K.constant(x))), want)
        np.testing.assert_array_equal(K.function([p], [op(p)])([x])[0], want)


def test_cube_roots_of_infinities_are_infinite(backend):
    given = np.array([-np.inf, np.inf, -8.0, 0.0], "float32")
    np.testing.assert_allclose(K.eval(K.cbrt(K.constant(given))), np.cbrt(given), rtol=1e-5)


@pytest.mark.parametrize("op", ["fft", "ifft", "rfft"])
def test_fourier_transforms_of_halves_are_halves_as_in_numpy(backend, op):
    given = np.random.default_rng(0).random((2, 5)).astype("float16")
    arrays = [given] if op == "rfft" else [given, np.zeros_like(given)]
    found = getattr(K, op)(*(K.constant(a, dtype="float16") for a in arrays))
    expected = getattr(np.fft, op)(given.astype("float64"))
    assert [K.dtype(part) for part in found] == ["float16", "float16"]
    for part, wanted in zip(found, (expected.real, expected.imag), strict=True):
        np.testing.assert_allclose(K.eval(part), wanted, atol=4e-3)
