"""`clone_model`: the same structure with new layers and new weights, optionally on other inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures
from keras_front.nest import flatten, map_structure
from keras_front.registry import custom_object_scope, name_of

from .inputs import Input, InputLayer
from .network import Network
from .sequential import SequentialNetwork
from .structure import Rebuilt, Structure

N = TypeVar("N", bound=Network)


@explains_failures
def clone_model(model: N, input_tensors: Any = None, clone_function: Callable[[Any], Any] | None = None) -> N:
    """A model of the same structure with newly drawn weights.

    Args:
        model: a Sequential or a model made of tensors.
        input_tensors: what to build on instead of new `Input`s, in the order of the inputs or by their names: tensors
            of layers, placeholders, variables, arrays. Inputs for which there is none are made anew.
        clone_function: makes the new layer from the old one; by default through its config.

    Returns: a model of the same class; what `add_loss` and `add_metric` put into the graph is in it too.
    Raises: ArgumentError for a subclassed model, whose structure is not known.
    Source: Keras 2.3.1, `keras/models.py`.
    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential, clone_model
        >>> clone_model(Sequential([Dense(2, input_shape=(3,))])).count_params()
        8
    """
    known = {name_of(type(layer)): type(layer) for layer in model.all_layers()}
    with custom_object_scope(known):
        return _clone(model, input_tensors, _Clones(clone_function or _through_config))


def _through_config(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _clone(model: Any, input_tensors: Any, clones: _Clones) -> Any:
    if isinstance(model, Network):
        model._warn_of_functions("a clone")
    if isinstance(model, SequentialNetwork) and (model.begins_joined or not model._is_graph_network):
        return _clone_waiting(model, input_tensors, clones)
    if not isinstance(model, Network) or not model._is_graph_network:
        raise ArgumentError(
            f"clone_model: expected a Sequential or a model made with `Model(inputs, outputs)`, received {model!r}."
        )
    return _clone_graph(model, input_tensors, clones)


def _clone_waiting(model: SequentialNetwork, input_tensors: Any, clones: _Clones) -> Any:
    """A Sequential whose layers wait for an input, or have one now."""
    layers = [clones.of(layer) for layer in model.layers]
    start = [] if input_tensors is None else [_as_input(t) for t in flatten(input_tensors)]
    if len(start) > 1:
        raise ArgumentError(f"clone_model: a Sequential has one input, received {len(start)} input tensors.")
    if input_tensors is None and model._explicit_input is not None:
        start = [InputLayer.from_config(model._explicit_input.get_config())]
    return type(model)(start + layers, name=model.name)


def _as_input(tensor: Any) -> Any:
    history = getattr(tensor, "history", None)
    return tensor if history and isinstance(history[0], InputLayer) else Input(tensor=tensor)


def _as_keras_tensor(tensor: Any) -> Any:
    return tensor if getattr(tensor, "history", None) else Input(tensor=tensor)


def _starts(model: Any, given: Any) -> list[Any]:
    """An input for the clone for each of the model's: the one that was given for it, else a new one."""
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in model.input_names]
        if unknown:
            raise ArgumentError(f"clone_model: expected the input names {model.input_names}, received also {unknown}.")
        given = [given.get(name) for name in model.input_names]
    tensors = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    if len(tensors) > len(model.inputs):
        raise ArgumentError(f"clone_model: expected {len(model.inputs)} input tensors, received {len(tensors)}.")
    as_start = _as_input if isinstance(model, SequentialNetwork) else _as_keras_tensor
    tensors += [None] * (len(model.inputs) - len(tensors))
    return [
        as_start(tensor)
        if tensor is not None
        else Input(batch_shape=old.shape, dtype=old.dtype, name=layer.name if layer is not None else None)
        for tensor, old, layer in zip(tensors, model.inputs, model._input_layers, strict=True)
    ]


def _clone_graph(model: Any, input_tensors: Any, clones: _Clones) -> Any:
    starts = _starts(model, input_tensors)
    structure = Structure(model)
    made = Rebuilt(structure, starts, clones.of, clones.weight_of)
    outputs, reports = made.decoded(map_structure(structure.encoded, (model._output_form, model._reported)))
    if isinstance(model, SequentialNetwork):
        result = type(model)(name=model.name)
        chain = made.decoded(map_structure(structure.encoded, model._chain))
        result.restack(model, [clones.of(layer) for layer in model.layers], made.inputs, chain)
    else:
        result = type(model)(model.as_inputs(list(starts)), outputs, name=model.name)
    result.adopt_reports(t.history[0] for t in reports)
    return result


class _Clones:
    """The new layers by the old ones, for a model and the models in it: what these share, their clones share."""

    def __init__(self, copy: Callable[[Any], Any]):
        self._copy, self._made = copy, {}  # type: ignore[var-annotated]

    def of(self, layer: Any) -> Any:
        """The clone of a layer, made when it is first asked for; an input with a fixed value is itself."""
        if isinstance(layer, InputLayer):
            return layer
        if layer not in self._made:
            self._made[layer] = self._make(layer)
        return self._made[layer]

    def _make(self, layer: Any) -> Any:
        if isinstance(layer, Network) and (layer._is_graph_network or isinstance(layer, SequentialNetwork)):
            return _clone(layer, None, self)
        return self._copy(layer)

    def weight_of(self, variable: Any) -> Any:
        """The weight of a clone in place of that of the layer; a variable of no layer stays."""
        for old, new in self._made.items():
            for before, after in zip(old.weights, new.weights, strict=False):
                if before is variable:
                    return after
        return variable
