"""`model.quantize`: the weights of all layers that can be integers, in one call."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from keras_front.errors import ArgumentError, StateError

from .adaptation import KERAS3_MODES, Adaptable

__all__ = ["Quantizable"]

Filters = str | Sequence[str] | Callable[[Any], bool] | None


class Quantizable:
    """The part of a model that quantizes its layers. The other parts know these."""

    def quantize(self, mode: str, config: Any = None, filters: Filters = None) -> None:
        """Keep the weights of Dense, EinsumDense and Embedding layers as integers, for inference; others stay.

        Args:
            mode: 'int8', or 'int4': two in a byte, with a scale and a zero point for 128 inputs of each output.
            config: a `quantizers.Int8QuantizationConfig` or `Int4QuantizationConfig` for all; None for the default.
            filters: which layers: a regular expression that is found in their names, several of them, or a function of
                a layer; None for all.

        Raises: ArgumentError for another mode, if no layer is chosen, or if one is quantized already. StateError before
            the model is built. Nothing is changed then.
        Source: Keras 3.15, `keras/src/models/model.py`, `Model.quantize`.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(64, input_dim=32)])
            >>> model.quantize("int8")
            >>> [(w.dtype, w.shape) for w in model.weights]
            [('float32', (64,)), ('int8', (32, 64)), ('float32', (64,))]
        """
        if mode not in KERAS3_MODES:
            raise ArgumentError(f"quantize: expected the mode 'int8' or 'int4', received {mode!r}.")
        chosen = _chosen(self, filters)
        for layer in chosen:
            layer.check_quantization(mode)
        for layer in chosen:
            layer.quantize(mode, config=config)


def _chosen(model: Any, filters: Filters) -> list[Any]:
    fits = _filter(filters)
    layers = [layer for layer in model.all_layers() if isinstance(layer, Adaptable) and layer.modes and fits(layer)]
    if not layers:
        if not model.built:
            raise StateError(
                f"{model.name}: there are no layers to quantize yet. Build the model, or call it on a batch."
            )
        chosen = "" if filters is None else f" that filters={filters!r} chooses"
        raise ArgumentError(
            f"quantize: expected a layer of Dense, EinsumDense or Embedding{chosen}, received none in {model.name!r}."
        )
    return layers


def _filter(filters: Filters) -> Callable[[Any], bool]:
    if filters is None:
        return lambda layer: True
    if callable(filters):
        return filters
    patterns = [filters] if isinstance(filters, str) else list(filters)
    return lambda layer: any(re.search(pattern, layer.name) for pattern in patterns)
