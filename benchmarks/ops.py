"""What K itself costs: part of `make bench`.

    python benchmarks/ops.py --quick
    python benchmarks/ops.py --parts dispatch,programs --engines torch

Four questions, each answered in a fresh process pinned to one core, in CPU time, the candidates in turn:

dispatch   an eager op of K above the engine's own call: 0.7 microseconds are allowed
programs   tracing, differentiating and writing the training step of a ResNet50-sized net: 2 seconds are allowed
numpy      ops of K on NumPy beside the NumPy expression that a user would write: none slower
kernels    convolution, pooling, recurrence and batch normalization on NumPy beside torch on the same core
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import MARK, in_process, last_core, pin
from run import ENGINES, table

HERE = Path(__file__).resolve().parent
PARTS = ("dispatch", "programs", "numpy", "kernels")
DISPATCH_US, PROGRAM_S = 0.7, 2.0
SIDES = (16, 1024)  # matrices of the NumPy part: what a call costs, and what an element costs
NOISE = 0.93  # of large arrays; below it an op counts as slower


# In the process that measures ----------------------------------------------------------------------------------


def engine_calls(engine: str) -> dict[str, Callable[..., Any]]:
    """The engine's own way to say what K says, by the name of the op."""
    if engine == "numpy":
        import numpy as np

        return {"add": np.add, "exp": np.exp, "matmul": np.matmul, "sum": lambda x: np.sum(x, -1),
                "reshape": lambda x: np.reshape(x, (4, 16))}  # fmt: skip
    if engine == "torch":
        import torch

        return {"add": torch.add, "exp": torch.exp, "matmul": torch.matmul, "sum": lambda x: torch.sum(x, -1),
                "reshape": lambda x: torch.reshape(x, (4, 16))}  # fmt: skip
    if engine == "jax":
        import jax.numpy as jnp

        return {"add": jnp.add, "exp": jnp.exp, "matmul": jnp.matmul, "sum": lambda x: jnp.sum(x, -1),
                "reshape": lambda x: jnp.reshape(x, (4, 16))}  # fmt: skip
    import tensorflow as tf

    return {"add": tf.add, "exp": tf.exp, "matmul": tf.matmul, "sum": lambda x: tf.reduce_sum(x, -1),
            "reshape": lambda x: tf.reshape(x, (4, 16))}  # fmt: skip


def dispatch(engine: str, rounds: int) -> list[dict[str, Any]]:
    import numpy as np
    from timing import compared

    from keras_front import backend as K

    x, y = (K.constant(np.random.default_rng(i).normal(size=(8, 8)), "float32") for i in range(2))
    ours = {"add": K.add, "exp": K.exp, "matmul": K.matmul, "sum": lambda x: K.sum(x, -1),
            "reshape": lambda x: K.reshape(x, (4, 16))}  # fmt: skip
    found = []
    for name, own in engine_calls(engine).items():
        args = (x, y) if name in ("add", "matmul") else (x,)
        pair = compared(lambda f=ours[name], a=args: f(*a), lambda f=own, a=args: f(*a), 4 * rounds)
        found.append({"name": name, "us": pair.ours, "engine us": pair.other, "above us": pair.excess})
    return found


def residual_net(k: Any, width: int = 8) -> Any:
    """ResNet50's graph with narrow layers: 53 convolutions, 53 batch normalizations, 16 blocks."""
    layers = k.layers

    def convolved(x: Any, filters: int, size: int = 1, stride: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    image = layers.Input(shape=(32, 32, 3))
    x = layers.Activation("relu")(convolved(image, width, 7, 2))
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            filters, stride = width * 2**stage, 2 if stage and not block else 1
            short = x if block else convolved(x, 4 * filters, 1, stride)
            x = layers.Activation("relu")(convolved(x, filters, 1, stride))
            x = layers.Activation("relu")(convolved(x, filters, 3))
            x = layers.Activation("relu")(layers.Add()([convolved(x, 4 * filters), short]))
    x = layers.GlobalAveragePooling2D()(x)
    model = k.models.Model(image, layers.Dense(10, activation="softmax")(x))
    model.compile(loss="categorical_crossentropy", optimizer="sgd")
    return model


def programs(engine: str, rounds: int) -> list[dict[str, Any]]:
    """CPU seconds to make the step: all that `fit` does before the engine's compiler or the first step runs."""
    import numpy as np

    import keras_front
    from keras_front.backend import codegen, discovery, program

    found, spent = [], []
    x, y = np.zeros((4, 32, 32, 3), "float32"), np.eye(10, dtype="float32")[:4]
    traced, compiled = program.trace, type(discovery.active()).compile_program

    def timed(*args: Any, **named: Any) -> Any:
        started = time.process_time()
        result = traced(*args, **named)
        source = codegen.source_of(result)
        spent.append(time.process_time() - started)
        lines.append(source.count("\n"))
        return result

    def timed_compile(self: Any, made: Any) -> Any:
        started = time.process_time()
        result = compiled(self, made)
        if self.name == "numpy":  # planned for these shapes, which is done at the first call elsewhere
            spent.append(time.process_time() - started)
        return result

    program.trace, type(discovery.active()).compile_program = timed, timed_compile
    for _ in range(max(1, rounds // 4)):
        lines: list[int] = []
        spent.clear()
        started = time.process_time()
        model = residual_net(keras_front)
        built = time.process_time() - started
        started = time.process_time()
        model.train_on_batch(x, y)
        first = time.process_time() - started
        found.append((built, sum(spent), first, max(lines)))
    medians = [statistics.median(column) for column in zip(*found, strict=True)]
    return [dict(zip(("build s", "program s", "first step s", "lines"), medians, strict=True))]


def numpy_ops(engine: str, rounds: int) -> list[dict[str, Any]]:
    import numpy as np
    import ops_numpy
    from timing import compared

    from keras_front import backend as K

    found = []
    for side in SIDES:
        arrays = ops_numpy.arrays(side)
        for name, ours, plain, names in ops_numpy.cases(K):
            args = [arrays[key] for key in names]
            np.testing.assert_allclose(np.asarray(ours(*args), float), plain(*args), rtol=1e-3, atol=1e-3)
            pair = compared(lambda f=ours, a=args: f(*a), lambda f=plain, a=args: f(*a), rounds)
            found.append(
                {"name": name, "side": side, "us": pair.ours, "numpy us": pair.other, "speed": pair.best,
                 "above us": pair.excess}
            )  # fmt: skip
    return found


def kernels(engine: str, rounds: int) -> list[dict[str, Any]]:
    import ops_kernels

    return ops_kernels.compare(rounds)


def measured(part: str, engine: str, rounds: int) -> list[dict[str, Any]]:
    os.environ["KERAS_FRONT_BACKEND"] = engine
    return {"dispatch": dispatch, "programs": programs, "numpy": numpy_ops, "kernels": kernels}[part](engine, rounds)


# In the process that asks --------------------------------------------------------------------------------------


def asked(part: str, engine: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One part on one engine in a process of its own; its figures also go to the file of results."""
    command = [sys.executable, str(Path(__file__)), "--measure", part, "--engines", engine, "--core", str(last_core())]
    found = in_process(command + ["--rounds", str(arguments.rounds)])
    if isinstance(found, dict):
        print(f"\nFAILED {part} on {engine}: {found['error']}")
        return []
    with Path(arguments.out).open("a") as file:
        file.writelines(json.dumps({"part": part, "engine": engine, **row}) + "\n" for row in found)
    return found


def star(value: float, late: bool, digits: int = 2) -> str:
    return f"{value:.{digits}f}{'*' * late}"


def print_dispatch(found: dict[str, list[dict[str, Any]]]) -> None:
    print(f"\nEager dispatch, microseconds above the engine's own call (* above {DISPATCH_US}):\n")
    names = [row["name"] for row in next(iter(found.values()), [])]
    rows = [
        [engine, *(star(r["above us"], r["above us"] > DISPATCH_US) + f" on {r['engine us']:.1f}" for r in rows)]
        for engine, rows in found.items()
        if rows
    ]
    print(table(["backend", *names], rows))


def print_programs(found: dict[str, list[dict[str, Any]]]) -> None:
    print(f"\nA ResNet50-sized training step, CPU seconds (* above {PROGRAM_S:.0f}):\n")
    head = ["backend", "build the model", "trace, differentiate, write", "the whole first step", "lines"]
    rows = [
        [engine, star(r["build s"], False), star(r["program s"], r["program s"] > PROGRAM_S),
         star(r["first step s"], False), f"{r['lines']:.0f}"]
        for engine, rows in found.items() for r in rows
    ]  # fmt: skip
    print(table(head, rows))


def print_numpy(found: dict[str, list[dict[str, Any]]]) -> None:
    rows = found.get("numpy", [])
    small, large = ([r for r in rows if r["side"] == side] for side in SIDES)
    late = [r for r in small if r["above us"] > DISPATCH_US and r["speed"] < 1]
    slow = [r for r in large if r["speed"] < NOISE and r["above us"] > 5 * DISPATCH_US]
    print(f"\nOps on NumPy beside the expression in NumPy: {len(small)} ops.\n")
    print(f"16 x 16: {len(late)} cost more than {DISPATCH_US} us above it: " + listed(late, "above us", "us"))
    print(f"1024 x 1024: {len(slow)} are slower (below {NOISE}): " + listed(slow, "speed", ""))


def listed(rows: list[dict[str, Any]], key: str, unit: str) -> str:
    rows = sorted(rows, key=lambda r: r["speed"])
    return ", ".join(f"{r['name']} {r[key]:.2f}{' ' * bool(unit)}{unit}" for r in rows) or "none"


def print_kernels(found: dict[str, list[dict[str, Any]]]) -> None:
    print("\nNumPy's kernels beside torch on one core (speed; microseconds of ours / torch's):\n")
    rows = [
        [r["name"], star(r["forward"], False), f"{r['us']:.0f} / {r['torch us']:.0f}", star(r["gradient"], False),
         f"{r['gradient us']:.0f} / {r['gradient torch us']:.0f}"]
        for r in found.get("numpy", [])
    ]  # fmt: skip
    print(table(["kernel", "forward", "us", "with gradient", "us"], rows))


PRINT = {"dispatch": print_dispatch, "programs": print_programs, "numpy": print_numpy, "kernels": print_kernels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="how often each candidate is measured (quick: 5, otherwise 15)")
    parser.add_argument("--out", default=str(HERE / "results" / time.strftime("%Y%m%d-%H%M%S-ops.jsonl")))
    parser.add_argument("--measure", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (5 if arguments.quick else 15)
    if arguments.measure:
        pin(arguments.core)
        print(MARK + json.dumps(measured(arguments.measure, arguments.engines, arguments.rounds)), flush=True)
        os._exit(0)  # engines take their time to leave
    Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
    started = time.time()
    for part in arguments.parts.split(","):
        engines = ["numpy"] if part in ("numpy", "kernels") else arguments.engines.split(",")
        PRINT[part]({engine: asked(part, engine, arguments) for engine in engines})
    print(f"{time.time() - started:.0f} s; every figure is in {arguments.out}")


if __name__ == "__main__":
    main()
