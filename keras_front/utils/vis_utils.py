"""`plot_model` and `model_to_dot`: models as pictures, with or without Graphviz.

The graph is text in the language of Graphviz (`dot.py`). Where Graphviz is installed it draws every format; where it is
not, SVG is drawn here (`svg.py`), and PNG with Pillow (`raster.py`). A program that asks for another format then gets
an SVG file beside the one that it named, with a warning that says so, since a picture is seldom what a program is for.
This module takes what it needs of a model by its members, so it knows no class of a layer.
Source: Keras 2.3.1, `keras/utils/vis_utils.py`; tf.keras 2.15 and Keras 3.15 for the later arguments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_front.compatibility import reject_unknown
from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures
from keras_front.nest import unpack
from keras_front.tracebacks import warn_user
from keras_front.utils.dot import TEXT_FORMATS, Cluster, Dot, Edge, Node, escape, has_pillow

__all__ = [
    "Picture",
    "add_edge",
    "check_graphviz",
    "check_pydot",
    "is_model",
    "is_wrapped_model",
    "model_to_dot",
    "plot_model",
]

Shapes = list[Any] | None


class _Options(NamedTuple):
    """What the label of a layer shows, and whether models within are opened."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool
    nested: bool


def is_model(layer: Any) -> bool:
    """Whether a layer is a model, of which this module knows the layers.

    Args:
        layer: any layer.
    """
    return hasattr(layer, "layers") and hasattr(layer, "_graph")


def is_wrapped_model(layer: Any) -> bool:
    """Whether a layer is a wrapper such as `TimeDistributed` around a model.

    Args:
        layer: any layer.
    """
    return is_model(getattr(layer, "layer", None))


def check_pydot() -> bool:
    """True: pydot is not needed."""
    return True


def check_graphviz() -> bool:
    """Whether the program `dot` of Graphviz is installed."""
    from shutil import which

    return which("dot") is not None


def add_edge(dot: Any, src: str, dst: str) -> None:
    """Add an edge unless it is there.

    Args:
        dot: a `Dot` or `Cluster`.
        src: name of the node that it begins at.
        dst: name of the node that it ends at.
    """
    if not dot.get_edge(src, dst):
        dot.add_edge(Edge(src, dst))


@explains_failures
def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int | None = 96,
    subgraph: bool = False,
    show_dtype: bool = False,
    layer_range: Sequence[str] | None = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> Any:
    """The graph of a model, with the methods of pydot's graphs. A notebook shows it.

    Args:
        model: a model. One of a subclass is one node, since nothing is known of what is in it.
        show_shapes: shapes of inputs and outputs.
        show_layer_names: names of layers beside those of their classes.
        rankdir: which way it goes: 'TB' down, 'LR' to the right, 'BT' or 'RL'.
        expand_nested: open models within the model, each in a frame.
        dpi: dots per inch of pictures that Graphviz draws; None for its own default.
        subgraph: make it a part of a graph, with a frame around it.
        show_dtype: dtypes of outputs.
        layer_range: names of two layers, or patterns of names: only these and those between are shown.
        show_layer_activations: names of activations.
        show_trainable: whether the weights are trained.
        **kwargs: nothing; a name that is none of these is an error.

    Returns: a `Dot`; with `subgraph` a `Cluster`.
    Raises: ArgumentError for another `rankdir`, or a `layer_range` that no layer fits.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> "dense" in str(model_to_dot(Sequential([Dense(2, input_shape=(3,))])))
        False
    """
    reject_unknown("model_to_dot", kwargs, model_to_dot)
    if rankdir not in ("TB", "LR", "BT", "RL"):
        raise ArgumentError(f"model_to_dot: expected rankdir 'TB', 'LR', 'BT' or 'RL', received {rankdir!r}.")
    graph = _cluster(model.name) if subgraph else Dot(rankdir=rankdir, concentrate=True, dpi=dpi)
    graph.set_node_defaults(shape="record")
    options = _Options(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    _Drawer(options).fill(graph, model, layer_range)
    return graph


def _cluster(name: str) -> Cluster:
    return Cluster(name, style="dashed", label=name, labeljust="l")


# The graph of a model -----------------------------------------------------------------------------------------


class _Call(NamedTuple):
    """One call of a layer: for each input the layer that made it and which of its outputs it is; None from outside."""

    layer: Any
    sources: list[tuple[Any, int] | None]
    inputs: Shapes
    outputs: Shapes
    dtypes: list[str] | None


def _calls(model: Any) -> list[_Call]:
    """The calls of layers in a model, in order. Of a stack whose shapes are not known yet, that is a chain."""
    graph = model._graph
    if graph is not None:
        return [_call(graph, node) for node in graph.nodes]
    if not hasattr(model, "_stack"):
        return []
    layers = list(model.layers)
    before: list[Any] = [None, *layers]
    return [
        _Call(layer, [None if source is None else (source, 0)], None, None, None)
        for layer, source in zip(layers, before, strict=False)
    ]


def _call(graph: Any, node: Any) -> _Call:
    sources: list[tuple[Any, int] | None] = []
    for tensor in node.needed_tensors:
        sources.append(None if graph.maker(tensor) is None else (tensor.history[0], tensor.history[2]))
    inputs = node.input_shapes or node.output_shapes  # an input layer shows what it lets in
    return _Call(node.layer, sources, inputs, node.output_shapes, [str(t.dtype) for t in node.output_tensors])


class _Drawer:
    """Fills a graph with the layers of a model; remembers by which nodes a model within it is entered and left."""

    def __init__(self, options: _Options):
        self.options = options
        self.names: dict[str, int] = {}  # how often a layer was drawn: nodes need names of their own
        self.node: dict[tuple[int, int], str] = {}

    def fill(self, graph: Any, model: Any, layer_range: Sequence[str] | None = None) -> _Ends:
        """Add nodes and edges; where edges from outside may begin and end.

        Args:
            graph: a `Dot` or `Cluster`.
            model: the model.
            layer_range: see `model_to_dot`.
        """
        calls = _calls(model)
        if not calls:
            return _Ends.of(self._add_node(graph, model, [_whole(model)]))
        by_layer: dict[Any, list[_Call]] = {}
        for call in calls:
            by_layer.setdefault(call.layer, []).append(call)
        shown = _within(list(by_layer), layer_range)
        ends = {layer: self._add_layer(graph, layer, by_layer[layer]) for layer in shown}
        for call in calls:
            for place, source in enumerate(call.sources):
                if source is not None and source[0] in ends and call.layer in ends:
                    add_edge(graph, ends[source[0]].leaving(source[1]), ends[call.layer].entering(place))
        return _Ends(_inputs_of(model, calls, ends), _outputs_of(model, calls, ends))

    def _add_layer(self, graph: Any, layer: Any, calls: list[_Call]) -> _Ends:
        inner = layer if is_model(layer) else layer.layer if is_wrapped_model(layer) else None
        if inner is None or not self.options.nested or not _calls(inner):
            return _Ends.of(self._add_node(graph, layer, calls))
        within = _cluster(layer.name)
        graph.add_subgraph(within)
        return self.fill(within, inner)

    def _add_node(self, graph: Any, layer: Any, calls: list[_Call]) -> str:
        name = str(id(layer))
        count = self.names[name] = self.names.get(name, 0) + 1
        name = name if count == 1 else f"{name}_{count}"
        node = Node(name, label=_label(layer, calls, self.options))
        node.layer = layer
        graph.add_node(node)
        return name


class _Ends(NamedTuple):
    """The nodes at which edges into and out of a layer end: one for each input and output of a model that is opened."""

    inputs: list[str]
    outputs: list[str]

    @classmethod
    def of(cls, name: str) -> _Ends:
        return cls([name], [name])

    def entering(self, place: int) -> str:
        return self.inputs[min(place, len(self.inputs) - 1)]

    def leaving(self, place: int) -> str:
        return self.outputs[min(place, len(self.outputs) - 1)]


def _inputs_of(model: Any, calls: list[_Call], ends: dict[Any, _Ends]) -> list[str]:
    first = calls[0].layer
    if model._graph is None:
        return ends[first].inputs if first in ends else []
    makers = [tensor.history[0] if tensor.history else first for tensor in model._graph.inputs]
    return [ends[maker].entering(0) for maker in makers if maker in ends] or ends[next(iter(ends))].inputs


def _outputs_of(model: Any, calls: list[_Call], ends: dict[Any, _Ends]) -> list[str]:
    if model._graph is None:
        return ends[calls[-1].layer].outputs if calls[-1].layer in ends else []
    found = [
        ends[t.history[0]].leaving(t.history[2]) for t in model._graph.outputs if t.history and t.history[0] in ends
    ]
    return found or ends[list(ends)[-1]].outputs


def _whole(model: Any) -> _Call:
    """A model of a subclass as one call, with the shapes that are known of it."""

    def shapes(name: str) -> Shapes:
        try:
            found = getattr(model, name)
        except (AttributeError, RuntimeError, ValueError):
            return None
        return found if isinstance(found, list) else None if found is None else [found]

    return _Call(model, [], shapes("input_shape"), shapes("output_shape"), None)


def _within(layers: list[Any], layer_range: Sequence[str] | None) -> list[Any]:
    """The layers between the two that the range names."""
    if layer_range is None:
        return layers
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ArgumentError(f"layer_range: expected the names of two layers, received {layer_range!r}.")
    places = [[i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range]
    if not all(places):
        raise ArgumentError(
            f"layer_range: expected names among {[layer.name for layer in layers]}, received {list(layer_range)}."
        )
    first, last = places
    if min(first) > max(last):  # the other way round
        first, last = last, first
    return layers[min(first) : max(last) + 1]


# Labels -------------------------------------------------------------------------------------------------------


def _label(layer: Any, calls: list[_Call], options: _Options) -> str:
    """The label of a record: the layer, what was asked about it, and its shapes."""
    fields = [_title(layer, options.names), *_details(layer, calls, options)]
    head = escape(fields[0]) if len(fields) == 1 else "{" + "|".join(map(escape, fields)) + "}"
    if not options.shapes:
        return head
    shapes = "|".join("{" + escape(_shape_text(calls, kind)) + "}" for kind in ("inputs", "outputs"))
    return f"{head}|{{input:|output:}}|{{{shapes}}}"


def _title(layer: Any, names: bool) -> str:
    kind, name = type(layer).__name__, str(layer.name)
    inner: Any = getattr(layer, "layer", None)
    if hasattr(inner, "name"):
        kind, name = f"{kind}({type(inner).__name__})", f"{name}({inner.name})"
    return f"{name}: {kind}" if names else kind


def _details(layer: Any, calls: list[_Call], options: _Options) -> Iterator[str]:
    activation = getattr(layer, "activation", None)
    if options.activations and activation is not None:
        yield str(getattr(activation, "__name__", None) or getattr(activation, "name", type(activation).__name__))
    if options.dtype:
        yield str(unpack(next((call.dtypes for call in calls if call.dtypes), [str(getattr(layer, "dtype", "?"))])))
    if options.trainable and layer.weights:
        yield "trainable" if layer.trainable else "non-trainable"


def _shape_text(calls: list[_Call], kind: str) -> str:
    """The shape; of a layer that is used for several shapes, each of them."""
    texts = [_one_shape(getattr(call, kind)) for call in calls]
    return "\n".join(dict.fromkeys(texts))


def _one_shape(shapes: Shapes) -> str:
    if not shapes:
        return "?"
    return str(unpack([tuple(shape) for shape in shapes]))


# Pictures -----------------------------------------------------------------------------------------------------


class Picture:
    """A picture in a file, which a notebook shows.

    Args:
        filename: the file.

    Attributes: `filename`; `format`, such as 'svg' or 'png'; `data`, the bytes of the file.
    """

    def __init__(self, filename: str):
        self.filename, self.format = filename, _format(filename)

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return Path(self.filename).read_bytes()

    def _repr_svg_(self) -> str | None:
        return self.data.decode() if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.data if self.format == "png" else None

    def _repr_jpeg_(self) -> bytes | None:
        return self.data if self.format in ("jpg", "jpeg") else None

    def __repr__(self) -> str:
        return f"<Picture {self.filename}>"


def _format(filename: str) -> str:
    return os.path.splitext(filename)[1].lower().removeprefix(".")


def _can_draw(form: str) -> bool:
    return form in ("svg", *TEXT_FORMATS) or (form == "png" and has_pillow()) or check_graphviz()


@explains_failures
def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int | None = 96,
    show_dtype: bool = False,
    layer_range: Sequence[str] | None = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> Picture:
    """Draw a model into a file.

    The format follows from the name of the file. 'svg' and 'dot' need nothing, 'png' Graphviz or Pillow; for all others
    Graphviz's program `dot` has to be installed. Without it an SVG file is written beside, under the same name, and a
    warning says so.

    Args:
        model: a model.
        to_file: the file.
        show_shapes: see `model_to_dot`, also for the other arguments.
        show_layer_names: see there.
        rankdir: see there.
        expand_nested: see there.
        dpi: see there.
        show_dtype: see there.
        layer_range: see there.
        show_layer_activations: see there.
        show_trainable: see there.
        **kwargs: nothing; a name that is none of these is an error.

    Returns: the picture, which a notebook shows; its `filename` is the file that was written.
    Raises: ArgumentError as `model_to_dot`; StateError if Graphviz fails.
    Source: Keras 2.3.1, `keras/utils/vis_utils.py`; tf.keras 2.15.

    Example:
        >>> import os, tempfile
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> path = tempfile.mkdtemp() + "/model.svg"
        >>> _ = plot_model(Sequential([Dense(2, input_shape=(3,))]), path)
        >>> os.path.exists(path)
        True
    """
    reject_unknown("plot_model", kwargs, plot_model)
    dot = model_to_dot(
        model, show_shapes, show_layer_names, rankdir, expand_nested, dpi, False, show_dtype, layer_range,
        show_layer_activations, show_trainable,
    )  # fmt: skip
    file = os.fspath(to_file)
    if not _format(file):
        file += ".png"
    if not _can_draw(_format(file)):
        wanted, file = file, os.path.splitext(file)[0] + ".svg"
        warn_user(
            f"plot_model: {wanted} needs Graphviz, whose program `dot` is not installed; {file} was written instead. "
            "Install Graphviz (https://graphviz.org/download/), or `pip install 'keras-front[plot]'` for PNG, or name "
            "a file that ends in .svg."
        )
    dot.write(file, format="raw" if _format(file) in TEXT_FORMATS else _format(file))
    return Picture(file)
