"""Tutorials: their pages and notebooks are those of their sources, and the shortest of them run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import run_tutorials

from keras_front.backend import discovery

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parent.parent / "docs"
ALL = run_tutorials.tutorials()
SHORTEST = ("memory_network",)  # the others: `make test-tutorials`


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.stem)
def test_a_page_says_what_its_source_says(source):
    page = source.with_suffix(".md").read_text()
    without = run_tutorials.page(source, map(run_tutorials.Result, run_tutorials.cells(source)))
    as_expected = run_tutorials.without_results(page) == run_tutorials.without_results(without)
    assert as_expected, f"run `python docs/run_tutorials.py --write {source.stem}`"
    assert page.count("\n```text\n") > 1


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.stem)
def test_the_pictures_of_a_page_exist_and_say_what_they_show(source):
    shown = re.findall(r"!\[(.*)\]\((pictures/.*)\)", source.with_suffix(".md").read_text())
    assert shown
    assert [path for words, path in shown if len(words) < 15 or not (source.parent / path).exists()] == []
    there = {f"pictures/{path.name}" for path in run_tutorials.PICTURES.glob(f"{source.stem}-*.png")}
    assert there == {path for _, path in shown}


def test_every_tutorial_is_on_the_page_of_tutorials():
    text = (DOCS / "tutorials/index.md").read_text()
    assert sorted(re.findall(r"\((\w+)\.md\)", text)) == [source.stem for source in ALL]


@pytest.mark.parametrize("name", SHORTEST)
def test_the_shortest_run(name):
    source = run_tutorials.FOLDER / f"{name}.py"
    with discovery.use_backend("numpy"):
        results = list(run_tutorials.run(source))
    assert sum(len(result.pictures) for result in results) > 0
    assert all(picture.startswith(b"\x89PNG") for result in results for picture in result.pictures)


def test_a_notebook_has_the_cells_of_the_tutorial(tmp_path):
    source = tmp_path / "small.py"
    source.write_text(
        "# %% [markdown]\n# # Title\n#\n# Text.\n\n# %% A picture\nprint(1)\n\n"
        '# %% tags=["remove-cell"]\nassert True\n\n# %%\nprint(2)\n'
    )
    assert [cell[1:] for cell in run_tutorials.cells(source)] == [
        ("markdown", "", "# Title\n\nText."),
        ("code", "A picture", "print(1)"),
        ("check", "", "assert True"),
        ("code", "", "print(2)"),
    ]
    results = list(run_tutorials.run(source))
    assert [result.printed for result in results] == ["", "1\n", "", "2\n"]
    page = run_tutorials.page(source, results, 1.0)
    assert "assert" not in page
    assert page.startswith("# Title\n\nText.\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python")
    book = json.loads(run_tutorials.notebook(source))
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in book["cells"]] == [
        ("markdown", "# Title\n\nText."),
        ("code", "print(1)"),
        ("code", "print(2)"),
    ]
    assert book["nbformat"] == 4
    assert len({cell["id"] for cell in book["cells"]}) == 3


def test_an_error_names_the_line_of_the_source(tmp_path):
    source = tmp_path / "wrong.py"
    source.write_text("# %% [markdown]\n# Text.\n\n# %%\nprint(1)\n\n1 / 0\n")
    with pytest.raises(ZeroDivisionError) as raised:
        list(run_tutorials.run(source))
    assert raised.traceback[-1].lineno + 1 == 7
