"""The records of a schedule. `keras_front_numpy.codegen` prints them as Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..buffers import Operand

_NO_ATTRS: Mapping[str, Any] = MappingProxyType({})


class View(NamedTuple):
    """Another way to see the same memory.

    Attributes:
        kind: "transpose", "broadcast_to", "reshape", "moveaxis" or "index".
        value: The axes, the shape, (from, to), or a tuple of slices.
    """

    kind: str
    value: Any

    def of(self, array: np.ndarray) -> np.ndarray:
        """This view of an array."""
        return _VIEWS[self.kind](array, self.value)


_VIEWS: dict[str, Callable[[np.ndarray, Any], np.ndarray]] = {
    "transpose": lambda array, axes: array.transpose(axes),
    "broadcast_to": np.broadcast_to,
    "reshape": lambda array, shape: array.reshape(shape),
    "moveaxis": lambda array, places: np.moveaxis(array, *places),
    "index": lambda array, index: array[index],
}


class Operation(NamedTuple):
    """One or a few calls of the generated code.

    Attributes:
        kind: Which emitter prints it. Most are "kernel": `function(*inputs, *attrs.values(), output)`.
        inputs: Operands, None, or lists of these.
        outputs: The operands that it writes.
        function: What is called, where the kind does not say it.
        name: The name of `function` in the generated code.
        attrs: What else the emitter needs.
        scratch: Memory that is free again after the operation.
    """

    kind: str
    inputs: Any
    outputs: Any = ()
    function: Any = None
    name: str = ""
    attrs: Mapping[str, Any] = _NO_ATTRS
    scratch: tuple[Operand, ...] = ()


class Steps(NamedTuple):
    """What a loop variable runs over: the rows of an operand, known arrays or those of a register."""

    arrays: tuple[np.ndarray, ...] | None
    operand: Operand | None = None
    reverse: bool = False


class Loop(NamedTuple):
    """A loop of `length` steps: in each the `registers` are the next of `steps`, and the operations of `body` run."""

    length: int
    registers: tuple[str, ...]
    steps: tuple[Steps, ...]
    body: tuple[Operation, ...]


class Parameter(NamedTuple):
    """A parameter of the generated function.

    Attributes:
        name: Its name.
        registers: For a list, the variable of each element, None for one that is not used; None for a single tensor.
        state: (first, last + 1) of the arrays of the state that it must be, for donated state.
        single: Whether donated state is a tensor and not a list.
    """

    name: str
    registers: tuple[str | None, ...] | None = None
    state: tuple[int, int] | None = None
    single: bool = False


class StateResult(NamedTuple):
    """A result that is the arrays of the state from `first` on, up to `last`; `single` if it is one tensor."""

    first: int
    last: int
    single: bool


class Schedule(NamedTuple):
    """A whole program: its parameters, operations and results, and the arrays in which its state lies.

    `results` is a nesting of operands, of `StateResult` and of constants.
    """

    parameters: tuple[Parameter, ...]
    operations: tuple[Operation, ...]
    results: Any
    state: tuple[np.ndarray, ...]
