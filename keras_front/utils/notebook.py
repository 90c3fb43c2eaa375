"""Showing things in a notebook, and changing what is shown, without importing IPython.

A notebook is there if the program has imported IPython and its shell has a kernel. Objects show themselves by the
methods that IPython calls: `_repr_html_`, `_repr_svg_`.
"""

from __future__ import annotations

import sys
from typing import Any


class _Shown:
    """What a notebook shows; elsewhere it is the text `text`."""

    text = ""

    def __repr__(self) -> str:
        return self.text


class Html(_Shown):
    """A piece of HTML that a notebook shows.

    Args:
        html: the HTML.
        text: what `repr` says.
    """

    def __init__(self, html: str, text: str):
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html


class Svg(_Shown):
    """A picture that a notebook shows.

    Args:
        svg: the text of an SVG file.
        text: what `repr` says.
    """

    def __init__(self, svg: str, text: str):
        self.svg, self.text = svg, text

    def _repr_svg_(self) -> str:
        return self.svg


class LiveOutput:
    """A place in the output of a notebook whose content can be replaced.

    Args:
        display: IPython's function of this name.
    """

    def __init__(self, display: Any):
        self._display, self._handle = display, None

    def show(self, thing: Any) -> None:
        """Show something in this place.

        Args:
            thing: any object with a method such as `_repr_html_`.
        """
        if self._handle is None:
            self._handle = self._display(thing, display_id=True)
        else:
            self._handle.update(thing)


def notebook_output() -> LiveOutput | None:
    """A new place below the cell that runs; None outside of a notebook, or where its output is caught."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None
    if getattr(shell, "kernel", None) is None:
        return None
    if type(sys.stdout).__module__.split(".")[0] not in {"ipykernel", "google"}:  # `redirect_stdout`, say
        return None
    return LiveOutput(module.display.display)  # type: ignore[union-attr]
