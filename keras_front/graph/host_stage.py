"""The host stage of a model: its layers of strings run on the data, before the steps, which begin behind them.

The steps of such a model are those of a network between the outputs of these layers and the outputs of the model. Data
of any length are mapped at once where the width of the result is fixed, otherwise batch by batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.graph.network import Network


class Lookup(NamedTuple):
    """A call of a layer of strings on an input.

    Attributes:
        layer: the layer.
        output: its symbolic output.
    """

    layer: Any
    output: Any

    def of(self, words: np.ndarray) -> np.ndarray:
        """What the layer makes of an array."""
        return np.asarray(K.to_numpy(self.layer(words)), self.output.dtype)

    @property
    def fixed(self) -> bool:
        """Whether the size of a row does not depend on the others."""
        return None not in self.output.shape[1:]


class LookedUpRows:
    """Data that a layer of strings maps when their rows are read, each time as wide as these rows need."""

    def __init__(self, words: np.ndarray, lookup: Lookup):
        self.words, self.lookup = words, lookup
        self.shape = (len(words), *lookup.output.shape[1:])

    def __getitem__(self, rows: Any) -> LookedUpRows:
        return LookedUpRows(self.words[rows], self.lookup)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.lookup.of(self.words), dtype)


def lookups_of(model: Any, tensor: Any) -> list[Lookup]:
    """The calls of layers of strings on an input of a model."""
    if not model._is_graph_network:
        return []
    layers = [layer for layer in model.layers if layer.runs_on_host]
    nodes = [node for layer in layers for node in layer._inbound_nodes if node.input_tensors == [tensor]]
    return [Lookup(node.layer, node.output) for node in nodes]


def network_behind(model: Any) -> Network | None:
    """The network between the outputs of a model's layers of strings and its outputs; None if it has no such layers."""
    found = [lookups_of(model, tensor) for tensor in model.inputs or ()]
    if not any(found):
        return None
    inputs = []
    for tensor, lookups in zip(model.inputs, found, strict=True):
        inputs += [] if tensor.dtype == "string" else [tensor]
        inputs += [lookup.output for lookup in lookups]
    return Network(inputs, model.outputs, name=model.name)


def looked_up(array: Any, is_text: bool, lookups: Sequence[Lookup], whole: bool) -> list[Any]:
    """What goes into a step for the data of an input.

    Args:
        array: the data.
        is_text: whether they are strings, which only layers of strings use.
        lookups: the calls of these layers.
        whole: whether nothing may be left to be read in parts.
    """
    mapped = [item.of(array) if whole or item.fixed else LookedUpRows(array, item) for item in lookups]
    return [*([] if is_text else [array]), *mapped]


def text_array(value: Any, name: str) -> np.ndarray:
    """An array of strings or bytes.

    Args:
        value: an array, a list, or what a data frame holds.
        name: of the input, for the message.

    Raises: ArgumentError for anything else than strings and bytes.
    """
    array = np.asarray(getattr(value, "values", value) if hasattr(value, "iloc") else value)
    good = array.dtype.kind in "US" or all(isinstance(item, str | bytes) for item in array.ravel().tolist())
    if not good or not array.ndim:
        raise ArgumentError(
            f"The data for {name!r} have dtype {array.dtype}; expected an array or list of strings or bytes, because "
            "the input has dtype 'string'."
        )
    return array
