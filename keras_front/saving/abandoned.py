"""Temporary files whose writers are gone: how such a file says who writes it, and the removal of those left behind.

A process that is killed while it saves leaves its temporary file. The name of the file tells the process, when that
started (for numbers of processes come again) and the machine, so that the next save in the folder removes the files of
the dead and none of the living. Of another machine nothing is known: its file goes once nobody has written to it for a
day.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import time
import zlib
from pathlib import Path

__all__ = ["remove_abandoned", "temporary_prefix"]

SUFFIX = ".tmp"
UNTOUCHED = 24 * 3600.0  # seconds
_OURS = re.compile(r"\..*\.writer-(\d+)-(\d+)-([0-9a-f]{8})-\w+" + re.escape(SUFFIX))


def temporary_prefix(name: str) -> str:
    """How the name of a temporary file begins that this process writes.

    Args:
        name: name of the file that will be there in the end, of which the first 40 characters are kept.
    """
    pid = os.getpid()
    return f".{name[:40]}.writer-{pid}-{_started(pid)}-{_machine()}-"


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files of dead writers; what cannot be removed stays.

    Args:
        folder: where they are looked for, not below.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _OURS.fullmatch(entry.name)
            if found is not None and not _is_written(Path(entry.path), int(found[1]), int(found[2]), found[3]):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _is_written(path: Path, pid: int, started: int, machine: str) -> bool:
    """Whether the writer of a file may still be at it."""
    if machine != _machine() or os.name != "posix":
        with contextlib.suppress(OSError):
            return time.time() - path.lstat().st_mtime < UNTOUCHED
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process
        pass
    return started in (0, _started(pid))


def _started(pid: int) -> int:
    """When a process began, in ticks since the machine started; 0 where the system does not say.

    Source: the manual page proc(5) of Linux: field 22 of /proc/<pid>/stat.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(told.rpartition(")")[2].split()[19])


def _machine() -> str:
    """What tells machines apart, and containers, whose processes are numbered anew."""
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return f"{zlib.crc32(f'{platform.node()} {space}'.encode()):08x}"
