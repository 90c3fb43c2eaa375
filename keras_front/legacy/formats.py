"""Weights in the layouts of older files, turned into those of Keras 2 before the reader compares shapes.

Keras 1 kept 1D kernels with an axis of length 1, channels-first kernels transposed, and each gate of a recurrent layer
in arrays of its own. Files of any version written on Theano hold convolution kernels turned by 180 degrees. The CuDNN
layers kept two biases for each gate in one vector, and their kernels as cuDNN reads them.

`convert` takes a layer, its arrays, and what wrote them. The reader of HDF5 files finds it by its entry point.
Source: Keras 2.2.4, `keras/engine/saving.py`, `preprocess_weights_for_loading`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["convert"]

Arrays = list[np.ndarray]

# Where the gates i, f, c, o stand among the arrays of Keras 1, which wrote (kernel, recurrent kernel, bias) for
# i, c, f, o in turn.
LSTM_GATES = (0, 6, 3, 9)
GRU_GATES = (0, 3, 6)

GATES = {"ConvLSTM2D": 4, "GRU": 3, "LSTM": 4}  # whose arrays Keras 1 kept apart

KERNELS = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D"})
TURNED = KERNELS | {"Conv3DTranspose", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D"}


def convert(layer: Any, arrays: Sequence[np.ndarray], version: str, backend: str | None) -> Arrays:
    """The arrays of a layer as today's layer of that class wants them.

    Args:
        layer: the layer whose weights they are.
        arrays: the arrays of the file.
        version: the Keras that wrote it; '1' if the file does not say.
        backend: the engine that it ran on, or None.
    """
    kind, arrays = type(layer).__name__, list(arrays)
    if kind == "Bidirectional":
        half = len(arrays) // 2
        parts = ((layer.forward_layer, arrays[:half]), (layer.backward_layer, arrays[half:]))
        return [a for part, own in parts for a in convert(part, own, version, backend)]
    if kind == "TimeDistributed":
        return convert(layer.layer, arrays, version, backend)
    if hasattr(layer, "layers"):
        return _convert_model(layer, arrays, version, backend)
    if version.startswith("1") and kind in FROM_KERAS1:
        arrays = FROM_KERAS1[kind](layer, arrays)
    if backend == "theano" and kind in TURNED:
        arrays = [_turned(arrays[0]), *arrays[1:]]
    return FROM_CUDNN[kind](layer, arrays) if kind in FROM_CUDNN else arrays


def _convert_model(model: Any, arrays: Arrays, version: str, backend: str | None) -> Arrays:
    """A nested model: first what its layers learn, then the rest; both layer by layer."""
    counts = _counts_in(model, arrays)
    if counts is None:
        return arrays  # another number of arrays inside a nested model: the reader will say so
    split = sum(a for a, _ in counts)
    learned, rest = arrays[:split], arrays[split:]
    result: Arrays = []
    others: Arrays = []
    for part, (a, b) in zip(model.layers, counts, strict=True):
        converted, today = convert(part, learned[:a] + rest[:b], version, backend), len(part.trainable_weights)
        learned, rest = learned[a:], rest[b:]
        result, others = result + converted[:today], others + converted[today:]
    return result + others


def _counts_in(model: Any, arrays: Arrays) -> list[tuple[int, int]] | None:
    """For each layer of a nested model how many arrays that training changes, and others, are in the file."""
    others = [len(part.non_trainable_weights) for part in model.layers]
    today = [len(part.trainable_weights) for part in model.layers]
    for learned in (today, [_count_in_keras1(part) for part in model.layers]):
        if sum(learned) + sum(others) == len(arrays):
            return list(zip(learned, others, strict=True))
    return None


def _count_in_keras1(layer: Any) -> int:
    """How many arrays Keras 1 had for what a layer learns."""
    if hasattr(layer, "layers"):
        return sum(map(_count_in_keras1, layer.layers))
    inner = getattr(layer, "layer", None) or getattr(layer, "forward_layer", layer)
    own, gates = len(layer.trainable_weights), GATES.get(type(inner).__name__, 1)
    return own * gates


# Keras 1 ---------------------------------------------------------------------------------------------


def _conv1d(layer: Any, arrays: Arrays) -> Arrays:
    """(length, 1, in, out), or (out, in, length, 1) in the order of Theano."""
    kernel = arrays[0]
    if kernel.ndim == 4:
        theirs = kernel.shape[:2] != (layer.kernel_size[0], 1) or kernel.shape[3] != layer.filters
        kernel = np.transpose(kernel, (2, 3, 1, 0))[:, 0] if theirs else kernel[:, 0]
    return [kernel, *arrays[1:]]


def _channels_first_kernel(layer: Any, arrays: Arrays) -> Arrays:
    """(out, in, spatial...) became (spatial..., in, out).

    The shape tells which it is, whatever the format of today's layer; where it tells nothing the format does.
    """
    kernel = arrays[0]
    turned = np.transpose(kernel, (*range(2, kernel.ndim), 1, 0))
    fits, fits_turned = (k.shape == layer.weights[0].shape for k in (kernel, turned))
    if fits == fits_turned:
        fits_turned = layer.data_format == "channels_first"
    return [turned if fits_turned else kernel, *arrays[1:]]


def _conv2d_transpose(layer: Any, arrays: Arrays) -> Arrays:
    """(rows, columns, in, out) became (rows, columns, out, in)."""
    kernel = arrays[0]
    if layer.data_format == "channels_first":
        kernel = np.transpose(kernel, (2, 3, 1, 0))
    return [np.transpose(kernel, (0, 1, 3, 2)), *arrays[1:]]


def _gates(starts: Sequence[int]) -> Callable[[Any, Arrays], Arrays]:
    """Kernels, recurrent kernels and biases of all gates, each kind in one array."""

    def join(layer: Any, arrays: Arrays) -> Arrays:
        if len(arrays) != 3 * len(starts):
            return arrays
        return [np.concatenate([arrays[start + kind] for start in starts], axis=-1) for kind in range(3)]

    return join


def _conv_lstm(layer: Any, arrays: Arrays) -> Arrays:
    joined = _gates(LSTM_GATES)(layer, arrays)
    if layer.data_format == "channels_first":
        joined[:2] = [np.transpose(k, (2, 3, 1, 0)) for k in joined[:2]]
    return joined


FROM_KERAS1: dict[str, Callable[[Any, Arrays], Arrays]] = {
    "Conv1D": _conv1d,
    "Conv2D": _channels_first_kernel,
    "Conv2DTranspose": _conv2d_transpose,
    "Conv3D": _channels_first_kernel,
    "ConvLSTM2D": _conv_lstm,
    "GRU": _gates(GRU_GATES),
    "LSTM": _gates(LSTM_GATES),
}


def _turned(kernel: np.ndarray) -> np.ndarray:
    """A convolution kernel as a correlation kernel: its spatial axes reversed."""
    return kernel[tuple(slice(None, None, -1) for _ in range(kernel.ndim - 2))]


# CuDNN -----------------------------------------------------------------------------------------------


def _from_cudnn(gates: int) -> Callable[[Any, Arrays], Arrays]:
    """Kernels transposed gate by gate; the vector of all biases, input's first, in the form of the layer.

    LSTM adds its two biases; GRU (`reset_after`) keeps them as two rows.
    """

    def adapt(layer: Any, arrays: Arrays) -> Arrays:
        units = layer.units
        if len(arrays) != 3 or arrays[2].shape != (2 * gates * units,):
            return arrays
        kernel, recurrent, biases = arrays
        if gates == 3 and not layer.reset_after:
            return arrays
        kernel = np.hstack([_columns(k) for k in np.split(kernel, gates, axis=1)])
        recurrent = np.hstack([k.T for k in np.split(recurrent, gates, axis=1)])
        rows = biases.reshape(2, gates * units)
        return [kernel, recurrent, rows.sum(axis=0) if gates == 4 else rows]

    return adapt


def _columns(kernel: np.ndarray) -> np.ndarray:
    """The numbers of a gate's kernel, which cuDNN reads column by column."""
    return kernel.T.reshape(kernel.shape, order="F")


def _to_cudnn(gates: int) -> Callable[[Any, Arrays], Arrays]:
    """The other way: arrays of an LSTM, or of a GRU with `reset_after`, for a CuDNN layer.

    LSTM gives each of the two biases one half.
    """

    def adapt(layer: Any, arrays: Arrays) -> Arrays:
        width = gates * layer.units
        if len(arrays) != 3 or arrays[2].shape != ((width,) if gates == 4 else (2, width)):
            return arrays
        kernel, recurrent, bias = arrays
        kernel = np.hstack([k.T.reshape(k.shape) for k in np.split(kernel, gates, axis=1)])
        recurrent = np.hstack([k.T for k in np.split(recurrent, gates, axis=1)])
        return [kernel, recurrent, np.tile(0.5 * bias, 2) if gates == 4 else bias.reshape(-1)]

    return adapt


FROM_CUDNN: dict[str, Callable[[Any, Arrays], Arrays]] = {
    "GRU": _from_cudnn(3),
    "LSTM": _from_cudnn(4),
    "CuDNNGRU": _to_cudnn(3),
    "CuDNNLSTM": _to_cudnn(4),
}
