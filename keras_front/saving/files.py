"""Models and weights written to files and read from them, whatever the format.

The format is told by the content when reading, and by the name (or `save_format`) when writing. Everything
read passes `guard`, and becomes a Keras 2 dictionary before the one reader sees it. h5py is imported when a
file is opened.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from keras_front import bytecode
from keras_front.backend.guards import unchanged
from keras_front.errors import ArgumentError, SerializationError, UnreadableFileError
from keras_front.failures import explains_failures
from keras_front.registry import custom_object_scope

from . import atomic, failures, guard, weight_order

__all__ = [
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
    "save_weights",
]

FORMATS = {None: None, "h5": "h5", "hdf5": "h5", "keras": "keras"}


@explains_failures
def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Write a whole model, see `Model.save`.

    Args:
        model: the model.
        filepath: path, `h5py.File` or `h5py.Group`, or a binary file object.
        overwrite: replace an existing file; otherwise ask on the terminal.
        include_optimizer: write how the model was compiled and the state of its optimizer, so that training can go on.
        save_format: 'h5' (Keras 2) or 'keras' (Keras 3); by default what the name of the file says, and HDF5 if it says
            nothing. Names of weights (`.npz`, `.pt`, `.safetensors`) and of programs (`.onnx`, see `Model.export`) get
            these, with a warning of what is not in them.

    Raises: ArgumentError for a name that means a format which is not written, as `.pb`; UnwritableFileError.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/model.h5"
        >>> save_model(Sequential([Dense(2, input_shape=(3,))]), path)
        >>> load_model(path).output_shape
        (None, 2)
    """
    from . import hdf5, keras_zip, weight_arrays

    if save_format is None:
        weight_arrays.check_name(filepath, "model.save")
    if not _proceed(filepath, overwrite):
        return
    if save_format is None and weight_arrays.save_model(model, filepath):
        return
    form = _format(filepath, save_format, ".keras")
    with unchanged([*model.weights, *getattr(getattr(model, "optimizer", None), "weights", ())]):
        (keras_zip if form == "keras" else hdf5).save_model(model, filepath, include_optimizer)


@explains_failures
def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    allow_code: bool = False,
) -> Any:
    """The model that any Keras wrote to `filepath`: `.h5`, `.keras`, or a SavedModel folder of tf.keras.

    Args:
        filepath: path, `h5py.File` or `h5py.Group`, or a binary file object; or a folder of Keras 3 (`zipped=False`).
        custom_objects: the user's classes and functions by name.
        compile: compile the model as it was, and restore the state of its optimizer.
        allow_code: whether Python code in it may run (`Lambda` layers). Only for what you trust; by default it is
            refused.

    Raises:
        SerializationError: if there is no model in the file, or one that cannot be made.
        UnsafeFileError: if the file would make reading do what it must never do.
    Source: Keras 2.3.1, `keras/engine/saving.py`, `load_model`.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/model.keras"
        >>> Sequential([Dense(2, input_shape=(3,))]).save(path)
        >>> load_model(path).output_shape
        (None, 2)
    """
    from . import hdf5, keras_zip, saved_model

    if saved_model.is_readable(filepath):
        return saved_model.load_model(filepath, custom_objects, compile, allow_code)
    filepath = _joined(filepath, "a model")
    if atomic.is_path(filepath):
        guard.check_there(filepath)
    with failures.reading(_called(filepath), "a model", UnreadableFileError):
        reader = keras_zip if _may_be_archive(filepath) and keras_zip.is_archive(filepath) else hdf5
        return reader.load_model(filepath, custom_objects, compile, allow_code)


@explains_failures
def save_weights(model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
    """Write the weights of a model, see `Model.save_weights`.

    Args:
        model: the model.
        filepath: path, `h5py.File` or `h5py.Group`, or a binary file object.
        overwrite: replace an existing file; otherwise ask on the terminal.
        save_format: 'h5' for the layout of Keras 2, or 'keras' for that of Keras 3. By default what the name says:
            `.npz`, `.pt`, `.pth` and `.safetensors` are these formats, anything else is HDF5.

    Raises: ArgumentError for a name that means a format which is not written; UnwritableFileError.

    Example:
        >>> import tempfile
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> path = tempfile.mkdtemp() + "/w.weights.h5"
        >>> save_weights(Sequential([Dense(2, input_shape=(3,))]), path)
        >>> os.path.exists(path)
        True
    """
    from . import hdf5, keras_zip, weight_arrays

    if save_format == "tf":
        warnings.warn("save_weights(save_format='tf'): written as HDF5, which TensorFlow does not read.", stacklevel=4)
        save_format = "h5"
    if is_named_as_checkpoint(filepath):  # as TensorFlow makes the folder of its checkpoints
        os.makedirs(os.path.dirname(os.fspath(filepath)) or ".", exist_ok=True)
    if save_format is None:
        weight_arrays.check_name(filepath, "model.save_weights")
    if _proceed(filepath, overwrite):
        if save_format is None and weight_arrays.is_named(filepath):
            weight_arrays.write(filepath, weight_arrays.arrays_of(model, filepath))
            return
        form = _format(filepath, save_format, None)
        with unchanged(model.weights):
            (keras_zip if form == "keras" else hdf5).save_weights(model, filepath)


@explains_failures
def load_weights(
    model: Any, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Set the weights of a model from a file, see `Model.load_weights`.

    Args:
        model: the model whose weights are set.
        filepath: path, `h5py.File` or `h5py.Group`, or a binary file object. Files that are called `.npz`, `.pt`,
            `.pth` or `.safetensors` hold arrays by name, ours or those of PyTorch, see `Model.load_state_dict`.
        by_name: only the layers whose names are in the file, in any order; otherwise all, in their order.
        skip_mismatch: with `by_name`, leave out layers that do not fit, with a warning.
        reshape: accept arrays of another shape with as many numbers.

    Example:
        >>> import tempfile
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model, path = Sequential([Dense(2, input_shape=(3,))]), tempfile.mkdtemp() + "/w.weights.h5"
        >>> model.save_weights(path)
        >>> _ = load_weights(model, path)
    """
    from . import hdf5, saved_model

    if skip_mismatch and not by_name:
        raise ArgumentError(
            "When calling model.load_weights, skip_mismatch can only be set to True when by_name is True."
        )
    filepath = _joined(filepath, "weights")
    if atomic.is_path(filepath) and not saved_model.is_readable(filepath):
        guard.check_there(filepath)
    weight_order.check_built(model, _called(filepath))
    with failures.reading(_called(filepath), "weights", UnreadableFileError):
        reader = _reader_of_weights(filepath)
        if reader is hdf5:
            hdf5.load_weights(model, filepath, by_name, skip_mismatch, reshape)
        elif by_name:
            raise ArgumentError(
                f"load_weights: {POSITIONS[reader.__name__.rpartition('.')[2]]}: expected by_name=False."
            )
        else:
            reader.load_weights(model, filepath)


def is_named_as_checkpoint(filepath: Any) -> bool:
    """Whether a path is named as checkpoints of TensorFlow are: not as a file of any other kind.

    Args:
        filepath: what `load_weights` is given.
    """
    if not atomic.is_path(filepath):
        return False
    suffix = os.path.splitext(os.fsdecode(filepath))[1]
    return suffix == ".ckpt" or (suffix not in KNOWN_SUFFIXES and not os.path.isdir(filepath))


KNOWN_SUFFIXES = (".h5", ".hdf5", ".hdf", ".keras", ".npz", ".pt", ".pth", ".safetensors", ".onnx", ".bin", ".zip")


def check_there(filepath: Any) -> None:
    """Raise an error for a path where there is no file to read weights from.

    Args:
        filepath: the path.
    """
    from . import saved_model

    if not saved_model.is_readable(filepath):
        guard.check_there(filepath)


def _joined(filepath: Any, what: str) -> Any:
    """What Keras 3 wrote in several files as one; anything else as it is."""
    from . import apart

    if not apart.is_apart(filepath):
        return filepath
    with failures.reading(_called(filepath), what, UnreadableFileError):
        return apart.joined(filepath)


POSITIONS = {
    "keras_zip": "files of Keras 3 hold positions",
    "saved_model": "files of TensorFlow hold positions",
    "weight_arrays": "every array has a name there",
}


def _reader_of_weights(filepath: Any) -> ModuleType:
    from . import hdf5, keras_zip, saved_model, weight_arrays

    if saved_model.is_readable(filepath):
        return saved_model
    if weight_arrays.holds_arrays(filepath):
        return weight_arrays
    if _may_be_archive(filepath) and keras_zip.is_archive(filepath):
        return keras_zip
    with hdf5.opened(filepath) as (root, _):
        return keras_zip if keras_zip.has_keras3_layout(root) else hdf5


@explains_failures
def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None, allow_code: bool = False) -> Any:
    """A new model, with new weights, from the JSON text that any Keras wrote.

    Args:
        json_string: the text.
        custom_objects: the user's classes and functions by name, for what is not registered.
        allow_code: whether Python code in it may run (`Lambda` layers). Only for what you trust; by default it is
            refused.

    Raises: SerializationError for what is no config; UnsafeFileError for code without `allow_code`.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model_from_json(Sequential([Dense(2, input_shape=(3,))]).to_json()).output_shape
        (None, 2)
    """
    from . import hdf5

    with bytecode.permit(allow_code or bytecode.permitted()), custom_object_scope(custom_objects):
        return hdf5.make_with_weights(json_string, "model_from_json")


@explains_failures
def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None, allow_code: bool = False) -> Any:
    """A new model, with new weights, from the YAML text that Keras 1 or 2, or `Model.to_yaml`, wrote.

    Only texts, numbers, lists and mappings are read; PyYAML is not needed.

    Args:
        yaml_string: the text.
        custom_objects: the user's classes and functions by name.
        allow_code: run Python code in the config (`Lambda` layers). Only for texts that you trust.

    Raises: SerializationError for what is no config; UnsafeFileError for tags that make objects, and for code without
        `allow_code`.
    Source: Keras 2.3.1, `keras/engine/saving.py`, `model_from_yaml`.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model_from_yaml(Sequential([Dense(2, input_shape=(3,))]).to_yaml()).output_shape
        (None, 2)
    """
    from . import hdf5, yaml

    described = yaml.parse(yaml_string, "model_from_yaml")
    with bytecode.permit(allow_code or bytecode.permitted()), custom_object_scope(custom_objects):
        return hdf5.make_with_weights(described, "model_from_yaml")


@explains_failures
def model_from_config(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None, allow_code: bool = False
) -> Any:
    """A new model, with new weights, from a dictionary `{"class_name", "config"}` of any Keras.

    Args:
        config: `{'class_name', 'config'}`, as `{'class_name': ..., 'config': model.get_config()}`.
        custom_objects: the user's classes and functions by name, for what is not registered.
        allow_code: whether Python code in it may run (`Lambda` layers). Only for what you trust; by default it is
            refused.

    Raises: SerializationError for what is no config; UnsafeFileError for code without `allow_code`.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model = Sequential([Dense(2, input_shape=(3,))])
        >>> model_from_config({"class_name": "Sequential", "config": model.get_config()}).output_shape
        (None, 2)
    """
    from . import hdf5

    if isinstance(config, list):
        raise SerializationError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    with bytecode.permit(allow_code or bytecode.permitted()), custom_object_scope(custom_objects):
        return hdf5.make_with_weights(config, "model_from_config")


def _proceed(filepath: Any, overwrite: bool) -> bool:
    return not atomic.is_path(filepath) or atomic.may_write(filepath, overwrite)


def _called(filepath: Any) -> str:
    """What messages call a file."""
    return os.fspath(filepath) if atomic.is_path(filepath) else str(getattr(filepath, "name", "The file object"))


def _format(filepath: Any, save_format: str | None, suffix: str | None) -> str:
    if save_format not in FORMATS:
        raise ArgumentError(f"save_format: expected 'h5' or 'keras', received {save_format!r}.")
    named = suffix is not None and atomic.is_path(filepath) and os.fspath(filepath).endswith(suffix)
    return FORMATS[save_format] or ("keras" if named else "h5")


def _may_be_archive(filepath: Any) -> bool:
    return atomic.is_path(filepath) or (hasattr(filepath, "read") and hasattr(filepath, "seek"))
