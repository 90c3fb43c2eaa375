"""The trials of one module for one backend, without the frame of `run.py`.

KERAS_FRONT_BACKEND=jax python tests/robustness/bad_input.py [pattern]
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Trial = tuple[str, str, Callable[[], Any]]


def run(trials: Callable[[Path], Iterable[Trial]]) -> None:
    """Run them, tell those that do not end as they should, and count.

    Args:
        trials: those of a module, in a folder; of these the ones that fit the pattern of the command line.
    """
    failed = asked = 0
    for kind, name, trial in trials(Path(tempfile.mkdtemp())):
        if len(sys.argv) > 1 and not re.search(sys.argv[1], f"{kind} {name}"):
            continue
        asked += 1
        try:
            trial()
        except BaseException as error:
            failed += 1
            print(f"{kind}: {name}\n    {type(error).__name__}: {str(error)[:250]!r}", flush=True)
    print(f"{os.environ.get('KERAS_FRONT_BACKEND')}: {asked - failed} of {asked} end as they should")
