"""Pictures of graphs as SVG: what `dot.py` describes, drawn without Graphviz.

Records are tables, as in Graphviz: `a|{b|c}` is a row, of which the second field is a column. A cluster is laid out by
itself and takes part in the graph around it as one box. Widths of texts are those of common sans-serif letters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from keras_front.utils.layered_layout import Layout, layered_layout

__all__ = ["drawing"]

FONT, LINE, PAD = 14.0, 17.0, 8.0  # size of letters, distance of lines, space around texts
FRAME = 14.0  # around what is in a cluster
_WIDTHS = {**dict.fromkeys("ijl.,:;'|!", 0.28), **dict.fromkeys("ftr()[]/\\ -", 0.34), **dict.fromkeys("mwMW@%", 0.86)}

Field = str | list["Field"]  # type: ignore[misc]


class Box(NamedTuple):
    """A rectangle with a text, in the coordinates of the picture."""

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


def _text_width(text: str) -> float:
    def one(letter: str) -> float:
        return _WIDTHS.get(letter, 0.68 if letter.isupper() else 0.57)

    return max((sum(map(one, line)) for line in text.split("\n")), default=0.0) * FONT


def _size(field: Field, across: bool) -> tuple[float, float]:
    """Width and height of a field; in a list each second level goes the other way."""
    if isinstance(field, str):
        return _text_width(field) + 2 * PAD, LINE * (field.count("\n") + 1) + PAD
    sizes = [_size(part, not across) for part in field]
    widths, heights = [w for w, _ in sizes], [h for _, h in sizes]
    return (sum(widths), max(heights)) if across else (max(widths), sum(heights))


def _boxes(field: Field, across: bool, x: float, y: float, width: float, height: float) -> Iterator[Box]:
    """The rectangles of a field that fills this place; what it does not need is shared among its parts."""
    if isinstance(field, str):
        yield Box(x, y, width, height, field)
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
        self.size = max(width + 2 * edge, _text_width(label) + 2 * PAD), height + edge + self.margin[1]

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

    # Elements ---------------------------------------------------------------------------------------------

    def elements(self, x: float, y: float) -> Iterator[str]:
        """Clusters, edges and nodes, when the corner of this lies at a place of the picture."""
        for cluster in self.clusters:
            left, top = self._corner_of(cluster)
            yield cluster.frame(x + left, y + top)
            yield from cluster.elements(x + left, y + top)
        for edge in self.graph.get_edges():
            if self.names.issuperset(edge.ends):
                yield _edge_element(edge, [(x + px, y + py) for px, py in self._route(edge)], self.flip)
        for name, node in self.nodes.items():
            px, py = self.place_of(name)
            yield from self._node_elements(node, x + px, y + py)

    def frame(self, x: float, y: float) -> str:
        """The border of a cluster, with its label."""
        dashes = ' stroke-dasharray="5,4"' if "dashed" in str(self.graph.get("style") or "") else ""
        box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{self.size[0]:.1f}" height="{self.size[1]:.1f}" fill="none" '
        label = _text(str(self.graph.get("label") or ""), x + PAD, y + LINE, "start", "black")
        return f'{box}stroke="gray"{dashes}/>{label}'

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

    def _node_elements(self, node: Any, x: float, y: float) -> Iterator[str]:
        width, height = self.sizes[node.name]
        style = {**self.defaults, **node.attributes}
        filled = "filled" in str(style.get("style", "")) or "fillcolor" in style
        fill = str(style.get("fillcolor") or (style.get("color") if filled else None) or "white")
        ink = str(style.get("fontcolor") or "black")
        for box in _boxes(self._fields(node), not self.flip, x - width / 2, y - height / 2, width, height):
            yield (
                f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
                f'fill="{escape(fill)}" stroke="{escape(str(style.get("color") or "black"))}"/>'
            )
            lines = box.text.count("\n")
            yield _text(
                box.text, box.x + box.width / 2, box.y + box.height / 2 + FONT * 0.35 - lines * LINE / 2, "middle", ink
            )


def _text(text: str, x: float, y: float, anchor: str, ink: str) -> str:
    start = f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{escape(ink)}">'
    lines = text.split("\n")
    if len(lines) == 1:
        return f"{start}{escape(text)}</text>" if text else ""
    spans = "".join(
        f'<tspan x="{x:.1f}" dy="{LINE if i else 0}">{escape(line)}</tspan>' for i, line in enumerate(lines)
    )
    return f"{start}{spans}</text>"


def _edge_element(edge: Any, points: list[tuple[float, float]], flip: bool) -> str:
    """A line through the points: bent between two layers, straight where it passes a layer."""
    path = "M{:.1f},{:.1f}".format(*points[0])
    for i, (a, b) in enumerate(itertools.pairwise(points)):
        if i % 2:
            path += f" L{b[0]:.1f},{b[1]:.1f}"
            continue
        middle = (a[0] + b[0]) / 2 if flip else (a[1] + b[1]) / 2
        controls = ((middle, a[1]), (middle, b[1])) if flip else ((a[0], middle), (b[0], middle))
        path += " C" + " ".join(f"{px:.1f},{py:.1f}" for px, py in (*controls, b))
    color = escape(str(edge.get("color") or "black"))
    return f'<path d="{path}" fill="none" stroke="{color}" marker-end="url(#arrow)"/>'


def drawing(graph: Any) -> str:
    """A picture of a graph as the text of an SVG file.

    Args:
        graph: the graph, a `Dot` of `dot.py`. `rankdir` says which way its edges point: 'TB' down, 'LR' to the right,
            'BT', 'RL'. Of other attributes, labels, records, colours and dashed clusters are drawn.
    """
    direction = str(graph.get("rankdir") or "TB").upper()
    drawn = _Drawing(graph, direction in ("LR", "RL"), direction in ("BT", "RL"), {}, [])
    width, height = (round(side + 8) for side in drawn.size)
    body = "\n".join(element for element in drawn.elements(4, 4) if element)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="{FONT:g}">\n'
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0,1 L10,5 L0,9 z"/></marker></defs>\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )


def _upside_down(layout: Layout) -> Layout:
    """The same places, with the first layer at the other end."""
    height = layout.size[1]
    centres = {name: (x, height - y) for name, (x, y) in layout.centres.items()}
    routes = {ends: [(x, height - y) for x, y in route] for ends, route in layout.routes.items()}
    return Layout(centres, routes, layout.size)
