"""Every example runs, on NumPy, and says so if it did not learn."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from keras_front.backend import discovery

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with discovery.use_backend("numpy"):
        runpy.run_path(str(path), run_name="__main__")
