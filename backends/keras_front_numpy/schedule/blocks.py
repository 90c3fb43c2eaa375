"""Runs of operations on single elements, done a block at a time while the block lies in the cache.

A pass over memory costs more than the arithmetic of most operations. Where several operations in a row compute arrays
of one shape, element by element, a loop over blocks runs all of them on one block before it goes on to the next.
Vectors over the last axes (biases, the scales of normalization) are repeated to rows of a few hundred elements, since
NumPy calls its inner loop anew for each row. The results are the same bit for bit: each element meets the same
operations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..buffers import Operand
from .data import Loop, Operation, Steps, View

LEAST = 1 << 16  # elements of arrays that are worth a loop
BLOCK = 1 << 14  # elements of a block, at most
CACHE = 1 << 20  # bytes of arrays that a cache holds from one operation to the next
ROW = 512  # elements that a vector is repeated to, at least
LONGEST = 24  # operations of a run
Memory = tuple[Any, int, int]  # where it begins, its bytes, those of an element
_KINDS = frozenset(("sigmoid", "where", "keep", "cast", "copy"))


def in_blocks(operations: Iterable[Operation], session: Any) -> list[Operation]:
    """The operations, with loops in the place of runs on single elements.

    Args:
        operations: Those of a program, in order.
        session: The session of its scheduler, for the names of new variables.
    """
    result: list[Operation] = []
    run = _Run(())
    for operation in operations:
        if run.takes(operation):
            continue
        result += run.finished(session)
        run = _Run(operation.outputs[0].shape if _is_elementwise(operation) else ())
        if not run.takes(operation):
            result.append(operation)
    return [*result, *run.finished(session)]


def _is_elementwise(operation: Operation) -> bool:
    if operation.kind not in _KINDS and not (operation.kind == "kernel" and _is_plain(operation.function)):
        return False
    flat = all(isinstance(operand, Operand) for operand in operation.inputs)
    return flat and len(operation.outputs) == 1 and not operation.attrs.keys() - {"bits"}


def _is_plain(function: Any) -> bool:
    return isinstance(function, np.ufunc) and function.signature is None  # `matmul` has one


def _core(operand: Operand) -> Operand:
    """An operand without the first axes along which it is the same."""
    array = operand.array
    if array is None:
        return operand._replace(shape=operand.shape[_ones(operand.shape) :])
    while array.ndim and (array.shape[0] == 1 or array.strides[0] == 0):
        array = array[0, ...]
    return operand._replace(shape=array.shape, array=array)


def _ones(shape: Sequence[int]) -> int:
    """How many axes of length 1 come first."""
    return next((axis for axis, n in enumerate(shape) if n != 1), len(shape))


def _memory(operand: Operand) -> Memory:
    """Where an operand lies; a variable is memory of its own."""
    array = operand.array
    if array is None:
        return operand.register, 0, 0
    first = array.__array_interface__["data"][0]
    spans = [(n - 1) * stride for n, stride in zip(array.shape, array.strides, strict=True)]
    before = -sum(span for span in spans if span < 0)
    return first - before, before + sum(span for span in spans if span > 0) + array.itemsize, array.itemsize


def _any_meet(some: set[Memory], others: set[Memory], apart: bool = False) -> bool:
    """Whether pieces of memory overlap otherwise than element by element, or at all if they must be `apart`."""
    return any(_meet(a, b) if a != b else apart for a in some for b in others)


def _meet(a: Memory, b: Memory) -> bool:
    if isinstance(a[0], str) or isinstance(b[0], str):
        return False
    return a[0] < b[0] + b[1] and b[0] < a[0] + a[1]


class _Run:
    """Operations in a row on arrays of one shape.

    Args:
        shape: That shape.
    """

    def __init__(self, shape: Sequence[int]):
        self.shape, self.size = tuple(shape), math.prod(shape)
        self.operations: list[Operation] = []
        self.early: list[Operation] = []  # what is done before the loop
        self.vector = 0  # elements of the vectors
        self._read: set[Memory] = set()
        self._written: set[Memory] = set()

    def takes(self, operation: Operation) -> bool:
        """Add an operation if it can be done block by block after those before it."""
        if not self._fits(operation):
            return self._goes_before(operation)
        written = {_memory(o) for o in (*operation.outputs, *operation.scratch)}
        read = {_memory(o) for o in operation.inputs}
        if _any_meet(written, self._read | self._written | read) or _any_meet(read, self._written):
            return False
        self._read |= read
        self._written |= written
        self.vector = self.vector or max(map(self._vector, operation.inputs))
        self.operations.append(operation)
        return True

    def _goes_before(self, operation: Operation) -> bool:
        """Whether an operation that has nothing to do with the run can be done before it; then it is."""
        if not self.operations or len(self.early) == LONGEST:
            return False
        if operation.kind not in ("empty", "view") and not _is_elementwise(operation):
            return False
        written = {_memory(o) for o in (*operation.outputs, *operation.scratch)}
        read = {_memory(o) for o in operation.inputs}
        if _any_meet(written, self._read | self._written, apart=True) or _any_meet(read, self._written, apart=True):
            return False
        self.early.append(operation)
        return True

    def _vector(self, operand: Operand) -> int:
        """The elements of an operand that is the same for all of the first axes, 0 for any other one."""
        own = _core(operand)
        tail = self.shape[len(self.shape) - len(own.shape) :]
        if self._is_whole(operand) or not own.shape or own.shape != tail:
            return 0
        return math.prod(own.shape) if own.array is None or own.array.flags.c_contiguous else 0

    def _is_whole(self, operand: Operand) -> bool:
        return operand.shape == self.shape and (operand.array is None or operand.array.flags.c_contiguous)

    def _fits(self, operation: Operation) -> bool:
        if self.size < LEAST or len(self.operations) == LONGEST or not _is_elementwise(operation):
            return False
        written = (*operation.outputs, *operation.scratch)
        if not all(self._is_whole(o) and (o.array is not None or o.allocated) for o in written):
            return False  # a view that is made while the program runs need not lie in one piece
        if "bits" in operation.attrs and any(o.register for o in operation.inputs):
            return False  # what the caller gives may stand in another byte order
        sizes = {self._vector(o) for o in operation.inputs if not self._is_whole(o) and not _is_number(o)}
        return sizes <= {self.vector} if self.vector else len(sizes) <= 1 and 0 not in sizes

    # The loop --------------------------------------------------------------------------------------------------

    def finished(self, session: Any) -> Iterator[Operation]:
        """The operations that do all of this."""
        count = self._blocks()
        yield from self.early
        if not count or not self._pays():
            yield from self.operations
            return
        yield from _Blocks(self, count, session).operations()

    def _pays(self) -> bool:
        """Short vectors are slow to add row by row; else arrays have to leave the cache before they are read again."""
        together = sum(nbytes for _, nbytes, _ in self._read | self._written)
        return 0 < self.vector < ROW // 8 or (len(self.operations) > 2 and together > CACHE)

    def _blocks(self) -> int:
        """Of how many equal blocks the arrays can be made, 0 if there is no good number."""
        unit, least = max(self.vector, 1), -(-self.size // BLOCK)
        if not self.operations or self.size % unit:
            return 0
        return next((n for n in range(least, 4 * least + 1) if (self.size // unit) % n == 0), 0)


def _is_number(operand: Operand) -> bool:
    return operand.shape == () if operand.array is None else _core(operand).shape == ()


class _Blocks:
    """The loop over the blocks of a run."""

    def __init__(self, run: _Run, count: int, session: Any):
        self.run, self.count, self.session = run, count, session
        size = run.size // count
        rows = size // run.vector if run.vector else 1
        repeats = next((m for m in range(-(-ROW // max(run.vector, 1)), rows) if rows % m == 0), rows)
        self.shape = (rows // repeats, repeats * run.vector) if run.vector else (size,)
        self.before: list[Operation] = []
        self.steps: dict[Any, tuple[str, Steps]] = {}
        self.others: dict[Any, Operand] = {}

    def operations(self) -> list[Operation]:
        """What stands before the loop, and the loop."""
        body = tuple(
            o._replace(
                inputs=tuple(map(self._part, o.inputs)),
                outputs=tuple(map(self._part, o.outputs)),
                scratch=tuple(map(self._part, o.scratch)),
            )
            for o in self.run.operations
        )
        registers, steps = zip(*self.steps.values(), strict=True)
        return [*self.before, Operation("loop", (), attrs={"loop": Loop(self.count, registers, steps, body)})]

    def _part(self, operand: Operand) -> Operand:
        key = (*_memory(operand), operand.dtype)
        if self.run._is_whole(operand):
            if key not in self.steps:
                self.steps[key] = self.session.register("e"), self._steps(operand)
            return Operand.in_register(self.steps[key][0], self.shape, operand.dtype)
        if key not in self.others:
            self.others[key] = _core(operand) if _is_number(operand) else self._row(_core(operand))
        return self.others[key]

    def _steps(self, operand: Operand) -> Steps:
        view = View("reshape", (self.count, *self.shape))
        if operand.array is not None:
            return Steps(tuple(view.of(operand.array)))
        seen = Operand.in_register(self.session.register("v"), view.value, operand.dtype)
        self.before.append(Operation("view", (operand,), (seen,), attrs={"view": view}))
        return Steps(None, seen)

    def _row(self, operand: Operand) -> Operand:
        """A vector, repeated to a row."""
        row = np.empty(self.shape[-1:], operand.dtype)
        target = Operand.of(row.reshape(-1, *operand.shape))
        self.before.append(Operation("copy", (operand,), (target,)))
        return Operand.of(row)
