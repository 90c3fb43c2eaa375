"""K.dot_product_attention: the fused kernels give the numbers of the body, for every mixture of arguments."""

import itertools

import numpy as np
import pytest

from keras_front import backend as K

RNG = np.random.default_rng(2)
QUERY, KEY, VALUE = RNG.normal(size=(2, 5, 3, 4)), RNG.normal(size=(2, 6, 3, 4)), RNG.normal(size=(2, 6, 3, 7))
BIAS = {"none": None, "whole": RNG.normal(size=(2, 3, 5, 6)), "shared": RNG.normal(size=(1, 1, 5, 6))}
MASKS = {
    "none": None,
    "padding": np.array([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1], bool).reshape(2, 1, 1, 6),
    "blind": (np.arange(60) % 3 > 0).reshape(2, 1, 5, 6) & (np.arange(5) != 1).reshape(5, 1),
    "numbers": np.array([1, 1, 0, 1, 1, 0]).reshape(1, 1, 1, 6),
}


def attention(query, key, value, bias, mask, scale, is_causal):
    """By loops and in float64: a query that may see nothing sees all alike."""
    out = np.zeros((*query.shape[:3], value.shape[-1]))
    allowed = np.ones((2, 3, 5, 6), bool) if mask is None else np.broadcast_to(mask, (2, 3, 5, 6)).astype(bool)
    added = np.zeros((2, 3, 5, 6)) if bias is None else np.broadcast_to(bias, (2, 3, 5, 6))
    for b, h, t in itertools.product(range(2), range(3), range(5)):
        seen = allowed[b, h, t] & ((np.arange(6) <= t) | (not is_causal))
        scores = key[b, :, h] @ query[b, t, h] * (0.5 if scale is None else scale) + added[b, h, t]
        weights = np.where(seen, np.exp(scores - scores.max()), 0) if seen.any() else np.ones(6)
        out[b, t, h] = weights / weights.sum() @ value[b, :, h]
    return out


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_every_mixture_of_bias_mask_cause_and_scale(backend, dtype):
    tolerance = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2}[dtype]
    biases = [None if b is None else K.convert(b, dtype) for b in BIAS.values()]
    masks = [None if m is None else K.convert(m) for m in MASKS.values()]
    mixtures = list(itertools.product(range(len(biases)), range(len(masks)), ((None, False), (0.3, True))))

    def every(q, k, v, biases, masks):
        return [
            K.dot_product_attention(q, k, v, biases[b], masks[m], scale=scale, is_causal=is_causal)
            for b, m, (scale, is_causal) in mixtures
        ]

    given = [K.convert(a, dtype) for a in (QUERY, KEY, VALUE)]
    exact = [K.to_numpy(a).astype("float64") for a in given]
    added = [None if b is None else K.to_numpy(b).astype("float64") for b in biases]
    for results in (every(*given, biases, masks), K.compile(every)(*given, biases, masks)):
        for (b, m, how), got in zip(mixtures, results, strict=True):
            assert K.dtype(got) == dtype
            want = attention(*exact, added[b], list(MASKS.values())[m], *how)
            np.testing.assert_allclose(K.to_numpy(got), want, rtol=tolerance, atol=tolerance, err_msg=f"{b, m, how}")


@pytest.mark.parametrize("mask", ["none", "blind"])
def test_gradients_are_those_of_the_body(backend, mask):
    values = [K.convert(a) for a in (QUERY, KEY, VALUE, BIAS["whole"])]
    weights = K.convert(RNG.normal(size=(2, 5, 3, 7)))
    seen = None if MASKS[mask] is None else K.convert(MASKS[mask])

    def by(fn):
        def grads(p):
            def loss(q):
                y = fn(*q, seen, scale=None, is_causal=True)
                return K.sum(K.multiply(y, weights)), []

            return K.value_and_grad(loss, p)[1]

        return K.compile(grads)(values)

    for own, body in zip(by(K.dot_product_attention), by(K.Backend.dot_product_attention), strict=True):
        assert np.isfinite(K.to_numpy(own)).all()
        np.testing.assert_allclose(K.to_numpy(own), K.to_numpy(body), rtol=1e-9, atol=1e-12)


def test_second_derivatives(backend):
    values = [K.convert(a, "float32") for a in (QUERY, KEY, VALUE)]

    def slope(fn):
        def loss(p):
            return K.sum(K.sin(fn(*p, None, None, scale=None, is_causal=False))), []

        return lambda p: (K.sum(K.square(K.value_and_grad(loss, p)[1][0])), [])

    found = [
        K.compile(lambda p, fn=fn: K.value_and_grad(slope(fn), p)[1])(values)
        for fn in (K.dot_product_attention, K.Backend.dot_product_attention)
    ]
    for own, body in zip(*found, strict=True):
        np.testing.assert_allclose(K.to_numpy(own), K.to_numpy(body), rtol=1e-3, atol=1e-5)
    eager = K.value_and_grad(slope(K.dot_product_attention), values)[1]
    for own, body in zip(eager, found[1], strict=True):
        np.testing.assert_allclose(K.to_numpy(own), K.to_numpy(body), rtol=1e-3, atol=1e-5)
