"""Rules for loops over time: `scan`, whose body is a schedule of its own, and the kernels of recurrent layers.

What the body of a loop computes lies in buffers that every step uses again. Carried tensors have memory of their own,
which the body updates as a step updates its state; the steps of inputs and results are views cut beforehand.
"""

from __future__ import annotations

from typing import Any

from ..buffers import Buffer, Operand
from ..kernels import recurrent_layers
from .data import Loop, Steps
from .scheduler import Rule, Scheduler


def scan(s: Scheduler, i: Any) -> None:
    """Copy the first carry into memory of its own, then loop."""
    init, xs, captured = i.args
    finals, stacked = i.structure
    outer = [s.operand(t) for t in captured]
    sources = [s.operand(t) for t in xs]
    carried = [_carry(s, final, start) for final, start in zip(finals, init, strict=True)]
    stacks = [s.out(t) if s.uses[t] else None for t in stacked]
    count = int(xs[0].shape[0] if xs else i.attrs["length"])
    body = _Body(s, i, count)
    loop = body.scheduled(outer, sources, carried, stacks)
    s.add("loop", (), attrs={"loop": loop})
    for tensor in (*finals, *stacked):
        if not s.uses[tensor]:
            s.release(tensor)


def _carry(s: Scheduler, tensor: Any, start: Any) -> Operand:
    """Memory for a carried tensor, with its first value."""
    source = s.operand(start)
    place = s.places[tensor] if tensor in s.places else s.session.pool.take(tensor.shape, tensor.dtype)
    held = s.place(tensor, place)
    s.copy(held, source)
    return held


class _Body:
    """The body of one loop: a scheduler of its own, and the variables that the loop sets at each step."""

    def __init__(self, outer: Scheduler, instruction: Any, count: int):
        program = instruction.body
        self.carry, self.xs, self.captured = program.args
        self.next_carry, self.ys = program.results
        pairs = dict(zip(self.carry, self.next_carry, strict=True))
        self.scheduler = Scheduler(outer.session, program.instructions, program.results, pairs)
        self.count, self.reverse = count, instruction.attrs["reverse"]
        self.variables: list[tuple[str, Steps]] = []

    def scheduled(
        self, outer: list[Operand], sources: list[Operand], carried: list[Operand], stacks: list[Operand | None]
    ) -> Loop:
        s = self.scheduler
        for leaf, operand in zip(self.xs, sources, strict=True):
            s.place(leaf, Operand.in_register(self._variable("t", operand), leaf.shape, leaf.dtype))
        for leaf, operand in zip(self.captured, outer, strict=True):
            s.place(leaf, operand._replace(buffer=None, allocated=False))
        for leaf, operand in zip(self.carry, carried, strict=True):
            s.place(leaf, operand._replace(buffer=Buffer()))
        late = self._place_results(stacks)
        s.run()
        late += [(name, y) for y, name in s.registers.items() if s.operand(y).register != name]
        for name, y in late:
            self._copy_out(name, y)
        s.move_pairs()
        s.release_all()
        registers, steps = zip(*self.variables, strict=True) if self.variables else ((), ())
        return Loop(self.count, registers, steps, tuple(s.operations))

    def _place_results(self, stacks: list[Operand | None]) -> list[tuple[str, Any]]:
        """Let the body write its results into the steps of the stacks.

        What is an argument of the body is copied there at once, since carried tensors change. What cannot be written
        there, constants and results that stand there twice, is returned, to be copied at the end of each step.
        """
        s, late = self.scheduler, []
        for y, stack in zip(self.ys, stacks, strict=True):
            if stack is None:
                continue
            name = self._variable("y", stack)
            if s.maker(y) is None and (y in s.operands or y in s.pairs):
                self._copy_out(name, y)
                s.uses[y] -= 1
            elif s.maker(y) is not None and y not in s.registers:
                s.registers[y] = name
            else:
                late.append((name, y))
        return late

    def _variable(self, prefix: str, operand: Operand) -> str:
        """A loop variable that runs over the steps of an operand."""
        name = self.scheduler.session.register(prefix)
        self.variables.append((name, _steps(operand, self.reverse, self.count)))
        return name

    def _copy_out(self, name: str, y: Any) -> None:
        self.scheduler.copy(Operand.in_register(name, y.shape, y.dtype), self.scheduler.operand(y))


def _steps(operand: Operand, reverse: bool, count: int) -> Steps:
    if operand.array is None:
        return Steps(None, operand, reverse)
    order = range(count)[::-1] if reverse else range(count)
    return Steps(tuple(operand.array[i, ...] for i in order))


# Recurrent layers ----------------------------------------------------------------------------------------------


def _key(kind: str, args: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    return (kind, *args, *sorted(attrs.items()))


def sequence(s: Scheduler, i: Any) -> None:
    """A layer's steps forward; its kernel keeps them for the backward pass."""
    kind = i.op.removesuffix("_sequence")
    _forward(s, kind, tuple(i.args), i.attrs, tuple(s.out(t) for t in i.outs))


def _forward(s: Scheduler, kind: str, args: tuple[Any, ...], attrs: dict[str, Any], outs: tuple[Operand, ...]) -> Any:
    layer = s.session.layers.get(_key(kind, args, attrs))
    if layer is None:
        layer = s.session.layers[_key(kind, args, attrs)] = recurrent_layers.layer_for(kind, args, attrs)
    s.add("forward", s.all_operands(args), outs, function=layer, name=kind)
    return layer


def sequence_gradient(s: Scheduler, i: Any) -> None:
    """The backward pass over the steps of the same arguments, which run here if nobody uses their results."""
    kind = i.op.removesuffix("_sequence_gradient")
    count = recurrent_layers.RESULTS[kind]
    args = tuple(i.args[count:])
    layer = s.session.layers.get(_key(kind, args, i.attrs))
    if layer is None:
        results = tuple(s.scratch(g.shape, g.dtype) for g in i.args[:count])
        layer = _forward(s, kind, args, i.attrs, results)
    inputs = s.all_operands(tuple(i.args))
    outputs = tuple(s.out(t) for t in i.outs)
    s.add("backward", (inputs[:count], inputs[count:]), outputs, function=layer, name=kind)


RULES: dict[str, Rule] = {
    "scan": scan,
    **{f"{kind}_sequence": sequence for kind in recurrent_layers.RESULTS},
    **{f"{kind}_sequence_gradient": sequence_gradient for kind in recurrent_layers.RESULTS},
}
