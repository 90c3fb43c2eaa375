"""`tf.io.gfile` and `tf.gfile`: files of this machine."""

from __future__ import annotations

import builtins
import glob as _glob
import os
import shutil
from collections.abc import Iterator
from typing import Any

exists, isdir, listdir, stat = os.path.exists, os.path.isdir, os.listdir, os.stat
join, mkdir, remove, rmtree = os.path.join, os.mkdir, os.remove, shutil.rmtree
IsDirectory, Exists, ListDirectory, MkDir, Remove, DeleteRecursively, Stat = (
    isdir, exists, listdir, mkdir, remove, rmtree, stat,
)  # fmt: skip


def makedirs(path: str) -> None:
    """Make a folder and those that hold it, where they are not there yet.

    Args:
        path: the folder.
    """
    os.makedirs(path, exist_ok=True)


def glob(pattern: str | list[str]) -> list[str]:
    """The files whose names match.

    Args:
        pattern: a pattern with `*` and `?`, or several.
    """
    patterns = [pattern] if isinstance(pattern, str) else pattern
    return sorted(found for one in patterns for found in _glob.glob(one))


def copy(src: str, dst: str, overwrite: bool = False) -> None:
    """Copy a file.

    Args:
        src: the file.
        dst: its copy.
        overwrite: whether a file that is there already may go. By default that is an error, as in TensorFlow.

    Raises: FileExistsError if there is one.
    """
    _refuse(dst, overwrite)
    shutil.copy(src, dst)


def rename(src: str, dst: str, overwrite: bool = False) -> None:
    """Give a file another name.

    Args:
        src: the file.
        dst: its name from now on.
        overwrite: whether a file that is there already may go. By default that is an error, as in TensorFlow.

    Raises: FileExistsError if there is one.
    """
    _refuse(dst, overwrite)
    os.replace(src, dst)


def _refuse(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists already; overwrite=True replaces it.")


def walk(top: str, topdown: bool = True, onerror: Any = None) -> Iterator[Any]:
    """Each folder below one, with the names of its folders and files.

    Args:
        top: the folder.
        topdown: whether a folder comes before those in it.
        onerror: called with the error for a folder that cannot be read.
    """
    return os.walk(top, topdown, onerror)


def GFile(name: str, mode: str = "r") -> Any:
    """An open file.

    Args:
        name: the file.
        mode: as of Python's `open`.
    """
    return builtins.open(name, mode, encoding=None if "b" in mode else "utf-8")


Open = FastGFile = GFile
MakeDirs, Glob, Copy, Rename, Walk = makedirs, glob, copy, rename, walk
