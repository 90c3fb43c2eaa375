"""The nets of `gpu_nets.py` as an expert writes them in each engine, for a GPU.

A net is written once, in the calls of a `Run`; what a call does is the engine's own function. Data lie on the device
once, steps are compiled where the engine compiles, weights stay in float32 and are cast where they are used.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Fit = Callable[[np.ndarray, np.ndarray, int], Any]
RESNET = ((64, 3), (128, 4), (256, 6), (512, 3))


class Run:
    """One pass through a net: hands out weights in order; without any it makes them."""

    def __init__(self, params: list[Any] | None, place: Any, dtype: Any):
        self.given, self.made = iter(params or ()), list[Any]()
        self.makes, self.place, self.dtype = params is None, place, dtype

    def weight(self, *shape: int, fill: float | None = None) -> Any:
        if not self.makes:
            return next(self.given)
        scale = 1 / math.sqrt(max(1, math.prod(shape[:-1])))
        draw = np.random.default_rng(len(self.made))
        array = np.full(shape, fill) if fill is not None else draw.normal(0, scale, shape)
        self.made.append(self.tensor(array.astype("float32")))
        return self.made[-1]


def mlp(run: Run, x: Any, quick: bool) -> Any:
    for _ in range(2):
        x = run.relu(run.dense(x, 64 if quick else 4096))
    return run.dense(x, 10)


def cnn(run: Run, x: Any, quick: bool) -> Any:
    filters = 4 if quick else 64
    x = run.relu(run.conv(x, filters, 3, bias=True))
    x = run.max_pool(run.relu(run.conv(x, filters * 2, 3, bias=True)), 2, 2, same=False)
    return run.dense(run.relu(run.dense(run.flat(x), 128)), 10)


def resnet50(run: Run, x: Any, quick: bool) -> Any:
    x = run.relu(run.batch_norm(run.conv(x, 64, 7, 2, same=True)))
    x = run.max_pool(x, 3, 2, same=True)
    for stage, (filters, depth) in enumerate(RESNET[:1] if quick else RESNET):
        for i in range(2 if quick else depth):
            stride = 2 if stage and not i else 1
            short = x if i else run.batch_norm(run.conv(x, 4 * filters, 1, stride))
            y = run.relu(run.batch_norm(run.conv(x, filters, 1, stride)))
            y = run.relu(run.batch_norm(run.conv(y, filters, 3, same=True)))
            x = run.relu(run.batch_norm(run.conv(y, 4 * filters, 1)) + short)
    return run.dense(run.mean_of_space(x), 10)


def transformer(run: Run, x: Any, quick: bool, width: int = 512) -> Any:
    width = 32 if quick else width
    x = run.embedding(x, 8000, width)
    for _ in range(1 if quick else 4):
        n = run.layer_norm(x)
        heads = [run.heads(run.dense(n, width), 8) for _ in range(3)]
        x = x + run.dense(run.joined(run.attention(*heads)), width)
        x = x + run.dense(run.relu(run.dense(run.layer_norm(x), 4 * width)), width)
    return run.dense(run.mean_of_steps(x), 10)


NETS = {f.__name__: f for f in (mlp, cnn, resnet50, transformer)}


def loop(engine: str, name: str, device: str, precision: str, quick: bool, **sizes: int) -> Fit:
    """A function that trains for one epoch; `sizes` go to the net."""
    module = importlib.import_module(f"by_hand.gpu_{engine}")
    return module.Loop(lambda run, x: NETS[name](run, x, quick, **sizes), device, precision)
