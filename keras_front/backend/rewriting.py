"""The rewrites that every hand-written loop has: a few ops that follow each other become one that is cheaper.

A rule gets `made`, which tells the line that computed a tensor, and the arguments and attributes of an op; it answers
with another (name, arguments, attributes), or None where it does not apply. (A softmax or sigmoid followed by its
crossentropy is recognised earlier, when it is recorded; see `ops.neural`.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend import shapes, symbolic

Made = Callable[[Any], Any]
Rewrite = tuple[str, list[Any], dict[str, Any]]


def rewrite(name: str, made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """Another way to compute `out`, if a rule knows one."""
    rule = _RULES.get(name)
    return rule(made, args, attrs, out) if rule is not None else None


def _reduction(name: str) -> Callable[..., Rewrite | None]:
    """A reduction over axes of size 1 is a reshape, and one of everything that is left of another is one of all."""

    def rule(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
        x = args[0]
        axes = shapes.normalize_axes(attrs["axis"], len(x.shape))
        if all(x.shape[a] == 1 for a in axes):
            return "reshape", [x], {"shape": tuple(out.shape)}
        inner = made(x)
        if len(axes) == len(x.shape) and inner is not None and inner.op == name and not attrs["keepdims"]:
            return name, [inner.args[0]], {"axis": None, "keepdims": False}
        return None

    return rule


def _scalar(tensor: Any) -> float | None:
    constant = tensor.constant
    return float(constant) if isinstance(constant, np.ndarray) and constant.ndim == 0 else None


def _greater(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """`sigmoid(z) > p` is `z > log(p / (1 - p))`: what the accuracy of a binary classifier asks."""
    inner, p = made(args[0]), _scalar(args[1])
    if inner is None or inner.op != "sigmoid" or p is None or not 0 < p < 1:
        return None
    threshold = np.asarray(math.log(p / (1 - p)), args[0].dtype)
    return "greater", [inner.args[0], symbolic.constant(threshold, args[0].dtype)], {}


def _argmax(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """The largest probability is where the largest logit is."""
    inner = made(args[0])
    if inner is None or inner.op != "softmax":
        return None
    ndim = len(args[0].shape)
    if inner.attrs["axis"] % ndim != attrs["axis"] % ndim:
        return None
    return "argmax", [inner.args[0]], attrs


_RULES: dict[str, Callable[..., Rewrite | None]] = {
    "mean": _reduction("mean"),
    "sum": _reduction("sum"),
    "greater": _greater,
    "argmax": _argmax,
}
