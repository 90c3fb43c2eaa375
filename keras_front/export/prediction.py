"""How a model predicts, recorded as a program whose batch has any size, and the values of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_front.backend import codegen, discovery, program
from keras_front.backend.ir import Program
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, SerializationError, StateError
from keras_front.graph.node import is_fed

__all__ = ["Prediction", "Signature", "fed_inputs", "name_of", "record"]


class Signature(NamedTuple):
    """An input of an exported program.

    Attributes:
        name: its name.
        shape: its shape with the batch; None for a size that is open.
        dtype: the name of its dtype.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Prediction(NamedTuple):
    """What a model computes from its inputs.

    Attributes:
        program: from lists of weights, of states and of inputs to the list of outputs.
        weights: the values of the weights, in the order of the program.
        states: those of the states of layers, in the order of the program.
        weight_names: the names of weights and states.
        inputs: what it takes.
        outputs: the names of what it gives.
    """

    program: Program
    weights: list[np.ndarray]
    states: list[np.ndarray]
    weight_names: list[str]
    inputs: list[Signature]
    outputs: list[str]

    def straight_line(self) -> Callable[[list[Any], list[Any], list[Any]], list[Any]]:
        """The program as a function of weights, states and inputs, for the tensors of its backend.

        Sizes that are open are computed beside the tensors, by Python, and never become tensors: an engine that records
        the function meets them as what it has for open sizes.
        """
        return _straight_line(self.program)


def _straight_line(program: Program) -> Callable[..., Any]:
    text, scope = codegen.parts_of(program, _straight_line)
    backend = program.backend
    held = {id(v): _as_objects(v, {}) for v in scope.values() if backend.is_tensor(v) and _is_small(backend, v)}
    for name, value in list(scope.items()):
        if callable(value) and hasattr(backend, name):
            scope[name] = _on_sizes(value, name, held)
    scope["symbolic_shape"] = lambda x: _objects(list(backend.open_sizes(x)))
    scope["int"] = lambda size: size.item() if isinstance(size, np.ndarray) else int(size)
    exec(compile(text, "<exported program>", "exec"), scope)
    run: Callable[..., Any] = scope["program"]
    return run


def _objects(items: list[Any]) -> np.ndarray:
    array = np.empty(len(items), object)
    for place, item in enumerate(items):
        array[place] = item
    return array


def _is_small(backend: Any, value: Any) -> bool:
    return all(n <= 16 for n in backend.shape_of(value)) and len(backend.shape_of(value)) < 2


def _on_sizes(function: Callable[..., Any], name: str, held: Mapping[int, np.ndarray]) -> Callable[..., Any]:
    """An op that computes with sizes in NumPy, where they may be objects of an engine, and with tensors as ever.

    Args:
        function: the op on tensors.
        name: its name.
        held: small constants as objects, by their identity: while an engine records, their values cannot be had.
    """

    def call(*args: Any, **attrs: Any) -> Any:
        if not any(isinstance(a, np.ndarray) and a.dtype == object for a in _flat(args)):
            return function(*args, **attrs)
        host = getattr(discovery.get("numpy"), name)
        result = host(*[_as_objects(a, held) for a in args], **attrs)
        if isinstance(result, np.ndarray):
            return result
        scalar = np.empty((), object)
        scalar[()] = result
        return scalar

    return call


def _flat(args: tuple[Any, ...]) -> list[Any]:
    return [part for a in args for part in (a if isinstance(a, list) else [a])]


def _as_objects(value: Any, held: Mapping[int, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_as_objects(part, held) for part in value]
    if id(value) in held:
        return held[id(value)]
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value
    return discovery.host_value(value).astype(object)


def record(model: Any, backend: Any, batch_size: int | None = None) -> Prediction:
    """What a model computes, as a program for a backend.

    Args:
        model: a built model.
        backend: the adapter that the program is for.
        batch_size: the only size that the batch will have; None for any.

    Raises: StateError for a model that was not built; SerializationError for one that looks up words on the host, or
        draws noise when it predicts.
    """
    _check(model)
    with discovery.use_backend(backend):
        steps = model._predictor(None).steps
        inputs = [
            Signature(name, (t.shape[0] if batch_size is None else batch_size, *t.shape[1:]), t.dtype)
            for name, t in fed_inputs(model).items()
        ]

        def trace() -> tuple[Program, list[list[Any]]]:
            kinds = [list(steps.variables.constant), list(steps.variables.carried)]
            like = [[SymbolicTensor(v.shape, v.dtype) for v in kind] for kind in (*kinds, inputs)]
            return program.trace(backend, steps.predict_function(), like), kinds

        found, (weights, states) = steps.knowing_variables("predict", trace)
    if found.captures:
        raise SerializationError(f"export: {model.name!r} draws noise when it predicts, or reads {found.captures}.")
    return Prediction(
        found.changed(results=found.results[1]),
        [v.numpy() for v in weights],
        [v.numpy() for v in states],
        [name_of(v) for v in (*weights, *states)],
        inputs,
        list(model.output_names),
    )


def fed_inputs(model: Any) -> dict[str, SymbolicTensor]:
    """The inputs of a model into which data go, by name; others bring a value of their own."""
    named = zip(model.input_names, model.inputs, strict=True)
    return {name: t for name, t in named if not model._is_graph_network or is_fed(t)}


def name_of(variable: Any) -> str:
    """What a variable is called in another format."""
    return str(variable.name).removesuffix(":0")


def _check(model: Any) -> None:
    if not model.built or not model.inputs:
        raise StateError(f"export: {model.name!r} was not built. Call it on data, or give its first layer a shape.")
    for layer in model.all_layers():
        if getattr(layer, "runs_on_host", False):
            raise SerializationError(
                f"export: layer {layer.name!r} ({type(layer).__name__}) looks up words on the host, for which a "
                "program has no place. Export the layers behind it as a model of their own."
            )


def check_batch(batch_size: Any) -> None:
    """Raise unless a size of the batch is None or a positive whole number.

    Args:
        batch_size: what was given.

    Raises: ArgumentError.
    """
    if batch_size is not None and (not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1):
        raise ArgumentError(f"export: expected batch_size to be None or a positive integer, received {batch_size!r}.")
