"""Logs of trainings in files: those of `CSVLogger`, and JSON, as curves. Nothing in a file is run."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from keras_front.errors import MissingFileError, UnreadableFileError
from keras_front.utils.training_curves import Curves, epochs_of_some

EXPECTED = (
    "expected a table of CSVLogger, whose first line names its columns; or JSON: `history.history`, a list with a "
    "dict for each epoch, or such a dict in each line"
)


def read_log(path: str | os.PathLike[str]) -> Curves:
    """The curves in a log.

    Args:
        path: a file that `CSVLogger` wrote, with any separator; or JSON: names with a list of values each (as
            `json.dump(history.history, file)` writes), alone or as `history` in a dict; a list of dicts, one for each
            epoch; or such dicts line by line.

    Raises: MissingFileError if there is no such file; UnreadableFileError if it is none of these.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"history: there is no file {str(path)!r}.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError(f"history: {path} is no text; {EXPECTED}.") from None
    try:
        read = _from_json if text.lstrip()[:1] in ("{", "[") else _from_table
        values, epochs = read(text)
    except (ValueError, TypeError, csv.Error) as reason:
        raise UnreadableFileError(f"history: {path} cannot be read ({reason}); {EXPECTED}.") from None
    if not any(map(len, values.values())):
        raise UnreadableFileError(f"history: there is no epoch in {path}; {EXPECTED}.")
    return _curves(values, epochs)


def _curves(values: Mapping[str, Sequence[Any]], epochs: Sequence[int]) -> Curves:
    rising = all(a < b for a, b in pairwise(epochs))
    numbers = list(epochs) if rising and epochs else list(range(max(map(len, values.values()))))
    present = {
        name: [
            (epoch, value) for epoch, value in zip(epochs_of_some(len(column), numbers), column) if value is not None
        ]
        for name, column in values.items()
    }
    return Curves(
        {name: [value for _, value in pairs] for name, pairs in present.items()},
        numbers,
        {name: [epoch for epoch, _ in pairs] for name, pairs in present.items()},
    )


Columns = tuple[dict[str, list[Any]], list[int]]


def _from_table(text: str) -> Columns:
    header = text.lstrip().split("\n", 1)[0]
    separator = max(",;\t|", key=header.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    names, rows = rows[0] if rows else [], rows[1:]
    if len(names) < 2 or any(map(_is_numeric, names)):
        raise ValueError("its first line names no columns")
    wrong = next((i for i, row in enumerate(rows, 2) if len(row) != len(names)), None)
    if wrong is not None:
        raise ValueError(f"line {wrong} has another number of fields than the first")
    columns = {name: [_number(row[i]) for row in rows] for i, name in enumerate(names)}
    return _without_epochs(columns)


def _is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> float | None:
    """The number in a field; None of one that an epoch did not have."""
    return None if text.strip() in ("NA", "", "None") or not _is_numeric(text) else float(text)


def _without_epochs(columns: dict[str, list[Any]]) -> Columns:
    epochs = columns.pop("epoch", None) or []
    whole = all(isinstance(e, int | float) and math.isfinite(e) and e == int(e) for e in epochs)
    return columns, [int(e) for e in epochs] if whole else []


def _from_json(text: str) -> Columns:
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except json.JSONDecodeError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(found, list):
        return _from_rows(found)
    if isinstance(found.get("history"), dict):
        found = {**found["history"], "epoch": found.get("epoch") or []}
    if not all(isinstance(values, list) for values in found.values()):
        return _from_rows([found])
    return _without_epochs(dict(found))


def _from_rows(rows: Iterable[Any]) -> Columns:
    rows = list(rows)
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("an epoch is no dict")
    names = dict.fromkeys(name for row in rows for name in row)
    return _without_epochs({name: [row.get(name) for row in rows] for name in names})
