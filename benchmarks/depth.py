"""Compile time and depth: part of `make bench`.

    python benchmarks/depth.py --quick
    python benchmarks/depth.py --nets residual --depths 200,1000 --engines torch

Nets of many small Dense layers are built, and make their first training step. The time of that step is ours (tracing,
differentiating, simplifying, writing Python and compiling it; on NumPy the planning of memory too) or the engine's
(autograd, XLA, the tracing of `jax.jit` and `tf.function`). Both should grow with the depth and no faster; `*` marks
what grows twice as fast. Every measurement is a fresh process pinned to one core, and the figure is CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import MARK, in_process, last_core, pin
from run import ENGINES, GUESTS, table

WIDTH = 16
DEPTHS = {"numpy": (125, 250, 500, 1000), "torch": (125, 250, 500, 1000)}
FEWER = (125, 250, 500)  # engines with a compiler take seconds
PARTS = ("build", "ours", "engine", "predict")


def plain(k: Any, depth: int) -> Any:
    layers = k.layers
    first = layers.Dense(WIDTH, activation="relu", input_shape=(WIDTH,))
    return k.models.Sequential([first, *(layers.Dense(WIDTH, activation="relu") for _ in range(depth - 1))])


def residual(k: Any, depth: int) -> Any:
    layers = k.layers
    inputs = x = layers.Input(shape=(WIDTH,))
    for _ in range(depth):
        x = layers.Add()([x, layers.Dense(WIDTH, activation="relu", kernel_initializer="zeros")(x)])
    return k.models.Model(inputs, x)


def unrolled(k: Any, depth: int) -> Any:
    """A recurrent cell called once for each step: one kernel, whose gradients are added up."""
    layers = k.layers
    inputs = x = layers.Input(shape=(WIDTH,))
    cell, join = layers.Dense(WIDTH, activation="tanh"), layers.Add()
    for _ in range(depth):
        x = cell(join([x, inputs]))
    return k.models.Model(inputs, x)


NETS: dict[str, Callable[[Any, int], Any]] = {"plain": plain, "residual": residual, "unrolled": unrolled}


# One measurement in this process ---------------------------------------------------------------------------------


class Clock:
    """CPU seconds spent inside of some functions; what they call of each other is counted once."""

    def __init__(self) -> None:
        self.spent, self._inside = 0.0, False

    @contextmanager
    def running(self) -> Iterator[None]:
        if self._inside:
            yield
            return
        self._inside, started = True, time.process_time()
        try:
            yield
        finally:
            self.spent, self._inside = self.spent + time.process_time() - started, False

    def watch(self, owner: Any, name: str) -> None:
        inner = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.running():
                return inner(*args, **kwargs)

        setattr(owner, name, timed)


def measure(engine: str, net: str, depth: int) -> dict[str, float]:
    os.environ["KERAS_FRONT_BACKEND"] = engine
    import numpy as np

    import keras_front as k
    from keras_front.backend import codegen, discovery, program

    x = np.random.default_rng(0).random((4, WIDTH), dtype="float32")
    small = NETS[net](k, 2)  # what is imported and compiled once for all models
    small.compile(loss="mse", optimizer="sgd")
    small.train_on_batch(x, x)
    small.predict(x, verbose=0)
    clock = Clock()
    clock.watch(program, "trace")
    clock.watch(codegen, "function_of")

    def seconds(act: Callable[[], Any]) -> tuple[Any, float]:
        started = time.process_time()
        return act(), time.process_time() - started

    model, build = seconds(lambda: NETS[net](k, depth))
    model.compile(loss="mse", optimizer="sgd")
    _, first = seconds(lambda: model.train_on_batch(x, x))
    ours = clock.spent if discovery.active().differentiates else first  # without an engine's compiler all is ours
    _, predict = seconds(lambda: model.predict(x, verbose=0))
    _, step = seconds(lambda: model.train_on_batch(x, x))
    return {"build": build, "ours": ours, "engine": max(first - ours, 0.0), "predict": predict, "step": step}


# The run -----------------------------------------------------------------------------------------------------------


def process(engine: str, net: str, depth: int, core: int) -> dict[str, Any]:
    return in_process(
        [sys.executable, str(Path(__file__).resolve()), "--one", engine, net, str(depth), "--core", str(core)]
    )


def row(
    net: str, engine: str, depth: int, found: dict[str, Any], before: tuple[int, dict[str, Any]] | None
) -> list[str]:
    cells = []
    for part in PARTS:
        steep = before is not None and found[part] > 0.3 and found[part] * before[0] > 2 * before[1][part] * depth
        cells.append(f"{found[part]:.2f}{'*' * steep}")
    return [net, engine, str(depth), *cells, f"{found['step'] * 1e3:.1f}"]


def report(nets: list[str], engines: list[str], depths: Callable[[str], tuple[int, ...]], core: int) -> None:
    rows, failed = [], []
    for net in nets:
        for engine in engines:
            before = None
            for depth in depths(engine):
                found = process(engine, net, depth, core)
                if "error" in found:
                    failed.append(f"{engine} {net} {depth}: {found['error']}")
                    continue
                rows.append(row(net, engine, depth, found, before))
                before = depth, found
    print("\nCPU seconds to build a model, of its first training step (ours and the engine's), of its first `predict`")
    print("(* more than twice as much a layer as at the depth before), and milliseconds of the second step:\n")
    head = ["net", "backend", "layers", "build", "step: ours", "step: engine", "predict", "again ms"]
    print(table(head, rows), *failed, sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="residual nets of two depths")
    parser.add_argument("--nets", default=",".join(NETS))
    parser.add_argument("--engines", default=",".join([*ENGINES, *GUESTS]))
    parser.add_argument("--depths", help="numbers of layers, the same on every engine")
    parser.add_argument("--core", type=int)
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "NET", "DEPTH"), help="measure in this process")
    arguments = parser.parse_args()
    core = last_core() if arguments.core is None else arguments.core
    if arguments.one:
        pin(core)
        engine, net, depth = arguments.one
        print(MARK + json.dumps(measure(engine, net, int(depth))))
        sys.stdout.flush()
        os._exit(0)  # engines take their time to leave
    chosen = arguments.depths and tuple(map(int, arguments.depths.split(",")))
    nets = ["residual"] if arguments.quick else arguments.nets.split(",")

    def depths(engine: str) -> tuple[int, ...]:
        return chosen or ((100, 200) if arguments.quick else DEPTHS.get(engine, FEWER))

    report(nets, arguments.engines.split(","), depths, core)


if __name__ == "__main__":
    main()
