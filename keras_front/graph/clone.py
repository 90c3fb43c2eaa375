"""`clone_model`: the same structure with new layers and new weights, optionally on other inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend import symbolic
from keras_front.backend.symbolic import leaves_of, map_structure
from keras_front.errors import ArgumentError
from keras_front.registry import custom_object_scope, name_of

from .inputs import Input, InputLayer
from .network import Network
from .node import Node, unpack
from .sequential import SequentialNetwork


def clone_model(model: Any, input_tensors: Any = None, clone_function: Callable[[Any], Any] | None = None) -> Any:
    """A model of the same structure with newly drawn weights.

    Args:
        model: a Sequential or a model made of tensors.
        input_tensors: tensors to build on instead of new `Input`s.
        clone_function: makes the new layer from the old one; by default through its config.

    Raises: ArgumentError for a subclassed model, whose structure is not known.
    Source: Keras 2.3.1, `keras/models.py`.
    """
    known = {name_of(type(layer)): type(layer) for layer in model.all_layers()}
    with custom_object_scope(known):
        return _clone(model, input_tensors, clone_function or _through_config)


def _through_config(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _clone(model: Any, input_tensors: Any, copy: Callable[[Any], Any]) -> Any:
    if isinstance(model, SequentialNetwork):
        return _clone_sequential(model, input_tensors, copy)
    if not isinstance(model, Network) or not model._is_graph_network:
        raise ArgumentError(
            f"clone_model: expected a Sequential or a model made with `Model(inputs, outputs)`, received {model!r}."
        )
    return _clone_graph(model, input_tensors, copy)


def _clone_layer(layer: Any, copy: Callable[[Any], Any]) -> Any:
    if isinstance(layer, Network) and (layer._is_graph_network or isinstance(layer, SequentialNetwork)):
        return _clone(layer, None, copy)
    return copy(layer)


def _clone_sequential(model: SequentialNetwork, input_tensors: Any, copy: Callable[[Any], Any]) -> Any:
    layers = [_clone_layer(layer, copy) for layer in model.layers]
    start: list[Any] = []
    if input_tensors is not None:
        start = [_as_input(t) for t in leaves_of([input_tensors])]
        if len(start) != 1:
            raise ArgumentError(f"clone_model: a Sequential has one input, received {len(start)} input tensors.")
    elif model._explicit_input is not None:
        start = [InputLayer.from_config(model._explicit_input.get_config())]
    result = type(model)(start + layers, name=model.name)
    if not result.inputs and model.inputs:
        result.build(model.inputs[0].shape)
    return result


def _as_input(tensor: Any) -> Any:
    made_by = tensor.history[0] if tensor.history else None
    return tensor if isinstance(made_by, InputLayer) else Input(tensor=tensor)


def _clone_graph(model: Any, input_tensors: Any, copy: Callable[[Any], Any]) -> Any:
    if input_tensors is None:
        starts = [Input(batch_shape=t.shape, dtype=t.dtype, name=layer.name)
                  for t, layer in zip(model.inputs, model._input_layers, strict=True)]  # fmt: skip
    else:
        starts = list(leaves_of([input_tensors]))
    if len(starts) != len(model.inputs):
        raise ArgumentError(f"clone_model: expected {len(model.inputs)} input tensors, received {len(starts)}.")
    new: dict[Any, Any] = dict(zip(model.inputs, starts, strict=True))
    layers: dict[Any, Any] = {}
    for node in model._graph.order:
        if all(t in new for t in node.output_tensors):
            continue
        if isinstance(node, Node):
            _clone_node(node, new, layers, copy)
        else:
            new[node.result] = symbolic.replay(node.result, {t: new[t] for t in node.feeds})
    outputs = map_structure(lambda t: new[t], model._output_form)
    return type(model)(unpack(starts), outputs, name=model.name)


def _clone_node(node: Node, new: dict[Any, Any], layers: dict[Any, Any], copy: Callable[[Any], Any]) -> None:
    if node.layer not in layers:
        layers[node.layer] = _clone_layer(node.layer, copy)
    args, arguments = map_structure(lambda item: new.get(item, item) if symbolic.is_symbolic(item) else item,
                                    (node.args, node.arguments))  # fmt: skip
    outputs = layers[node.layer](*args, **arguments)
    new.update(zip(node.output_tensors, leaves_of([outputs]), strict=True))
