"""`Model` and `Sequential`: networks that can be trained and saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_front.errors import SerializationError
from keras_front.graph.clone import clone_model
from keras_front.graph.inputs import Input, InputLayer
from keras_front.graph.layer import LAYERS
from keras_front.graph.network import Network
from keras_front.graph.sequential import SequentialNetwork
from keras_front.training.trainer import Trainer

__all__ = [
    "Input",
    "InputLayer",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "save_model",
]


@LAYERS.register("Model", "Functional")
class Model(Trainer, Network):
    """A network with `compile`, `fit`, `evaluate`, `predict` and `save`.

    Args:
        inputs: tensor, or list of tensors, from `Input`.
        outputs: tensor, or list of tensors, computed from them.
        name: name of the model.

    A subclass may instead keep layers as attributes and compute in `call(self, inputs)`.
    Source: Keras 2.3.1, `keras/engine/training.py`.
    """

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, **kwargs: Any) -> None:
        """Write structure, weights and the state of training to a file; see `saving.save_model`."""
        save_model(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights to a file."""
        from keras_front import saving

        saving.save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Set the weights from a file; `by_name` takes only those of layers with the same names."""
        from keras_front import saving

        saving.load_weights(self, filepath, by_name=by_name, skip_mismatch=skip_mismatch, **kwargs)


@LAYERS.register()
class Sequential(SequentialNetwork, Model):
    """A stack of layers that can be trained and saved.

    Args:
        layers: the layers to begin with; the first may be an `Input`.
        name: name of the model.

    Example:
        >>> from keras_front.layers import Dense
        >>> Sequential([Dense(3, input_shape=(4,)), Dense(2)]).count_params()
        23
    """

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: int = 0) -> np.ndarray:
        """`predict`, for models whose output is a probability."""
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: int = 0) -> np.ndarray:
        """Number of the most probable class; for a single output, whether it exceeds one half.

        Shape: (batch,) of integers, or (batch, 1) for a single output.
        """
        found = self.predict(x, batch_size=batch_size, verbose=verbose)
        return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")


def model_from_config(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `{'class_name', 'config'}` describes, with new weights.

    Raises: SerializationError if it is a list, which only `Sequential.from_config` reads.
    """
    if isinstance(config, list):
        raise SerializationError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    return LAYERS.deserialize(config, custom_objects)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_json` wrote, with new weights."""
    try:
        config = json.loads(json_string)
    except json.JSONDecodeError as error:
        raise SerializationError(f"model_from_json: expected JSON text, received something else ({error}).") from None
    return model_from_config(config, custom_objects)


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, **kwargs: Any
) -> None:
    """Write a model to a file; see `saving.save_model`."""
    from keras_front import saving

    saving.save_model(model, filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True, **kwargs: Any) -> Any:
    """The model in a file; see `saving.load_model`."""
    from keras_front import saving

    return saving.load_model(filepath, custom_objects=custom_objects, compile=compile, **kwargs)
