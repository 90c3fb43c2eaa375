"""Gradients for engines that differentiate by themselves.

By a rule of K where the engine's own derivative is another, and of what a fused kernel computes without one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend.gradients.backward import unbroadcast
from keras_front.backend.gradients.table import GRADIENT
from keras_front.backend.ops import arrangement, elementwise, reduction


def with_rule(backend: Any, name: str, method: Callable[..., Any], *args: Any, **attrs: Any) -> Any:
    """`method(*args, **attrs)`, a tensor, which `backend` differentiates by the rule of K for the op `name`.

    Args:
        backend: the adapter whose tensors these are.
        name: the op.
        method: the engine's function.
        *args, **attrs: the arguments of the op, all of them tensors, and its attributes.
    """

    def fn(*args: Any) -> Any:
        out = method(*args, **attrs)

        def rule(g: Any) -> list[Any]:
            flows = GRADIENT[name](g, out, *args, **attrs)
            return [unbroadcast(flow, arg.shape) for flow, arg in zip(flows, args, strict=True)]

        return [out], rule

    return backend.custom_gradient(fn, args)[0]


def known_moments(backend: Any, x: Any, mean: Any, var: Any, axes: Any) -> list[Any]:
    """Mean and variance of `x` over `axes`, which a fused kernel has computed, with the gradient that it lacks.

    Args:
        backend: the adapter whose tensors these are.
        x: the tensor.
        mean, var: its moments, of the shape of the other axes.
        axes: the axes over which they were taken.
    """
    wide = tuple(1 if i in axes else int(d) for i, d in enumerate(x.shape))

    def fn(x: Any) -> Any:
        def rule(g_mean: Any, g_var: Any) -> list[Any]:
            off = elementwise.subtract(x, reduction.mean(x, axis=axes, keepdims=True))
            g_mean, g_var = (arrangement.reshape(g, wide) for g in (g_mean, g_var))
            flow = elementwise.add(g_mean, elementwise.multiply(elementwise.multiply(g_var, 2), off))
            return [elementwise.multiply(flow, 1 / max(reduction.count(x, axes), 1))]

        return [mean, var], rule

    return list(backend.custom_gradient(fn, [x]))


class Transposes:
    """The gradients of convolution and average pooling as transposes, for engines that transpose linear functions.

    An adapter that derives from this brings `transposed`.
    """

    def transposed(self, fn: Callable[[Any], Any], shape: Any, g: Any) -> Any:
        """The transpose of a linear function of a tensor of `shape`, applied to `g`."""
        raise NotImplementedError

    def conv_input_gradient(self, g: Any, kernel: Any, *, input_shape: Any, **attrs: Any) -> Any:
        return self.transposed(lambda x: self.conv(x, kernel, **attrs), input_shape, g)  # type: ignore[attr-defined]

    def conv_kernel_gradient(self, x: Any, g: Any, *, kernel_shape: Any, **attrs: Any) -> Any:
        return self.transposed(lambda kernel: self.conv(x, kernel, **attrs), kernel_shape, g)  # type: ignore[attr-defined]

    def average_pool_gradient(self, g: Any, *, input_shape: Any, **attrs: Any) -> Any:
        return self.transposed(lambda x: self.average_pool(x, **attrs), input_shape, g)  # type: ignore[attr-defined]
