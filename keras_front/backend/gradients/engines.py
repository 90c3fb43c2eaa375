"""Gradient rules of K for engines that differentiate by themselves, where the engine's own derivative is another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend.gradients.backward import unbroadcast
from keras_front.backend.gradients.table import GRADIENT


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
