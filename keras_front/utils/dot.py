"""Graphs in the language of Graphviz, written without any package: objects with the methods that pydot's have.

Pictures are drawn by Graphviz's `dot` where it is installed; without it there are the text, SVG by `svg.py`, and PNG by
`raster.py`.
Source: the DOT language, https://graphviz.org/doc/info/lang.html; pydot 1.4 for the names of methods.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_front.errors import StateError

__all__ = ["Cluster", "Dot", "Edge", "Node", "escape"]

TEXT_FORMATS = ("raw", "dot", "gv")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|-?(\.[0-9]+|[0-9]+(\.[0-9]*)?)")


def escape(text: str) -> str:
    """A text as the field of a record: `{}|<>` and backslashes are themselves.

    Args:
        text: the text.
    """
    return re.sub(r"([{}|<>\\])", r"\\\1", text)


def _quoted(value: Any) -> str:
    text = str(value)
    if _PLAIN.fullmatch(text) or (text.startswith("<") and text.endswith(">")):
        return text
    return '"' + text.strip('"').replace('"', r"\"").replace("\n", r"\n") + '"'


class _Attributes:
    """What nodes, edges and graphs have: attributes by name, and the methods of pydot for them."""

    def __init__(self, **attributes: Any):
        self.attributes = {name: value for name, value in attributes.items() if value is not None}

    def get(self, name: str) -> Any:
        """The value of an attribute, or None.

        Args:
            name: its name.
        """
        return self.attributes.get(name)

    def set(self, name: str, value: Any) -> None:
        """Set an attribute.

        Args:
            name: its name, as Graphviz has it.
            value: its value.
        """
        self.attributes[name] = value

    def get_attributes(self) -> dict[str, Any]:
        """All attributes by name."""
        return self.attributes

    def __getattr__(self, name: str) -> Any:
        """`get_label()`, `set_fillcolor("red")`: a method for each attribute."""
        verb, _, attribute = name.partition("_")
        if attribute and verb == "get":
            return lambda: self.get(attribute)
        if attribute and verb == "set":
            return lambda value: self.set(attribute, value)
        raise AttributeError(name)

    def _bracketed(self) -> str:
        found = ", ".join(f"{name}={_quoted(value)}" for name, value in self.attributes.items())
        return f" [{found}]" if found else ""


class Node(_Attributes):
    """A node.

    Args:
        name: by which edges name it.
        **attributes: attributes of Graphviz: `label`, `shape`, `color`, ...
    """

    def __init__(self, name: Any = "", **attributes: Any):
        super().__init__(**attributes)
        self.name = str(name)
        self.layer: Any = None  # what the node stands for, if its maker says so; it is not written

    def get_name(self) -> str:
        """The name."""
        return self.name

    def to_string(self) -> str:
        """The node in the language of Graphviz."""
        return f"{_quoted(self.name)}{self._bracketed()};"


class Edge(_Attributes):
    """An edge.

    Args:
        src: the node that it begins at, or its name.
        dst: the node that it ends at, or its name.
        **attributes: attributes of Graphviz.
    """

    def __init__(self, src: Any = "", dst: Any = "", **attributes: Any):
        super().__init__(**attributes)
        self.ends = tuple(end.name if isinstance(end, Node) else str(end) for end in (src, dst))

    def get_source(self) -> str:
        """The name of the node that it begins at."""
        return self.ends[0]

    def get_destination(self) -> str:
        """The name of the node that it ends at."""
        return self.ends[1]

    def to_string(self) -> str:
        """The edge in the language of Graphviz."""
        return f"{_quoted(self.ends[0])} -> {_quoted(self.ends[1])}{self._bracketed()};"


class _Graph(_Attributes):
    """What whole graphs and clusters have."""

    is_cluster = False
    make_node = Node  # for nodes that only edges name

    def __init__(self, graph_name: str, **attributes: Any):
        super().__init__(**attributes)
        self.name = graph_name
        self.node_defaults: dict[str, Any] = {}
        self.items: list[Any] = []  # nodes, edges and clusters in their order

    def get_name(self) -> str:
        """The name."""
        return self.name

    def set_node_defaults(self, **attributes: Any) -> None:
        """Set attributes of all nodes.

        Args:
            **attributes: attributes of Graphviz.
        """
        self.node_defaults.update(attributes)

    def add_node(self, node: Node) -> None:
        """Add a node.

        Args:
            node: the node.
        """
        self.items.append(node)

    def add_edge(self, edge: Edge) -> None:
        """Add an edge.

        Args:
            edge: the edge.
        """
        self.items.append(edge)

    def add_subgraph(self, subgraph: Any) -> None:
        """Add a cluster.

        Args:
            subgraph: a `Cluster`.
        """
        self.items.append(subgraph)

    def _of(self, kind: type) -> list[Any]:
        return [item for item in self.items if isinstance(item, kind)]

    def get_nodes(self) -> list[Node]:
        """The nodes, without those in clusters."""
        return self._of(Node)

    def get_node_list(self) -> list[Node]:
        """The nodes, without those in clusters."""
        return self._of(Node)

    def get_node(self, name: Any) -> list[Node]:
        """The nodes of a name.

        Args:
            name: the name.
        """
        return [node for node in self.get_nodes() if node.name == str(name)]

    def get_edges(self) -> list[Edge]:
        """The edges, without those in clusters."""
        return self._of(Edge)

    def get_edge_list(self) -> list[Edge]:
        """The edges, without those in clusters."""
        return self._of(Edge)

    def get_edge(self, src: Any, dst: Any) -> list[Edge]:
        """The edges between two nodes.

        Args:
            src: where they begin, or a name.
            dst: where they end, or a name.
        """
        ends = Edge(src, dst).ends
        return [edge for edge in self.get_edges() if edge.ends == ends]

    def get_subgraphs(self) -> list[Cluster]:
        """The clusters."""
        return self._of(Cluster)

    def get_subgraph_list(self) -> list[Cluster]:
        """The clusters."""
        return self._of(Cluster)

    def _lines(self) -> Iterator[str]:
        for name, value in self.attributes.items():
            yield f"{name}={_quoted(value)};"
        if self.node_defaults:
            yield Node("node", **self.node_defaults).to_string()
        for item in self.items:
            yield item.to_string()

    def _block(self, head: str) -> str:
        return f"{head} {_quoted(self.name)} {{\n" + "\n".join(self._lines()) + "\n}"


class Cluster(_Graph):
    """A part of a graph with a frame around it.

    Args:
        graph_name: its name.
        **attributes: attributes of Graphviz: `label`, `style`, ...
    """

    is_cluster = True

    def __init__(self, graph_name: str = "subG", **attributes: Any):
        super().__init__(f"cluster_{graph_name}", **attributes)

    def to_string(self) -> str:
        """The cluster in the language of Graphviz."""
        return self._block("subgraph")


class Dot(_Graph):
    """A graph of nodes and edges, which can be written as text and as a picture. A notebook shows it.

    Args:
        graph_name: its name.
        graph_type: accepted because pydot has it; every graph is directed.
        **attributes: attributes of Graphviz: `rankdir`, `dpi`, ...

    Example:
        >>> graph = Dot(rankdir="LR")
        >>> graph.add_node(Node("a", label="first"))
        >>> graph.add_edge(Edge("a", "b"))
        >>> print(graph.to_string())
        digraph G {
        rankdir=LR;
        a [label=first];
        a -> b;
        }
    """

    def __init__(self, graph_name: str = "G", graph_type: str = "digraph", **attributes: Any):
        super().__init__(graph_name, **attributes)

    def to_string(self) -> str:
        """The graph in the language of Graphviz."""
        return self._block("digraph")

    def create(self, prog: Any = None, format: str = "ps") -> bytes:
        """The picture as bytes.

        Args:
            prog: program of Graphviz that draws it, or a list of it and its arguments; 'dot' by default.
            format: 'svg', 'png', 'pdf', ... as Graphviz knows them; 'dot' and 'raw' give the text. Where there is no
                Graphviz, SVG is drawn here, and PNG if Pillow is installed.

        Raises: StateError for any other format without Graphviz, and if Graphviz fails.
        """
        if format == "raw":
            return (self.to_string() + "\n").encode()
        command = [prog or "dot"] if not isinstance(prog, list | tuple) else list(prog)
        program = _installed(str(command[0]))
        if program is not None:
            return _run([program, f"-T{format}", *command[1:]], self.to_string())
        if format == "svg":
            from keras_front.utils.svg import drawing

            return drawing(self).encode()
        if format == "png" and has_pillow():
            from keras_front.utils import raster

            return raster.drawing(self)
        if format in TEXT_FORMATS:
            return (self.to_string() + "\n").encode()
        raise StateError(
            f"Dot.create: the format {format!r} needs Graphviz, whose program {command[0]!r} is not installed.\n"
            "  Install Graphviz (`apt install graphviz`, `brew install graphviz`, https://graphviz.org/download/), or "
            "write the format 'svg', which needs nothing, or 'png', which needs Pillow."
        )

    def write(self, path: str | os.PathLike[str], prog: Any = None, format: str = "raw", encoding: Any = None) -> bool:
        """Write the text, or a picture, into a file; True.

        Args:
            path: the file.
            prog: see `create`.
            format: see `create`.
            encoding: accepted because pydot has it; texts are UTF-8.

        Raises: see `create`.
        """
        content = self.create(prog, format)
        Path(path).write_bytes(content)
        return True

    def __getattr__(self, name: str) -> Any:
        """`create_svg()`, `write_png("file.png")`: a method for each format."""
        verb, _, form = name.partition("_")
        if form and verb == "create":
            return lambda prog=None, encoding=None: self.create(prog, form)
        if form and verb == "write":
            return lambda path, prog=None, encoding=None: self.write(path, prog, form)
        return super().__getattr__(name)

    def _repr_svg_(self) -> str:
        return self.create(format="svg").decode()


def has_pillow() -> bool:
    """Whether Pillow is installed, with which PNG is drawn here."""
    from importlib.util import find_spec

    return find_spec("PIL") is not None


def _installed(program: str) -> str | None:
    import shutil  # with every way to compress files; few need it

    return shutil.which(program)


def _run(command: list[str], text: str) -> bytes:
    import subprocess

    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise StateError(f"{' '.join(command)} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
