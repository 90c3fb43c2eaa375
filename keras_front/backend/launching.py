"""Starting the processes of a run on this machine, and ending all of them when one ends badly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

PATIENCE = 10.0  # seconds that processes have to end by themselves


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at.

    Args:
        count: how many.
    """
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def run(command: Sequence[str], environments: Sequence[Mapping[str, str]]) -> int:
    """Run a command in several processes at once, and wait for them.

    Where one ends with an error, it is named, and the others are ended: they would wait for it.

    Args:
        command: the program and its arguments.
        environments: for each process what its environment has besides that of this one.

    Returns: 0 if all ended well, else the exit status of the process that ended first with another one; 128 plus the
        number of the signal where a signal ended it.
    """
    children = [subprocess.Popen(list(command), env={**os.environ, **own}) for own in environments]
    try:
        return _watch(children)
    finally:
        _end(children)


def _watch(children: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait until all have ended, or one badly; the exit status."""
    while True:
        states = [child.poll() for child in children]
        bad = next((rank for rank, state in enumerate(states) if state), None)
        if bad is not None:
            return _failure(bad, len(children), states[bad] or 0)
        if None not in states:
            return 0
        time.sleep(0.05)


def _failure(rank: int, count: int, state: int) -> int:
    how = f"with status {state}" if state > 0 else f"by the signal {signal.Signals(-state).name}"
    print(
        f"keras-front: process {rank} of {count} (counted from 0) was ended {how}; the others end too.", file=sys.stderr
    )
    return state if state > 0 else 128 - state


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """End those that still run, with force where they do not listen."""
    running = [child for child in children if child.poll() is None]
    for child in running:
        child.terminate()
    limit = time.monotonic() + PATIENCE
    for child in running:
        try:
            child.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
