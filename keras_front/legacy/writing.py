"""Models as Keras 1.2.2 wrote them: the tables of `arguments.py` and `formats.py` read backwards.

A config comes here once `saving/generations.py` has found that Keras 1 can express it.
Source: Keras 1.2.2, `keras/engine/topology.py`, the modules of layers, `keras/initializations.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .arguments import JOINED, OWN, RENAMED, SIGNATURES, VALUES
from .formats import GRU_GATES, LSTM_GATES, Arrays

__all__ = ["arrays_of_keras1", "config_of_keras1", "written_by_keras1"]

Config = dict[str, Any]

# Today's classes by the names that Keras 1 had first.
FORMER = {
    "Conv1D": "Convolution1D",
    "Conv2D": "Convolution2D",
    "Conv3D": "Convolution3D",
    "Conv2DTranspose": "Deconvolution2D",
    "SeparableConv2D": "SeparableConvolution2D",
}
MERGED = {"Add": "sum", "Multiply": "mul", "Average": "ave", "Maximum": "max", "Concatenate": "concat", "Dot": "dot"}

# Initializers were names. (scale, mode, distribution) of VarianceScaling gives one, and so do these classes.
SCALED = {
    (1.0, "fan_avg", "uniform"): "glorot_uniform",
    (1.0, "fan_avg", "normal"): "glorot_normal",
    (2.0, "fan_in", "uniform"): "he_uniform",
    (2.0, "fan_in", "normal"): "he_normal",
    (1.0, "fan_in", "uniform"): "lecun_uniform",
}
INITIALIZERS = {"Zeros": "zero", "Ones": "one", "RandomUniform": "uniform", "RandomNormal": "normal",
                "Orthogonal": "orthogonal", "Identity": "identity", "GlorotUniform": "glorot_uniform",
                "GlorotNormal": "glorot_normal", "HeUniform": "he_uniform", "HeNormal": "he_normal",
                "LecunUniform": "lecun_uniform", "VarianceScaling": "glorot_uniform", "Constant": "zero",
                "TruncatedNormal": "normal", "LecunNormal": "lecun_uniform"}  # fmt: skip
PENALTIES = ("L1", "L2", "L1L2")
CONSTRAINTS = ("MaxNorm", "NonNeg", "UnitNorm")


def written_by_keras1(kind: str, is_layer: bool) -> bool:
    """Whether Keras 1 says a class of today in another way: merging, initializers, penalties.

    Args:
        kind: name of the class.
        is_layer: whether it is the class of a layer.
    """
    return kind in MERGED if is_layer else kind in INITIALIZERS or kind in PENALTIES


def refused_by_keras1(kind: str, arguments: Mapping[str, Any]) -> str | None:
    """What Keras 1 did not do with an argument that it had, in words; None if it did.

    Args:
        kind: name of a class of today.
        arguments: its arguments.
    """
    padding = arguments.get("padding")
    if padding == "causal":
        return "causal padding"
    if kind.startswith("LocallyConnected") and padding == "same":
        return "padding of LocallyConnected layers"
    if kind == "ZeroPadding3D" and isinstance(padding, list) and any(first != last for first, last in padding):
        return "padding of volumes with two sizes along an axis"
    return "merging by cosine in this shape" if kind == "Dot" and arguments.get("normalize") else None


def config_of_keras1(config: Mapping[str, Any]) -> Config:
    """A model or layer as Keras 1.2.2 wrote it.

    Args:
        config: a config as Keras 2 writes it, of what Keras 1 had.

    Example:
        >>> config_of_keras1({"class_name": "Dense", "config": {"name": "d", "units": 3, "use_bias": True}})
        {'class_name': 'Dense', 'config': {'name': 'd', 'output_dim': 3, 'bias': True}}
    """
    kind, arguments = str(config["class_name"]), config["config"]
    result = {**config, "class_name": FORMER.get(kind, kind)}
    if "layers" in arguments:
        layers = [config_of_keras1(layer) for layer in arguments["layers"]]
        result["config"] = layers if kind == "Sequential" else {**arguments, "layers": layers}
    elif kind in MERGED:
        result |= {"class_name": "Merge", "config": _merge(kind, arguments)}
    else:
        result["config"] = _arguments(kind, arguments)
    if "inbound_nodes" in result:  # without the keyword arguments of calls
        result["inbound_nodes"] = [[list(end[:3]) for end in node] for node in result["inbound_nodes"]]
    return result


def _merge(kind: str, arguments: Mapping[str, Any]) -> Config:
    raw = {f"{name}_type": "raw" for name in ("mode", "output_shape", "output_mask")}
    return {
        "name": arguments["name"],
        "mode": MERGED[kind],
        "concat_axis": arguments.get("axis", -1) if kind == "Concatenate" else -1,
        "dot_axes": arguments.get("axes", -1),
        "output_shape": None,
        "output_mask": None,
        "arguments": {},
        **raw,
    }


def _arguments(kind: str, arguments: Mapping[str, Any]) -> Config:
    """Arguments of one layer by their former names, with their former values."""
    names = _former_names(kind)
    result: Config = {}
    for name, value in arguments.items():
        old = names.get(name, name)
        if old in JOINED and isinstance(value, list | tuple):
            result.update(zip(JOINED[old], value, strict=True))
        else:
            result[old] = _value(kind, name, old, value)
    if kind == "BatchNormalization":
        result["mode"] = 0
    if "batch_input_shape" in result or kind == "InputLayer":
        result["input_dtype"] = result.pop("dtype", "float32")
    result.pop("dtype", None)
    return result


def _former_names(kind: str) -> dict[str, str]:
    """For each of today's arguments what a class called it; the first of several for sizes along each axis."""
    own, names = OWN.get(kind, {}), {}
    later = {part for parts in JOINED.values() for part in parts[1:]}
    for old in SIGNATURES.get(kind, "").split():
        if old in JOINED:
            names["kernel_size"] = old
        elif old not in later:
            names[own.get(old, RENAMED.get(old, old))] = old
    return names


def former_argument(layer: Any, name: str) -> Any:
    """What a layer of Keras 1 kept of one of its arguments, as that was given then: `nb_row`, `consume_less`.

    Args:
        layer: the layer.
        name: the argument. A name that means something else today is none.

    Raises: AttributeError if its class had no such argument, or has none today.
    """
    first = next((old for old, parts in JOINED.items() if name in parts), name)
    kinds = [kind.__name__ for kind in type(layer).__mro__ if name in SIGNATURES.get(kind.__name__, "").split()]
    for kind in kinds if name not in ("bias", "input", "output") else ():
        today = next((today for today, old in _former_names(kind).items() if old == first != today), "")
        value = getattr(layer, today, None)
        written = _arguments(kind, {today: list(value) if isinstance(value, tuple) else value})
        if hasattr(layer, today) and name in written:
            return tuple(written[name]) if isinstance(written[name], list) else written[name]
    raise AttributeError(name)


def _value(kind: str, name: str, old: str, value: Any) -> Any:
    if isinstance(value, Mapping) and "class_name" in value:
        return _object(value)
    if name in VALUES:
        return {today: spelling for spelling, today in reversed(VALUES[name].items())}.get(value, value)
    if name == "padding" and isinstance(value, list):
        return _amounts(value)
    one_number = old in ("filter_length", "subsample_length", "pool_length", "stride", "length")
    return value[0] if one_number and isinstance(value, list) else value


def _object(value: Mapping[str, Any]) -> Any:
    """An initializer as its name, a penalty or constraint as its arguments with its name, a layer as a layer."""
    kind, arguments = value["class_name"], value["config"]
    if kind in INITIALIZERS:
        scaled = tuple(arguments.get(name) for name in ("scale", "mode", "distribution"))
        return SCALED.get(scaled, INITIALIZERS[kind])  # type: ignore[arg-type]
    if kind in PENALTIES:
        return {"name": "L1L2Regularizer", "l1": arguments.get("l1", 0.0), "l2": arguments.get("l2", 0.0)}
    if kind in CONSTRAINTS:
        return {"name": kind, **_arguments(kind, arguments)}
    return config_of_keras1(value)


def _amounts(padding: list[Any]) -> list[Any]:
    """Both ends of an axis in one number where they are alike, as Keras 1 had it; else top, bottom, left, right."""
    if not all(isinstance(pair, list) for pair in padding):
        return padding
    alike = all(first == last for first, last in padding)
    return [pair[0] for pair in padding] if alike else [n for pair in padding for n in pair]


# Weights ---------------------------------------------------------------------------------------------


def arrays_of_keras1(layer: Any, arrays: Arrays) -> Arrays:
    """The arrays of a layer as Keras 1 kept them; the list itself where they are the same.

    Args:
        layer: the layer.
        arrays: its arrays in the order of Keras 2.
    """
    kind = type(layer).__name__
    if kind == "Bidirectional":
        half = len(arrays) // 2
        return [
            *arrays_of_keras1(layer.forward_layer, arrays[:half]),
            *arrays_of_keras1(layer.backward_layer, arrays[half:]),
        ]
    if kind == "TimeDistributed":
        return arrays_of_keras1(layer.layer, arrays)
    if hasattr(layer, "layers"):
        return _arrays_of_model(layer, arrays)
    return TO_KERAS1[kind](layer, arrays) if kind in TO_KERAS1 else arrays


def _arrays_of_model(model: Any, arrays: Arrays) -> Arrays:
    """First what the layers learn, then the rest; both layer by layer."""
    learned: Arrays = []
    others: Arrays = []
    split = sum(len(part.trainable_weights) for part in model.layers)
    front, back = list(arrays[:split]), list(arrays[split:])
    for part in model.layers:
        count, beside = len(part.trainable_weights), len(part.non_trainable_weights)
        written = arrays_of_keras1(part, front[:count] + back[:beside])
        cut = len(written) - beside
        learned, others = learned + written[:cut], others + written[cut:]
        front, back = front[count:], back[beside:]
    return learned + others


def _apart(starts: Sequence[int]) -> Callable[[Any, Arrays], Arrays]:
    """The gates of kernel, recurrent kernel and bias, each in an array of its own, in the order of Keras 1."""

    def split(layer: Any, arrays: Arrays) -> Arrays:
        found: dict[int, np.ndarray] = {}
        for kind, array in enumerate(arrays):
            for start, gate in zip(starts, np.split(array, len(starts), axis=-1), strict=True):
                found[start + kind] = gate
        return [found[place] for place in sorted(found)]

    return split


def _conv1d(layer: Any, arrays: Arrays) -> Arrays:
    return [arrays[0][:, None], *arrays[1:]]


def _channels_first(layer: Any, arrays: Arrays) -> Arrays:
    """(spatial..., in, out) was (out, in, spatial...) for channels first."""
    kernel = arrays[0]
    if layer.data_format == "channels_first":
        kernel = np.transpose(kernel, (kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2)))
    return [kernel, *arrays[1:]]


def _transposed(layer: Any, arrays: Arrays) -> Arrays:
    """(rows, columns, out, in) was (rows, columns, in, out), or (out, in, rows, columns) for channels first."""
    kernel = np.transpose(arrays[0], (0, 1, 3, 2))
    return _channels_first(layer, [kernel, *arrays[1:]])


TO_KERAS1: dict[str, Callable[[Any, Arrays], Arrays]] = {
    "Conv1D": _conv1d,
    "Conv2D": _channels_first,
    "Conv2DTranspose": _transposed,
    "Conv3D": _channels_first,
    "GRU": _apart(GRU_GATES),
    "LSTM": _apart(LSTM_GATES),
}
