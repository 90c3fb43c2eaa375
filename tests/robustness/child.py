"""Runs the trials of one script in this process, and reports each to `run.py` as a line of JSON in a pipe.

python child.py <script> <file descriptor> <folder> <trials to leave out>
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def main(script: str, descriptor: str, folder: str, done: str) -> None:
    """Import the script and run its trials from number `done` on."""
    module = importlib.import_module(script)
    pipe = os.fdopen(int(descriptor), "w")

    def report(said: Any) -> None:
        pipe.write(json.dumps(said) + "\n")
        pipe.flush()

    inside = Path(folder, "trials")
    inside.mkdir()
    for number, (kind, name, trial) in enumerate(module.trials(inside)):
        if number < int(done):
            continue
        report({"kind": kind, "name": str(name)})
        report({"error": _outcome(trial)})
    report("end")


def _outcome(trial: Any) -> str | None:
    """None, or why the trial failed; what interrupts a program on purpose is a failure here as well."""
    try:
        trial()
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
