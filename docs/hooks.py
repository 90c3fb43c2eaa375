"""What MkDocs does beside reading Markdown: it adds the reference, the changes and the page for contributors."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import error_list
import reference
import run_tutorials
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

DOCS = Path(__file__).parent
# How much a page counts in a search: what teaches or explains comes before what lists, and that before decisions.
SEARCH = {
    "errors.md": 3, "guides/": 3, "from/": 2, "tutorials/": 2, "reference/layers/": 4, "decisions/": 0.3,
    "error-list": 0.5, "architecture": 0.3, "benchmarks": 0.3, "changelog": 0.3, "reference/applications/": 0.3,
}  # fmt: skip
BAR = r"\|"
LINK = r"\[([^\]]+)\]\(([^)\s]+)\)"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of the reference and the decisions, which the settings leave out.

    Args:
        config: the settings of the site.
    """
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    parts = {
        "Reference": reference.navigation(),
        "Decisions": ["decisions/index.md", *(f"decisions/{page.name}" for page in decisions)],
    }
    config.nav = [{name: parts.get(name, pages)} for part in config.nav or () for name, pages in part.items()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made while the site is built.

    Args:
        files: the files of the folder docs.
        config: the settings of the site.
    """
    for path, content in reference.pages():
        files.append(File.generated(config, path, content=content))
    files.append(File.generated(config, "decisions/index.md", content=decisions_table()))
    files.append(File.generated(config, "error-list.md", content=error_list.page()))
    for name in ("CHANGELOG", "CONTRIBUTING"):
        text = (DOCS.parent / f"{name}.md").read_text().replace("](docs/", "](")
        files.append(File.generated(config, f"{name.lower()}.md", content=text))
    for source in run_tutorials.tutorials():
        name, content = f"tutorials/{source.stem}.ipynb", run_tutorials.notebook(source)
        files.append(File.generated(config, name, content=content))
    return files


def decisions_table() -> str:
    """The page with a line for each decision: its number, its title, and what it was about."""
    lines = [
        "# Decisions", "",
        "Choices that are expensive to undo, each with its context, its price and the numbers it was made by. Read one",
        "when something looks odd: most oddities were chosen, and the page says instead of what.", "",
        "| | decision | why there was one |", "|---|---|---|",
    ]  # fmt: skip
    for page in sorted((DOCS / "decisions").glob("0*.md")):
        text = page.read_text()
        number, title = re.match(r"# (\d+)\. (.*)", text).groups()  # type: ignore[union-attr]
        context = re.search(r"\*\*Context\.\*\* (.*?[.?!])(?:\s|$)", text, re.S)
        why = re.sub(LINK, r"\1", " ".join(context[1].split()).replace("|", "\\|")) if context else ""
        lines.append(f"| {number} | [{title}]({page.name}) | {why} |")
    return "\n".join(lines) + "\n"


def description(markdown: str) -> str:
    """What a search engine shows of a page: its first paragraph, as plain text.

    Args:
        markdown: the text of the page.
    """
    paragraphs = (part for part in markdown.split("\n\n") if re.match(r"[\w`*(\[]", part.strip()))
    text = re.sub(r"[`*\\]", "", re.sub(LINK, r"\1", " ".join(next(paragraphs, "").split())))
    return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " ..."


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Links to files that the site does not show become their names, code in tables shows its bars, and so on.

    Args:
        markdown: the text of a page.
        page: the page.
        config: the settings of the site.
        files: all files of the site.
    """
    page.meta.setdefault("description", description(markdown))
    boosts = (boost for start, boost in SEARCH.items() if page.file.src_uri.startswith(start))
    page.meta.setdefault("search", {"boost": next(boosts, 1)})
    folder = (DOCS / page.file.src_uri).parent

    def shown(link: re.Match[str]) -> str:
        target = (folder / link[2].partition("#")[0]).resolve()
        inside = target.is_relative_to(DOCS) and target.suffix in (".md", ".png", ".svg", ".ipynb")
        return link[0] if ":" in link[2] or link[2].startswith("#") or inside else link[1]

    return re.sub(LINK, shown, "\n".join(map(_row, markdown.split("\n"))))


def _row(line: str) -> str:
    """A row of a table: escaped bars in code, which GitHub shows as bars, MkDocs would show with their backslashes."""

    def code(span: re.Match[str]) -> str:
        return f"<code>{html.escape(span[1].replace(BAR, '|'), quote=False).replace('|', '&#124;')}</code>"

    return re.sub(r"`([^`]*\\\|[^`]*)`", code, line) if line.startswith("|") and BAR in line else line
