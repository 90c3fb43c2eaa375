"""Memory: models that nobody refers to any more are freed, and ever new shapes do not fill it."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import layers as L
from keras_front import models
from keras_front.backend import tables

LIMIT = 150
MODELS = {"numpy": 60, "torch": 60}  # elsewhere 12, because each compiles
EACH = 1.5e6  # bytes that a model of 1.1 million weights may leave behind; kept whole it would be five times as much


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Kinds of models, then shapes."""
    for kind in ("dense", "batch normalization", "convolution", "recurrent"):
        yield "models that die", kind, lambda kind=kind: check_models(kind)
    yield "memory of dead models", "batch normalization", check_memory
    yield "ever new batch sizes", "predict", check_sizes


def trained(kind: str, units: int = 16) -> Any:
    """A model that was trained, evaluated and asked once."""
    inside = {
        "dense": [L.Dense(units)],
        "batch normalization": [L.Dense(units), L.BatchNormalization(), L.Dense(units)],
        "convolution": [L.Reshape((8, 4)), L.Conv1D(4, 3), L.BatchNormalization(), L.MaxPooling1D(), L.Flatten()],
        "recurrent": [L.Reshape((8, 4)), L.LSTM(units)],
    }[kind]
    model = models.Sequential([L.Dense(32, input_shape=(32,)), *inside, L.Dense(10)])
    model.compile("adam", "mse")
    x, y = np.ones((8, 32), "float32"), np.ones((8, 10), "float32")
    model.fit(x, y, verbose=0)
    model.train_on_batch(x, y)
    model.evaluate(x, y, verbose=0)
    model.predict(x[:1])
    return model


def check_models(kind: str) -> None:
    """After `clear_session` neither models nor weights are left."""
    kept = []
    for _ in range(3):
        model = trained(kind)
        kept += [weakref.ref(model), *map(weakref.ref, model.weights), weakref.ref(model.optimizer)]
        del model
    K.clear_session()
    alive = [ref() for ref in kept if ref() is not None]
    assert not alive, f"{len(alive)} of {len(kept)} are left: {alive[:3]}"


def resident() -> int:
    """The bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _trimmed() -> int:
    """The same, after the allocator has given back what it can."""
    K.clear_session()
    try:
        import ctypes

        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        pass
    return resident()


def check_memory() -> None:
    """What each of many large models leaves behind is small."""
    count = MODELS.get(os.environ["KERAS_FRONT_BACKEND"], 12)
    for _ in range(4):
        trained("batch normalization", 512)
    before = _trimmed()
    for _ in range(count):
        trained("batch normalization", 512)
        gc.collect()
    each = (_trimmed() - before) / count
    assert each < EACH, f"each model leaves {each / 1e6:.2f} MB"


def check_sizes() -> None:
    """One table entry for each size, up to the bound; a known size is not compiled anew."""
    model = trained("dense")
    tables.ENTRIES, before = 64, tables.ENTRIES  # each compiles on some backends
    try:
        for size in range(1, 90):
            model.predict(np.ones((size, 32), "float32"), batch_size=100)
        assert len(model._prediction._calls) <= 64
    finally:
        tables.ENTRIES = before
