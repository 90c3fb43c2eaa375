"""`print_summary`: the table of layers, output shapes and parameters, in the form of the dialect.

What stands in the table is the same in all forms (`_entries`); the classic one is that of Keras 2.3.1, Keras 3 has
boxes (`boxes.py`). Natively, and only where it is printed on a terminal or in a notebook, the classic one fits its
width, and what is trained and what is frozen differ in style.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import conventions
from keras_front.backend.placement import writes_files
from keras_front.errors import ArgumentError
from keras_front.nest import unpack
from keras_front.utils.terminal import Span, cut, has_colours, painted, redraws_in_place, width_of

from . import layer_costs
from .boxes import Column, boxed

NOTEBOOK = 100  # columns that the output of a cell shows
CHAIN, OTHERS = (65, (0.45, 0.85, 1.0)), (98, (0.33, 0.55, 0.67, 1.0))
KERAS1 = (100, (0.33, 0.55, 0.67, 1.0))  # for every model


class Entry(NamedTuple):
    """One layer in the table.

    Attributes:
        layer: the layer.
        depth: in how many models of the table it lies.
        sources: the tensors that it takes, such as 'dense_1[0][0]'.
        model: the model in which it lies.
    """

    layer: Any
    depth: int
    sources: list[str]
    model: Any


class Extra(NamedTuple):
    """A column that was asked for.

    Attributes:
        title: what stands on top.
        width: its characters in the classic table.
        text: what it says of an entry.
        align: as of `boxes.Column`.
    """

    title: str
    width: int
    text: Callable[[Entry], str]
    align: str = "right"


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    show_memory: bool = False,
    show_flops: bool = False,
) -> None:
    """Print one line for each layer, with its output shape and number of parameters, and the totals.

    Args:
        model: a model whose shapes are known.
        line_length: width of the table in columns; by default what the table needs on a terminal or in a
            notebook; elsewhere 65, or 98 where the layers do not form a chain.
        positions: where each column ends: fractions of the width, or columns.
        print_fn: called with each line; by default `print`.
        expand_nested: whether the layers of models in the model are shown as well.
        show_trainable: whether a column says what training changes: Y or N.
        layer_range: names, or patterns, of the first and the last layer to show; by default all are.
        show_memory: whether a column says how many bytes the weights of a layer have and its outputs for one sample,
            and lines at the end what training takes.
        show_flops: whether a column says how many operations a layer takes for one sample, see `layer_costs`.

    Raises: ArgumentError if no layer has such a name.
    Source: Keras 2.3.1, `keras/utils/layer_utils.py`; `expand_nested`, `show_trainable` and `layer_range`, and the form
        of the dialect `keras3`, Keras 3.15, `keras/src/utils/summary_utils.py`.
    """
    style = conventions.current().summary
    form = {"boxes": _boxes, "wrapped": _wrapped}.get(style, _classic)
    if style == "fitted" and print_fn is None and redraws_in_place(sys.stdout) and line_length is positions is None:
        form = _fitted
        frozen = {not layer.trainable for layer in model.layers if layer.weights}
        show_trainable = show_trainable or (len(frozen) > 1 and not has_colours(sys.stdout))
    entries = list(_entries(model, expand_nested, layer_range))
    if print_fn is None and not writes_files():
        return  # one of several processes prints
    flops = layer_costs.operations_of(model) if show_flops else None
    extras = list(_extras(flops, show_memory, show_trainable))
    lines = [
        *form(model, entries, line_length, positions, extras),
        *([_flops_line(flops)] if flops is not None else []),
        *(_memory_lines(model) if show_memory else []),
    ]
    for line in lines:
        (print_fn or print)(line)


def _extras(flops: Any, show_memory: bool, show_trainable: bool) -> Iterator[Extra]:
    if flops is not None:
        yield Extra("FLOPs", 10, lambda entry: _short(flops.layers.get(entry.layer)))
    if show_memory:
        yield Extra("Memory", 11, _memory_of)
    if show_trainable:
        yield Extra("Trainable", 11, lambda entry: _trained(entry.layer), "center")


def _memory_of(entry: Entry) -> str:
    outputs = layer_costs.bytes_of_outputs(entry.model, entry.layer)
    return "?" if outputs is None else _readable(layer_costs.bytes_of_weights(entry.layer.weights) + outputs)


def _flops_line(flops: layer_costs.Operations) -> str:
    if flops.total is None:
        return "Total FLOPs: unknown, since sizes are (a length of None, or a model without a graph)"
    return f"Total FLOPs: {flops.total:,} for one sample, forward"


def _memory_lines(model: Any) -> list[str]:
    weights = layer_costs.bytes_of_weights(model.weights)
    trained = layer_costs.bytes_of_weights(model.trainable_weights)
    outputs = layer_costs.bytes_of_outputs(model)
    lines = [
        f"Memory of weights: {_readable(weights)}",
        f"Memory of outputs for one sample: {'unknown' if outputs is None else _readable(outputs)}",
        f"Memory of gradients: {_readable(trained)}",
    ]
    slots = getattr(getattr(model, "optimizer", None), "variables", None)
    if slots is not None:
        lines.append(f"Memory of the optimizer: {_readable(layer_costs.bytes_of_weights(_called(slots)))}")
    return lines


def _called(value: Any) -> Any:
    return value() if callable(value) else value


def _short(number: int | None) -> str:
    """A number of operations with three digits: '4.62 G'."""
    if number is None:
        return "?"
    power = 0 if number < 1000 else min(4, (len(str(number)) - 1) // 3)
    return f"{number / 1000**power:.3g}{('', ' k', ' M', ' G', ' T')[power]}" if power else str(number)


def _entries(model: Any, nested: bool, layer_range: Sequence[str] | None, depth: int = 0) -> Iterator[Entry]:
    for layer in _chosen(model.layers, layer_range):
        yield Entry(layer, depth, _sources(model, layer) if getattr(model, "_graph", None) is not None else [], model)
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
    extras: list[Extra],
) -> list[str]:
    style = conventions.current().summary
    plain = _is_chain(model) and style != "columns of Keras 1"
    usual, fractions = KERAS1 if style == "columns of Keras 1" else CHAIN if plain else OTHERS
    width = line_length or usual
    ends = list(positions or fractions)
    if ends[-1] <= 1:
        ends = [int(width * end) for end in ends]
    fields = _titles(plain, extras)
    for extra in extras:
        ends.append(ends[-1] + extra.width)
        width += extra.width
    title = [f'Model: "{model.name}"'] if style in ("with a title", "fitted") else []
    lines = [*title, "_" * width, _row(fields, ends), "=" * width]
    for index, entry in enumerate(entries):
        lines += [_row(row, ends) for row in _rows_of(entry, plain, extras)]
        lines.append(("=" if index == len(entries) - 1 else "_") * width)
    return [*lines, *(f"{name} params: {count:,}" for name, count, _ in _totals(model)), "_" * width]


def _titles(plain: bool, extras: list[Extra]) -> list[str]:
    connected = [] if plain else ["Connected to"]
    return ["Layer (type)", "Output Shape", "Param #", *connected, *(extra.title for extra in extras)]


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


def _rows_of(entry: Entry, plain: bool, extras: list[Extra]) -> list[list[str]]:
    layer = entry.layer
    name = "|  " * (entry.depth - 1) + "|_ " * bool(entry.depth) + layer.name
    fields = [f"{name} ({type(layer).__name__})", _shape_text(layer), _parameters(layer)]
    more = [extra.text(entry) for extra in extras]
    if plain:
        return [[*fields, *more]]
    sources = entry.sources or [""]
    return [[*fields, sources[0], *more], *(["", "", "", source] for source in sources[1:])]


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
        f"{tensor.history[0].name}[{_call_number(*tensor.history[:2])}][{tensor.history[2]}]"
        if tensor.history
        else tensor.name
        for node in layer._inbound_nodes
        if id(node) in inside
        for tensor in node.needed_tensors
    ]


def _call_number(layer: Any, place: int) -> int:
    """The number of a call: since tf.keras the inputs of an inner model are no call of it."""
    if conventions.current().summary not in ("wrapped", "boxes") or not getattr(layer, "outputs", None):
        return place
    first = [id(tensor) for tensor in layer._inbound_nodes[0].output_tensors]
    return place - (first == [id(tensor) for tensor in layer.outputs])


def _totals(model: Any) -> list[tuple[str, int, int]]:
    """What is counted, numbers, and bytes."""
    trainable, frozen = _count(model.trainable_weights), _count(model.non_trainable_weights)
    both = (trainable[0] + frozen[0], trainable[1] + frozen[1])
    return [("Total", *both), ("Trainable", *trainable), ("Non-trainable", *frozen)]


def _count(weights: Sequence[Any]) -> tuple[int, int]:
    return sum(int(np.prod(w.shape, dtype=np.int64)) for w in weights), layer_costs.bytes_of_weights(weights)


# The form of tf.keras: what is too long for its column goes on below --------------------------------------------


def _wrapped(
    model: Any,
    entries: list[Entry],
    line_length: int | None,
    positions: Sequence[float] | None,
    extras: list[Extra],
) -> list[str]:
    """Source: tf_keras 2.21, `utils/layer_utils.py`, whose output it has been compared with."""
    plain = _is_chain(model)
    usual, fractions = CHAIN if plain else (OTHERS[0], (0.3, 0.6, 0.7, 1.0))
    width, ends = line_length or usual, list(positions or fractions)
    if ends[-1] <= 1:
        ends = [int(width * end) for end in ends]
    for extra in extras:
        ends.append(ends[-1] + extra.width)
        width += extra.width
    lines = [f'Model: "{model.name}"', "_" * width, *_wrapped_row(_titles(plain, extras), ends), "=" * width]
    for index, entry in enumerate(entries):
        lines += _wrapped_row(_fields_of(entry, plain, extras), ends, entry.depth)
        lines += _between(entry.depth, entries[index + 1].depth if index + 1 < len(entries) else 0, width)
    sizes = [f"{name} params: {count} ({_readable(size, 'Byte')})" for name, count, size in _totals(model)]
    return [*lines, "=" * width, *sizes, "_" * width]


def _between(depth: int, following: int, width: int) -> Iterator[str]:
    """What stands between two layers: nothing, or the edges of the boxes around the layers of inner models."""
    for level in range(depth + 1, following + 1):
        yield "|" * level + "\u00af" * (width - 2 * level) + "|" * level
    for level in range(depth, following, -1):
        yield "|" * (level - 1) + "\u00af" * (width - 2 * (level - 1)) + "|" * (level - 1)
    if following == depth:
        yield "|" * depth + " " * (width - 2 * depth) + "|" * depth


def _fields_of(entry: Entry, plain: bool, extras: list[Extra]) -> list[str]:
    layer, shape = entry.layer, _shape_text(entry.layer)
    shape = f"[{shape}]" if type(layer).__name__ == "InputLayer" else shape
    sources = [] if plain else [str(entry.sources if entry.depth == 0 else [])]
    more = [extra.text(entry) for extra in extras]
    return [f"{layer.name} ({type(layer).__name__})", shape, _parameters(layer), *sources, *more]


def _wrapped_row(fields: Sequence[str], ends: Sequence[float], depth: int = 0) -> Iterator[str]:
    """The lines of one row, in which a list goes on in the next line after each of its items."""
    rest, edge = list(fields), "|" * depth
    while any(rest):
        line = edge + " "
        for index, (text, end) in enumerate(zip(rest, ends, strict=False)):
            last = index == len(ends) - 1
            room = int(end) - max(len(line), int(ends[index - 1]) if index else 0) - (0 if last else 2)
            found = [text[:room].find(mark) + len(mark) for mark in ("),", "},", "],", "',") if mark in text[:room]]
            room = min(found, default=room)
            line = (line + text[:room]).ljust(int(end) - depth * last)
            rest[index] = text[room:]
        yield line + edge


# The classic form on a terminal -------------------------------------------------------------------------------


def _fitted(
    model: Any,
    entries: list[Entry],
    line_length: int | None,
    positions: Sequence[float] | None,
    extras: list[Extra],
) -> list[str]:
    """The classic table in the width of a terminal or notebook, with columns as wide as their content, in colours."""
    plain, room = _is_chain(model), width_of(sys.stdout) or NOTEBOOK
    titles, rows = _titles(plain, extras), [_rows_of(entry, plain, extras) for entry in entries]
    widths = _widths([titles, *(row for lines in rows for row in lines)], room)
    whole = sum(widths)
    lines = [
        [Span(f'Model: "{model.name}"', "bold")],
        [Span("_" * whole, "dim")],
        _spans(titles, widths, ["bold"] * len(titles)),
        [Span("=" * whole, "dim")],
    ]
    for index, (entry, parts) in enumerate(zip(entries, rows)):
        lines += [_spans(part, widths, _styles(entry.layer, len(part))) for part in parts]
        lines.append([Span(("=" if index == len(entries) - 1 else "_") * whole, "dim")])
    for (name, count, _), style in zip(_totals(model), ("bold", "green", "blue")):
        lines.append([Span(f"{name} params: "), Span(f"{count:,}", style)])
    lines.append([Span("_" * whole, "dim")])
    colours = has_colours(sys.stdout)
    return [painted(line, colours) for line in lines]


def _styles(layer: Any, count: int) -> list[str]:
    """Green numbers are trained, blue ones are not; of what has no weights, nothing stands out."""
    if not layer.weights:
        return [""] * count
    return ["bold" if layer.trainable_weights else "blue", "", "green" if layer.trainable_weights else "blue"] + [
        ""
    ] * (count - 3)


def _widths(rows: list[list[str]], room: int) -> list[int]:
    """Widths for what stands in the columns; where there is no room for it, the widest give way."""
    count = max(map(len, rows))
    widths = [max(len(row[i]) for row in rows if i < len(row)) + 2 for i in range(count)]
    if sum(widths) < min(room, CHAIN[0]):
        widths[0] += min(room, CHAIN[0]) - sum(widths)
    while sum(widths) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    return widths


def _spans(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> list[Span]:
    found = []
    for cell, width, style in zip(cells, widths, styles):
        (kept,) = cut([Span(cell, style)], width - 1) or [Span("")]
        found += [kept, Span(" " * (width - len(kept.text)))]
    return found


# Boxes, as of Keras 3 -----------------------------------------------------------------------------------------


def _boxes(
    model: Any,
    entries: list[Entry],
    line_length: int | None,
    positions: Sequence[float] | None,
    extras: list[Extra],
) -> list[str]:
    plain = _is_chain(model)
    columns = [Column("Layer (type)", 33), Column("Output Shape", 24), Column("Param #", 15, "right")]
    if not plain:
        widths = (19, 17, 11, 16) if extras else (21, 19, 12, 19)
        columns = [Column(c.title, w, c.align) for c, w in zip([*columns, Column("Connected to", 0)], widths)]
    columns += [Column(extra.title, 7 if extra.align == "center" else extra.width + 1, extra.align) for extra in extras]
    rows = [_cells(entry, plain, extras) for entry in entries]
    sizes = [f" {name} params: {count:,} ({_readable(size)})" for name, count, size in _totals(model)]
    return [f'Model: "{model.name}"', *boxed(columns, rows, line_length, positions), *sizes]


def _cells(entry: Entry, plain: bool, extras: list[Extra]) -> list[list[str]]:
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
    return cells + [
        ["-" if extra.title == "Trainable" and not layer.weights else extra.text(entry)] for extra in extras
    ]


def _readable(size: float, one: str = "B") -> str:
    for unit in (one, "KB", "MB", "GB", "TB"):
        if size < 1024 or unit == "TB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return ""
