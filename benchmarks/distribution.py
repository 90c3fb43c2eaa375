"""`benchmarks/distribution.py [--backend torch | tensorflow] [--processes N]`: what a step costs in several processes.

In the same processes, in turns: `fit` under `DataParallel`, the same model alone on a batch as large as the part of one
process (what a step would cost if talking were free), and on torch the same by hand, alone and as
`DistributedDataParallel`. Batch normalization uses the statistics of each part in all of them. Milliseconds a step on
the clock, the shortest of several turns: processes of one machine share its cores, perhaps with others.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

NUMBER = "KERAS_DISTRIBUTION_PROCESS_ID"
PART, STEPS, TURNS = 32, 20, 7  # samples of a step in each process, steps of a turn, turns


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="torch", choices=("torch", "tensorflow"))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if NUMBER not in os.environ:
        return launch(options.processes)
    measure(options.backend, options.processes)
    return 0


def launch(processes: int) -> int:
    from keras_front.backend import launching

    shared = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": ",".join(f"127.0.0.1:{p}" for p in launching.free_ports(processes)),
        "KERAS_DISTRIBUTION_NUM_PROCESSES": str(processes),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    own = [{**shared, NUMBER: str(rank)} for rank in range(processes)]
    return launching.run([sys.executable, *sys.argv], own)


def measure(backend: str, processes: int) -> None:
    import keras_front
    from keras_front import distribution
    from keras_front.backend.placement import active_placement

    keras_front.set_backend(backend)
    distribution.initialize()
    first = os.environ[NUMBER] == "0"
    set_threads(backend)
    with distribution.DataParallel().scope():
        wait_for_all = active_placement().wait_for_all
    if first:
        print(f"{backend}, {processes} processes, {PART} samples each; ms a step")
        columns = ["by hand alone", "DistributedDataParallel"] if backend == "torch" else []
        print("| model | weights |", " | ".join(["alone", "DataParallel", *columns]), "|")
        print("|---|" + "---|" * (3 + len(columns)))
    for name, layers, shape in models():
        runs = {"alone": fit(layers, shape, 1), "DataParallel": fit(layers, shape, processes)}
        if backend == "torch":
            runs |= {"by hand alone": by_hand(name, shape, False), "together": by_hand(name, shape, True)}
        times: dict[str, list[float]] = {key: [] for key in runs}
        for turn in range(TURNS + 1):
            for key, run in runs.items():
                wait_for_all()
                started = time.perf_counter()
                run(STEPS)
                if turn:  # the first one compiles
                    times[key].append((time.perf_counter() - started) / STEPS * 1e3)
        if first:
            row = [f"{min(found):.2f}" for found in times.values()]
            print(f"| {name} | {runs['alone'].weights:,} | {' | '.join(row)} |", flush=True)


def set_threads(backend: str) -> None:
    """One thread each: the processes share the cores."""
    if backend == "torch":
        import torch

        torch.set_num_threads(1)


def models() -> list[tuple[str, Callable[[], Any], tuple[int, ...]]]:
    from keras_front import layers as L

    def mlp(width: int, depth: int) -> Any:
        return lambda: [*(L.Dense(width, activation="relu") for _ in range(depth)), L.Dense(10)]

    def convnet() -> Any:
        blocks = [
            (L.Conv2D(n, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D()) for n in (32, 64)
        ]
        return [*(layer for block in blocks for layer in block), L.Flatten(), L.Dense(10)]

    return [
        ("mlp of 2 x 64", mlp(64, 2), (784,)),
        ("mlp of 2 x 1024", mlp(1024, 2), (784,)),
        ("convnet of 16 x 16", convnet, (16, 16, 3)),
    ]


class Run:
    """Some steps of one kind."""

    def __init__(self, steps: Callable[[int], None], weights: int):
        self.steps, self.weights = steps, weights

    def __call__(self, count: int) -> None:
        self.steps(count)


def data(shape: tuple[int, ...], samples: int) -> tuple[Any, Any]:
    import numpy as np

    random = np.random.default_rng(0)
    return random.normal(size=(samples, *shape)).astype("float32"), random.normal(size=(samples, 10)).astype("float32")


def fit(layers: Callable[[], Any], shape: tuple[int, ...], processes: int) -> Run:
    """`fit` of keras_front, alone or under `DataParallel`."""
    from contextlib import nullcontext

    from keras_front import distribution, models

    together = distribution.DataParallel(sync_batch_statistics=False) if processes > 1 else None
    size = PART * processes
    x, y = data(shape, STEPS * size)
    with together.scope() if together else nullcontext():
        model = models.Sequential(layers())
        model.build((None, *shape))
        model.compile("adam", "mse")

    def steps(count: int) -> None:
        with together.scope() if together else nullcontext():
            model.fit(x[: count * size], y[: count * size], batch_size=size, epochs=1, verbose=0)

    return Run(steps, model.count_params())


def by_hand(name: str, shape: tuple[int, ...], together: bool) -> Run:
    """A loop as one writes it for torch, alone or with `DistributedDataParallel`."""
    import torch
    from torch import nn

    def mlp(width: int) -> Any:
        sizes = [*shape, width, width]
        dense = [part for i in (0, 1) for part in (nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU())]
        return nn.Sequential(*dense, nn.Linear(width, 10))

    def convnet() -> Any:
        parts: list[Any] = []
        for before, after in ((3, 32), (32, 64)):
            parts += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*parts, nn.Flatten(), nn.Linear(1024, 10)).to(memory_format=torch.channels_last)

    net = convnet() if len(shape) > 1 else mlp(int(name.split()[-1]))
    x, y = map(torch.from_numpy, data(shape, STEPS * PART))
    if len(shape) > 1:
        x = x.permute(0, 3, 1, 2)
    model = nn.parallel.DistributedDataParallel(net) if together else net
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def steps(count: int) -> None:
        order = torch.randperm(len(x))
        for i in range(count):
            rows = order[i * PART : (i + 1) * PART]
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return Run(steps, sum(p.numel() for p in net.parameters()))


if __name__ == "__main__":
    sys.exit(main())
