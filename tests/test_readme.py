"""The README is tested: every Python block runs, every file that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[tuple[int, str]]:
    """The Python blocks of a page with the line that each starts on."""
    text = page.read_text()
    return [
        (text.count("\n", 0, found.start(1)) + 1, found.group(1))
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.M | re.S)
    ]


SNIPPETS = [
    pytest.param(line, code, id=f"{page.name}:{line}")
    for page in PAGES[:2]  # those of the site are run in test_guides.py
    for line, code in blocks(page)
]


@pytest.mark.parametrize(("line", "code"), SNIPPETS)
def test_a_snippet_runs(line, code, tmp_path, monkeypatch, fresh_choice):
    monkeypatch.chdir(tmp_path)
    exec(compile("\n" * (line - 1) + code, "README", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_linked_files_exist(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists() or _is_made(page.parent / target), target


def _is_made(path: Path) -> bool:
    """Whether the site makes this page: the reference, lists of decisions and errors, a notebook of a tutorial."""
    name = path.resolve().relative_to(ROOT / "docs").as_posix()
    return (
        name.startswith("reference/")
        or name in ("decisions/index.md", "error-list.md")
        or (path.suffix == ".ipynb" and path.with_suffix(".py").exists())
    )


def test_the_readme_shows_each_promise_as_code():
    text = (ROOT / "README.md").read_text()
    section = text.split("## The four promises, each as code")[1].split("\n## ")[0]
    assert section.count("\n### ") == section.count("```python") == 4


def test_commands_of_the_readme_are_targets():
    lines = re.findall(r"^([\w -]+):", (ROOT / "Makefile").read_text(), re.M)
    targets = {target for line in lines for target in line.split()}
    named = set(re.findall(r"\bmake ([a-z][\w-]+)", "".join(p.read_text() for p in PAGES[:2])))
    assert named <= targets
