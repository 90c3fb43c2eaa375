"""Emitters of resizing where the size of the images is not known; where it is, it is a product with known weights.

ONNX's mode `half_pixel` is the convention of K: output i looks at `(i + 0.5) * size / new_size - 0.5`.
"""

from __future__ import annotations

from typing import Any

from keras_front import config
from keras_front.backend import dtypes, shapes
from keras_front.export.onnx.convolution import channels_back, channels_first
from keras_front.export.onnx.emitter import emits

_MODES: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "nearest_mode": "round_prefer_ceil"},
    "bilinear": {"mode": "linear"},
}


def _is_open(call: Any) -> bool:
    """Whether the size of the images is not known."""
    return None in shapes.spatial(call.args[0].shape, config.normalize_data_format(call.attrs["data_format"]))


def _is_open_and_plain(call: Any) -> bool:
    return _is_open(call) and call.attrs["interpolation"] in _MODES and not call.attrs["antialias"]


@emits("resize", keeps=_is_open_and_plain)
def resize(graph: Any, call: Any, x: str, *, size: Any, interpolation: str, data_format: Any, antialias: bool) -> str:
    data_format = config.normalize_data_format(data_format)
    images = _images(graph, call, x, data_format)
    front = graph.slice(graph.node("Shape", [images]), 0, 0, 2)
    sizes = graph.node("Concat", [front, graph.ints(size)], axis=0)
    how = {"coordinate_transformation_mode": "half_pixel", **_MODES[interpolation]}
    resized = graph.node("Resize", [images, None, None, sizes], **how)
    return channels_back(graph, resized, call.args[0].ndim, data_format)


@emits("resize_images", keeps=lambda call: _is_open(call) and call.attrs["interpolation"] == "bilinear")
def resize_images(
    graph: Any, call: Any, x: str, *, height_factor: int, width_factor: int, data_format: Any, interpolation: str
) -> str:
    data_format = config.normalize_data_format(data_format)
    images = _images(graph, call, x, data_format)
    scales = graph.const([1, 1, height_factor, width_factor], "float32")
    how = {"coordinate_transformation_mode": "half_pixel", **_MODES[interpolation]}
    return channels_back(graph, graph.node("Resize", [images, None, scales], **how), call.args[0].ndim, data_format)


def _images(graph: Any, call: Any, x: str, data_format: str) -> str:
    """The images channels first, as floats where the result is one."""
    tensor, wanted = call.args[0], call.outs[0].dtype
    x = x if tensor.dtype == wanted or not dtypes.is_float(wanted) else graph.cast(x, wanted)
    return channels_first(graph, x, tensor.ndim, data_format)
