"""Gradient rules of convolution and pooling. A convolution is linear in both arguments, and so are its gradients."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops import convolution


@gradient_of("conv")
def conv_vjp(g: Any, out: Any, x: Any, kernel: Any, **attrs: Any) -> Any:
    return (
        convolution.conv_input_gradient(g, kernel, x.shape, **attrs),
        convolution.conv_kernel_gradient(x, g, kernel.shape, **attrs),
    )


@gradient_of("conv_input_gradient")
def conv_input_gradient_vjp(g: Any, out: Any, y: Any, kernel: Any, input_shape: Any, **attrs: Any) -> Any:
    return convolution.conv(g, kernel, **attrs), convolution.conv_kernel_gradient(g, y, kernel.shape, **attrs)


@gradient_of("conv_kernel_gradient")
def conv_kernel_gradient_vjp(g: Any, out: Any, x: Any, y: Any, kernel_shape: Any, **attrs: Any) -> Any:
    return convolution.conv_input_gradient(y, g, x.shape, **attrs), convolution.conv(x, g, **attrs)


@gradient_of("max_pool")
def max_pool_vjp(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    return (convolution.max_pool_gradient(x, g, **attrs),)


@gradient_of("max_pool_gradient")
def max_pool_gradient_vjp(g: Any, out: Any, x: Any, y: Any, **attrs: Any) -> Any:
    return None, convolution.max_pool_pick(x, g, **attrs)


@gradient_of("max_pool_pick")
def max_pool_pick_vjp(g: Any, out: Any, x: Any, y: Any, **attrs: Any) -> Any:
    return None, convolution.max_pool_gradient(x, g, **attrs)


@gradient_of("average_pool")
def average_pool_vjp(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    return (convolution.average_pool_gradient(g, x.shape, **attrs),)


@gradient_of("average_pool_gradient")
def average_pool_gradient_vjp(g: Any, out: Any, y: Any, input_shape: Any, **attrs: Any) -> Any:
    return (convolution.average_pool(g, **attrs),)
