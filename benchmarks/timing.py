"""Two functions timed in turn in one process: CPU time of a call, and the ratio of neighbours."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Act = Callable[[], Any]


@dataclass(frozen=True)
class Pair:
    """Microseconds of a call of either side (medians); `speed` is above 1 where the first one is faster.

    `excess` and `best` are the difference and the ratio of the least of both: what else runs on the machine only adds.
    """

    ours: float
    other: float
    speed: float
    excess: float
    best: float


def compared(ours: Act, other: Act, rounds: int, least: float = 2e-3) -> Pair:
    """Both in turn, `rounds` times, each for at least `least` seconds a round; figures are medians."""
    calls = max(1, int(least / max(_once(ours), _once(other), 1e-7)))
    found = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            found.append((run_of(ours, calls), run_of(other, calls)))
    finally:
        gc.enable()
    ours_us, other_us = ([seconds * 1e6 for seconds in side] for side in zip(*found, strict=True))
    speed = statistics.median(b / a for a, b in found)
    least = min(ours_us), min(other_us)
    return Pair(
        statistics.median(ours_us), statistics.median(other_us), speed, least[0] - least[1], least[1] / least[0]
    )


def _once(act: Act) -> float:
    """Seconds of a call once warm."""
    act()
    act()
    return min(run_of(act, 1) for _ in range(3))


def run_of(act: Act, calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        act()
    return (time.process_time() - started) / calls
