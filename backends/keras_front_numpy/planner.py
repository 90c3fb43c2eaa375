"""Planned programs (decision D5): with all shapes known, every value has its place before the first step.

`Planned` is what the NumPy backend makes of a program. At its first call it is written out by `writing.Plan`:
buffers laid out by liveness, views made once, every op a call that writes into its buffer. Arguments that are
donated live in an arena (`memory.Arena`) and are updated in place; the caller gets its arrays back each time,
and as long as it hands them in again, nothing is copied. Results never share memory that the next call
writes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from .memory import Arena, Layout, arena_of
from .writing import Plan, donated_leaves, update_groups

MAX_PLANS = 4


class Planned:
    """A program as a callable; `source` is its text."""

    def __init__(self, program: Any):
        self.program = program
        self.lock = threading.RLock()
        leaves = donated_leaves(program)
        self.layout = Layout([(t.shape, t.dtype) for t in leaves], update_groups(program, leaves))
        self.plans: dict[int, Plan] = {}
        self.run: Any = None
        self.arena: Arena | None = None

    @property
    def source(self) -> str:
        return self.program.source

    def __call__(self, *args: Any) -> Any:
        with self.lock:
            result = self.run(*args) if self.run is not None else None
            if result is not None:
                return result
            self.settle(args)  # the first call, or the state is not where it was
            return self.run(*self.placed(args))

    def settle(self, args: Sequence[Any]) -> None:
        """Choose the plan for the state in `args`, and bring the state to where that plan wants it."""
        state = [value for place in self.program.donate for value in self._listed(args[place])]
        arena = self._arena(state)
        self.arena = arena
        arena.load(state)
        plan = self.plans.pop(id(arena), None) or Plan(self.program, arena)
        self.plans[id(arena)] = plan  # the latest last; a plan keeps its arena alive
        if len(self.plans) > MAX_PLANS:
            del self.plans[next(iter(self.plans))]
        self.run = plan.function

    def _arena(self, state: Sequence[Any]) -> Arena:
        if not state:
            return self.arena or Arena(self.layout)
        own = self.arena
        if own is not None and (own.accepts(state) or (arena_of(state, own.key) is None and own.idle())):
            return own
        return arena_of(state, self.layout.key) or Arena(self.layout)

    @staticmethod
    def _listed(arg: Any) -> list[Any]:
        return arg if isinstance(arg, list) else [arg]

    def placed(self, args: Sequence[Any]) -> list[Any]:
        """`args` with the state's arrays in the arena."""
        views = iter(self.arena.views)  # type: ignore[union-attr]
        placed = list(args)
        for place in self.program.donate:
            arg = placed[place]
            placed[place] = [next(views) for _ in arg] if isinstance(arg, list) else next(views)
        return placed
