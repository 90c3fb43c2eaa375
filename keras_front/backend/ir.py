"""What a program is made of: instructions, and the program that holds them. Both are data that nobody changes.

A rewrite of a program makes another one (`changed`). Nothing here depends on how programs come about (`lowering`), how
they are simplified (`simplify`) or written (`codegen`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from keras_front import nest
from keras_front.backend import symbolic
from keras_front.backend.symbolic import SymbolicTensor


@dataclasses.dataclass(frozen=True, eq=False, slots=True, repr=False)
class Instruction:
    """One op of a program.

    Args:
        op: the name of an op, or of another method of the adapter for which the program is.
        args: tensors, lists of tensors, None.
        attrs: the other arguments.
        outs: all results, in order.
        structure: how the results are nested.
        body: the program of a loop or of a function that is differentiated.
    """

    op: str
    args: Sequence[Any]
    attrs: dict[str, Any]
    outs: Sequence[SymbolicTensor]
    structure: Any
    body: Program | None = None

    def inputs(self) -> Iterator[SymbolicTensor]:
        """The tensors that it reads; where sizes are unknown, there are some among the attributes too."""
        return symbolic.inputs_of(self.args, self.attrs)

    def changed(self, **parts: Any) -> Instruction:
        """A copy with other parts.

        Args:
            parts: attributes and their values.
        """
        return dataclasses.replace(self, **parts)

    def __repr__(self) -> str:
        return f"<Instruction {self.op} -> {[tuple(o.shape) for o in self.outs]}>"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Program:
    """A lowered trace for one backend.

    Args:
        backend: the adapter.
        args: for each argument a symbolic tensor, a list of them, or None.
        results: a nesting of tensors.
        instructions: in the order in which they run.
        captures: leaves beside the arguments whose values are read at each call: variables and counters.
        donate: places of arguments whose memory may be reused.
        constant: places of arguments that are mostly the same from call to call, such as the weights of a model that
            predicts.
    """

    backend: Any
    args: Sequence[Any]
    results: Any
    instructions: Sequence[Instruction]
    captures: Sequence[SymbolicTensor] = ()
    donate: Sequence[int] = ()
    constant: Sequence[int] = ()

    def changed(self, **parts: Any) -> Program:
        """A copy with other parts.

        Args:
            parts: attributes and their values.
        """
        return dataclasses.replace(self, **parts)

    def read(self) -> Iterator[SymbolicTensor]:
        """Every tensor as often as it is read: by instructions, and as a result."""
        for instruction in self.instructions:
            yield from instruction.inputs()
        yield from symbolic.leaves_of(self.results)

    def parameters(self) -> list[Any]:
        """What its function takes: the arguments, and then a list of the captures if there are any."""
        return [*self.args, *([list(self.captures)] if self.captures else [])]

    def leaves(self) -> list[SymbolicTensor]:
        """The tensors of the arguments and the captures, one after the other."""
        return list(symbolic.leaves_of([*self.args, *self.captures]))

    def called_flat(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """What `Backend.compile_program` must return, from a function for engines that know no nesting.

        Args:
            run: takes the tensors of `leaves` and gives those of the results, one after the other.
        """
        return FlatCall(run, self.results)

    def __repr__(self) -> str:
        return f"<Program for {self.backend.name}: {len(self.instructions)} instructions>"


class FlatCall:
    """A function of nested arguments from one of flat arguments.

    Args:
        run: the function, which gives a sequence of results.
        results: how they are nested.
    """

    def __init__(self, run: Callable[..., Any], results: Any):
        self.run, self._results = run, results

    def __call__(self, *args: Any) -> Any:
        flat = [leaf for arg in args for leaf in (arg if isinstance(arg, list) else [arg]) if leaf is not None]
        found = iter(self.run(*flat))
        return nest.map_structure(lambda leaf: None if leaf is None else next(found), self._results)
