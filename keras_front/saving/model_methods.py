"""`Saveable`: the methods of a model that read and write files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front.backend.state import Variable
from keras_front.errors import StateError

from . import files

if TYPE_CHECKING:
    from .state_dict import IncompatibleKeys

__all__ = ["Saveable"]


class LoadStatus:
    """What `load_weights` returns for a checkpoint.

    Args:
        model: the model.
    """

    def __init__(self, model: Any):
        self._model = model

    def assert_consumed(self) -> LoadStatus:
        """It itself, if the weights have been read.

        Raises: StateError (also an AssertionError) if the model still waits for them.
        """
        if self._model._awaited_weights is not None:
            raise WaitingError(
                f"{self._model.name}: load_weights: the model has no weights yet; call it on data first."
            )
        return self

    def expect_partial(self) -> LoadStatus:
        """It itself."""
        return self

    assert_existing_objects_matched = assert_nontrivial_match = expect_partial


class WaitingError(StateError, AssertionError):
    """A model waits for weights that it was to have."""


class Saveable:
    """What a model can do with files."""

    _awaited_weights: Any = None

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

    def get_compile_config(self) -> dict[str, Any]:
        """How the model was compiled, as data; `compile_from_config` reads it.

        A subclass with a `compile` of its own overrides both; files of Keras 3's form hold what this one returns.

        Returns: optimizer, loss, metrics and the like in the form of Keras 3; an empty dict before `compile`.
        Raises: SerializationError for what cannot be written.
        Source: Keras 3.15, `trainers/trainer.py`, `get_compile_config`.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(1, input_dim=2)])
            >>> model.compile("sgd", "mse")
            >>> model.get_compile_config()["loss"]
            'mse'
        """
        from . import keras_zip

        return keras_zip.compile_config_of(self)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile the model as `get_compile_config` says; nothing is done where that is empty.

        Args:
            config: what it returned, of this library or of Keras 3.

        Raises: UnknownNameError for an optimizer, loss or metric that is not known; SerializationError without an
            optimizer.
        Source: Keras 3.15, `trainers/trainer.py`, `compile_from_config`.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(1, input_dim=2)])
            >>> model.compile_from_config({"optimizer": "sgd", "loss": "mse"})
            >>> model.loss
            'mse'
        """
        from . import training_config

        if config:
            training_config.compile_model(self, config, "compile_from_config")

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
            save_format: 'h5' (Keras 2, the default) or 'keras' (Keras 3, for paths that end so). Without it, names of
                weights and of programs (`.npz`, `.safetensors`, `.onnx`) get these formats, with a warning.

        Raises:
            ArgumentError: if the file exists and is not to be overwritten, or its name means what is not written.
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
        """Write the weights alone: HDF5, or what the name says (`.npz`, `.pt`, `.pth`, `.safetensors`).

        Args:
            filepath: path, `h5py.File` or `h5py.Group`, or a binary file object.
            overwrite: replace an existing file; otherwise ask on the terminal.
            save_format: 'h5' for the layout of Keras 2, or 'keras' for that of Keras 3; by default what the name says,
                and the layout of Keras 2 if it says nothing.

        Raises:
            ArgumentError: for a name that means a format that is not written, as `.pb` or `.json`.
        """
        files.save_weights(self, filepath, overwrite, save_format)

    def load_weights(
        self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
    ) -> LoadStatus | None:
        """Set the weights from a file of any Keras; nothing changes unless everything fits.

        A model that has no weights yet waits for them, if the file is named as a checkpoint of TensorFlow is: without
        `.h5` or the like. It reads the file when it is built, by its first call or `fit`.

        Args:
            filepath: path, `h5py.File` or `h5py.Group`, or a binary file object.
            by_name: only the layers whose names are in the file, in any order; otherwise all, in order.
            skip_mismatch: with `by_name`, leave out layers that do not fit, with a warning.
            reshape: accept arrays of another shape with as many numbers.

        Returns: for a file that is named as a checkpoint an object that tells whether it has been read; else None.
        Raises: ArgumentError or ShapeError if the file belongs to another model; UnsafeFileError.
        """
        is_checkpoint = not by_name and files.is_named_as_checkpoint(filepath)
        if is_checkpoint and not self.weights:  # type: ignore[attr-defined]
            files.check_there(filepath)
            self._awaited_weights = filepath
        else:
            files.load_weights(self, filepath, by_name, skip_mismatch, reshape)
            self._awaited_weights = None
        return LoadStatus(self) if is_checkpoint else None

    def _load_awaited(self) -> None:
        """Read the weights that the model waits for, if it has been built."""
        if self._awaited_weights is not None and self.weights:  # type: ignore[attr-defined]
            self.load_weights(self._awaited_weights)

    def get_weight_paths(self) -> dict[str, Variable]:
        """Every weight by where the model holds it: names of layers, attributes and places in lists, joined by points.

        Returns: a dictionary from paths such as 'encoder.dense_1.kernel' to variables.
        Source: tf_keras 2.21, `tf_keras/src/engine/training.py`.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> list(Sequential([Dense(1, input_shape=(2,), name="d")]).get_weight_paths())
            ['d.kernel', 'd.bias']
        """
        from .weight_paths import weight_paths

        return weight_paths(self)

    def state_dict(self, names: Mapping[str, str] | Callable[[str], str | None] | None = None) -> dict[str, np.ndarray]:
        """The weights by name as PyTorch keeps them, where it has the layer; otherwise as they are here.

        A dense layer 'd' gives 'd.weight' (out, in) and 'd.bias', a convolution 'weight' (out, in, rows, columns),
        batch normalization also 'running_mean' and 'running_var', recurrent layers 'weight_ih_l0' and so on with the
        gates in PyTorch's order, attention 'in_proj_weight'. What comes after `Flatten` is put into the order of images
        with channels first.

        Args:
            names: what to call the layers: by their path here, a dictionary or function. By default as here.

        Returns: arrays by name; `torch.nn.Module.load_state_dict` takes them as tensors.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(1, input_shape=(2,), name="d")])
            >>> {name: array.shape for name, array in model.state_dict().items()}
            {'d.weight': (1, 2), 'd.bias': (1,)}
        """
        from .state_dict import state_dict

        return state_dict(self, names)

    def load_state_dict(
        self,
        state_dict: Mapping[str, Any],
        strict: bool = True,
        names: Mapping[str, str] | Callable[[str], str | None] | None = None,
        by_order: bool = False,
    ) -> IncompatibleKeys:
        """Set the weights from arrays or tensors by name, in the layouts of PyTorch. Nothing is set unless all fit.

        A bias that the state lacks beside its weight is set to zero: that is the same function.

        Args:
            state_dict: what `state_dict` gives here or in PyTorch.
            strict: whether every name must correspond.
            names: what the state calls the layers: by their path here, a dictionary such as {'conv1_conv': 'conv1'} or
                a function; what it does not name (or gives None for) is called as here.
            by_order: take the modules of the state for the layers one after the other, whatever they are called.

        Returns: the pair (missing_keys, unexpected_keys), as in PyTorch.
        Raises: ArgumentError if names do not correspond; ShapeError if a shape is another one.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(1, input_shape=(2,), name="d")])
            >>> _ = model.load_state_dict({"fc.weight": [[1.0, 2.0]], "fc.bias": [3.0]}, names={"d": "fc"})
            >>> model.get_weights()[0].tolist()
            [[1.0], [2.0]]
        """
        from .state_dict import load_state_dict

        return load_state_dict(self, state_dict, strict, names, by_order)
