"""Hostile files: refused by an error of ours, in time, without memory, with nothing run, read or written outside.

NumPy reads every file. What a file does to an engine depends on it alone, so the others read a part of the largest
kinds.
"""

from __future__ import annotations

import functools
import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile import Hostile
from watch import Watch, bounded_memory

LIMIT = 40
FIRST = True
MODULES = (
    "hostile_archives", "hostile_arrays", "hostile_code", "hostile_configs", "hostile_downloads", "hostile_hdf5",
    "hostile_names", "hostile_objects", "hostile_pickles", "hostile_saved_models", "hostile_settings", "hostile_sizes",
    "hostile_training",
)  # fmt: skip
ONE_OF = {"hostile_configs": 7, "hostile_hdf5": 2, "hostile_training": 2}  # on NumPy
ELSEWHERE = {
    "hostile_arrays": 40, "hostile_code": 5, "hostile_configs": 60, "hostile_downloads": 60, "hostile_hdf5": 10,
    "hostile_names": 20, "hostile_objects": 10, "hostile_pickles": 100, "hostile_saved_models": 40,
    "hostile_settings": 40, "hostile_training": 10,
}  # fmt: skip


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Every hostile file, read under watch."""
    warnings.simplefilter("ignore")
    numpy = os.environ["KERAS_FRONT_BACKEND"] == "numpy"
    for module in MODULES:
        step = ONE_OF.get(module, 1) if numpy else ELSEWHERE.get(module, 4)
        for number, item in enumerate(importlib.import_module(module).cases()):
            if number % step == 0:
                yield item.kind, item.name[:200], functools.partial(_try, item)


def _try(item: Hostile) -> None:
    read: Any = None
    with bounded_memory(2), Watch(item.allowed, item.events) as watch:
        read = item.read()
    item.check(watch, read)
