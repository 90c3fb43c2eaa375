"""`Node`: one call of a layer on symbolic tensors. Nodes are the structure of a model (decision D2).

A node keeps the arguments of the call as they were given; everything else (which layers it hangs on, shapes, masks)
is read off the tensors, whose `history` names the node that made them.
"""

from __future__ import annotations

from typing import Any

from keras_front.backend.symbolic import AMBIENT, SymbolicTensor, leaves_of

from .input_spec import Shape


def is_computed(tensor: SymbolicTensor) -> bool:
    """Whether a tensor comes from a layer, an op or an input, and is not a constant or the value of a variable."""
    if tensor.origin is not None:
        return True
    return tensor.constant is None and tensor.variable is None and tensor not in AMBIENT


def is_fed(tensor: SymbolicTensor) -> bool:
    """Whether an input of a model waits for data: all but what `Input(tensor=...)` gave a value.

    Args:
        tensor: the input, which may also be what a layer of another model gives.
    """
    made = tensor.history[0]._inbound_nodes[tensor.history[1]] if tensor.history else None
    return tensor.is_placeholder or not isinstance(made, InputNode)


class Node:
    """One call of a layer on symbolic tensors.

    Args:
        layer: the layer that was called.
        args: the positional arguments of the call; the first is the tensor, or list of tensors, that Keras calls the
            inputs.
        arguments: the keyword arguments.
        output: the result, in the structure in which `call` returned it.
        input_masks: a mask, or None, for each input.
        output_masks: a mask, or None, for each output.
        losses: symbolic scalars that the call reported.

    Source: Keras 2.3.1, `keras/engine/base_layer.py`.
    """

    __slots__ = (
        "args",
        "arguments",
        "input_masks",
        "losses",
        "needed_tensors",
        "outbound_layer",
        "output",
        "output_masks",
        "updates",
    )  # fmt: skip

    def __init__(
        self,
        layer: Any,
        args: tuple[Any, ...],
        arguments: dict[str, Any],
        output: Any,
        input_masks: list[Any] | None = None,
        output_masks: list[Any] | None = None,
        losses: list[SymbolicTensor] | None = None,
    ):
        self.outbound_layer, self.args, self.arguments, self.output = layer, args, arguments, output
        # Every tensor among the arguments, the inputs first; constants and variables are none.
        self.needed_tensors = [t for t in leaves_of((args, arguments)) if is_computed(t)]
        self.input_masks = input_masks or [None] * len(self.input_tensors)
        self.output_masks = output_masks or [None] * len(self.output_tensors)
        self.losses = losses or []
        self.updates: list[Any] | None = None  # what the call assigns, as soon as somebody has asked

    @property
    def layer(self) -> Any:
        """The layer that was called."""
        return self.outbound_layer

    @property
    def input_tensors(self) -> list[SymbolicTensor]:
        """The tensors among the inputs proper."""
        return [t for t in leaves_of(self.args[:1]) if is_computed(t)]

    @property
    def output_tensors(self) -> list[SymbolicTensor]:
        """The tensors of the result, in order."""
        return list(leaves_of(self.output))

    @property
    def input_shapes(self) -> list[Shape]:
        """The shapes of the inputs, with the batch axis."""
        return [t.shape for t in self.input_tensors]

    @property
    def output_shapes(self) -> list[Shape]:
        """The shapes of the outputs, with the batch axis."""
        return [t.shape for t in self.output_tensors]

    @property
    def inbound_layers(self) -> list[Any]:
        """The layers that made the tensors among the arguments."""
        return [t.history[0] for t in self.needed_tensors if t.history]

    @property
    def node_indices(self) -> list[int]:
        """For each tensor among the arguments, which call of its layer made it."""
        return [t.history[1] for t in self.needed_tensors if t.history]

    @property
    def tensor_indices(self) -> list[int]:
        """For each tensor among the arguments, which output of that call it is."""
        return [t.history[2] for t in self.needed_tensors if t.history]

    def get_config(self) -> dict[str, Any]:
        """Names and indices, in the form of Keras 2."""
        return {
            "outbound_layer": self.outbound_layer.name,
            "inbound_layers": [layer.name for layer in self.inbound_layers],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }

    def __repr__(self) -> str:
        return f"<Node {self.outbound_layer.name} {self.input_shapes} -> {self.output_shapes}>"


class InputNode(Node):
    """The node of an input: no call, but as in Keras its tensor counts as input and as output."""

    __slots__ = ()

    @property
    def input_tensors(self) -> list[SymbolicTensor]:
        """The tensor that stands for the data."""
        return self.output_tensors
