"""Odd paths: readers given pipes, devices, folders, loops of links, memory of the process and names that no disk takes.

Each ends in an error of the library, or in one of the operating system about the path, at once and without reading on
for ever; text that is no path, too. JSON with keys twice, numbers that are no numbers and depth is read or refused.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from watch import bounded_memory

from keras_front import layers, models
from keras_front.errors import KerasFrontError
from keras_front.preprocessing.image import load_img
from keras_front.saving import inspection
from keras_front.utils import HDF5Matrix

SUFFIXES = (".h5", ".keras", ".weights.h5", ".npz", ".pt", ".safetensors", ".json", "")


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Every reader with every path; then texts."""
    model = models.Sequential([layers.Dense(2, input_shape=(3,))])
    for reader, read in readers(model).items():
        for name, path in paths(folder / reader).items():
            yield f"paths: {reader}", name, functools.partial(refused, read, path)
    for name, text in texts().items():
        yield "JSON", name, functools.partial(read_or_refused, text)


def readers(model: Any) -> dict[str, Callable[[Any], Any]]:
    """What reads a path."""
    return {
        "load_model": models.load_model,
        "load_weights": model.load_weights,
        "load_weights by name": functools.partial(model.load_weights, by_name=True),
        "inspect": _described,
        "HDF5Matrix": lambda path: HDF5Matrix(path, "x"),
        "load_img": load_img,
    }


def _described(path: Any) -> None:
    """The description of a file; of one that is nothing known it says why."""
    if inspection.describe(path).refused:
        raise OSError("refused")


def paths(folder: Path) -> dict[str, Any]:
    """Paths by what is odd about them, with and without the suffix of a format."""
    folder.mkdir()
    found: dict[str, Any] = {"/proc/self/mem": "/proc/self/mem", "/dev/null": "/dev/null", "/dev/zero": "/dev/zero"}
    for end in SUFFIXES:
        pipe, inside, loop, device = (folder / f"{kind}{end}" for kind in ("pipe", "folder", "loop", "device"))
        os.mkfifo(pipe)
        inside.mkdir()
        loop.symlink_to(loop)
        device.symlink_to("/dev/zero")
        empty = folder / f"empty{end}"
        empty.write_bytes(b"")
        odd = {"a pipe": pipe, "a folder": inside, "a loop": loop, "a device": device, "an empty file": empty}
        odd |= {"a long name": folder / ("x" * 5000 + end), "a deep name": Path("/".join("x" * 9000) + end)}
        odd |= {"a name with a zero": f"{folder}/a\0b{end}", "half a character": f"{folder}/\ud800{end}"}
        odd |= {"a folder on top of a file": empty / f"x{end}", "nothing": folder / f"missing{end}"}
        found |= {f"{name}, {end or 'no suffix'}": str(path) for name, path in odd.items()}
    return found | {"nothing at all": "", "a space": " ", "an address": "http://localhost:1/x.h5", "a number": 3.5}


def refused(read: Callable[[Any], Any], path: Any) -> None:
    """An error of the library, or that of the system about a path."""
    with bounded_memory(2):
        try:
            read(path)
        except (KerasFrontError, OSError):
            return
    raise AssertionError(f"{path!r:.100} was read")


def texts() -> dict[str, str]:
    """Configs in JSON that Python's reader takes, or does not."""
    dense = '{"class_name": "Dense", "config": {"name": "d", "units": 2, "batch_input_shape": [null, 3]%s}}'
    model = '{"class_name": "Sequential", "config": [%s]}'
    changes = {
        "a key twice": ', "units": 5',
        "a NaN": ', "x": NaN',
        "units NaN": ', "units": NaN',
        "units 1e400": ', "units": 1e400',
        "minus infinity": ', "units": -Infinity',
        "many digits": ', "units": ' + "9" * 5000,
        "a key of 1 MB": f', "{"k" * 10**6}": 1',
        "depth": ', "kernel_initializer": ' + "[" * 100_000 + "]" * 100_000,
        "a zero": ', "name": "a\\u0000b"',
        "half a character": ', "name": "\\ud800"',
        "a path": ', "name": "../../etc/passwd"',
        "a long name": f', "name": "{"n" * 10**6}"',
    }
    return {name: model % (dense % change) for name, change in changes.items()}


def read_or_refused(text: str) -> None:
    """A model of two or five units, or an error of the library."""
    with bounded_memory(2):
        try:
            model = models.model_from_json(text)
        except KerasFrontError:
            return
    assert model.predict(np.zeros((1, 3)), verbose=0).shape[1] in (2, 5)
