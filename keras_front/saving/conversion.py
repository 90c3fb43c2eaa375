"""One file turned into another: models, structures and weights of any Keras, of NumPy, PyTorch and safetensors.

A source is a whole model, a structure, or weights; so is a target, which may also be a program (`keras_front.export`).
What the target has no place for is said, never dropped in silence.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_front.errors import (
    ArgumentError,
    SerializationError,
    UnreadableFileError,
)
from keras_front.utils.pickles import load_npz

from . import (
    atomic,
    failures,
    files,
    generations,
    guard,
    hdf5,
    inspection,
    keras_zip,
    safetensors_files,
    torch_files,
    weight_arrays,
    yaml,
)

__all__ = ["GENERATIONS", "convert"]

GENERATIONS = generations.NAMES
PASS_MODEL = "Pass the model as well: model='structure.json', or --model on the command line."

Arrays = dict[str, np.ndarray]


class Source(NamedTuple):
    """What was read.

    Attributes:
        model: the model; None for weights without one.
        arrays: weights by name, where there is no model.
        has_weights: whether the weights of the model come from the file.
        trained: whether the file says how the model is trained.
    """

    model: Any
    arrays: Arrays
    has_weights: bool
    trained: bool


class Options(NamedTuple):
    """How to convert; see `convert`."""

    to: str | None
    model: Any
    names: Mapping[str, str] | None
    by_order: bool
    custom_objects: Mapping[str, Any] | None
    allow_code: bool


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    to: str | None = None,
    model: Any = None,
    names: Mapping[str, str] | None = None,
    by_order: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
    allow_code: bool = False,
) -> list[str]:
    """Turn one file into another, whose kind follows from its name.

    Args:
        source: a whole model (`.h5`, `.keras`), a structure (JSON, YAML) or weights (`.h5`, `.weights.h5`, `.npz`,
            `.pt`, `.safetensors`) of any Keras, NumPy or PyTorch; told by its content.
        target: where to: `.h5` or `.keras` for a whole model, `.json`, `.yaml` for a structure, `.weights.h5`, `.npz`,
            `.pt`, `.safetensors` for weights, or the end of a format of `keras_front.export`.
        to: the Keras that must read the target: 'keras1' (1.2.2), 'keras2.2' (2.2.4), 'tf_keras' (2.15 and later) or
            'keras3'. By default what is written reads well in tf_keras, Keras 3 and here.
        model: the model that weights belong to, or a file of it, where the source holds weights alone.
        names: what a state of PyTorch calls the layers, see `Model.load_state_dict`.
        by_order: take the modules of a state of PyTorch for the layers one after the other.
        custom_objects: the user's classes and functions by name.
        allow_code: whether Python code in the source may run. Only for what you trust.

    Returns: what could not be carried, in sentences; nothing if everything was.
    Raises: ArgumentError for kinds that do not go together; SerializationError for what that Keras cannot express;
        UnsafeFileError for a source that asks for more than to be read.
    """
    if to is not None and to not in GENERATIONS:
        raise ArgumentError(f"convert: expected `to` to be one of {', '.join(GENERATIONS)}; received {to!r}.")
    options = Options(to, model, names, by_order, custom_objects, allow_code)
    write = _writer(target)
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = _read(source, options)
    notes += [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]
    notes += write(found, target, options)
    return notes


# Reading ---------------------------------------------------------------------------------------------


def _read(path: Any, options: Options) -> Source:
    found = inspection.describe(path)
    reader = next((read for word, read in READERS.items() if word in found.kind), None)
    if reader is None:
        raise SerializationError(f"{found.path}: {found.kind}; {'; '.join(found.refused) or 'it cannot be read'}.")
    with failures.reading(found.path, found.kind, UnreadableFileError):
        return reader(path, found, options)


def _read_model(path: Any, found: inspection.Description, options: Options) -> Source:
    model = files.load_model(path, options.custom_objects, allow_code=options.allow_code)
    return Source(model, {}, True, found.optimizer is not None)


def _read_structure(path: Any, found: inspection.Description, options: Options) -> Source:
    raw = Path(path).read_bytes()
    read = files.model_from_yaml if "YAML" in found.kind else files.model_from_json
    text = guard.text_of(raw, found.path).removeprefix("\ufeff")
    return Source(read(text, options.custom_objects, options.allow_code), {}, False, False)


def _read_keras_weights(path: Any, found: inspection.Description, options: Options) -> Source:
    model = _model_for(path, options)
    if model is None:
        raise ArgumentError(
            f"{os.fspath(path)}: the weights of a model, in an order that only the model tells. {PASS_MODEL}"
        )
    files.load_weights(model, path)
    return Source(model, {}, True, False)


def _read_arrays(path: Any, found: inspection.Description, options: Options) -> Source:
    arrays = _arrays_of(path, found.kind)
    model = _model_for(path, options)
    if model is None:
        return Source(None, arrays, True, False)
    weight_arrays.set_arrays(model, arrays, options.names, options.by_order)
    return Source(model, {}, True, False)


def _arrays_of(path: Any, kind: str) -> Arrays:
    if "NumPy" in kind:
        return load_npz(path)
    if "PyTorch" in kind:
        return torch_files.read(path)
    return safetensors_files.read(path)


def _model_for(path: Any, options: Options) -> Any:
    if options.model is None or not atomic.is_path(options.model):
        return options.model
    found = inspection.describe(options.model)
    reader = next((READERS[word] for word in MODELS if word in found.kind), None)
    if reader is None:
        raise ArgumentError(f"{found.path}: expected a model or its structure, received {found.kind}.")
    return reader(options.model, found, options).model


# Words in the kind of a description, and what reads such a file.
MODELS = ("a whole model", "the structure of a model")
READERS: dict[str, Callable[[Any, inspection.Description, Options], Source]] = {
    "a whole model": _read_model,
    "the structure of a model": _read_structure,
    "weights in HDF5": _read_keras_weights,
    "arrays of NumPy": _read_arrays,
    "weights of PyTorch": _read_arrays,
    "weights as safetensors": _read_arrays,
}


# Writing ---------------------------------------------------------------------------------------------

Writer = Callable[[Source, Any, Options], list[str]]


def _writer(target: Any) -> Writer:
    name = os.fspath(target).lower()
    for end, writer in WRITERS.items():
        if name.endswith(end):
            return writer
    formats = import_module("keras_front.export").FORMATS
    for row in formats.values():
        if name.endswith(tuple(row.suffixes) or "\0"):
            return _write_program
    ends = [*WRITERS, *(end for row in formats.values() for end in row.suffixes)]
    raise ArgumentError(f"{os.fspath(target)}: expected a name that ends in one of {', '.join(ends)}.")


def _whole(source: Source, target: Any) -> Any:
    if source.model is None:
        raise ArgumentError(f"{os.fspath(target)}: needs a model, and the source has weights alone. {PASS_MODEL}")
    return source.model


def _without_weights(source: Source) -> list[str]:
    return [] if source.has_weights else ["The source has no weights: those of the target are newly drawn."]


def _write_hdf5(source: Source, target: Any, options: Options) -> list[str]:
    model = _whole(source, target)
    with hdf5.created(target) as root:
        hdf5.write_model(root, model, source.trained)
        notes = generations.rewrite(root, model, options.to)
    return _without_weights(source) + notes


def _write_archive(source: Source, target: Any, options: Options) -> list[str]:
    model = _whole(source, target)
    generations.check_archive(target, options.to)
    notes = generations.check(model, options.to)
    keras_zip.save_model(model, target, source.trained, for_tf_keras=options.to == "tf_keras")
    return _without_weights(source) + notes


def _write_structure(source: Source, target: Any, options: Options) -> list[str]:
    described, notes = generations.structure(_whole(source, target), options.to)
    as_yaml = not os.fspath(target).lower().endswith(".json")
    text = yaml.dump(described) if as_yaml else json.dumps(described, indent=1)
    with atomic.replacing(target) as path:
        Path(path).write_text(text, encoding="utf-8")
    weights = ["A structure has no weights: those of the source are not carried."] if source.has_weights else []
    return notes + weights + _untrained(source, "A structure")


def _untrained(source: Source, what: str) -> list[str]:
    return [f"{what} does not say how the model is trained; loss and optimizer are not carried."] * source.trained


def _write_keras_weights(source: Source, target: Any, options: Options) -> list[str]:
    model = _whole(source, target)
    if options.to in generations.BEFORE_KERAS3:
        with hdf5.created(target) as root:
            hdf5.write_weights(root, model)
            notes = generations.rewrite(root, model, options.to)
    else:
        keras_zip.save_weights(model, target)
        notes = []
    return notes + _only_weights(source)


def _only_weights(source: Source) -> list[str]:
    if source.model is None:
        return []
    return [
        *_without_weights(source),
        "Weights alone are carried, not the structure.",
        *_untrained(source, "The target"),
    ]


def _write_arrays(source: Source, target: Any, options: Options) -> list[str]:
    arrays, model = source.arrays, source.model
    weight_arrays.write(target, arrays if model is None else weight_arrays.arrays_of(model, target, options.names))
    return _only_weights(source)


def _write_program(source: Source, target: Any, options: Options) -> list[str]:
    import_module("keras_front.export").export(_whole(source, target), target)
    return [*_without_weights(source), *_untrained(source, "A program")]


WRITERS: dict[str, Writer] = {
    ".weights.h5": _write_keras_weights,
    ".h5": _write_hdf5,
    ".hdf5": _write_hdf5,
    ".keras": _write_archive,
    ".json": _write_structure,
    ".yaml": _write_structure,
    ".yml": _write_structure,
    **dict.fromkeys(weight_arrays.WRITERS, _write_arrays),
}
