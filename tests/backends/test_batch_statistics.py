"""The statistics that K.normalize_batch_in_training returns can be differentiated, as everything else can."""

import numpy as np
import pytest

from keras_front import backend as K

RNG = np.random.default_rng(4)


def derivative(function, args, position, direction, step=1e-6):
    """The central difference of `function` along `direction` in one of its arguments."""

    def at(size):
        return function(*[v + size * direction if j == position else v for j, v in enumerate(args)])

    return (at(step) - at(-step)) / (2 * step)


@pytest.mark.parametrize(("shape", "axes"), [((6, 3), (0,)), ((2, 4, 3, 5), (0, 1, 2)), ((4, 3, 2, 5), (0, 2, 3))])
def test_gradients_through_all_three_results(backend, shape, axes):
    """In float32, where fused kernels are."""
    x = RNG.normal(size=shape)
    kept = tuple(n for i, n in enumerate(shape) if i not in axes)
    gamma, beta, a, b, weights = (RNG.normal(size=s) for s in (kept, kept, kept, kept, shape))

    def loss(x, gamma, beta, sum, multiply, normalize):
        results = normalize(x, gamma, beta)
        parts = [sum(multiply(r, w)) for r, w in zip(results, (weights, a, b), strict=True)]
        return parts[0] + parts[1] + parts[2]

    def truth(x, gamma, beta):
        mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        wide = mean.shape
        y = (x - mean) / np.sqrt(var + 1e-3) * gamma.reshape(wide) + beta.reshape(wide)
        return y, mean.reshape(kept), var.reshape(kept)

    def weighted(x, w):
        return K.multiply(x, w.astype("float32"))

    def fused(x, gamma, beta):
        return K.normalize_batch_in_training(x, gamma, beta, axes)

    def differentiated(params):
        return K.value_and_grad(lambda p: (loss(*p, K.sum, weighted, fused), []), params)[1]

    values = [K.convert(v, "float32") for v in (x, gamma, beta)]
    for found in (differentiated(values), K.compile(differentiated)(values)):
        for i, got in enumerate(found):
            direction = RNG.normal(size=got.shape)
            want = derivative(lambda *args: loss(*args, np.sum, np.multiply, truth), (x, gamma, beta), i, direction)
            np.testing.assert_allclose(np.sum(K.to_numpy(got) * direction), want, rtol=2e-3, atol=2e-3)


def test_statistics_alone_can_be_differentiated_twice(backend):
    x = RNG.normal(size=(5, 2)).astype("float32")

    def variance(p):
        return K.sum(K.normalize_batch_in_training(p[0], None, None, (0,))[2] ** 2), []

    def slope(p):
        return K.sum(K.value_and_grad(variance, p)[1][0] ** 2), []

    found = K.to_numpy(K.compile(lambda p: K.value_and_grad(slope, p)[1])([K.convert(x)])[0])
    off = x - x.mean(0)
    want = 48 * off.var(0) ** 2 / 5 * 2 * off / 5  # of the sum of (4 var off / n)^2, which is 16 var^3 / n
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-5)
