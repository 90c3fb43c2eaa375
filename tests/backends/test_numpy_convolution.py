"""Convolution and pooling kernels of the NumPy backend against loops written out in float64."""

import itertools

import numpy as np
import pytest

from keras_front_numpy.kernels import convolution, depthwise, pooling

RNG = np.random.default_rng(7)

CASES = [  # input, kernel, strides, padding, dilation, groups
    ((3, 9, 8, 4), (3, 3, 4, 5), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((3, 9, 8, 4), (3, 2, 4, 5), (1, 1), ((1, 1), (0, 1)), (1, 1), 1),
    ((3, 9, 8, 4), (3, 3, 4, 5), (2, 3), ((1, 1), (0, 1)), (1, 1), 1),
    ((2, 9, 9, 3), (3, 3, 3, 4), (1, 1), ((2, 2), (2, 2)), (2, 2), 1),
    ((2, 9, 9, 3), (2, 3, 3, 4), (2, 1), ((0, 2), (1, 1)), (2, 3), 1),
    ((2, 7, 6, 1), (3, 3, 1, 4), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((2, 7, 6, 4), (1, 1, 4, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((2, 7, 6, 4), (1, 1, 4, 3), (2, 2), ((0, 0), (0, 0)), (1, 1), 1),
    ((2, 7, 6, 4), (2, 2, 4, 3), (1, 1), ((2, 3), (1, 2)), (1, 1), 1),
    ((2, 7, 6, 4), (3, 3, 2, 6), (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
    ((2, 7, 6, 6), (3, 3, 2, 6), (2, 2), ((1, 1), (1, 1)), (1, 1), 3),
    ((2, 7, 6, 4), (3, 3, 1, 4), (1, 1), ((1, 1), (1, 1)), (1, 1), 4),
    ((2, 7, 6, 4), (3, 3, 1, 8), (2, 1), ((1, 1), (0, 0)), (1, 2), 4),
    ((3, 7, 6, 3), (3, 3, 1, 6), (1, 1), ((1, 1), (1, 1)), (1, 1), 3),
    ((3, 7, 6, 3), (5, 4, 1, 9), (1, 1), ((2, 2), (1, 2)), (1, 1), 3),
    ((2, 9, 8, 3), (3, 3, 1, 3), (1, 1), ((0, 0), (0, 0)), (2, 2), 3),
    ((2, 9, 8, 3), (2, 2, 1, 6), (1, 1), ((3, 1), (2, 2)), (1, 1), 3),
    ((2, 9, 8, 3), (3, 3, 1, 6), (2, 2), ((0, 1), (1, 0)), (1, 1), 3),
    ((2, 9, 8, 3), (1, 1, 1, 6), (1, 1), ((0, 0), (0, 0)), (1, 1), 3),
    ((2, 9, 8, 3), (3, 3, 1, 3), (2, 2), ((0, 0), (0, 0)), (1, 1), 3),
    ((3, 11, 4), (4, 1, 4), (1,), ((3, 0),), (1,), 4),
    ((3, 11, 4), (3, 1, 8), (3,), ((1, 1),), (2,), 4),
    ((2, 5, 4, 6, 2), (2, 3, 2, 1, 2), (1, 2, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 2), 2),
    ((2, 5, 4, 6, 2), (2, 3, 2, 1, 4), (1, 1, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 1), 2),
    ((0, 7, 6, 3), (3, 3, 1, 6), (1, 1), ((1, 1), (1, 1)), (1, 1), 3),
    ((0, 7, 6, 3), (3, 3, 3, 6), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((2, 2, 2, 3), (3, 3, 1, 6), (1, 1), ((0, 0), (0, 0)), (1, 1), 3),
    ((3, 11, 4), (4, 4, 5), (2,), ((3, 0),), (1,), 1),
    ((3, 11, 4), (3, 4, 5), (1,), ((4, 0),), (2,), 1),
    ((2, 5, 4, 6, 2), (2, 3, 2, 2, 3), (1, 2, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 2), 1),
    ((2, 5, 4, 6, 2), (2, 3, 2, 2, 3), (1, 1, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 2), 1),
]


def pad(x, padding, value=0.0):
    return np.pad(x, [(0, 0), *padding, (0, 0)], constant_values=value)


def windows(x, window, strides, dilation, out):
    """(index of the result, its slices of the padded x)."""
    for place in np.ndindex(*out):
        spans = [slice(p * s, p * s + d * (w - 1) + 1, d) for p, s, d, w in zip(place, strides, dilation, window)]
        yield place, (slice(None), *spans)


def naive_conv(x, k, strides, padding, dilation, groups):
    window, n = k.shape[:-2], len(k.shape) - 2
    out = convolution.out_space(x.shape[1:-1], window, strides, padding, dilation)
    result, padded = np.zeros((x.shape[0], *out, k.shape[-1])), pad(x, padding)
    for place, span in windows(padded, window, strides, dilation, out):
        for g in range(groups):
            depth, filters = k.shape[-2], k.shape[-1] // groups
            part, taps = (
                padded[span][..., g * depth : (g + 1) * depth],
                k[..., g * filters : (g + 1) * filters],
            )
            axes = list(range(n + 1))
            at = (slice(None), *place, slice(g * filters, (g + 1) * filters))
            result[at] = np.tensordot(part, taps, ([a + 1 for a in axes], axes))
    return result


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=2e-4, atol=2e-4)


def tight(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-10)


loose = close


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("block", [1 << 20, 3000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_convolution_and_its_gradients(case, block, dtype, monkeypatch):
    x_shape, k_shape, *how = case
    groups = how.pop()
    monkeypatch.setattr(convolution, "BLOCK_BYTES", block)
    monkeypatch.setattr(depthwise, "BLOCK_BYTES", block)
    x, k = RNG.standard_normal(x_shape, dtype), RNG.standard_normal(k_shape, dtype)
    close = tight if dtype == "float64" else loose
    expected = naive_conv(x.astype(float), k.astype(float), *how, groups)
    out = np.empty(expected.shape, dtype)
    run = convolution.plan_forward(x_shape, k_shape, *how, groups, dtype)
    for _ in range(2):  # twice: scratch must not remember
        run(x, k, out)
        close(out, expected)
    g = RNG.standard_normal(expected.shape, dtype)
    dx, dk = np.full_like(x, np.nan), np.full_like(k, np.nan)
    back = convolution.plan_input_gradient(x_shape, k_shape, *how, groups, dtype)
    kernel_back = convolution.plan_kernel_gradient(x_shape, k_shape, *how, groups, dtype)
    for _ in range(2):
        back(g, k, dx)
        kernel_back(x, g, dk)
    ux, uk = (
        RNG.standard_normal(x_shape),
        RNG.standard_normal(k_shape),
    )  # linear in both: <g, conv(u, k)> = <dx, u>
    close(np.vdot(dx, ux), np.vdot(g, naive_conv(ux, k.astype(float), *how, groups)))
    close(np.vdot(dk, uk), np.vdot(g, naive_conv(x.astype(float), uk, *how, groups)))


@pytest.mark.parametrize("groups", [1, 3])
def test_what_follows_joins_the_convolution(groups):
    x, k, b, c = (RNG.standard_normal(s, dtype="f") for s in [(2, 6, 6, 3), (3, 3, 3 // groups, 6), (6,), (6,)])
    how = (1, 1), ((0, 0), (0, 0)), (1, 1)
    out = np.empty((2, 4, 4, 6), "f")
    run = convolution.plan_forward(x.shape, k.shape, *how, groups, tail=("add", "multiply", "relu"))
    run(x, k, b, c, out)
    close(out, np.maximum((naive_conv(x, k, *how, groups) + b) * c, 0))


@pytest.mark.parametrize(("groups", "filters"), [(1, 4), (3, 3), (3, 6)])
def test_images_may_be_views(groups, filters):
    x = RNG.standard_normal((2, 3, 6, 6), dtype="f").transpose(0, 2, 3, 1)
    k = RNG.standard_normal((3, 3, 3 // groups, filters), dtype="f")
    g = RNG.standard_normal((2, filters, 4, 4), dtype="f").transpose(0, 2, 3, 1)
    how = (1, 1), ((0, 0), (0, 0)), (1, 1), groups
    out, dx, dk = np.empty(g.shape, "f"), np.empty(x.shape, "f"), np.empty_like(k)
    convolution.plan_forward(x.shape, k.shape, *how)(x, k, out)
    close(out, naive_conv(x, k, *how))
    convolution.plan_input_gradient(x.shape, k.shape, *how)(g, k, dx)
    convolution.plan_kernel_gradient(x.shape, k.shape, *how)(x, g, dk)
    close(np.vdot(dx, x), np.vdot(g, out))
    close(np.vdot(dk, k), np.vdot(g, out))


POOLS = [  # input, window, strides, padding
    ((3, 8, 6, 4), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((3, 9, 7, 4), (2, 3), (2, 3), ((0, 0), (0, 0))),
    ((3, 9, 7, 4), (3, 3), (2, 2), ((1, 1), (1, 1))),
    ((3, 5, 7, 4), (3, 2), (1, 1), ((1, 1), (0, 1))),
    ((3, 5, 7, 4), (2, 2), (3, 3), ((0, 0), (0, 0))),
    ((2, 9, 4), (3,), (2,), ((1, 1),)),
    ((2, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), ((0, 1), (1, 1), (0, 0))),
]


def naive_pool(x, window, strides, padding, mode):
    """(result, gradient of sum(result * weight) as a function of weight)."""
    ones = (1,) * len(window)
    out = convolution.out_space(x.shape[1:-1], window, strides, padding, ones)
    result, n, c = np.zeros((x.shape[0], *out, x.shape[-1])), *(x.shape[i] for i in (0, -1))
    share = np.zeros((n, c, *out, *pad(x, padding).shape[1:-1]))
    values, counts = pad(x.astype(float), padding, np.nan), pad(np.ones_like(x), padding)
    for place, span in windows(values, window, strides, ones, out):
        for i, j in itertools.product(range(n), range(c)):
            cell = (slice(i, i + 1), *span[1:], slice(j, j + 1))
            part, at = values[cell], (i, *place, j)
            if mode == "max":
                result[at] = np.nanmax(part)
                first = np.unravel_index(np.flatnonzero((part == result[at]).ravel())[0], part.shape)[1:-1]
                spot = tuple(s.start + f for s, f in zip(span[1:], first))
                share[(i, j, *place, *spot)] = 1
            else:
                result[at] = np.nansum(part) / counts[cell].sum()
                share[(i, j, *place, *span[1:])] = (counts[cell][0, ..., 0] > 0) / counts[cell].sum()
    inner = tuple(slice(lo, lo + size) for (lo, _), size in zip(padding, x.shape[1:-1]))

    def gradient(g):
        axes = tuple(range(2, 2 + len(out)))
        moved = np.moveaxis(g, -1, 1).reshape(n, c, *out, *(1,) * len(out))
        return np.moveaxis((share * moved).sum(axes), 1, -1)[(slice(None), *inner)]

    return result, gradient


@pytest.mark.parametrize("case", POOLS, ids=str)
@pytest.mark.parametrize("block", [1 << 19, 500])
@pytest.mark.parametrize("mode", ["max", "average"])
def test_pooling_and_its_gradients(case, block, mode, monkeypatch):
    shape, *how = case
    monkeypatch.setattr(pooling, "BLOCK_BYTES", block)
    x = RNG.integers(-2, 3, shape).astype("f")  # with many ties
    expected, gradient = naive_pool(x, *how, mode)
    out, dx = np.empty(expected.shape, "f"), np.empty_like(x)
    g = RNG.standard_normal(expected.shape, dtype="f")
    run = getattr(pooling, f"plan_{mode}_pool")(shape, *how)
    back = getattr(pooling, f"plan_{mode}_pool_gradient")(shape, *how)
    for _ in range(2):
        run(x, out)
        close(out, expected)
        back(x, out, g, dx) if mode == "max" else back(g, dx)
        close(dx, gradient(g))


@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pick_is_the_transpose_of_the_gradient(case):
    shape, *how = case
    x, values = RNG.integers(-2, 3, shape).astype("f"), RNG.standard_normal(shape, dtype="f")
    expected, gradient = naive_pool(x, *how, "max")
    out, picked = expected.astype("f"), np.empty(expected.shape, "f")
    pooling.plan_max_pool_pick(shape, *how)(x, out, values, picked)
    g = RNG.standard_normal(expected.shape)
    close(np.vdot(g, picked), np.vdot(gradient(g), values))
