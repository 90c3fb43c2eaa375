"""The page `error-list.md` of the site: every message of the library, read from its source when the site is built.

`errors.md` explains what people meet; `tests/test_error_pages.py` looks that what it quotes is in the source.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from keras_front import errors

ROOT = Path(__file__).parent.parent
PACKAGES = [ROOT / "keras_front", *sorted((ROOT / "backends").glob("keras_front_*"))]
NOT_OF_USERS = {"testing"}
FAMILY = {name for name, item in vars(errors).items() if isinstance(item, type) and issubclass(item, BaseException)}
MAKERS = ("of", "lost", "refused")  # class methods that make an error
GAP = "..."


class Raised(NamedTuple):
    """One place where an error is made.

    Attributes:
        path: the file, from the root of the repository.
        line: the line.
        kind: the class of the error.
        message: its text, with `...` for what is known only then; empty if it is put together elsewhere.
    """

    path: str
    line: int
    kind: str
    message: str


def raised() -> list[Raised]:
    """Every place where the library makes an error of its family."""
    found = []
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            if not NOT_OF_USERS & set(path.relative_to(package).parts):
                found += in_file(path)
    return found


def in_file(path: Path) -> Iterator[Raised]:
    """The places in one file.

    Args:
        path: a file of the source.
    """
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        kind = _kind(node.func) if isinstance(node, ast.Call) else None
        if kind is not None and isinstance(node, ast.Call):
            text = next((text for text in map(template, node.args) if text), "")
            yield Raised(str(path.relative_to(ROOT)), node.lineno, kind, text)


def _kind(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute) and function.attr in MAKERS:
        function = function.value
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", None)
    return name if name in FAMILY else None


def template(node: ast.AST) -> str:
    """The text of a string in the source, with `...` for what is filled in; empty for anything else.

    Args:
        node: an expression.
    """
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        parts = [template(part) if isinstance(part, ast.Constant) else GAP for part in node.values]
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (template(node.left) or GAP) + (template(node.right) or GAP)
    return ""


def texts() -> str:
    """The source, with strings in one piece and `...` for what is filled in, to look for a message in."""
    sources = [path.read_text("utf-8") for package in PACKAGES for path in sorted(package.rglob("*.py"))]
    joined = re.sub(r"""["']\s*\n\s*[fr]*["']""", "", "\n".join(sources))
    return re.sub(r"\{[^{}\n]*\}", GAP, joined)


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "# All messages",
        "",
        "Every error that the library makes, with its text as it stands in the source; `...` stands for what is known",
        "only then. [Errors, by their text](errors.md) explains those that are met most.",
    ]
    part = None
    for item in sorted(raised(), key=lambda item: (_part(item.path), item.message)):
        if not item.message.replace(GAP, "").strip(" .:"):
            continue
        if _part(item.path) != part:
            part = _part(item.path)
            lines += ["", f"## {part}", ""]
        message = " ".join(item.message.split()).replace("`", "'")
        lines.append(f"- `{message}` ({item.kind})")
    return "\n".join(lines) + "\n"


def _part(path: str) -> str:
    package, *rest = Path(path).with_suffix("").parts[:-1] if path.startswith("backends") else Path(path).parts
    return rest[0].removesuffix(".py") if rest else package


if __name__ == "__main__":
    print(page())
