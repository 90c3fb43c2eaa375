"""Weights as arrays by name: files of NumPy, PyTorch and safetensors, and what ends of file names mean beside HDF5."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from keras_front.backend.guards import unchanged
from keras_front.errors import ArgumentError, ShapeError
from keras_front.utils.pickles import load_npz

from . import atomic, hdf5, safetensors_files, state_dict, torch_files, weight_paths

__all__ = [
    "arrays_of",
    "check_name",
    "holds_arrays",
    "is_named",
    "load_weights",
    "read",
    "save_model",
    "set_arrays",
    "write",
]

Arrays = dict[str, np.ndarray]

HDF5_BEGINS = b"\x89HDF\r\n\x1a\n"

# Ends of names by which files of other programs are known, and what to do instead: nobody expects HDF5 there.
PROGRAM = "model.export writes programs for other runtimes: .onnx, .pt2, .stablehlo, .py, or a SavedModel folder."
STRUCTURE = "A structure alone is the text of model.to_json() or model.to_yaml()."
PICKLED = "Whole models are .h5 or .keras, which run nothing when they are read."
REFUSED = {
    **dict.fromkeys((".pb", ".pbtxt", ".tflite", ".mlmodel", ".mlpackage", ".caffemodel", ".prototxt"), PROGRAM),
    **dict.fromkeys((".json", ".yaml", ".yml"), STRUCTURE),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".npy", ".mat", ".zip", ".tar", ".gz", ".csv", ".txt"), PICKLED),
    **dict.fromkeys((".index", ".meta"), "Checkpoints of TensorFlow are read, not written; .h5 takes their place."),
    ".gguf": "Weights are .h5, .npz, .pt or .safetensors.",
}


def _npz(target: Any, arrays: Arrays) -> None:
    with atomic.replacing(target) as path, open(path, "wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


WRITERS: dict[str, Callable[[Any, Arrays], None]] = {
    ".npz": _npz,
    ".pt": torch_files.write,
    ".pth": torch_files.write,
    ".safetensors": safetensors_files.write,
}
READERS: dict[str, Callable[[Any], Arrays]] = {
    ".npz": load_npz,
    ".pt": torch_files.read,
    ".pth": torch_files.read,
    ".safetensors": safetensors_files.read,
}


def _end(path: Any) -> str:
    return os.path.splitext(os.fspath(path))[1].lower() if atomic.is_path(path) else ""


def is_named(path: Any) -> bool:
    """Whether a path ends as a file of arrays by name does.

    Args:
        path: path; anything else has no name.
    """
    return _end(path) in WRITERS


def holds_arrays(path: Any) -> bool:
    """Whether a file is one of arrays by name: it is called so, and holds no HDF5, which such names had once.

    Args:
        path: path of a file that is there; anything else is none.
    """
    if not is_named(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return stream.read(len(HDF5_BEGINS)) != HDF5_BEGINS


def check_name(path: Any, called: str) -> None:
    """Refuse to write HDF5 under a name that means another format.

    Args:
        path: path; anything else may be written.
        called: the method that was called, for the message.

    Raises: ArgumentError that says what to do.
    """
    if _end(path) in REFUSED:
        raise ArgumentError(
            f"{called}: the name {os.fspath(path)!r} means a format that is not written. Expected one that ends in "
            f".h5, .keras, {', '.join(WRITERS)}, or any other for HDF5.\n  {REFUSED[_end(path)]}"
        )


def arrays_of(model: Any, target: Any, names: state_dict.Names = None) -> Arrays:
    """The weights of a model as a file has them: by their paths for NumPy, else as PyTorch names and keeps them.

    Args:
        model: the model.
        target: the path, whose end says the format.
        names: what PyTorch calls the layers, see `Model.load_state_dict`.
    """
    if _end(target) != ".npz":
        return state_dict.state_dict(model, names)
    with unchanged(model.weights):
        return {path: weight.numpy() for path, weight in weight_paths.weight_paths(model).items()}


def write(target: Any, arrays: Arrays) -> None:
    """Write arrays by name in the format that the end of the path says.

    Args:
        target: path.
        arrays: arrays by name.
    """
    WRITERS[_end(target)](target, arrays)


def read(path: Any) -> Arrays:
    """Arrays by name from a file of the format that the end of its name says.

    Args:
        path: path.
    """
    return READERS[_end(path)](path)


def load_weights(model: Any, path: Any) -> None:
    """Set the weights of a model from a file of arrays by name; by their order where only the names are other ones.

    The names of layers count what was made before, so that a model that is built again has others. safetensors keeps no
    order.

    Args:
        model: the model.
        path: path, whose end says the format.

    Raises: ArgumentError or ShapeError if the file belongs to another model; nothing is set then.
    """
    arrays, own = read(path), arrays_of(model, path)
    ordered = _end(path) != ".safetensors" and not set(own) & set(arrays)
    if ordered and [a.shape for a in own.values()] == [a.shape for a in arrays.values()]:
        arrays = dict(zip(own, arrays.values(), strict=True))
    set_arrays(model, arrays)


def set_arrays(model: Any, arrays: Arrays, names: Mapping[str, str] | None = None, by_order: bool = False) -> None:
    """Set weights by their paths, as `.npz` files here name them, or else by the names of PyTorch.

    Args:
        model: the model.
        arrays: arrays by name.
        names: what PyTorch calls the layers, see `Model.load_state_dict`.
        by_order: take the modules of PyTorch for the layers one after the other.

    Raises: ArgumentError or ShapeError if they belong to another model; nothing is set then.
    """
    own = weight_paths.weight_paths(model)
    if set(own) != set(arrays):
        state_dict.load_state_dict(model, arrays, names=names, by_order=by_order)
        return
    wrong = [name for name, weight in own.items() if weight.shape != arrays[name].shape]
    if wrong:
        raise ShapeError(f"{wrong[0]}: expected shape {own[wrong[0]].shape}, received {arrays[wrong[0]].shape}.")
    hdf5.set_weights([(weight, arrays[name]) for name, weight in own.items()])


def save_model(model: Any, path: Any) -> bool:
    """Write a model where the name says a format of weights alone, or of a program; False if it does not.

    Args:
        model: the model.
        path: path; anything else says nothing.
    """
    export = import_module("keras_front.export")
    if is_named(path):
        write(path, arrays_of(model, path))
        what = "weights alone"
    elif any(_end(path) in row.suffixes for row in export.FORMATS.values()):
        export.export(model, path)
        what = "how the model predicts alone"
    else:
        return False
    warnings.warn(
        f"model.save: {os.fspath(path)!r} holds {what}. Whole models, which load_model reads, are .h5 or .keras.",
        stacklevel=4,
    )
    return True
