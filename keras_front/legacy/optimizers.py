"""Names of `keras.optimizers` that are gone. Source: Keras 1.2.2, 2.2.4 and 2.3.1, `keras/optimizers.py`."""

from __future__ import annotations

from typing import Any

from keras_front import optimizers
from keras_front.errors import BackendError

OptimizerV2 = optimizers.Optimizer


def optimizer_from_config(config: dict[str, Any], custom_objects: Any = None) -> optimizers.Optimizer:
    """The optimizer of a config.

    Args:
        config: class name and arguments.
        custom_objects: the user's own classes by name.
    """
    return optimizers.deserialize(config, custom_objects)


class TFOptimizer(optimizers.Optimizer):
    """What wrapped an optimizer of TensorFlow 1, whose ops lie in a graph that is not ours; it cannot be made.

    Args:
        optimizer: the optimizer of TensorFlow.

    Raises: BackendError always.
    """

    def __init__(self, optimizer: Any) -> None:
        raise BackendError(
            f"TFOptimizer: {type(optimizer).__name__} computes in TensorFlow's graph. Use the optimizer of the same "
            "name in keras.optimizers, which runs on every backend."
        )
