"""Tables in boxes, in the form in which Keras 3 prints a summary. Knows texts only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: what stands on top.
        width: of the column with a space on either side, in a table of the usual width.
        align: 'left', 'right' or 'center'.
    """

    title: str
    width: int
    align: str = "left"


def boxed(
    columns: Sequence[Column], rows: Sequence[Sequence[Sequence[str]]], length: int | None, ends: Sequence[float] | None
) -> list[str]:
    """The lines of a table.

    Args:
        columns: its columns.
        rows: for each row, and in it for each column, the lines of a cell. One that is too long is cut, but a text
            'name (Type)' is first divided before the bracket.
        length: width of the table; by default what the columns say.
        ends: where each column ends: fractions of the width, or places; by default in proportion to their widths.
    """
    widths = _widths(columns, length, ends)
    lines = [_edge(widths, "┏━┳┓")]
    lines += _lines([[column.title] for column in columns], columns, widths, "┃")
    lines.append(_edge(widths, "┡━╇┩"))
    for index, row in enumerate(rows):
        if index:
            lines.append(_edge(widths, "├─┼┤"))
        lines += _lines(row, columns, widths, "│")
    return [*lines, _edge(widths, "└─┴┘")]


def _edge(widths: Sequence[int], signs: str) -> str:
    """A line across: its first sign, what it is made of, what stands between columns, and its last sign."""
    return signs[0] + signs[2].join(signs[1] * width for width in widths) + signs[3]


def _widths(columns: Sequence[Column], length: int | None, ends: Sequence[float] | None) -> list[int]:
    usual = [column.width for column in columns]
    if length is None and ends is None:
        return usual
    room = (length or sum(usual) + len(usual) + 1) - len(columns) - 1
    if ends is None:
        shares = [width / sum(usual) for width in usual]
    else:
        whole = [end / ends[-1] for end in ends]
        shares = [b - a for a, b in zip([0.0, *whole], whole)]
    widths = [max(3, int(room * share)) for share in shares]
    by_rest = sorted(range(len(shares)), key=lambda i: round(int(room * shares[i]) - room * shares[i], 6))
    for index in by_rest[: max(0, room - sum(widths))]:
        widths[index] += 1
    return widths


def _lines(row: Sequence[Sequence[str]], columns: Sequence[Column], widths: Sequence[int], edge: str) -> list[str]:
    cells = [_cell(cell, column, width) for cell, column, width in zip(row, columns, widths, strict=True)]
    height = max(map(len, cells))
    filled = [cell + [" " * width] * (height - len(cell)) for cell, width in zip(cells, widths, strict=True)]
    return [edge + edge.join(parts) + edge for parts in zip(*filled, strict=True)]


def _cell(texts: Sequence[str], column: Column, width: int) -> list[str]:
    room = width - 2
    place = {"left": str.ljust, "right": str.rjust, "center": str.center}[column.align]
    return [f" {place(_cut(line, room), room)} " for text in texts for line in _divided(text, room)]


def _divided(text: str, room: int) -> list[str]:
    name, bracket, kind = text.rpartition(" (")
    return [name, f"({kind}"] if len(text) > room and bracket and kind.endswith(")") and name else [text]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "\u2026"
