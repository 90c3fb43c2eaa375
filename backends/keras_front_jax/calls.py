"""What a call of a compiled program hands to JAX, which asks a microsecond for each array that goes in and comes out.

A step gives a good part of its state back as it is (rates, seeds), and some of it is written without being read (means
that start anew). The former are given back here, and the latter are not handed over at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from keras_front.backend import codegen, shapes, symbolic
from keras_front.backend.declare import Op
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.op import OPS
from keras_front.backend.symbolic import SymbolicTensor
from keras_front_jax.x64 import wide_scope

_WIDE = ("float64", "int64", "uint64", "complex128")
_IN_SCOPE = "    with wide_scope():\n        {call}\n"


def compiled_call(program: Program, jit: Callable[..., Any]) -> Callable[..., Any]:
    """The program as a function of its arguments, compiled by JAX.

    Args:
        program: the program.
        jit: compiles a function; takes also the places of arguments whose memory it may use again.
    """
    kept = set(_given_back(program))
    donated = {leaf for place in program.donate for leaf in symbolic.leaves_of([program.args[place]])} - kept
    read = set(program.read())
    parameters = program.leaves()
    own = [leaf for leaf in parameters if leaf in donated and leaf in read]
    others = [leaf for leaf in parameters if leaf not in donated and _is_needed(program, leaf, kept)]
    results = [leaf for leaf in symbolic.leaves_of(program.results) if leaf not in kept]
    inner = program.changed(args=[own, others], captures=(), donate=(0,), results=results)
    run = jit(codegen.function_of(inner), (0,) if own else ())
    return _written(program, kept, run, own, others)


def _given_back(program: Program) -> Iterator[SymbolicTensor]:
    """What is donated and comes back, once, as it is: its memory must stay as it is too."""
    places = Counter(symbolic.leaves_of(program.results))
    for place in program.donate:
        yield from (leaf for leaf in symbolic.leaves_of([program.args[place]]) if places[leaf] == 1)


def _is_needed(program: Program, leaf: SymbolicTensor, kept: set[SymbolicTensor]) -> bool:
    if leaf not in kept:
        return True
    return any(leaf is read for instruction in program.instructions for read in instruction.inputs())


def _written(
    program: Program,
    kept: set[SymbolicTensor],
    run: Callable[..., Any],
    own: Sequence[SymbolicTensor],
    others: Sequence[SymbolicTensor],
) -> Callable[..., Any]:
    """The function that sorts arguments and results, written out: a loop over them would take longer than it saves."""
    names = {leaf: f"x{number}" for number, leaf in enumerate(program.leaves())}
    places = iter(range(sum(leaf not in kept for leaf in symbolic.leaves_of(program.results))))
    head, lines = [], []
    for place, arg in enumerate(program.parameters()):
        head.append(names[arg] if isinstance(arg, SymbolicTensor) else f"args{place}")
        if isinstance(arg, list) and arg:
            lines.append(f"    [{', '.join(names.get(leaf, '_') for leaf in arg)}] = args{place}\n")
    given = ", ".join(f"[{', '.join(names[leaf] for leaf in leaves)}]" for leaves in (own, others))
    call = f"found = run({given})"
    lines.append(f"    {call}\n" if _is_narrow(program) else _IN_SCOPE.format(call=call))
    result = codegen.nested_text(
        program.results, SymbolicTensor, lambda leaf: names[leaf] if leaf in kept else f"found[{next(places)}]"
    )
    text = f"def call({', '.join(head)}):\n{''.join(lines)}    return {result}\n"
    scope = {"run": run, "wide_scope": wide_scope}
    exec(compile(text, "<program call>", "exec"), scope)
    return scope["call"]


def _is_narrow(program: Program) -> bool:
    """Whether a program has nothing of 64 bits in it and makes nothing on the way, so that it needs no scope."""
    tensors = [*program.leaves(), *program.read(), *(out for i in program.instructions for out in i.outs)]
    return all(tensor.dtype not in _WIDE for tensor in tensors) and all(map(_counts_nothing, program.instructions))


def _counts_nothing(instruction: Instruction) -> bool:
    """Whether JAX needs no indices for an instruction, which are of 64 bits within the scope."""
    op = OPS.get(instruction.op)
    if instruction.body is not None or not isinstance(op, Op):
        return False
    return op.facts.elementwise or op.facts.light or op.rule in shapes.KEEPS_DTYPE or op.rule is shapes.concatenate
