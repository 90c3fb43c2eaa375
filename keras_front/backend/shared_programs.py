"""Programs that are compiled once though they were traced for several functions: a loop that builds a model again.

An engine that compiles (JAX, TensorFlow) takes longer for it than we take to trace. A program is data: two that have
the same instructions, shapes, attributes and constants are one. What is compiled here is a copy of the program whose
tensors know nothing of the model that it was recorded from, so a table may keep it when that model is gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend import discovery, scopes
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.backend.tables import make_room

ENTRIES = 64  # of compiled programs, which may hold megabytes each
LARGE = 1 << 20  # elements of a constant; a program with a larger one is compiled for itself
_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.dtype)

_compiled: dict[Any, Any] = {}


class _NotSharedError(Exception):
    """A program has something in it that cannot be compared, such as a function of the user's."""


def compiled(kind: str, program: Program, compile: Callable[[Program], Any]) -> Any:
    """`compile(program)`, or what that gave for an equal program under the same settings.

    Args:
        kind: what `compile` makes of it.
        program: the program.
        compile: gives a function that keeps nothing of its caller; None if the engine does not take the program.
    """
    backend = program.backend
    if not backend.shares_programs:
        return compile(program)
    try:
        copy = _Copy()
        twin = copy.program(program)
    except _NotSharedError:
        return compile(program)
    key = kind, backend, scopes.trace_key(), tuple(copy.parts)
    found = _compiled.get(key)
    if found is None:
        found = compile(twin)
        if found is not None:
            make_room(_compiled, entries=ENTRIES)
            _compiled[key] = found
    return found


def forget() -> None:
    """Forget all that was compiled."""
    _compiled.clear()


class _Copy:
    """A copy of a program, and the list of all that makes it what it is.

    Tensors are known by the order in which they appear.
    """

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self._tensors: dict[SymbolicTensor, SymbolicTensor] = {}
        self._numbers: dict[SymbolicTensor, int] = {}

    def program(self, program: Program) -> Program:
        args = self.structure(list(program.args))
        captures = self.structure(list(program.captures))
        instructions = [self._instruction(i) for i in program.instructions]
        self.parts.append((tuple(program.donate), tuple(program.constant), len(instructions)))
        results = self.structure(program.results)
        return program.changed(args=args, captures=captures, instructions=instructions, results=results)

    def _instruction(self, i: Instruction) -> Instruction:
        self.parts.append(i.op)
        args, attrs = self.structure(list(i.args)), self.structure(i.attrs)
        body = None if i.body is None else self.program(i.body)
        return i.changed(args=args, attrs=attrs, body=body, outs=self.structure(list(i.outs)),
                         structure=self.structure(i.structure))  # fmt: skip

    def structure(self, item: Any) -> Any:
        """A copy of nested lists, tuples and dicts."""
        if isinstance(item, SymbolicTensor):
            return self._tensor(item)
        if isinstance(item, Program):
            return self.program(item)
        if isinstance(item, dict):
            self.parts.append(tuple(item))
            return {key: self.structure(value) for key, value in item.items()}
        if type(item) in (list, tuple):
            self.parts.append((type(item), len(item)))
            return type(item)([self.structure(value) for value in item])
        self.parts.append(_exactly(item))
        return item

    def _tensor(self, tensor: SymbolicTensor) -> SymbolicTensor:
        number = self._numbers.setdefault(tensor, len(self._numbers))
        if tensor not in self._tensors:
            self._tensors[tensor] = SymbolicTensor(tensor.shape, tensor.dtype, constant=tensor.constant)
            constant = tensor.constant  # its type as well: that of another engine is an error, which names the engine
            value = None if constant is None else _exactly(discovery.host_value(constant))
            self.parts.append((tuple(tensor.shape), tensor.dtype, type(constant), value))
        self.parts.append(number)
        return self._tensors[tensor]


def _exactly(value: Any) -> Any:
    """A key under which a value meets only what is the same: 1 is not 1.0, and 0.0 not -0.0."""
    if isinstance(value, np.ndarray | np.generic):
        if value.size > LARGE or value.dtype.hasobject:
            raise _NotSharedError
        return value.dtype.str, value.shape, hashlib.sha256(value.tobytes()).digest()
    if not isinstance(value, _PLAIN):
        raise _NotSharedError
    return type(value), repr(value) if isinstance(value, float | complex) else value
