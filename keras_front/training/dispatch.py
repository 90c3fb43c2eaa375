"""How many steps run in one dispatch to the engine (Keras calls it `steps_per_execution`)."""

from __future__ import annotations

import time
from typing import Any

SECONDS = 20e-3  # that several steps in one dispatch may take, so that who listens by time is heard
LIMIT = 64  # steps in one dispatch at most
MEASURED = 4  # dispatches; the machine may be busy with something else during one of them


class DispatchTuner:
    """Finds how many steps run in one dispatch: as many as take `SECONDS`, if the engine gains from it at all.

    Args:
        engine: the backend that runs them.
        supported: whether it gains from several steps in one dispatch.
    """

    def __init__(self, engine: Any, supported: bool):
        self.engine, self.supported = engine, supported
        self.dispatches = 0
        self.each: float | None = None  # seconds of a step, the shortest of some dispatches that compiled nothing

    def steps(self, left: int) -> int:
        """How many steps to run at once, of those that are left; 0 for single steps."""
        if not self.supported:
            return 0
        wanted = SECONDS / self.each if self.each else min(8**self.dispatches, 8)
        return max(1, min(left, LIMIT, int(wanted)))

    def started(self) -> float:
        """The time at which a dispatch begins, if it is measured."""
        return time.perf_counter() if self.dispatches <= MEASURED else 0.0

    def finished(self, started: float, steps: int, results: Any) -> None:
        """Measure some dispatches after the first one, which compiles: so many steps, whose results are given."""
        if self.dispatches > MEASURED:
            return
        self.engine.block([results])
        if self.dispatches:
            each = max((time.perf_counter() - started) / steps, 1e-9)
            self.each = min(each, self.each or each)
        self.dispatches += 1
