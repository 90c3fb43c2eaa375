"""Pictures of graphs as SVG, drawn without Graphviz."""

from __future__ import annotations

from html import escape
from typing import Any

from keras_front.utils.graph_shapes import FONT, LINE, Rectangle, Words, shapes_of
from keras_front.utils.graph_shapes import Line as Arrow

__all__ = ["drawing"]


def drawing(graph: Any) -> str:
    """A picture of a graph as the text of an SVG file.

    Args:
        graph: the graph, a `Dot` of `dot.py`.
    """
    shapes, size = shapes_of(graph)
    width, height = map(round, size)
    body = "\n".join(element for element in map(_element, shapes) if element)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="{FONT:g}">\n'
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0,1 L10,5 L0,9 z"/></marker></defs>\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )


def _element(shape: Rectangle | Words | Arrow) -> str:
    if isinstance(shape, Words):
        return _text(shape)
    if isinstance(shape, Arrow):
        return _path(shape)
    dashes = ' stroke-dasharray="5,4"' if shape.dashed else ""
    return (
        f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
        f'fill="{escape(shape.fill or "none")}" stroke="{escape(shape.stroke)}"{dashes}/>'
    )


def _text(words: Words) -> str:
    anchor = "middle" if words.centred else "start"
    start = f'<text x="{words.x:.1f}" y="{words.y:.1f}" text-anchor="{anchor}" fill="{escape(words.ink)}">'
    if len(words.lines) == 1:
        return f"{start}{escape(words.lines[0])}</text>" if words.lines[0] else ""
    spans = "".join(
        f'<tspan x="{words.x:.1f}" dy="{LINE if i else 0}">{escape(line)}</tspan>' for i, line in enumerate(words.lines)
    )
    return f"{start}{spans}</text>"


def _path(arrow: Arrow) -> str:
    path = "M{:.1f},{:.1f}".format(*arrow.pieces[0][0])
    for _, *points in arrow.pieces:
        path += (" L" if len(points) == 1 else " C") + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<path d="{path}" fill="none" stroke="{escape(arrow.color)}" marker-end="url(#arrow)"/>'
