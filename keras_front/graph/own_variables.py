"""How a layer of Keras 3 writes its variables, and how it is built from a config; subclasses may override each."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front.backend.state import Variable
from keras_front.errors import ShapeError

__all__ = ["OwnVariables"]


class OwnVariables:
    """The part of a layer that knows its variables without those of other layers in it."""

    if TYPE_CHECKING:  # of the other parts
        name: str
        built: bool
        stored_weights: Any
        add_weight: Any
        build: Any
        _inbound_nodes: list[Any]

    def _own_variables(self) -> list[Variable]:
        learned, others = self.stored_weights()
        return [*learned, *others]

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the variables of this layer, not of those in it, into a `.keras` file or `.weights.h5`.

        A subclass may override it, together with `load_own_variables`, to write something else.

        Args:
            store: takes arrays by name; by default the variables go in as '0', '1', ...

        Source: Keras 3.15, `layers/layer.py`.
        """
        for number, variable in enumerate(self._own_variables()):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Set the variables of this layer from what `save_own_variables` wrote.

        Args:
            store: the arrays by name.

        Raises: ShapeError for another number of arrays, or for other shapes.
        """
        own = self._own_variables()
        names = [name for name in store if name.isdigit()]
        if len(names) != len(own):
            raise ShapeError(f"Layer {self.name!r} has {len(own)} variables, received {len(names)} arrays.")
        for number, variable in enumerate(own):
            array = np.asarray(store[str(number)])
            if array.shape != variable.shape:
                raise ShapeError(f"{variable.name}: expected shape {variable.shape}, received {array.shape}.")
            variable.assign(array)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that `build` was given, for `build_from_config`; None before the layer was called.

        Example:
            >>> from keras_front.layers import Dense, Input
            >>> layer = Dense(2)
            >>> _ = layer(Input((3,)))
            >>> layer.get_build_config()
            {'input_shape': (None, 3)}
        """
        if not self._inbound_nodes:
            return None
        shapes = [tuple(tensor.shape) for tensor in self._inbound_nodes[0].input_tensors]
        return {"input_shape": shapes[0] if len(shapes) == 1 else shapes}

    def build_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Make the weights for the shapes that `get_build_config` returned.

        Args:
            config: a dictionary with `input_shape`, or with `shapes_dict`, which has the arguments of `build`; nothing
                is done without either.
        """
        config = config or {}
        if config.get("input_shape") is not None and not self.built:
            self.build(_shapes(config["input_shape"]))
        elif "shapes_dict" in config and not self.built:
            self.build(**{name: _shapes(shape) for name, shape in config["shapes_dict"].items()})

    def add_variable(self, *args: Any, **kwargs: Any) -> Variable:
        """A new weight: `add_weight` with the arguments of Keras 3, or of tf.keras, whose first one is a name.

        Args:
            args: shape, initializer, dtype, whether it is trainable, and whether it is cast where it is read; or name,
                shape, dtype and initializer.
            kwargs: the same and others of `add_weight` by name.

        Source: Keras 3.15, `layers/layer.py`; tf.keras 2.15, `engine/base_layer.py`.
        Example:
            >>> from keras_front.layers import Layer
            >>> Layer().add_variable((2,), "ones").numpy().tolist()
            [1.0, 1.0]
        """
        old = bool(args) and isinstance(args[0], str)
        names = ("name", "shape", "dtype", "initializer") if old else _OF_KERAS_3
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        autocast = given.pop("autocast", True)
        weight: Variable = self.add_weight(**{name: value for name, value in given.items() if value is not None})
        if not autocast:
            weight.autocast = False
        return weight


_OF_KERAS_3 = ("shape", "initializer", "dtype", "trainable", "autocast")


def _shapes(config: Any) -> Any:
    """Shapes as tuples; JSON has lists."""
    if isinstance(config, list | tuple) and all(size is None or isinstance(size, int) for size in config):
        return tuple(config)
    if isinstance(config, list | tuple):
        return [_shapes(shape) for shape in config]
    return config
