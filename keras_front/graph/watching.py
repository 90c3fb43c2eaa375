"""Models that have compiled steps, told when a layer gets other weights: their steps are made anew then."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

_MODELS: WeakSet[Any] = WeakSet()


def watch(model: Any) -> None:
    """Tell a model from now on when a layer of it gets other weights.

    Args:
        model: has `all_layers` and `forget_steps`.
    """
    _MODELS.add(model)


def weights_replaced(layer: Any) -> None:
    """Have all models that a layer belongs to compile their steps anew.

    Args:
        layer: the layer, which has got other weights than before.
    """
    for model in list(_MODELS):
        if any(part is layer for part in model.all_layers()):
            model.forget_steps()
