"""What surrounds a layer while it runs: the run's training flag and masks, and the prefix for weight names.

A layer that is called while a run is open (inside a model's walk, another layer's `call`, or a recorded call that is
run again) computes at once. Only a call on symbols outside a run makes a node of the graph.

Masks of values that cannot carry attributes are kept here, beside the run, so that the layers inside a subclassed
model see them as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from keras_front.backend import state, symbolic


class CallContext:
    """One pass of values through layers."""

    __slots__ = ("_masks", "_walked", "losses", "outermost", "tensors", "training")

    def __init__(self, training: Any = None, tensors: dict[Any, Any] | None = None):
        self.training, self.tensors = training, tensors
        self._masks: dict[int, tuple[Any, Any]] = {}
        self._walked: set[Any] = set()
        self.outermost: Any = None  # the model in which everything else runs
        self.losses: list[tuple[Any, Any]] = []  # (layer, loss) of what was reported while nothing else collects it

    def keep(self, network: Any, values: dict[Any, Any]) -> None:
        """Note the values of a network's tensors, for losses that use them.

        Those inside a network that runs several times have no value that could be meant.
        """
        if network in self._walked:
            for tensor in values:
                self.tensors.pop(tensor, None)  # type: ignore[union-attr]
        else:
            self._walked.add(network)
            self.tensors.update(values)  # type: ignore[union-attr]

    def mask_of(self, value: Any) -> Any:
        """The mask that the layer which computed `value` gave it, if any."""
        found = self._masks.get(id(value))
        return found[1] if found is not None else getattr(value, "mask", None) if _is_symbol(value) else None

    def set_mask(self, value: Any, mask: Any) -> None:
        """Remember `mask`; the value is kept too, so that its identity stays its own during the run."""
        if mask is not None:
            self._masks[id(value)] = (value, mask)
        else:  # a layer that returns its input may have taken the mask off
            self._masks.pop(id(value), None)


def _is_symbol(value: Any) -> bool:
    return symbolic.is_symbolic(value)


_CURRENT: ContextVar[CallContext | None] = ContextVar("keras_front_run", default=None)
_PREFIX: ContextVar[str | None] = ContextVar("keras_front_weight_prefix", default=None)


_WATCHER: ContextVar[Callable[[Any], Callable[[Any, Any], None]] | None] = ContextVar(
    "keras_front_watcher", default=None
)


def current() -> CallContext | None:
    """The run that is open, or None."""
    return _CURRENT.get()


def learning_phase() -> Any:
    """The learning phase as a Python value, or None while nothing has decided it."""
    return state.phase_value()


def keeper(network: Any) -> Any:
    """What takes the values of a network's tensors, `values -> None`; None if nobody wants them."""
    run = _CURRENT.get()
    return None if run is None or run.tensors is None else lambda values: run.keep(network, values)


@contextmanager
def entered(training: Any = None, tensors: dict[Any, Any] | None = None) -> Iterator[CallContext]:
    """A run of its own; `training`, if not None, becomes the learning phase inside.

    `tensors`, a dict, is filled with the values of the tensors of the networks that run.
    """
    run = CallContext(learning_phase() if training is None else training, tensors)
    outer = _CURRENT.get()
    if outer is not None:
        run.outermost = outer.outermost
    if outer is not None and tensors is None:
        run.tensors, run._walked = outer.tensors, outer._walked
    token = _CURRENT.set(run)
    try:
        if training is None:
            yield run
        else:
            with state.phase(training):
                yield run
    finally:
        _CURRENT.reset(token)


@contextmanager
def watched(note: Callable[[Any], Callable[[Any, Any], None]]) -> Iterator[None]:
    """A context in which `note(layer)` is called when a layer begins to compute, and what it gives when that is done.

    Args:
        note: takes a layer, returns a function of its inputs and outputs.
    """
    token = _WATCHER.set(note)
    try:
        yield
    finally:
        _WATCHER.reset(token)


@contextmanager
def outermost_model(model: Any) -> Iterator[bool]:
    """A context in which a model runs; it gives whether all that runs here runs within that model."""
    run = _CURRENT.get()
    if run is None or run.outermost is not None:
        yield False
        return
    run.outermost = model
    try:
        yield True
    finally:
        run.outermost = None


def begun(layer: Any) -> Callable[[Any, Any], None] | None:
    """Tell who watches that a layer begins to compute; what to call when it is done, None if nobody watches."""
    note = _WATCHER.get()
    return None if note is None else note(layer)


@contextmanager
def outside() -> Iterator[None]:
    """A context in which no run is open: calls on symbols make nodes again."""
    token = _CURRENT.set(None)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def weight_names(name: str, fresh: bool = False) -> Iterator[None]:
    """Weights added inside are called `<outer>/<name>/...`; with `fresh` the outer names are left out."""
    outer = None if fresh else _PREFIX.get()
    token = _PREFIX.set(f"{outer}/{name}" if outer else name)
    try:
        yield
    finally:
        _PREFIX.reset(token)


def weight_prefix(default: str) -> str:
    """What stands before the name of a weight that is added now."""
    return _PREFIX.get() or default
