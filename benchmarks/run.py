"""`make bench`: keras_front against a loop written by hand in the same engine, and against Keras 3 where it is.

    python benchmarks/run.py --quick
    python benchmarks/run.py --engines torch --workloads mlp,cnn --rounds 5
    python benchmarks/run.py --keras /path/to/an/environment/with/keras/bin/python

Method: every measurement is a fresh process pinned to one core, and the figure is CPU time a step. The sides
take turns (by hand, keras_front, by hand, keras_front ...); a ratio is the median of the ratios of neighbours.
Ratios are speeds: 1 is as fast as by hand, 2 twice as fast. docs/benchmarks.md says how to read them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measure import PREDICTING, environment, in_process, last_core
from workloads import QUICK as QUICK_WORKLOADS
from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent
ENGINES = ("numpy", "torch", "jax", "tensorflow", "onnxruntime")
GUESTS = {"pytensor": "numpy"}  # engines in which no loop is written by hand, and the one whose loop is their measure
VERBS = ("fit", "evaluate", "predict")
LATENCIES = {"predict_one": 40, "train_on_batch": 100}  # microseconds allowed on NumPy
BY_HAND, KERAS, KERAS_SMALL = 0.95, 1.2, 3.0  # speeds that are wanted against each
IMPORT_MS = 60  # above NumPy
GROWTH_KB = 1024  # an allocator's noise; a leak of 0.1 KB a call would show

Found = dict[str, Any]


class Bench:
    """The sides in turn, and every result as it comes."""

    def __init__(self, arguments: argparse.Namespace):
        self.quick, self.keras, self.rounds = arguments.quick, arguments.keras, arguments.rounds
        self.core = last_core()
        self.out = Path(arguments.out)
        self.found: dict[tuple[str, str], list[Found]] = {}

    def sides(self, engine: str) -> list[str]:
        sides = [f"by_hand:{GUESTS.get(engine, engine)}", f"keras_front:{engine}"]
        return [*sides, f"keras:{engine}"] if self.keras and engine not in (*GUESTS, *PREDICTING) else sides

    def cycle(self, engine: str, workload: str) -> None:
        """Measure one workload on one engine: each side in turn, `rounds` times."""
        for _ in range(self.rounds):
            for side in self.sides(engine):
                found = self.process(side, workload)
                place = f"{side.partition(':')[0]}:{engine}"  # of the engine whose turn it is
                self.found.setdefault((place, workload), []).append(found)
                with self.out.open("a") as file:
                    file.write(json.dumps({"side": side, "workload": workload, **found}) + "\n")

    def process(self, side: str, workload: str, *options: str) -> Found:
        python = self.keras if side.startswith("keras:") else sys.executable
        command = [python, str(HERE / "measure.py"), side, workload, "--core", str(self.core), *options]
        return in_process(command + ["--quick"] * self.quick)


# Ratios and tables ---------------------------------------------------------------------------------------------


def speed(rounds: list[Found], limits: list[Found], key: str) -> float | None:
    """The median ratio of neighbours: how fast, where the limit is 1."""
    ratios = [b[key] / a[key] for a, b in zip(rounds, limits, strict=False) if key in a and key in b]
    return statistics.median(ratios) if ratios else None


def typical(rounds: list[Found], key: str) -> float | None:
    values = [found[key] for found in rounds if key in found]
    return statistics.median(values) if values else None


def marked(ratio: float | None, target: float) -> str:
    """The ratio, with * where it misses its target."""
    return "-" if ratio is None else f"{ratio:.2f}{'' if ratio >= target else '*'}"


def plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if i else "-") for i, width in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def throughput_table(bench: Bench, workloads: list[str], engines: list[str], keras: bool) -> str:
    against, target = ("Keras 3", KERAS) if keras else ("by hand", BY_HAND)
    head = ["workload", "backend", *VERBS, *(f"{verb} us" for verb in VERBS), *(f"{against} {verb}" for verb in VERBS)]
    rows = []
    for workload in workloads:
        wanted = KERAS_SMALL if keras and WORKLOADS[workload].small else target
        for engine in engines:
            limit = f"{'keras' if keras else 'by_hand'}:{engine}"
            ours, limits = bench.found[f"keras_front:{engine}", workload], bench.found.get((limit, workload), [])
            ratios = [marked(speed(ours, limits, verb), wanted) for verb in VERBS]
            own, other = [[plain(typical(r, verb)) for verb in VERBS] for r in (ours, limits)]
            rows.append([workload, engine, *ratios, *own, *other])
    return table(head, rows)


def latency_table(bench: Bench, engines: list[str]) -> str:
    head = [
        "tiny, us a call",
        *(f"{key} {side}" for key in LATENCIES for side in ("keras_front", "by hand", "Keras 3")),
    ]
    rows = []
    for engine in engines:
        cells = []
        for key, target in LATENCIES.items():
            for side in ("keras_front", "by_hand", "keras"):
                value = typical(bench.found.get((f"{side}:{engine}", "tiny"), []), key)
                late = value is not None and (side, engine) == ("keras_front", "numpy") and value >= target
                cells.append(plain(value) + "*" * late)
        rows.append([engine, *cells])
    return table(head, rows)


def errors(bench: Bench) -> list[str]:
    return [
        f"{side} {workload}: {found['error']}"
        for (side, workload), rounds in bench.found.items()
        for found in rounds
        if "error" in found
    ]


# Imports and memory --------------------------------------------------------------------------------------------

IMPORT = """
import sys, time
import numpy
started = time.process_time()
import keras_front
bare = time.process_time() - started
from keras_front import callbacks, layers, losses, metrics, models, optimizers
spent = time.process_time() - started
print(bare * 1000, spent * 1000, *sorted({"h5py", "torch", "jax", "tensorflow"} & set(sys.modules)))
"""


def import_line(rounds: int) -> str:
    """What keras_front costs above `import numpy`: CPU milliseconds, the median of fresh processes."""
    lines = [importing() for _ in range(rounds + 1)][1:]  # the first one may have had to compile
    bare, spent = (statistics.median(float(line[i]) for line in lines) for i in (0, 1))
    late, heavy = "" if spent < IMPORT_MS else f" (* {IMPORT_MS} are allowed)", lines[0][2:]
    loaded = f"; loads {', '.join(heavy)} (* not allowed)" if heavy else "; no engine and no h5py is loaded"
    return (
        f"CPU ms above import numpy: import keras_front {bare:.0f}, with models, layers ... {spent:.0f}{late}{loaded}."
    )


def importing() -> list[str]:
    command = [sys.executable, "-c", IMPORT]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout.split()


def growth_line(bench: Bench, engines: list[str]) -> str:
    cells = []
    for engine in engines:
        grown = bench.process(f"keras_front:{engine}", "tiny", "--growth").get("growth_kb")
        cells.append(f"{engine} " + ("-" if grown is None else f"{grown:.0f} KB{'*' * (grown > GROWTH_KB)}"))
    return "Memory growth over 10,000 calls of predict: " + ", ".join(cells) + "."


# The run -------------------------------------------------------------------------------------------------------


def report(bench: Bench, workloads: list[str], engines: list[str]) -> None:
    print("\nSpeed against a loop by hand in the same engine (* below 0.95), then microseconds of CPU a step:\n")
    print(throughput_table(bench, workloads, engines, keras=False))
    if bench.keras:
        print(f"\nSpeed against Keras 3 on the same engine (* below {KERAS}, on the small models {KERAS_SMALL}):\n")
        print(throughput_table(bench, workloads, engines, keras=True))
    if "tiny" in workloads:
        print("\nLatency (* above 40 and 100 us on NumPy):\n")
        print(latency_table(bench, engines))
    for line in errors(bench):
        print("\nFAILED", line)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{', '.join(QUICK_WORKLOADS)}; one round, fewer samples")
    parser.add_argument("--engines", default=",".join([*ENGINES, *GUESTS]))
    parser.add_argument("--workloads", help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, help="how often each side is measured (quick: 1, otherwise 3)")
    parser.add_argument("--keras", metavar="PYTHON", help="an interpreter that has Keras 3")
    parser.add_argument("--out", default=str(HERE / "results" / time.strftime("%Y%m%d-%H%M%S.jsonl")))
    parser.add_argument("--only-throughput", action="store_true", help="leave out imports and memory")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    return arguments


def main() -> None:
    arguments = parsed()
    Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
    workloads = (
        arguments.workloads.split(",")
        if arguments.workloads
        else list(QUICK_WORKLOADS if arguments.quick else WORKLOADS)
    )
    engines, bench, started = arguments.engines.split(","), Bench(arguments), time.time()
    for workload in workloads:
        for engine in engines:
            bench.cycle(engine, workload)
            print(f"{time.time() - started:5.0f} s: {workload} on {engine}", file=sys.stderr, flush=True)
    report(bench, workloads, engines)
    if not arguments.only_throughput:
        print("\n" + import_line(3 if arguments.quick else 9))
        print(growth_line(bench, engines[:1] if arguments.quick else engines))
    print(f"{time.time() - started:.0f} s; every figure is in {arguments.out}")


if __name__ == "__main__":
    main()
