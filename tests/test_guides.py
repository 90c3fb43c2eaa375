"""The site: every block of code runs, on NumPy and on another backend, and prints what the page says."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
import reference
import run_pages
from engines import wanted_backends

from keras_front import backend as K
from keras_front import config, mixed_precision
from keras_front.backend import discovery
from keras_front.layers import AveragePooling2D, Conv2D, Dense

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", [name for name in ("numpy", "torch") if name in wanted_backends()])
@pytest.mark.parametrize("page", run_pages.pages(), ids=lambda page: page.stem)
def test_a_page_prints_what_it_says(name, page, monkeypatch, fresh_choice):
    monkeypatch.setenv("KERAS_FRONT_BACKEND", name)
    monkeypatch.setattr(discovery, "_instances", dict(discovery._instances))  # a page may make backends
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
    assert named - pages == {"changelog.md", "contributing.md", "error-list.md"}  # made by docs/hooks.py


def entries_of(text):
    return dict(re.findall(r"^## ([\w.]+) \{ #\S+ \}\n(.*?)(?=^## |\Z)", text, re.M | re.S))


@pytest.mark.parametrize("module", reference.MODULES)
def test_the_reference_describes_every_public_name(module):
    texts = [reference.topic_page(topic) for topic in reference.topics(module)] or [reference.page(module)]
    entries = {name: entry for text in texts for name, entry in entries_of(text).items()}
    assert reference.public_names(module)
    assert sorted(entries) == sorted(reference.public_names(module))
    without_code = {name: re.sub(r"```.*?```", "", entry, flags=re.S) for name, entry in entries.items()}
    assert [name for name, entry in without_code.items() if not re.search(r"^[^#\s]", entry, re.M)] == []
    assert [text.count("\n```") % 2 for text in texts] == [0] * len(texts)


def test_public_names_have_examples():
    """All but some: internals of adapters, errors, nets that take seconds to build, readers of folders, drawings."""
    found = {
        f"{module}.{name}": getattr(import_module(f"keras_front.{module}"), name)
        for module in reference.MODULES
        for name in reference.public_names(module)
    }
    without = [name for name, target in found.items() if ">>>" not in (inspect.getdoc(target) or "")]
    plain = [name for name in without if not inspect.ismodule(found[name]) and not name.startswith("applications.")]
    assert len(plain) <= 165, plain
    assert [name for name in plain if name.split(".")[0] in ("layers", "optimizers", "initializers", "random")] == []


def test_the_reference_shows_another_name_of_the_same_thing_as_a_link():
    assert reference.entry("AvgPool2D", AveragePooling2D, "layers")[-2] == (
        "Another name of [`AveragePooling2D`](../layers/pooling.md#AveragePooling2D)."
    )
    assert "Also called `AvgPool2D`." in reference.entry("AveragePooling2D", AveragePooling2D, "layers")


def test_links_of_docstrings_lead_to_entries():
    lines = reference.body("A layer such as `Dense`, or `K.dot`; `x` is no name.", "models")
    assert lines[0] == ("A layer such as `Dense`, or [`K.dot`](backend/linear.md#dot); `x` is no name.")
    assert "[`Input`](models.md#Input)" in "".join(reference.body("See `Input`.", "models"))


def test_arguments_stand_in_the_order_of_the_signature():
    lines = reference.entry("Conv2D", Conv2D, "layers")
    names = [line[3:].split("`")[0] for line in lines if line.startswith("- `")]
    assert names[:4] == ["filters", "kernel_size", "strides", "padding"]
    assert names.index("groups") > names.index("bias_constraint")


def test_the_reference_keeps_the_arguments_of_a_docstring():
    lines = reference.entry("Dense", Dense)
    for argument in ("units", "activation", "use_bias", "kernel_initializer"):
        assert any(line.startswith(f"- `{argument}`:") for line in lines), argument
    assert "```pycon" in lines
    assert any("batch_input_shape" in line for line in lines)  # an argument of its base
