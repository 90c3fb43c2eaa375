"""Graphs as shapes: where the rectangles, words and lines of a picture are, whoever draws it.

Records are tables, as in Graphviz: `a|{b|c}` is a row, of which the second field is a column. A cluster is laid out by
itself and takes part in the graph around it as one box. Widths of texts are those of common sans-serif letters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from keras_front.utils.layered_layout import Layout, layered_layout

__all__ = ["Line", "Rectangle", "Words", "fields_of", "shapes_of", "text_width"]

FONT, LINE, PAD = 14.0, 17.0, 8.0  # size of letters, distance of lines, space around texts
FRAME = 14.0  # around what is in a cluster
BORDER = 8.0  # around all
_WIDTHS = {**dict.fromkeys("ijl.,:;'|!", 0.28), **dict.fromkeys("ftr()[]/\\ -", 0.34), **dict.fromkeys("mwMW@%", 0.86)}

Point = tuple[float, float]
Field = str | list["Field"]  # type: ignore[misc]


class Rectangle(NamedTuple):
    """A rectangle, filled or not, with a border."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None
    stroke: str
    dashed: bool = False


class Words(NamedTuple):
    """Lines of text: the middle of the first base line, or its start."""

    lines: list[str]
    x: float
    y: float
    centred: bool
    ink: str


class Line(NamedTuple):
    """A line with an arrow at its end: pieces of two points are straight, those of four bent as Bezier curves."""

    pieces: list[list[Point]]
    color: str


class _Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    text: str


# Records ----------------------------------------------------------------------------------------------------


def fields_of(label: str) -> list[Field]:
    """The fields of a record's label; those in braces are lists.

    Args:
        label: text, with fields between `|` and tables in `{}`; `<port>` names are left out.

    Example:
        >>> fields_of("a|{b|c}")
        ['a', ['b', 'c']]
    """
    stack: list[list[Field]] = [[]]
    text: str | None = ""
    for token in re.findall(r"\\.|<[^>]*>|[{}|]|[^\\<{}|]+", label, re.S):
        if token in "{|}":
            if token == "{":
                stack.append([])
                text = ""
                continue
            if text is not None:
                stack[-1].append(_shown(text))
            text = ""
            if token == "}" and len(stack) > 1:
                inner = stack.pop()
                stack[-1].append(inner)
                text = None  # nothing but `|` or `}` follows
        elif not token.startswith("<"):
            text = (text or "") + token
    if text is not None:
        stack[-1].append(_shown(text))
    return stack[0]


def _shown(text: str) -> str:
    unescaped = re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nlr" else m[1], text)
    return unescaped.strip(" ").rstrip("\n")


def text_width(text: str) -> float:
    """About how wide the longest line of a text is.

    Args:
        text: the text.
    """

    def one(letter: str) -> float:
        return _WIDTHS.get(letter, 0.68 if letter.isupper() else 0.57)

    return max((sum(map(one, line)) for line in text.split("\n")), default=0.0) * FONT


def _size(field: Field, across: bool) -> tuple[float, float]:
    """Width and height of a field; in a list each second level goes the other way."""
    if isinstance(field, str):
        return text_width(field) + 2 * PAD, LINE * (field.count("\n") + 1) + PAD
    sizes = [_size(part, not across) for part in field]
    widths, heights = [w for w, _ in sizes], [h for _, h in sizes]
    return (sum(widths), max(heights)) if across else (max(widths), sum(heights))


def _boxes(field: Field, across: bool, x: float, y: float, width: float, height: float) -> Iterator[_Box]:
    """The rectangles of a field that fills this place; what it does not need is shared among its parts."""
    if isinstance(field, str):
        yield _Box(x, y, width, height, field)
        return
    sizes = [_size(part, not across) for part in field]
    needed = sum(w if across else h for w, h in sizes)
    spare = ((width if across else height) - needed) / len(field)
    for part, (w, h) in zip(field, sizes, strict=True):
        step = (w if across else h) + spare
        yield from _boxes(part, not across, x, y, step if across else width, height if across else step)
        x, y = (x + step, y) if across else (x, y + step)


# Graphs -----------------------------------------------------------------------------------------------------


class _Drawing:
    """A graph or cluster with the places of what is in it, relative to its own corner."""

    def __init__(self, graph: Any, flip: bool, reverse: bool, defaults: dict[str, Any], edges: list[Any]):
        self.graph, self.flip, self.reverse = graph, flip, reverse
        self.defaults = {**defaults, **graph.node_defaults}
        edges = edges + graph.get_edges()  # also those from outside that lead into a cluster
        self.clusters = [_Drawing(c, flip, reverse, self.defaults, edges) for c in graph.get_subgraphs()]
        self.owner: dict[str, _Drawing] = {name: c for c in self.clusters for name in c.names}
        self.nodes: dict[str, Any] = {node.name: node for node in graph.get_nodes()}
        if not self._is_cluster:  # an edge may name a node that nobody has added
            named = [end for edge in edges for end in edge.ends if end not in self.names]
            self.nodes.update((name, graph.make_node(name)) for name in named)
        self.sizes: dict[Any, tuple[float, float]] = {name: self._node_size(node) for name, node in self.nodes.items()}
        self.sizes |= {id(cluster): cluster.size for cluster in self.clusters}
        self._lay_out(edges)

    @property
    def names(self) -> set[str]:
        """The names of all nodes here and in the clusters."""
        return {*self.nodes, *self.owner}

    def _end(self, name: str) -> Any:
        """What stands for a node in the layout: its name, or the cluster that it is in."""
        return id(self.owner[name]) if name in self.owner else name

    def _lay_out(self, edges: list[Any]) -> None:
        names = self.names
        pairs = [(self._end(a), self._end(b)) for a, b in (edge.ends for edge in edges) if a in names and b in names]
        entered = [self._end(b) for a, b in (edge.ends for edge in edges) if b in names and a not in names]
        layout = layered_layout({end: self._turn(size) for end, size in self.sizes.items()}, pairs, first=entered)
        if self.reverse:
            layout = _upside_down(layout)
        self.layout = layout
        width, height = self._turn(layout.size)
        label = str(self.graph.get("label") or "") if self._is_cluster else ""
        edge = FRAME if self._is_cluster else 0.0
        self.margin = edge, edge + (LINE if label else 0.0)
        self.size = max(width + 2 * edge, text_width(label) + 2 * PAD), height + edge + self.margin[1]

    @property
    def _is_cluster(self) -> bool:
        return bool(self.graph.is_cluster)

    def _turn(self, point: tuple[float, float]) -> tuple[float, float]:
        return (point[1], point[0]) if self.flip else point

    def _node_size(self, node: Any) -> tuple[float, float]:
        return _size(self._fields(node), not self.flip)

    def _fields(self, node: Any) -> Field:
        label = node.get("label")
        text = node.name if label is None else str(label)
        is_record = str(node.get("shape") or self.defaults.get("shape", "")).lower() in ("record", "mrecord")
        return fields_of(text) if is_record else [_shown(text)]

    def _corner_of(self, cluster: _Drawing) -> tuple[float, float]:
        x, y = self._turn(self.layout.centres[id(cluster)])
        return self.margin[0] + x - cluster.size[0] / 2, self.margin[1] + y - cluster.size[1] / 2

    def place_of(self, name: str) -> tuple[float, float]:
        """The centre of a node here or in a cluster."""
        if name in self.owner:
            (x, y), (left, top) = self.owner[name].place_of(name), self._corner_of(self.owner[name])
            return left + x, top + y
        x, y = self._turn(self.layout.centres[name])
        return self.margin[0] + x, self.margin[1] + y

    def size_of(self, name: str) -> tuple[float, float]:
        """Width and height of a node here or in a cluster."""
        return self.owner[name].size_of(name) if name in self.owner else self.sizes[name]

    # Shapes -----------------------------------------------------------------------------------------------

    def shapes(self, x: float, y: float) -> Iterator[Rectangle | Words | Line]:
        """Clusters, edges and nodes, when the corner of this lies at a place of the picture."""
        for cluster in self.clusters:
            left, top = self._corner_of(cluster)
            yield from cluster.frame(x + left, y + top)
            yield from cluster.shapes(x + left, y + top)
        for edge in self.graph.get_edges():
            if self.names.issuperset(edge.ends):
                points = [(x + px, y + py) for px, py in self._route(edge)]
                yield Line(_pieces(points, self.flip), str(edge.get("color") or "black"))
        for name, node in self.nodes.items():
            px, py = self.place_of(name)
            yield from self._node_shapes(node, x + px, y + py)

    def frame(self, x: float, y: float) -> Iterator[Rectangle | Words]:
        """The border of a cluster, with its label."""
        yield Rectangle(x, y, *self.size, None, "gray", "dashed" in str(self.graph.get("style") or ""))
        if label := str(self.graph.get("label") or ""):
            yield Words([label], x + PAD, y + LINE, False, "black")

    def _route(self, edge: Any) -> list[tuple[float, float]]:
        a, b = edge.ends
        between = self.layout.routes.get((self._end(a), self._end(b)), [])[1:-1]
        bends = [self._turn(point) for point in between]
        return [
            self._side(a, 1),
            *((bx + self.margin[0], by + self.margin[1]) for bx, by in bends),
            self._side(b, -1),
        ]

    def _side(self, name: str, direction: int) -> tuple[float, float]:
        (x, y), (width, height) = self.place_of(name), self.size_of(name)
        direction = -direction if self.reverse else direction
        return (x + direction * width / 2, y) if self.flip else (x, y + direction * height / 2)

    def _node_shapes(self, node: Any, x: float, y: float) -> Iterator[Rectangle | Words]:
        width, height = self.sizes[node.name]
        style = {**self.defaults, **node.attributes}
        filled = "filled" in str(style.get("style", "")) or "fillcolor" in style
        fill = str(style.get("fillcolor") or (style.get("color") if filled else None) or "white")
        ink, stroke = str(style.get("fontcolor") or "black"), str(style.get("color") or "black")
        for box in _boxes(self._fields(node), not self.flip, x - width / 2, y - height / 2, width, height):
            yield Rectangle(*box[:4], fill, stroke)
            lines = box.text.split("\n")
            top = box.y + box.height / 2 + FONT * 0.35 - (len(lines) - 1) * LINE / 2
            yield Words(lines, box.x + box.width / 2, top, True, ink)


def _pieces(points: list[Point], flip: bool) -> list[list[Point]]:
    """A line through the points: bent between two layers, straight where it passes a layer."""
    pieces = []
    for i, (a, b) in enumerate(itertools.pairwise(points)):
        middle = (a[0] + b[0]) / 2 if flip else (a[1] + b[1]) / 2
        controls = [(middle, a[1]), (middle, b[1])] if flip else [(a[0], middle), (b[0], middle)]
        pieces.append([a, b] if i % 2 else [a, *controls, b])
    return pieces


def shapes_of(graph: Any) -> tuple[list[Rectangle | Words | Line], Point]:
    """What a picture of a graph consists of, in the order of drawing, and its width and height.

    Args:
        graph: the graph, a `Dot` of `dot.py`. `rankdir` says which way its edges point: 'TB' down, 'LR' to the right,
            'BT', 'RL'. Of other attributes, labels, records, colours and dashed clusters are drawn.
    """
    direction = str(graph.get("rankdir") or "TB").upper()
    drawn = _Drawing(graph, direction in ("LR", "RL"), direction in ("BT", "RL"), {}, [])
    width, height = drawn.size
    return list(drawn.shapes(BORDER / 2, BORDER / 2)), (width + BORDER, height + BORDER)


def _upside_down(layout: Layout) -> Layout:
    """The same places, with the first layer at the other end."""
    height = layout.size[1]
    centres = {name: (x, height - y) for name, (x, y) in layout.centres.items()}
    routes = {ends: [(x, height - y) for x, y in route] for ends, route in layout.routes.items()}
    return Layout(centres, routes, layout.size)
