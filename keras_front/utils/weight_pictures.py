"""`plot_weights` and `plot_activations`: the numbers in a model, and those that it computes, as pictures.

This module takes what it needs of models and layers by their members, so it knows no class of a layer.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError, StateError
from keras_front.failures import explains_failures
from keras_front.utils import figures

__all__ = ["plot_activations", "plot_weights"]

KINDS = ("histogram", "image")
MOST = 64  # panels of one figure
WHAT = "Pictures of weights and activations"


class _Panel(NamedTuple):
    """One array to draw.

    Attributes:
        title: what stands above.
        values: the array.
        channels: the axis of what is drawn side by side as an image; None if the array is one image.
    """

    title: str
    values: np.ndarray
    channels: int | None = None


@explains_failures
def plot_weights(
    model: Any,
    layers: str | Sequence[str] | None = None,
    kind: str = "histogram",
    bins: int | None = None,
    to_file: str | os.PathLike[str] | None = None,
) -> list[Any]:
    """Draw the weights of a model, or of a layer, with Matplotlib: a panel for each array of weights.

    Args:
        model: a model or a layer whose weights exist. Models within are opened; their layers are 'inner/dense_1' here.
        layers: names of the layers to draw, or patterns (regular expressions for whole names, paths included); None for
            all that have weights.
        kind: 'histogram', or 'image': the filters of a convolution side by side, a matrix as a map, a vector as a bar.
        bins: how many bars a histogram has; by default as many as tell something of so few numbers, 50 at most.
        to_file: a file to write, such as 'weights.png'; by default the figure is one of `pyplot`, for a notebook, or
            `pyplot.show()` to show.

    Returns: the axes of Matplotlib, one for each array.
    Raises: MissingPackageError without Matplotlib (`pip install 'keras-front[plot]'`); StateError without weights;
        ArgumentError for another kind, names that no layer has, and more than 64 arrays.

    Example:
        >>> plot_weights(model, layers="conv.*", kind="image", to_file="weights.png")  # doctest: +SKIP
    """
    _check("plot_weights", kind, bins)
    if not hasattr(model, "weights"):
        raise ArgumentError(f"plot_weights: expected a model or a layer, received {repr(model)[:60]}.")
    chosen = _chosen("plot_weights", [(path, layer) for path, layer in _paths(model) if layer.weights], layers)
    panels = [
        _Panel(f"{path} {_short(weight.name)}", np.asarray(K.get_value(weight)), _channels_of(weight.shape))
        for path, layer in chosen
        for weight in _own_weights(layer)
    ]
    if not panels:
        raise StateError("plot_weights: there are no weights yet. Build the model, or call it on data, first.")
    return _drawn("plot_weights", panels, kind, bins, to_file)


@explains_failures
def plot_activations(
    model: Any,
    x: Any,
    layers: str | Sequence[str] | None = None,
    kind: str = "histogram",
    sample: int = 0,
    bins: int | None = None,
    to_file: str | os.PathLike[str] | None = None,
) -> list[Any]:
    """Draw what the layers of a model compute for some data, with Matplotlib: a panel for each output.

    Args:
        model: a model with inputs and outputs. Layers of models within are drawn too, unless the inner model is called
            more than once.
        x: array, or a list of arrays for several inputs: a few samples.
        layers: see `plot_weights`; None for all layers but the inputs.
        kind: 'histogram' of all samples, or 'image' of one: channels side by side, a vector as a bar.
        sample: which sample is drawn as an image.
        bins: how many bars a histogram has; by default as many as tell something of so few numbers, 50 at most.
        to_file: see `plot_weights`.

    Returns: the axes of Matplotlib, one for each array.
    Raises: as `plot_weights`; ArgumentError too for a model without a graph, and a sample that is not there.

    Example:
        >>> plot_activations(model, x[:8], to_file="activations.png")  # doctest: +SKIP
    """
    _check("plot_activations", kind, bins)
    if getattr(model, "_graph", None) is None:
        raise ArgumentError(
            "plot_activations: expected a model with inputs and outputs, received one whose `call` alone knows them. "
            "Draw the layers' outputs yourself, or make the model of `Input` and layers."
        )
    found = _activations(model, x)
    paths = [(path, node) for path, node in _calls(model, found) if node.output_tensors[0] in found]
    panels = [
        _Panel(path if len(outputs) == 1 else f"{path} {i}", values, _channels_after_batch(values, node.layer))
        for path, node in _chosen("plot_activations", paths, layers)
        for outputs in [[found[t] for t in node.output_tensors if t in found]]
        for i, values in enumerate(outputs)
    ]
    if kind == "image":
        panels = [_of_sample(panel, sample) for panel in panels]
    return _drawn("plot_activations", panels, kind, bins, to_file)


# What is drawn ------------------------------------------------------------------------------------------------


def _paths(model: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The layers within a model, with their paths; a layer by itself."""
    if not hasattr(model, "layers"):
        yield before + model.name, model
        return
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _paths(layer, f"{before}{layer.name}/")
        else:
            yield before + layer.name, layer


def _calls(model: Any, found: dict[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The calls of layers within a model but those of inputs; of a model that was looked into, those within."""
    for node in model._graph.nodes:
        inner = getattr(node.layer, "_graph", None)
        if inner is not None and any(tensor in found for tensor in inner.outputs):
            yield from _calls(node.layer, found, f"{before}{node.layer.name}/")
        elif node.needed_tensors:
            yield before + node.layer.name, node


def _chosen(where: str, found: list[tuple[str, Any]], layers: str | Sequence[str] | None) -> list[tuple[str, Any]]:
    if layers is None:
        return found
    patterns: list[Any] = list(layers) if isinstance(layers, list | tuple | set) else [layers]
    for pattern in patterns:
        if not isinstance(pattern, str) or not any(re.fullmatch(pattern, path) for path, _ in found):
            raise ArgumentError(
                f"{where}: layers: expected names among {[path for path, _ in found]}, received {pattern!r}."
            )
    return [(path, item) for path, item in found if any(re.fullmatch(pattern, path) for pattern in patterns)]


def _own_weights(layer: Any) -> list[Any]:
    return list({id(weight): weight for weight in layer.weights}.values())


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(":0")


def _activations(model: Any, x: Any) -> dict[Any, np.ndarray]:
    """The value of each tensor between inputs and outputs, those of models within as well."""
    arrays = [np.asarray(a) for a in (x if isinstance(x, list | tuple) else [x])]
    if len(arrays) != len(model.inputs):
        raise ArgumentError(f"plot_activations: expected {len(model.inputs)} inputs, received {len(arrays)} arrays.")
    values: dict[Any, Any] = {}
    with model._on_engine() if hasattr(model, "_on_engine") else nullcontext():
        given = [K.constant(a, dtype=t.dtype) for a, t in zip(arrays, model.inputs, strict=True)]
        model.run_with_masks(given if len(given) > 1 else given[0], training=False, tensors=values)
        return {tensor: np.asarray(K.to_numpy(value)) for tensor, value in values.items() if value is not None}


def _channels_of(shape: Sequence[int]) -> int | None:
    """The axis of the filters of a kernel, which is the last one."""
    return len(shape) - 1 if len(shape) > 2 else None


def _channels_after_batch(values: np.ndarray, layer: Any) -> int | None:
    if values.ndim < 4:
        return None
    return 1 if getattr(layer, "data_format", None) == "channels_first" else values.ndim - 1


def _of_sample(panel: _Panel, sample: int) -> _Panel:
    known = isinstance(sample, int | np.integer) and -len(panel.values) <= sample < len(panel.values)
    if not known:
        raise ArgumentError(
            f"plot_activations: sample: expected a number less than {len(panel.values)}, received {sample!r}."
        )
    channels = None if panel.channels is None else panel.channels - 1
    return _Panel(panel.title, panel.values[sample], channels)


# How it is drawn ----------------------------------------------------------------------------------------------


def _check(where: str, kind: str, bins: Any) -> None:
    if kind not in KINDS:
        raise ArgumentError(f"{where}: expected kind 'histogram' or 'image', received {kind!r}.")
    if bins is not None and (isinstance(bins, bool) or not isinstance(bins, int) or bins < 1):
        raise ArgumentError(f"{where}: bins: expected a positive integer, received {bins!r}.")


def _drawn(where: str, panels: list[_Panel], kind: str, bins: int | None, to_file: Any) -> list[Any]:
    if len(panels) > MOST:
        raise ArgumentError(
            f"{where}: expected at most {MOST} arrays in one figure, received {len(panels)}. Name layers."
        )
    columns = min(4, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = figures.new_figure(WHAT, rows, columns, (3.2, 2.6), shown=to_file is None)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel, place in zip(panels, axes):
        place.set_title(panel.title, fontsize="small")
        place.tick_params(labelsize="x-small")
        (_histogram if kind == "histogram" else _image)(figure, place, panel, bins)
    for place in axes[len(panels) :]:
        place.remove()
    if to_file is not None:
        figures.save(figure, to_file)
    return axes[: len(panels)]


def _histogram(figure: Any, place: Any, panel: _Panel, bins: int | None) -> None:
    values = panel.values.ravel()
    numbers = values[np.isfinite(values)] if values.dtype.kind in "fc" else values
    place.hist(numbers, bins=bins or min(50, max(5, round(2 * math.sqrt(len(numbers))))))
    place.locator_params(axis="y", integer=True, nbins=6)  # counts
    if len(numbers) < len(values):
        place.set_title(f"{panel.title}: {len(values) - len(numbers)} not finite", fontsize="small", color="red")


def _image(figure: Any, place: Any, panel: _Panel, bins: int | None) -> None:
    picture = _tiles(panel.values, panel.channels) if panel.channels is not None else _as_map(panel.values)
    shown = place.imshow(picture, aspect="equal" if panel.channels is not None else "auto", interpolation="nearest")
    place.set(xticks=[], yticks=[])
    figure.colorbar(shown, ax=place).ax.tick_params(labelsize="x-small")


def _as_map(values: np.ndarray) -> np.ndarray:
    """Any array as a matrix: a vector as one row, more axes than two behind each other."""
    values = np.asarray(values, float)
    return values.reshape(1, -1) if values.ndim < 2 else values.reshape(-1, values.shape[-1])


def _tiles(values: np.ndarray, channels: int) -> np.ndarray:
    """The matrices of all channels in a grid, with empty lines between. Further axes are averaged, such as colours."""
    stack = np.moveaxis(np.asarray(values, float), channels, 0)
    while stack.ndim > 3:
        stack = stack.mean(axis=-1)
    stack = stack[:, None, :] if stack.ndim == 2 else stack
    count, height, width = stack.shape
    columns = math.ceil(math.sqrt(count * height / width)) if height < width else math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for i, tile in enumerate(stack):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        grid[top : top + height, left : left + width] = tile
    return grid
