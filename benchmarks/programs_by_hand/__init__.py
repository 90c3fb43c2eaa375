"""Training programs as an expert would write them in the engine, and the data of both sides.

Nothing here knows keras_front. `build(engine, name, data)` gives a function that trains for one epoch. NumPy is held
against torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import gpu_nets
import numpy as np
from by_hand import gpu

Arrays = tuple[np.ndarray, ...]
NETS = {"resnet50": {}, "transformer": {"width": 128}}  # of `gpu_nets`, in their sizes for a CPU
NAMES = ("seq2seq", "gan", "wide_deep", "loader", "generator", *NETS)
BATCH, OF_NETS = 64, 8  # rows of a batch; of one of a large net


def data_of(name: str, steps: int) -> Arrays:
    """The arrays of a program, for so many batches."""
    if name in NETS:
        return gpu_nets.NETS[name].data(steps * OF_NETS, False)
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
    engine = "torch" if engine == "numpy" else engine
    if name in NETS:
        x, y = data
        loop = gpu.loop(engine, name, "cpu", "float32", False, **NETS[name])
        return lambda: loop(x, y, OF_NETS)
    return importlib.import_module(f"{__name__}.{engine}").PROGRAMS[name](data)
