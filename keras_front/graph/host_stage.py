"""The host stage of a model: its layers of strings run on the data, before the steps, which take what they give.

No engine has tensors of strings or hashes. What such a layer is called on is found by running the model once on
symbols, wherever the layer stands: in the model, in a model inside it, or in the `call` of a subclass. In a step each
of its calls gives what the stage has made of the data, in the order of the calls. Data of any length are mapped at once
where the width of the result is fixed, otherwise batch by batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.backend import state, symbolic
from keras_front.backend.ops.arrangement import shape_only
from keras_front.backend.symbolic import leaves_of
from keras_front.errors import ArgumentError, DtypeError
from keras_front.nest import flatten, map_structure

_TAKER: ContextVar[Callable[[Any, Any], Any] | None] = ContextVar("keras_front_host_taker", default=None)


class HostCall(NamedTuple):
    """A call of a layer of strings.

    Attributes:
        layer: the layer.
        inputs: the symbols that it was called on, in their structure.
        output: a placeholder for what it gives.
    """

    layer: Any
    inputs: Any
    output: Any

    @property
    def fixed(self) -> bool:
        """Whether the size of a row does not depend on the others."""
        return None not in self.output.shape[1:]


class HostStage:
    """All calls of layers of strings in a model, in the order in which the model makes them.

    Args:
        model: a model whose inputs are known.
    """

    def __init__(self, model: Any):
        self.inputs = [symbolic.placeholder(tuple(t.shape), t.dtype) for t in model.inputs]
        self.calls: list[HostCall] = []
        with state.scratch(), _taking(self._note):
            model.run(model.arranged(self.inputs))

    def _note(self, layer: Any, inputs: Any) -> Any:
        shape, dtype = layer.host_output(map_structure(lambda t: tuple(t.shape), inputs))
        self.calls.append(HostCall(layer, inputs, symbolic.placeholder(shape, dtype)))
        return self.calls[-1].output

    def feeds(self, arrays: Sequence[Any], whole: bool) -> list[Any]:
        """What goes into a step: the arrays that are no strings, then what the layers make of the data.

        Args:
            arrays: the data of each input.
            whole: whether nothing may be left to be read in parts.
        """
        numbers = [array for array, t in zip(arrays, self.inputs, strict=True) if t.dtype != "string"]
        rows = [HostRows(self, place, arrays) for place in range(len(self.calls))]
        eager = [whole or call.fixed for call in self.calls]
        return [*numbers, *(np.asarray(row) if now else row for row, now in zip(rows, eager, strict=True))]

    def output(self, place: int, arrays: Sequence[Any]) -> np.ndarray:
        """What the call of a number gives for data.

        Args:
            place: number of the call.
            arrays: the data of each input.
        """
        values = {t: _value(t, array) for t, array in zip(self.inputs, arrays, strict=True)}
        for call in self._needed(place):
            values[call.output] = call.layer.on_host(map_structure(lambda t: _replayed(t, values), call.inputs))
        output = self.calls[place].output
        return np.asarray(K.to_numpy(values[output]), output.dtype)

    def _needed(self, place: int) -> list[HostCall]:
        """A call, after those whose outputs it is called on."""
        wanted, needed = {self.calls[place].output}, []
        for call in reversed(self.calls[: place + 1]):
            if call.output in wanted:
                needed.append(call)
                wanted |= symbolic.ancestors(leaves_of([call.inputs]))
        return needed[::-1]


class HostRows:
    """What a layer of strings makes of data when their rows are read, each time as wide as these rows need.

    Args:
        stage: the stage.
        place: number of the call in it.
        arrays: the data of each input of the model.
    """

    def __init__(self, stage: HostStage, place: int, arrays: Sequence[Any]):
        self.stage, self.place, self.arrays = stage, place, arrays
        self.shape = (len(arrays[0]), *stage.calls[place].output.shape[1:])

    def __getitem__(self, rows: Any) -> HostRows:
        return HostRows(self.stage, self.place, [array[rows] for array in self.arrays])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.stage.output(self.place, self.arrays), dtype)


def _value(tensor: Any, array: Any) -> Any:
    return array if tensor.dtype == "string" else K.convert(np.asarray(array))


def _replayed(tensor: Any, values: dict[Any, Any]) -> Any:
    return values[tensor] if tensor in values else symbolic.replay(tensor, values)


def stage_of(model: Any) -> HostStage | None:
    """The host stage of a model; None if no layer in it is one of strings, or its inputs are not known.

    Args:
        model: the model.
    """
    if not model.inputs or not any(layer.runs_on_host for layer in model.all_layers()):
        return None
    return HostStage(model)


def fed(stage: HostStage | None, arrays: list[Any]) -> Any:
    """A context for a step of a model, which gives the model's inputs: placeholders where data are strings.

    Args:
        stage: the model's, or None.
        arrays: what `HostStage.feeds` has made, as the tensors of the step.
    """
    return nullcontext(arrays) if stage is None else _fed(stage, arrays)


@contextmanager
def _fed(stage: HostStage, arrays: list[Any]) -> Iterator[list[Any]]:
    given = iter(arrays)
    inputs = [symbolic.placeholder(t.shape, "string") if t.dtype == "string" else next(given) for t in stage.inputs]
    outputs = itertools.cycle(list(given))  # a step of the user's own may call the model again
    with _taking(lambda layer, inputs: next(outputs)):
        yield inputs


@contextmanager
def _taking(taker: Callable[[Any, Any], Any]) -> Iterator[None]:
    token = _TAKER.set(taker)
    try:
        yield
    finally:
        _TAKER.reset(token)


def output_of(layer: Any, inputs: Any) -> Any:
    """The output of a layer of strings for symbols: in a step what was fed, otherwise only its shape and dtype.

    Args:
        layer: the layer.
        inputs: the symbols that it is called on.
    """
    taker = _TAKER.get()
    if taker is not None:
        return taker(layer, inputs)
    shape, dtype = layer.host_output(map_structure(lambda t: tuple(t.shape), inputs))
    return shape_only(next(leaves_of([inputs])), shape, dtype, type(layer).__name__)


def check_untrained(layer: Any, inputs: Any) -> None:
    """Raise if what a layer of strings is called on depends on weights, which change from step to step.

    Args:
        layer: the layer.
        inputs: the symbols that it is called on.

    Raises: DtypeError.
    """
    tensors, seen = list(flatten(inputs)), set()
    while tensors:
        tensor = tensors.pop()
        if tensor in seen or not getattr(tensor, "history", None):
            continue
        seen.add(tensor)
        before, number, _ = tensor.history
        if before.trainable_weights:
            raise DtypeError(
                f"{layer.name}: expected an array, a list or an Input of the model, received the symbolic tensor "
                f"{tensor.name!r}, which is computed by the weights of {before.name!r} in a step. No backend has "
                "tensors of strings or hashes; call the layer on the Input, or on the data before the model."
            )
        tensors.extend(before._inbound_nodes[number].needed_tensors)


def is_text(value: Any) -> bool:
    """Whether data are strings or bytes: an array of them, nested lists, or a column of a data frame.

    Args:
        value: the data.
    """
    while isinstance(value, list | tuple):
        value = value[0] if value else None
    if isinstance(value, str | bytes):
        return True
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return kind in ("U", "S", "T") or (kind == "O" and _first_is_text(value))


def _first_is_text(value: Any) -> bool:
    first = next(iter(np.asarray(value, object).flat), None)
    return isinstance(first, str | bytes)


def text_array(value: Any, name: str) -> np.ndarray:
    """An array of strings or bytes.

    Args:
        value: an array, a list, or what a data frame holds.
        name: of the input, for the message.

    Raises: ArgumentError for anything else than strings and bytes.
    """
    array = np.asarray(getattr(value, "values", value) if hasattr(value, "iloc") else value)
    good = array.dtype.kind in "UST" or all(isinstance(item, str | bytes) for item in array.ravel().tolist())
    if not good or not array.ndim:
        raise ArgumentError(
            f"The data for {name!r} have dtype {array.dtype}; expected an array or list of strings or bytes, because "
            "the input has dtype 'string'."
        )
    return array
