"""The scheduler: a pass over the instructions of a body that decides where every tensor lies.

It counts how often every tensor is still to be read. The result of an op takes a buffer from the pool, or the place
that was chosen for it (a slice of the flat gradients, the memory of a state, the step of a loop's result), or, where an
op of single elements has an argument that nobody reads afterwards, the memory of that argument. `RULES` of the other
modules say which of these an op may do. Each loop body has a scheduler of its own, which shares the session.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front.backend import symbolic

from ..buffers import Buffer, BufferPool, Operand, same_memory
from ..rewriting import rewritten
from .data import Operation, View

Rule = Callable[["Scheduler", Any], None]


class Session:
    """What the schedulers of a program and of the loops in it share.

    Args:
        backend: The NumPy backend, whose methods compute what has no rule.
        rules: For each op the rule that schedules it.
    """

    def __init__(self, backend: Any, rules: Mapping[str, Rule]):
        self.backend, self.rules = backend, rules
        self.pool = BufferPool()
        self.layers: dict[Any, Any] = {}  # kernels of recurrent layers, which forward and backward share
        self._registers: Counter[str] = Counter()
        self._scalars: dict[Any, Operand] = {}

    def scalar(self, value: float, dtype: Any) -> Operand:
        """A constant without axes, which is what ufuncs take fastest."""
        key = value, np.dtype(dtype)
        if key not in self._scalars:
            self._scalars[key] = Operand.of(np.array(value, dtype), label="k")
        return self._scalars[key]

    def register(self, prefix: str) -> str:
        """The name of a new local variable."""
        self._registers[prefix] += 1
        return f"{prefix}{self._registers[prefix]}"


class Liveness:
    """Who makes and who reads the tensors of a body, and how often they are still to be read.

    Args:
        instructions: The instructions, in order.
        results: The tensors that are read after the last of them.
    """

    def __init__(self, instructions: Sequence[Any], results: Iterable[Any]):
        self.results = list(results)
        self.kept = set(self.results)
        self.makers = {t: instruction for instruction in instructions for t in instruction.outs}
        self.readers: defaultdict[Any, list[Any]] = defaultdict(list)
        for instruction in instructions:
            for tensor in instruction.inputs():
                self.readers[tensor].append(instruction)
        self.uses: Counter[Any] = Counter({t: len(found) for t, found in self.readers.items()})
        self.uses.update(self.results)


class Scheduler:
    """Schedules one body.

    Args:
        session: What it shares with the bodies around it.
        instructions: The instructions of the body.
        results: Its results, nested.
        pairs: For donated or carried tensors the results that take their places.
        fresh: Results for which the generated code makes new arrays.

    Attributes:
        operations: What was scheduled so far.
        operands: Where each tensor is.
        places: Memory that was chosen for tensors beforehand.
        registers: Loop variables into which tensors are to be written.
    """

    def __init__(
        self, session: Session, instructions: Sequence[Any], results: Any, pairs: Mapping[Any, Any],
        fresh: Iterable[Any] = (),
    ):  # fmt: skip
        self.session, self.backend = session, session.backend
        flat = list(symbolic.leaves_of(results))
        self.instructions = rewritten(instructions, results)
        self.liveness = Liveness(self.instructions, flat)
        self.uses = self.liveness.uses
        self.pairs, self.fresh = dict(pairs), frozenset(fresh)
        self.replaced: dict[Any, list[Any]] = {}
        for old, new in self.pairs.items():
            self.replaced.setdefault(new, []).append(old)
        self.operations: list[Operation] = []
        self.operands: dict[Any, Operand] = {}
        self.places: dict[Any, Operand] = {}
        self.registers: dict[Any, str] = {}
        self._inside: defaultdict[Buffer, set[Any]] = defaultdict(set)  # tensors still to be read, by buffer
        self._scratch: list[Buffer] = []

    def run(self) -> None:
        """Schedule all instructions."""
        for instruction in self.instructions:
            self.session.rules.get(instruction.op, call_method)(self, instruction)
            self._let_go(instruction)

    def _let_go(self, instruction: Any) -> None:
        """Give back scratch memory, and the memory of what this instruction read last."""
        for buffer in self._scratch:
            self.session.pool.give(buffer)
        self._scratch.clear()
        for tensor in instruction.inputs():
            self.uses[tensor] -= 1
        for tensor in {*instruction.inputs(), *instruction.outs}:
            if not self.uses[tensor]:
                self.release(tensor)

    def release(self, tensor: Any) -> None:
        """Forget a tensor; its buffer goes back to the pool if nothing else lies there."""
        operand = self.operands.get(tensor)
        buffer = None if operand is None else operand.buffer
        if buffer is None or tensor not in self._inside[buffer]:
            return
        self._inside[buffer].discard(tensor)
        if not self._inside[buffer]:
            self.session.pool.give(buffer)

    def release_all(self) -> None:
        """Forget everything, at the end of a loop's body."""
        for tensor in list(self.operands):
            self.release(tensor)

    # What is known ---------------------------------------------------------------------------------------------

    def operand(self, tensor: Any) -> Operand:
        """Where a tensor is; a constant gets memory when it is first asked for."""
        found = self.operands.get(tensor)
        if found is None:
            value = self.backend.convert(tensor.constant, tensor.dtype)
            array = np.ascontiguousarray(value).reshape(tensor.shape)
            found = self.operands[tensor] = Operand.of(array, label="k")
        return found

    def all_operands(self, item: Any) -> Any:
        """The operands in nested lists of tensors and None."""
        return symbolic.map_structure(lambda t: t if t is None else self.operand(t), item)

    def maker(self, tensor: Any) -> Any:
        """The instruction that makes a tensor, None for an argument."""
        return self.liveness.makers.get(tensor)

    # Where results go ------------------------------------------------------------------------------------------

    def add(self, kind: str, inputs: Any, outputs: Any = (), **more: Any) -> None:
        """Append an operation; for the arguments see `Operation`. One operand stands for a tuple of it."""
        outputs = (outputs,) if isinstance(outputs, Operand) else outputs
        self.operations.append(Operation(kind, inputs, outputs, **more))

    def place(self, tensor: Any, operand: Operand) -> Operand:
        """Note where a tensor is; its buffer is taken until the tensor was read for the last time."""
        self.operands[tensor] = operand
        if operand.buffer is not None:
            self._inside[operand.buffer].add(tensor)
        return operand

    def out(self, tensor: Any, reuse: Sequence[Any] = ()) -> Operand:
        """A place for a result.

        Args:
            tensor: The result.
            reuse: Arguments whose memory the op may write over while it reads them.
        """
        if tensor in self.registers:
            return self.place(tensor, Operand.in_register(self.registers[tensor], tensor.shape, tensor.dtype))
        if tensor in self.places:
            return self.place(tensor, self.places[tensor])
        for old in self.replaced.get(tensor, ()):
            if self.is_free(old, sum(t is old for t in reuse)):
                return self.place(tensor, self.operands[old])
        if tensor in self.fresh:
            return self._allocated(tensor)
        for argument in reuse:
            if self._may_take(argument, tensor, reuse):
                return self.place(tensor, self.operands[argument])
        return self.place(tensor, self.session.pool.take(tensor.shape, tensor.dtype))

    def _allocated(self, tensor: Any) -> Operand:
        """An array that the generated code makes for a result."""
        made = Operand.in_register(self.session.register("r"), tensor.shape, tensor.dtype, True)
        self.add("empty", (), (made,))
        return self.place(tensor, made)

    def is_free(self, old: Any, times: int) -> bool:
        """Whether the memory of a donated tensor may be written by the present instruction.

        Args:
            old: The donated tensor.
            times: How often the instruction reads it, element by element; nobody may read it afterwards.
        """
        held = self.operands[old]
        inside = self._inside[held.buffer] if held.buffer is not None else {old}
        return not inside - {old} and held.array is not None and self.uses[old] == times

    def _may_take(self, argument: Any, tensor: Any, reuse: Sequence[Any]) -> bool:
        operand = self.operands.get(argument)
        if operand is None or operand.buffer is None or operand.buffer.pinned or operand.array is None:
            return False
        if operand.shape != tuple(tensor.shape) or operand.dtype != np.dtype(tensor.dtype):
            return False
        if not operand.array.flags.c_contiguous or self._inside[operand.buffer] != {argument}:
            return False
        return self.uses[argument] == sum(t is argument for t in reuse)

    def scratch(self, shape: Sequence[int], dtype: Any) -> Operand:
        """Memory for the present instruction."""
        operand = self.session.pool.take(shape, dtype)
        self._scratch.append(operand.buffer)  # type: ignore[arg-type]
        return operand

    def alias(self, tensor: Any, source: Any) -> None:
        """`tensor` is `source` itself."""
        self.place(tensor, self.operand(source)._replace(allocated=False))

    def view(self, tensor: Any, source: Any, view: View) -> None:
        """`tensor` is a view of `source`, made now if its memory is known, else when the program runs."""
        self.place(tensor, self.view_of(self.operand(source), view))

    def view_of(self, operand: Operand, view: View) -> Operand:
        """An operand that is a view of another."""
        if view == ("reshape", operand.shape):
            return operand
        if operand.array is not None:
            return Operand.of(view.of(operand.array), operand.buffer)
        seen = view.of(np.broadcast_to(np.empty((), operand.dtype), operand.shape))
        result = Operand.in_register(self.session.register("v"), seen.shape, operand.dtype)
        self.add("view", (operand,), (result,), attrs={"view": view})
        return result

    def copy(self, target: Operand, source: Operand) -> None:
        """Copy elements."""
        self.add("copy", (source,), (target,))

    def move_pairs(self) -> None:
        """Copy into donated or carried memory what was not computed there."""
        pairs = [(self.operands[old], self.operand(new)) for old, new in self.pairs.items()]
        moves = [(old, new) for old, new in pairs if not same_memory(new.array, old.array)]
        targets = {id(old.buffer) for old, _ in moves}
        sources = []
        for _, new in moves:  # a value that lies where another move goes must step aside first
            if new.buffer is not None and new.buffer.pinned and id(new.buffer) in targets:
                aside = self.session.pool.take(new.shape, new.dtype)
                self.copy(aside, new)
                new = aside
            sources.append(new)
        for (old, _), source in zip(moves, sources, strict=True):
            self.copy(old, source)


def call_method(s: Scheduler, instruction: Any) -> None:
    """Schedule a call of the adapter's method, which makes new arrays."""
    inputs = s.all_operands(tuple(instruction.args))

    def result(tensor: Any) -> Any:
        if tensor is None:
            return None
        return s.place(tensor, Operand.in_register(s.session.register("v"), tensor.shape, tensor.dtype))

    outputs = symbolic.map_structure(result, instruction.structure)
    method = getattr(s.backend, instruction.op)
    call = Operation("method", inputs, outputs, method, instruction.op, instruction.attrs)
    s.operations.append(call)  # whose outputs keep their nesting, a single one too
