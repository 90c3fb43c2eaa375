"""docs/layers.md says what layers become on each backend: it is written by docs/make_layers.py, and is up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from conftest import EVERY_BACKEND, wanted_backends

SCRIPT = Path(__file__).parent.parent.parent / "docs" / "make_layers.py"


def test_the_page_is_up_to_date():
    if set(wanted_backends()) < set(EVERY_BACKEND):
        pytest.skip("the page names all four backends")
    spec = importlib.util.spec_from_file_location("make_layers", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "run `python docs/make_layers.py`"
