"""Functions of layers and models that programs import from `keras.utils.layer_utils`.

They take what they need of a model by its members, so this module knows no class of a layer.
Source: Keras 2.3.1, `keras/utils/layer_utils.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.compatibility import reject_unknown
from keras_front.errors import ArgumentError, ShapeError
from keras_front.failures import explains_failures
from keras_front.utils.conv_utils import convert_kernel

__all__ = [
    "convert_all_kernels_in_model",
    "convert_dense_weights_data_format",
    "count_params",
    "count_total_params",
    "get_source_inputs",
    "print_summary",
]

# Convolutions whose kernels Theano turned around; separable ones were never its.
_TURNED = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose")


def count_params(weights: Iterable[Any]) -> int:
    """How many numbers there are in some weights, each weight counted once.

    Args:
        weights: variables or arrays.
    """
    return sum(math.prod(K.int_shape(weight)) for weight in {id(weight): weight for weight in weights}.values())


def count_total_params(layers: Iterable[Any], layer_set: set[Any] | None = None) -> tuple[int, int]:
    """How many numbers in the weights of some layers are trained, and how many are not.

    Args:
        layers: layers, and models of layers.
        layer_set: layers that were counted before; those that are counted here are added.

    Source: Keras 1.2.2, `keras/utils/layer_utils.py`.
    """
    seen = set() if layer_set is None else layer_set
    fresh = [layer for layer in dict.fromkeys(layers) if layer not in seen]
    seen.update(fresh)
    return (
        count_params(weight for layer in fresh for weight in layer.trainable_weights),
        count_params(weight for layer in fresh for weight in layer.non_trainable_weights),
    )


@explains_failures
def print_summary(
    model: Any = None,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    **kwargs: Any,
) -> None:
    """Print what `model.summary` prints.

    Args:
        model: a model whose shapes are known; or a list of layers, as in Keras 1.
        line_length: width of the table in columns; None for a width that fits.
        positions: where each column ends: fractions of the width, or columns.
        print_fn: called with each line; by default `print`.
        **kwargs: `layers`, what Keras 1 called the first argument, and its `relevant_nodes`, which is not needed.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> print_summary(Sequential([Dense(2, input_shape=(3,))]), print_fn=lambda line: None)
    """
    kwargs.pop("relevant_nodes", None)
    model = kwargs.pop("layers", model)
    reject_unknown("print_summary", kwargs, print_summary)
    if hasattr(model, "summary"):
        model.summary(line_length=line_length, positions=positions, print_fn=print_fn)
    else:
        legacy = import_module("keras_front.legacy.utils.layer_utils")
        legacy.print_layers(list(model), line_length, positions, print_fn)


def convert_all_kernels_in_model(model: Any) -> None:
    """Turn the kernels of all convolutions of a model around, for weights that were trained with Theano.

    Args:
        model: a model whose weights exist; models within it are converted as well.

    Example:
        >>> from keras_front.layers import Conv2D
        >>> from keras_front.models import Sequential
        >>> model = Sequential([Conv2D(1, (1, 2), input_shape=(4, 4, 1))])
        >>> before = model.get_weights()[0]
        >>> convert_all_kernels_in_model(model)
        >>> bool((model.get_weights()[0] == before[:, ::-1]).all())
        True
    """
    kernels = {id(layer): layer.kernel for layer in _layers_within(model) if _is_turned(layer)}
    K.batch_set_value([(kernel, convert_kernel(K.get_value(kernel))) for kernel in kernels.values()])


def _layers_within(model: Any) -> Iterable[Any]:
    for layer in model.layers:
        yield from _layers_within(layer) if hasattr(layer, "layers") else [layer]


def _is_turned(layer: Any) -> bool:
    return any(kind.__name__ in _TURNED for kind in type(layer).__mro__) and hasattr(layer, "kernel")


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Sequence[int], target_data_format: str = "channels_first"
) -> None:
    """Put the rows of a `Dense` behind a `Flatten` in the order of another data format.

    Args:
        dense: the layer.
        previous_feature_map_shape: shape of what was flattened, without the batch, in the target format.
        target_data_format: 'channels_first' or 'channels_last': the format that the model has from now on.

    Raises: ArgumentError for another format; ShapeError if the shape does not fit the kernel.
    """
    kernel, *bias = dense.get_weights()
    shape = tuple(previous_feature_map_shape)
    if math.prod(shape) != kernel.shape[0]:
        raise ShapeError(f"{dense.name}: expected a shape of {kernel.shape[0]} elements, received {shape}.")
    if target_data_format == "channels_first":  # (channels, ...) was (..., channels)
        rows = np.moveaxis(kernel.reshape(*shape[1:], shape[0], -1), -2, 0)
    elif target_data_format == "channels_last":
        rows = np.moveaxis(kernel.reshape(shape[-1], *shape[:-1], -1), 0, -2)
    else:
        raise ArgumentError(
            f"target_data_format: expected 'channels_first' or 'channels_last', received {target_data_format!r}."
        )
    dense.set_weights([rows.reshape(kernel.shape), *bias])


@explains_failures
def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> Any:
    """The inputs that a symbolic tensor is made of.

    Args:
        tensor: a tensor that a layer or an op returned.
        layer: not needed; Keras took the layer that made the tensor from the caller.
        node_index: likewise.

    Returns: a list of symbolic tensors; `tensor` itself if it is none.

    Example:
        >>> from keras_front.layers import Dense, Input
        >>> inputs = Input((3,))
        >>> get_source_inputs(Dense(2)(inputs))[0] is inputs
        True
    """
    if not hasattr(tensor, "history"):
        return tensor
    sources: dict[Any, None] = {}
    waiting, seen = [tensor], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        needed = _needed(current)
        if needed:
            waiting.extend(reversed(needed))
        elif current.constant is None and current.variable is None:
            sources[current] = None
    return list(sources)


def _needed(tensor: Any) -> list[Any]:
    """The tensors from which a layer, or an op that no model has made a layer of, computes this one."""
    if tensor.history:
        made_by, node, _ = tensor.history
        return list(made_by._inbound_nodes[node].needed_tensors)
    return [] if tensor.origin is None else list(tensor.origin.tensors())
