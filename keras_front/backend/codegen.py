"""From a program to straight-line Python: one line for each instruction, and the names that they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend import discovery
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.ops.custom_gradient import attached
from keras_front.backend.symbolic import SymbolicTensor, has_symbols
from keras_front.errors import ArgumentError


def source_of(program: Program) -> str:
    """The program as Python text."""
    return _Writer(program).text


def function_of(program: Program) -> Callable[..., Any]:
    """The program as a function of its arguments, followed by a list of captured values if there are any."""
    writer = _Writer(program)
    scope = dict(writer.scope)
    exec(compile(writer.text, f"<program for {program.backend.name}>", "exec"), scope)
    return scope["program"]


def parts_of(program: Program, body: Callable[[Program], Any] | None = None) -> tuple[str, dict[str, Any]]:
    """The program as Python text, and what the names in it stand for: functions of the adapter, and constants.

    Args:
        program: the program.
        body: makes the function of a body within it; by default `function_of`.
    """
    writer = _Writer(program, body)
    return writer.text, dict(writer.scope)


def nested_text(item: Any, kind: type, text_of: Callable[[Any], str]) -> str:
    """Nested lists, tuples and dicts as Python text, in which `text_of` writes what is of `kind`."""
    if isinstance(item, kind):
        return text_of(item)
    if isinstance(item, list):
        return f"[{', '.join(nested_text(i, kind, text_of) for i in item)}]"
    if isinstance(item, tuple):
        inside = ", ".join(nested_text(i, kind, text_of) for i in item)
        return f"({inside}{',' if len(item) == 1 else ''})"
    if isinstance(item, dict):
        return f"{{{', '.join(f'{key!r}: {nested_text(i, kind, text_of)}' for key, i in item.items())}}}"
    return repr(item)


class _Writer:
    """Straight-line Python for a program: `text`, and the `scope` of functions and constants that it needs."""

    def __init__(self, program: Program, body: Callable[[Program], Any] | None = None):
        self.backend = program.backend
        self._body = body or function_of
        self.scope: dict[str, Any] = {}
        self._names: dict[SymbolicTensor, str] = {}
        self._count = 0
        self.text = self._write(program)

    def _write(self, program: Program) -> str:
        head, unpack = [], []
        for place, arg in enumerate(program.parameters()):
            if isinstance(arg, list):
                head.append(f"args{place}")
                if arg:
                    unpack.append(f"    [{', '.join(self._define(t, 'x') for t in arg)}] = args{place}")
            else:
                head.append(f"args{place}" if arg is None else self._define(arg, "x"))
        body = [f"    {self._instruction(i)}" for i in program.instructions]
        last = f"    return {self._nested(program.results)}"
        return "\n".join([f"def program({', '.join(head)}):", *unpack, *body, last, ""])

    def _define(self, tensor: SymbolicTensor, prefix: str) -> str:
        self._count += 1
        self._names[tensor] = name = f"{prefix}{self._count}"
        return name

    def _name(self, tensor: SymbolicTensor) -> str:
        if tensor not in self._names:
            if tensor.constant is None:
                raise ArgumentError(f"{tensor!r} is used before it is computed.")
            name = self._define(tensor, "k")
            self.scope[name] = self.backend.literal(tensor.constant, tensor.dtype)
        return self._names[tensor]

    def _nested(self, item: Any) -> str:
        return nested_text(item, SymbolicTensor, self._name)

    def _target(self, item: Any) -> str:
        if isinstance(item, SymbolicTensor):
            return self._define(item, "v")
        if item is None:
            return "_"
        return f"[{', '.join(map(self._target, item))}]"

    def _instruction(self, i: Instruction) -> str:
        args = [self._nested(a) for a in i.args]
        if i.op in ("value_and_grad", "recompute"):
            args = [self._function(i.body), args[0], args[1]]
        elif i.op == "scan":
            args = [f"closed_over({self._function(i.body)}, {args[2]})", args[0], args[1]]
            self.scope["closed_over"] = closed_over
        elif i.op == "custom_gradient":
            parts = self._function(i.body), self._function(i.attrs["backward"])
            args = [f"attached({', '.join(parts)}, {len(i.args[0])})", f"[*{args[0]}, *{args[1]}]"]
            self.scope["attached"] = attached
        attrs = [f"{k}={self._attribute(v)}" for k, v in i.attrs.items() if not isinstance(v, Program)]
        self.scope.setdefault(i.op, getattr(self.backend, i.op))
        return f"{self._target(i.structure)} = {i.op}({', '.join([*args, *attrs])})"

    def _function(self, body: Program | None) -> str:
        if body is None:
            raise ArgumentError("An instruction with a body was made without one.")
        self._count += 1
        name = f"body{self._count}"
        self.scope[name] = self._body(body)
        return name

    def _attribute(self, value: Any) -> str:
        if has_symbols({"": value}):  # sizes that only a run tells
            return nested_text(value, SymbolicTensor, self._size)
        if value is None or isinstance(value, bool | int | str | float | tuple):
            return repr(value) if not isinstance(value, float) or np.isfinite(value) else f"float({str(value)!r})"
        self._count += 1
        self.scope[f"a{self._count}"] = value
        return f"a{self._count}"

    def _size(self, size: SymbolicTensor) -> str:
        if size.constant is not None and not size.shape:
            return repr(int(discovery.host_value(size.constant)))
        return f"int({self._name(size)})"


def closed_over(body: Callable[..., Any], captured: list[Any]) -> Callable[..., Any]:
    """The body of a loop as a function of carry and step alone."""
    return lambda carry, xs: body(carry, xs, captured)
