"""From a record to a program (decision D5): instructions for one backend, and straight-line Python written from them.

Lowering replaces composites that the backend does not bring by their bodies, folds constants, shares equal
subexpressions, and leaves out what nothing uses. A `Program` holds `args` (for each argument a symbolic tensor or a
list of them), `captures` (variables and counters that are read at each call), `instructions`, and `results` (a nesting
of tensors). In a `differentiated` one, through which the engine differentiates, functions with a gradient of their own
stay whole; elsewhere only what they compute is left.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_front import nest
from keras_front.backend import discovery, scopes, symbolic
from keras_front.backend.declare import OPS
from keras_front.backend.ops.custom_gradient import attached
from keras_front.backend.rewriting import Inner, joined, rewrite
from keras_front.backend.symbolic import PHASE, OpCall, SymbolicTensor
from keras_front.errors import ArgumentError, UntraceableError

FOLD_LIMIT = 1 << 16  # constants of more elements are not computed ahead


class Instruction:
    """One op of a program: `op` (a name), `args` (tensors, lists of tensors, None), `attrs`, `outs` (all results), and
    `structure`, how the results are nested. `body` is the program of a loop or function."""

    __slots__ = ("args", "attrs", "body", "op", "outs", "structure")

    def __init__(self, op: str, args: Any, attrs: dict[str, Any], outs: list[Any], structure: Any, body: Any = None):
        self.op, self.args, self.attrs, self.outs, self.structure, self.body = op, args, attrs, outs, structure, body

    def inputs(self) -> Iterator[SymbolicTensor]:
        return symbolic.leaves_of(self.args)

    def __repr__(self) -> str:
        return f"<Instruction {self.op} -> {[tuple(o.shape) for o in self.outs]}>"


class Program:
    """A lowered trace for one backend. `donate` are the places of arguments whose memory may be reused."""

    def __init__(
        self, backend: Any, args: Sequence[Any], results: Any, donate: Sequence[int] = (),
        outer: _Lowering | None = None, differentiated: bool = False,
    ):  # fmt: skip
        self.backend, self.args, self.donate = backend, list(args), tuple(donate)
        lowering = _Lowering(backend, set(symbolic.leaves_of(self.args)), outer, differentiated)
        self.results = lowering.lower(results)
        self.instructions, self.captures = lowering.instructions, lowering.captures
        self._source: str | None = None

    @property
    def source(self) -> str:
        """The program as Python text."""
        if self._source is None:
            self._source = _Writer(self).text
        return self._source

    def function(self, backend: Any) -> Callable[..., Any]:
        """The program as a function of its arguments, followed by a list of captured values if there are any."""
        writer = _Writer(self)
        self._source = writer.text
        scope = dict(writer.scope)
        exec(compile(writer.text, f"<program for {backend.name}>", "exec"), scope)
        return scope["program"]


# Lowering ------------------------------------------------------------------------------------------------------


class _Lowering:
    """From a record to lines: bodies put in place, constants folded, equal work shared, the unused left out."""

    def __init__(self, backend: Any, leaves: set[SymbolicTensor], outer: _Lowering | None, differentiated: bool):
        self.backend, self.leaves, self.differentiated = backend, leaves, differentiated
        self.printed: dict[int, _Lowering] = {} if outer is None else outer.printed
        self.instructions: list[Instruction] = []
        self.captures: list[SymbolicTensor] = []
        self._alias: dict[SymbolicTensor, SymbolicTensor] = {}
        self._known: dict[Any, list[SymbolicTensor]] = {}
        self._made: dict[SymbolicTensor, Instruction] = {}

    def lower(self, results: Any) -> Any:
        """Write the lines for `results`; returns them with their final tensors."""
        for origin in symbolic.toposort(symbolic.leaves_of(results), self.leaves, self._source):
            self._add(origin)
        final = nest.map_structure(lambda t: t if t is None else self._final(t), results)
        self._sweep(final)
        if self.backend.overrides("linear"):
            self.instructions = joined(self.instructions, final)
        return final

    def _sweep(self, results: Any) -> None:
        """Leave out lines and captures that nothing uses (what a folded branch or a shape stood for)."""
        self.instructions, needed = _needed_lines(self.instructions, results)
        self.captures = [t for t in self.captures if t in needed]

    def _source(self, tensor: SymbolicTensor) -> SymbolicTensor:
        while tensor not in self.leaves and tensor.origin is not None and not self._kept(tensor.origin):
            tensor = tensor.origin.expansion[tensor.index]  # type: ignore[index]
        return tensor

    def _kept(self, origin: OpCall) -> bool:
        if origin.expansion is None:
            return True
        if origin.op.name == "custom_gradient" and not self.differentiated:
            return False
        return origin.op.name != "scan" and self.backend.overrides(origin.op.name)

    def _final(self, tensor: SymbolicTensor) -> SymbolicTensor:
        tensor = self._source(tensor)
        while tensor in self._alias:
            tensor = self._source(self._alias[tensor])
        if tensor.origin is tensor.constant is None and tensor not in self.leaves and tensor not in self._made:
            self._capture(tensor)
        return tensor

    def _capture(self, leaf: SymbolicTensor) -> None:
        if leaf is PHASE:
            raise UntraceableError("The learning phase was used as a tensor; use K.in_train_phase.")
        if leaf not in self.captures:
            self.captures.append(leaf)

    def _add(self, origin: OpCall) -> None:
        args = nest.map_structure(lambda a: a if a is None else self._final(a), origin.args)
        self._put(origin, origin.op.name, args, origin.attrs, origin.outputs)

    def _inner(self, item: Any) -> Any:
        """The tensor of an argument; an `Inner` op is put first."""
        if not isinstance(item, Inner):
            return item
        out = SymbolicTensor(item.shape, item.dtype)
        self._put(None, item.name, item.args, item.attrs, [out])
        return self._final(out) if out in self._alias else out

    def _put(self, origin: OpCall | None, name: str, args: Any, attrs: dict[str, Any], outs: list[Any]) -> None:
        other = rewrite(name, self._made.get, args, attrs, outs[0]) if outs else None
        if other is not None:
            name, args, attrs = other[0], [self._inner(a) for a in other[1]], other[2]
        same = _shortcut(name, args, attrs, outs, self.backend.differentiates)
        if same is not None:
            self._alias[outs[0]] = same
            return
        key = _key(name, args, attrs)
        if key is not None and key in self._known:
            self._alias.update(zip(outs, self._known[key], strict=True))
            return
        if key is not None:
            self._known[key] = outs
        if self._fold(name, args, attrs, outs) or self._is_printed(name, args, attrs, outs):
            return
        line = self._line(origin, name, args, attrs, outs)
        self.instructions.append(line)
        self._made.update((t, line) for t in outs)

    def _is_printed(self, name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor]) -> bool:
        """Leave out what another program prints already, of which this one is the gradient."""
        again = name == "host_print" and self.printed.setdefault(attrs["serial"], self) is not self
        if again:
            self._alias[outs[0]] = args[0]
        return again

    def _line(self, origin: OpCall | None, name: str, args: Any, attrs: dict[str, Any], outs: list[Any]) -> Instruction:
        if name == "scan":
            body = attrs["body"]
            results = body.next_carry, body.ys
            program = self._program([body.carry, body.xs, body.captured], results, self.differentiated)
            n = len(body.next_carry)
            rest = {k: v for k, v in attrs.items() if k != "body"}
            return Instruction(name, args, rest, outs, (outs[:n], outs[n:]), program)
        if name == "value_and_grad":
            body = attrs["body"]
            program = self._program([body.carry, body.captured], (body.next_carry[0], body.ys))
            return Instruction(name, args, {}, outs, _structure(origin, outs), program)
        if name == "custom_gradient":
            forward, back = attrs["forward"], attrs["backward"]
            program = self._program([forward.carry, forward.captured], (forward.next_carry, forward.ys))
            rule = self._program([back.carry, back.captured], back.next_carry)
            return Instruction(name, args, {"backward": rule}, outs, _structure(origin, outs), program)
        return Instruction(name, args, attrs, outs, _structure(origin, outs))

    def _program(self, args: Any, results: Any, differentiated: bool = True) -> Program:
        return Program(self.backend, args, results, (), self, differentiated)

    def _fold(self, name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor]) -> bool:
        """Compute now what depends on constants alone, and is small."""
        leaves = list(symbolic.leaves_of(args))
        facts = OPS[name].facts
        if not facts.pure or facts.has_body or len(outs) != 1 or not leaves:
            return False
        if any(t.constant is None for t in leaves) or _elements(outs[0]) > FOLD_LIMIT:
            return False
        real = nest.map_structure(lambda t: t if t is None else self.backend.convert(t.constant, t.dtype), args)
        with scopes.trace_scope(None), scopes.eager():
            value = getattr(self.backend, name)(*real, **attrs)
        self._alias[outs[0]] = SymbolicTensor(outs[0].shape, outs[0].dtype, constant=value)
        return True


def _needed_lines(lines: Sequence[Instruction], results: Any) -> tuple[list[Instruction], set[SymbolicTensor]]:
    """The lines on which `results` depend, and all tensors that are read. Loops give what is read, and nothing else."""
    needed, kept = set(symbolic.leaves_of(results)), []
    for line in reversed(lines):
        if any(t in needed for t in line.outs):
            if line.op == "scan":
                _drop_unread_steps(line, needed)
            needed.update(line.inputs())
            kept.append(line)
    return kept[::-1], needed


def _drop_unread_steps(line: Instruction, needed: set[SymbolicTensor]) -> None:
    """Leave out of a loop the results of its steps that nobody reads; the last carry stays."""
    finals, stacked = line.structure
    read = [t in needed for t in stacked]
    if all(read):
        return
    line.structure = finals, list(itertools.compress(stacked, read))
    line.outs = [*finals, *line.structure[1]]
    carry, ys = line.body.results
    line.body.results = carry, list(itertools.compress(ys, read))
    line.body.instructions, _ = _needed_lines(line.body.instructions, line.body.results)


def _structure(origin: OpCall | None, outs: list[Any]) -> Any:
    return outs[0] if origin is None or origin.structure is None else origin.structure


def _elements(tensor: SymbolicTensor) -> int:
    return int(np.prod(tensor.shape, dtype=np.int64))


def _is_true(constant: Any) -> bool:
    """The truth of one element, which may be a tensor of an engine that NumPy does not know."""
    owner = discovery.owner(constant)
    return bool(np.asarray(constant if owner is None else owner.to_numpy(constant)).reshape(()))


def _scalar_constant(tensor: Any, value: float) -> bool:
    constant = getattr(tensor, "constant", None)
    return isinstance(constant, np.ndarray) and constant.ndim == 0 and constant == value


def _shortcut(name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor], differentiates: bool) -> Any:
    """The argument that the op would return unchanged, if it does."""
    if name == "identity" or (name == "stop_gradient" and not differentiates):
        return args[0]
    if (
        name in ("reshape", "broadcast_to", "cast")
        and args[0].shape == outs[0].shape
        and args[0].dtype == outs[0].dtype
    ):
        return args[0]
    if name == "where" and args[0].constant is not None and _elements(args[0]) == 1:
        chosen = args[1] if _is_true(args[0].constant) else args[2]
        return chosen if chosen.shape == outs[0].shape else None
    if name in ("add", "multiply", "subtract", "divide"):
        neutral = 0 if name in ("add", "subtract") else 1
        for x, other in ((args[0], args[1]), (args[1], args[0]))[: 2 if name in ("add", "multiply") else 1]:
            if _scalar_constant(other, neutral) and x.shape == outs[0].shape:
                return x
    return None


def _key(name: str, args: Any, attrs: dict[str, Any]) -> Any:
    """What makes two lines equal, None if they never are."""
    try:
        frozen = tuple((k, _exactly(v)) for k, v in sorted(attrs.items()))
        hash(frozen)
    except TypeError:
        return None
    return name, symbolic_key(args), frozen


def _exactly(value: Any) -> Any:
    """A key under which a value meets only what is the same: 1, 1.0 and True are equal and not the same, nor are 0.0
    and -0.0, while one NaN is as good as another."""
    if isinstance(value, tuple | list):
        return type(value), tuple(map(_exactly, value))
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float | complex):
        return type(value), repr(value)  # which tells the sign of zero, and all digits
    return type(value), value


def symbolic_key(args: Any) -> Any:
    """What makes arguments equal: small constants by their bits, all else by what it is."""
    if isinstance(args, list | tuple):
        return tuple(map(symbolic_key, args))
    if args is not None and isinstance(args.constant, np.ndarray) and args.constant.size == 1:
        return "constant", args.shape, args.dtype, _exactly(args.constant)
    return id(args)


# Writing -------------------------------------------------------------------------------------------------------


class _Writer:
    """Straight-line Python for a program: `text`, and the `scope` of functions and constants that it needs."""

    def __init__(self, program: Program):
        self.backend = program.backend
        self.scope: dict[str, Any] = {}
        self._names: dict[SymbolicTensor, str] = {}
        self._count = 0
        self.text = self._write(program)

    def _write(self, program: Program) -> str:
        head, unpack = [], []
        for place, arg in enumerate([*program.args, *([program.captures] if program.captures else [])]):
            if isinstance(arg, list):
                head.append(f"args{place}")
                if arg:
                    unpack.append(f"    [{', '.join(self._define(t, 'x') for t in arg)}] = args{place}")
            else:
                head.append(f"args{place}" if arg is None else self._define(arg, "x"))
        body = [f"    {self._line(line)}" for line in program.instructions]
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
        if isinstance(item, SymbolicTensor):
            return self._name(item)
        if isinstance(item, list):
            return f"[{', '.join(map(self._nested, item))}]"
        if isinstance(item, tuple):
            return f"({', '.join(map(self._nested, item))}{',' if len(item) == 1 else ''})"
        if isinstance(item, dict):
            return f"{{{', '.join(f'{k!r}: {self._nested(v)}' for k, v in item.items())}}}"
        return repr(item)

    def _target(self, item: Any) -> str:
        if isinstance(item, SymbolicTensor):
            return self._define(item, "v")
        if item is None:
            return "_"
        return f"[{', '.join(map(self._target, item))}]"

    def _line(self, line: Instruction) -> str:
        args = [self._nested(a) for a in line.args]
        if line.op == "value_and_grad":
            args = [self._function(line.body), args[0], args[1]]
        elif line.op == "scan":
            args = [f"closed_over({self._function(line.body)}, {args[2]})", args[0], args[1]]
            self.scope["closed_over"] = closed_over
        elif line.op == "custom_gradient":
            parts = self._function(line.body), self._function(line.attrs["backward"])
            args = [f"attached({', '.join(parts)}, {len(line.args[0])})", f"[*{args[0]}, *{args[1]}]"]
            self.scope["attached"] = attached
        attrs = [f"{k}={self._attribute(v)}" for k, v in line.attrs.items() if not isinstance(v, Program)]
        self.scope.setdefault(line.op, getattr(self.backend, line.op))
        return f"{self._target(line.structure)} = {line.op}({', '.join([*args, *attrs])})"

    def _function(self, body: Program) -> str:
        self._count += 1
        name = f"body{self._count}"
        self.scope[name] = body.function(self.backend)
        return name

    def _attribute(self, value: Any) -> str:
        if value is None or isinstance(value, bool | int | str | float | tuple):
            return repr(value) if not isinstance(value, float) or np.isfinite(value) else f"float({str(value)!r})"
        self._count += 1
        self.scope[f"a{self._count}"] = value
        return f"a{self._count}"


def closed_over(body: Callable[..., Any], captured: list[Any]) -> Callable[..., Any]:
    """The body of a loop as a function of carry and step alone."""
    return lambda carry, xs: body(carry, xs, captured)
