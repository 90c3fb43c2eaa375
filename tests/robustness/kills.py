"""Killed while saving: the file on the disk is a whole one, and what the dead left behind is removed by the next save.

A writer saves without end, each time with other weights; it is killed at a random moment. NumPy shows it a hundred
times, for a writer may fork there; an engine takes seconds to start, so each is killed a few times.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from keras_front import backend as K
from keras_front import layers, models

LIMIT = 60
KILLS = {"numpy": 100}  # of each format; elsewhere 3
FORMATS = ("m.h5", "m.keras", "w.weights.h5", "w.h5")


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Kills of a writer at random moments, for each format."""
    generator = random.Random(0)
    for name in FORMATS:
        inside = folder / name
        inside.mkdir()
        for number in range(KILLS.get(os.environ["KERAS_FRONT_BACKEND"], 3)):
            wait = generator.uniform(0, 0.05)
            yield f"kills, {name}", str(number), functools.partial(kill, inside / name, wait)
        yield "left behind by the dead", name, functools.partial(check_cleared, inside / name)


def kill(path: Path, wait: float) -> None:
    """Start a writer, kill it `wait` seconds after its first save, and look at what is there."""
    path.unlink(missing_ok=True)
    ready, ready_there = os.pipe()
    writer = os.fork()
    if not writer:
        write_for_ever(path, ready_there)
    os.close(ready_there)
    try:
        started = os.read(ready, 1)
        time.sleep(wait)
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        os.close(ready)
    assert started, "the writer failed"
    check_whole(path)


def write_for_ever(path: Path, ready: int) -> None:
    """Save the same model with weights 0, 1, 2, ... until killed."""
    try:
        model = made()
        for number in range(1 << 30):
            fill(model, number)
            save(model, path)
            if not number:
                os.write(ready, b"x")
    finally:
        os._exit(1)


def made() -> models.Sequential:
    """A model with an optimizer whose state is in the file."""
    model = models.Sequential([layers.Dense(40, input_shape=(30,)), layers.Dense(20)])
    model.compile("adam", "mse")
    return model


def fill(model: models.Sequential, number: float) -> None:
    """Give every weight the same value."""
    model.set_weights([np.full(w.shape, number, "float32") for w in model.weights])


def save(model: models.Sequential, path: Path) -> None:
    """Save as the name says."""
    if path.name.startswith("m"):
        model.save(path)
    else:
        model.save_weights(path, save_format="keras" if ".weights" in path.name else "h5")


def check_whole(path: Path) -> None:
    """The file can be read, and all its weights are of one save."""
    with K.use_backend("numpy"):
        if path.name.startswith("m"):
            model = models.load_model(path)
        else:
            model = made()
            model.load_weights(path)
        values = {float(v) for w in model.get_weights() for v in np.unique(w)}
    assert len(values) == 1, f"weights of {len(values)} saves in one file"


def check_cleared(path: Path) -> None:
    """One more save leaves its own file alone in the folder."""
    with K.use_backend("numpy"):
        save(made(), path)
    left = sorted(set(os.listdir(path.parent)) - {path.name})
    assert not left, f"{len(left)} files of dead writers are still there, such as {left[0]}"
