"""Names of `keras.engine.saving` beside reading and writing whole models.

Source: Keras 2.2.4 and 2.3.1, `keras/engine/saving.py`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from keras_front.saving import files, guard, hdf5

F = TypeVar("F")
_HERE = "The HDF5 group"


def pickle_model(model: Any) -> dict[str, Any]:
    """A model as something that can be pickled, for `unpickle_model`.

    Args:
        model: the model.
    """
    file = io.BytesIO()
    hdf5.save_model(model, file)
    return {"hdf5": file.getvalue()}


def unpickle_model(state: dict[str, Any]) -> Any:
    """The model that `pickle_model` was given.

    Args:
        state: what that returned.
    """
    return files.load_model(io.BytesIO(state["hdf5"]))


def save_attributes_to_hdf5_group(group: Any, name: str, data: Sequence[Any]) -> None:
    """Write texts as an attribute, or as several if they are too long for one.

    Args:
        group: an HDF5 group.
        name: name of the attribute.
        data: the texts, or bytes.

    Raises: SerializationError if a single text is too long.
    """
    hdf5.write_texts(group, name, [guard.as_text(item) for item in data])


def load_attributes_from_hdf5_group(group: Any, name: str) -> list[str]:
    """The texts of an attribute, which may be split over several.

    Args:
        group: an HDF5 group.
        name: name of the attribute.

    Raises: SerializationError if there is no such attribute.
    """
    return guard.texts(group, name, _HERE)


def save_weights_to_hdf5_group(group: Any = None, layers: Sequence[Any] = (), f: Any = None) -> None:
    """Write the weights of layers, in the layout of Keras 2.

    Args:
        group: an HDF5 group.
        layers: the layers.
        f: former name of `group`.
    """
    hdf5.write_layer_weights(f if group is None else group, layers)


def preprocess_weights_for_loading(
    layer: Any,
    weights: Sequence[np.ndarray],
    original_keras_version: str | None = None,
    original_backend: str | None = None,
    reshape: bool = False,
) -> list[np.ndarray]:
    """The arrays of a layer in an older file, as the layer wants them.

    Args:
        layer: the layer.
        weights: its arrays in the file.
        original_keras_version: the Keras that wrote them; None for Keras 1, which did not say.
        original_backend: the engine that it ran on.
        reshape: whether an array of as many numbers is given the shape of the weight.
    """
    arrays = list(weights)
    for converter in hdf5.converters():
        arrays = converter(layer, arrays, original_keras_version or "1", original_backend)
    if reshape:
        pairs = zip(layer.weights, arrays, strict=True)
        return [a.reshape(w.shape) if a.size == np.prod(w.shape) else a for w, a in pairs]
    return arrays


def load_weights_from_hdf5_group(f: Any, layers: Sequence[Any], reshape: bool = False) -> None:
    """Set the weights of layers, in their order.

    Args:
        f: an HDF5 group with the weights, such as a file of weights.
        layers: the layers.
        reshape: whether an array of as many numbers is given the shape of the weight.

    Raises: ArgumentError or ShapeError if they do not fit; nothing is set then.
    """
    hdf5.set_weights(hdf5.pairs_in_order(layers, f, _HERE, reshape))


def load_weights_from_hdf5_group_by_name(
    f: Any, layers: Sequence[Any], skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Set the weights of the layers whose names the group knows.

    Args:
        f: an HDF5 group with the weights, such as a file of weights.
        layers: the layers.
        skip_mismatch: whether layers that do not fit are left out, with a warning.
        reshape: whether an array of as many numbers is given the shape of the weight.

    Raises: ArgumentError or ShapeError if a layer does not fit, unless `skip_mismatch`.
    """
    hdf5.load_weights_by_name(f, layers, _HERE, skip_mismatch, reshape)


def allow_write_to_gcs(save_function: F) -> F:
    """Decorator that changes nothing: files are written on this machine, not to Google's storage.

    Args:
        save_function: the function.
    """
    return save_function


def allow_read_from_gcs(load_function: F) -> F:
    """Decorator that changes nothing: files are read on this machine, not from Google's storage.

    Args:
        load_function: the function.
    """
    return load_function
