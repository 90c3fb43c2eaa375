"""Hints: what is probably not meant in a model that works, told once when it is compiled or meets its first data.

Only what is wrong beyond doubt is told: the last activation has to be known (a layer of this package), and the loss has
to be one of its own. A hint is a `HintWarning`, so that `warnings.simplefilter("ignore", HintWarning)` turns all off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import losses
from keras_front.errors import ArgumentError, HintWarning
from keras_front.registry import name_of
from keras_front.tracebacks import warn_user

LOOKED_AT = 10_000  # so many targets are looked at, from the first on: enough to see in what range they are

# Layers whose outputs are their inputs, or zeros, in whatever shape.
_PASSING = frozenset("Dropout Flatten Permute RepeatVector Reshape SpatialDropout1D SpatialDropout2D".split())
_BY_CLASS = {"LeakyReLU": "leaky_relu", "ReLU": "relu", "Softmax": "softmax", "ELU": "elu", "PReLU": "prelu"}
# Activations whose results need not be between 0 and 1.
_UNBOUNDED = frozenset(
    "linear relu relu6 prelu leaky_relu elu selu celu gelu swish silu mish softplus softsign tanh exponential".split()
)
# Activations whose results have bounds, and losses whose targets can be any numbers.
_BOUNDED = {"sigmoid": (0, 1), "hard_sigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "softsign": (-1, 1)}
_OF_NUMBERS = (losses.mean_squared_error, losses.mean_absolute_error, losses.huber, losses.log_cosh)
_BEYOND = 0.1  # so far beyond its bounds noise may take a target
_CATEGORICAL = (losses.categorical_crossentropy, losses.sparse_categorical_crossentropy)


def of_compilation(outputs: list[Any], compiled: list[Any]) -> None:
    """Warn of losses that do not fit what the last layers give.

    Args:
        outputs: the symbolic outputs of the model.
        compiled: the `OutputLoss`es.
    """
    for item in compiled:
        for text in _hints(item, outputs[item.output]):
            warn_user(f"compile: the output {item.name!r}: {text}", HintWarning)
            break


def of_missing_losses(loss: Any, names: Sequence[str], found: Sequence[Any]) -> None:
    """Warn of outputs that a dict of losses leaves out.

    Args:
        loss: as given to `compile`.
        names: of the outputs.
        found: the losses of the model.

    Raises: ArgumentError if it has none.
    Source: Keras 2.3.1, `keras/engine/training.py`, `Model.compile`.
    """
    if not found:
        raise ArgumentError(
            "The model cannot be compiled because it has no loss to optimize: expected a `loss`, or a call of "
            "`add_loss`, received neither."
        )
    for name in names if isinstance(loss, Mapping) else ():
        if name not in loss:
            warn_user(
                f'Output "{name}" missing from loss dictionary. We assume this was done on purpose. The fit and '
                f'evaluate APIs will not be expecting any data to be passed to "{name}".',
                UserWarning,
            )


def of_missing_modes(modes: Any, names: Sequence[str]) -> None:
    """Refuse a dict of `sample_weight_mode` that leaves outputs out.

    Args:
        modes: as given to `compile`.
        names: of the outputs that have targets.

    Raises: ArgumentError if one is missing.
    Source: Keras 2.3.1, `keras/engine/training.py`, `Model._prepare_sample_weights`.
    """
    for name in names if isinstance(modes, Mapping) else ():
        if name not in modes:
            raise ArgumentError(
                f'sample_weight_mode: expected a mode for each output, Output "{name}" missing from it.'
            )


def of_targets(array: np.ndarray, name: str, loss: str, bounds: tuple[str, float, float] | None = None) -> None:
    """Warn of targets that are no probabilities, where a crossentropy compares them with some; or are out of reach.

    Args:
        array: the targets.
        name: of the output.
        loss: name of its loss.
        bounds: see `bounds_of`.
    """
    probabilities = loss in ("binary_crossentropy", "categorical_crossentropy")
    if not (probabilities or bounds) or array.dtype.kind not in "iuf":
        return
    some = array.reshape(-1)[:LOOKED_AT]
    if not some.size:
        return
    if probabilities and not (some.min() >= 0 and some.max() <= 1):
        expected = f"{loss} expects probabilities, from 0 to 1. {_remedy(some)}"
    elif bounds and not (some.min() >= bounds[1] - _BEYOND and some.max() <= bounds[2] + _BEYOND):
        activation, least, most = bounds
        expected = (
            f"the last layer ends in {activation!r}, which gives {least:g} to {most:g}. Leave the activation out to "
            "predict any numbers, or scale the targets."
        )
    else:
        return
    warn_user(f"The targets for {name!r} go from {some.min():g} to {some.max():g}; {expected}", HintWarning)


def bounds_of(item: Any, output: Any) -> tuple[str, float, float] | None:
    """What the last activation can give, where the loss compares it with any numbers: its name, the least, the largest.

    Args:
        item: an `OutputLoss`.
        output: the symbolic output of the model.
    """
    if getattr(item.loss, "fn", item.loss) not in _OF_NUMBERS:
        return None
    activation = last_activation(output)
    return (activation, *_BOUNDED[activation]) if activation in _BOUNDED else None


def of_epoch(logs: Mapping[str, float], data: Any) -> bool:
    """Warn of a loss that is no number; whether it is one.

    Args:
        logs: the means of the epoch.
        data: what the model is trained with, whose arrays are looked at only where the loss is no number.
    """
    if math.isfinite(logs.get("loss", 0.0)):
        return True
    cause = next((text for array in getattr(data, "arrays", ()) for text in _not_finite(array)), None)
    cause = cause or (
        "The steps are probably too large: write a smaller learning_rate, clipnorm=1.0 in the optimizer, or scale the "
        "data to about 1. compile(..., debug_nans=True) says which layer was the first."
    )
    warn_user(f"fit: the loss is {logs['loss']:g}. {cause}", HintWarning)
    return False


def _not_finite(array: Any) -> Iterator[str]:
    if isinstance(array, np.ndarray) and array.dtype.kind == "f" and (count := np.count_nonzero(~np.isfinite(array))):
        yield (
            f"Of the {array.size} numbers in data of shape {array.shape} {count} are NaN or infinite: drop these "
            "samples, or put a number in their place, as np.nan_to_num does."
        )


def _remedy(some: np.ndarray) -> str:
    if some.min() == -1 and some.max() == 1:
        return "Pass (y + 1) / 2, or compile with loss='hinge' for targets of -1 and 1."
    return "Divide them by 255 if they are pixels, or compile with loss='mse' if they are any numbers."


def _hints(item: Any, output: Any) -> Iterator[str]:
    """What is probably not meant about a loss and the output that it is computed from, the worst first."""
    function = getattr(item.loss, "fn", item.loss)
    categorical, binary = function in _CATEGORICAL, function is losses.binary_crossentropy
    activation, units = last_activation(output), output.shape[-1] if len(output.shape) > 1 else None
    if activation == "softmax" and units == 1:
        yield (
            "softmax over 1 unit always gives 1, so nothing can be learnt. Write activation='sigmoid' with "
            "loss='binary_crossentropy', or a unit for each class."
        )
    if categorical and units == 1:
        yield (
            f"{item.kind} with 1 unit is a choice among one class, whose loss is always 0. Write activation='sigmoid' "
            "with loss='binary_crossentropy', or a unit for each class."
        )
    if activation is not None and (categorical or binary):
        yield from _of_activation(item, activation, "sigmoid" if binary else "softmax", function)


def _of_activation(item: Any, activation: str, fitting: str, function: Callable[..., Any]) -> Iterator[str]:
    name = "".join(word.title() for word in function.__name__.split("_"))
    if getattr(item.loss, "_arguments", {}).get("from_logits"):
        if activation in ("softmax", "sigmoid"):
            yield (
                f"{item.kind} with from_logits=True expects the numbers before {fitting}, and the last layer ends in "
                f"{activation!r}. Leave out one of the two."
            )
    elif activation in _UNBOUNDED:
        ends = "has no activation" if activation == "linear" else f"ends in {activation!r}"
        yield (
            f"{item.kind} expects probabilities, from 0 to 1, and the last layer {ends}. Write "
            f"activation={fitting!r}, or compile with losses.{name}(from_logits=True)."
        )


def last_activation(tensor: Any) -> str | None:
    """The name of the activation that gave a tensor of a model; None if that is not known.

    Args:
        tensor: a symbolic tensor.
    """
    while getattr(tensor, "history", None):
        layer, call, place = tensor.history
        if getattr(layer, "_is_model", False):
            inner = layer.outputs[place] if layer._is_graph_network else tensor
            if inner is tensor:  # what a model with a `call` of its own gives
                return None
            tensor = inner
            continue
        inner = getattr(layer, "layer", layer) if type(layer).__name__ == "TimeDistributed" else layer
        if type(inner).__name__ not in _PASSING:
            return _activation_of(inner)
        inputs = layer._inbound_nodes[call].input_tensors
        tensor = inputs[0] if len(inputs) == 1 else None
    return None


def _activation_of(layer: Any) -> str | None:
    if not type(layer).__module__.startswith("keras_front.layers."):
        return None
    named = _BY_CLASS.get(type(layer).__name__)
    own = vars(layer)  # not by `getattr`: what a layer does not have is looked for among names of older Keras
    function = own.get("activation")
    if named or function is None or "cell" in own or "recurrent_activation" in own:
        return named
    return name_of(function) if callable(function) and not hasattr(function, "get_config") else None
