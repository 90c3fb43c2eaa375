"""How ops on images and noise are written: kernels planned for their shapes, called with the result last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend import dtypes, seeds, shapes

from .kernels import convolution, noise, pooling
from .lines import write_any

# Convolution and pooling ---------------------------------------------------------------------------------------


class Images:
    """Arguments and result of an op on images with their channels at the end, whatever the data format."""

    def __init__(self, plan: Any, line: Any):
        self.plan, self.line = plan, line
        self.first = line.attrs["data_format"] != "channels_last"

    def shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        return (shape[0], *shape[2:], shape[1]) if self.first else tuple(shape)

    def expr(self, tensor: Any) -> str:
        value = self.plan.value(tensor)
        if not self.first:
            return value.expr
        if value.array is not None:
            return self.plan.bind(np.moveaxis(value.array, 1, -1), "b")
        return f"{self.plan.use('moveaxis', np.moveaxis)}({value.expr}, 1, -1)"

    def run(self, kernel: Any, args: Sequence[str], images: bool = True) -> None:
        """Call `kernel` with the result last; a result of images with channels first is moved there afterwards."""
        plan, out = self.plan, self.plan.out(self.line.outs[0])
        name = plan.bind(kernel, self.line.op + "_")
        if not (self.first and images):
            plan.put(f"{name}({', '.join([*args, out.expr])})", out.shape)
            return
        held, array, root = plan.scratch(self.shape(out.shape), out.dtype)
        plan.put(f"{name}({', '.join([*args, held])})", out.shape)
        plan.put(f"{plan.use('copyto', np.copyto)}({out.expr}, {plan.bind(np.moveaxis(array, -1, 1), 'b')})")
        plan.pool.give(root)


def _conv_how(x_shape: Any, kernel_shape: Any, dtype: Any, attrs: Any) -> Any:
    strides, dilation = attrs["strides"], attrs["dilation"]
    pairs = shapes.resolve_padding(attrs["padding"], x_shape[1:-1], kernel_shape[:-2], strides, dilation)
    return x_shape, tuple(kernel_shape), strides, pairs, dilation, attrs["groups"], np.dtype(dtype)


def write_conv(plan: Any, line: Any) -> None:
    """With vectors as further arguments and the attribute `tail` if lines were joined to it (see `rewriting`)."""
    images, (x, kernel, *vectors) = Images(plan, line), line.args
    how = _conv_how(images.shape(x.shape), kernel.shape, x.dtype, line.attrs)
    tail = line.attrs.get("tail", ())
    images.run(
        convolution.plan_forward(*how, tail=tail), [images.expr(x), *(plan.value(t).expr for t in (kernel, *vectors))]
    )


def write_conv_input_gradient(plan: Any, line: Any) -> None:
    images, (g, kernel) = Images(plan, line), line.args
    how = _conv_how(images.shape(line.outs[0].shape), kernel.shape, g.dtype, line.attrs)
    images.run(convolution.plan_input_gradient(*how), [images.expr(g), plan.value(kernel).expr])


def write_conv_kernel_gradient(plan: Any, line: Any) -> None:
    images, (x, g) = Images(plan, line), line.args
    how = _conv_how(images.shape(x.shape), line.outs[0].shape, x.dtype, line.attrs)
    images.run(convolution.plan_kernel_gradient(*how), [images.expr(x), images.expr(g)], images=False)


def _pool_how(shape: Any, dtype: Any, attrs: Any) -> Any:
    size, strides = attrs["pool_size"], attrs["strides"]
    pairs = shapes.resolve_padding(attrs["padding"], shape[1:-1], size, strides, (1,) * len(size))
    return shape, size, strides, pairs, np.dtype(dtype)


def write_pool(plan: Any, line: Any) -> None:
    images, (x,) = Images(plan, line), line.args
    make = pooling.plan_max_pool if line.op == "max_pool" else pooling.plan_average_pool
    images.run(make(*_pool_how(images.shape(x.shape), x.dtype, line.attrs)), [images.expr(x)])


def write_average_pool_gradient(plan: Any, line: Any) -> None:
    images, (g,) = Images(plan, line), line.args
    how = _pool_how(images.shape(line.outs[0].shape), g.dtype, line.attrs)
    images.run(pooling.plan_average_pool_gradient(*how), [images.expr(g)])


def write_max_pool_gradient(plan: Any, line: Any) -> None:
    """With the pooled images as third argument if the program has them (see `rewriting`)."""
    if len(line.args) < 3:
        write_any(plan, line)
        return
    images, (x, g, y) = Images(plan, line), line.args
    how = _pool_how(images.shape(x.shape), x.dtype, line.attrs)
    images.run(pooling.plan_max_pool_gradient(*how), [images.expr(x), images.expr(y), images.expr(g)])


# Noise ---------------------------------------------------------------------------------------------------------


def write_engine_noise(plan: Any, line: Any) -> None:
    attrs = line.attrs
    if attrs["dtype"] not in ("float32", "float64"):
        write_any(plan, line)
        return
    source = plan.bind(noise.Noise(attrs["seed"], attrs["stream"]), "noise")
    counter, out = plan.value(line.args[0]).expr, plan.out(line.outs[0])
    plan.put(f"{source}.{line.op.removeprefix('engine_')}({counter}, {out.expr})", out.shape)


def write_keep_mask(plan: Any, line: Any) -> None:
    attrs = line.attrs
    if seeds.reproducible() or not dtypes.is_float(attrs["dtype"]):
        write_any(plan, line)
        return
    shape = tuple(line.outs[0].shape)
    run = noise.plan_keep_mask(shape, attrs["rate"], attrs["dtype"], attrs["seed"], attrs["stream"])
    counter, out = plan.value(line.args[0]).expr, plan.out(line.outs[0])
    plan.put(f"{plan.bind(run, 'keep_mask')}({counter}, {out.expr})", out.shape)


write_max_pool = write_average_pool = write_pool
write_engine_uniform = write_engine_normal = write_engine_noise
