"""`make compare`: keras_front beside Keras 3 and tf_keras, as those who choose one see them.

    python benchmarks/compare.py [--quick] [--python PYTHON]

PYTHON is an interpreter with keras_front, Keras 3, tf_keras and TensorFlow. Every figure is from a fresh process,
pinned to one core, and is CPU time of that process; the sides take turns, and a figure is the median of the rounds.
Files and names are those of the folder `shared` beside the checkout (or in KERAS_FRONT_SHARED); without it they are
left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

from measure import in_process, last_core
from run import table

HERE = Path(__file__).resolve().parent
SIDES = {
    "keras_front:numpy": "keras_front on NumPy",
    "keras_front:tensorflow": "keras_front on TensorFlow",
    "keras:tensorflow": "Keras 3 on TensorFlow",
    "tf_keras:tensorflow": "tf_keras",
}
STEPS = ("tiny", "mlp", "cnn")
AGREE = 1e-5


class Comparison:
    """Asks every side in turn.

    Args:
        python: the interpreter that has all of them.
        rounds: how often.
    """

    def __init__(self, python: str, rounds: int):
        self.python, self.rounds, self.failed = python, rounds, list[str]()

    def ask(self, side: str, question: str) -> Any:
        """One answer of a side; None if it failed."""
        return self._of(side, question, [str(HERE / "compare_side.py"), side, question])

    def measure(self, side: str, workload: str) -> Any:
        """Microseconds of a workload; see `measure.py`."""
        words = [str(HERE / "measure.py"), side, workload, "--quick", "--core", str(last_core())]
        return self._of(side, workload, words)

    def _of(self, side: str, what: str, words: list[str]) -> Any:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # it would charge every start with compiling all sources
        found = in_process([self.python, *words])
        if isinstance(found, dict) and "error" in found:
            self.failed.append(f"{side}, {what}: {found['error'][-300:]}")
            return None
        print(f"{side} {what}: {found}", file=sys.stderr, flush=True)
        return found

    def in_turn(self, ask: Any, what: str, warm: int = 0) -> dict[str, list[Any]]:
        """The answers of all sides, which take turns, after `warm` rounds that fill caches and do not count."""
        found: dict[str, list[Any]] = {side: [] for side in SIDES}
        for number in range(self.rounds + warm):
            for side, answers in found.items():
                answer = ask(side, what)
                answers += [] if answer is None or number < warm else [answer]
        return found


# What is compared -----------------------------------------------------------------------------------------------


def times(comparison: Comparison) -> list[list[str]]:
    """Rows of times."""
    rows = [
        row("import, ms of CPU", comparison.in_turn(comparison.ask, "imports", 1)),
        row("start, train, predict: s of CPU", comparison.in_turn(comparison.ask, "first", 1)),
    ]
    for workload in STEPS:
        found = comparison.in_turn(comparison.measure, workload)
        rows.append(row(f"a training step, {workload}: us of CPU", {s: _each(a, "fit") for s, a in found.items()}))
        if workload == "tiny":
            for key, text in (("predict_one", "`predict` of one row"), ("train_on_batch", "`train_on_batch`")):
                rows.append(row(f"{text}, tiny: us of CPU", {s: _each(a, key) for s, a in found.items()}))
    return rows


def _each(answers: list[dict[str, float]], key: str) -> list[float]:
    return [answer[key] for answer in answers if key in answer]


def row(name: str, found: dict[str, list[float]]) -> list[str]:
    """A row of medians."""
    return [name, *(_figure(statistics.median(values)) if values else "-" for values in found.values())]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def counts(comparison: Comparison) -> list[list[str]]:
    """Rows of what is opened and what is there, asked on one engine, since it does not depend on it."""
    rows: dict[str, list[str]] = {}
    frontends = [side.partition(":")[0] for side in SIDES]
    asked = {frontend: side for side, frontend in zip(reversed(SIDES), reversed(frontends), strict=True)}
    for frontend, side in asked.items():
        for question, text in (("files", "files opened, {}"), ("names", "names of Keras {}")):
            for kind, (there, every) in (comparison.ask(side, question) or {}).items():
                cells = rows.setdefault(text.format(kind), ["-"] * len(SIDES))
                cells[:] = [
                    f"{there} of {every}" if f == frontend else c for f, c in zip(frontends, cells, strict=True)
                ]
    return [[name, *cells] for name, cells in rows.items()]


def reproducibility(comparison: Comparison) -> list[list[str]]:
    """Rows that say whether a seed gives the same weights again, and on another engine."""
    again, elsewhere = ["-"] * len(SIDES), ["-"] * len(SIDES)
    for place, side in enumerate(SIDES):
        keras, engine = side.split(":")
        one, two = comparison.ask(side, "seeds"), comparison.ask(side, "seeds")
        again[place] = _same(one, two)
        if keras != "tf_keras":
            other = comparison.ask(f"{keras}:{'tensorflow' if engine == 'numpy' else 'numpy'}", "seeds")
            elsewhere[place] = _same(one, other)
    return [["same seed, same weights after training", *again], ["... and on NumPy and TensorFlow alike", *elsewhere]]


def _same(one: list[float] | None, two: list[float] | None) -> str:
    if one is None or two is None:
        return "-"
    return "yes" if all(abs(a - b) < AGREE for a, b in zip(one, two, strict=True)) else "no"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has all of them")
    parser.add_argument("--only", help="times, counts or seeds")
    arguments = parser.parse_args()
    comparison = Comparison(arguments.python, 1 if arguments.quick else 3)
    parts = {"times": times, "counts": counts, "seeds": reproducibility}
    chosen = [parts[arguments.only]] if arguments.only else list(parts.values())
    print(table(["", *SIDES.values()], [cells for part in chosen for cells in part(comparison)]))
    for line in comparison.failed:
        print("FAILED", line)


if __name__ == "__main__":
    main()
