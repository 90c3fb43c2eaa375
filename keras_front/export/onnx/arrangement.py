"""Emitters of ops that move elements: shapes, axes, joining, cutting, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.export.onnx.emitter import emits

END, BEGINNING = int(np.iinfo("int64").max), int(np.iinfo("int64").min)


@emits("symbolic_shape")
def shape_of(graph: Any, call: Any, x: str) -> str:
    return graph.cast(graph.node("Shape", [x]), "int32")


@emits("reshape")
def reshape(graph: Any, call: Any, x: str, shape: Any) -> str:
    if isinstance(shape, SymbolicTensor):
        return graph.node("Reshape", [x, graph.ints(shape)])
    return graph.reshape(x, _open_sizes(graph, call, shape))


def _open_sizes(graph: Any, call: Any, shape: Any) -> list[Any]:
    """The sizes of a new shape; the one that is not known is -1, and several are an error."""
    sizes = [-1 if d is None else graph.size(d) for d in shape]
    if sizes.count(-1) > 1:
        graph.unknown(call.op, call.args[0])
    return sizes


@emits("expand_dims")
def expand_dims(graph: Any, call: Any, x: str, axis: int) -> str:
    return graph.unsqueeze(x, shapes.normalize_axis(axis, len(call.args[0].shape) + 1))


@emits("squeeze")
def squeeze(graph: Any, call: Any, x: str, axis: Any) -> str:
    (tensor,) = call.args
    if axis is None and None in tensor.shape:
        graph.unknown("squeeze", tensor)
    ones = [i for i, d in enumerate(tensor.shape) if d == 1]
    axes = ones if axis is None else shapes.normalize_axes(axis, tensor.ndim)
    return graph.squeeze(x, *axes) if axes else graph.node("Identity", [x])


@emits("batch_flatten")
def batch_flatten(graph: Any, call: Any, x: str) -> str:
    return graph.node("Flatten", [x], axis=1)


@emits("permute_dimensions")
def permute_dimensions(graph: Any, call: Any, x: str, pattern: Any) -> str:
    return graph.transpose(x, [p % len(pattern) for p in pattern])


@emits("broadcast_to")
def broadcast_to(graph: Any, call: Any, x: str, shape: Any) -> str:
    if not isinstance(shape, SymbolicTensor) and None in shape:
        graph.unknown(call.op, call.args[0])
    return graph.node("Expand", [x, graph.ints(shape)])


@emits("concatenate")
def concatenate(graph: Any, call: Any, tensors: list[str], axis: int) -> str:
    return graph.node("Concat", tensors, axis=axis)


@emits("tile", keeps=lambda call: all(isinstance(n, int) for n in _counts(call)))
def tile(graph: Any, call: Any, x: str, n: Any) -> str:
    counts, ndim = _counts(call), len(call.args[0].shape)
    if len(counts) > ndim:
        x = graph.unsqueeze(x, *range(len(counts) - ndim))
    counts = [1] * (ndim - len(counts)) + counts
    return graph.node("Tile", [x, graph.ints(counts)])


def _counts(call: Any) -> list[Any]:
    n = call.attrs["n"]
    return list(n) if isinstance(n, tuple | list) else [n]


@emits("pad")
def pad(graph: Any, call: Any, x: str, padding: Any, interior: Any, value: float) -> str:
    (tensor,) = call.args
    for axis, gap in enumerate(interior or ()):
        if gap:
            x = _spread(graph, tensor, x, axis, gap, value)
    pads = [before for before, _ in padding] + [after for _, after in padding]
    if not any(pads):
        return graph.node("Identity", [x])
    return graph.node("Pad", [x, graph.const(pads, "int64"), graph.like(tensor, value)])


def _spread(graph: Any, tensor: Any, x: str, axis: int, gap: int, value: float) -> str:
    """`gap` values between neighbours: each element gets an axis of its own, which is padded and joined again."""
    ndim = len(tensor.shape)
    after = [0] * (ndim + 1)
    after[axis + 1] = gap
    wide = graph.node(
        "Pad", [graph.unsqueeze(x, axis + 1), graph.const([0] * (ndim + 1) + after, "int64"), graph.like(tensor, value)]
    )
    front = graph.node("Shape", [x])
    sizes = [graph.slice(front, 0, 0, axis)] if axis else []
    sizes += [-1] + ([graph.slice(front, 0, axis + 1, END)] if axis + 1 < ndim else [])
    return graph.slice(graph.reshape(wide, sizes), axis, 0, -gap)


@emits("strided_slice")
def strided_slice(graph: Any, call: Any, x: str, start: Any, stop: Any, step: Any) -> str:
    spans = list(zip(start, stop, step, strict=True))
    axes = [i for i, (a, b, s) in enumerate(spans) if not _is_whole(a, b, s)]
    if not axes:
        return graph.node("Identity", [x])
    starts = graph.ints([0 if start[i] is None else start[i] for i in axes])
    stops = graph.ints([END if stop[i] is None else stop[i] for i in axes])
    steps = graph.ints([1 if step[i] is None else step[i] for i in axes])
    return graph.node("Slice", [x, starts, stops, graph.const(axes, "int64"), steps])


def _is_whole(start: Any, stop: Any, step: Any) -> bool:
    known = not any(isinstance(v, SymbolicTensor) for v in (start, stop, step))
    return known and not start and stop is None and step in (None, 1)


@emits("flip")
def flip(graph: Any, call: Any, x: str, axes: Any) -> str:
    places = shapes.normalize_axes(axes, len(call.args[0].shape))
    return reversed_along(graph, x, *places)


def reversed_along(graph: Any, x: str, *axes: int) -> str:
    """A tensor read backwards along axes."""
    if not axes:
        return graph.node("Identity", [x])
    ends = [graph.const([number] * len(axes), "int64") for number in (-1, BEGINNING)]
    return graph.node("Slice", [x, *ends, graph.const(list(axes), "int64"), graph.const([-1] * len(axes), "int64")])


# By index ------------------------------------------------------------------------------------------------------


@emits("gather")
def gather(graph: Any, call: Any, reference: str, indices: str, axis: int) -> str:
    return graph.node("Gather", [reference, _places(graph, call.args[1], indices)], axis=axis)


def _places(graph: Any, tensor: Any, name: str) -> str:
    """Indices in a dtype that operators take."""
    return name if tensor.dtype in ("int32", "int64") else graph.cast(name, "int64")


@emits("take_along_axis")
def take_along_axis(graph: Any, call: Any, x: str, indices: str, axis: int) -> str:
    tensor, places = call.args
    axis = shapes.normalize_axis(axis, len(tensor.shape))
    indices = _places(graph, places, indices)
    sides = [[1 if i == axis else d for i, d in enumerate(t.shape)] for t in (tensor, places)]
    if sides[0] != sides[1] or None in sides[0]:
        wanted = [_sizes_beside(graph, t, axis) for t in (places, tensor)]
        x, indices = graph.node("Expand", [x, wanted[0]]), graph.node("Expand", [indices, wanted[1]])
    return graph.node("GatherElements", [x, indices], axis=axis)


def _sizes_beside(graph: Any, tensor: Any, axis: int) -> str:
    return graph.vector([1 if i == axis else s for i, s in enumerate(graph.sizes(tensor))])


@emits("scatter_add", since=16)
def scatter_add(graph: Any, call: Any, updates: str, indices: str, size: int, axis: int) -> str:
    tensor, places = call.args
    count, ndim = len(places.shape), len(tensor.shape)
    axis = shapes.normalize_axis(axis, ndim - count + 1)
    joined = list(range(axis, axis + count))
    others = [i for i in range(ndim) if i not in joined]
    sizes = graph.sizes(tensor)
    zeros = graph.node("Expand", [graph.like(tensor, 0), graph.vector([int(size), *(sizes[i] for i in others)])])
    rows = graph.unsqueeze(graph.cast(indices, "int64"), count)
    total = graph.node("ScatterND", [zeros, rows, graph.transpose(updates, [*joined, *others])], reduction="add")
    return graph.transpose(total, [*range(1, axis + 1), 0, *range(axis + 1, len(others) + 1)])
