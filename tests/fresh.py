"""Code that runs in a process of its own: what an import does, and what works when nothing is imported."""

from __future__ import annotations

import subprocess
import sys

_FORKS = """
import os, sys, traceback, numpy
{start}
for number, code in enumerate({codes!r}):
    print("# process", number, flush=True)
    process = os.fork()
    if not process:
        try:
            exec(code, dict(globals()))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    assert not os.waitpid(process, 0)[1], code
"""


def in_new_process(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints; warnings do not count."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def in_forks(codes: list[str], start: str = "", *arguments: str) -> list[str]:
    """What each of these prints in a process that has imported only NumPy and what `start` imports.

    The processes are forks of one fresh interpreter, which is quicker than an interpreter for each.
    """
    printed = in_new_process(_FORKS.format(codes=codes, start=start), *arguments)
    parts = [part.partition("\n")[2].strip() for part in printed.split("# process ")[1:]]
    assert len(parts) == len(codes)
    return parts
