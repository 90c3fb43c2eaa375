"""The order of the inputs of a dense layer that follows `Flatten`, where images have their channels first elsewhere.

Flattened images are listed place by place here (channels last), and channel by channel in PyTorch: the same dense
layer has the columns of its matrix in another order there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["columns_of"]

# Layers of one element, which leave the order alone.
PASSED = frozenset(
    {
        "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dropout", "ELU",
        "GaussianDropout", "GaussianNoise", "Identity", "LayerNormalization", "LeakyReLU", "ReLU",
    }
)  # fmt: skip


def columns_of(layer: Any) -> np.ndarray | None:
    """For each input of a layer in the order of channels first, its place with channels last.

    Args:
        layer: a layer of flat features: dense, or a normalization.

    Returns: the places, or None where the order is the same: the layer does not follow `Flatten`, what is flattened
        is no image, or its channels stand first here as well.
    """
    flatten = _before(layer, PASSED)
    if type(flatten).__name__ != "Flatten" or len(flatten.inbound_nodes) != 1:
        return None
    shape = flatten.input_shape[1:]
    if len(shape) < 2 or None in shape or not _is_channels_last(flatten):
        return None
    places = np.arange(int(np.prod(shape)))
    if flatten.data_format == "channels_first":  # it moves the channels to the end
        shape = (*shape[1:], shape[0])
    return np.moveaxis(places.reshape(shape), -1, 0).reshape(-1)


def _before(layer: Any, passed: frozenset[str]) -> Any:
    """The layer before this one, beyond those that are passed; None where there is none, or several."""
    while True:
        nodes = layer.inbound_nodes
        below = nodes[0].inbound_layers if len(nodes) == 1 else []
        if len(below) != 1 or below[0] is layer:
            return None
        layer = below[0]
        if type(layer).__name__ not in passed:
            return layer


def _is_channels_last(flatten: Any) -> bool:
    """Whether the flattened numbers stand in the order of images with channels last.

    The nearest layer before that knows of channels says it; where there is none, what has rows and columns is an image.
    """
    layer, ndim = flatten, len(flatten.input_shape)
    for _ in range(10_000):
        nodes = layer.inbound_nodes
        below = nodes[0].inbound_layers if nodes else []
        if not below or below[0] is layer:
            return ndim > 3
        layer = below[0]
        held = getattr(layer, "data_format", None)
        if held is not None:
            return held == flatten.data_format
        if hasattr(layer, "cell") or hasattr(layer, "forward_layer"):
            return False
    return False
