"""The state of an optimizer in the layout of an older file: its slots have the shapes that the weights have there.

Keras 1 kept each gate of a recurrent layer in arrays of its own, so there are as many slots for it; files written on
Theano hold the slots of convolution kernels turned as the kernels are. What converts weights converts them here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["as_before", "as_today", "of_layers", "split_slots"]

# Of each optimizer of Keras 1.2.2 and 2.2.4: how many slots it has, and whether the state begins with the counter.
# Source: `self.weights` in `keras/optimizers.py` of both.
STATES = {
    "SGD": (1, True), "RMSprop": (1, False), "Adagrad": (1, False), "Adadelta": (2, False),
    "Adam": (2, True), "Adamax": (2, True), "Nadam": (2, True),
}  # fmt: skip

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


def as_before(kind: str, counters: Arrays, slots: Sequence[Arrays], like: Sequence[Any], stubs: bool) -> Arrays | None:
    """The state of an optimizer as Keras 1 and 2 kept it until 2.2; None for an optimizer that they do not have.

    Args:
        kind: class of the optimizer.
        counters: the arrays that belong to no weight, first the number of steps.
        slots: the arrays of each slot, one for each weight.
        like: the weights that are trained, in the layout of the target.
        stubs: whether Adam has a third slot, whose arrays are stubs unless it is used, as since Keras 2.2.
    """
    if kind not in STATES:
        return None
    number, counted = STATES[kind]
    kept = [array for slot in slots[:number] for array in slot]
    missing = [np.zeros_like(weight) for weight in like] * (number - len(slots[:number]))
    third = [*slots[2]] if len(slots) > 2 else [np.zeros(1, "float32") for _ in like]
    return [*counters[:counted], *kept, *missing, *(third if kind == "Adam" and stubs else ())]


def split_slots(arrays: Arrays, count: int) -> list[Arrays] | None:
    """The arrays of a state, without its counters, slot by slot; None if they do not divide.

    Args:
        arrays: slot by slot the arrays of all weights.
        count: how many weights there are.
    """
    if not count or len(arrays) % count:
        return None
    return [arrays[start : start + count] for start in range(0, len(arrays), count)]


def of_layers(layers: Sequence[Any], arrays: Arrays, convert: Convert) -> Arrays:
    """One slot, or the trained weights, in the layout of an older Keras.

    Args:
        layers: the layers with weights, in the order of the file.
        arrays: one array for each trained weight of these, in today's layout.
        convert: makes the arrays of a layer there of those here.
    """
    result, rest = Arrays(), list(arrays)
    for layer in layers:
        number, fixed = (
            len(layer.trainable_weights),
            [np.zeros(w.shape, "float32") for w in layer.non_trainable_weights],
        )
        written = convert(layer, rest[:number] + fixed)
        result, rest = result + written[: len(written) - len(fixed)], rest[number:]
    return result
