"""Matplotlib, where pictures of numbers are wanted: imported when the first one is drawn.

Figures that go to a file or a notebook are made without `pyplot`, so that they need no screen and leave nothing open.
"""

from __future__ import annotations

import io
import os
from typing import Any

from keras_front.errors import ArgumentError, MissingPackageError

SIZE = (4.6, 3.2)  # inches of one panel


def import_matplotlib(what: str, module: str = "matplotlib.figure") -> Any:
    """A module of Matplotlib.

    Args:
        what: what needs it, as the subject of a sentence in the plural.
        module: its name.

    Raises: MissingPackageError if it cannot be imported.
    """
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError.of(what, "Matplotlib", "plot") from error


def new_figure(
    what: str, rows: int = 1, columns: int = 1, size: tuple[float, float] = SIZE, shown: bool = False
) -> Any:
    """A figure without axes.

    Args:
        what: what is drawn, as the subject of a sentence in the plural.
        rows: of panels.
        columns: of panels.
        size: width and height of a panel, in inches.
        shown: whether `pyplot` knows it, so that `pyplot.show()` and notebooks show it.

    Raises: MissingPackageError without Matplotlib.
    """
    whole = {"figsize": (size[0] * columns, size[1] * rows), "layout": "constrained"}
    if shown:
        return import_matplotlib(what, "matplotlib.pyplot").figure(**whole)
    return import_matplotlib(what).Figure(**whole)


def save(figure: Any, to_file: str | os.PathLike[str]) -> None:
    """Write a figure in the format of the file's name; `.png` is added to a name without an end.

    Args:
        figure: of Matplotlib.
        to_file: the file.

    Raises: ArgumentError for a format that Matplotlib does not write.
    """
    if not isinstance(to_file, str | os.PathLike):
        raise ArgumentError(f"to_file: expected the name of a file, received {to_file!r}.")
    path = os.fspath(to_file)
    path = path if os.path.splitext(path)[1] else path + ".png"
    known, end = figure.canvas.get_supported_filetypes(), os.path.splitext(path)[1][1:].lower()
    if end not in known:
        raise ArgumentError(f"to_file: expected a name that ends in .{', .'.join(sorted(known))}, received {path!r}.")
    _write(figure, path, end)


def svg_of(figure: Any) -> str:
    """A figure as the text of an SVG file.

    Args:
        figure: of Matplotlib.
    """
    buffer = io.StringIO()
    _write(figure, buffer, "svg")
    return buffer.getvalue()


def _write(figure: Any, target: Any, end: str) -> None:
    """Write a figure so that equal pictures are equal files: without a date, and with ids that are not drawn."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "keras_front"}):
        figure.savefig(target, format=end, metadata={"Date": None} if end == "svg" else None)
