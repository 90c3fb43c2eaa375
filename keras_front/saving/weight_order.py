"""Which array of a file belongs to which weight of a layer.

In the HDF5 files of Keras 1 and 2 each layer of a model has a list of arrays. Their order is: what training
changes, then the rest; a frozen layer has its weights together, in the rest. Nested models are flattened
into that order, so freezing a layer inside one moves arrays. Names settle it where they are unambiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, ShapeError
from keras_front.nest import unique

__all__ = [
    "by_names",
    "check_built",
    "check_shapes",
    "has_models",
    "in_file_order",
    "is_adapted",
    "layers_in_file",
    "unique_names",
]


def layers_in_file(layers: Sequence[Any]) -> list[Any]:
    """The layers that have a group each in a file: each once, and for one that joins models at the start, theirs.

    Args:
        layers: the layers of a model.

    Source: Keras 1.2.2, `keras/models.py`, `Sequential.flattened_layers`.
    """
    found: list[Any] = []
    for layer in layers:
        joined = hasattr(layer, "first_inputs") and layer.layers
        found += [below for part in layer.layers for below in layers_in_file(part.layers)] if joined else [layer]
    return unique(found)


def in_file_order(layer: Any) -> list[Variable]:
    """The weights of `layer` in the order of Keras 2 files.

    Args:
        layer: a layer or model.

    Source: tf_keras 2.21, `tf_keras/saving/legacy/hdf5_format.py`, `_legacy_weights`.
    """
    learned, others = _split(layer)
    return unique(learned + others)


def _split(layer: Any) -> tuple[list[Variable], list[Variable]]:
    (own, rest), below = layer.stored_weights(), layer.sublayers()
    if not layer.trainable:
        return [], own + rest + [w for part in below for w in in_file_order(part)]
    pairs = [_split(part) for part in below]
    return own + [w for p in pairs for w in p[0]], rest + [w for p in pairs for w in p[1]]


def has_models(layer: Any) -> bool:
    """Whether `layer` is a model, or has one below it.

    Args:
        layer: a layer or model.
    """
    return any(hasattr(part, "layers") for part in layer.all_layers())


def is_adapted(layer: Any) -> bool:
    """Whether `layer`, or one below it, has its weight as integers or with a low-rank change.

    Keras 3 has the arrays of such a layer in an order of its own in `.h5`, and the change beside the weight.

    Args:
        layer: a layer or model.
    """
    parts = layer.all_layers()
    return any(getattr(part, "quantization_mode", None) or getattr(part, "lora_enabled", False) for part in parts)


def by_names(weights: Sequence[Variable], names: Sequence[str]) -> list[Variable] | None:
    """`weights` in the order of `names`, if the ends of the names tell them apart; None if they do not.

    'block1/dense/kernel' and 'dense/kernel:0' agree in their last two parts.

    Args:
        weights: weights of a layer.
        names: names of the arrays in the file, in their order.
    """
    for parts in range(2, 6):
        ours = {_end(w.name, parts): w for w in weights}
        theirs = [_end(name, parts) for name in names]
        if len(ours) == len(weights) == len(set(theirs)) == len(theirs) and set(ours) == set(theirs):
            return [ours[key] for key in theirs]
    return None


def _end(name: str, parts: int) -> tuple[str, ...]:
    return tuple(name.rpartition(":")[0].split("/") if ":" in name else name.split("/"))[-parts:]


def check_built(model: Any, where: str) -> None:
    """Check that a model has its weights already, so that those of a file have a place.

    Args:
        model: the model.
        where: what to call the file in messages.

    Raises: ArgumentError if it waits for its first call.
    """
    if not model.built and not model.weights:
        raise ArgumentError(
            f"{where}: expected a model with weights, received {model.name!r}, which has not yet been built and has "
            "not created its variables yet.\n"
            "  Call the model first, on one batch, or model.build(input_shape); then load the weights."
        )


def check_shapes(layer: Any, weights: Sequence[Variable], arrays: Sequence[np.ndarray]) -> None:
    """Raise unless there is an array of the right shape for each weight.

    Args:
        layer: the layer, for messages.
        weights: its weights.
        arrays: an array for each of them.

    Raises: ArgumentError for another number; ShapeError for another shape.
    """
    if len(weights) != len(arrays):
        raise ArgumentError(
            f'Layer "{layer.name}" ({type(layer).__name__}) expects {len(weights)} weight(s), but the saved weights '
            f"have {len(arrays)} element(s). Its weights are {[w.name for w in weights]}."
        )
    for weight, value in zip(weights, arrays, strict=True):
        if weight.shape != value.shape:
            raise ShapeError(
                f'Layer "{layer.name}" ({type(layer).__name__}), weight {weight.name}: expected shape '
                f"{weight.shape}, received {value.shape} from the file.\n"
                f"  {_remedy(layer, weight, value)}"
            )


def _remedy(layer: Any, weight: Variable, value: np.ndarray) -> str:
    """What to do about an array of another shape: a GRU has two biases for each gate, or one, by `reset_after`."""
    for part in layer.all_layers():
        if hasattr(part, "reset_after") and any(weight is own for own in part.weights):
            wanted = not part.reset_after
            if value.size == weight.shape[-1] * (2 if wanted else 1) and weight.shape[-1] == 3 * part.units:
                return (
                    f"The file was written for a GRU with reset_after={wanted}, "
                    f"{'as tf.keras, Keras 3 and cuDNN have it' if wanted else 'as Keras 1 and 2 have it'}: "
                    f"make the layer with GRU({part.units}, reset_after={wanted})."
                )
    return "The file belongs to another model; by_name=True, skip_mismatch=True loads what fits."


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with a number added to those that were there before.

    Args:
        names: names, some of which may be equal.
    """
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        result.append(f"{name}_{count}" if count else name)
    return result if len(set(result)) == len(result) else [f"{n}_{i}" for i, n in enumerate(names)]
