"""Emitters of convolution and pooling. Images are channels first in ONNX; kernels are (filters, channels, space)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.export.onnx.emitter import emits


def channels_first(graph: Any, x: str, ndim: int, data_format: str) -> str:
    """Images as ONNX has them."""
    return graph.transpose(x, [0, ndim - 1, *range(1, ndim - 1)]) if data_format == "channels_last" else x


def channels_back(graph: Any, x: str, ndim: int, data_format: str) -> str:
    """Images of ONNX in a data format."""
    return graph.transpose(x, [0, *range(2, ndim), 1]) if data_format == "channels_last" else x


def _filters_first(graph: Any, kernel: str, ndim: int) -> str:
    return graph.transpose(kernel, [ndim - 1, ndim - 2, *range(ndim - 2)])


def _joined(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Amounts of padding as ONNX has them: all before, then all behind."""
    return [before for before, _ in pairs] + [after for _, after in pairs]


class Windows:
    """The windows of an op over images: how they lie, and what is around the images.

    Args:
        tensor: the images.
        attrs: attributes of the op: `strides`, `padding`, `dilation`, `data_format`.
        size: the size of a window.
    """

    def __init__(self, tensor: Any, attrs: dict[str, Any], size: Sequence[int]):
        self.ndim, self.data_format, self.size = len(tensor.shape), attrs["data_format"], list(size)
        self.space: Any = shapes.spatial(tensor.shape, self.data_format)
        self.strides, self.padding = list(attrs["strides"]), attrs["padding"]
        self.dilation = list(attrs.get("dilation") or [1] * len(self.size))

    def pairs(self) -> Any:
        """Amounts of padding on each axis; None if they depend on sizes that are not known.

        With a stride of 1 'same' means the same amount whatever the size.
        """
        if self.padding == "same" and any(n is None and s > 1 for n, s in zip(self.space, self.strides)):
            return None
        sizes = [1 if n is None else n for n in self.space]
        found = shapes.resolve_padding(self.padding, sizes, self.size, self.strides, self.dilation)
        return list(found)

    def pads(self) -> dict[str, Any]:
        """The padding as attributes of a node."""
        pairs = self.pairs()
        if pairs is None:
            return {"auto_pad": "SAME_UPPER"}
        return {"pads": _joined(pairs)} if any(map(any, pairs)) else {}

    def missing(self, outputs: Sequence[Any]) -> list[Any]:
        """How many places behind the last window no window reaches, on each axis."""
        return [
            n + before + after - ((o - 1) * s + d * (w - 1) + 1)
            for n, (before, after), o, s, d, w in zip(
                self.space, self.pairs(), outputs, self.strides, self.dilation, self.size, strict=True
            )
        ]


@emits("conv")
def conv(graph: Any, call: Any, x: str, kernel: str, *, groups: int, data_format: str, **attrs: Any) -> str:
    images, weights = call.args
    windows = Windows(images, call.attrs, weights.shape[:-2])
    y = graph.node(
        "Conv",
        [channels_first(graph, x, windows.ndim, data_format), _filters_first(graph, kernel, windows.ndim)],
        strides=windows.strides,
        dilations=windows.dilation,
        group=groups,
        kernel_shape=windows.size,
        **windows.pads(),
    )
    return channels_back(graph, y, windows.ndim, data_format)


@emits("conv_input_gradient")
def conv_input_gradient(
    graph: Any, call: Any, g: str, kernel: str, *, input_shape: Any, groups: int, data_format: str, **attrs: Any
) -> str:
    """A transposed convolution without padding, of which the part that the input covers is cut out."""
    gradient, weights = call.args
    windows = Windows(call.outs[0], call.attrs, weights.shape[:-2])
    images = [channels_first(graph, g, windows.ndim, data_format), _filters_first(graph, kernel, windows.ndim)]
    attrs = {"strides": windows.strides, "dilations": windows.dilation, "group": groups, "kernel_shape": windows.size}
    outputs = shapes.spatial(gradient.shape, data_format)
    if None not in (*windows.space, *outputs):
        missing, pairs = windows.missing(outputs), windows.pairs()
        if all(0 <= m < max(s, d) for m, s, d in zip(missing, windows.strides, windows.dilation)):
            y = graph.node("ConvTranspose", images, pads=_joined(pairs), output_padding=missing, **attrs)
            return channels_back(graph, y, windows.ndim, data_format)
    y = graph.node("ConvTranspose", images, **attrs)
    sizes = shapes.spatial(tuple(input_shape), data_format)
    for axis, size in enumerate(sizes):
        y = _covered(graph, windows, y, axis, graph.size(size))
    return channels_back(graph, y, windows.ndim, data_format)


def _covered(graph: Any, windows: Windows, y: str, axis: int, size: Any) -> str:
    """The part of a transposed convolution that lies over an input of `size` on a spatial axis, zeros beyond."""
    place = axis + 2
    whole = graph.node("Shape", [y])
    full = graph.slice(whole, 0, place, place + 1)
    size = graph.const([size], "int64") if isinstance(size, int) else size
    zero = graph.const([0], "int64")
    if windows.padding == "same":
        total = graph.node("Max", [graph.node("Sub", [full, size]), zero])
        before = graph.node("Div", [total, graph.const([2], "int64")])
    else:
        before = graph.const([0 if windows.padding == "valid" else int(windows.padding[axis][0])], "int64")
    end = graph.node("Add", [before, size])
    more = graph.node("Max", [graph.node("Sub", [end, full]), zero])
    none = graph.const([0] * (windows.ndim + place), "int64")
    rest = [graph.const([0] * (windows.ndim - place - 1), "int64")] if windows.ndim > place + 1 else []
    pads = graph.node("Concat", [none, more, *rest], axis=0)
    longer = graph.node("Pad", [y, pads])
    return graph.node("Slice", [longer, before, end, graph.const([place], "int64")])


@emits("conv_kernel_gradient")
def conv_kernel_gradient(
    graph: Any, call: Any, x: str, g: str, *, kernel_shape: Any, groups: int, data_format: str, **attrs: Any
) -> str:
    """A convolution in which channels are the batch and the batch is the channels, for each group."""
    images, gradient = call.args
    windows = Windows(images, call.attrs, kernel_shape[:-2])
    outputs = shapes.spatial(gradient.shape, data_format)
    if None in (*windows.space, *outputs):
        graph.unknown(call.op, images)
    ndim = windows.ndim
    xs = graph.transpose(channels_first(graph, x, ndim, data_format), [1, 0, *range(2, ndim)])
    gs = graph.transpose(channels_first(graph, g, ndim, data_format), [1, 0, *range(2, ndim)])
    pairs = [(a, b - m) for (a, b), m in zip(windows.pairs(), windows.missing(outputs), strict=True)]
    if any(amount < 0 for pair in pairs for amount in pair):  # places that no window reaches
        xs = graph.node("Pad", [xs, graph.const(_joined([(0, 0), (0, 0), *pairs]), "int64")])
        pairs = [(0, 0)] * len(pairs)
    attrs = {"strides": windows.dilation, "dilations": windows.strides, "kernel_shape": list(outputs)}
    parts = [(xs, gs)]
    if groups > 1:
        sizes = kernel_shape[-2], kernel_shape[-1] // groups
        parts = list(zip(*(graph.split(t, groups, 0, n) for t, n in zip((xs, gs), sizes)), strict=True))
    found = [graph.node("Conv", [a, b], pads=_joined(pairs), **attrs) for a, b in parts]
    whole = found[0] if groups == 1 else graph.node("Concat", found, axis=1)
    return graph.transpose(whole, [*range(2, ndim), 0, 1])


# Pooling -------------------------------------------------------------------------------------------------------


def _pool_windows(call: Any) -> Windows:
    return Windows(call.args[0], call.attrs, call.attrs["pool_size"])


@emits("max_pool", "average_pool")
def pool(graph: Any, call: Any, x: str, *, data_format: str, **attrs: Any) -> str:
    windows = _pool_windows(call)
    images = channels_first(graph, x, windows.ndim, data_format)
    kind = "MaxPool" if call.op == "max_pool" else "AveragePool"
    y = graph.node(kind, [images], kernel_shape=windows.size, strides=windows.strides, **windows.pads())
    return channels_back(graph, y, windows.ndim, data_format)


def _maxima(graph: Any, call: Any, x: str) -> tuple[str, str]:
    """The images channels first, and the places of the maxima among all their elements; once for all that ask."""
    key = ("maxima", x, *(str(call.attrs[n]) for n in ("pool_size", "strides", "padding", "data_format")))
    if key not in graph.shared:
        windows = _pool_windows(call)
        images = channels_first(graph, x, windows.ndim, windows.data_format)
        how = {"kernel_shape": windows.size, "strides": windows.strides, **windows.pads()}
        graph.shared[key] = images, graph.node("MaxPool", [images], outputs=2, **how)[1]
    return graph.shared[key]


@emits("max_pool_pick")
def max_pool_pick(graph: Any, call: Any, x: str, y: str, *, data_format: str, **attrs: Any) -> str:
    ndim = len(call.args[0].shape)
    _, places = _maxima(graph, call, x)
    flat = graph.reshape(channels_first(graph, y, ndim, data_format), [-1])
    picked = graph.node("Gather", [flat, places], axis=0)
    return channels_back(graph, picked, ndim, data_format)


@emits("max_pool_gradient", since=16)
def max_pool_gradient(graph: Any, call: Any, x: str, g: str, *, data_format: str, **attrs: Any) -> str:
    images, _ = call.args
    ndim = len(images.shape)
    first, places = _maxima(graph, call, x)
    shape = graph.node("Shape", [first])
    zeros = graph.node("Expand", [graph.like(images, 0), graph.node("ReduceProd", [shape], keepdims=1)])
    flow = graph.reshape(channels_first(graph, g, ndim, data_format), [-1])
    total = graph.node("ScatterElements", [zeros, graph.reshape(places, [-1]), flow], axis=0, reduction="add")
    return channels_back(graph, graph.node("Reshape", [total, shape]), ndim, data_format)


@emits("average_pool_gradient")
def average_pool_gradient(
    graph: Any, call: Any, g: str, *, input_shape: Any, pool_size: Any, data_format: str, **attrs: Any
) -> str:
    """What flows into each window, divided by its size and spread over it: a transposed convolution with ones."""
    gradient, image = call.args[0], call.outs[0]
    windows = Windows(image, call.attrs, pool_size)
    outputs: Any = shapes.spatial(gradient.shape, data_format)
    depth: Any = shapes.channels(gradient.shape, data_format)
    if None in (*windows.space, *outputs, depth):
        graph.unknown(call.op, image)
    counts = _window_sizes(windows, outputs)
    share = graph.node("Div", [channels_first(graph, g, windows.ndim, data_format), graph.like(gradient, counts)])
    ones = graph.like(gradient, np.ones((depth, 1, *windows.size)))
    y = graph.node("ConvTranspose", [share, ones], strides=windows.strides, group=depth, kernel_shape=windows.size)
    for axis, size in enumerate(windows.space):
        y = _covered(graph, windows, y, axis, size)
    return channels_back(graph, y, windows.ndim, data_format)


def _window_sizes(windows: Windows, outputs: Any) -> np.ndarray:
    """How many places of the images each window covers, padding not counted."""
    total = np.ones((), "float64")
    for n, (before, _), o, s, w in zip(
        windows.space, windows.pairs(), outputs, windows.strides, windows.size, strict=True
    ):
        starts = np.arange(o) * s - before
        covered = np.minimum(starts + w, n) - np.maximum(starts, 0)
        total = np.multiply.outer(total, np.maximum(covered, 1))
    return total
