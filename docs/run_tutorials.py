"""Runs the tutorials; writes their pages, pictures and notebooks: `python docs/run_tutorials.py [--write] [name ...]`.

A tutorial is a Python file of cells in the percent format, which VS Code, Spyder, PyCharm and (by jupytext) Jupyter
open as a notebook: `# %% [markdown]` begins a cell of text, `# %%` one of code. What stands after `# %%` says what the
picture shows that the cell draws. A cell `# %% tags=["remove-cell"]` checks what the text says; readers do not see it.

Without `--write` the tutorials only run, which is what `make test-tutorials` does. `--notebooks FOLDER` writes
each as a Jupyter notebook, without running it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

FOLDER = Path(__file__).parent / "tutorials"
PICTURES = FOLDER / "pictures"
_HEAD = re.compile(r"^# %%(?P<kind> \[markdown\])?(?P<hidden> tags=\[\"remove-cell\"\])?(?P<title>.*)\n", re.M)
_OUTPUT = re.compile(r"\n```text\n.*?^```\n|\n!\[[^\n]*\]\(pictures/[^\n]*\)\n", re.M | re.S)


class Cell(NamedTuple):
    """A cell: the line on which it starts, its kind ("markdown", "code" or "check"), its title, and its text."""

    line: int
    kind: str
    title: str
    text: str


class Result(NamedTuple):
    """A cell that was run: what it printed, and the pictures that it drew, as PNG."""

    cell: Cell
    printed: str = ""
    pictures: tuple[bytes, ...] = ()


def tutorials() -> list[Path]:
    """The sources of the tutorials."""
    return sorted(FOLDER.glob("*.py"))


def cells(source: Path) -> list[Cell]:
    """The cells of a tutorial.

    Args:
        source: its file.
    """
    text = source.read_text()
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [_cell(text, head, end) for head, end in zip(heads, ends, strict=True)]


def _cell(text: str, head: re.Match[str], end: int) -> Cell:
    kind = "markdown" if head["kind"] else "check" if head["hidden"] else "code"
    body = text[head.end() : end].strip("\n")
    if kind == "markdown":
        body = re.sub(r"^# ?", "", body, flags=re.M)
    return Cell(text.count("\n", 0, head.end()), kind, head["title"].strip(), body)


def run(source: Path) -> Iterator[Result]:
    """The cells of a tutorial, each after it was run; files that they write go to a folder of their own.

    Args:
        source: its file.

    Raises: whatever a cell raises, with the file and the line in its traceback.
    """
    names: dict[str, object] = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), _quiet_pictures():
        for cell in cells(source):
            yield Result(cell) if cell.kind == "markdown" else _ran(source, cell, names)


def _ran(source: Path, cell: Cell, names: dict[str, object]) -> Result:
    out = io.StringIO()
    code = compile("\n" * cell.line + cell.text, str(source), "exec")
    with contextlib.redirect_stdout(out):
        exec(code, names)
    return Result(cell, out.getvalue(), tuple(_drawn()))


@contextlib.contextmanager
def _quiet_pictures() -> Iterator[None]:
    """Matplotlib draws into memory, and `plt.show()` does not complain that there is no screen."""
    with warnings.catch_warnings(), mock.patch.dict(os.environ, MPLBACKEND="agg"):
        warnings.filterwarnings("ignore", message=".*non-interactive")
        yield


def _drawn() -> Iterator[bytes]:
    """The pictures that are open in Matplotlib, which are closed."""
    plt = sys.modules.get("matplotlib.pyplot")
    for number in plt.get_fignums() if plt else ():
        png = io.BytesIO()
        figure = plt.figure(number)
        figure.savefig(png, format="png", dpi=90, bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)
        yield png.getvalue()


def page(source: Path, results: Iterable[Result], seconds: float | None = None) -> str:
    """The page of a tutorial, in Markdown.

    Args:
        source: its file.
        results: its cells, run or not.
        seconds: of one processor that they took; None says nothing about it.
    """
    parts, numbers = [], iter(range(1, 100))
    for result in results:
        if result.cell.kind == "markdown":
            parts.append(f"{result.cell.text}\n")
        elif result.cell.kind == "code":
            parts.append(_code(result, source.stem, numbers))
    took = "" if seconds is None else f"NumPy on one processor core took {seconds:.0f} seconds for this page. "
    return "\n".join(parts) + f"\n---\n\n{took}The page as a notebook: [{source.stem}.ipynb]({source.stem}.ipynb).\n"


def _code(result: Result, name: str, numbers: Iterator[int]) -> str:
    text = f"```python\n{result.cell.text}\n```\n"
    if result.printed.strip():
        text += "\n```text\n" + "".join(f"{line.rstrip()}\n" for line in result.printed.splitlines()) + "```\n"
    for _, number in zip(result.pictures, numbers, strict=False):
        text += f"\n![{result.cell.title}](pictures/{name}-{number}.png)\n"
    return text


def without_results(text: str) -> str:
    """A page without what was printed and drawn, and without its last line: what its source alone decides.

    Args:
        text: the page.
    """
    return _OUTPUT.sub("", text).rpartition("\n---\n")[0]


def notebook(source: Path) -> str:
    """A tutorial as a Jupyter notebook (nbformat 4.5), without outputs.

    Args:
        source: its file.
    """
    entries = [_entry(number, cell) for number, cell in enumerate(cells(source)) if cell.kind != "check"]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": entries,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _entry(number: int, cell: Cell) -> dict[str, object]:
    code = {"execution_count": None, "outputs": []} if cell.kind == "code" else {}
    lines = cell.text.splitlines(keepends=True)
    return {"cell_type": cell.kind, "id": f"cell-{number}", "metadata": {}, "source": lines, **code}


def write(source: Path) -> None:
    """Run a tutorial and write its page and its pictures.

    Args:
        source: its file.
    """
    began = time.process_time()
    results = list(run(source))
    source.with_suffix(".md").write_text(page(source, results, time.process_time() - began))
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob(f"{source.stem}-*.png"):
        old.unlink()
    for number, picture in enumerate((p for result in results for p in result.pictures), 1):
        (PICTURES / f"{source.stem}-{number}.png").write_bytes(picture)


def main(arguments: list[str]) -> None:
    """Run, or write, the tutorials that are named, or all.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of the tutorials; all when none is named")
    parser.add_argument("--write", action="store_true", help="write the pages and the pictures")
    parser.add_argument("--notebooks", type=Path, metavar="FOLDER", help="write notebooks to FOLDER, and run nothing")
    given = parser.parse_args(arguments)
    for source in [FOLDER / f"{Path(name).stem}.py" for name in given.names] or tutorials():
        if given.notebooks:
            given.notebooks.mkdir(parents=True, exist_ok=True)
            (given.notebooks / f"{source.stem}.ipynb").write_text(notebook(source))
            continue
        began = time.process_time()
        write(source) if given.write else list(run(source))
        print(f"{source.stem}: {time.process_time() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
