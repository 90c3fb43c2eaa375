"""Optimizers: how gradients change weights.

`base` says what an optimizer is, `algorithms` holds the formulas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front.errors import ArgumentError
from keras_front.optimizers.algorithms import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop
from keras_front.optimizers.base import OPTIMIZERS, Optimizer, clip_norm

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
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
    "serialize",
    "sgd",
]

sgd, rmsprop, adagrad, adadelta = SGD, RMSprop, Adagrad, Adadelta
adam, adamax, nadam = Adam, Adamax, Nadam


def serialize(optimizer: Any) -> Any:
    """Config of an optimizer."""
    return OPTIMIZERS.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that a name or config describes."""
    return OPTIMIZERS.deserialize(config, custom_objects)


def get(identifier: Any) -> Any:
    """The optimizer that an argument of `compile` stands for: a name in any case, a config, an optimizer.

    Raises: ArgumentError for None and anything else.
    """
    if identifier is None:
        raise ArgumentError("Cannot read the optimizer None: expected a name, a config or an optimizer.")
    return OPTIMIZERS.get(identifier)
