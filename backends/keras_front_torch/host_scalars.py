"""Numbers of a step that follow from its counters alone: they are computed on the host, where the counters are.

On a GPU a constant lies on the device, so `counter + 1.0` would too, and an optimizer that wants the number would wait
for all that the device has to do before it.
"""

from __future__ import annotations

from typing import Any

import torch

from keras_front.backend import dtypes, symbolic
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.op import OPS
from keras_front.backend.symbolic import SymbolicTensor


def kept_on_host(program: Program) -> Program:
    """The program with the constants on the host that meet nothing but counters.

    Counters are the integers without axes among its arguments. What follows from them stays on the host as long as it
    is read by elementwise ops, which take a number of the host beside tensors of the device, by noise and by updates.
    """
    elsewhere = {t for t in symbolic.leaves_of(program.results) if dtypes.is_float(t.dtype)}
    for i in program.instructions:
        if not _takes_numbers(i):
            elsewhere.update(i.inputs())
    host = {t for t in program.leaves() if not t.shape and dtypes.is_integer(t.dtype)}
    kept = []
    for i in program.instructions:
        if _is_number_of(i, host) and not elsewhere.intersection(i.outs):
            host.update(i.outs)
            i = i.changed(args=[_on_host(arg) for arg in i.args])
        kept.append(i)
    return program.changed(instructions=kept)


def _takes_numbers(i: Instruction) -> bool:
    facts = OPS[i.op].facts if i.op in OPS else None
    if i.op in ("cast_to", "keep_mask") or i.op.endswith("_in_place"):
        return True
    return facts is not None and (facts.elementwise or bool(facts.replaces) or not facts.pure)


def _is_number_of(i: Instruction, host: set[Any]) -> bool:
    """Whether an instruction makes one number from numbers of the host and constants."""
    inputs = [t for t in i.inputs() if t.constant is None]
    if not inputs or len(i.outs) != 1 or i.outs[0].shape or any(t.shape for t in i.inputs()):
        return False
    elementwise = i.op == "cast_to" or (i.op in OPS and OPS[i.op].facts.elementwise)
    return elementwise and host.issuperset(inputs)


def _on_host(arg: Any) -> Any:
    if not isinstance(arg, SymbolicTensor) or arg.constant is None:
        return arg
    number = arg.constant if isinstance(arg.constant, torch.Tensor) else torch.tensor(arg.constant)
    same = SymbolicTensor(arg.shape, arg.dtype)
    same.constant = number.cpu().to(getattr(torch, arg.dtype))
    return same


def follows_from_counters(program: Program) -> set[Any]:
    """All that follows from the counters among the arguments, noise too."""
    found = {t for t in program.leaves() if not t.shape and dtypes.is_integer(t.dtype)}
    for i in program.instructions:
        inputs = [t for t in i.inputs() if t.constant is None]
        if inputs and i.body is None and found.issuperset(inputs):
            found.update(i.outs)
    return found
