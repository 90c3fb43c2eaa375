"""How many steps run in one dispatch."""

from __future__ import annotations

import time
from typing import Any

DISPATCH = 20e-3  # seconds that several steps in one dispatch may take, so that who listens by time is heard
CHAIN = 64  # steps in one dispatch at most
MEASURED = 4  # dispatches; the machine may be busy with something else during one of them


class Pace:
    """How many steps run in one dispatch: as many as take `DISPATCH` seconds, if the engine gains from it at all."""

    def __init__(self, engine: Any, chains: bool):
        self.engine, self.chains = engine, chains
        self.dispatches = 0
        self.each: float | None = None  # seconds of a step, the shortest of some dispatches that compiled nothing

    def chunk(self, left: int) -> int:
        """How many steps to run at once, of those that are left; 0 for single steps."""
        if not self.chains:
            return 0
        wanted = DISPATCH / self.each if self.each else min(8**self.dispatches, 8)
        return max(1, min(left, CHAIN, int(wanted)))

    def started(self) -> float:
        return time.perf_counter() if self.dispatches <= MEASURED else 0.0

    def finished(self, started: float, steps: int, results: Any) -> None:
        """Measure some dispatches after the first one, which compiles."""
        if self.dispatches > MEASURED:
            return
        self.engine.block([results])
        if self.dispatches:
            each = max((time.perf_counter() - started) / steps, 1e-9)
            self.each = min(each, self.each or each)
        self.dispatches += 1
