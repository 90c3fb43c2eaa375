"""Rewrites of a program's instructions before they are scheduled; each saves a pass over memory.

A rewrite gets the instructions of a body and makes new ones; none is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend.ir import Instruction
from keras_front.backend.simplify import Fusion, fused, is_plain_relu


def rewritten(instructions: Sequence[Instruction], results: Any) -> list[Instruction]:
    """The instructions of a body, some replaced by better ones.

    Args:
        instructions: Those of the program or of a loop's body.
        results: The results of the body, nested.
    """
    return fused(with_results_shared(instructions), results, FUSIONS)


def with_results_shared(instructions: Sequence[Instruction]) -> list[Instruction]:
    """The instructions with arguments replaced where an equal and better tensor exists.

    The gradient of a rectifier needs to know where its argument is positive; its result is positive in the same places,
    and then the argument may be overwritten. The gradient of maximum pooling needs the maxima, which are there already.
    """
    rectified: dict[Any, Any] = {}
    pooled: dict[Any, Any] = {}
    result = []
    for i in instructions:
        if is_plain_relu(i):
            rectified[i.args[0]] = i.outs[0]
        elif i.op == "max_pool":
            pooled[_pooling(i)] = i.outs[0]
        elif i.op == "greater" and i.args[0] in rectified and is_zero(i.args[1]):
            i = i.changed(args=[rectified[i.args[0]], i.args[1]])
        elif i.op == "max_pool_gradient" and _pooling(i) in pooled:
            i = i.changed(args=[*i.args, pooled[_pooling(i)]])
        result.append(i)
    return result


def _pooling(i: Instruction) -> Any:
    """What makes two poolings the same: the images and the attributes."""
    return i.args[0], tuple(sorted((key, repr(value)) for key, value in i.attrs.items()))


def _with_vector(conv: Instruction, later: Instruction) -> Instruction | None:
    """A vector over the channels that is added to a convolution or multiplied with it: bias, normalization."""
    last = conv.attrs["data_format"] == "channels_last"
    return _with_tail(conv, later) if last and tuple(later.args[1].shape) == (conv.outs[0].shape[-1],) else None


def _with_relu(conv: Instruction, later: Instruction) -> Instruction | None:
    """The plain rectifier of a convolution."""
    last = conv.attrs["data_format"] == "channels_last"
    return _with_tail(conv, later) if last and is_plain_relu(later) else None


def _with_tail(conv: Instruction, later: Instruction) -> Instruction:
    """A convolution that does what follows it to blocks of its result, while these are in the cache."""
    attrs = {**conv.attrs, "tail": (*conv.attrs.get("tail", ()), later.op)}
    return later.changed(op="conv", args=[*conv.args, *later.args[1:]], attrs=attrs)


# Applied after `with_results_shared`, which leaves more results that are read once
FUSIONS = (
    Fusion("add", "conv", _with_vector),
    Fusion("multiply", "conv", _with_vector),
    Fusion("relu", "conv", _with_relu),
)


def is_zero(tensor: Any) -> bool:
    """Whether a tensor is the constant 0, of whatever sign."""
    constant = tensor.constant
    return constant is not None and np.size(constant) == 1 and float(np.asarray(constant).reshape(())) == 0
