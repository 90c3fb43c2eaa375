"""How PyTorch keeps the weights of the layers that both have: names, orders of axes, order of gates.

A layout turns the weights of one layer, by their paths here (`weight_paths`), into the parameters of the module in
PyTorch, and back. A layer without one keeps its own names and shapes.
Source: the modules' documentation, torch 2.13, `torch.nn`, section "Variables" of each; orders checked by numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .flatten_order import columns_of

__all__ = ["Layout", "layout_of"]

Arrays = dict[str, np.ndarray]
Shapes = Mapping[str, tuple[int, ...]]


class Layout(NamedTuple):
    """The two ways between a layer's weights here and in PyTorch.

    Attributes:
        to_torch: from the arrays by path to the arrays by the names of PyTorch.
        from_torch: the way back.
        zero: names of parameters that are zeros where they are missing: the same function.
        ignored: names that say nothing about what the layer computes.
    """

    to_torch: Callable[[Arrays], Arrays]
    from_torch: Callable[[Arrays], Arrays]
    zero: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


# Weight by weight ------------------------------------------------------------------------------------


class Parameter(NamedTuple):
    """One weight under the name and in the order of PyTorch.

    Attributes:
        name: what it is called there.
        to: from the array here to that of PyTorch.
        back: the way back, given the shape here.
    """

    name: str
    to: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


def _same(name: str) -> Parameter:
    return Parameter(name, lambda a: a, lambda a, shape: a)


def _kernel(name: str) -> Parameter:
    """(spatial..., a, b) here, (b, a, spatial...) there: dense, convolution, also transposed and in groups."""

    def to(a: np.ndarray) -> np.ndarray:
        return np.transpose(a, (a.ndim - 1, a.ndim - 2, *range(a.ndim - 2)))

    return Parameter(name, to, lambda a, shape: np.transpose(a, (*range(2, a.ndim), 1, 0)))


def _depthwise(name: str) -> Parameter:
    """(spatial..., in, multiplier) here, (in * multiplier, 1, spatial...) there, where it is one of `in` groups."""

    def to(a: np.ndarray) -> np.ndarray:
        return np.moveaxis(a.reshape(*a.shape[:-2], -1), -1, 0)[:, None]

    return Parameter(name, to, lambda a, shape: np.moveaxis(a[:, 0], 0, -1).reshape(shape))


def _flat(name: str) -> Parameter:
    return Parameter(name, lambda a: a.reshape(-1), lambda a, shape: a.reshape(shape))


def _each(table: Mapping[str, Parameter], paths: Iterable[str], shapes: Shapes, **more: Any) -> Layout:
    held = {path: table[path] for path in paths}

    def from_torch(theirs: Arrays) -> Arrays:
        return {path: p.back(theirs[p.name], shapes[path]) for path, p in held.items()}

    return Layout(lambda ours: {p.name: p.to(ours[path]) for path, p in held.items()}, from_torch, **more)


BIAS = _same("bias")
AFFINE = {"gamma": _same("weight"), "beta": BIAS}
CONVOLUTION = {"kernel": _kernel("weight"), "bias": BIAS}
DEPTHWISE = {"depthwise_kernel": _depthwise("weight"), "bias": BIAS}
SEPARABLE = {
    "depthwise_kernel": _depthwise("depthwise.weight"),
    "pointwise_kernel": _kernel("pointwise.weight"),
    "bias": _same("pointwise.bias"),
}
TABLES: dict[str, Mapping[str, Parameter]] = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), CONVOLUTION),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), CONVOLUTION),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), DEPTHWISE),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), SEPARABLE),
    "Embedding": {"embeddings": _same("weight")},
    "RMSNormalization": {"scale": _same("weight")},
}


def _by_table(layer: Any, shapes: Shapes) -> Layout:
    zero = tuple(name for name in ("bias", "pointwise.bias") if name in {p.name for p in _table(layer).values()})
    return _each(_table(layer), shapes, shapes, zero=zero)


def _table(layer: Any) -> Mapping[str, Parameter]:
    return TABLES[type(layer).__name__]


# Dense layers ----------------------------------------------------------------------------------------


def _dense(layer: Any, shapes: Shapes) -> Layout:
    """A matrix the other way round; after `Flatten` its columns in the order of images with channels first."""
    weight = _ordered(_kernel("weight"), columns_of(layer))
    return _each({"kernel": weight, "bias": BIAS}, shapes, shapes, zero=("bias",))


def _ordered(parameter: Parameter, order: np.ndarray | None) -> Parameter:
    """A parameter whose last axis is in another order in PyTorch."""
    if order is None:
        return parameter
    places, back = order, np.argsort(order)
    return Parameter(
        parameter.name,
        lambda a: parameter.to(a)[..., places],
        lambda a, shape: parameter.back(a[..., back], shape),
    )


# Normalization and PReLU -----------------------------------------------------------------------------


def _normalization(running: Mapping[str, Parameter]) -> Callable[[Any, Shapes], Layout]:
    """Scale and shift, of which PyTorch has both or none; with batches also running statistics and their count."""

    def layout(layer: Any, shapes: Shapes) -> Layout:
        order = columns_of(layer)
        table = {path: _ordered(parameter, order) for path, parameter in {**AFFINE, **running}.items()}
        plain = _each(table, [path for path in table if path in shapes], shapes)
        held = [path for path in AFFINE if path in shapes]
        size = shapes[held[0]] if len(held) == 1 else None

        def to_torch(ours: Arrays) -> Arrays:
            found = plain.to_torch(ours)
            if size is not None:
                dtype = ours[held[0]].dtype
                found = {"weight": np.ones(size, dtype), "bias": np.zeros(size, dtype), **found}
            if running:
                found["num_batches_tracked"] = np.zeros((), "int64")
            return found

        ignored = ("num_batches_tracked",) if running else ()
        return Layout(to_torch, plain.from_torch, ignored=ignored)

    return layout


RUNNING = {"moving_mean": _same("running_mean"), "moving_variance": _same("running_var")}


def _prelu(layer: Any, shapes: Shapes) -> Layout | None:
    """One slope for each channel, or one for all; slopes of single places are not known to PyTorch."""
    (shape,) = shapes.values()
    return _each({"alpha": _flat("weight")}, shapes, shapes) if max(shape) == np.prod(shape) else None


# Recurrent layers ------------------------------------------------------------------------------------

# For each kind of cell, the gates of PyTorch in the order of the gates here: i, f, c, o for LSTM in both; z, r, h here
# and r, z, n there for GRU.
GATES = {"LSTMCell": (0, 1, 2, 3), "GRUCell": (1, 0, 2), "SimpleRNNCell": (0,)}
CUDNN = {"_CuDNNLSTMCell": "LSTMCell", "_CuDNNGRUCell": "GRUCell"}


def _cell(kind: str, paths: tuple[str, str, str | None], shapes: Shapes, suffix: str) -> Layout:
    """A cell whose kernel, recurrent kernel and bias have these paths.

    PyTorch has a bias for the input and one for the state. Only GRU with `reset_after` keeps two here.
    """
    kernel, recurrent, bias = paths
    order = GATES[kind]
    names = [f"{name}{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    weight_ih, weight_hh, bias_ih, bias_hh = names
    two = bias is not None and len(shapes[bias]) == 2

    def turned(a: np.ndarray) -> np.ndarray:  # the exchange of two gates is its own inverse
        gates = np.split(a, len(order), axis=-1)
        return np.concatenate([gates[g] for g in order], axis=-1)

    def to_torch(ours: Arrays) -> Arrays:
        found = {weight_ih: turned(ours[kernel]).T, weight_hh: turned(ours[recurrent]).T}
        if bias is not None:
            b = turned(ours[bias])
            found[bias_ih], found[bias_hh] = (b[0], b[1]) if two else (b, np.zeros_like(b))
        return found

    def from_torch(theirs: Arrays) -> Arrays:
        found = {kernel: turned(theirs[weight_ih].T), recurrent: turned(theirs[weight_hh].T)}
        if bias is not None:
            b = [theirs[bias_ih], theirs[bias_hh]]
            found[bias] = turned(np.stack(b) if two else b[0] + b[1])
        return found

    return Layout(to_torch, from_torch, zero=(bias_ih, bias_hh))


def _cudnn_cell(kind: str, paths: tuple[str, str, str], shapes: Shapes, suffix: str) -> Layout:
    """A cell whose weights are stored for cuDNN: each gate's kernel transposed in place, both biases in one vector."""
    kernel, recurrent, bias = paths
    count = len(GATES[kind])
    plain = _cell(kind, paths, {**shapes, bias: (2, shapes[bias][0] // 2)}, suffix)

    def gate_by_gate(a: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return np.concatenate([change(gate) for gate in np.split(a, count, axis=-1)], axis=-1)

    def to_torch(ours: Arrays) -> Arrays:
        found = {path: gate_by_gate(ours[path], lambda g: g.reshape(g.shape[::-1]).T) for path in (kernel, recurrent)}
        return plain.to_torch({**found, bias: ours[bias].reshape(2, -1)})

    def from_torch(theirs: Arrays) -> Arrays:
        found = plain.from_torch(theirs)
        stored = {path: gate_by_gate(found[path], lambda g: g.T.reshape(g.shape)) for path in (kernel, recurrent)}
        return {**stored, bias: found[bias].reshape(-1)}

    return Layout(to_torch, from_torch, zero=plain.zero)


def _joined(parts: list[Layout]) -> Layout:
    def to_torch(ours: Arrays) -> Arrays:
        return {name: array for part in parts for name, array in part.to_torch(ours).items()}

    def from_torch(theirs: Arrays) -> Arrays:
        return {path: array for part in parts for path, array in part.from_torch(theirs).items()}

    return Layout(to_torch, from_torch, zero=tuple(name for part in parts for name in part.zero))


def _recurrent_cell(cell: Any, prefix: str, shapes: Shapes, suffix: str) -> Layout | None:
    """One cell, if PyTorch has it: a GRU that resets its state before the product is another function."""
    kind = type(cell).__name__
    if kind in CUDNN:
        paths = f"{prefix}kernel", f"{prefix}recurrent_kernel", f"{prefix}bias"
        return _cudnn_cell(CUDNN[kind], paths, shapes, suffix)
    if kind not in GATES or (kind == "GRUCell" and not cell.reset_after):
        return None
    bias = f"{prefix}bias" if f"{prefix}bias" in shapes else None
    return _cell(kind, (f"{prefix}kernel", f"{prefix}recurrent_kernel", bias), shapes, suffix)


def _single_cell(layer: Any, shapes: Shapes) -> Layout | None:
    return _recurrent_cell(layer, "", shapes, "")


def _stack_of_cells(cell: Any, prefix: str, shapes: Shapes, suffix: str) -> Layout | None:
    """The cell of a layer, or the stack of them that PyTorch calls layers 0, 1 ..."""
    cells = getattr(cell, "cells", None)
    places = [("", cell)] if cells is None else [(f"cells.{i}.", part) for i, part in enumerate(cells)]
    if len({type(part) for _, part in places}) != 1:
        return None
    found = [
        _recurrent_cell(part, f"{prefix}cell.{place}", shapes, f"_l{i}{suffix}")
        for i, (place, part) in enumerate(places)
    ]
    known = [part for part in found if part is not None]
    return _joined(known) if len(known) == len(found) else None


def _recurrent(layer: Any, shapes: Shapes) -> Layout | None:
    return _stack_of_cells(layer.cell, "", shapes, "")


def _bidirectional(layer: Any, shapes: Shapes) -> Layout | None:
    ways = ((layer.forward_layer, "forward_layer.", ""), (layer.backward_layer, "backward_layer.", "_reverse"))
    if any(not hasattr(part, "cell") for part, _, _ in ways):
        return None
    found = [_stack_of_cells(part.cell, prefix, shapes, suffix) for part, prefix, suffix in ways]
    known = [part for part in found if part is not None]
    return _joined(known) if len(known) == 2 else None


# Attention -------------------------------------------------------------------------------------------

PARTS = ("query_dense", "key_dense", "value_dense")


def _attention(layer: Any, shapes: Shapes) -> Layout | None:
    """Projections of all heads in one matrix (E, E), and those of queries, keys and values below each other.

    PyTorch knows no others than heads that together are as wide as the queries and the output.
    """
    kernels = [shapes[f"{part}.kernel"] for part in PARTS]
    width = kernels[0][0]
    inner = {int(np.prod(shape[1:])) for shape in kernels}
    out = shapes["output_dense.kernel"]
    if inner != {width} or len(out) != 3 or out[-1] != width or any("gate" in path for path in shapes):
        return None
    together = {shape[0] for shape in kernels} == {width}
    biased = "query_dense.bias" in shapes

    def to_torch(ours: Arrays) -> Arrays:
        weights = [ours[f"{part}.kernel"].reshape(-1, width).T for part in PARTS]
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        found = {"in_proj_weight": np.concatenate(weights)} if together else dict(zip(names, weights, strict=True))
        found["out_proj.weight"] = ours["output_dense.kernel"].reshape(width, width).T
        if biased:
            found["in_proj_bias"] = np.concatenate([ours[f"{part}.bias"].reshape(-1) for part in PARTS])
            found["out_proj.bias"] = ours["output_dense.bias"]
        return found

    def from_torch(theirs: Arrays) -> Arrays:
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        weights = np.split(theirs["in_proj_weight"], 3) if together else [theirs[name] for name in names]
        found = {f"{part}.kernel": w.T.reshape(shape) for part, w, shape in zip(PARTS, weights, kernels, strict=True)}
        found["output_dense.kernel"] = theirs["out_proj.weight"].T.reshape(out)
        if biased:
            biases = np.split(theirs["in_proj_bias"], 3)
            found |= {f"{p}.bias": b.reshape(shapes[f"{p}.bias"]) for p, b in zip(PARTS, biases, strict=True)}
            found["output_dense.bias"] = theirs["out_proj.bias"]
        return found

    return Layout(to_torch, from_torch)


# Which layer has which -------------------------------------------------------------------------------

LAYOUTS: dict[str, Callable[[Any, Shapes], Layout | None]] = {
    **dict.fromkeys(TABLES, _by_table),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN", "CuDNNLSTM", "CuDNNGRU"), _recurrent),
    **dict.fromkeys(GATES, _single_cell),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization"), _normalization({})),
    "BatchNormalization": _normalization(RUNNING),
    "Bidirectional": _bidirectional,
    "Dense": _dense,
    "MultiHeadAttention": _attention,
    "PReLU": _prelu,
}


def layout_of(layer: Any, shapes: Shapes) -> Layout | None:
    """The layout of a layer in PyTorch; None if it has none there.

    Args:
        layer: the layer; one of a class derived from a built-in one counts as its own.
        shapes: the shapes of its weights by path.
    """
    make = LAYOUTS.get(type(layer).__name__)
    ours = type(layer).__module__.startswith("keras_front.")
    return make(layer, shapes) if make is not None and ours and shapes else None
