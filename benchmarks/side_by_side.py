"""What benchmarks of single cases beside loops by hand share: their arguments, and the sides as processes in turn."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from measure import MARK, in_process, last_core, pin

Found = dict[str, Any]


def command_line(
    doc: str | None, cases: str, names: Iterable[str], engines: Iterable[str], measured: Callable[..., Found]
) -> argparse.Namespace:
    """The arguments of such a benchmark; a process that was started to measure one side does so, and ends.

    Args:
        doc: the docstring of the benchmark.
        cases: what its cases are called: its option, and the end of the name of its file of figures.
        names: those of the cases.
        engines: those that have a loop by hand.
        measured: `(side, name, quick) -> figures`.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round, fewer repetitions")
    parser.add_argument("--engines", default=",".join(engines))
    parser.add_argument(f"--{cases}", dest="cases", default=",".join(names), help=f"of {', '.join(names)}")
    parser.add_argument("--rounds", type=int, help="how often each side is measured (quick: 1, otherwise 3)")
    out = Path(__file__).resolve().parent / "results" / time.strftime(f"%Y%m%d-%H%M%S-{cases}.jsonl")
    parser.add_argument("--out", default=str(out))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.option = f"--{cases}"
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    if arguments.measure:
        pin(arguments.core)
        print(MARK + json.dumps(measured(arguments.measure, arguments.cases, arguments.quick)), flush=True)
        os._exit(0)  # engines take their time to leave
    Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
    return arguments


def in_turn(engine: str, name: str, arguments: argparse.Namespace) -> dict[str, list[Found]]:
    """The figures of both sides for one case, each side as often as was asked for.

    Args:
        engine: the engine of both.
        name: the case.
        arguments: those of `command_line`.
    """
    found: dict[str, list[Found]] = {"by_hand": [], "keras_front": []}
    for _ in range(arguments.rounds):
        for frontend, rounds in found.items():
            side = f"{frontend}:{engine}"
            command = [sys.executable, sys.argv[0], "--measure", side, arguments.option, name]
            rounds.append(
                in_process([*command, "--core", str(last_core()), *["--quick"] * arguments.quick], minutes=10)
            )
            with Path(arguments.out).open("a") as file:
                file.write(json.dumps({"side": side, "case": name, **rounds[-1]}) + "\n")
            if "error" in rounds[-1]:
                print(f"FAILED {side} {name}: {rounds[-1]['error']}")
    return found
