"""Weights as leaves of an engine's own tape: what `loss.backward()` outside of a step finds the gradients of.

A program that is written for torch calls a model on tensors, asks the loss for gradients, and reads them from the
values of the weights. A leaf is a tensor of the engine that lies in the memory of a variable, stays the same object
while the variable changes, and keeps its gradient until somebody forgets it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from keras_front.backend import discovery, scopes
from keras_front.backend.scopes import Frame


class _Leaves(dict[Any, Any]):
    """The table of a frame that holds nothing: each trainable weight is read as its leaf."""

    frame: Frame

    def __init__(self, engine: Any):
        self.engine = engine

    def __contains__(self, variable: object) -> bool:
        return False  # assignments go on to the variable

    def get(self, variable: Any, default: Any = None) -> Any:
        bound = scopes.uncast_value(variable, self.frame.parent)
        if bound is not None or scopes.tracing() or not variable.trainable:
            return default if bound is None else bound
        return self.engine.leaf(variable)


def recording(inputs: Any, asked: bool) -> AbstractContextManager[Any]:
    """A context in which weights are read as leaves, if what is computed in it may be asked for gradients.

    Args:
        inputs: what a layer is called with, a list; None where it reads weights alone.
        asked: whether calls on tensors of the engine are recorded at all; they are, too, once somebody had a leaf.
    """
    engine: Any = discovery.present() if inputs is None else discovery.active()
    if engine is None or not engine.records(inputs, asked):
        return nullcontext()
    table = _Leaves(engine)
    table.frame = Frame(table, None, False, False, real=True)
    return scopes.frame_scope(table.frame)
