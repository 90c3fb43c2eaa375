"""Whether what a layer computes depends on the learning phase: it runs in both on symbols, and the ops are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front.backend import scopes, state, symbolic
from keras_front.nest import flatten


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
