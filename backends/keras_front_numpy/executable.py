"""Compiled programs (decision D5): with all shapes known, every tensor has its place before the first step.

At the first call of an `Executable` its program is scheduled (`keras_front_numpy.schedule`) and printed as a Python
function (`keras_front_numpy.codegen`). Arguments that are donated live in an arena (`arena.Arena`) and are updated in
place; the caller gets its arrays back each time, and as long as it hands them in again, nothing is copied. Results
never share memory that the next call writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from keras_front.backend.codegen import source_of

from .arena import Arena, Layout, arena_of
from .cache import BoundedCache
from .codegen.emit import EMITTERS
from .codegen.printer import generate
from .schedule.program import donated_leaves, schedule
from .schedule.rules_updates import side_by_side

MAX_FUNCTIONS = 8  # for so many states; buffers of a function live as long as it does


class Function(NamedTuple):
    """A generated function, its text, and the arena that lives as long as it does."""

    run: Callable[..., Any]
    source: str
    arena: Arena


class Executable:
    """A program as a callable.

    Args:
        program: The program; its `donate` says which arguments may be written into.
    """

    def __init__(self, program: Any):
        self.program = program
        self._lock = threading.RLock()
        leaves = donated_leaves(program)
        specs = [(t.shape, t.dtype) for t in leaves]
        self._layout = Layout(specs, side_by_side(program.instructions, leaves))
        self._functions: BoundedCache[Function] = BoundedCache(MAX_FUNCTIONS)
        self._last: Function | None = None
        self._run: Callable[..., Any] | None = None

    @property
    def source(self) -> str:
        """The text of the function that ran last; before the first call, that of the program."""
        return source_of(self.program) if self._last is None else self._last.source

    @property
    def arena(self) -> Arena | None:
        """Where the state of the last call lies; None before the first one."""
        return None if self._last is None else self._last.arena

    def __call__(self, *args: Any) -> Any:
        """Run the program.

        Args:
            *args: Arrays, and lists of arrays for the arguments that are lists.
        """
        with self._lock:
            result = self._run(*args) if self._run is not None else None
            if result is not None:
                return result
            arena = self._settle(args)  # the first call, or the state is not where it was
            return self._run(*self._placed(args, arena))  # type: ignore[misc]

    def _settle(self, args: Sequence[Any]) -> Arena:
        """Choose the function for the state in `args`, and bring the state to where that function wants it."""
        state = [value for place in self.program.donate for value in _listed(args[place])]
        arena = self._arena_for(state)
        arena.load(state)
        self._last = self._functions.get(id(arena), lambda: self._generate(arena))
        self._run = self._last.run
        return arena

    def _generate(self, arena: Arena) -> Function:
        source, run = generate(schedule(self.program, arena), arena.views, EMITTERS)
        return Function(run, source, arena)

    def _arena_for(self, state: Sequence[Any]) -> Arena:
        own = self.arena
        if not state:
            return own or Arena(self._layout)
        if own is not None and (own.accepts(state) or (arena_of(state, own.key) is None and own.idle())):
            return own
        return arena_of(state, self._layout.key) or Arena(self._layout)

    def _placed(self, args: Sequence[Any], arena: Arena) -> list[Any]:
        """`args` with the state's arrays in the arena."""
        views = iter(arena.views)
        placed = list(args)
        for place in self.program.donate:
            arg = placed[place]
            placed[place] = [next(views) for _ in arg] if isinstance(arg, list) else next(views)
        return placed


def _listed(arg: Any) -> Iterable[Any]:
    return arg if isinstance(arg, list) else [arg]
