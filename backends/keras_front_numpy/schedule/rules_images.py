"""Rules for convolution, pooling and noise: kernels made for the shapes of the program, called with the result last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend import dtypes, seeds, shapes

from ..buffers import Operand
from ..kernels import convolution, noise, pooling
from .data import View
from .scheduler import Rule, Scheduler, call_method

_TO_LAST, _TO_FIRST = View("moveaxis", (1, -1)), View("moveaxis", (-1, 1))


# Convolution and pooling ---------------------------------------------------------------------------------------


def _channels_first(i: Any) -> bool:
    return i.attrs["data_format"] != "channels_last"


def _shape(i: Any, shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of images with the channels at the end."""
    return (shape[0], *shape[2:], shape[1]) if _channels_first(i) else tuple(shape)


def _images(s: Scheduler, i: Any, tensor: Any) -> Operand:
    """Images with the channels at the end."""
    operand = s.operand(tensor)
    return s.view_of(operand, _TO_LAST) if _channels_first(i) else operand


def _run(s: Scheduler, i: Any, kernel: Callable[..., None], inputs: Sequence[Operand], images: bool = True) -> None:
    """Call a kernel; if its result is images with the channels first, they are moved there afterwards."""
    out = s.out(i.outs[0])
    if not (images and _channels_first(i)):
        s.add("kernel", tuple(inputs), out, function=kernel, name=i.op)
        return
    held = s.scratch(_shape(i, out.shape), out.dtype)
    s.add("kernel", tuple(inputs), held, function=kernel, name=i.op)
    s.copy(out, s.view_of(held, _TO_FIRST))


def _conv_how(x_shape: Sequence[int], kernel_shape: Sequence[int], dtype: Any, attrs: Any) -> tuple[Any, ...]:
    strides, dilation = attrs["strides"], attrs["dilation"]
    pairs = shapes.resolve_padding(attrs["padding"], x_shape[1:-1], kernel_shape[:-2], strides, dilation)
    return x_shape, tuple(kernel_shape), strides, pairs, dilation, attrs["groups"], np.dtype(dtype)


def conv(s: Scheduler, i: Any) -> None:
    """With vectors as further arguments and the attribute `tail` if others were joined to it (see `rewriting`)."""
    x, kernel, *vectors = i.args
    how = _conv_how(_shape(i, x.shape), kernel.shape, x.dtype, i.attrs)
    run = convolution.plan_forward(*how, tail=i.attrs.get("tail", ()))
    _run(s, i, run, [_images(s, i, x), *map(s.operand, (kernel, *vectors))])


def conv_input_gradient(s: Scheduler, i: Any) -> None:
    """The kernel for these shapes."""
    g, kernel = i.args
    how = _conv_how(_shape(i, i.outs[0].shape), kernel.shape, g.dtype, i.attrs)
    _run(s, i, convolution.plan_input_gradient(*how), [_images(s, i, g), s.operand(kernel)])


def conv_kernel_gradient(s: Scheduler, i: Any) -> None:
    """The kernel for these shapes."""
    x, g = i.args
    how = _conv_how(_shape(i, x.shape), i.outs[0].shape, x.dtype, i.attrs)
    _run(s, i, convolution.plan_kernel_gradient(*how), [_images(s, i, x), _images(s, i, g)], images=False)


def _pool_how(shape: Sequence[int], dtype: Any, attrs: Any) -> tuple[Any, ...]:
    size, strides = attrs["pool_size"], attrs["strides"]
    pairs = shapes.resolve_padding(attrs["padding"], shape[1:-1], size, strides, (1,) * len(size))
    return shape, size, strides, pairs, np.dtype(dtype)


def pool(s: Scheduler, i: Any) -> None:
    """The kernel for maximum or average pooling of these shapes."""
    (x,) = i.args
    make = pooling.plan_max_pool if i.op == "max_pool" else pooling.plan_average_pool
    _run(s, i, make(*_pool_how(_shape(i, x.shape), x.dtype, i.attrs)), [_images(s, i, x)])


def average_pool_gradient(s: Scheduler, i: Any) -> None:
    """The kernel for these shapes."""
    (g,) = i.args
    how = _pool_how(_shape(i, i.outs[0].shape), g.dtype, i.attrs)
    _run(s, i, pooling.plan_average_pool_gradient(*how), [_images(s, i, g)])


def max_pool_gradient(s: Scheduler, i: Any) -> None:
    """With the pooled images as third argument if the program has them (see `rewriting`)."""
    if len(i.args) < 3:
        call_method(s, i)
        return
    x, g, y = i.args
    how = _pool_how(_shape(i, x.shape), x.dtype, i.attrs)
    _run(s, i, pooling.plan_max_pool_gradient(*how), [_images(s, i, t) for t in (x, y, g)])


# Noise ---------------------------------------------------------------------------------------------------------


def engine_noise(s: Scheduler, i: Any) -> None:
    """A generator of its own for each instruction."""
    attrs = i.attrs
    if attrs["dtype"] not in ("float32", "float64"):
        call_method(s, i)
        return
    source = noise.Noise(attrs["stream"])
    run = source.uniform if i.op == "engine_uniform" else source.normal
    s.add("kernel", tuple(map(s.operand, i.args)), s.out(i.outs[0]), function=run, name=i.op)


def keep_mask(s: Scheduler, i: Any) -> None:
    """The kernel that compares 16 random bits; host noise and integers are the adapter's method."""
    attrs = i.attrs
    if seeds.reproducible() or not dtypes.is_float(attrs["dtype"]):
        call_method(s, i)
        return
    shape = tuple(i.outs[0].shape)
    run = noise.plan_keep_mask(shape, attrs["rate"], attrs["dtype"], attrs["stream"])
    s.add("kernel", tuple(map(s.operand, i.args)), s.out(i.outs[0]), function=run, name="keep_mask")


RULES: dict[str, Rule] = {
    "conv": conv,
    "conv_input_gradient": conv_input_gradient,
    "conv_kernel_gradient": conv_kernel_gradient,
    "max_pool": pool,
    "average_pool": pool,
    "average_pool_gradient": average_pool_gradient,
    "max_pool_gradient": max_pool_gradient,
    "engine_uniform": engine_noise,
    "engine_normal": engine_noise,
    "keep_mask": keep_mask,
}
