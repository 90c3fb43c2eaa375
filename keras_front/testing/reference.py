"""What every primitive means, in plain NumPy float64: the other side of the comparison in `test_primitives`."""

from __future__ import annotations

import math

import numpy as np


def axes_of(axis, ndim):
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


def reduced(fn):
    def reference(x, axis=None, keepdims=False):
        return fn(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)

    return reference


erf = np.vectorize(math.erf, otypes=["float64"])


def sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def cast(x, dtype):
    return x.astype(dtype)


def reshape(x, shape):  # NumPy calls it `newshape` before 2.1
    return np.reshape(x, shape)


def trunc(x):  # NumPy before 2.1 makes float64 of integers
    return np.trunc(x) if x.dtype.kind == "f" else x


def pad(x, padding, interior=None, value=0.0):
    gaps = interior or (0,) * x.ndim
    spaced = np.full([d + max(d - 1, 0) * g for d, g in zip(x.shape, gaps)], value, x.dtype)
    spaced[tuple(slice(None, None, g + 1) for g in gaps)] = x
    return np.pad(spaced, padding, constant_values=value)


def scatter_add(updates, indices, size, axis=0):
    k = indices.ndim
    axis = axis % (updates.ndim - k + 1)
    moved = np.moveaxis(updates, range(axis, axis + k), range(k))
    result = np.zeros((size, *moved.shape[k:]), updates.dtype)
    np.add.at(result, indices, moved)
    return np.moveaxis(result, 0, axis)


# Images ----------------------------------------------------------------------------------------------------


def amounts(padding, sizes, window, strides, dilation):
    if padding == "valid":
        return [(0, 0)] * len(sizes)
    if padding != "same":
        return list(padding)
    pairs = []
    for n, w, s, d in zip(sizes, window, strides, dilation):
        total = max(0, (math.ceil(n / s) - 1) * s + d * (w - 1) + 1 - n)
        pairs.append((total // 2, total - total // 2))  # the odd one at the end
    return pairs


def last(x, data_format):
    return x if data_format == "channels_last" else np.moveaxis(x, 1, -1)


def back(x, data_format):
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


def places(sizes, window, strides, pairs, dilation):
    """(index of a window, its slices of the padded images), in order."""
    out = [
        (n + lo + hi - d * (w - 1) - 1) // s + 1
        for n, w, s, (lo, hi), d in zip(sizes, window, strides, pairs, dilation)
    ]
    for place in np.ndindex(*out):
        yield (
            place,
            tuple(slice(p * s, p * s + d * (w - 1) + 1, d) for p, s, d, w in zip(place, strides, dilation, window)),
        )


def conv(x, kernel, strides, padding, dilation, groups=1, data_format="channels_last"):
    x = last(x, data_format)
    window, n = kernel.shape[:-2], kernel.ndim - 2
    pairs = amounts(padding, x.shape[1:-1], window, strides, dilation)
    padded = np.pad(x, [(0, 0), *pairs, (0, 0)])
    found = list(places(x.shape[1:-1], window, strides, pairs, dilation))
    out = [p + 1 for p in found[-1][0]]
    y = np.zeros((x.shape[0], *out, kernel.shape[-1]))
    depth, filters = kernel.shape[-2], kernel.shape[-1] // groups
    for place, span in found:
        for g in range(groups):
            part = padded[(slice(None), *span, slice(g * depth, (g + 1) * depth))]
            taps = kernel[..., g * filters : (g + 1) * filters]
            y[(slice(None), *place, slice(g * filters, (g + 1) * filters))] = np.tensordot(part, taps, n + 1)
    return back(y, data_format)


def conv_input_gradient(g, kernel, input_shape, strides, padding, dilation, groups=1, data_format="channels_last"):
    g, shape = last(g, data_format), last(np.empty(input_shape), data_format).shape
    window, n = kernel.shape[:-2], kernel.ndim - 2
    pairs = amounts(padding, shape[1:-1], window, strides, dilation)
    padded = np.pad(np.zeros(shape), [(0, 0), *pairs, (0, 0)])
    depth, filters = kernel.shape[-2], kernel.shape[-1] // groups
    for place, span in places(shape[1:-1], window, strides, pairs, dilation):
        for k in range(groups):
            part = g[(slice(None), *place, slice(k * filters, (k + 1) * filters))]
            taps = kernel[..., k * filters : (k + 1) * filters]
            padded[(slice(None), *span, slice(k * depth, (k + 1) * depth))] += np.tensordot(part, taps, ([1], [n + 1]))
    return back(padded[(slice(None), *(slice(lo, lo + d) for (lo, _), d in zip(pairs, shape[1:])))], data_format)


def conv_kernel_gradient(x, g, kernel_shape, strides, padding, dilation, groups=1, data_format="channels_last"):
    x, g, kernel = last(x, data_format), last(g, data_format), np.zeros(kernel_shape)
    window = kernel_shape[:-2]
    pairs = amounts(padding, x.shape[1:-1], window, strides, dilation)
    padded = np.pad(x, [(0, 0), *pairs, (0, 0)])
    depth, filters = kernel_shape[-2], kernel_shape[-1] // groups
    for place, span in places(x.shape[1:-1], window, strides, pairs, dilation):
        for k in range(groups):
            part = padded[(slice(None), *span, slice(k * depth, (k + 1) * depth))]
            flow = g[(slice(None), *place, slice(k * filters, (k + 1) * filters))]
            kernel[..., k * filters : (k + 1) * filters] += np.tensordot(part, flow, ([0], [0]))
    return kernel


def _pool_places(x, pool_size, strides, padding):
    ones = (1,) * len(pool_size)
    pairs = amounts(padding, x.shape[1:-1], pool_size, strides, ones)
    return pairs, list(places(x.shape[1:-1], pool_size, strides, pairs, ones))


def _argmax_places(x, pool_size, strides, padding):
    """For each window, batch and channel the index in x of its first maximum."""
    pairs, found = _pool_places(x, pool_size, strides, padding)
    padded = np.pad(x.astype("float64"), [(0, 0), *pairs, (0, 0)], constant_values=-np.inf)
    out = [p + 1 for p in found[-1][0]]
    for place, span in found:
        for b in range(x.shape[0]):
            for c in range(x.shape[-1]):
                window = padded[(b, *span, c)]
                best = np.unravel_index(np.argmax(window), window.shape)
                at = tuple(s.start + i - lo for s, i, (lo, _) in zip(span, best, pairs))
                yield out, (b, *place, c), (b, *at, c)


def max_pool_pick(x, y, pool_size, strides, padding, data_format="channels_last"):
    x, y = last(x, data_format), last(y, data_format)
    found = list(_argmax_places(x, pool_size, strides, padding))
    result = np.zeros((x.shape[0], *found[0][0], x.shape[-1]), y.dtype)
    for _, place, at in found:
        result[place] = y[at]
    return back(result, data_format)


def max_pool(x, **attrs):
    return max_pool_pick(x, x, **attrs)


def max_pool_gradient(x, g, pool_size, strides, padding, data_format="channels_last"):
    x, g = last(x, data_format), last(g, data_format)
    result = np.zeros(x.shape)
    for _, place, at in _argmax_places(x, pool_size, strides, padding):
        result[at] += g[place]
    return back(result, data_format)


def average_pool(x, pool_size, strides, padding, data_format="channels_last"):
    x = last(x, data_format)
    pairs, found = _pool_places(x, pool_size, strides, padding)
    padded = np.pad(x, [(0, 0), *pairs, (0, 0)], constant_values=np.nan)
    y = np.zeros((x.shape[0], *(p + 1 for p in found[-1][0]), x.shape[-1]))
    for place, span in found:
        y[(slice(None), *place)] = np.nanmean(padded[(slice(None), *span)], axis=tuple(range(1, x.ndim - 1)))
    return back(y, data_format)


def average_pool_gradient(g, input_shape, pool_size, strides, padding, data_format="channels_last"):
    g, x = last(g, data_format), last(np.zeros(input_shape), data_format)
    pairs, found = _pool_places(x, pool_size, strides, padding)
    padded = np.pad(x, [(0, 0), *pairs, (0, 0)])
    inside = np.pad(np.ones(x.shape), [(0, 0), *pairs, (0, 0)])
    for place, span in found:
        window = inside[(slice(None), *span)]
        count = window[0, ..., 0].sum()
        flow = g[(slice(None), *place)].reshape(g.shape[0], *(1,) * len(pool_size), g.shape[-1])
        padded[(slice(None), *span)] += window * flow / count
    return back(padded[(slice(None), *(slice(lo, lo + d) for (lo, _), d in zip(pairs, x.shape[1:])))], data_format)
