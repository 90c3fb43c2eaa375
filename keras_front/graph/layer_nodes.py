"""`LayerNodes`: attributes that say where a layer was called: `input`, `get_output_at`, `output_shape` ...

A shared layer has several nodes, so the plain forms (`layer.input`) answer only while there is one answer.
"""

from __future__ import annotations

from typing import Any

from keras_front.errors import StateError, WrongPlaceError
from keras_front.nest import unpack

from .node import Node


class GraphAttributeError(StateError, AttributeError):
    """The layer has no single input, output or shape; also an AttributeError, as in Keras."""


class LayerNodes:
    """The nodes of a layer, and what they say about its inputs and outputs."""

    name: str
    _inbound_nodes: list[Node]
    _outbound_nodes: list[Node]

    @property
    def inbound_nodes(self) -> list[Node]:
        """The calls of this layer on symbols. Programs of Keras 1 and 2 also set it."""
        return self._inbound_nodes

    @inbound_nodes.setter
    def inbound_nodes(self, nodes: list[Node]) -> None:
        self._inbound_nodes = nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """The calls of other layers that took an output of this one.

        Programs of Keras 1 and 2 that take the last layer off a model set it to `[]`.
        """
        return self._outbound_nodes

    @outbound_nodes.setter
    def outbound_nodes(self, nodes: list[Node]) -> None:
        self._outbound_nodes = nodes

    def _node_at(self, node_index: int, what: str) -> Node:
        if not self.inbound_nodes:
            raise StateError(
                f"The layer {self.name} has never been called and thus has no defined {what}. Call it on an input "
                "(or give its first layer an input_shape)."
            )
        if not -len(self.inbound_nodes) <= node_index < len(self.inbound_nodes):
            raise WrongPlaceError(
                f"Asked to get {what} at node {node_index}, but the layer {self.name} has only "
                f"{len(self.inbound_nodes)} inbound nodes."
            )
        return self.inbound_nodes[node_index]

    def _only_node(self, what: str) -> Node:
        if len(self.inbound_nodes) > 1:
            raise GraphAttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is ill-defined. '
                f"Use `get_{what.replace(' ', '_')}_at(node_index)` instead."
            )
        if not self.inbound_nodes:
            raise GraphAttributeError(
                f"Layer {self.name} is not connected, no {what} to return. Call it on a tensor, or add it to a model."
            )
        return self.inbound_nodes[0]

    def get_input_at(self, node_index: int) -> Any:
        """The input of one of the layer's calls.

        Args:
            node_index: number of the call, from 0; -1 is the last.

        Returns: a symbolic tensor, or a list of them.
        Raises: StateError if it was never called; WrongPlaceError if there was no such call.
        """
        return unpack(self._node_at(node_index, "input").input_tensors)

    def get_output_at(self, node_index: int) -> Any:
        """The output of one of the layer's calls.

        Args:
            node_index: number of the call, from 0; -1 is the last.

        Returns: a symbolic tensor, or a list of them.
        Raises: StateError if it was never called; WrongPlaceError if there was no such call.
        """
        return unpack(self._node_at(node_index, "output").output_tensors)

    def get_input_shape_at(self, node_index: int) -> Any:
        """The input shape of one of the layer's calls.

        Args:
            node_index: number of the call, from 0; -1 is the last.

        Returns: a shape with the batch axis, or a list of them.
        Raises: StateError if it was never called; WrongPlaceError if there was no such call.
        """
        return unpack(self._node_at(node_index, "input shape").input_shapes)

    def get_output_shape_at(self, node_index: int) -> Any:
        """The output shape of one of the layer's calls.

        Args:
            node_index: number of the call, from 0; -1 is the last.

        Returns: a shape with the batch axis, or a list of them.
        Raises: StateError if it was never called; WrongPlaceError if there was no such call.
        """
        return unpack(self._node_at(node_index, "output shape").output_shapes)

    def get_input_mask_at(self, node_index: int) -> Any:
        """The mask of the input of one of the layer's calls.

        Args:
            node_index: number of the call, from 0; -1 is the last.

        Returns: a symbolic tensor or None, or a list of them.
        Raises: StateError if it was never called; WrongPlaceError if there was no such call.
        """
        return unpack(self._node_at(node_index, "input mask").input_masks)

    def get_output_mask_at(self, node_index: int) -> Any:
        """The mask of the output of one of the layer's calls.

        Args:
            node_index: number of the call, from 0; -1 is the last.

        Returns: a symbolic tensor or None, or a list of them.
        Raises: StateError if it was never called; WrongPlaceError if there was no such call.
        """
        return unpack(self._node_at(node_index, "output mask").output_masks)

    @property
    def input(self) -> Any:
        """The input tensor (or list) of the only call.

        Raises: GraphAttributeError if the layer was called never or more than once.
        """
        return unpack(self._only_node("input").input_tensors)

    @property
    def output(self) -> Any:
        """The output tensor (or list) of the only call.

        Raises: GraphAttributeError if the layer was called never or more than once.
        """
        return unpack(self._only_node("output").output_tensors)

    @property
    def input_mask(self) -> Any:
        """The mask of the input of the only call, or None.

        Raises: GraphAttributeError if the layer was called never or more than once.
        """
        return unpack(self._only_node("input mask").input_masks)

    @property
    def output_mask(self) -> Any:
        """The mask of the output of the only call, or None.

        Raises: GraphAttributeError if the layer was called never or more than once.
        """
        return unpack(self._only_node("output mask").output_masks)

    @property
    def input_shape(self) -> Any:
        """The shape of the input with the batch axis, if all calls agree on it; a list of shapes for several inputs.

        Raises: GraphAttributeError if the layer was never called, or on inputs of different shapes.
        """
        return self._agreed("input shape", [n.input_shapes for n in self.inbound_nodes])

    @property
    def output_shape(self) -> Any:
        """The shape of the output with the batch axis, if all calls agree on it; a list of shapes for several outputs.

        Raises: GraphAttributeError if the layer was never called, or gave outputs of different shapes.
        """
        return self._agreed("output shape", [n.output_shapes for n in self.inbound_nodes])

    def _agreed(self, what: str, found: list[Any]) -> Any:
        if not found:
            raise GraphAttributeError(f"The layer {self.name} has never been called and thus has no defined {what}.")
        if any(shapes != found[0] for shapes in found):
            raise GraphAttributeError(
                f"The layer {self.name} has multiple inbound nodes with different {what}s. Hence the notion of "
                f'"{what}" is ill-defined for it. Use `get_{what.replace(" ", "_")}_at(node_index)` instead.'
            )
        return unpack(found[0])
