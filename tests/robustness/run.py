"""Runs the scripts of this folder on every backend, each in a process of its own, and prints a table of counts.

    python tests/robustness/run.py [script ...] [--backends numpy,torch] [--jobs 2] [--list]

See README.md beside this file for what a script is.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BACKENDS = ("numpy", "torch", "jax", "tensorflow")
LIMIT = 30.0
START = 90.0  # seconds in which a process has to be there and to have imported what its script imports
PROCESSOR: dict[tuple[str, str], float] = defaultdict(float)  # seconds that each script took on each backend
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class Script(NamedTuple):
    """A file of trials: where it is, what it says that it shows, and where and how long its trials run."""

    name: str
    title: str
    backends: tuple[str, ...]
    limit: float
    first: bool


class Outcome(NamedTuple):
    """What became of one trial; `error` is None where it passed."""

    script: str
    backend: str
    kind: str
    name: str
    error: str | None
    seconds: float


# Scripts ---------------------------------------------------------------------------------------------


def scripts() -> dict[str, Script]:
    """The scripts of this folder by name: every file that defines `trials`, read without importing it."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        tree = ast.parse(path.read_text())
        if any(isinstance(node, ast.FunctionDef) and node.name == "trials" for node in tree.body):
            title = (ast.get_docstring(tree) or path.stem).partition("\n")[0].rstrip(".")
            said = _constants(tree)
            found[path.stem] = Script(
                path.stem,
                title,
                tuple(said.get("BACKENDS", BACKENDS)),
                float(said.get("LIMIT", LIMIT)),
                "FIRST" in said,
            )
    return found


def _constants(tree: ast.Module) -> dict[str, Any]:
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in assigned
        if node.targets[0].id in ("BACKENDS", "LIMIT", "FIRST")
    }


# Processes -------------------------------------------------------------------------------------------


def outcomes(script: Script, backend: str) -> list[Outcome]:
    """What became of each trial of a script on one backend; a process that ends early is followed by another."""
    found: list[Outcome] = []
    while True:
        before = len(found)
        ended = _one_process(script, backend, found)
        if ended is None:
            return found
        if len(found) == before or found[-1].error is None:  # it ended outside of a trial
            return [*found, Outcome(script.name, backend, "the script itself", "its end", ended, 0.0)]


def _one_process(script: Script, backend: str, found: list[Outcome]) -> str | None:
    """Run the trials that are left, and add their outcomes; what went wrong with the process, or None."""
    environment = {**os.environ, "KERAS_FRONT_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.update(dict.fromkeys(THREADS, "1"))
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "backends"), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory(prefix="robustness-") as folder, tempfile.TemporaryFile("w+") as errors:
        environment["KERAS_HOME"] = os.path.join(folder, "no_folder")
        read, write = os.pipe()
        command = [sys.executable, str(HERE / "child.py"), script.name, str(write), folder, str(len(found))]
        process = subprocess.Popen(
            command, env=environment, pass_fds=[write], stdout=errors, stderr=errors, start_new_session=True
        )
        os.close(write)
        try:
            return _followed(read, script, backend, found, errors)
        finally:
            PROCESSOR[script.name, backend] += _killed(process)
            os.close(read)


def _killed(process: subprocess.Popen[Any]) -> float:
    """End a process and what it started, which have a session of their own; the seconds of the processor it took."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def _followed(read: int, script: Script, backend: str, found: list[Outcome], errors: Any) -> str | None:
    """Take down what a process reports, line by line, until it is through or is late."""
    running: tuple[str, str] | None = None
    lines = Lines(read)
    while (line := lines.next(START if not lines.count else script.limit)) is not None:
        said = json.loads(line)
        if said == "end":
            return None
        if "error" in said and running is not None:
            found.append(Outcome(script.name, backend, *running, said["error"], lines.waited))
            running = None
        else:
            running = said["kind"], said["name"]
    errors.seek(0)
    told = errors.read().strip().splitlines()
    ended = f"the process ended: {' | '.join(told[-3:])}"
    why = f"took more than {lines.waited:.0f} s" if lines.late else ended
    if running is not None:
        found.append(Outcome(script.name, backend, *running, why, lines.waited))
    return why


class Lines:
    """The lines that arrive in a pipe: `count` so far, `waited` seconds for the last, `late` if it did not come."""

    def __init__(self, read: int):
        self._read, self._rest = read, b""
        self.count, self.waited, self.late = 0, 0.0, False

    def next(self, seconds: float) -> str | None:
        """The next line; None at the end, or if there is none in time."""
        began = time.monotonic()
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, began + seconds - time.monotonic()))
            data = os.read(self._read, 1 << 16) if ready else b""
            self.waited, self.late = time.monotonic() - began, not ready
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        self.count += 1
        return line.decode()


# The table -------------------------------------------------------------------------------------------


def table(found: list[Outcome], known: dict[str, Script]) -> str:
    """Counts of passed and of all trials: a row for each kind, a column for each backend."""
    backends = [name for name in BACKENDS if any(o.backend == name for o in found)]
    lines: list[str | list[str]] = [["", *backends]]
    for script in dict.fromkeys(o.script for o in found):
        lines.append(f"{script}: {known[script].title}")
        for kind in dict.fromkeys(o.kind for o in found if o.script == script):
            mine = [o for o in found if (o.script, o.kind) == (script, kind)]
            lines.append(["  " + kind, *_counts(mine, backends)])
    lines.append(["all", *_counts(found, backends)])
    rows = [line for line in lines if isinstance(line, list)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(backends) + 1)]
    return "\n".join(line if isinstance(line, str) else _row(line, widths) for line in lines)


def _row(cells: list[str], widths: list[int]) -> str:
    return "  ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]).rstrip()


def _counts(outcomes: list[Outcome], backends: list[str]) -> list[str]:
    return [_count([outcome for outcome in outcomes if outcome.backend == name]) for name in backends]


def _count(outcomes: list[Outcome]) -> str:
    passed = sum(outcome.error is None for outcome in outcomes)
    return f"{passed} of {len(outcomes)}" if outcomes else ""


def failures(found: list[Outcome]) -> str:
    """A line for each trial that failed."""
    return "\n".join(
        f"FAILED {o.script} on {o.backend}: {o.kind}, {o.name}: {o.error}" for o in found if o.error is not None
    )


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, and print the table; 1 if a trial failed."""
    known = scripts()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scripts", nargs="*", help="names of scripts; none for all")
    parser.add_argument("--backends", default=",".join(BACKENDS), help="names, separated by commas")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--times", action="store_true", help="say how long each script kept the processor")
    parser.add_argument("--list", action="store_true", help="say which scripts there are")
    chosen = parser.parse_args(arguments)
    unknown = sorted({*chosen.scripts} - set(known)) + sorted({*chosen.backends.split(",")} - {*BACKENDS})
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; the scripts are {', '.join(known)}")
    if chosen.list:
        print("\n".join(f"{script.name}: {script.title}" for script in known.values()))
        return 0
    began = time.monotonic()
    wanted = [known[name] for name in chosen.scripts or known]
    pairs = [(script, name) for script in wanted for name in chosen.backends.split(",") if name in script.backends]
    pairs.sort(key=lambda pair: not pair[0].first)  # what takes longest begins, so that nothing waits for it in the end
    with ThreadPoolExecutor(chosen.jobs) as pool:
        found = [outcome for some in pool.map(lambda pair: outcomes(*pair), pairs) for outcome in some]
    print(table(found, known))
    print(f"{time.monotonic() - began:.0f} s; of the processor {sum(PROCESSOR.values()):.0f} s")
    if chosen.times:
        print(
            "\n".join(f"{seconds:7.1f} s  {script} on {name}" for (script, name), seconds in sorted(PROCESSOR.items()))
        )
    if any(outcome.error is not None for outcome in found):
        print(failures(found))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
