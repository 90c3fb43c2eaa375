"""Optimizers: how gradients change weights.

`base` says what an optimizer is, `algorithms` and `further_algorithms` hold the formulas, `schedules` the step sizes
that change with time, `loss_scale` what 16 bits need.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from keras_front import conventions
from keras_front.errors import ArgumentError
from keras_front.missing_names import only_these
from keras_front.optimizers import schedules
from keras_front.optimizers.algorithms import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Nadam, RMSprop
from keras_front.optimizers.base import OPTIMIZERS, Optimizer
from keras_front.optimizers.clipping import clip_norm
from keras_front.optimizers.further_algorithms import Adafactor, Ftrl, Lamb, Lion, Muon
from keras_front.optimizers.loss_scale import LossScaleOptimizer, with_loss_scale
from keras_front.tracebacks import api_boundary

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "clip_norm",
    "deserialize",
    "get",
    "nadam",
    "rmsprop",
    "schedules",
    "serialize",
    "sgd",
    "with_loss_scale",
]

sgd, rmsprop, adagrad, adadelta = SGD, RMSprop, Adagrad, Adadelta
adam, adamax, nadam = Adam, Adamax, Nadam


@api_boundary
def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Config of an optimizer, without its state.

    Args:
        optimizer: the optimizer.

    Returns: a dict with 'class_name' and 'config'.
    Example:
        >>> serialize(SGD(0.5))["class_name"]
        'SGD'
    """
    return OPTIMIZERS.serialize(optimizer)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer that a name or config describes.

    Args:
        config: a name in any case, or what `serialize` returned.
        custom_objects: classes of your own by name.

    Raises: ArgumentError for an unknown name.
    Example:
        >>> float(deserialize({"class_name": "SGD", "config": {"lr": 0.5}}).lr)
        0.5
    """
    if isinstance(config, dict) and conventions.current().lowers_optimizer_names:
        name = config.get("class_name")
        config.update(class_name=name.lower() if isinstance(name, str) and name in OPTIMIZERS else name)
    return OPTIMIZERS.deserialize(config, custom_objects)


@api_boundary
def get(identifier: Any) -> Optimizer:
    """The optimizer that an argument of `compile` stands for.

    Args:
        identifier: a name in any case ('adam'), a config, a class, or an optimizer, which is itself.

    Raises: ArgumentError for None and anything else.
    Example:
        >>> type(get("ADAM")).__name__
        'Adam'
    """
    if identifier is None:
        raise ArgumentError(
            "Could not interpret optimizer identifier: None. Expected a name, a config or an optimizer."
        )
    found = OPTIMIZERS.get(identifier)
    if inspect.isroutine(found):
        raise ArgumentError(
            f"Could not interpret optimizer identifier: {identifier!r}. Expected a name, a config or an optimizer, "
            "received a function."
        )
    return found


__getattr__ = only_these(__name__)
