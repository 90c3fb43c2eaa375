"""Training programs as an expert would write them in the engine, and the data of both sides.

Nothing here knows keras_front. `build(engine, name, data)` gives a function that trains for one epoch. NumPy is held
against torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray, ...]
NAMES = ("seq2seq", "gan", "wide_deep", "loader", "generator")
BATCH = 64


def data_of(name: str, steps: int) -> Arrays:
    """The arrays of a program, for so many batches."""
    draw, n = np.random.default_rng(7), steps * BATCH
    if name == "seq2seq":  # the target is the source backwards; what is fed is the target one step late
        source = draw.integers(1, 1000, (n, 20), dtype="int32")
        target = np.ascontiguousarray(source[:, ::-1])
        return source, np.concatenate([np.zeros((n, 1), "int32"), target[:, :-1]], 1), target
    if name == "gan":
        return np.tanh(draw.standard_normal((n, 784), dtype="float32")), draw.standard_normal((n, 32), dtype="float32")
    if name == "wide_deep":
        wide, numbers = (draw.standard_normal((n, width), dtype="float32") for width in (200, 16))
        categories = draw.integers(0, 500, (n, 8), dtype="int32")
        return wide, categories, numbers, (wide[:, :1] + numbers[:, :1] > 0).astype("float32")
    x = draw.standard_normal((n, 784), dtype="float32")
    return x, np.eye(10, dtype="float32")[draw.integers(0, 10, n)]


def build(engine: str, name: str, data: Arrays) -> Callable[[], Any]:
    """The loop for one epoch of a program in an engine."""
    module = importlib.import_module(f"{__name__}.{'torch' if engine == 'numpy' else engine}")
    return module.PROGRAMS[name](data)
