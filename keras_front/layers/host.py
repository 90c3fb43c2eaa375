"""Layers of strings in a model: what they give is computed on the host, from the data, before a step.

No backend has tensors of strings. A layer that takes them may be called on an `Input`: its output is a placeholder,
which a model feeds with what the layer makes of the data for that input. See `keras_front/graph/host_stage.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.errors import DtypeError
from keras_front.graph.layer import Layer
from keras_front.graph.node import Node


class HostLayer(Layer):
    """A layer that runs on the host, on arrays and lists, or on an `Input` of a model."""

    runs_on_host = True

    def connect_input(self, tensor: Any) -> Any:
        """The output for a symbolic tensor: a placeholder that the model feeds.

        Args:
            tensor: the tensor, which must be an `Input`.

        Raises: DtypeError for any other tensor.
        """
        if not tensor.is_placeholder:
            raise DtypeError(
                f"{self.name}: expected an array, a list or an Input of the model, received the symbolic tensor "
                f"{tensor.name!r}, which is computed in a step. No backend has tensors of strings or hashes; call the "
                "layer on the Input, or on the data before it goes into the model."
            )
        shape, dtype = self.host_output(tensor.shape)
        output = K.placeholder(shape=shape, dtype=dtype, name=self.name)
        self.built = True
        self._add_node(Node(self, (tensor,), {}, output))
        return output

    def host_output(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Shape and dtype of the output for an input of a shape, sizes that depend on the data being None.

        Args:
            shape: the shape of the input, with the batch axis.
        """
        raise NotImplementedError
