"""Convolution and pooling with torch, and their gradients.

Images are channels-last in memory, so a convolution sees a permuted view of NHWC data (torch's `channels_last` memory
format) and never a copy.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from keras_front.backend import shapes

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Images:
    """The methods; `TorchBackend` inherits them."""

    def conv(
        self, x: Any, kernel: Any, bias: Any = None, *, strides: Any, padding: Any, dilation: Any, groups: int,
        data_format: str, relu: bool = False,
    ) -> Any:  # fmt: skip
        x = _channels_first(x, data_format)
        pairs = shapes.resolve_padding(padding, x.shape[2:], kernel.shape[:-2], strides, dilation)
        x, amounts = _symmetric(x, pairs, 0.0)
        y = _CONV[x.ndim - 2](x, _oihw(kernel), bias, strides, amounts, dilation, groups)
        return _channels_back(torch.relu_(y) if relu else y, data_format)  # `rewriting` adds bias and relu

    def conv_input_gradient(
        self, g: Any, kernel: Any, *, input_shape: Any, strides: Any, padding: Any, dilation: Any, groups: int,
        data_format: str,
    ) -> Any:  # fmt: skip
        space, window = shapes.spatial(input_shape, data_format), kernel.shape[:-2]
        pairs = shapes.resolve_padding(padding, space, window, strides, dilation)
        g = _channels_first(g, data_format)
        # Rows that no window reached are what torch calls output padding; uneven padding is cut off afterwards.
        amounts = [min(pair) for pair in pairs]
        reached = [(n - 1) * s + d * (w - 1) + 1 for n, s, d, w in zip(g.shape[2:], strides, dilation, window)]
        total = [n + lo + hi for n, (lo, hi) in zip(space, pairs)]
        missing = [t - r for t, r in zip(total, reached)]
        y = _CONV_TRANSPOSE[g.ndim - 2](g, _oihw(kernel), None, strides, amounts, missing, groups, dilation)
        for axis, (n, (lo, hi), p) in enumerate(zip(space, pairs, amounts), 2):
            if lo != hi:
                y = y.narrow(axis, lo - p, n)
        return _channels_back(y, data_format)

    def conv_kernel_gradient(
        self, x: Any, g: Any, *, kernel_shape: Any, strides: Any, padding: Any, dilation: Any, groups: int,
        data_format: str,
    ) -> Any:  # fmt: skip
        x, g = _channels_first(x, data_format), _channels_first(g, data_format)
        n = x.ndim - 2
        pairs = shapes.resolve_padding(padding, x.shape[2:], kernel_shape[:-2], strides, dilation)
        x, amounts = _symmetric(x, pairs, 0.0)
        w = x.new_empty(1).expand(kernel_shape[-1], kernel_shape[-2], *kernel_shape[:-2])
        _, dw, _ = torch.ops.aten.convolution_backward(
            g, x, w, None, strides, amounts, dilation, False, [0] * n, groups, [False, True, False]
        )
        return dw.permute(*range(2, n + 2), 1, 0)

    def max_pool(self, x: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        x, amounts = self._max_windows(x, pool_size, strides, padding, data_format)
        return _channels_back(_MAX_POOL[x.ndim - 2](x, pool_size, strides, amounts), data_format)

    def _max_windows(self, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        x = _channels_first(x, data_format)
        pairs = shapes.resolve_padding(padding, x.shape[2:], pool_size, strides, (1,) * len(pool_size))
        lowest = -float("inf") if x.is_floating_point() else torch.iinfo(x.dtype).min
        return _symmetric(x, pairs, lowest)

    def max_pool_gradient(self, x: Any, g: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        padded, amounts = self._max_windows(x, pool_size, strides, padding, data_format)
        n = padded.ndim - 2
        _, places = _MAX_POOL[n](padded, pool_size, strides, amounts, return_indices=True)
        g = _channels_first(g, data_format)
        flat = torch.zeros_like(padded, memory_format=torch.contiguous_format).flatten(2)
        flat = flat.scatter_add(2, places.flatten(2), g.flatten(2)).reshape(padded.shape)
        return _channels_back(self._cut(flat, x, pool_size, strides, padding, data_format), data_format)

    def _cut(self, y: Any, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        """`y` without the padding that uneven windows needed."""
        space = shapes.spatial(x.shape, data_format)
        pairs = shapes.resolve_padding(padding, space, pool_size, strides, (1,) * len(pool_size))
        if all(lo == hi for lo, hi in pairs):
            return y
        for axis, (n, (lo, _)) in enumerate(zip(space, pairs), 2):
            y = y.narrow(axis, lo, n)
        return y

    def max_pool_pick(self, x: Any, y: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        x, amounts = self._max_windows(x, pool_size, strides, padding, data_format)
        y, _ = self._max_windows(y, pool_size, strides, padding, data_format)
        _, places = _MAX_POOL[x.ndim - 2](x, pool_size, strides, amounts, return_indices=True)
        picked = y.flatten(2).gather(2, places.flatten(2)).reshape(places.shape)
        return _channels_back(picked, data_format)

    def average_pool(self, x: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        x = _channels_first(x, data_format)
        pairs = shapes.resolve_padding(padding, x.shape[2:], pool_size, strides, (1,) * len(pool_size))
        padded, amounts = _symmetric(x, pairs, 0.0)
        pool = _AVERAGE_POOL[x.ndim - 2]
        if x.ndim == 5 and x.dtype in (torch.float16, torch.bfloat16) and x.device.type == "cpu":  # torch has none
            y = self.average_pool(
                x.float(), pool_size=pool_size, strides=strides, padding=padding, data_format="channels_first"
            )
            return _channels_back(y.to(x.dtype), data_format)
        y = pool(padded, pool_size, strides, amounts, count_include_pad=False)
        if padded is not x:  # the padding was put there by hand and must not count
            ones = F.pad(x.new_ones((1, 1, *x.shape[2:])), [n for pair in reversed(pairs) for n in pair])
            y = y / pool(ones, pool_size, strides)
        return _channels_back(y, data_format)

    def average_pool_gradient(
        self, g: Any, *, input_shape: Any, pool_size: Any, strides: Any, padding: Any, data_format: str
    ) -> Any:
        with torch.enable_grad():  # the operation is linear, so any point will do
            x = g.new_zeros(input_shape, requires_grad=True)
            y = self.average_pool(x, pool_size=pool_size, strides=strides, padding=padding, data_format=data_format)
        return torch.autograd.grad(y, x, g, create_graph=g.requires_grad)[0]


def _channels_first(x: Any, data_format: str) -> Any:
    return torch.movedim(x, -1, 1) if data_format == "channels_last" else x


def _channels_back(x: Any, data_format: str) -> Any:
    return torch.movedim(x, 1, -1) if data_format == "channels_last" else x


def _oihw(kernel: Any) -> Any:
    """A kernel (spatial..., in, out) as torch's (out, in, spatial...), a view."""
    return kernel.permute(kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2))


def _symmetric(x: Any, pairs: Any, value: float) -> tuple[Any, list[int]]:
    """The images and the padding that torch can do itself: the same on both ends. Any other is put on here."""
    if all(lo == hi for lo, hi in pairs) and (value == 0 or x.is_floating_point()):
        return x, [lo for lo, _ in pairs]
    return F.pad(x, [n for pair in reversed(pairs) for n in pair], value=value), [0] * len(pairs)
