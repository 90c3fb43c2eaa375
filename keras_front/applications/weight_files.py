"""Files of trained weights: where they are, their hashes, and how they are read.

The table `weight_files.csv` has a row for each file: net, whether it has the top, address, hash. Its facts come from
Keras-Applications 1.0.8 and tf_keras 2.21.

Keras 1 wrote files for each of its engines and image formats, and told them apart by their names alone:
`..._th_dim_ordering_th_kernels.h5` holds kernels (filters, channels, rows, columns), turned by 180 degrees, and rows of
the first dense layer for images whose channels come first. Such a file by such a name is read as what it is.
"""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np

from keras_front.errors import ArgumentError

__all__ = ["address", "check", "load"]

TURNED = "th_kernels"
CHANNELS_FIRST = "th_dim_ordering"
CONVOLUTIONS = ("Conv2D", "SeparableConv2D", "DepthwiseConv2D")


def check(name: str, options: Any) -> None:
    """Refuse weights that cannot be had, before a net is built for them.

    Args:
        name: of the net.
        options: the arguments that all nets have.

    Raises: ArgumentError.
    """
    check_path(name, options.weights, "imagenet")
    if options.weights == "imagenet" and options.include_top and options.classes != 1000:
        raise ArgumentError(
            f"{name}: if using `weights` as `'imagenet'` with `include_top` as true, `classes` should be 1000; "
            f"received {options.classes}."
        )


def has_layer(weights: Any, name: str) -> bool:
    """Whether a file of weights in the layout of Keras 1 and 2 has a layer of this name.

    Args:
        weights: the argument `weights`: a path, 'imagenet' or None.
        name: of the layer.
    """
    if not isinstance(weights, str | os.PathLike) or weights == "imagenet" or not os.path.isfile(weights):
        return False
    import h5py

    from keras_front.saving import hdf5

    if not h5py.is_hdf5(weights):
        return False
    with hdf5.opened(weights) as (root, _):
        return name in root or ("model_weights" in root and name in root["model_weights"])


def check_path(name: str, weights: Any, trained: str) -> None:
    """Refuse weights that are no file.

    Args:
        name: of the net.
        weights: the argument `weights`.
        trained: the word for trained weights.

    Raises: ArgumentError.
    """
    if weights not in (None, trained) and not (hasattr(weights, "read") or os.path.exists(weights)):
        raise ArgumentError(
            f"{name}: the `weights` argument should be either `None` (random initialization), {trained!r} (trained "
            f"weights), or the path to the weights file to be loaded; found no file {weights!r}."
        )


@functools.cache
def _table() -> dict[tuple[str, bool], tuple[str, str, str]]:
    """Net and whether with the top -> name of the file in the cache, address, hash."""
    text = resources.files(__package__).joinpath("weight_files.csv").read_text("utf-8")
    found = {}
    for net, top, file, url, digest in csv.reader(line for line in text.splitlines() if not line.startswith("#")):
        found[net, top == "top"] = (file, url, digest)
    return found


def address(net: str, include_top: bool) -> tuple[str, str, str | None]:
    """Where the trained weights of a net are.

    Args:
        net: its name, and for nets of several widths and sizes these after it.
        include_top: whether with the top.

    Returns: the name of the file in the cache, its address, its hash (md5 or sha256) or None.
    Raises: ArgumentError if there are none.
    Example:
        >>> address("VGG16", True)[0]
        'vgg16_weights_tf_dim_ordering_tf_kernels.h5'
    """
    try:
        file, url, digest = _table()[net, include_top]
    except KeyError:
        raise ArgumentError(
            f"{net}: there are no weights trained on ImageNet {'with' if include_top else 'without'} the top. Pass "
            "`weights=None`, or the path of a file."
        ) from None
    return file, url, digest or None


def load(model: Any, net: str, options: Any) -> None:
    """Set the weights of a net as the user asked for.

    Args:
        model: the net.
        net: its key in the table of files.
        options: the arguments that all nets have.
    """
    if options.weights is None:
        return
    path = options.weights
    if path == "imagenet":
        from keras_front import utils

        file, url, digest = address(net, options.include_top)
        path = utils.get_file(file, url, cache_subdir="models", file_hash=digest)
    model.load_weights(path)
    _of_theano(model, os.path.basename(os.fspath(path)) if isinstance(path, str | os.PathLike) else "")


def _of_theano(model: Any, file: str) -> None:
    """Put right what Theano wrote otherwise and a file of Keras 1 says by its name only."""
    if TURNED in file:
        for layer in model.layers:
            if type(layer).__name__ in CONVOLUTIONS:
                kernel = layer.weights[0]
                kernel.assign(np.ascontiguousarray(kernel.numpy()[::-1, ::-1]))
    if CHANNELS_FIRST in file:
        _sort_flattened(model.layers)


def _sort_flattened(layers: Sequence[Any]) -> None:
    """The rows of the dense layer after `Flatten`, from channels first to channels last."""
    for flat, dense in pairwise(layers):
        if type(flat).__name__ == "Flatten" and type(dense).__name__ == "Dense":
            shape = tuple(flat.input_shape[1:])
            rows, columns, channels = (*shape[1:], shape[0]) if flat.data_format == "channels_first" else shape
            kernel = dense.weights[0].numpy()
            sorted_rows = kernel.reshape(channels, rows, columns, -1).transpose(1, 2, 0, 3)
            dense.weights[0].assign(np.ascontiguousarray(sorted_rows.reshape(kernel.shape)))
