"""Whether what a layer computes depends on the learning phase: it runs in both on symbols, and the ops are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front.backend import scopes, state, symbolic
from keras_front.backend.op import provides
from keras_front.backend.symbolic import leaves_of
from keras_front.nest import flatten, map_structure, unique

from . import call_context


def depends_on_phase(run: Callable[[list[Any]], Any], inputs: Sequence[Any]) -> bool:
    """Whether a function of symbols makes other ops while training than otherwise.

    Args:
        run: takes a list of symbols and gives what is computed from them.
        inputs: symbols of whose shapes and dtypes it gets new ones.

    Returns: True also where code that is none of K's is called, as nobody knows what that does.
    """
    try:
        training, inference = (_ops(run, inputs, phase) for phase in (1, 0))
    except Exception:  # code that takes no symbols
        return True
    return training != inference or "deferred" in training


def _ops(run: Callable[[list[Any]], Any], inputs: Sequence[Any], phase: int) -> list[str]:
    given = [symbolic.placeholder(tuple(t.shape), t.dtype) for t in inputs]
    with state.scratch(), scopes.phase(phase):
        outputs = [t for t in flatten(run(given)) if symbolic.is_symbolic(t)]
    calls = symbolic.toposort(outputs)
    return ["deferred" if call.op.kind == "deferred" else call.op.name for call in calls]


def call_depends_on_phase(node: Any, seen: set[int] | None = None) -> bool:
    """Whether what a call of a layer computes depends on the phase: in itself, or because its inputs do.

    Args:
        node: the call.
        seen: calls that are not asked again: paths through a residual net are many.
    """
    seen = set() if seen is None else seen
    if id(node) in seen or not node.needed_tensors:
        return False
    seen.add(id(node))
    given = (node.args, node.arguments)
    leaves = unique(leaves_of(given))

    def run(values: list[Any]) -> Any:
        here = dict(zip(map(id, leaves), values, strict=True))
        args, kwargs = map_structure(lambda a: here.get(id(a), a), given)
        with call_context.entered() as context:
            return node.layer._call_in(context, args[0], tuple(args[1:]), kwargs)

    if depends_on_phase(run, leaves):
        return True
    before = [t.history for t in node.needed_tensors if t.history]
    return any(call_depends_on_phase(maker._inbound_nodes[place], seen) for maker, place, _ in before)


@provides("made_by_phase")
def _made_by_phase(tensor: Any) -> bool:
    maker, place = tensor.history[:2]
    return maker is not None and call_depends_on_phase(maker._inbound_nodes[place])
