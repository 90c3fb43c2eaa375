"""Gradient rules of functions that are computed a second time, and of the barrier before that."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.backward import vjp
from keras_front.backend.gradients.table import GRADIENT
from keras_front.backend.ops.recompute import barrier


def _recomputed(gs: list[Any], outputs: Any, args: list[Any], captured: list[Any], *, body: Any) -> Any:
    """The gradient of a second run, behind a barrier that waits for what flows in."""
    held = barrier([*args, *captured], gs)
    results, _ = body.run(held[: len(args)], [], held[len(args) :])
    flows = vjp(results, gs, held)
    return flows[: len(args)], flows[len(args) :]


GRADIENT["recompute"] = _recomputed
GRADIENT["barrier"] = lambda gs, outputs, xs, after: (gs, None)
