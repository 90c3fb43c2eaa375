"""`print_summary`: the classic table of layers, output shapes and parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.nest import unpack


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print one line for each layer, with its output shape and number of parameters, and the totals.

    Args:
        model: a model whose shapes are known.
        line_length: width of the table in columns; by default 65, or 98 where the layers do not form a chain.
        positions: where each column ends: fractions of the width, or columns.
        print_fn: called with each line; by default `print`.

    Source: Keras 2.3.1, `keras/utils/layer_utils.py`.
    """
    for line in summary_lines(model, line_length, positions):
        (print_fn or print)(line)


def summary_lines(model: Any, line_length: int | None, positions: Sequence[float] | None) -> list[str]:
    """The lines of the table."""
    plain = _is_chain(model)
    width = line_length or (65 if plain else 98)
    ends = list(positions or ((0.45, 0.85, 1.0) if plain else (0.33, 0.55, 0.67, 1.0)))
    if ends[-1] <= 1:
        ends = [int(width * end) for end in ends]
    fields = ["Layer (type)", "Output Shape", "Param #"] + ([] if plain else ["Connected to"])
    lines = [f'Model: "{model.name}"', "_" * width, _row(fields, ends), "=" * width]
    layers = model.layers
    for index, layer in enumerate(layers):
        lines += _rows_of(model, layer, ends, plain)
        lines.append(("=" if index == len(layers) - 1 else "_") * width)
    return lines + _totals(model) + ["_" * width]


def _is_chain(model: Any) -> bool:
    """Whether the layers form one line, so that the table need not say what is connected to what."""
    graph = model._graph
    if graph is None or hasattr(model, "_stack"):
        return True
    depths = list(graph.layer_depth.values())
    if len(set(depths)) != len(depths):
        return False
    calls = [node.layer for node in graph.nodes]
    return len(set(calls)) == len(calls) and all(len(node.needed_tensors) < 2 for node in graph.nodes)


def _row(fields: Sequence[Any], ends: Sequence[float]) -> str:
    line = ""
    for index, field in enumerate(fields):
        line = (line[:-1] + " " if index else "") + str(field)
        line = line[: int(ends[index])].ljust(int(ends[index]))
    return line


def _rows_of(model: Any, layer: Any, ends: Sequence[float], plain: bool) -> list[str]:
    fields = [f"{layer.name} ({type(layer).__name__})", _shape_text(layer), _parameters(layer)]
    if plain:
        return [_row(fields, ends)]
    sources = _sources(model, layer) or [""]
    rows = [_row([*fields, sources[0]], ends)]
    return rows + [_row(["", "", "", source], ends) for source in sources[1:]]


def _shape_text(layer: Any) -> str:
    try:
        return str(unpack([tuple(s) for s in _shapes(layer)]))
    except (AttributeError, RuntimeError):
        return "multiple"


def _shapes(layer: Any) -> Any:
    shape = layer.output_shape
    return shape if isinstance(shape, list) else [shape]


def _parameters(layer: Any) -> str:
    if not layer.built and not layer.weights:
        return "0 (unused)"
    return str(layer.count_params())


def _sources(model: Any, layer: Any) -> list[str]:
    """'dense_1[0][0]' for each tensor that the layer takes within the model."""
    graph = model._graph
    inside = {id(node) for node in graph.nodes}
    return [
        f"{tensor.history[0].name}[{tensor.history[1]}][{tensor.history[2]}]" if tensor.history else tensor.name
        for node in layer._inbound_nodes
        if id(node) in inside
        for tensor in node.needed_tensors
    ]


def _totals(model: Any) -> list[str]:
    trainable, frozen = _count(model.trainable_weights), _count(model.non_trainable_weights)
    return [
        f"Total params: {trainable + frozen:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {frozen:,}",
    ]


def _count(weights: Sequence[Any]) -> int:
    return int(sum(np.prod(w.shape, dtype=np.int64) for w in weights))
