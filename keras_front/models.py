"""`Model` and `Sequential`: networks that can be trained and saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, cast

import numpy as np

from keras_front import backend as K
from keras_front import saving
from keras_front.export import Exportable
from keras_front.failures import methods_explain_failures
from keras_front.graph import clone
from keras_front.graph.freezing import Freezable
from keras_front.graph.inputs import Input, InputLayer
from keras_front.graph.layer import LAYERS
from keras_front.graph.network import Network
from keras_front.graph.sequential import SequentialNetwork
from keras_front.layers.quantization import Quantizable
from keras_front.missing_names import only_these
from keras_front.nest import flatten
from keras_front.saving import Saveable, save_model
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
    "model_from_yaml",
    "save_model",
]


P = ParamSpec("P")


@LAYERS.register("Model", "Functional")
@api_boundaries("__call__")
@methods_explain_failures(
    "add_loss", "add_metric", "compile", "count_params", "evaluate", "evaluate_generator",
    "export", "fit", "fit_generator", "freeze", "get_layer", "load_state_dict", "load_weights",
    "predict_generator", "predict_on_batch", "quantize", "save", "save_weights", "set_weights", "state_dict",
    "summary", "test_on_batch", "to_json", "to_yaml", "unfreeze",
)  # fmt: skip
class Model(Saveable, Exportable, Freezable, Quantizable, Trainer, Network):
    """A network with `compile`, `fit`, `evaluate`, `predict`, `save` and `export`.

    Args:
        inputs: tensor, or list of tensors, from `Input`.
        outputs: tensor, or list of tensors, computed from them.
        name: name of the model.

    A subclass may instead keep layers as attributes and compute in `call(self, inputs)`.
    Source: Keras 2.3.1, `keras/engine/training.py`.

    Example:
        >>> from keras_front.layers import Dense, Input
        >>> inputs = Input((4,))
        >>> model = Model(inputs, Dense(2)(inputs))
        >>> model.compile("adam", "mse")
        >>> history = model.fit(np.ones((8, 4)), np.zeros((8, 2)), verbose=0)
        >>> model.predict(np.ones((1, 4)), verbose=0).shape
        (1, 2)
    """

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs for tensors or arrays, on the model's own backend if it has one; symbols make a node."""
        with self._on_engine():
            outputs = super().__call__(inputs, *args, **kwargs)
            if self._awaited_weights is not None:
                self._load_awaited()
                if not any(map(K.is_symbolic, flatten(outputs))):
                    outputs = super().__call__(inputs, *args, **kwargs)
            return outputs

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: layers and their calls, weights, the state of training; no compiled steps."""
        state = super().__getstate__()
        for made_anew in ("_form", "train_function"):  # how it takes its inputs, and a function of this model
            state.pop(made_anew, None)
        engine = state.pop("_engine", None)
        return state if engine is None else {**state, "_engine_name": engine.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        given = dict(state)
        engine = given.pop("_engine_name", None)
        super().__setstate__(given)
        self.to_backend(engine)


@LAYERS.register()
@methods_explain_failures("add", "pop", "predict_classes", "predict_proba")
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

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, unless they exist, and read those that the stack waits for.

        Args:
            input_shape: shape of the input, the batch axis included.
        """
        super().build(input_shape)
        self._load_awaited()

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: int = 0) -> np.ndarray:
        """`predict`, for models whose output is a probability.

        Args:
            x: samples, as for `predict`.
            batch_size: samples for each step; 32 as in `predict`.
            verbose: 1 shows a progress bar.

        Returns: probabilities, of the shape of the output.
        Source: Keras 2.3.1, `keras/engine/sequential.py`.
        """
        return cast("np.ndarray", self.predict(x, batch_size=batch_size, verbose=verbose))  # a stack has one output

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: int = 0) -> np.ndarray:
        """Number of the most probable class; for a single output, whether it exceeds one half.

        Args:
            x: samples, as for `predict`.
            batch_size: samples for each step; 32 as in `predict`.
            verbose: 1 shows a progress bar.

        Shape: (batch,) of integers, or (batch, 1) for a single output.
        Source: Keras 2.3.1, `keras/engine/sequential.py`.
        """
        found = self.predict_proba(x, batch_size=batch_size, verbose=verbose)
        return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")


def _giving_model(function: Callable[P, Any]) -> Callable[P, Model]:
    """`function` for editors and type checkers: what reads files does not know `Model`, which is made of it."""
    return function


clone_model = _giving_model(clone.clone_model)
load_model = _giving_model(saving.load_model)
model_from_config = _giving_model(saving.model_from_config)
model_from_json = _giving_model(saving.model_from_json)
model_from_yaml = _giving_model(saving.model_from_yaml)


__getattr__ = only_these(__name__)
