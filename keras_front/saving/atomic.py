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

from keras_front.backend.placement import path_to_write, writes_files
from keras_front.errors import ArgumentError, KerasFrontError, UnwritableFileError
from keras_front.tracebacks import passed_user_code
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
    if overwrite or not Path(path).exists() or not writes_files():
        return True
    if not (sys.stdin and sys.stdin.isatty()):
        raise ArgumentError(
            f"{os.fspath(path)} exists: expected a free name, or overwrite=True.\n  Nobody can be asked here."
        )
    return ask_to_proceed_with_overwrite(path)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Context that gives a temporary path beside `path` and puts the file in place if all went well.

    Of several processes of a distribution the first one writes it; see `path_to_write`.

    Args:
        path: the file that will be there in the end.

    Raises: ArgumentError if the folder does not exist; UnwritableFileError (an OSError) if the path is no file, such as
        a device, or if it cannot be written: a full disk, a bound on the size of files, a folder that is read-only.
    """
    with _explained(path):
        final = Path(os.path.realpath(path_to_write(path)))
        _check_regular(final, path)
        if not final.parent.is_dir():
            raise ArgumentError(f"{os.fspath(path)}: expected an existing folder, received {final.parent}.")
        remove_abandoned(final.parent)
        yield from _replacing(final)


def _check_regular(final: Path, path: str | os.PathLike[str]) -> None:
    """A device, a pipe or a folder is not replaced by a file.

    Raises: UnwritableFileError.
    """
    if final.exists() and not final.is_file():
        raise UnwritableFileError(
            f"{os.fspath(path)}: expected the path of a file, received that of a folder, a device or a pipe.\n"
            "  It is left as it is."
        )


@contextlib.contextmanager
def _explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """One error, with the path that was given, for whatever the system or HDF5 says when a file cannot be written."""
    try:
        yield
    except KerasFrontError:
        raise
    except (OSError, RuntimeError) as error:
        if passed_user_code(error):
            raise
        found = UnwritableFileError(
            f"{os.fspath(path)}: expected a place that can be written, but writing failed: {error}.\n"
            "  What was there before still is."
        )
        found.errno = getattr(error, "errno", None)
        raise found from error


def _replacing(final: Path) -> Iterator[str]:
    import tempfile

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
