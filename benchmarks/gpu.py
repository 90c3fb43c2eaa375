"""What only a GPU can show, in under eight minutes: conformance on it, and `fit` against the loop by hand.

    python benchmarks/gpu.py                                 everything, on the engines that are installed and see a GPU
    python benchmarks/gpu.py --device cpu --quick            the same script on a CPU, small, to see that it runs
    python benchmarks/gpu.py --engines torch --parts speed

Parts: `conformance` runs the checks of the published suite (value, gradient, edges, ...) for one op of each file and
those with kernels of their own; `compiled` trains a net plainly, with `jit_compile=True` and as CUDA graphs, and holds
the losses together; `speed` prints samples a second of `fit` and of the loop by hand (`by_hand/gpu.py`), in float32 and
in bfloat16 (the policy `mixed_bfloat16`, autocast by hand), for mlp, cnn, resnet50 and a transformer of four blocks.

Each engine runs in two processes, one for what compares numbers and one for speed, which stop beginning new work when
their share of the time is over. GPUs multiply matrices of float32 with 10 bits (TF32) where an engine lets them: it is
off where numbers are compared, and as the engine has it where speed is measured. Times are wall times: a GPU works
while the host waits. The last line is JSON with every figure.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

MARK = "GPU "
MINUTES = 7.0  # of 8: a process may take 10 seconds more for what it has begun
GRACE = 10
PARTS = ("conformance", "compiled", "speed")
EXACT = {"NVIDIA_TF32_OVERRIDE": "0", "JAX_DEFAULT_MATMUL_PRECISION": "highest"}  # XLA has kernels of its own
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
# Ops whose kernels differ by device, beside the first of every file of declarations.
OPS = (
    "conv max_pool average_pool conv_input_gradient conv_kernel_gradient matmul gather scatter_add softmax lstm gru "
    "normalize_batch_in_training dot_product_attention adam_update sgd_update rmsprop_update cumsum argsort where cast "
    "strided_slice take_along_axis keep_mask fft cholesky"
).split()


def covering() -> list[str]:
    """Names of ops: those of `OPS`, and the first of each file that declares some."""
    from keras_front.backend.op import OPS as DECLARED
    from keras_front.testing import conformance

    table, first = conformance.table(), {}
    for name in table:
        first.setdefault(getattr(DECLARED[name].function, "__module__", name), name)
    return [name for name in dict.fromkeys([*OPS, *first.values()]) if name in table]


def conform(until: float) -> dict[str, Any]:
    """How many checks passed, and what failed."""
    from keras_front.testing import conformance

    passed, failed = 0, []
    for op in covering():
        for name, check in conformance.CHECKS.items():
            if time.time() > until:
                return {"passed": passed, "failed": failed, "stopped at": op}
            try:
                check(op)
                passed += 1
            except Exception as error:
                failed.append(f"{op} {name}: {type(error).__name__}: {str(error).strip().splitlines()[:1]}")
    return {"passed": passed, "failed": failed}


def compiled(until: float) -> dict[str, Any]:
    """The losses of a small net, trained in each way from the same start, and how far they are from the plain one.

    It has noise, except on TensorFlow, whose generator gives other floats under XLA (integers are the same).
    """
    from keras_front import backend, layers, models
    from keras_front.utils import set_random_seed

    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(256, 12, 12, 1)).astype("float32"), draw.normal(size=(256, 3)).astype("float32")
    found: dict[str, Any] = {}
    for how in ("auto", True, "cuda_graphs"):
        if time.time() > until:
            break
        set_random_seed(1)
        net = [layers.Conv2D(8, 3, activation="relu", use_bias=False, input_shape=x.shape[1:]), layers.Flatten()]
        noise = [] if backend.backend() == "tensorflow" else [layers.Dropout(0.5)]
        model = models.Sequential([*net, *noise, layers.Dense(3)])
        model.compile("adam", "mse", jit_compile=how)
        found[str(how)] = model.fit(x, y, batch_size=32, epochs=3, shuffle=False, verbose=0).history["loss"]
    plain = found["auto"]
    found["distance"] = max(abs(a - b) for losses in found.values() for a, b in zip(losses, plain, strict=True))
    return found


def speeds(given: argparse.Namespace, until: float) -> Iterator[dict[str, Any]]:
    """Samples a second of both sides, for each net and precision."""
    from gpu_nets import NETS

    for name in NETS:
        for precision in PRECISIONS:
            if time.time() > until:
                return
            try:
                yield {"net": name, "precision": precision, **both_sides(given, name, precision)}
            except Exception as error:
                yield {"net": name, "precision": precision, "error": f"{type(error).__name__}: {str(error)[:300]}"}


def both_sides(given: argparse.Namespace, name: str, precision: str) -> dict[str, float]:
    """Samples a second of `fit`, of the loop by hand, and their ratio."""
    from by_hand import gpu as by_hand
    from gpu_nets import NETS

    import keras_front
    from keras_front import mixed_precision

    net, quick = NETS[name], given.quick
    x, y = net.data(net.batch * (2 if quick else 16), quick)
    mixed_precision.set_global_policy(PRECISIONS[precision])
    try:
        model = net.build(keras_front, quick)
        fit = rate(lambda: model.fit(x, y, batch_size=net.batch, verbose=0), len(x), quick)
    finally:
        mixed_precision.set_global_policy(None)
    loop = by_hand.loop(given.one, name, given.device, precision, quick)
    other = rate(lambda: loop(x, y, net.batch), len(x), quick)
    return {"fit": fit, "by hand": other, "speed": fit / other}


def rate(act: Callable[[], Any], samples: int, quick: bool) -> float:
    """Samples a second: the best of some turns, after one that compiles."""
    act()
    turns = []
    for _ in range(1 if quick else 3):
        started = time.perf_counter()
        act()
        turns.append(time.perf_counter() - started)
    return samples / min(turns)


# The process of an engine ------------------------------------------------------------------------------------------


def say(found: dict[str, Any]) -> None:
    """Print what is known by now: the last line counts, if the process is stopped."""
    print(MARK + json.dumps(found, default=float), flush=True)


def run(given: argparse.Namespace) -> dict[str, Any]:
    from keras_front.backend import discovery

    found: dict[str, Any] = {"engine": given.one, "device": given.device}
    began = time.time()

    def until(share: float) -> float:
        return began + given.seconds * share

    with discovery.device(given.device):
        if "conformance" in given.parts:
            found["conformance"] = conform(until(0.6))
            say(found)
        if "compiled" in given.parts:
            found["compiled"] = compiled(until(0.95))
        if "speed" in given.parts:
            found["speed"] = []
            for row in speeds(given, until(0.95)):
                found["speed"].append(row)
                say(found)
    found["seconds"] = time.time() - began
    return found


def measured(given: argparse.Namespace, engine: str, seconds: float) -> dict[str, Any]:
    """What the processes of an engine found, or its error."""
    speed, exact = [part for part in given.parts if part == "speed"], [part for part in given.parts if part != "speed"]
    shares = [(parts, extra) for parts, extra in ((exact, EXACT), (speed, {})) if parts]
    found: dict[str, Any] = {}
    for parts, extra in shares:
        one = in_a_process(given, engine, parts, seconds / len(shares), extra)
        found = {**found, **one, "seconds": found.get("seconds", 0.0) + one.get("seconds", 0.0)}
    return found


def in_a_process(
    given: argparse.Namespace, engine: str, parts: list[str], seconds: float, environment: dict[str, str]
) -> dict[str, Any]:
    """What one process found of some parts, or its error."""
    command = [sys.executable, __file__, "--one", engine, "--seconds", str(seconds), "--device", given.device]
    command += ["--parts", ",".join(parts), *(["--quick"] if given.quick else [])]
    extra = {"KERAS_FRONT_BACKEND": engine, "TF_CPP_MIN_LOG_LEVEL": "3", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    extra |= environment
    try:
        done = subprocess.run(command, env={**os.environ, **extra}, capture_output=True, timeout=seconds + GRACE)
        text, trouble = done.stdout, done.stderr.decode().strip()[-600:]
    except subprocess.TimeoutExpired as error:
        text, trouble = error.stdout or b"", f"stopped after {seconds + GRACE:.0f} seconds"
    lines = [line for line in text.decode().splitlines() if line.startswith(MARK)]
    return json.loads(lines[-1].removeprefix(MARK)) if lines else {"engine": engine, "error": trouble}


# The report ----------------------------------------------------------------------------------------------------------


def report(found: list[dict[str, Any]]) -> None:
    print("\n| engine | checks passed | failed | compiled, largest distance of losses |\n|---|---|---|---|")
    for one in found:
        checks, losses = one.get("conformance", {}), one.get("compiled", {})
        failed = len(checks.get("failed", []))
        print(f"| {one['engine']} | {checks.get('passed', '-')} | {failed} | {losses.get('distance', '-')} |")
    print("\n| engine | net | precision | fit, samples/s | by hand | fit against by hand |\n|---|---|---|---|---|---|")
    for one in found:
        for row in one.get("speed", []):
            cells = [f"{row[key]:.3g}" if key in row else "-" for key in ("fit", "by hand", "speed")]
            print(f"| {one['engine']} | {row['net']} | {row['precision']} | {' | '.join(cells)} |")
    for one in found:
        errors = [f"{row['net']} {row['precision']}: {row['error']}" for row in one.get("speed", []) if "error" in row]
        for failure in [*one.get("conformance", {}).get("failed", []), *errors, *filter(None, [one.get("error")])]:
            print(f"FAILED {one['engine']}: {failure}")
    print(MARK + json.dumps(found))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", help="by default those of torch, jax and tensorflow that are installed")
    parser.add_argument("--device", default="gpu")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small nets and few steps")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=60.0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.parts = given.parts.split(",")
    return given


def main() -> None:
    given = parsed()
    if given.one:
        say(run(given))
        os._exit(0)  # engines take their time to leave
    installed = [name for name in ("torch", "jax", "tensorflow") if importlib.util.find_spec(name)]
    engines = given.engines.split(",") if given.engines else installed
    report([measured(given, engine, 60 * given.minutes / len(engines)) for engine in engines])


if __name__ == "__main__":
    main()
