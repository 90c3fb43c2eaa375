"""Programs (decision D5): a function is traced once, the record is cleaned up, and what is left is written as
straight-line Python for one backend.

`Compiled` is what `K.compile` returns: it keeps one program for each signature of its arguments. A `Program` holds
`args` (for each argument a symbolic tensor or a list of them), `captures` (variables and counters read at each call),
`lines`, and `results` (a nesting of tensors). Lowering removes what is unused, replaces composites that the backend
does not bring by their bodies, folds constants and shares equal subexpressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from keras_front.backend import declare, discovery, gradients, state, symbolic
from keras_front.backend.ops import recurrence
from keras_front.backend.ops.recurrence import SCAN, Body
from keras_front.backend.symbolic import COUNTER, PHASE, Origin, SymbolicTensor
from keras_front.errors import ArgumentError, KerasFrontError, UntraceableError

FOLD_LIMIT = 1 << 16  # constants of more elements are not computed ahead
_IMPURE = frozenset({"engine_uniform", "engine_normal", "host_noise"})


class Line:
    """One op of a program: `op` (a name), `args` (tensors, lists of tensors, None), `attrs`, `outs` (all results), and
    `structure`, how the results are nested. For `scan` and `value_and_grad` `body` is the program that they run."""

    __slots__ = ("args", "attrs", "body", "op", "outs", "structure")

    def __init__(self, op: str, args: Any, attrs: dict[str, Any], outs: list[Any], structure: Any, body: Any = None):
        self.op, self.args, self.attrs, self.outs, self.structure, self.body = op, args, attrs, outs, structure, body

    def inputs(self) -> Iterator[SymbolicTensor]:
        return symbolic.leaves_of(self.args)

    def __repr__(self) -> str:
        return f"<Line {self.op} -> {[tuple(o.shape) for o in self.outs]}>"


class Program:
    """A lowered trace for one backend. `donate` are the places of arguments whose memory may be reused."""

    def __init__(self, backend: Any, args: Sequence[Any], results: Any, donate: Sequence[int] = ()):
        self.backend, self.args, self.donate = backend, list(args), tuple(donate)
        lowering = _Lowering(backend, set(symbolic.leaves_of(self.args)))
        self.results = lowering.lower(results)
        self.lines, self.captures = lowering.lines, lowering.captures
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


# Tracing -------------------------------------------------------------------------------------------------------


def trace(backend: Any, fn: Callable[..., Any], args: Sequence[Any], donate: Sequence[int] = ()) -> Program:
    """The program of `fn` on arguments like `args` (tensors or flat lists of tensors of that backend)."""
    leaves = [_leaf(backend, a) for a in args]
    with ExitStack() as stack:
        stack.enter_context(symbolic.trace_scope(symbolic.Trace(backend)))
        if state.phase_value() is None:
            stack.enter_context(state.phase(0))
        results = fn(*[list(a) if isinstance(a, list) else a for a in leaves])
        results = symbolic.map_structure(_result, results)
        return Program(backend, leaves, results, donate)


def _leaf(backend: Any, arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return [_leaf(backend, a) for a in arg]
    return None if arg is None else SymbolicTensor(backend.shape_of(arg), backend.dtype_of(arg))


def _result(item: Any) -> Any:
    if item is None or isinstance(item, SymbolicTensor):
        return item
    if isinstance(item, state.Variable):
        item = item.read()
    return item if isinstance(item, SymbolicTensor) else declare._as_symbol(item, None)


class Compiled:
    """A function compiled for the active backend: one program for each signature of its arguments.

    Arguments are tensors (anything array-like is converted), None, or flat lists of tensors.
    """

    def __init__(self, fn: Callable[..., Any], donate: Sequence[int] = (), pure: bool = True):
        self.fn, self.donate, self.pure = fn, tuple(donate), pure
        self.__name__ = getattr(fn, "__name__", "compiled")
        self._entries: dict[Any, Callable[..., Any]] = {}
        self.programs: dict[Any, Program | None] = {}

    def __call__(self, *args: Any) -> Any:
        backend = discovery.active()
        args = tuple(_converted(backend, a) for a in args)
        return self._entry(backend, args)(*args)

    def specialize(self, *args: Any) -> Callable[..., Any]:
        """The callable for arguments like these, without the look-up: for loops."""
        backend = discovery.active()
        return self._entry(backend, tuple(_converted(backend, a) for a in args))

    def inline(self, *args: Any) -> Any:
        """Run the straight-line code on tensors that another compiler of the engine is tracing."""
        backend = discovery.active()
        program = self._program(backend, args)
        if program is None:
            return self.fn(*args)
        if program.captures:
            raise UntraceableError(f"{self.__name__}: variables outside the state: {program.captures}.")
        return program.function(backend)(*args)

    @property
    def source(self) -> str:
        """The text of the program that was written last."""
        program = next((p for p in reversed(list(self.programs.values())) if p is not None), None)
        if program is None:
            raise ArgumentError(f"{self.__name__}: no program has been written yet. Call it once first.")
        return program.source

    def _entry(self, backend: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
        key = _signature(backend, args)
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= 256:  # ever new shapes: forget the old ones rather than grow
                self._entries.clear()
                self.programs.clear()
            entry = self._entries[key] = self._build(backend, key, args)
        return entry

    def _build(self, backend: Any, key: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
        try:
            program = self.programs[key] = trace(backend, self.fn, args, self.donate)
        except Exception as error:
            if not _may_be_native(backend, error):
                raise
            self.programs[key] = None
            return self._native(backend, error)
        run = backend.compile_program(program)
        if not program.captures:
            return run
        captures = program.captures

        def with_captures(*args: Any) -> Any:
            return run(*args, [_captured_value(backend, t) for t in captures])

        return with_captures

    def _native(self, backend: Any, error: Exception) -> Callable[..., Any]:
        fn, phase = self.fn, state.phase_value()

        def run(*args: Any) -> Any:
            with state.eager(), state.phase(phase or 0):
                return fn(*args)

        native = backend.compile_native(run, self.donate) if self.pure else run

        def guarded(*args: Any) -> Any:
            try:
                return native(*args)
            except UntraceableError:
                raise error from None
            except Exception as second:
                raise second from error

        return guarded

    def _program(self, backend: Any, args: tuple[Any, ...]) -> Program | None:
        key = _signature(backend, args)
        if key not in self.programs:
            try:
                self.programs[key] = trace(backend, self.fn, args, self.donate)
            except Exception as error:
                if not _may_be_native(backend, error):
                    raise
                self.programs[key] = None
        return self.programs[key]


def _converted(backend: Any, arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return [a if a.__class__ in backend.native else _converted(backend, a) for a in arg]
    return arg if arg is None or arg.__class__ in backend.native else backend.convert(arg)


def _signature(backend: Any, args: Sequence[Any]) -> Any:
    parts = [
        tuple((tuple(t.shape), t.dtype) if t is not None else None for t in a)
        if isinstance(a, list)
        else a
        if a is None
        else (tuple(a.shape), a.dtype)
        for a in args
    ]
    return (backend.name, state.phase_value(), discovery.current_device(), *parts)


def _may_be_native(backend: Any, error: Exception) -> bool:
    """Whether code that cannot be traced may run on real tensors: it met a value, or it is the engine's own code."""
    return backend.differentiates and (isinstance(error, UntraceableError) or not isinstance(error, KerasFrontError))


def _captured_value(backend: Any, leaf: SymbolicTensor) -> Any:
    if leaf.variable is not None:
        return leaf.variable.value
    if leaf is COUNTER:
        return backend.convert(np.asarray(state.next_step(), "int64"))
    raise ArgumentError(f"{leaf!r} has no value. List every placeholder among the inputs of K.function.")


# Differentiation -----------------------------------------------------------------------------------------------


class ValueAndGrad:
    """The op that differentiates a recorded function with the engine's own means; args (params, captured)."""

    name, kind = "value_and_grad", "primitive"

    def record(self, fn: Callable[..., Any], params: Sequence[SymbolicTensor]) -> Any:
        first = symbolic.next_serial()
        leaves = [SymbolicTensor(p.shape, p.dtype) for p in params]
        loss, aux = symbolic.map_structure(_result, tuple(fn(list(leaves))))
        flat = [t for t in symbolic.flatten(aux) if t is not None]
        captured = recurrence._captured((loss, *flat), set(leaves), first)
        origin = Origin(self, (list(params), captured), {"body": Body(leaves, [], [loss], flat, captured)})
        new_loss = declare._output(origin, loss.shape, loss.dtype)
        new_aux = [declare._output(origin, t.shape, t.dtype) for t in flat]
        grads = [declare._output(origin, p.shape, p.dtype) for p in params]
        origin.structure = ((new_loss, new_aux), grads)
        table = dict(zip(flat, new_aux, strict=True))
        return (new_loss, symbolic.map_structure(lambda t: t if t is None else table[t], aux)), grads

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        params, captured = args
        body = attrs["body"]

        def fn(values: Any) -> Any:
            (loss,), aux = body.run(values, [], captured)
            return loss, aux

        return symbolic.flatten(value_and_grad(fn, params))


VALUE_AND_GRAD = ValueAndGrad()


def value_and_grad(fn: Callable[..., Any], params: Sequence[Any]) -> Any:
    """((loss, aux), gradients) where `fn(params)` gives a scalar loss and any nesting of tensors as aux.

    Works on real tensors, and inside a compiled function. A parameter that the loss does not use has gradient zero.
    """
    params = [p.read() if isinstance(p, state.Variable) else p for p in params]
    running = symbolic.tracing()
    if running is None and not any(map(symbolic.is_symbolic, params)):
        backend = discovery.active()
        return backend.value_and_grad(fn, [backend.convert(p) for p in params])
    if running is not None and running.backend.differentiates:
        return VALUE_AND_GRAD.record(fn, params)
    loss, aux = symbolic.map_structure(_result, tuple(fn(list(params))))
    return (loss, aux), gradients.differentiate(loss, params)


def traced_value_and_grad(backend: Any, fn: Callable[..., Any], params: Sequence[Any], *rest: Any) -> Any:
    """`value_and_grad` by the rules of `gradients`, for any backend: traced, written and run."""

    def whole(values: Any, *others: Any) -> Any:
        loss, aux = symbolic.map_structure(_result, tuple(fn(values, *others)))
        return (loss, aux), gradients.differentiate(loss, values)

    program = trace(backend, whole, [list(params), *rest])
    captured = [[_captured_value(backend, t) for t in program.captures]] if program.captures else []
    return backend.compile_program(program)(list(params), *rest, *captured)


class Gradients:
    """The op of `K.gradients` on a graph whose shapes may be unknown yet: differentiates when it is replayed."""

    name, kind = "gradients", "deferred"

    def __call__(self, loss: Any, targets: list[Any]) -> list[Any]:
        if symbolic.tracing() is not None:
            return gradients.differentiate(loss, targets)
        origin = Origin(self, (loss, targets), {})
        return [declare._output(origin, t.shape, t.dtype) for t in targets]

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        loss, targets = args
        if symbolic.tracing() is None:
            raise UntraceableError("K.gradients needs a graph that can be traced: it calls code of an engine.")
        return gradients.differentiate(loss, targets)


_GRADIENTS = Gradients()


def gradients_of(loss: Any, variables: Any) -> list[Any]:
    """Symbolic gradients of the sum of `loss` for tensors or variables; None for those it does not depend on."""
    targets = list(variables) if isinstance(variables, list | tuple) else [variables]
    targets = [_symbol_of(v) if isinstance(v, state.Variable) else v for v in targets]
    targets = [v if isinstance(v, SymbolicTensor) else declare._as_symbol(v, None) for v in targets]
    if not isinstance(loss, SymbolicTensor):
        raise ArgumentError(f"K.gradients: expected a symbolic loss, received {loss!r:.80}. For values use K.value_and_grad.")
    known = _dependencies(loss)
    used = [t for t in targets if t in known]
    table = dict(zip(used, _GRADIENTS(loss, used), strict=True)) if used else {}
    return [table.get(t) for t in targets]


def _symbol_of(variable: state.Variable) -> Any:
    framed = declare._framed(variable)
    return variable.symbol if framed is variable else framed


def _dependencies(loss: SymbolicTensor) -> set[SymbolicTensor]:
    """Everything a symbolic loss may depend on; variables that deferred calls use included."""
    found = symbolic.ancestors([loss])
    seen = set(found)
    if any(o.op.kind == "deferred" for o in symbolic.order_of([loss])):
        return _Everything(seen)
    return seen


class _Everything(set):  # type: ignore[type-arg]
    """What a graph with deferred calls may depend on: known tensors, and any variable."""

    def __contains__(self, tensor: object) -> bool:
        return set.__contains__(self, tensor) or getattr(tensor, "variable", None) is not None


# Lowering ------------------------------------------------------------------------------------------------------


class _Lowering:
    """From a record to lines: bodies put in place, constants folded, equal work shared, the unused left out."""

    def __init__(self, backend: Any, leaves: set[SymbolicTensor]):
        self.backend, self.leaves = backend, leaves
        self.lines: list[Line] = []
        self.captures: list[SymbolicTensor] = []
        self._alias: dict[SymbolicTensor, SymbolicTensor] = {}
        self._known: dict[Any, list[SymbolicTensor]] = {}

    def lower(self, results: Any) -> Any:
        """Write the lines for `results`; returns them with their final tensors."""
        for origin in self._order([self._source(t) for t in symbolic.leaves_of(results)]):
            self._add(origin)
        final = symbolic.map_structure(lambda t: t if t is None else self._final(t), results)
        self._sweep(final)
        return final

    def _sweep(self, results: Any) -> None:
        """Leave out lines and captures that nothing uses (what a folded branch or a shape stood for)."""
        needed = set(symbolic.leaves_of(results))
        kept = []
        for line in reversed(self.lines):
            if any(t in needed for t in line.outs):
                needed.update(line.inputs())
                kept.append(line)
        self.lines = kept[::-1]
        self.captures = [t for t in self.captures if t in needed]

    def _source(self, tensor: SymbolicTensor) -> SymbolicTensor:
        while tensor not in self.leaves and tensor.origin is not None and not self._kept(tensor.origin):
            tensor = tensor.origin.expansion[tensor.index]  # type: ignore[index]
        return tensor

    def _kept(self, origin: Origin) -> bool:
        if origin.expansion is None:
            return True
        return origin.op is not SCAN and self.backend.overrides(origin.op.name)

    def _order(self, outputs: list[SymbolicTensor]) -> list[Origin]:
        order: list[Origin] = []
        done: set[int] = set()
        stack = [(t.origin, False) for t in reversed(outputs) if t.origin is not None and t not in self.leaves]
        while stack:
            origin, ready = stack.pop()
            if ready:
                order.append(origin)
            elif id(origin) not in done:
                done.add(id(origin))
                stack.append((origin, True))
                for tensor in origin.tensors():
                    source = self._source(tensor)
                    if source.origin is not None and source not in self.leaves and id(source.origin) not in done:
                        stack.append((source.origin, False))
        return order

    def _final(self, tensor: SymbolicTensor) -> SymbolicTensor:
        tensor = self._source(tensor)
        while tensor in self._alias:
            tensor = self._source(self._alias[tensor])
        if tensor.origin is None and tensor.constant is None and tensor not in self.leaves:
            self._capture(tensor)
        return tensor

    def _capture(self, leaf: SymbolicTensor) -> None:
        if leaf is PHASE:
            raise UntraceableError("The learning phase was used as a tensor; use K.in_train_phase.")
        if leaf not in self.captures:
            self.captures.append(leaf)

    def _add(self, origin: Origin) -> None:
        args = symbolic.map_structure(lambda a: a if a is None else self._final(a), origin.args)
        name, attrs, outs = origin.op.name, origin.attrs, origin.outputs
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
        if self._fold(name, args, attrs, outs):
            return
        self.lines.append(self._line(origin, name, args, attrs, outs))

    def _line(self, origin: Origin, name: str, args: Any, attrs: dict[str, Any], outs: list[Any]) -> Line:
        if origin.op is SCAN:
            body = attrs["body"]
            program = Program(self.backend, [body.carry, body.xs, body.captured], (body.next_carry, body.ys))
            n = len(body.next_carry)
            rest = {k: v for k, v in attrs.items() if k != "body"}
            return Line(name, args, rest, outs, (outs[:n], outs[n:]), program)
        if origin.op is VALUE_AND_GRAD:
            body = attrs["body"]
            program = Program(self.backend, [body.carry, body.captured], (body.next_carry[0], body.ys))
            return Line(name, args, {}, outs, origin.structure, program)
        return Line(name, args, attrs, outs, origin.structure if origin.structure is not None else outs[0])

    def _fold(self, name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor]) -> bool:
        """Compute now what depends on constants alone, and is small."""
        leaves = list(symbolic.leaves_of(args))
        if name in _IMPURE or name == "value_and_grad" or len(outs) != 1 or not leaves:
            return False
        if any(t.constant is None for t in leaves) or _elements(outs[0]) > FOLD_LIMIT:
            return False
        real = symbolic.map_structure(lambda t: t if t is None else self.backend.convert(t.constant, t.dtype), args)
        with symbolic.trace_scope(None), state.eager():
            value = getattr(self.backend, name)(*real, **attrs)
        self._alias[outs[0]] = SymbolicTensor(outs[0].shape, outs[0].dtype, constant=value)
        return True


def _elements(tensor: SymbolicTensor) -> int:
    return int(np.prod(tensor.shape, dtype=np.int64))


def _scalar_constant(tensor: Any, value: float) -> bool:
    constant = getattr(tensor, "constant", None)
    return isinstance(constant, np.ndarray) and constant.ndim == 0 and constant == value


def _shortcut(name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor], differentiates: bool) -> Any:
    """The argument that the op would return unchanged, if it does."""
    if name == "identity" or (name == "stop_gradient" and not differentiates):
        return args[0]
    if name in ("reshape", "broadcast_to", "cast") and args[0].shape == outs[0].shape and args[0].dtype == outs[0].dtype:
        return args[0]
    if name == "where" and args[0].constant is not None and _elements(args[0]) == 1:
        chosen = args[1] if bool(np.asarray(args[0].constant).reshape(())) else args[2]
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
        frozen = tuple(sorted(attrs.items()))
        hash(frozen)
    except TypeError:
        return None
    return name, symbolic_key(args), tuple((k, type(v).__name__, v) for k, v in frozen)


def symbolic_key(args: Any) -> Any:
    if isinstance(args, list | tuple):
        return tuple(map(symbolic_key, args))
    if args is not None and isinstance(args.constant, np.ndarray) and args.constant.size == 1:
        return ("constant", args.shape, args.dtype, args.constant.item())
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
        body = [f"    {self._line(line)}" for line in program.lines]
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

    def _line(self, line: Line) -> str:
        args = [self._nested(a) for a in line.args]
        if line.op == "value_and_grad":
            args = [self._function(line), args[0], args[1]]
        elif line.op == "scan":
            args = [f"closed_over({self._function(line)}, {args[2]})", args[0], args[1]]
            self.scope["closed_over"] = closed_over
        attrs = [f"{key}={self._attribute(value)}" for key, value in line.attrs.items()]
        self.scope.setdefault(line.op, getattr(self.backend, line.op))
        return f"{self._target(line.structure)} = {line.op}({', '.join([*args, *attrs])})"

    def _function(self, line: Line) -> str:
        self._count += 1
        name = f"body{self._count}"
        self.scope[name] = line.body.function(self.backend)
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


# K.function ----------------------------------------------------------------------------------------------------


class Function:
    """`K.function(inputs, outputs, updates)`: from values of placeholders to NumPy arrays.

    The learning phase may be among the inputs; one program is kept for each of its values.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Any, updates: Any = None, name: str | None = None):
        self.inputs = [i.symbol if isinstance(i, state.Variable) else i for i in inputs]
        wrong = [i for i in self.inputs if not isinstance(i, SymbolicTensor)]
        if wrong:
            raise ArgumentError(f"K.function: inputs must be placeholders, received {wrong[0]!r:.80}.")
        self.single = not isinstance(outputs, list | tuple)
        self.outputs = [_result(o) for o in ([outputs] if self.single else outputs)]
        self.updates = [u if isinstance(u, tuple) else tuple(u) for u in updates or ()]
        self.fed = [i for i in self.inputs if i is not PHASE]
        self._compiled = Compiled(self._run, pure=False)
        self._compiled.__name__ = name or "K.function"

    def _run(self, *values: Any) -> Any:
        new = [_result(value) for _, value in self.updates]
        table = dict(zip(self.fed, values, strict=True))
        return symbolic.replay((self.outputs, new), table)

    def __call__(self, values: Sequence[Any] = ()) -> Any:
        if len(values) != len(self.inputs):
            raise ArgumentError(f"K.function: expected {len(self.inputs)} values, received {len(values)}.")
        backend = discovery.active()
        given = dict(zip(self.inputs, values, strict=True))
        fed = [backend.convert(_checked(value, t), t.dtype) for t, value in given.items() if t is not PHASE]
        with state.phase(int(bool(given[PHASE]))) if PHASE in given else ExitStack():
            outputs, new = self._compiled(*fed)
        for (variable, _), value in zip(self.updates, new, strict=True):
            variable.assign(value)
        arrays = [np.array(backend.to_numpy(o)) for o in outputs]
        return arrays[0] if self.single else arrays

    @property
    def source(self) -> str:
        """The text of the program that was written last."""
        return self._compiled.source


def _checked(value: Any, tensor: SymbolicTensor) -> Any:
    shape = tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
    fits = len(shape) == len(tensor.shape) and all(d in (None, n) for d, n in zip(tensor.shape, shape, strict=True))
    if not fits:
        raise ArgumentError(f"K.function: input {tensor.name!r} expects shape {tensor.shape}, received {shape}.")
    return value


def evaluate(x: Any) -> np.ndarray:
    """The value of a tensor, variable or symbolic expression without open placeholders, as a NumPy array."""
    if isinstance(x, state.Variable):
        return x.numpy()
    if not isinstance(x, SymbolicTensor):
        owner = discovery.owner(x)
        return np.array(owner.to_numpy(x) if owner is not None else x)
    return Function([], x)([])


symbolic.Operators.TABLE["eval"] = evaluate
