"""Tracing and compiling: a function is run once on symbols, and the program of that record is run from then on.

`Compiled` is what `K.compile` returns: it keeps one program (see `lowering`) for each signature of its arguments. Code
that cannot be traced, such as an engine's own functions in a `Lambda`, runs on real tensors where the backend
differentiates by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from keras_front import nest
from keras_front.backend import codegen, discovery, gradients, recompiling, scopes, seeds, shared_programs, untraceable
from keras_front.backend.guards import unchanged
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.lowering import lowered
from keras_front.backend.operands import recorded
from keras_front.backend.symbolic import COUNTER, SEED, SymbolicTensor
from keras_front.backend.tables import make_room
from keras_front.errors import ArgumentError, UntraceableError

__all__ = ["Compiled", "EagerFunction", "Instruction", "Program", "trace", "traced_value_and_grad"]


# Tracing -------------------------------------------------------------------------------------------------------


def trace(
    backend: Any,
    fn: Callable[..., Any],
    args: Sequence[Any],
    donate: Sequence[int] = (),
    batched: Sequence[int] = (),
    valued: bool = False,
) -> Program:
    """The program of `fn` on arguments like `args` (tensors or flat lists of tensors of that backend).

    Args:
        backend: the adapter for which it is.
        fn: the function.
        args: its arguments.
        donate: places of arguments whose memory may be reused.
        batched: places of arguments whose first axis, that of the batch, is unknown in the program.
        valued: whether the program is good for these arguments alone, so that `fn` may ask for values on the way.
    """
    leaves = [_leaf(backend, a, place in batched) for place, a in enumerate(args)]
    with ExitStack() as stack:
        record = scopes.Trace(backend)
        stack.enter_context(scopes.trace_scope(record))
        if valued:
            record.values = dict(zip(nest.flatten(leaves), nest.flatten(list(args)), strict=True))
        if scopes.phase_value() is None:
            stack.enter_context(scopes.phase(0))
        results = fn(*[list(a) if isinstance(a, list) else a for a in leaves])
        results = nest.map_structure(recorded, results)
        program = lowered(backend, leaves, results, donate)
    if not (backend.sizes_of_values or valued):
        _check_sizes(program, nest.flatten(leaves))
    return backend.rewritten(program)


def _check_sizes(program: Program, leaves: list[Any]) -> None:
    """Raises: UntraceableError for a program with a size that only values tell, for an engine that wants to know it."""
    if any(leaf is not None and None in leaf.shape for leaf in leaves):
        return  # the sizes may follow from those of the arguments
    for instruction in program.instructions:
        if any(None in out.shape for out in instruction.outs):
            raise UntraceableError(f"K.{instruction.op}: a size of its result depends on values.")


def _leaf(backend: Any, arg: Any, batched: bool) -> Any:
    if isinstance(arg, list | tuple):
        return [_leaf(backend, a, batched) for a in arg]
    if arg is None:
        return None
    shape = backend.shape_of(arg)
    return SymbolicTensor(_of_any_batch(shape) if batched else shape, backend.dtype_of(arg))


def _of_any_batch(shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A shape with an unknown first dimension, unless it is empty: engines have ways of their own with that."""
    return (None, *shape[1:]) if shape and shape[0] else shape


class Compiled:
    """A function compiled for the active backend: one program for each signature of its arguments.

    Arguments are tensors (anything array-like is converted), None, or flat lists of tensors.

    Args:
        fn: the function.
        donate: places of arguments whose memory may be reused.
        pure: whether `fn` only computes, so that an engine's compiler may take it where it cannot be traced.
        engine: whether the engine's compiler gets the programs; without it their straight-line code runs, which costs
            nothing to begin with: for what is computed once.
        constant: places of arguments that are mostly the same from call to call, such as weights.
        batched: places of arguments whose first axis is that of the batch: an engine with `any_batch` has one program
            for all its sizes.
        jit: whether the engine's compiler gets more of it than it always does; see `Backend.with_compiler`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        donate: Sequence[int] = (),
        pure: bool = True,
        engine: bool = True,
        constant: Sequence[int] = (),
        batched: Sequence[int] = (),
        jit: Any = None,
    ):
        self.jit = jit
        self.fn, self.donate, self.pure, self.engine = fn, tuple(donate), pure, engine
        self.constant, self.batched = tuple(constant), tuple(batched)
        self._refused: dict[Any, None] = {}  # signatures of programs that an engine did not take
        self.__name__ = getattr(fn, "__name__", "compiled")
        self._entries: dict[Any, Callable[..., Any]] = {}
        self.programs: dict[Any, Program | None] = {}
        self._written: dict[Any, Callable[..., Any]] = {}  # what backends made of the programs
        self._untraceable: dict[Any, Exception] = {}  # why there is no program
        self.array_names: Sequence[str] = ()  # of the last argument, for messages
        self._told = False  # whether the user knows that it is compiled again and again

    def __call__(self, *args: Any) -> Any:
        backend = discovery.active()
        args = tuple(_converted(backend, a) for a in args)
        return self._entry(backend, args)(*args)

    def specialize(self, *args: Any) -> Callable[..., Any]:
        """The callable for arguments like these, without the look-up: for loops."""
        backend = discovery.active()
        return self._entry(backend, tuple(_converted(backend, a) for a in args))

    def program(self, *args: Any) -> Program | None:
        """The program for arguments like these; None for what cannot be traced."""
        backend = discovery.active()
        return self._program(backend, tuple(_converted(backend, a) for a in args))

    def inline(self, *args: Any) -> Any:
        """Run the straight-line code on tensors that another compiler of the engine is tracing."""
        backend = discovery.active()
        program = self._program(backend, args)
        if program is None:
            return self.fn(*args)
        if program.captures:
            raise UntraceableError(f"{self.__name__}: variables outside the state: {program.captures}.")
        return codegen.function_of(program)(*args)

    @property
    def source(self) -> str:
        """The text of the program that was written last: as the backend runs it, if it says so."""
        key = next((k for k, p in reversed(self.programs.items()) if p is not None), None)
        program = self.programs.get(key)
        if program is None:
            raise ArgumentError(f"{self.__name__}: no program has been written yet. Call it once first.")
        own = getattr(self._written.get(key), "source", None)
        return codegen.source_of(program) if own is None else own

    def _keep(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Put a value in one of the tables; where it is full, all of them forget one of its keys."""
        if key not in table:
            make_room(table, self._entries, self.programs, self._written, self._untraceable)
        table[key] = value

    def _entry(self, backend: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
        key = self._key(backend, args)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._build(backend, key, args)
            self._keep(self._entries, key, entry)
        return entry

    def _build(self, backend: Any, key: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
        program = self._program(backend, args)
        if program is None:
            return self._native(backend, self._untraceable[key])
        compile_program = program.backend.compile_program
        run = (
            shared_programs.compiled("call", program, compile_program) if self.engine else codegen.function_of(program)
        )
        if run is None:
            return self._refusal(backend, key, args)
        self._keep(self._written, key, run)
        if not program.captures:
            return run
        captures = program.captures
        variables = [t.variable for t in captures if t.variable is not None]

        def with_captures(*args: Any) -> Any:
            with unchanged(variables):
                return run(*args, [captured_value(backend, t) for t in captures])

        return with_captures

    def _refusal(self, backend: Any, key: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
        """The callable of another program, after the engine has not taken the one of this signature."""
        self._keep(self._refused, key, None)
        self.programs.pop(key, None)
        return self._entry(backend, args)

    def _key(self, backend: Any, args: tuple[Any, ...]) -> Any:
        """The signature of the arguments; without the size of the batch where one program serves all."""
        if self.batched and backend.any_batch:
            key = _signature(backend, args, self.batched)
            if key not in self._refused:
                return key
        return _signature(backend, args)

    def _native(self, backend: Any, error: Exception) -> Callable[..., Any]:
        """The function for code that cannot be traced; the first time it works, a warning says so.

        It runs on real tensors where the engine differentiates by itself. Where that fails too, or the engine has no
        such way, the function is recorded anew at each call, and code that asks for a value gets it.
        """
        fn, phase = self.fn, scopes.phase_value()

        def run(*args: Any) -> Any:
            with scopes.eager(), scopes.phase(phase or 0):
                return fn(*args)

        def once(*args: Any) -> Any:
            with scopes.phase(phase or 0):
                return _run_once(backend, fn, args, self.donate)

        ways = [backend.compile_native(run, self.donate) if self.pure else run] if backend.differentiates else []
        ways += [once] if untraceable.needs_values(error) else []

        def guarded(*args: Any) -> Any:
            failures = []
            for way in ways:
                try:
                    results = way(*args)
                except Exception as failure:
                    failures.append(failure)
                else:
                    ways[:] = [way]
                    untraceable.warn_once(error, self.__name__, backend, anew=way is once)
                    return results
            second = failures[0]
            own_fault = not untraceable.needs_values(error) or (type(second), str(second)) == (type(error), str(error))
            if own_fault or isinstance(second, UntraceableError):  # tracing only came first
                raise error from None
            raise second from error

        return guarded

    def _program(self, backend: Any, args: tuple[Any, ...]) -> Program | None:
        key = self._key(backend, args)
        if key not in self.programs:
            try:
                program = self._traced(backend, key, args)
            except Exception as error:
                if key != _signature(backend, args):  # the size of the batch is needed
                    self._keep(self._refused, key, None)
                    return self._program(backend, args)
                if not untraceable.by_user_code(error):
                    raise
                if not backend.differentiates and not untraceable.needs_values(error):
                    raise
                program = None
                self._keep(self._untraceable, key, error)
            self._keep(self.programs, key, program)
            if len(self.programs) >= recompiling.MANY and not self._told:
                self._told = recompiling.tell(self.__name__, list(self.programs), self.array_names)
        return self.programs[key]

    def _traced(self, backend: Any, key: Any, args: tuple[Any, ...]) -> Program:
        batched = self.batched if key != _signature(backend, args) else ()
        adapter = backend.adapter_for(self.donate, key in self._refused)
        adapter = adapter.with_compiler(self.jit) if self.jit else adapter
        program = trace(adapter, self.fn, args, self.donate, batched)
        return program.changed(constant=self.constant) if self.constant else program


class EagerFunction(Compiled):
    """A function whose Python code runs at each call: for a debugger or a `print` in it.

    Where the backend differentiates by itself, the code meets the tensors of the engine, with their values. A backend
    that differentiates by tracing (NumPy) traces it at each call: the code runs again each time, on symbols that have
    values (`x.numpy()`, `if x > 0`).
    """

    def __call__(self, *args: Any) -> Any:
        backend: Any = discovery.active()
        if not backend.differentiates:
            return _run_once(backend, self.fn, [_converted(backend, a) for a in args], self.donate)
        with scopes.eager(), scopes.phase(scopes.phase_value() or 0):
            return self.fn(*(_converted(backend, a) for a in args))

    def specialize(self, *args: Any) -> Callable[..., Any]:
        """The function itself: nothing is kept for arguments like these.

        Args:
            args: not needed.
        """
        return self


def _converted(backend: Any, arg: Any) -> Any:
    if arg.__class__ is list and backend.native.issuperset(map(type, arg)):
        return arg  # itself, because an engine may take out of it what belongs to the function
    if isinstance(arg, list | tuple):
        return [a if a.__class__ in backend.native else _converted(backend, a) for a in arg]
    return arg if arg is None or arg.__class__ in backend.native else backend.convert(arg)


def _signature(backend: Any, args: Sequence[Any], batched: Sequence[int] = ()) -> Any:
    parts = [
        tuple((tuple(t.shape), t.dtype) if t is not None else None for t in a)
        if isinstance(a, list)
        else a
        if a is None
        else (tuple(a.shape), a.dtype)
        for a in args
    ]
    for place in batched:
        parts[place] = _part_of_any_batch(args[place])
    return (backend, scopes.trace_key(), *parts)


def _part_of_any_batch(arg: Any) -> Any:
    if isinstance(arg, list):
        return tuple(map(_part_of_any_batch, arg))
    return None if arg is None else (_of_any_batch(tuple(arg.shape)), arg.dtype)


def _run_once(backend: Any, fn: Callable[..., Any], args: Sequence[Any], donate: Sequence[int]) -> Any:
    """The results of a function that asks for values on the way: it is recorded for these arguments, and run."""
    program = trace(backend.adapter_for(donate, False), fn, args, donate, valued=True)
    captures = [[captured_value(backend, t) for t in program.captures]] if program.captures else []
    return codegen.function_of(program)(*args, *captures)


def captured_value(backend: Any, leaf: SymbolicTensor) -> Any:
    if leaf.variable is not None:
        return leaf.variable.current()
    if leaf is COUNTER:
        return backend.convert(np.asarray(seeds.next_step(), "int64"))
    if leaf is SEED:
        return _seed_on(backend, discovery.current_device(), seeds.root_seed())
    raise ArgumentError(f"{leaf!r} has no value. List every placeholder among the inputs of K.function.")


@functools.lru_cache(maxsize=16)
def _seed_on(backend: Any, device: Any, seed: int) -> Any:
    """The seed as a tensor, copied to the device once."""
    return backend.convert(np.asarray(seed, "int64"))


# Differentiation -----------------------------------------------------------------------------------------------


def traced_value_and_grad(backend: Any, fn: Callable[..., Any], params: Sequence[Any], *rest: Any) -> Any:
    """`value_and_grad` by the rules of `gradients`, for any backend: traced, written and run."""

    def whole(values: Any, *others: Any) -> Any:
        loss, aux = nest.map_structure(recorded, tuple(fn(values, *others)))
        return (loss, aux), gradients.differentiate(loss, values)

    program = trace(backend, whole, [list(params), *rest])
    captured = [[captured_value(backend, t) for t in program.captures]] if program.captures else []
    return backend.compile_program(program)(list(params), *rest, *captured)
