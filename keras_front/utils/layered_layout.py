"""Where the nodes of a directed graph without circles go: layer by layer, with few crossings and straight lines.

Source: Sugiyama, Tagawa & Toda, Methods for visual understanding of hierarchical system structures (1981). Layers by
the longest path; orders by means of neighbours; places by least squares under the order, a row at a time, by pooling
neighbours that violate it. This module knows boxes and edges, neither layers of networks nor files.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Layout", "layered_layout"]

_SWEEPS = 12
_STRAIGHT = (
    4.0,
    1.0,
    8.0,
)  # how much it matters that a line is straight: between boxes, at one end of a long line, in it

Name = Any  # whatever the caller calls a box; a `_Bend` for a place in a long line
Point = tuple[float, float]


class _Bend(NamedTuple):
    """Where a long line passes a layer."""

    edge: tuple[Name, Name]
    layer: int


class Layout(NamedTuple):
    """Places: of the centre of each box, of the corners of each edge, and the size of all.

    The first coordinate goes across the layers, the second along the edges.
    """

    centres: dict[Name, Point]
    routes: dict[tuple[Name, Name], list[Point]]
    size: Point


def layered_layout(
    sizes: Mapping[Name, Point],
    edges: Sequence[tuple[Name, Name]],
    gap: float = 24.0,
    distance: float = 36.0,
    first: Sequence[Name] = (),
) -> Layout:
    """Places for boxes, so that all edges point the same way.

    Args:
        sizes: width and height of each box, by its name.
        edges: pairs of names: where it begins, where it ends.
        gap: between neighbours in a layer.
        distance: between two layers.
        first: names that belong into the first layer.
    """
    edges = list(dict.fromkeys((a, b) for a, b in edges if a != b))
    layer_of = _layers(list(sizes), edges, set(first))
    chains = {edge: _chain(edge, layer_of) for edge in edges}
    rows = _rows(sizes, layer_of, chains)
    links = [pair for chain in chains.values() for pair in itertools.pairwise(chain)]
    _order(rows, links)
    widths = {name: sizes[name][0] if name in sizes else 4.0 for row in rows for name in row}
    across = _across(rows, links, widths, gap)
    along, height = _along(rows, sizes, distance)
    left = min((across[n] - widths[n] / 2 for n in across), default=0.0)
    centres = {name: (across[name] - left, along[layer_of[name]]) for name in sizes}
    halves = [max((sizes[n][1] / 2 for n in row if n in sizes), default=0.0) for row in rows]
    routes = {}
    for (a, b), chain in chains.items():
        start, end = (centres[a][0], centres[a][1] + sizes[a][1] / 2), (centres[b][0], centres[b][1] - sizes[b][1] / 2)
        bends = [
            (across[bend] - left, along[bend.layer] + side * halves[bend.layer])  # straight past the boxes of a layer
            for bend in chain[1:-1]
            for side in (-1, 1)
        ]
        routes[a, b] = [start, *bends, end]
    width = max((across[n] + widths[n] / 2 for n in across), default=0.0) - left
    return Layout(centres, routes, (width, height))


# Layers -----------------------------------------------------------------------------------------------------


def _layers(names: list[Name], edges: Sequence[tuple[Name, Name]], first: set[Name]) -> dict[Name, int]:
    """The layer of each box: the length of the longest path to it; those without one stand before whom they lead to."""
    before: dict[Name, list[Name]] = defaultdict(list)
    after: dict[Name, list[Name]] = defaultdict(list)
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    layer = dict.fromkeys(names, 0)
    missing = {name: len(before[name]) for name in names}
    ready = [name for name in names if not missing[name]]
    for name in ready:
        for other in after[name]:
            layer[other] = max(layer[other], layer[name] + 1)
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    for name in names:
        if not before[name] and after[name] and name not in first:
            layer[name] = min(layer[other] for other in after[name]) - 1
    return layer


def _chain(edge: tuple[Name, Name], layer_of: Mapping[Name, int]) -> list[Name]:
    """The boxes of an edge, and a bend in each layer between."""
    a, b = edge
    return [a, *(_Bend(edge, layer) for layer in range(layer_of[a] + 1, layer_of[b])), b]


def _rows(
    sizes: Mapping[Name, Point], layer_of: Mapping[Name, int], chains: Mapping[Name, list[Name]]
) -> list[list[Name]]:
    rows: list[list[Name]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for name in sizes:
        rows[layer_of[name]].append(name)
    for (a, _), chain in chains.items():
        for i, bend in enumerate(chain[1:-1], layer_of[a] + 1):
            rows[i].append(bend)
    return rows


# Orders -----------------------------------------------------------------------------------------------------


def _neighbours(links: Sequence[tuple[Name, Name]]) -> tuple[dict[Name, list[Name]], dict[Name, list[Name]]]:
    above: dict[Name, list[Name]] = defaultdict(list)
    below: dict[Name, list[Name]] = defaultdict(list)
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    return above, below


def _order(rows: list[list[Name]], links: Sequence[tuple[Name, Name]]) -> None:
    """Sort each row by the mean places of its neighbours, down and up, and keep the order with the fewest crossings."""
    above, below = _neighbours(links)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            _sort_row(row, rows, above if down else below)
        count = _crossings(rows, below)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _sort_row(row: list[Name], rows: list[list[Name]], near: Mapping[Name, list[Name]]) -> None:
    place = {name: i / max(len(other) - 1, 1) for other in rows for i, name in enumerate(other)}
    wanted = {
        name: sum(place[other] for other in near[name]) / len(near[name]) if near.get(name) else place[name]
        for name in row
    }
    row.sort(key=wanted.__getitem__)


def _crossings(rows: list[list[Name]], below: Mapping[Name, list[Name]]) -> int:
    count = 0
    for row, under in itertools.pairwise(rows):
        place = {name: i for i, name in enumerate(under)}
        ends = [sorted(place[other] for other in below.get(name, ())) for name in row]
        flat = [end for group in ends for end in group]
        count += sum(a > b for i, a in enumerate(flat) for b in flat[i + 1 :]) if len(flat) < 400 else 0
    return count


# Places -----------------------------------------------------------------------------------------------------


def _across(
    rows: list[list[Name]], links: Sequence[tuple[Name, Name]], widths: Mapping[Name, float], gap: float
) -> dict[Name, float]:
    """Places in the rows that keep the order and the gaps, as near to the neighbours' as can be."""
    above, below = _neighbours(links)
    place: dict[Name, float] = {}
    for row in rows:  # boxes in the middle, lines beside them
        _place_row(row, place, widths, gap, {name: (0.0, 0.01 if _is_bend(name) else 1.0) for name in row})
    for sweep in range(2 * _SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = {name: _wanted(name, [*above[name], *below[name]], place) for name in row}
            _place_row(row, place, widths, gap, wanted)
    return place


def _is_bend(name: Name) -> bool:
    return isinstance(name, _Bend)


def _wanted(name: Name, near: list[Name], place: Mapping[Name, float]) -> tuple[float, float]:
    """Where a box or bend should be for the sake of its neighbours, and how much that counts."""
    if not near:
        return place[name], 0.1
    weights = [_STRAIGHT[_is_bend(name) + _is_bend(other)] for other in near]
    total = sum(weights)
    return sum(weight * place[other] for weight, other in zip(weights, near, strict=True)) / total, total


def _place_row(
    row: list[Name],
    place: dict[Name, float],
    widths: Mapping[Name, float],
    gap: float,
    wanted: Mapping[Name, tuple[float, float]],
) -> None:
    offsets = [0.0][: len(row)]
    for a, b in itertools.pairwise(row):
        offsets.append(offsets[-1] + (widths[a] + widths[b]) / 2 + gap)
    fitted = _rising(
        [wanted[name][0] - offset for name, offset in zip(row, offsets, strict=True)],
        [wanted[name][1] for name in row],
    )
    for name, value, offset in zip(row, fitted, offsets, strict=True):
        place[name] = value + offset


def _rising(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The numbers that never fall and are nearest to those that are wanted (isotonic regression)."""
    pools: list[list[float]] = []  # weighted mean, weight, count
    for value, weight in zip(wanted, weights, strict=True):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, total, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * total) / (last[1] + total)
            last[1], last[2] = last[1] + total, last[2] + count
    return [mean for mean, _, count in pools for _ in range(int(count))]


def _along(rows: list[list[Name]], sizes: Mapping[Name, Point], distance: float) -> tuple[list[float], float]:
    middles, end = [], 0.0
    for row in rows:
        height = max((sizes[name][1] for name in row if name in sizes), default=0.0)
        middles.append(end + height / 2)
        end += height + distance
    return middles, max(end - distance, 0.0)
