"""One measurement in this process: a workload as one side runs it, printed as a line of JSON.

    python benchmarks/measure.py keras_front:torch mlp             CPU time a step, and so on
    python benchmarks/measure.py keras_front:torch mlp --profile   where the Python time of a fit goes

A side is `keras_front:<engine>`, `by_hand:<engine>`, `keras:<engine>` or
`tf_keras:tensorflow`. The process pins itself to one core before any engine starts its threads, and counts its own CPU
time: what else runs on the machine then disturbs the caches at most.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

MARK = "MEASURED "
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PREDICTING = ("onnxruntime",)  # engines that are not for training
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


def pin(core: int) -> None:
    os.environ.update(dict.fromkeys(THREADS, "1"), **QUIET)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def last_core() -> int:
    """The core that measurements are pinned to."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def environment() -> dict[str, str]:
    """The caller's, with one thread and without noise."""
    return {**os.environ, **dict.fromkeys(THREADS, "1"), **QUIET, "PYTHONWARNINGS": "ignore"}


def in_process(command: list[str], minutes: int = 15) -> Any:
    """What a measuring process printed after `MARK`, or a record with its `error`.

    Args:
        command: what to run; it pins itself to a core and prints one line of JSON.
        minutes: how long it may take.
    """
    try:
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60 * minutes)
    except subprocess.TimeoutExpired:
        return {"error": f"took more than {minutes} minutes"}
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return json.loads(line.removeprefix(MARK))
    return {"error": (done.stderr or done.stdout).strip()[-400:]}


class Side:
    """keras_front, Keras 3 and a loop by hand behind the same four calls."""

    def __init__(self, side: str, workload: Any):
        frontend, engine = side.split(":")
        self.named: dict[str, Any] = {} if frontend == "by_hand" else {"verbose": 0}
        if frontend == "by_hand":
            import by_hand

            self.model = by_hand.build(engine, workload)
        elif frontend == "keras_front":
            os.environ["KERAS_FRONT_BACKEND"] = engine
            import keras_front

            self.model = workload.build(keras_front)
        else:  # keras or tf_keras
            os.environ["KERAS_BACKEND"] = engine
            self.model = workload.build(importlib.import_module(frontend))
        self.evaluates = side != "keras:numpy"
        self.trains = self.evaluates and engine not in PREDICTING

    def fit(self, x: Any, y: Any, batch: int, epochs: int) -> list[float]:
        history = self.model.fit(x, y, batch_size=batch, epochs=epochs, **self.named)
        return list(getattr(history, "history", {"loss": history})["loss"])

    def evaluate(self, x: Any, y: Any, batch: int) -> None:
        self.model.evaluate(x, y, batch_size=batch, **self.named)

    def predict(self, x: Any, batch: int) -> None:
        self.model.predict(x, batch_size=batch, **self.named)

    def predict_one(self, x: Any) -> None:
        self.model.predict(x, **self.named)


def cpu_time(act: Callable[[], Any], repeats: int) -> list[float]:
    """CPU seconds of each call, after one that is not counted."""
    act()
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        act()
        seconds.append(time.process_time() - started)
    return seconds


def enough(act: Callable[[], Any], least: float, most: int) -> list[float]:
    """Repeat for `least` seconds of CPU time, at least three times and at most `most` times."""
    one = max(cpu_time(act, 1)[0], 1e-6)
    return cpu_time(act, int(min(max(least / one, 3), most)))


def per_step(seconds: list[float], steps: int) -> float:
    return statistics.median(seconds) / steps * 1e6


def throughput(side: Side, workload: Any, x: Any, y: Any, quick: bool) -> dict[str, Any]:
    """Microseconds of CPU a step of fit, evaluate and predict."""
    batch, steps, least = workload.batch, -(-len(x) // workload.batch), 0.6 if quick else 2.0
    found: dict[str, Any] = {}
    if side.trains:
        epochs = workload.epochs
        losses = side.fit(x, y, batch, -(-workload.warm // steps))
        seconds = enough(lambda: losses.extend(side.fit(x, y, batch, epochs)), 2 * least, 15)
        found["fit"] = per_step(seconds, epochs * steps)
        found["losses"] = [round(float(loss), 4) for loss in (losses[0], losses[-1])]
    if side.evaluates:
        found["evaluate"] = per_step(enough(lambda: side.evaluate(x, y, batch), least, 15), steps)
    found["predict"] = per_step(enough(lambda: side.predict(x, batch), least, 15), steps)
    return found


def latency(side: Side, x: Any, y: Any) -> dict[str, float]:
    """Microseconds of CPU of one train_on_batch and of one predict of a single row."""
    one = x[:1]
    found = {"predict_one": runs_of(lambda: side.predict_one(one))}
    if side.trains:
        found["train_on_batch"] = runs_of(lambda: side.model.train_on_batch(x, y))
    return found


def runs_of(act: Callable[[], Any]) -> float:
    """Microseconds of a call, from the median run of many calls; few, where one takes milliseconds."""
    calls = 100 if cpu_time(act, 1)[0] < 2e-3 else 3

    def run() -> None:
        for _ in range(calls):
            act()

    return statistics.median(enough(run, 0.5, 30)) / calls * 1e6


def growth(side: Side, x: Any, calls: int = 10_000) -> float:
    """Kilobytes by which the process grows over 10,000 predictions of one row, once it is warm."""
    for _ in range(calls // 5):
        side.predict_one(x)
    before = resident()
    for _ in range(calls):
        side.predict_one(x)
    return resident() - before


def resident() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def measure(arguments: Any, workload: Any) -> dict[str, Any]:
    side = Side(arguments.side, workload)
    if side.model is None:
        return {"skipped": "no loop by hand"}
    x, y = workload.data(workload.quick if arguments.quick else workload.samples)
    found = {} if arguments.growth else throughput(side, workload, x, y, arguments.quick)
    if workload.name == "tiny" and not arguments.growth:
        found.update(latency(side, x[: workload.batch], y[: workload.batch]))
    if arguments.growth and os.path.exists("/proc/self/statm"):
        found["growth_kb"] = growth(side, x[:1])
    return found


def profile(arguments: Any, workload: Any) -> None:
    """Print the Python calls of a step, a figure that no other process disturbs, and where they are."""
    import cProfile
    import pstats

    side = Side(arguments.side, workload)
    x, y = workload.data(workload.quick)
    acts = {
        "fit": lambda: side.fit(x, y, workload.batch, 1),
        "evaluate": lambda: side.evaluate(x, y, workload.batch),
        "predict": lambda: side.predict(x, workload.batch),
        "predict_one": lambda: side.predict_one(x[:1]),
        "train_on_batch": lambda: side.model.train_on_batch(x[: workload.batch], y[: workload.batch]),
    }
    act = acts[arguments.profile]
    for _ in range(3):
        act()
    recorder = cProfile.Profile(time.process_time)
    recorder.runcall(act)
    steps = len(x) // workload.batch if arguments.profile in ("fit", "evaluate", "predict") else 1
    found = pstats.Stats(recorder)
    print(f"{arguments.side} {workload.name} {arguments.profile}: {found.total_calls / steps:.1f} calls a step")
    found.sort_stats("tottime").print_stats(25)
    found.sort_stats("cumulative").print_stats(25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("side")
    parser.add_argument("workload")
    parser.add_argument("--quick", action="store_true", help="fewer samples, fewer repetitions")
    parser.add_argument("--growth", action="store_true", help="memory over 10,000 predictions instead of times")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--profile", nargs="?", const="fit", help="fit, evaluate, predict, predict_one, train_on_batch")
    arguments = parser.parse_args()
    pin(arguments.core)
    warnings.simplefilter("ignore")
    from workloads import WORKLOADS

    workload = WORKLOADS[arguments.workload]
    if arguments.profile:
        return profile(arguments, workload)
    print(MARK + json.dumps(measure(arguments, workload)))
    sys.stdout.flush()
    os._exit(0)  # engines take their time to leave


if __name__ == "__main__":
    main()
