"""Full disks: where a file cannot be written there is one error with the path, and the old file is still there.

The full disk is a small one in memory, where this user may mount one; a bound on the size of files does elsewhere. The
same disk, mounted again for reading alone, is the folder that nobody may write to: root may write wherever permissions
forbid it. Another user gets a folder without the permission.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kills import FORMATS, check_whole, fill, made, save

from keras_front import layers, models
from keras_front.errors import UnwritableFileError


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Every format into every place that cannot take it."""
    for name in FORMATS:
        yield "a bound on the size of files", name, functools.partial(bounded, folder / f"bound-{name}", name)
        for place in ("/dev/null", "/dev/full", "a pipe", "a folder"):
            yield "no file", f"{name}, {place}", functools.partial(no_file, folder / f"special-{name}", name, place)
    with small_disk(folder / "disk") as disk:
        for name in FORMATS if disk is not None else ():
            yield "a full disk", name, functools.partial(refused, disk, name)
    with small_disk(folder / "read-only") as disk:
        for name in FORMATS if disk is not None or os.geteuid() else ():
            yield "a read-only folder", name, functools.partial(read_only, folder / "read-only", name, disk is not None)


def large() -> models.Sequential:
    """A model of 4 MB."""
    return models.Sequential([layers.Dense(1000, input_shape=(1000,))])


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of one megabyte; None where this user may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def refused(folder: Path, name: str) -> None:
    """Save a small model, then a large one: one error with the path, and nothing is lost or left."""
    path, small = folder / name, made()
    fill(small, 3)
    save(small, path)
    before = path.read_bytes()
    check_error(functools.partial(save, large(), path), path)
    assert path.read_bytes() == before, "the old file is another one"
    assert os.listdir(folder) == [name], "something is left"
    path.unlink()


def read_only(folder: Path, name: str, mounted: bool) -> None:
    """Save, forbid, save again: one error with the path, the old file is there, and it can be read."""
    path, model = folder / name, made()
    fill(model, 3)
    save(model, path)
    before = path.read_bytes()
    with forbidden(folder, mounted):
        fill(model, 4)
        check_error(functools.partial(save, model, path), path)
        check_error(functools.partial(save, model, folder / f"new-{name}"), folder / f"new-{name}")
        assert path.read_bytes() == before, "the old file is another one"
        assert os.listdir(folder) == [name], "something is left"
        check_whole(path)
    path.unlink()


@contextlib.contextmanager
def forbidden(folder: Path, mounted: bool) -> Iterator[None]:
    """A context in which a folder cannot be written to."""
    try:
        _allow(folder, mounted, False)
        yield
    finally:
        _allow(folder, mounted, True)


def _allow(folder: Path, mounted: bool, writing: bool) -> None:
    if mounted:
        subprocess.run(["mount", "-o", f"remount,{'rw' if writing else 'ro'}", str(folder)], check=True)
    else:
        folder.chmod(0o755 if writing else 0o555)


def check_error(write: Callable[[], Any], path: Path) -> None:
    """Writing raises our error, whose message has the path."""
    with pytest.raises(UnwritableFileError, match=re.escape(str(path))):
        write()


def bounded(folder: Path, name: str) -> None:
    """The same under a bound of 256 KB on the size of files."""
    folder.mkdir()
    bounds = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, bounds[1]))
    try:
        refused(folder, name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bounds)


def no_file(folder: Path, name: str, place: str) -> None:
    """A device, a pipe or a folder stays what it is."""
    folder.mkdir(exist_ok=True)
    path = Path(place) if place.startswith("/dev") else folder / place
    if place == "a pipe":
        os.mkfifo(path)
    elif place == "a folder":
        path.mkdir()
    before = path.stat().st_mode, path.stat().st_ino
    model = made()
    write = model.save if name.startswith("m") else model.save_weights
    form = "keras" if name in ("m.keras", "w.weights.h5") else "h5"
    check_error(functools.partial(write, path, save_format=form), path)
    assert np.array_equal(before, (path.stat().st_mode, path.stat().st_ino)), "it was replaced"
