"""The table of gradient rules, and what rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend import dtypes, shapes
from keras_front.backend.ops.arrangement import broadcast_to, filled, permute_dimensions, reshape
from keras_front.backend.symbolic import SymbolicTensor

Rule = Callable[..., Any]
GRADIENT: dict[str, Rule] = {}


def gradient_of(name: str) -> Callable[[Rule], Rule]:
    """Register the rule of an op."""

    def register(rule: Rule) -> Rule:
        GRADIENT[name] = rule
        return rule

    return register


def zeros(t: SymbolicTensor) -> Any:
    """A gradient of zeros for a tensor."""
    return filled(0, t.shape, t.dtype if dtypes.is_float(t.dtype) else "float32")


def spread(g: Any, x: Any, axis: Any) -> Any:
    """A reduced gradient over the shape of the argument again."""
    axes = shapes.normalize_axes(axis, len(x.shape))
    kept = tuple(1 if i in axes else d for i, d in enumerate(x.shape))
    return broadcast_to(reshape(g, kept), x.shape)


def transposed(x: Any) -> Any:
    """Matrices with their last two axes exchanged."""
    n = len(x.shape)
    return permute_dimensions(x, (*range(n - 2), n - 1, n - 2))
