"""Names of `keras.engine.topology`, `base_layer` and `network` beside layers and models.

Source: Keras 1.2.2, `keras/engine/topology.py`; 2.2.4 and 2.3.1, `keras/engine/base_layer.py` and `network.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from keras_front import backend as K
from keras_front import graph, models
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError
from keras_front.graph.layer_values import snake_case
from keras_front.graph.node import is_computed
from keras_front.nest import unique
from keras_front.utils.generic_utils import object_list_uid, to_list, unpack_singleton

__all__ = [
    "Container",
    "Functional",
    "InputLayer",
    "Model",
    "Network",
    "Node",
    "disable_tracking",
    "get_source_inputs",
    "object_list_uid",
    "to_list",
    "unpack_singleton",
]

InputLayer = graph.InputLayer
Container = Network = Functional = Model = models.Model
_object_list_uid, _to_list = object_list_uid, to_list
F = TypeVar("F", bound=Callable[..., Any])


class _AnyNode(type(graph.Node)):  # type: ignore[misc]
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, graph.Node)


class Node(graph.Node, metaclass=_AnyNode):
    """A call of a layer, entered by hand: `Node(layer, inbound_layers, ...)`, as layers of Keras 1 and 2 made it.

    Args:
        outbound_layer: the layer that was called.
        inbound_layers: the layers that made its inputs.
        node_indices: which call of each of them.
        tensor_indices: which output of that call.
        input_tensors: the inputs.
        output_tensors: the outputs.
        input_masks: a mask or None for each input.
        output_masks: a mask or None for each output.
        input_shapes: not used: tensors know their shapes.
        output_shapes: not used.
        arguments: keyword arguments of the call.
    """

    __slots__ = ()

    def __init__(
        self,
        outbound_layer: Any,
        inbound_layers: Sequence[Any],
        node_indices: Sequence[int],
        tensor_indices: Sequence[int],
        input_tensors: Sequence[SymbolicTensor],
        output_tensors: Sequence[SymbolicTensor],
        input_masks: Sequence[Any],
        output_masks: Sequence[Any],
        input_shapes: Any,
        output_shapes: Any,
        arguments: dict[str, Any] | None = None,
    ) -> None:
        given = (unpack_singleton(list(input_tensors)),) if input_tensors else ()
        output = unpack_singleton(list(output_tensors))
        super().__init__(outbound_layer, given, arguments or {}, output, list(input_masks), list(output_masks))
        outbound_layer._inbound_nodes.append(self)
        for place, tensor in enumerate(output_tensors):
            tensor.history = (outbound_layer, len(outbound_layer._inbound_nodes) - 1, place)

    @classmethod
    def create_node(
        cls,
        outbound_layer: Any,
        inbound_layers: Sequence[Any],
        node_indices: Sequence[int] | None = None,
        tensor_indices: Sequence[int] | None = None,
    ) -> graph.Node:
        """Call a layer on outputs of others.

        Args:
            outbound_layer: the layer to call.
            inbound_layers: the layers whose outputs are its inputs.
            node_indices: which call of each of them; by default the first.
            tensor_indices: which output of that call; by default the first.
        """
        calls = node_indices or [0] * len(inbound_layers)
        places = tensor_indices or [0] * len(inbound_layers)
        rows = zip(inbound_layers, calls, places, strict=True)
        inputs = [layer._inbound_nodes[call].output_tensors[place] for layer, call, place in rows]
        outbound_layer(unpack_singleton(inputs))
        return outbound_layer._inbound_nodes[-1]


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> list[SymbolicTensor]:
    """The inputs from which a tensor is computed.

    Args:
        tensor: a symbolic tensor, or a list whose first one counts.
        layer: the layer that made it; by default what the tensor says.
        node_index: which call of the layer.

    Returns: the tensors of input layers, each once; the tensor itself if no layer made it.
    Raises: ArgumentError for something that is no symbolic tensor.
    """
    tensor = tensor[0] if isinstance(tensor, list | tuple) else tensor
    if not isinstance(tensor, SymbolicTensor):
        raise ArgumentError(f"get_source_inputs: expected a symbolic tensor, received {type(tensor).__name__}.")
    start = [tensor] if layer is None else layer._inbound_nodes[node_index or 0].needed_tensors or [tensor]
    found: list[SymbolicTensor] = []
    stack, seen = list(reversed(start)), set()
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        needed = _needed_by(current)
        if not needed:
            found.append(current)
        stack.extend(reversed(needed))
    return unique(found)


def _needed_by(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    if tensor.history:
        layer, call, _ = tensor.history
        return layer._inbound_nodes[call].needed_tensors
    return [] if tensor.origin is None else [one for one in tensor.origin.tensors() if is_computed(one)]


def _collect_previous_mask(input_tensors: Any) -> Any:
    """The masks that tensors have from the calls that made them.

    Args:
        input_tensors: a tensor or a list of them.
    """
    masks = [_mask_of(tensor) for tensor in to_list(input_tensors)]
    return unpack_singleton(masks)


def _mask_of(tensor: Any) -> Any:
    history = getattr(tensor, "history", None)
    if not history:
        return None
    layer, call, place = history
    return layer._inbound_nodes[call].output_masks[place]


def _collect_input_shape(input_tensors: Any) -> Any:
    """The shapes of tensors.

    Args:
        input_tensors: a tensor or a list of them.
    """
    return unpack_singleton([K.int_shape(tensor) for tensor in to_list(input_tensors)])


def _to_snake_case(name: str) -> str:
    """A name of a class as that of its objects: 'MaxPooling2D' gives 'max_pooling2d'.

    Args:
        name: the name of the class.
    """
    return snake_case(name)


def disable_tracking(func: F) -> F:
    """Decorator that changes nothing.

    Args:
        func: the function.
    """
    return func
