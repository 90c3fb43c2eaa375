"""The schedule of a whole program for one arena: parameters, operations, and results that nothing overwrites later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front.backend import symbolic

from ..arena import Arena
from ..buffers import Buffer, Operand
from .blocks import in_blocks
from .data import Parameter, Schedule, StateResult
from .rules import RULES
from .rules_images import RULES as IMAGE_RULES
from .rules_loops import RULES as LOOP_RULES
from .rules_updates import UpdateRules
from .scheduler import Scheduler, Session


def donated_leaves(program: Any) -> list[Any]:
    """The tensors of the arguments that a program may write into."""
    return [t for place in program.donate for t in symbolic.leaves_of(program.args[place])]


def state_pairs(program: Any) -> dict[Any, Any]:
    """For each donated tensor the result that takes its place.

    The k-th donated argument becomes the k-th result, tensor by tensor.
    """
    results = program.results if isinstance(program.results, tuple) else (program.results,)
    pairs: dict[Any, Any] = {}
    for place, result in zip(program.donate, results, strict=False):
        old, new = list(symbolic.leaves_of(program.args[place])), list(symbolic.leaves_of(result))
        if [(t.shape, t.dtype) for t in old] == [(t.shape, t.dtype) for t in new]:
            pairs.update(zip(old, new, strict=True))
    return pairs


def schedule(program: Any, arena: Arena) -> Schedule:
    """The schedule of a program.

    Args:
        program: The program, simplified.
        arena: The memory in which its state lies, laid out for it.
    """
    pairs = state_pairs(program)
    state = set(pairs.values())
    fresh = [t for t in symbolic.leaves_of(program.results) if t not in state]
    update_rules = UpdateRules(arena, donated_leaves(program))
    session = Session(program.backend, {**RULES, **IMAGE_RULES, **LOOP_RULES, **update_rules.rules})
    s = Scheduler(session, program.instructions, program.results, pairs, fresh)
    arrays = arena.arrays()
    parameters = _parameters(s, program, arrays)
    update_rules.choose_places(s)
    s.run()
    results = _results(s, program)
    s.move_pairs()
    return Schedule(tuple(parameters), tuple(in_blocks(s.operations, session)), results, tuple(arrays))


def _parameters(s: Scheduler, program: Any, arrays: Sequence[Any]) -> list[Parameter]:
    """The parameters of the generated function; the state's arrays become operands."""
    found, start = [], 0
    for place, arg in enumerate(program.parameters()):
        if place in program.donate:
            leaves = list(symbolic.leaves_of(arg))
            stop = start + len(leaves)
            for tensor, array in zip(leaves, arrays[start:stop], strict=True):
                s.place(tensor, Operand.of(array, Buffer(), "s"))
            found.append(Parameter(f"args{place}", state=(start, stop), single=not isinstance(arg, list)))
            start = stop
        elif isinstance(arg, list):
            registers = [_argument(s, t) for t in arg]
            used = tuple(r if s.uses[t] else None for t, r in zip(arg, registers, strict=True))
            found.append(Parameter(f"args{place}", used))
        else:
            found.append(Parameter(_argument(s, arg) or f"args{place}"))
    return found


def _argument(s: Scheduler, tensor: Any) -> str:
    """The register of an argument, empty for None."""
    if tensor is None:
        return ""
    register = s.session.register("x")
    s.place(tensor, Operand.in_register(register, tensor.shape, tensor.dtype))
    return register


def _results(s: Scheduler, program: Any) -> Any:
    """Results that are not the state get memory of their own, before the state is overwritten."""
    results = program.results
    parts = list(results) if isinstance(results, tuple) else [results]
    found: list[Any] = []
    start = 0
    for k, part in enumerate(parts):
        if k < len(program.donate) and _is_state(s, program.args[program.donate[k]], part):
            stop = start + len(list(symbolic.leaves_of(part)))
            found.append(StateResult(start, stop, not isinstance(part, list)))
            start = stop
        else:
            found.append(_nested(s, part))
    return tuple(found) if isinstance(results, tuple) else found[0]


def _is_state(s: Scheduler, arg: Any, part: Any) -> bool:
    leaves = list(symbolic.leaves_of(arg))
    same = len(leaves) == len(list(symbolic.leaves_of(part)))
    return bool(leaves) and same and all(t in s.pairs for t in leaves)


def _nested(s: Scheduler, part: Any) -> Any:
    return symbolic.map_structure(lambda t: _own(s, t) if symbolic.is_symbolic(t) else t, part)


def _own(s: Scheduler, tensor: Any) -> Operand:
    """An operand for a result that shares memory with nothing of the program's."""
    operand = s.operand(tensor)
    if operand.allocated and s.uses[tensor] <= 1:
        return operand
    copy = Operand.in_register(s.session.register("r"), operand.shape, operand.dtype, True)
    s.add("duplicate", (operand,), (copy,))
    return copy
