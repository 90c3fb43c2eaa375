"""`docs/errors.md` explains messages that are in the source, and every class of error; `error-list.md` lists all."""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path

import pytest

from keras_front import errors

DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS))

import error_list  # noqa: E402 - a module of the docs

PAGE = (DOCS / "errors.md").read_text("utf-8")
ENTRIES = re.findall(r"^### (.*)$", PAGE, re.M)


@pytest.fixture(scope="module")
def texts():
    return error_list.texts()


def test_what_is_explained_is_said_somewhere(texts):
    assert len(ENTRIES) > 30
    quoted = [quote for entry in ENTRIES for quote in re.findall(r"(?<!\w)`(.+?)`(?=,|$| \()", entry)]
    assert len(quoted) >= len(ENTRIES)
    stale = [part for quote in quoted for part in re.split(r"\.\.\.", quote) if part.strip() and part not in texts]
    assert not stale


def test_every_class_of_error_is_explained():
    told = set(re.findall(r"`(\w+(?:Error|Warning))`", PAGE))
    family = {name for name in errors.__all__ if name.endswith(("Error", "Warning"))}
    assert not family - told
    assert not told - family - set(dir(builtins))


def test_the_list_has_every_message():
    path = error_list.ROOT / "keras_front" / "training" / "data" / "arrays.py"
    found = [*error_list.in_file(path)]
    assert len(found) == len(re.findall(r"raise \w+Error\(", path.read_text("utf-8")))
    assert any(item.message.startswith("Data cardinality is ambiguous") for item in found)
    assert any(item.message.startswith("The labels for ... go from ... to ...; expected") for item in found)
