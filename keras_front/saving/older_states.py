"""The state of an optimizer in the layout of an older file: its slots have the shapes that the weights have there.

Keras 1 kept each gate of a recurrent layer in arrays of its own, so there are as many slots for it; files written on
Theano hold the slots of convolution kernels turned as the kernels are. What converts weights converts them here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["as_today"]

Arrays = list[np.ndarray]
Convert = Callable[[Any, Arrays], Arrays]


def as_today(
    layers: Sequence[tuple[Any, int]], names: Sequence[str], arrays: Arrays, convert: Convert
) -> tuple[list[str], Arrays]:
    """Names and arrays of a state in the layout of today's weights; as they are if they do not divide into slots.

    Args:
        layers: the layers with weights, and how many arrays the file has for each.
        names: names of the arrays of the state.
        arrays: the arrays of the state: counters, then slot by slot.
        convert: makes today's arrays of those of a layer.
    """
    learned = [(layer, _learned(layer, count)) for layer, count in layers]
    count = sum(number for _, number in learned)
    arrays = _without_stubs(arrays, count)
    if not count or len(arrays) < count:
        return list(names), arrays
    first = len(arrays) % count
    result = arrays[:first]
    for start in range(first, len(arrays), count):
        result += _slot(learned, arrays[start : start + count], convert)
    return [*names[:first], *(f"param_{place}" for place in range(first, len(result)))], result


def _learned(layer: Any, count: int) -> int:
    """How many of a layer's arrays in the file training changes."""
    return max(count - len(layer.non_trainable_weights), 0) if layer.trainable_weights else 0


def _without_stubs(arrays: Arrays, count: int) -> Arrays:
    """Leave out the placeholders of shape (1,), one a weight, that Keras 2.2 kept where Adam has no third slot."""
    last = arrays[-count:] if len(arrays) > 2 * count else []
    return arrays[:-count] if last and all(a.shape == (1,) for a in last) else arrays


def _slot(learned: Sequence[tuple[Any, int]], arrays: Arrays, convert: Convert) -> Arrays:
    """One slot of all weights."""
    result: Arrays = []
    for layer, number in learned:
        held, arrays = arrays[:number], arrays[number:]
        fixed = [np.zeros(w.shape, "float32") for w in layer.non_trainable_weights]
        result += convert(layer, held + fixed)[: len(layer.trainable_weights)] if number else []
    return result
