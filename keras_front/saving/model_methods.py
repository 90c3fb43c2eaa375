"""`Saveable`: the methods of a model that read and write files."""

from __future__ import annotations

import json
from typing import Any

from . import files

__all__ = ["Saveable"]


class Saveable:
    """What a model can do with files."""

    def to_json(self, **kwargs: Any) -> str:
        """The structure as JSON text, without weights; `model_from_json` reads it.

        Args:
            **kwargs: for `json.dumps`, such as `indent=2`.

        Returns: the text, in which ops between layers are called as tf.keras calls them.
        Raises: SerializationError for what cannot be written; NotImplementedError for a subclass without a config.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> Sequential([Dense(1)], name="m").to_json()[:42]
            '{"class_name": "Sequential", "config": {"n'
        """
        from . import operations

        described = json.loads(super().to_json(**kwargs))  # type: ignore[misc]
        return json.dumps(operations.to_tf(described), **kwargs)

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        include_optimizer: bool = True,
        save_format: str | None = None,
    ) -> None:
        """Write the whole model: structure, weights, how it was compiled, and the optimizer's state.

        Args:
            filepath: path, `h5py.File` or `h5py.Group`, or a binary file object.
            overwrite: replace an existing file; otherwise ask on the terminal.
            include_optimizer: write how the model was compiled, so that training can go on.
            save_format: 'h5' (Keras 2, the default) or 'keras' (Keras 3, for paths that end so).

        Raises:
            ArgumentError: if the file exists and is not to be overwritten.
            SerializationError: for a model that computes in its own `call`, or an unknown format.
        Source: Keras 2.3.1, `keras/engine/network.py`.
        """
        files.save_model(self, filepath, overwrite, include_optimizer, save_format)

    def to_yaml(self, sort_keys: bool = True) -> str:
        """The structure as YAML text, without weights; `model_from_yaml` reads it.

        Args:
            sort_keys: whether the keys of a mapping stand in alphabetical order, as PyYAML writes them.

        Raises: SerializationError for a config that holds anything but texts, numbers, lists and mappings.
        Source: Keras 2.3.1, `keras/engine/network.py`, which needs PyYAML for it.
        """
        from . import yaml

        return yaml.dump(json.loads(self.to_json()), sort_keys)

    def save_weights(self, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
        """Write the weights alone, as HDF5; `save_format="keras"` takes the layout of Keras 3.

        Args:
            filepath: path, `h5py.File` or `h5py.Group`, or a binary file object.
            overwrite: replace an existing file; otherwise ask on the terminal.
            save_format: 'h5' for the layout of Keras 2, the default, or 'keras' for that of Keras 3.
        """
        files.save_weights(self, filepath, overwrite, save_format)

    def load_weights(
        self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
    ) -> None:
        """Set the weights from a file of any Keras; nothing changes unless everything fits.

        Args:
            filepath: path, `h5py.File` or `h5py.Group`, or a binary file object.
            by_name: only the layers whose names are in the file, in any order; otherwise all, in order.
            skip_mismatch: with `by_name`, leave out layers that do not fit, with a warning.
            reshape: accept arrays of another shape with as many numbers.

        Raises: ArgumentError or ShapeError if the file belongs to another model; UnsafeFileError.
        """
        files.load_weights(self, filepath, by_name, skip_mismatch, reshape)
