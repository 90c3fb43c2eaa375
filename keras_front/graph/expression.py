"""Symbols as data: what stands for a symbol in the arguments of a call, so that they can be copied and pickled.

`Expression` is a symbol that was computed from variables alone, such as a penalty given to `add_loss`; a copy computes
it from the variables of the copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.backend import symbolic
from keras_front.backend.ops.recurrence import Body
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import SerializationError, StateError
from keras_front.nest import map_structure

from . import bodies
from .arguments import SYMBOLS, Unwritable
from .functions import is_named, named


class Numbered(NamedTuple):
    """Stands for the tensor of that number."""

    number: int


class ValueOf(NamedTuple):
    """Stands for the symbol of a variable."""

    variable: Variable


class Constant(NamedTuple):
    """Stands for a constant symbol."""

    value: np.ndarray
    dtype: str


class Symbol(NamedTuple):
    """Stands for the learning phase or the counter of steps."""

    name: str


class Loop(NamedTuple):
    """Stands for the body of a loop, or of a function with a gradient of its own."""

    config: dict[str, Any]


def encoded(item: Any, numbers: Mapping[int, int]) -> Any:
    """What stands for a symbol; anything else is itself.

    Args:
        item: a leaf of the arguments of a call.
        numbers: the numbers of the tensors that are known, by their ids.

    Raises: StateError for a tensor without a number that is no constant and no value of a variable.
    """
    if isinstance(item, Body):
        return _of_body(item)
    if not isinstance(item, SymbolicTensor):
        return item
    if id(item) in numbers:
        return Numbered(numbers[id(item)])
    if isinstance(item.variable, Variable):
        return ValueOf(item.variable)
    if item.constant is not None:
        return Constant(K.to_numpy(item.constant), item.dtype)
    for name, symbol in SYMBOLS.items():
        if item is symbol:
            return Symbol(name)
    raise StateError(f"Cannot copy {item!r}: expected a tensor of the model.")


def _of_body(body: Body) -> Any:
    try:
        return Loop(bodies.written(body))
    except SerializationError as error:
        return Unwritable(body, str(error))


def decoded(
    structure: Any, tensors: Mapping[int, Any], variable_of: Callable[[Variable], Variable] = lambda variable: variable
) -> Any:
    """`structure` with symbols in place of what stands for them.

    Args:
        structure: any nesting of lists, tuples and dicts.
        tensors: the tensors by number.
        variable_of: the variable to use instead of another.
    """
    if isinstance(structure, list | tuple) and not isinstance(structure, Numbered | ValueOf | Constant | Symbol | Loop):
        items = [decoded(item, tensors, variable_of) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    if isinstance(structure, dict):
        return {key: decoded(item, tensors, variable_of) for key, item in structure.items()}
    if isinstance(structure, Numbered):
        return tensors[structure.number]
    if isinstance(structure, ValueOf):
        return variable_of(structure.variable).symbol
    return _plain(structure)


def _plain(item: Any) -> Any:
    if isinstance(item, Constant):
        return symbolic.constant(item.value, item.dtype)
    if isinstance(item, Symbol):
        return SYMBOLS[item.name]
    if isinstance(item, Loop):
        return bodies.read(item.config["config"])
    return item.value if isinstance(item, Unwritable) else item


class Expression:
    """A symbol that depends on variables alone, as data.

    Args:
        symbol: the symbol.

    Raises: StateError if it depends on an input.
    """

    def __init__(self, symbol: SymbolicTensor):
        numbers: dict[int, int] = {}
        self._steps: list[tuple[Any, Any, Any, list[int]]] = []
        for call in symbolic.toposort([symbol]):
            args, attrs = map_structure(lambda item: encoded(item, numbers), (call.args, call.attrs))
            for tensor in call.outputs:
                numbers[id(tensor)] = len(numbers)
            op = call.op.name if is_named(call.op) else Unwritable(call.op)
            self._steps.append((op, args, attrs, [numbers[id(t)] for t in call.outputs]))
        self._result = encoded(symbol, numbers)

    def symbol(self) -> SymbolicTensor:
        """The expression of the variables that are held now, recorded anew."""
        tensors: dict[int, Any] = {}
        with symbolic.trace_scope(None):
            for op, args, attrs, results in self._steps:
                found = op.value if isinstance(op, Unwritable) else named(op)
                made = found.again(decoded(args, tensors), decoded(attrs, tensors))
                tensors.update(zip(results, made, strict=True))
        return decoded(self._result, tensors)
