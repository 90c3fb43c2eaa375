"""`print_summary`: the table of layers, output shapes and parameters, in the form of the dialect.

What stands in the table is the same in all forms (`_entries`); the classic one is that of Keras 2.3.1, Keras 3 has
boxes (`boxes.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import conventions
from keras_front.backend import dtypes
from keras_front.backend.placement import writes_files
from keras_front.errors import ArgumentError
from keras_front.nest import unpack

from .boxes import Column, boxed

CHAIN, OTHERS = (65, (0.45, 0.85, 1.0)), (98, (0.33, 0.55, 0.67, 1.0))
KERAS1 = (100, (0.33, 0.55, 0.67, 1.0))  # for every model


class Entry(NamedTuple):
    """One layer in the table.

    Attributes:
        layer: the layer.
        depth: in how many models of the table it lies.
        sources: the tensors that it takes, such as 'dense_1[0][0]'.
    """

    layer: Any
    depth: int
    sources: list[str]


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print one line for each layer, with its output shape and number of parameters, and the totals.

    Args:
        model: a model whose shapes are known.
        line_length: width of the table in columns; by default 65, or 98 where the layers do not form a chain.
        positions: where each column ends: fractions of the width, or columns.
        print_fn: called with each line; by default `print`.
        expand_nested: whether the layers of models in the model are shown as well.
        show_trainable: whether a column says what training changes: Y or N.
        layer_range: names, or patterns, of the first and the last layer to show; by default all are.

    Raises: ArgumentError if no layer has such a name.
    Source: Keras 2.3.1, `keras/utils/layer_utils.py`; the last three arguments, and the form of the dialect `keras3`,
        Keras 3.15, `keras/src/utils/summary_utils.py`.
    """
    form = _boxes if conventions.current().summary == "boxes" else _classic
    entries = list(_entries(model, expand_nested, layer_range))
    if print_fn is None and not writes_files():
        return  # one of several processes prints
    for line in form(model, entries, line_length, positions, show_trainable):
        (print_fn or print)(line)


def _entries(model: Any, nested: bool, layer_range: Sequence[str] | None, depth: int = 0) -> Iterator[Entry]:
    for layer in _chosen(model.layers, layer_range):
        yield Entry(layer, depth, _sources(model, layer) if getattr(model, "_graph", None) is not None else [])
        if nested and hasattr(layer, "layers"):
            yield from _entries(layer, nested, None, depth + 1)


def _chosen(layers: list[Any], layer_range: Sequence[str] | None) -> list[Any]:
    """The layers from the first to the last of a range."""
    if layer_range is None:
        return layers
    import re

    def places(pattern: str) -> list[int]:
        found = [i for i, layer in enumerate(layers) if re.match(pattern, layer.name)]
        if not found:
            raise ArgumentError(
                f"layer_range: there is no layer {pattern!r}; there are {[one.name for one in layers]}."
            )
        return found

    first, last = layer_range
    return layers[min(places(first)) : max(places(last)) + 1]


# The classic form ---------------------------------------------------------------------------------------------


def _classic(
    model: Any,
    entries: list[Entry],
    line_length: int | None,
    positions: Sequence[float] | None,
    show_trainable: bool,
) -> list[str]:
    style = conventions.current().summary
    plain = _is_chain(model) and style != "columns of Keras 1"
    usual, fractions = KERAS1 if style == "columns of Keras 1" else CHAIN if plain else OTHERS
    width = line_length or usual
    ends = list(positions or fractions)
    if ends[-1] <= 1:
        ends = [int(width * end) for end in ends]
    fields = ["Layer (type)", "Output Shape", "Param #"] + ([] if plain else ["Connected to"])
    if show_trainable:
        fields.append("Trainable")
        ends.append(ends[-1] + 11)
        width += 11
    title = [f'Model: "{model.name}"'] if style == "with a title" else []
    lines = [*title, "_" * width, _row(fields, ends), "=" * width]
    for index, entry in enumerate(entries):
        lines += _rows_of(entry, ends, plain, show_trainable)
        lines.append(("=" if index == len(entries) - 1 else "_") * width)
    return [*lines, *(f"{name} params: {count:,}" for name, count, _ in _totals(model)), "_" * width]


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


def _rows_of(entry: Entry, ends: Sequence[float], plain: bool, show_trainable: bool) -> list[str]:
    layer = entry.layer
    name = "|  " * (entry.depth - 1) + "|_ " * bool(entry.depth) + layer.name
    fields = [f"{name} ({type(layer).__name__})", _shape_text(layer), _parameters(layer)]
    mark = [_trained(layer)] if show_trainable else []
    if plain:
        return [_row([*fields, *mark], ends)]
    sources = entry.sources or [""]
    rows = [_row([*fields, sources[0], *mark], ends)]
    return rows + [_row(["", "", "", source], ends) for source in sources[1:]]


def _trained(layer: Any) -> str:
    return "Y" if layer.trainable else "N"


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


def _totals(model: Any) -> list[tuple[str, int, int]]:
    """What is counted, numbers, and bytes."""
    trainable, frozen = _count(model.trainable_weights), _count(model.non_trainable_weights)
    both = (trainable[0] + frozen[0], trainable[1] + frozen[1])
    return [("Total", *both), ("Trainable", *trainable), ("Non-trainable", *frozen)]


def _count(weights: Sequence[Any]) -> tuple[int, int]:
    sizes = [int(np.prod(w.shape, dtype=np.int64)) for w in weights]
    widths = [dtypes.item_bytes(w.dtype) for w in weights]
    return sum(sizes), sum(size * width for size, width in zip(sizes, widths, strict=True))


# Boxes, as of Keras 3 -----------------------------------------------------------------------------------------


def _boxes(
    model: Any,
    entries: list[Entry],
    line_length: int | None,
    positions: Sequence[float] | None,
    show_trainable: bool,
) -> list[str]:
    plain = _is_chain(model)
    columns = [Column("Layer (type)", 33), Column("Output Shape", 24), Column("Param #", 15, "right")]
    if not plain:
        widths = (19, 17, 11, 16) if show_trainable else (21, 19, 12, 19)
        columns = [Column(c.title, w, c.align) for c, w in zip([*columns, Column("Connected to", 0)], widths)]
    if show_trainable:
        columns.append(Column("Trainable", 7, "center"))
    rows = [_cells(entry, plain, show_trainable) for entry in entries]
    sizes = [f" {name} params: {count:,} ({_readable(size)})" for name, count, size in _totals(model)]
    return [f'Model: "{model.name}"', *boxed(columns, rows, line_length, positions), *sizes]


def _cells(entry: Entry, plain: bool, show_trainable: bool) -> list[list[str]]:
    layer = entry.layer
    name = "   " * entry.depth + "\u2514 " * bool(entry.depth) + layer.name
    unknown = not layer.built and not layer.weights
    shape = _shape_text(layer)
    cells = [
        [f"{name} ({type(layer).__name__})"],
        ["?" if unknown and shape == "multiple" else shape],
        ["0 (unbuilt)" if unknown else f"{layer.count_params():,}"],
    ]
    if not plain:
        cells.append([*(f"{source}," for source in entry.sources[:-1]), *entry.sources[-1:]] or ["-"])
    if show_trainable:
        cells.append([_trained(layer) if layer.weights else "-"])
    return cells


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024 or unit == "TB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return ""
