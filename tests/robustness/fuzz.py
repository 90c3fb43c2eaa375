"""Feeds every reader damaged copies of good files until the time is over: `python fuzz.py [seconds each] [first seed]`.

Each copy follows from its seed alone, so a failure is repeated with `fuzz.py 1 <seed>`. NumPy is enough: what is read
reaches an engine only once it has been found good.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ["KERAS_FRONT_BACKEND"] = "numpy"

from hostile import DICTIONARIES, VALUES, changed, places, without
from hostile_archives import archive_bytes
from hostile_configs import bases
from hostile_hdf5 import layouts
from watch import Watch, bounded_memory

from keras_front import models

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
    for name, config in bases().items():
        found[f"JSON, {name}"] = lambda draw, c=config: partial(models.model_from_json, damaged_config(c, draw))
        found[f"YAML, {name}"] = lambda draw, c=config: partial(models.model_from_yaml, damaged_config(c, draw))
    return found


def _of_bytes(read: Callable[[Any], Any], data: bytes) -> Any:
    return read(io.BytesIO(data))


def attempt(make: Callable[[random.Random], Callable[[], Any]], seed: int) -> str | None:
    """What is wrong with how one damaged copy was read; None if nothing is."""
    read = make(random.Random(seed))
    with bounded_memory(2), Watch() as watch:
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
