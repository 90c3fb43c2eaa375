"""Paths of weights: where in a model each one is held, by names of layers, attributes and places in lists.

A path does not depend on how many layers were made before: 'encoder.dense_1.kernel', 'blocks.0.kernel'.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keras_front.backend.state import Variable

from .keras_zip import layers_by_attribute, own_weights

__all__ = ["bare_name", "parts_of", "weight_paths"]


def parts_of(layer: Any) -> Iterator[tuple[str, Any]]:
    """The layers directly below one, with what leads to each: its name in a model of tensors, else the attribute.

    Args:
        layer: a layer or model.
    """
    if getattr(layer, "_is_graph_network", False):
        yield from ((part.name, part) for part in dict.fromkeys(layer.layers))
        return
    for attribute, held in layers_by_attribute(layer):
        if isinstance(held, list | tuple):
            yield from ((f"{attribute}.{place}", part) for place, part in enumerate(held))
        else:
            yield attribute, held


def weight_paths(layer: Any) -> dict[str, Variable]:
    """Every weight of a layer or model by its path, each once, those of a layer before those below it.

    Args:
        layer: a layer or model whose weights exist.

    Source: tf_keras 2.21, `tf_keras/src/engine/training.py`, `get_weight_paths`; there layers of a nested model are
        called 'layer_with_weights-0', here by their names.
    Example:
        >>> from keras_front.layers import LSTM
        >>> layer = LSTM(3)
        >>> layer.build((None, 5, 2))
        >>> list(weight_paths(layer))
        ['cell.kernel', 'cell.recurrent_kernel', 'cell.bias']
    """
    found: dict[str, Variable] = {}
    seen: set[int] = set()

    def visit(part: Any, prefix: str) -> None:
        for weight in own_weights(part):
            if id(weight) not in seen:
                found[_free(f"{prefix}{bare_name(weight)}", found)] = weight
                seen.add(id(weight))
        for path, below in parts_of(part):
            if id(below) not in seen:
                seen.add(id(below))
                visit(below, f"{prefix}{path}.")

    visit(layer, "")
    return found


def bare_name(weight: Variable) -> str:
    """What a layer calls its weight: 'kernel' of 'dense_1/kernel:0'.

    Args:
        weight: the weight.
    """
    return weight.name.rpartition("/")[2].partition(":")[0]


def _free(path: str, taken: Any) -> str:
    number, free = 0, path
    while free in taken:
        number += 1
        free = f"{path}_{number}"
    return free
