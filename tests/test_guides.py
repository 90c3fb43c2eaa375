"""The site: every block of code runs, on NumPy and on another backend, and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import reference
import run_pages
from engines import wanted_backends

from keras_front import backend as K
from keras_front import config, mixed_precision
from keras_front.layers import Dense

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", [name for name in ("numpy", "torch") if name in wanted_backends()])
@pytest.mark.parametrize("page", run_pages.pages(), ids=lambda page: page.stem)
def test_a_page_prints_what_it_says(name, page, monkeypatch, fresh_choice):
    monkeypatch.setenv("KERAS_FRONT_BACKEND", name)
    config.reload()
    K.reset_uids()
    try:
        for block in run_pages.run(page):
            assert block.is_right(), f"{page}:{block.line} prints\n{block.printed}"
    finally:
        mixed_precision.set_global_policy(None)  # which a page may have set


def test_a_page_that_says_something_else_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n")
    assert [block.is_right() for block in run_pages.run(page)] == [False]
    assert run_pages.written(page).endswith("```text\n2\n```\n")


def test_every_page_is_in_the_navigation():
    named = set(re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if not page.startswith("decisions/")} - named == set()
    assert named - pages == {"changelog.md", "contributing.md"}  # made by docs/hooks.py


@pytest.mark.parametrize("module", reference.MODULES)
def test_the_reference_describes_every_public_name(module):
    names, text = reference.public_names(module), reference.page(module)
    entries = dict(re.findall(r"^## ([\w.]+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert names
    assert list(entries) == names
    without_code = {name: re.sub(r"```.*?```", "", entry, flags=re.S) for name, entry in entries.items()}
    assert [name for name, entry in without_code.items() if not re.search(r"^[^#\s]", entry, re.M)] == []
    assert text.count("\n```") % 2 == 0


def test_the_reference_keeps_the_arguments_of_a_docstring():
    lines = reference.entry("Dense", Dense)
    for argument in ("units", "activation", "use_bias", "kernel_initializer"):
        assert any(line.startswith(f"- `{argument}`:") for line in lines), argument
    assert "```pycon" in lines
    assert any("batch_input_shape" in line for line in lines)  # an argument of its base
