"""Guards: who may read or replace the values of variables that change together, where several threads use a model.

A step may write into the memory of the state that it is given, or free it, so nobody may look at that state meanwhile.
All variables of a model have one `StateGuard`, and its lock is held while a step runs and its result takes the place of
the state, and while values are read that belong together. Models that share weights have a guard in common, or several,
whose locks are taken in one order.

A single batch is predicted without the lock. Afterwards the guard says whether a value changed meanwhile; then it is
predicted again, under the lock.

Whoever reads for longer than one dispatch (`predict` over many batches) does not keep the lock. It borrows the present
tensors, and the next step, if it comes before they are given back, works on copies. Without a second thread there is
nobody to borrow from, so nothing is copied.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, Protocol

_SERIAL = itertools.count()
_assigning = threading.Lock()
_known: weakref.WeakSet[StateGuard] = weakref.WeakSet()


class Borrower(Protocol):
    """Who uses the tensors of variables for longer than one dispatch."""

    def part(self) -> None:
        """Let the variables that change here have values of their own from now on; the lock is held."""


class StateGuard:
    """What the variables of a model share, so that their values are only seen whole.

    Attributes:
        lock: held while values that belong together are read or replaced. The thread that holds it may take it again.
        changes: how often values were replaced, counted afterwards.
        changing: how many replacements are in progress.
        moves: how often a variable came to stand in another list; see `Variable.adopt`.
        borrowers: who uses the tensors of some moment beyond one dispatch; with each the lists of variables whose
            values are others since then.
        trainers: a mark for each loop that trains.
    """

    __slots__ = ("__weakref__", "borrowers", "changes", "changing", "lock", "moves", "serial", "trainers")

    def __init__(self) -> None:
        self.serial = next(_SERIAL)
        self.lock: Any = threading.RLock()
        self.changes = self.changing = self.moves = 0
        self.borrowers: dict[Borrower, set[int]] = {}
        self.trainers: set[Any] = set()
        _known.add(self)

    def begin(self) -> None:
        """Values are replaced from now on; the lock is held."""
        self.changing += 1

    def end(self) -> None:
        """The values that are to be replaced are in place."""
        self.changes += 1
        self.changing -= 1

    def borrow(self, borrower: Borrower) -> None:
        """Note that somebody uses the present tensors.

        Args:
            borrower: is told when a step is about to overwrite them.
        """
        self.borrowers[borrower] = set()

    def give_back(self, borrower: Borrower) -> None:
        """End `borrow`.

        Args:
            borrower: who borrowed.
        """
        self.borrowers.pop(borrower, None)

    def part(self, variables: Sequence[Any]) -> bool:
        """Prepare for a step that overwrites the values of these variables.

        Args:
            variables: always the same list for the same variables.

        Returns: whether somebody has borrowed these values, so that the step has to work on copies.
        """
        shared = False
        for borrower, apart in list(self.borrowers.items()):
            if id(variables) not in apart:
                borrower.part()
                apart.add(id(variables))
                shared = True
        return shared


class SeveralGuards:
    """The guards of variables that several models share in part, used as one.

    Args:
        guards: at least two.
    """

    def __init__(self, guards: Iterable[StateGuard]):
        self.guards = sorted(guards, key=lambda guard: guard.serial)

    @property
    def changes(self) -> int:
        """How often values of any were replaced."""
        return sum(guard.changes for guard in self.guards)

    @property
    def changing(self) -> int:
        """How many replacements of values of any are in progress."""
        return sum(guard.changing for guard in self.guards)

    @property
    def lock(self) -> Any:
        """The locks of all, taken in one order so that no two threads wait for each other."""
        return held(self.guards)

    @property
    def moves(self) -> int:
        """How often a variable of any came to stand in another list."""
        return sum(guard.moves for guard in self.guards)

    @property
    def borrowers(self) -> dict[Borrower, Any]:
        """Who uses tensors of any."""
        return {borrower: apart for guard in self.guards for borrower, apart in guard.borrowers.items()}

    @property
    def trainers(self) -> Any:
        """The marks of loops that train weights of the first guard."""
        return self.guards[0].trainers

    def begin(self) -> None:
        """Values are replaced from now on; the locks are held."""
        for guard in self.guards:
            guard.begin()

    def end(self) -> None:
        """The values that are to be replaced are in place."""
        for guard in self.guards:
            guard.end()

    def borrow(self, borrower: Borrower) -> None:
        """Note that somebody uses the present tensors of all.

        Args:
            borrower: is told when a step is about to overwrite them.
        """
        for guard in self.guards:
            guard.borrow(borrower)

    def give_back(self, borrower: Borrower) -> None:
        """End `borrow`.

        Args:
            borrower: who borrowed.
        """
        for guard in self.guards:
            guard.give_back(borrower)

    def part(self, variables: Sequence[Any]) -> bool:
        """Prepare for a step that overwrites the values of these variables.

        Args:
            variables: always the same list for the same variables.

        Returns: whether somebody has borrowed these values.
        """
        return True in [guard.part(variables) for guard in self.guards]


Guard = StateGuard | SeveralGuards


def guard_of(variables: Sequence[Any]) -> Guard:
    """The guard of variables that a step reads and replaces together; those that have none get one.

    Args:
        variables: at least one.
    """
    with _assigning:
        found = {v.guard for v in variables if v.guard is not None}
        own = min(found, key=lambda guard: guard.serial, default=None) or StateGuard()
        for variable in variables:
            if variable.guard is None:
                variable.guard = own
    return SeveralGuards(found) if len(found) > 1 else own


@contextmanager
def held(guards: Iterable[StateGuard]) -> Iterator[None]:
    """A context in which no step replaces values that these guard.

    Args:
        guards: in the order of their `serial`.
    """
    with ExitStack() as stack:
        for guard in guards:
            stack.enter_context(guard.lock)
        yield


def unchanged(variables: Iterable[Any]) -> Any:
    """A context in which no step of another thread replaces values of these variables.

    Args:
        variables: variables; those that no model has used in a step may change.

    Example:
        >>> from keras_front import backend as K
        >>> a, b = K.variable([1.0]), K.variable([2.0])
        >>> with unchanged([a, b]):
        ...     a.numpy().tolist(), b.numpy().tolist()
        ([1.0], [2.0])
    """
    guards = {v.guard for v in variables if v.guard is not None}
    if len(guards) > 1:
        return held(sorted(guards, key=lambda guard: guard.serial))
    return guards.pop().lock if guards else nullcontext()


@contextmanager
def replaced(variables: Iterable[Any]) -> Iterator[None]:
    """A context in which values that belong together are replaced: others see all of the old ones or all of the new.

    Args:
        variables: the variables.

    Example:
        >>> from keras_front import backend as K
        >>> a, b = K.variable([1.0]), K.variable([2.0])
        >>> with replaced([a, b]):
        ...     a.set([3.0])
        ...     b.set([4.0])
    """
    guards = sorted({v.guard for v in variables if v.guard is not None}, key=lambda guard: guard.serial)
    begun: list[StateGuard] = []
    with held(guards):
        try:
            for guard in guards:
                begun.append(guard)
                guard.begin()
            yield
        finally:
            for guard in begun:
                guard.end()


def after_fork() -> None:
    """In a child process the threads of its parent are gone, and what they held is free."""
    global _assigning
    _assigning = threading.Lock()
    for guard in list(_known):
        guard.lock = threading.RLock()
        guard.changing = 0
        guard.borrowers.clear()
        guard.trainers.clear()
