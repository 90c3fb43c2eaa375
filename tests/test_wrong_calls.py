"""A covering part of the wrong calls of `tests/robustness`: each ends in one clear error that names what is wrong.

`make robustness` makes all of them, on every backend.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "robustness"))

import bad_input
import wrong_calls

# Whose calls never reach a program: all of them are made. Of the others every sixth is.
QUICK = ("layers", "optimizers", "losses, metrics", "callbacks", "initializers, regularizers, constraints, activations")


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    return bad_input.namespace(tmp_path_factory.mktemp("wrong"))


def test_wrong_calls_end_in_one_clear_error(names, monkeypatch):
    monkeypatch.setenv("KERAS_FRONT_BACKEND", "numpy")
    chosen = [call for i, call in enumerate(bad_input.calls(names)) if call[0] in QUICK or i % 6 == 0]
    said = [f"{source}: {bad_input.verdict(run, words)}" for _, source, run, words in chosen]
    assert len(chosen) > 500
    assert not [text for text in said if not text.endswith(": ")]


@pytest.mark.parametrize("start", range(3))
def test_odd_calls_that_keras_took_work(names, start):
    for source in wrong_calls.ALLOWED[start::3]:
        bad_input.quietly(lambda s=source: eval(s, dict(names)))
