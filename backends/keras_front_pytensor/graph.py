"""From a program to a graph of PyTensor: a variable for each tensor, a loop of the program as PyTensor's `scan`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.tensor.variable import TensorVariable

from keras_front.backend import symbolic
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.symbolic import SymbolicTensor

from .expressions import EXPRESSIONS
from .kernels import cast, kernel, type_of

Variables = dict[SymbolicTensor, TensorVariable]


def results_of(program: Program, given: Sequence[TensorVariable], mode: Mode) -> list[TensorVariable]:
    """The results of a program, one after the other.

    Args:
        program: the program.
        given: variables for its arguments and captures, one after the other.
        mode: how PyTensor compiles the bodies of loops.
    """
    known: Variables = dict(zip(program.leaves(), given, strict=True))
    for instruction in program.instructions:
        args = [_known(a, known, program.backend) for a in instruction.args]
        results = _results(program.backend, instruction, args, mode)
        known.update((t, _as_promised(y, t)) for t, y in zip(instruction.outs, results, strict=True))
    return [_known(t, known, program.backend) for t in symbolic.leaves_of(program.results)]


def _known(item: Any, known: Variables, backend: Any) -> Any:
    """The variables of an argument, which may be a list or None."""
    if item is None or isinstance(item, list | tuple):
        return item and [_known(i, known, backend) for i in item]
    if item not in known:
        known[item] = pt.constant(np.asarray(backend.literal(item.constant, item.dtype)))
    return known[item]


def _results(backend: Any, i: Instruction, args: list[Any], mode: Mode) -> list[TensorVariable]:
    if i.op == "scan":
        return _loop(i, args, mode)
    if i.op in EXPRESSIONS:
        return [EXPRESSIONS[i.op](*args, **i.attrs)]
    return kernel(i.op, partial(getattr(backend, i.op), **i.attrs), args, [type_of(t) for t in i.outs])


def _as_promised(y: TensorVariable, tensor: SymbolicTensor) -> TensorVariable:
    """A variable in the dtype and shape that the program states. PyTensor widens some, and may know less of a shape."""
    y = y if y.dtype == tensor.dtype else cast(y, tensor.dtype)
    return y if y.type.shape == tuple(tensor.shape) else pt.specify_shape(y, tuple(tensor.shape))


def _loop(i: Instruction, args: list[Any], mode: Mode) -> list[TensorVariable]:
    init, xs, captured = args
    steps = i.args[1][0].shape[0] if xs else i.attrs["length"]
    stacked, reverse, carried = i.outs[len(init) :], i.attrs["reverse"], len(xs) + len(init)
    if not steps:
        return [*init, *(pt.zeros(t.shape, t.dtype) for t in stacked)]
    outer = list(dict.fromkeys(captured))  # two tensors of a program may be one variable, which `scan` takes once

    def step(*given: TensorVariable) -> list[TensorVariable]:
        stays = dict(zip(outer, given[carried:], strict=True))
        inner = [*given[len(xs) : carried], *given[: len(xs)], *(stays[t] for t in captured)]
        return results_of(i.body, inner, mode)

    found = pytensor.scan(
        step, sequences=xs, outputs_info=[*init, *[None] * len(stacked)], non_sequences=outer, n_steps=steps,
        go_backwards=reverse, mode=mode, strict=True, return_list=True, return_updates=False,
    )  # fmt: skip
    ys = found[len(init) :]
    return [*(y[-1] for y in found[: len(init)]), *(y[::-1] if reverse else y for y in ys)]
