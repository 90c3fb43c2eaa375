"""Runs the Python blocks of the pages; says or writes what they print: `python docs/run_pages.py [--write] [page]`.

The blocks of a page are one program: each sees the names of those above it. A block ```text right below a Python block
is what that one prints; `...` in it stands for anything. `--write` puts in what is printed now. Blocks ```py, which
need several devices, are not run.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parent
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.M | re.S)


class Block(NamedTuple):
    """A Python block: the line on which it starts, its code, what the page says that it prints, and what it prints."""

    line: int
    code: str
    said: str | None
    printed: str

    def is_right(self) -> bool:
        """Whether the page says what is printed; spaces at the ends of lines do not count."""
        said, printed = (
            "\n".join(map(str.rstrip, text.splitlines())) + "\n" for text in (self.said or "", self.printed)
        )
        return self.said is None or doctest.OutputChecker().check_output(said, printed, doctest.ELLIPSIS)


def pages() -> list[Path]:
    """The pages with Python blocks; decisions speak of code as it was, tutorials are run by run_tutorials.py."""
    found = (page for page in sorted(DOCS.rglob("*.md")) if page.parent.name not in ("decisions", "tutorials"))
    return [page for page in found if _BLOCK.search(page.read_text())]


def run(page: Path) -> Iterator[Block]:
    """The blocks of a page, each after it was run; files that they write go to a folder of their own.

    Args:
        page: the page.

    Raises: whatever a block raises, with the page and the line in its traceback.
    """
    text, names = page.read_text(), {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for found in _BLOCK.finditer(text):
            line, out = text.count("\n", 0, found.start("code")), io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile("\n" * line + found["code"], str(page), "exec"), names)
            yield Block(line + 1, found["code"], found["printed"], out.getvalue())


def written(page: Path) -> str:
    """The text of a page with what its blocks print now.

    Args:
        page: the page.
    """
    done = run(page)

    def filled(found: re.Match[str]) -> str:
        block = next(done)
        if block.said is None or (block.said.strip() and block.is_right()):
            return found[0]
        lines = "".join(f"{line.rstrip()}\n" for line in block.printed.splitlines())
        return f"```python\n{block.code}```\n\n```text\n{lines}```\n"

    return _BLOCK.sub(filled, page.read_text())


def main(arguments: list[str]) -> int:
    """Run the pages that are named, or all, and say which blocks print something else than their page says.

    Args:
        arguments: of the command line.
    """
    wrong = 0
    chosen = [Path(name) for name in arguments if name != "--write"] or pages()
    for page in map(Path.resolve, chosen):
        if "--write" in arguments:
            page.write_text(written(page))
            continue
        for block in run(page):
            if not block.is_right():
                wrong += 1
                print(f"{os.path.relpath(page)}:{block.line} prints\n{block.printed}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
