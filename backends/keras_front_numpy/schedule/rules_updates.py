"""Rules for the updates of optimizers: all weights at once, in place over the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend.op import OPS

from ..arena import Arena
from ..buffers import Buffer, Operand, aligned, nbytes_of, rounded, same_memory
from ..kernels import updates
from .scheduler import Rule, Scheduler, call_method

Kernel = Callable[..., None]


def is_update(op: str) -> bool:
    """Whether an op replaces lists of weights and slots."""
    return bool(OPS[op].facts.replaces)


def arguments(i: Any) -> dict[str, Any]:
    """The arguments of an instruction by their names in the op's declaration."""
    return dict(zip((name for name, _ in OPS[i.op].arrays), i.args, strict=True))


def replaced_lists(i: Any) -> list[list[Any]]:
    """The lists of tensors whose place the results of an update take, without empty ones."""
    named = arguments(i)
    return [named[name] for name in OPS[i.op].facts.replaces if named[name]]


def side_by_side(instructions: Sequence[Any], state: Sequence[Any]) -> list[list[int]]:
    """Places of the state that an optimizer changes together, and that therefore lie side by side."""
    place = {t: n for n, t in enumerate(state)}
    groups: list[list[int]] = []
    taken: set[int] = set()
    for i in instructions:
        for group in replaced_lists(i) if is_update(i.op) else ():
            places = [place[t] for t in group if t in place]
            if len(places) == len(group) and not taken.intersection(places) and len({t.dtype for t in group}) == 1:
                groups.append(places)
                taken.update(places)
    return groups


class FlatGradients:
    """Memory for the gradients that an update takes: all in one piece, and each by itself.

    Args:
        gradients: Symbolic tensors of one dtype.
    """

    def __init__(self, gradients: Sequence[Any]):
        memory = aligned(sum(rounded(nbytes_of(g)) for g in gradients))
        memory.fill(0)
        self.whole = memory.view(gradients[0].dtype)
        self.pieces: list[np.ndarray] = []
        start = 0
        for g in gradients:
            self.pieces.append(memory[start : start + nbytes_of(g)].view(g.dtype).reshape(g.shape))
            start += rounded(nbytes_of(g))


class UpdateRules:
    """The rules for updates of one program, whose state lies in one arena.

    Args:
        arena: The memory of the state.
        state: Its tensors, in the order of the arena.
    """

    def __init__(self, arena: Arena, state: Sequence[Any]):
        self.arena = arena
        self._place = {t: n for n, t in enumerate(state)}
        self._gradients: dict[int, FlatGradients] = {}

    @property
    def rules(self) -> dict[str, Rule]:
        """The rule for each update."""
        return {"sgd_update": self.sgd, "rmsprop_update": self.rmsprop, "adam_update": self.adam}

    def choose_places(self, s: Scheduler) -> None:
        """Let the program compute the gradients that an update takes side by side.

        The update overwrites them. One that is needed elsewhere too, as by another optimizer, is copied there instead.
        """
        for i in s.instructions:
            gradients = arguments(i)["grads"] if is_update(i.op) else []
            if gradients and len({g.dtype for g in gradients}) == 1:
                flat = self._gradients[id(i)] = FlatGradients(gradients)
                for g, piece in zip(gradients, flat.pieces, strict=True):
                    if s.uses[g] == 1:
                        _place(s, g, piece)

    def sgd(self, s: Scheduler, i: Any) -> None:
        """Gradient descent, with momentum or without."""
        attrs, lr = i.attrs, arguments(i)["lr"]
        self._update(s, i, [lr], lambda pieces: updates.plan_sgd(pieces, attrs["momentum"], attrs["nesterov"]))

    def rmsprop(self, s: Scheduler, i: Any) -> None:
        """RMSprop."""
        attrs, lr = i.attrs, arguments(i)["lr"]
        self._update(s, i, [lr], lambda pieces: updates.plan_rmsprop(pieces, attrs["rho"], attrs["epsilon"]))

    def adam(self, s: Scheduler, i: Any) -> None:
        """Adam, and AMSGrad if there is a third list of slots."""
        attrs, named = i.attrs, arguments(i)

        def make(pieces: Any) -> Kernel:
            return updates.plan_adam(pieces, attrs["beta_1"], attrs["beta_2"], attrs["epsilon"])

        self._update(s, i, [named["lr"], named["t"]], make)

    def _update(self, s: Scheduler, i: Any, scalars: Sequence[Any], make: Callable[[Any], Kernel]) -> None:
        """In place over the state, if nobody needs its old values any more; otherwise as the adapter does it."""
        old, new = replaced_lists(i), [group for group in i.structure if group]
        if id(i) not in self._gradients or not _may_overwrite(s, old, new):
            call_method(s, i)
            return
        for g, piece in zip(arguments(i)["grads"], self._gradients[id(i)].pieces, strict=True):
            operand = s.operand(g)
            if not same_memory(operand.array, piece):
                s.copy(Operand.of(piece, label="g"), operand)
        kernel = make(self._pieces(s, i, old))
        s.add("update", tuple(map(s.operand, scalars)), function=kernel, name=i.op)
        for befores, afters in zip(old, new, strict=True):
            for before, after in zip(befores, afters, strict=True):
                s.place(after, s.operands[before])

    def _pieces(self, s: Scheduler, i: Any, old: Sequence[Sequence[Any]]) -> list[tuple[np.ndarray, ...]]:
        """(weights, gradients, slots...): flat, if all lie side by side, else one by one."""
        flat = self._gradients[id(i)]
        spans = [self.arena.span([self._place[t] for t in group]) for group in old]
        if all(span is not None and span.size == flat.whole.size and span.dtype == flat.whole.dtype for span in spans):
            return [(spans[0], flat.whole, *spans[1:])]  # type: ignore[list-item]
        arrays = [[s.operands[t].array for t in group] for group in old]
        return [(p, g, *rest) for g, p, *rest in zip(flat.pieces, *arrays, strict=True)]  # type: ignore[misc]


def _place(s: Scheduler, tensor: Any, array: np.ndarray) -> None:
    """Choose memory for a tensor, and for what is only reshaped to become it."""
    if tensor in s.places or tensor in s.operands:
        return
    s.places[tensor] = Operand.of(array, Buffer(), "g")
    maker = s.maker(tensor)
    if maker is not None and maker.op == "reshape" and s.uses[maker.args[0]] == 1:
        _place(s, maker.args[0], array.reshape(maker.args[0].shape))


def _may_overwrite(s: Scheduler, old: Sequence[Sequence[Any]], new: Sequence[Sequence[Any]]) -> bool:
    """Whether all weights and slots are state that this update reads last, and whose place the results take."""
    if [len(group) for group in old] != [len(group) for group in new]:
        return False
    pairs = [pair for befores, afters in zip(old, new, strict=True) for pair in zip(befores, afters, strict=True)]
    return all(s.pairs.get(before) is after and s.is_free(before, 1) for before, after in pairs)
