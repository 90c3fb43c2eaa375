"""Feeds every reader damaged copies of good files until the time is over: `python fuzz.py [seconds each] [first seed]`.

Each copy follows from its seed alone, so a failure is repeated with `fuzz.py 1 <seed>`. NumPy is enough: what is read
reaches an engine only once it has been found good.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ["KERAS_FRONT_BACKEND"] = "numpy"

import hostile_pickles
from hostile import DICTIONARIES, VALUES, changed, places, without
from hostile_archives import archive_bytes
from hostile_arrays import kinds
from hostile_configs import bases
from hostile_downloads import good
from hostile_hdf5 import layouts
from watch import Watch, bounded_memory

from keras_front import models
from keras_front.saving import inspection
from keras_front.utils.archives import extract

ANYTHING = [*VALUES.values(), *DICTIONARIES.values()]


def damaged_bytes(data: bytes, draw: random.Random) -> bytes:
    """A copy with some bytes overwritten, cut out or repeated."""
    copy = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8))):
        at, size = draw.randrange(len(copy)), draw.choice((1, 1, 2, 4, 8, 64))
        what = draw.randrange(4)
        new = (draw.randbytes(size), bytes(size), b"\xff" * size, bytes(copy[:size]))[what]
        copy[at : at + draw.choice((0, size, size, size))] = new
    return bytes(copy)


def damaged_config(config: Any, draw: random.Random) -> str:
    """The text of a config in which some places hold something else, or nothing."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        path = draw.choice(list(places(config)))
        config = without(config, path) if draw.random() < 0.2 else changed(config, path, draw.choice(ANYTHING))
    return json.dumps(config)


def readers() -> dict[str, Callable[[random.Random], Callable[[], Any]]]:
    """For each reader a function that makes one attempt from a source of random numbers."""
    found: dict[str, Callable[[random.Random], Callable[[], Any]]] = {}
    for name, (data, read) in {**layouts(), ".keras": (archive_bytes(), models.load_model)}.items():
        found[name] = lambda draw, d=data, r=read: partial(_of_bytes, r, damaged_bytes(d, draw))
    for name, data, read in of_paths():
        found[name] = lambda draw, d=data, r=read, n=name: partial(_of_path, r, damaged_bytes(d, draw), n)
    for name, config in bases().items():
        found[f"JSON, {name}"] = lambda draw, c=config: partial(models.model_from_json, damaged_config(c, draw))
        found[f"YAML, {name}"] = lambda draw, c=config: partial(models.model_from_yaml, damaged_config(c, draw))
    return found


def of_paths() -> Iterator[tuple[str, bytes, Callable[[Path], Any]]]:
    """Suffix, a good file, and its reader, for those that read paths: arrays, pickles of data sets, archives."""
    for end, (data, _, read) in kinds().items():
        yield end, data, read
        yield f"{end}, inspect", data, inspection.describe
    for name, (value, read) in hostile_pickles.readers().items():
        yield f"pickle of {name}", pickle.dumps(value), read
    for end, data in good().items():
        yield f"archive .{end}", data, lambda path: extract(path, FOLDER / "out")


FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))


def _of_path(read: Callable[[Path], Any], data: bytes, name: str) -> Any:
    path = FOLDER / "".join(c if c.isalnum() or c == "." else "_" for c in name.partition(",")[0])
    path.write_bytes(data)
    return read(path)


def _of_bytes(read: Callable[[Any], Any], data: bytes) -> Any:
    return read(io.BytesIO(data))


def attempt(make: Callable[[random.Random], Callable[[], Any]], seed: int) -> str | None:
    """What is wrong with how one damaged copy was read; None if nothing is."""
    read = make(random.Random(seed))
    with bounded_memory(2), Watch((FOLDER,)) as watch:
        read()
    try:
        watch.check_harmless()
    except AssertionError as error:
        return str(error)
    return None


def main(seconds: float, first: int) -> int:
    """Try each reader for so long; the number of failures."""
    warnings.simplefilter("ignore")
    failures = 0
    for name, make in readers().items():
        end, seed, wrong = time.monotonic() + seconds, first, 0
        while time.monotonic() < end:
            error = attempt(make, seed)
            if error is not None:
                wrong += 1
                print(f"FAILED {name}, seed {seed}: {error:.300}")
            seed += 1
        print(f"{name}: {seed - first - wrong} of {seed - first}")
        failures += wrong
    return failures


if __name__ == "__main__":
    sys.exit(min(1, main(float((sys.argv[1:] or ["30"])[0]), int((sys.argv[2:] or ["0"])[0]))))
