"""Rewrites of a program's instructions before they are scheduled; each saves a pass over memory.

A rewrite gets the instructions of a body and makes new ones; none is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

_FIELDS = ("op", "args", "attrs", "outs", "structure", "body")
_JOINED = ("add", "multiply", "relu")  # what a convolution may do to a block of its result


def rewritten(instructions: Sequence[Any], results: Iterable[Any]) -> list[Any]:
    """The instructions of a body, some replaced by better ones.

    Args:
        instructions: Those of the program or of a loop's body.
        results: The tensors that are read after the last of them.
    """
    return with_convolutions_joined(with_results_shared(instructions), set(results))


def with_results_shared(instructions: Sequence[Any]) -> list[Any]:
    """The instructions with arguments replaced where an equal and better tensor exists.

    The gradient of a rectifier asks where its argument is positive; its result is positive in the same places, and then
    the argument may be overwritten. The gradient of maximum pooling wants the maxima, which are there already.
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
            i = changed(i, args=(rectified[i.args[0]], i.args[1]))
        elif i.op == "max_pool_gradient" and _pooling(i) in pooled:
            i = changed(i, args=(*i.args, pooled[_pooling(i)]))
        result.append(i)
    return result


def _pooling(i: Any) -> Any:
    """What makes two poolings the same: the images and the attributes."""
    return i.args[0], tuple(sorted((key, repr(value)) for key, value in i.attrs.items()))


def with_convolutions_joined(instructions: Sequence[Any], results: Collection[Any]) -> list[Any]:
    """The instructions with bias, normalization and rectifier as part of the convolution before them.

    It then applies them to blocks of its result while these are in the cache.
    """
    uses = Counter(t for i in instructions for t in i.inputs())
    convolutions: dict[Any, Any] = {}
    gone: set[int] = set()
    result = []
    for i in instructions:
        first = convolutions.get(i.args[0]) if i.op in _JOINED else None
        if first is not None and uses[i.args[0]] == 1 and i.args[0] not in results and _follows(first, i):
            gone.add(id(first))
            attrs = {**first.attrs, "tail": (*first.attrs.get("tail", ()), i.op)}
            i = changed(i, op="conv", args=(*first.args, *i.args[1:]), attrs=attrs)
        if i.op == "conv":
            convolutions[i.outs[0]] = i
        result.append(i)
    return [i for i in result if id(i) not in gone]


def _follows(conv: Any, i: Any) -> bool:
    """Whether an instruction rectifies the result of a convolution, or joins a vector over its channels to it."""
    if conv.attrs["data_format"] != "channels_last":
        return False
    if i.op == "relu":
        return is_plain_relu(i)
    return tuple(i.args[1].shape) == (conv.outs[0].shape[-1],)


def changed(i: Any, **new: Any) -> Any:
    """A copy of an instruction with other fields."""
    return type(i)(**{field: new.get(field, getattr(i, field)) for field in _FIELDS})


def is_plain_relu(i: Any) -> bool:
    """Whether an instruction is max(x, 0)."""
    return i.op == "relu" and i.attrs == {"alpha": 0.0, "max_value": None, "threshold": 0.0}


def is_zero(tensor: Any) -> bool:
    """Whether a tensor is the constant 0, of whatever sign."""
    constant = tensor.constant
    return constant is not None and np.size(constant) == 1 and float(np.asarray(constant).reshape(())) == 0
