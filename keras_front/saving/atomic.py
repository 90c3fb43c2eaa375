"""Writing a file so that at every moment the old or the new one is there, never half of one.

The new file is written beside the old one under a temporary name, flushed to the disk, and put in its place
by one rename. A reader, a crash or a full disk in the middle sees the old file, and what a killed writer left is
removed by the next one (`abandoned`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_front.errors import ArgumentError
from keras_front.utils.io_utils import ask_to_proceed_with_overwrite

from .abandoned import SUFFIX, remove_abandoned, temporary_prefix

__all__ = ["is_path", "may_write", "replacing"]


def is_path(target: Any) -> bool:
    """Whether `target` names a file, rather than being one.

    Args:
        target: what somebody gave as a file.
    """
    return isinstance(target, str | os.PathLike)


def may_write(path: str | os.PathLike[str], overwrite: bool) -> bool:
    """Whether to write `path`; an existing file needs `overwrite`, or a yes from the terminal.

    Args:
        path: the file.
        overwrite: whether an existing file may be replaced without asking.

    Raises: ArgumentError if the file exists and there is nobody to ask.
    """
    if overwrite or not Path(path).exists():
        return True
    if not (sys.stdin and sys.stdin.isatty()):
        raise ArgumentError(
            f"{os.fspath(path)} exists: expected a free name, or overwrite=True.\n  Nobody can be asked here."
        )
    return ask_to_proceed_with_overwrite(path)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Context that gives a temporary path beside `path` and puts the file in place if all went well.

    Args:
        path: the file that will be there in the end.

    Raises: ArgumentError if the folder does not exist.
    """
    final = Path(os.path.realpath(path))
    if not final.parent.is_dir():
        raise ArgumentError(f"{os.fspath(path)}: expected an existing folder, received {final.parent}.")
    import tempfile

    remove_abandoned(final.parent)
    handle, temporary = tempfile.mkstemp(prefix=temporary_prefix(final.name), suffix=SUFFIX, dir=final.parent)
    os.close(handle)
    try:
        os.chmod(temporary, _mode(final))
        yield temporary
        _flush(temporary)
        os.replace(temporary, final)
        _flush(final.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _mode(final: Path) -> int:
    """Permissions of the file that is replaced, or those of a new file."""
    with contextlib.suppress(OSError):
        return final.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _flush(path: str | os.PathLike[str]) -> None:
    """Force what was written to the disk; a folder cannot be flushed everywhere."""
    folder = Path(path).is_dir()
    with contextlib.suppress(OSError) if folder else contextlib.nullcontext():
        handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
