"""From a record to a program (decision D5): a list of instructions for one backend.

Lowering replaces composites that the backend does not bring by their bodies, folds constants, shares equal
subexpressions, applies the patterns of `simplify`, and leaves out what nothing uses. How a program is written as Python
is the business of `codegen`.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import nest
from keras_front.backend import discovery, scopes, shapes, symbolic
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.op import OPS
from keras_front.backend.simplify import LINEAR, Inner, fused, rewrite
from keras_front.backend.symbolic import PHASE, OpCall, SymbolicTensor
from keras_front.errors import UntraceableError

FOLD_LIMIT = 1 << 16  # constants of more elements are not computed ahead


def lowered(
    backend: Any,
    args: Sequence[Any],
    results: Any,
    donate: Sequence[int] = (),
    outer: _Lowering | None = None,
    differentiated: bool = False,
) -> Program:
    """The program that computes `results` from `args`.

    Args:
        backend: the adapter it is for.
        args: for each argument a symbolic tensor, a list of them, or None.
        results: a nesting of symbolic tensors.
        donate: places of arguments whose memory may be reused.
        outer: the lowering within which this is a body.
        differentiated: whether the engine differentiates through it: then functions with a gradient of their own stay
            whole; elsewhere only what they compute is left.
    """
    lowering = _Lowering(backend, set(symbolic.leaves_of(args)), outer, differentiated)
    final = lowering.lower(results)
    return Program(backend, list(args), final, lowering.instructions, lowering.captures, tuple(donate))


# Lowering ------------------------------------------------------------------------------------------------------


class _Lowering:
    """From a record to instructions: bodies put in place, constants folded, equal work shared, the unused left out."""

    def __init__(self, backend: Any, leaves: set[SymbolicTensor], outer: _Lowering | None, differentiated: bool):
        self.backend, self.leaves, self.differentiated = backend, leaves, differentiated
        self.printed: dict[int, _Lowering] = {} if outer is None else outer.printed
        self.instructions: list[Instruction] = []
        self.captures: list[SymbolicTensor] = []
        self._alias: dict[SymbolicTensor, SymbolicTensor] = {}
        self._known: dict[Any, list[SymbolicTensor]] = {}
        self._made: dict[SymbolicTensor, Instruction] = {}

    def lower(self, results: Any) -> Any:
        """Write the instructions for `results`; returns them with their final tensors."""
        order = symbolic.toposort(symbolic.leaves_of(results), self.leaves, self._source)
        if any(origin.op.name == "barrier" for origin in order):
            order = self._as_recorded(order)
        for origin in order:
            self._add(origin)
        final = nest.map_structure(lambda t: t if t is None else self._final(t), results)
        self._drop_unused(final)
        own = [LINEAR] if self.backend.overrides("linear") else []
        self.instructions = fused(self.instructions, final, [*own, *self.backend.fusions])
        return final

    def _as_recorded(self, order: list[OpCall]) -> list[OpCall]:
        """The records in the order in which they were made, as far as each can follow those that it needs.

        Where parts are computed again for the gradient, each is then used and let go before the next is made.
        """
        readers: dict[int, list[OpCall]] = {id(origin): [] for origin in order}
        waits = dict.fromkeys(readers, 0)
        for origin in order:
            makers = {id(t.origin) for t in map(self._source, origin.tensors()) if t not in self.leaves}
            for maker in makers & readers.keys():
                readers[maker].append(origin)
                waits[id(origin)] += 1
        ready = [(origin.serial, origin) for origin in order if not waits[id(origin)]]
        heapq.heapify(ready)
        found = []
        while ready:
            origin = heapq.heappop(ready)[1]
            found.append(origin)
            for reader in readers[id(origin)]:
                waits[id(reader)] -= 1
                if not waits[id(reader)]:
                    heapq.heappush(ready, (reader.serial, reader))
        return found

    def _drop_unused(self, results: Any) -> None:
        """Leave out instructions and captures that nothing uses (what a folded branch or a shape stood for)."""
        self.instructions, needed = _needed(self.instructions, results)
        self.captures = [t for t in self.captures if t in needed]

    def _source(self, tensor: SymbolicTensor) -> SymbolicTensor:
        while tensor not in self.leaves and tensor.origin is not None and not self._kept(tensor.origin):
            tensor = tensor.origin.expansion[tensor.index]  # type: ignore[index]
        return tensor

    def _kept(self, origin: OpCall) -> bool:
        if origin.expansion is None:
            return True
        if origin.op.name in ("custom_gradient", "recompute") and not self.differentiated:
            return False
        return origin.op.name != "scan" and self.backend.keeps(origin)

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
        attrs = origin.attrs
        if symbolic.has_symbols(attrs):  # sizes that only a run tells
            attrs = {name: nest.map_structure(self._final_size, value) for name, value in attrs.items()}
        self._put(origin, origin.op.name, args, attrs, origin.outputs)

    def _final_size(self, item: Any) -> Any:
        return self._final(item) if isinstance(item, SymbolicTensor) else item

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
        instruction = self._instruction(origin, name, args, attrs, outs)
        self.instructions.append(instruction)
        self._made.update((t, instruction) for t in outs)

    def _is_printed(self, name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor]) -> bool:
        """Leave out what another program prints already, of which this one is the gradient."""
        again = name == "host_print" and self.printed.setdefault(attrs["serial"], self) is not self
        if again:
            self._alias[outs[0]] = args[0]
        return again

    def _instruction(
        self, origin: OpCall | None, name: str, args: Any, attrs: dict[str, Any], outs: list[Any]
    ) -> Instruction:
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
        if name == "recompute":
            body = attrs["body"]
            program = self._program([body.carry, body.captured], body.next_carry)
            return Instruction(name, args, {}, outs, _structure(origin, outs), program)
        if name == "custom_gradient":
            forward, back = attrs["forward"], attrs["backward"]
            program = self._program([forward.carry, forward.captured], (forward.next_carry, forward.ys))
            rule = self._program([back.carry, back.captured], back.next_carry)
            return Instruction(name, args, {"backward": rule}, outs, _structure(origin, outs), program)
        return Instruction(name, args, attrs, outs, _structure(origin, outs))

    def _program(self, args: Any, results: Any, differentiated: bool = True) -> Program:
        return lowered(self.backend, args, results, (), self, differentiated)

    def _fold(self, name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor]) -> bool:
        """Compute now what depends on constants alone, and is small."""
        leaves = list(symbolic.leaves_of(args))
        facts = OPS[name].facts
        if not facts.pure or facts.has_body or len(outs) != 1 or not leaves or None in outs[0].shape:
            return False
        if any(t.constant is None for t in leaves) or _elements(outs[0]) > FOLD_LIMIT:
            return False
        value = _on_host(name, leaves, attrs)
        if value is None:
            real = nest.map_structure(lambda t: t if t is None else self.backend.convert(t.constant, t.dtype), args)
            with scopes.trace_scope(None), scopes.eager():
                value = getattr(self.backend, name)(*real, **attrs)
        self._alias[outs[0]] = SymbolicTensor(outs[0].shape, outs[0].dtype, constant=value)
        return True


def _on_host(name: str, leaves: Sequence[SymbolicTensor], attrs: dict[str, Any]) -> np.ndarray | None:
    """The weights of a batch that has none, and their sum, without the engine: some compile each op that they run."""
    if name not in ("broadcast_to", "sum") or len(leaves) != 1 or leaves[0].dtype not in ("float32", "float64"):
        return None
    if not isinstance(leaves[0].constant, np.ndarray | np.generic | float | int):
        return None
    value = np.asarray(leaves[0].constant, leaves[0].dtype)
    if name == "broadcast_to":
        return np.array(np.broadcast_to(value, attrs["shape"]))
    return np.array(np.sum(value, shapes.normalize_axes(attrs["axis"], value.ndim), keepdims=bool(attrs["keepdims"])))


def _needed(instructions: Sequence[Instruction], results: Any) -> tuple[list[Instruction], set[SymbolicTensor]]:
    """The instructions on which `results` depend, and all tensors that are read. Loops give what is read alone."""
    needed, kept = set(symbolic.leaves_of(results)), []
    for instruction in reversed(instructions):
        if any(t in needed for t in instruction.outs):
            if instruction.op == "scan":
                instruction = _without_unread_steps(instruction, needed)
            needed.update(instruction.inputs())
            kept.append(instruction)
    return kept[::-1], needed


def _without_unread_steps(loop: Instruction, needed: set[SymbolicTensor]) -> Instruction:
    """A loop without the results of its steps that nobody reads; the last carry stays."""
    finals, stacked = loop.structure
    read = [t in needed for t in stacked]
    if all(read) or loop.body is None:
        return loop
    carry, ys = loop.body.results
    results = carry, list(itertools.compress(ys, read))
    body = loop.body.changed(results=results, instructions=_needed(loop.body.instructions, results)[0])
    stacked = list(itertools.compress(stacked, read))
    return loop.changed(structure=(finals, stacked), outs=[*finals, *stacked], body=body)


def _structure(origin: OpCall | None, outs: list[Any]) -> Any:
    return outs[0] if origin is None or origin.structure is None else origin.structure


def _elements(tensor: SymbolicTensor) -> int:
    return shapes.size(tensor.shape) or 0


def _is_true(constant: Any) -> bool:
    """The truth of one element, which may be a tensor of an engine that NumPy does not know."""
    return bool(discovery.host_value(constant).reshape(()))


def _alike(tensor: Any, other: Any) -> bool:
    """Whether two tensors have one shape, for certain: an unknown dimension may be another one."""
    return tensor.shape == other.shape and None not in other.shape


def _scalar_constant(tensor: Any, value: float) -> bool:
    constant = getattr(tensor, "constant", None)
    return isinstance(constant, np.ndarray) and constant.ndim == 0 and constant == value


def _shortcut(name: str, args: Any, attrs: dict[str, Any], outs: list[SymbolicTensor], differentiates: bool) -> Any:
    """The argument that the op would return unchanged, if it does."""
    facts = OPS[name].facts
    if name == "stop_gradient" and not differentiates:
        return args[0]
    if facts.keeps_elements and args[0].dtype == outs[0].dtype:
        if _alike(args[0], outs[0]) or ("shape" not in attrs and args[0].shape == outs[0].shape):
            return args[0]
    if name == "where" and args[0].constant is not None and _elements(args[0]) == 1:
        chosen = args[1] if _is_true(args[0].constant) else args[2]
        return chosen if _alike(chosen, outs[0]) else None
    for number, neutral, other in zip(facts.neutral, args, args[::-1], strict=False):
        if number is not None and _scalar_constant(neutral, number) and other.shape == outs[0].shape:
            return other
    return None


def _key(name: str, args: Any, attrs: dict[str, Any]) -> Any:
    """What makes two instructions equal, None if they never are."""
    try:
        frozen = tuple((k, _exactly(v)) for k, v in sorted(attrs.items()))
        hash(frozen)
    except TypeError:
        return None
    return name, symbolic_key(args), frozen


def _exactly(value: Any) -> Any:
    """A key under which a value meets only what is the same.

    1, 1.0 and True are equal and not the same, nor are 0.0 and -0.0, while one NaN is as good as another.
    """
    if isinstance(value, tuple | list):
        return type(value), tuple(map(_exactly, value))
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float | complex):
        return type(value), repr(value)  # which has the sign of zero, and all digits
    return type(value), value


def symbolic_key(args: Any) -> Any:
    """What makes arguments equal: small constants by their bits, all else by what it is."""
    if isinstance(args, list | tuple):
        return tuple(map(symbolic_key, args))
    if args is not None and isinstance(args.constant, np.ndarray) and args.constant.size == 1:
        return "constant", args.shape, args.dtype, _exactly(args.constant)
    return id(args)
