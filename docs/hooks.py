"""What MkDocs does beside reading Markdown: it adds the reference, the changes and the page for contributors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import reference
import run_tutorials
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

DOCS = Path(__file__).parent


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of the reference and the decisions, which the settings leave out.

    Args:
        config: the settings of the site.
    """
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    parts = {
        "Reference": [{module: f"reference/{module}.md"} for module in reference.MODULES],
        "Decisions": [f"decisions/{page.name}" for page in decisions],
    }
    config.nav = [{name: parts.get(name, pages)} for part in config.nav or () for name, pages in part.items()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made while the site is built.

    Args:
        files: the files of the folder docs.
        config: the settings of the site.
    """
    for module in reference.MODULES:
        files.append(File.generated(config, f"reference/{module}.md", content=reference.page(module)))
    for name in ("CHANGELOG", "CONTRIBUTING"):
        text = (DOCS.parent / f"{name}.md").read_text().replace("](docs/", "](")
        files.append(File.generated(config, f"{name.lower()}.md", content=text))
    for source in run_tutorials.tutorials():
        name, content = f"tutorials/{source.stem}.ipynb", run_tutorials.notebook(source)
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Links to files of the repository that the site does not show become their names.

    Args:
        markdown: the text of a page.
        page: the page.
        config: the settings of the site.
        files: all files of the site.
    """
    folder = (DOCS / page.file.src_uri).parent

    def shown(link: re.Match[str]) -> str:
        target = (folder / link[2].partition("#")[0]).resolve()
        inside = target.is_relative_to(DOCS) and target.suffix in (".md", ".png", ".svg", ".ipynb")
        return link[0] if ":" in link[2] or link[2].startswith("#") or inside else link[1]

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", shown, markdown)
