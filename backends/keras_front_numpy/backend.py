"""The NumPy backend: K on arrays of the host, with programs planned ahead (see planner.py) and kernels of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.adapter import Backend
from keras_front.errors import ArgumentError

from keras_front_numpy.kernels import convolution, pooling

_GENERATORS = np.random


class NumpyBackend(Backend):
    """NumPy arrays; differentiates and compiles by tracing, as `Backend` does for any engine."""

    name = "numpy"
    tensor_types = (np.ndarray, np.generic)

    add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.true_divide
    floor_divide, mod, power = np.floor_divide, np.mod, np.power
    maximum, minimum, negative, abs, sign = np.maximum, np.minimum, np.negative, np.absolute, np.sign
    exp, expm1, log, log1p, sqrt = np.exp, np.expm1, np.log, np.log1p, np.sqrt
    sin, cos, tanh, floor, ceil, round = np.sin, np.cos, np.tanh, np.floor, np.ceil, np.rint
    equal, not_equal, less, less_equal = np.equal, np.not_equal, np.less, np.less_equal
    greater, greater_equal = np.greater, np.greater_equal
    isnan, isfinite = np.isnan, np.isfinite
    logical_and, logical_or, logical_not = np.logical_and, np.logical_or, np.logical_not
    where, matmul = np.where, np.matmul

    def __init__(self) -> None:
        super().__init__()
        self.native |= {np.ndarray, np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.bool_}

    def asarray(self, value, dtype=None):
        return np.asarray(value, dtype)

    def to_numpy(self, x):
        return np.asarray(x)

    def version(self):
        return np.__version__

    def cast(self, x, *, dtype):
        return np.asarray(x).astype(dtype)

    def stop_gradient(self, x):
        return x

    def square(self, x):
        return np.multiply(x, x)

    def sigmoid(self, x):
        return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), 1 - 1 / (1 + np.exp(-np.abs(x)))).astype(x.dtype)

    def erf(self, x):
        return np.vectorize(math.erf, otypes=[x.dtype])(x) if np.size(x) else x

    def sum(self, x, *, axis, keepdims):
        return np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)

    def prod(self, x, *, axis, keepdims):
        return np.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)

    max, min, any, all, argmax, argmin = np.max, np.min, np.any, np.all, np.argmax, np.argmin

    def cumsum(self, x, *, axis):
        return np.cumsum(x, axis=axis, dtype=x.dtype)

    def cumprod(self, x, *, axis):
        return np.cumprod(x, axis=axis, dtype=x.dtype)

    def reshape(self, x, *, shape):
        return np.reshape(x, shape)

    def permute_dimensions(self, x, *, pattern):
        return np.transpose(x, pattern)

    def broadcast_to(self, x, *, shape):
        return np.broadcast_to(x, shape)

    def concatenate(self, xs, *, axis):
        return np.concatenate(xs, axis=axis)

    def pad(self, x, *, padding, interior, value):
        gaps = interior or (0,) * x.ndim
        shape, _ = shapes.pad(x, padding=padding, interior=interior)
        crops = tuple(slice(max(0, -lo), None if hi >= 0 else hi) for lo, hi in padding)
        out = np.full(tuple(n + max(0, -lo) + max(0, -hi) for n, (lo, hi) in zip(shape, padding)), value, x.dtype)
        place = tuple(slice(max(lo, 0), max(lo, 0) + (d - 1) * (g + 1) + 1 if d else 0, g + 1) for d, (lo, _), g in zip(x.shape, padding, gaps))
        out[place] = x
        return out[crops]

    def strided_slice(self, x, *, start, stop, step):
        return x[tuple(map(slice, start, stop, step))]

    def flip(self, x, *, axes):
        return np.flip(x, axes)

    def gather(self, x, indices, *, axis):
        return np.take(x, indices, axis=axis)

    def scatter_add(self, updates, indices, *, size, axis):
        k = indices.ndim
        out = np.zeros((*updates.shape[:axis], size, *updates.shape[axis + k :]), updates.dtype)
        np.add.at(out, (*(slice(None),) * axis, indices), updates)
        return out

    def take_along_axis(self, x, indices, *, axis):
        return np.take_along_axis(x, indices, axis=axis)

    def _generator(self, seed, stream, counter):
        return np.random.Generator(np.random.SFC64([seed, stream, int(counter)]))

    def engine_uniform(self, counter, *, shape, dtype, seed, stream):
        wide = "float64" if dtype == "float64" else "float32"
        return self._generator(seed, stream, counter).random(shape, wide).astype(dtype, copy=False)

    def engine_normal(self, counter, *, shape, dtype, seed, stream):
        wide = "float64" if dtype == "float64" else "float32"
        return self._generator(seed, stream, counter).standard_normal(shape, wide).astype(dtype, copy=False)

    # Convolution and pooling: NHWC at heart

    def conv(self, x, kernel, *, strides, padding, dilation, groups, data_format):
        x = _last(x, data_format)
        pads = shapes.resolve_padding(padding, x.shape[1:-1], kernel.shape[:-2], strides, dilation)
        space = convolution.out_space(x.shape[1:-1], kernel.shape[:-2], strides, pads, dilation)
        out = np.empty((x.shape[0], *space, kernel.shape[-1]), x.dtype)
        convolution.plan_forward(x.shape, kernel.shape, strides, pads, dilation, groups, x.dtype)(x, kernel, out)
        return _first(out, data_format)

    def conv_input_gradient(self, g, kernel, *, input_shape, strides, padding, dilation, groups, data_format):
        g = _last(g, data_format)
        shape = _last_shape(input_shape, data_format)
        pads = shapes.resolve_padding(padding, shape[1:-1], kernel.shape[:-2], strides, dilation)
        out = np.empty(shape, g.dtype)
        convolution.plan_input_gradient(shape, kernel.shape, strides, pads, dilation, groups, g.dtype)(g, kernel, out)
        return _first(out, data_format)

    def conv_kernel_gradient(self, x, g, *, kernel_shape, strides, padding, dilation, groups, data_format):
        x, g = _last(x, data_format), _last(g, data_format)
        pads = shapes.resolve_padding(padding, x.shape[1:-1], kernel_shape[:-2], strides, dilation)
        out = np.empty(kernel_shape, x.dtype)
        convolution.plan_kernel_gradient(x.shape, kernel_shape, strides, pads, dilation, groups, x.dtype)(x, g, out)
        return out

    def _pool(self, plan, arrays, shape, out_shape, *, pool_size, strides, padding, data_format):
        ones = (1,) * len(pool_size)
        pads = shapes.resolve_padding(padding, shape[1:-1], pool_size, strides, ones)
        if out_shape is None:
            space = convolution.out_space(shape[1:-1], pool_size, strides, pads, ones)
            out_shape = (shape[0], *space, shape[-1])
        out = np.empty(out_shape, arrays[0].dtype)
        plan(shape, pool_size, strides, pads, arrays[0].dtype)(*arrays, out)
        return _first(out, data_format)

    def max_pool(self, x, *, data_format, **attrs):
        x = _last(x, data_format)
        return self._pool(pooling.plan_max_pool, [x], x.shape, None, data_format=data_format, **attrs)

    def max_pool_gradient(self, x, g, *, data_format, **attrs):
        y = _last(self.max_pool(x, data_format=data_format, **attrs), data_format)
        x, g = _last(x, data_format), _last(g, data_format)
        return self._pool(pooling.plan_max_pool_gradient, [x, y, g], x.shape, x.shape, data_format=data_format, **attrs)

    def max_pool_pick(self, x, values, *, data_format, **attrs):
        y = _last(self.max_pool(x, data_format=data_format, **attrs), data_format)
        x, values = _last(x, data_format), _last(values, data_format)
        return self._pool(pooling.plan_max_pool_pick, [x, y, values], x.shape, None, data_format=data_format, **attrs)

    def average_pool(self, x, *, data_format, **attrs):
        x = _last(x, data_format)
        return self._pool(pooling.plan_average_pool, [x], x.shape, None, data_format=data_format, **attrs)

    def average_pool_gradient(self, g, *, input_shape, data_format, **attrs):
        shape = _last_shape(input_shape, data_format)
        g = _last(g, data_format)
        return self._pool(pooling.plan_average_pool_gradient, [g], shape, shape, data_format=data_format, **attrs)


def _last(x, data_format):
    return np.ascontiguousarray(x if data_format == "channels_last" else np.moveaxis(x, 1, -1))


def _first(x, data_format):
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


def _last_shape(shape, data_format):
    return tuple(shape) if data_format == "channels_last" else (shape[0], *shape[2:], shape[1])


_ = (ArgumentError, Sequence, Any, _GENERATORS)
