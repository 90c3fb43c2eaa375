"""`Model` and `Sequential`: networks that can be trained and saved."""

from __future__ import annotations

import copyreg
from typing import Any

import numpy as np

from keras_front import bytecode
from keras_front.config import dialect as dialect_of
from keras_front.graph.clone import clone_model
from keras_front.graph.inputs import Input, InputLayer
from keras_front.graph.layer import LAYERS
from keras_front.graph.network import Network
from keras_front.graph.sequential import SequentialNetwork
from keras_front.optimizers import OPTIMIZERS
from keras_front.registry import custom_object_scope, name_of
from keras_front.saving import Saveable, load_model, model_from_config, model_from_json, save_model
from keras_front.tracebacks import api_boundaries
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
@api_boundaries(
    "__call__", "compile", "count_params", "evaluate", "evaluate_generator", "fit", "fit_generator", "get_layer",
    "load_weights", "predict", "predict_generator", "predict_on_batch", "save", "save_weights", "set_weights",
    "summary", "test_on_batch", "to_json", "train_on_batch",
)  # fmt: skip
class Model(Saveable, Trainer, Network):
    """A network with `compile`, `fit`, `evaluate`, `predict` and `save`.

    Args:
        inputs: tensor, or list of tensors, from `Input`.
        outputs: tensor, or list of tensors, computed from them.
        name: name of the model.

    A subclass may instead keep layers as attributes and compute in `call(self, inputs)`.
    Source: Keras 2.3.1, `keras/engine/training.py`.
    """

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs for tensors or arrays, on the model's own backend if it has one; symbols make a node."""
        with self._on_engine():
            return super().__call__(inputs, *args, **kwargs)

    def __reduce__(self) -> Any:
        """Copies and pickles hold structure, weights and the state of training, never compiled steps."""
        if not (self._is_graph_network or isinstance(self, SequentialNetwork)):
            return copyreg.__newobj__, (type(self),), self.__getstate__()
        known = {name_of(type(layer)): type(layer) for layer in self.all_layers()}
        return _remade, (type(self), self.get_config(), self.get_weights(), known, self._training_state())

    def _training_state(self) -> Any:
        if self._setup is None:
            return None
        held = [v.numpy() for v in self.optimizer.weights_of(self.trainable_weights)]
        return OPTIMIZERS.serialize(self.optimizer), held, self._setup.arguments, self._setup.dialect


def _remade(cls: Any, config: Any, weights: Any, known: Any, training: Any) -> Any:
    """The model that `Model.__reduce__` took apart. Whoever unpickles has allowed code already."""
    with custom_object_scope(known), bytecode.permit():
        model = cls.from_config(config)
    model.set_weights(weights)
    if training is not None:
        optimizer, held, arguments, dialect = training
        with dialect_of(dialect):
            model.compile(OPTIMIZERS.deserialize(optimizer), **arguments)
        if held and model.outputs:
            model.optimizer.build(model.trainable_weights)
            model.optimizer.set_weights(held)
    return model


@LAYERS.register()
@api_boundaries("add", "pop", "predict_classes", "predict_proba")
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
