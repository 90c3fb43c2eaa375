"""Where the files and values written by real Keras lie, and how their entries are read.

The folder `shared/interop` stands beside the checkout; `KERAS_FRONT_SHARED` names another `shared`. Without it the
tests that need it are skipped. Its README says what an entry holds.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SHARED = Path(os.environ.get("KERAS_FRONT_SHARED") or Path(__file__).resolve().parents[1].parent / "shared")
FOLDER = SHARED / "interop"


@functools.cache
def index() -> list[dict[str, Any]]:
    """All entries; none if the folder is not there."""
    path = FOLDER / "index.json"
    return json.loads(path.read_text()) if path.exists() else []


def cases(*kinds: str, engine_neutral: bool = False) -> list[Any]:
    """Entries of these kinds as parameters of a test; of what does not depend on the engine it compiles every third."""
    wanted = [entry for entry in index() if entry["kind"] in kinds]
    found = [
        pytest.param(entry, id=entry["name"], marks=[pytest.mark.engine_neutral] if engine_neutral and i % 3 else [])
        for i, entry in enumerate(wanted)
    ]
    reason = f"needs the folder shared/interop beside the checkout, not found at {FOLDER}"
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=reason))]


@functools.cache
def arrays(name: str) -> Mapping[str, np.ndarray]:
    """Arrays of one npz file of the folder, each read when it is asked for."""
    return np.load(FOLDER / name)


def data() -> dict[str, Any]:
    """The names that the code of function entries uses: arrays, and pairs (true, predicted)."""
    found = arrays("data.npz")
    pairs = {name[:-5]: (found[name], found[name[:-5] + "_pred"]) for name in found if name.endswith("_true")}
    return {**found, **pairs, **json.loads((FOLDER / "data.json").read_text())}


def updated(metric: Any, pair: Any, weights: Any = None) -> Any:
    """Result of a metric after two batches."""
    for part in (slice(0, 2), slice(2, 6)):
        extra = [] if weights is None else [weights[part]]
        metric.update_state(pair[0][part], pair[1][part], *extra)
    return metric.result()


def updated_value(metric: Any, values: Any) -> Any:
    """Result of a metric of plain values after two batches."""
    halves = (values, values * 2) if type(metric).__name__ == "MeanTensor" else (values[:9], values[9:])
    for half in halves:
        metric.update_state(half)
    return metric.result()


def evaluate(entry: dict[str, Any], keras: Any) -> Any:
    """What the code of a function entry gives."""
    scope = {"keras": keras, "np": np, "updated": updated, "updated_value": updated_value, **data()}
    return eval(entry["code"], scope)


def expected(entry: dict[str, Any]) -> np.ndarray:
    """What real Keras got for it."""
    return arrays(entry["npz"])[f"{entry['name']}_0"]


# The count at the end of a run ------------------------------------------------------------------------


def results(reports: Mapping[str, list[Any]]) -> dict[str, dict[tuple[str, str], str]]:
    """For each backend what became of each entry (kind, name): 'failed' before 'skipped' before 'passed'.

    An entry is skipped if none of its tests ran, and failed if one of them did.
    """
    kinds = {entry["name"]: entry["kind"] for entry in index()}
    found: dict[str, dict[tuple[str, str], str]] = {}
    for outcome in ("skipped", "passed", "failed"):
        for report in reports.get(outcome, []):
            backend, _, name = re.sub(r".*\[|\]$", "", report.nodeid).partition("-")
            if name in kinds:
                found.setdefault(backend, {})[kinds[name], name] = outcome
    return found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Entries by kind and backend: passed of all there are, and what did not run."""
    found = results(terminalreporter.stats)
    if not found:
        return
    total = Counter(entry["kind"] for entry in index())
    kinds = [kind for kind in total if any(k == kind for entries in found.values() for k, _ in entries)]
    terminalreporter.section("entries of the interop index")
    for backend, entries in found.items():
        for outcome in ("passed", "skipped", "failed"):
            counts = Counter(kind for (kind, _), o in entries.items() if o == outcome)
            if counts:
                parts = [f"{kind} {counts[kind]}/{total[kind]}" for kind in kinds if counts[kind]]
                terminalreporter.write_line(f"{backend:<10} {outcome:<7} {', '.join(parts)}")
