"""The generated pages of docs/ say what K, layers and files are: each is written by its script, and is up to date."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from engines import EVERY_BACKEND, wanted_backends

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", ["make_k", "make_layers", "make_architecture"])
def test_the_page_is_up_to_date(name):
    if name != "make_architecture" and set(wanted_backends()) < set(EVERY_BACKEND):
        pytest.skip("the page names all four backends")
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), f"run `python docs/{name}.py`"


def test_the_paths_through_the_code_name_files_that_exist():
    text = (DOCS / "paths.md").read_text()
    named = set(
        re.findall(r"(?<![\w/])((?:training|backend|graph|optimizers|backends|legacy)/[\w/]*\.py|models\.py)", text)
    )
    assert len(named) > 20
    assert [name for name in named if not (DOCS.parent / "keras_front" / name).exists()] == []
