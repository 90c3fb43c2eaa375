"""`keras-front launch`: a program in several processes of this machine, data parallel without a change to it.

Each process joins the run, sets `DataParallel`, and runs the program as `keras-front run` does. What a process prints
beyond rank 0 is left out, or marked with its rank.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import IO, Any

from keras_front.backend import discovery
from keras_front.errors import ArgumentError

ALL_OUTPUT = "KERAS_FRONT_LAUNCH_ALL_OUTPUT"  # "1": processes beyond rank 0 print too


def launch(processes: int, backend: str | None, program: Sequence[str], all_output: bool = False) -> int:
    """Run a program in several processes.

    Args:
        processes: how many.
        backend: the backend; None: the active one.
        program: the words after `keras-front run`: options, a script and its arguments.
        all_output: whether processes beyond rank 0 print too, each line with the rank before it.

    Returns: the exit status, see `launching.run`.

    Raises: ArgumentError for less than one process; DistributionError if the backend knows no processes.
    """
    if processes < 1:
        raise ArgumentError(f"launch: expected at least one process, received -n {processes}.")
    engine: Any = discovery.active() if backend is None else discovery.get(backend)
    os.environ[ALL_OUTPUT] = str(int(all_output))
    command = [sys.executable, "-m", "keras_front", "run", "--data-parallel", "--backend", engine.name, *program]
    return engine.launch_processes(command, processes)


def join() -> None:
    """Join the other processes of the run, train with them, and let the first one speak."""
    from keras_front import distribution

    distribution.initialize()
    distribution.set_distribution(distribution.DataParallel())
    rank = distribution.distribution().data_shard_id
    if rank:
        sys.stdout = _Marked(sys.stdout, rank) if os.environ.get(ALL_OUTPUT) == "1" else open(os.devnull, "w")  # type: ignore[assignment]


class _Marked:
    """A stream whose lines begin with the rank of their process."""

    def __init__(self, stream: IO[str], rank: int):
        self._stream, self._mark, self._begins = stream, f"[{rank}] ", True

    def write(self, text: str) -> int:
        for line in text.splitlines(keepends=True):
            self._stream.write(self._mark + line if self._begins else line)
            self._begins = line.endswith("\n")
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
