"""Models as pictures: the graph in the language of Graphviz, and SVG drawn without it."""

from __future__ import annotations

import re
import stat
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from keras_front.errors import ArgumentError, StateError
from keras_front.layers import (
    LSTM,
    Activation,
    Add,
    Bidirectional,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Lambda,
    MaxPooling2D,
    Multiply,
    TimeDistributed,
    concatenate,
)
from keras_front.legacy.utils import visualize_util
from keras_front.models import Model, Sequential
from keras_front.utils import dot, graph_shapes, layered_layout, model_to_dot, plot_model, vis_utils


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)


@pytest.fixture
def no_pillow(monkeypatch):
    monkeypatch.setattr(dot, "has_pillow", lambda: False)
    monkeypatch.setattr(vis_utils, "has_pillow", lambda: False)


def named(graph) -> dict[str, str]:
    """The title of each node, in clusters as well, by its name in the graph."""
    found = {node.get_name(): re.split(r"[|:]", node.get_label().strip("{"))[0] for node in graph.get_nodes()}
    for cluster in graph.get_subgraphs():
        found |= named(cluster)
    return found


def edges(graph, names=None) -> list[tuple[str, str]]:
    """The edges by the titles of their ends."""
    names = names or named(graph)
    found = [(names[e.get_source()], names[e.get_destination()]) for e in graph.get_edges()]
    return found + [pair for cluster in graph.get_subgraphs() for pair in edges(cluster, names)]


def stack():
    return Sequential(
        [Conv2D(2, 3, activation="relu", input_shape=(8, 8, 1), name="c"), MaxPooling2D(name="m"), Flatten(name="f")]
    )


def two_branches():
    a, b = Input((4,), name="a"), Input((3,), name="b")
    x, y = Dense(5, name="x")(a), Dense(5, name="y")(b)
    return Model([a, b], [Dense(1, name="o1")(Add(name="add")([x, y])), Dense(2, name="o2")(y)])


# The graph ----------------------------------------------------------------------------------------------------


def test_a_stack():
    graph = model_to_dot(stack())
    assert list(named(graph).values()) == ["c_input", "c", "m", "f"]
    assert edges(graph) == [("c_input", "c"), ("c", "m"), ("m", "f")]
    text = graph.to_string()
    assert text.startswith("digraph G {\nrankdir=TB;\nconcentrate=True;\ndpi=96;\nnode [shape=record];\n")
    assert 'label="m: MaxPooling2D"' in text
    assert text.count(" -> ") == 3


def test_nodes_are_called_as_in_keras():
    model = two_branches()
    graph = model_to_dot(model)
    (node,) = graph.get_node(str(id(model.get_layer("add"))))
    node.set_fillcolor("red")
    assert "fillcolor=red" in graph.to_string()
    assert sorted(edges(graph)) == [("a", "x"), ("add", "o1"), ("b", "y"), ("x", "add"), ("y", "add"), ("y", "o2")]


def labels(model, **options) -> list[str]:
    return [node.get_label() for node in model_to_dot(model, **options).get_nodes()]


def test_what_labels_show():
    model = stack()
    model.layers[0].trainable = False
    assert labels(model, show_layer_names=False) == ["InputLayer", "Conv2D", "MaxPooling2D", "Flatten"]
    assert labels(model, show_shapes=True)[1] == ("c: Conv2D|{input:|output:}|{{(None, 8, 8, 1)}|{(None, 6, 6, 2)}}")
    everything = {"show_dtype": True, "show_layer_activations": True, "show_trainable": True}
    assert labels(model, **everything)[1] == "{c: Conv2D|relu|float32|non-trainable}"
    assert labels(model, **everything)[2] == "{m: MaxPooling2D|float32}"
    two = labels(two_branches(), show_shapes=True)
    assert "add: Add|{input:|output:}|{{[(None, 5), (None, 5)]}|{(None, 5)}}" in two


def test_wrappers_and_names_with_signs():
    model = Sequential([Embedding(9, 4, input_length=5), Bidirectional(LSTM(3, name="rnn"), name="both")])
    assert labels(model)[-1] == "both(forward_rnn): Bidirectional(LSTM)"
    odd = Sequential([Dense(1, input_dim=1, name="a{b|c}<d>")])
    assert labels(odd)[-1] == r"a\{b\|c\}\<d\>: Dense"
    assert graph_shapes.fields_of(labels(odd)[-1]) == ["a{b|c}<d>: Dense"]


def test_shared_layers_show_each_shape():
    shared = Lambda(lambda x: x, name="shared")
    a, b = Input((3,)), Input((5,))
    model = Model([a, b], concatenate([shared(a), shared(b)]))
    (label,) = [text for text in labels(model, show_shapes=True) if text.startswith("shared")]
    assert "{(None, 3)\n(None, 5)}" in label


def nested():
    inner = Sequential([Dense(4, input_dim=3, name="i1"), Dense(5, name="i2")], name="inner")
    a, b = Input((5,), name="ma"), Input((5,), name="mb")
    middle = Model([a, b], [Add(name="sum")([a, b]), Multiply(name="product")([a, b])], name="middle")
    x, y = Input((3,), name="x"), Input((5,), name="y")
    one, other = middle([inner(x), y])
    return Model([x, y], [Dense(1, name="of_product")(other), Dense(1, name="of_sum")(one)])


def test_models_within_are_opened():
    model = nested()
    assert len(edges(model_to_dot(model))) == 5
    graph = model_to_dot(model, expand_nested=True)
    assert [c.get_label() for c in graph.get_subgraphs()] == ["inner", "middle"]
    found = edges(graph)
    for pair in [("x", "i1_input"), ("i1_input", "i1"), ("i2", "ma"), ("y", "mb"), ("ma", "sum")]:
        assert pair in found
    assert ("sum", "of_sum") in found  # each output from the layer that makes it
    assert ("product", "of_product") in found
    assert ("sum", "of_product") not in found
    assert "subgraph cluster_inner {" in graph.to_string()


def test_models_within_models_and_wrappers():
    deep = Sequential([Sequential([Dense(2, input_dim=2, name="d")], name="low")], name="high")
    model = Sequential([TimeDistributed(deep, input_shape=(3, 2), name="t"), LSTM(1, name="l")])
    graph = model_to_dot(model, expand_nested=True)
    (outer,) = graph.get_subgraphs()
    (inner,) = outer.get_subgraphs()
    assert (outer.get_label(), inner.get_label()) == ("t", "low")
    found = edges(graph)
    assert ("d", "l") in found
    assert [source for source, to in found if to == "d"]
    assert vis_utils.is_model(deep)
    assert vis_utils.is_wrapped_model(model.layers[0])
    assert not vis_utils.is_model(model.layers[1])


def test_one_model_in_two_places_has_nodes_of_its_own():
    low = Sequential([Dense(2, input_dim=2, name="d")], name="low")
    models = [Sequential([low, Dense(2)], name=f"m{i}") for i in range(2)]
    x = Input((2,))
    graph = model_to_dot(Model(x, Add()([m(x) for m in models])), expand_nested=True)
    assert list(named(graph).values()).count("d") == 2


def test_models_of_which_little_is_known():
    class Mine(Model):
        def call(self, x):
            return x

    assert [n.get_label() for n in model_to_dot(Mine(name="mine"), show_shapes=True).get_nodes()] == [
        "mine: Mine|{input:|output:}|{{?}|{?}}"
    ]
    late = Sequential([Dense(3, name="p"), Dense(2, name="q")])
    assert edges(model_to_dot(late)) == [("p", "q")]
    assert labels(late, show_shapes=True)[0] == "p: Dense|{input:|output:}|{{?}|{?}}"


def test_layer_range():
    model = Sequential([Dense(2, input_dim=2, name=f"block{i}_dense") for i in range(5)])
    shown = lambda *names: [label.split(":")[0] for label in labels(model, layer_range=names)]
    assert shown("block1_dense", "block3_dense") == [f"block{i}_dense" for i in (1, 2, 3)]
    assert shown("block3_dense", "block1_dense") == [f"block{i}_dense" for i in (1, 2, 3)]
    assert shown("block[34]", "block4") == ["block3_dense", "block4_dense"]
    assert edges(model_to_dot(model, layer_range=["block1", "block2"])) == [("block1_dense", "block2_dense")]
    with pytest.raises(ArgumentError, match="expected names among"):
        shown("nothing", "block1")
    with pytest.raises(ValueError, match="the names of two layers"):
        shown("block1")


def test_a_subgraph_and_wrong_arguments():
    part = model_to_dot(stack(), subgraph=True)
    assert isinstance(part, dot.Cluster)
    assert part.to_string().startswith("subgraph cluster_sequential")
    with pytest.raises(ValueError, match="expected rankdir 'TB', 'LR', 'BT' or 'RL'"):
        model_to_dot(stack(), rankdir="UP")
    with pytest.raises(TypeError, match="Did you mean 'show_shapes'"):
        model_to_dot(stack(), show_shape=True)


def test_the_language_of_graphviz():
    graph = dot.Dot("my graph", rankdir="LR")
    graph.add_node(dot.Node("plain"))
    graph.add_node(dot.Node("two words", label='say "hi"\nthere'))
    graph.add_edge(dot.Edge("plain", "two words", color="red"))
    vis_utils.add_edge(graph, "plain", "two words")  # is there already
    assert graph.to_string() == (
        'digraph "my graph" {\nrankdir=LR;\nplain;\n"two words" [label="say \\"hi\\"\\nthere"];\n'
        'plain -> "two words" [color=red];\n}'
    )
    assert graph.get_edge("plain", "two words")[0].get_color() == "red"
    with pytest.raises(AttributeError):
        graph.nothing()


# Files --------------------------------------------------------------------------------------------------------


def test_svg_without_graphviz(no_graphviz, tmp_path):
    picture = plot_model(stack(), tmp_path / "m.svg", show_shapes=True)
    assert picture.filename == str(tmp_path / "m.svg")
    assert picture._repr_svg_() == (tmp_path / "m.svg").read_text()
    assert picture._repr_png_() is None
    assert "MaxPooling2D" in picture._repr_svg_()
    assert model_to_dot(stack())._repr_svg_().startswith("<svg")
    graph = model_to_dot(stack())
    assert graph.create(prog="dot", format="svg") == graph.create_svg() == graph._repr_svg_().encode()


def test_a_format_that_needs_graphviz(no_graphviz, no_pillow, tmp_path):
    with pytest.warns(UserWarning, match=r"needs Graphviz.*m.svg was written instead") as caught:
        picture = plot_model(stack(), to_file=str(tmp_path / "m.png"))
    assert caught[0].filename == __file__
    assert picture.filename == str(tmp_path / "m.svg")
    assert not (tmp_path / "m.png").exists()
    with pytest.raises(StateError, match="Install Graphviz"):
        model_to_dot(stack()).create(prog="dot", format="png")
    assert vis_utils.check_pydot()
    assert not vis_utils.check_graphviz()


@pytest.mark.parametrize("name", ["m.dot", "m.gv"])
def test_text_needs_nothing(no_graphviz, name, tmp_path):
    plot_model(stack(), tmp_path / name)
    assert (tmp_path / name).read_text().startswith("digraph G {")
    graph = model_to_dot(stack())
    graph.write_raw(tmp_path / "raw")
    assert (tmp_path / "raw").read_text() == graph.to_string() + "\n"


@pytest.fixture
def fake_graphviz(tmp_path, monkeypatch):
    """A program `dot` that says how it was called; it fails for the format 'pdf'."""
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = -Tpdf ] && { echo broken >&2; exit 3; }\necho "$@"\ncat\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_graphviz_draws_where_it_is(fake_graphviz, tmp_path):
    picture = plot_model(stack(), tmp_path / "m.png", dpi=50)
    assert picture.format == "png"
    first, _, rest = picture._repr_png_().decode().partition("\n")
    assert first == "-Tpng"
    assert rest.startswith("digraph G {")
    assert "dpi=50" in rest
    assert model_to_dot(stack()).create(prog=["dot", "-Kneato"], format="svg").startswith(b"-Tsvg -Kneato")
    with pytest.raises(StateError, match="failed: broken"):
        plot_model(stack(), tmp_path / "m.pdf")
    assert not (tmp_path / "m.pdf").exists()


def test_the_names_of_keras1(no_graphviz, tmp_path):
    visualize_util.plot(stack(), to_file=str(tmp_path / "m.svg"), show_shapes=True, show_layer_names=False)
    assert "(None, 6, 6, 2)" in (tmp_path / "m.svg").read_text()


# Pictures -----------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def residual(blocks):
    x = inputs = Input((8,), name="inputs")
    for i in range(blocks):
        y = Activation("relu", name=f"r{i}")(x)
        x = Add(name=f"a{i}")([x, Dense(8, name=f"d{i}")(y)])
    return Model(inputs, x)


MODELS = {"stack": stack, "branches": two_branches, "nested": nested, "residual": lambda: residual(16)}


def boxes_of(root):
    """The rectangles with solid borders, as (left, top, right, bottom)."""
    found = [r for r in root.iter(f"{SVG}rect") if r.get("stroke") and not r.get("stroke-dasharray")]
    sides = [tuple(float(r.get(name)) for name in ("x", "y", "width", "height")) for r in found]
    return [(x, y, x + width, y + height) for x, y, width, height in sides]


def overlap(a, b) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.2 and min(a[3], b[3]) - max(a[1], b[1]) > 0.2


@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
@pytest.mark.parametrize("name", MODELS)
def test_pictures(name, rankdir, no_graphviz):
    model = MODELS[name]()
    graph = model_to_dot(model, show_shapes=True, expand_nested=True, rankdir=rankdir)
    root = ElementTree.fromstring(graph.create(format="svg"))
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = boxes_of(root)
    assert all(0 <= left and right <= width and 0 <= top and bottom <= height for left, top, right, bottom in boxes)
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {f"{title}" for title in named(graph).values()} <= {text.split(":")[0] for text in texts if text}
    lines = [p.get("d") for p in root.iter(f"{SVG}path") if p.get("marker-end")]
    assert len(lines) == len(edges(graph))
    for line in lines:  # every edge goes the way that rankdir says
        numbers = [tuple(map(float, pair.split(","))) for pair in re.findall(r"-?[\d.]+,-?[\d.]+", line)]
        (x0, y0), (x1, y1) = numbers[0], numbers[-1]
        assert {"TB": y1 > y0, "BT": y1 < y0, "LR": x1 > x0, "RL": x1 < x0}[rankdir]


def test_a_deep_residual_net_stays_upright(no_graphviz):
    graph = model_to_dot(residual(50))
    root = ElementTree.fromstring(graph.create(format="svg"))
    assert float(root.get("width")) < 300 < 5000 < float(root.get("height"))


def test_attributes_that_are_drawn(no_graphviz):
    graph = dot.Dot()
    graph.add_node(dot.Node("a", label="first\nline <&>", style="filled", fillcolor="#ff0000", fontcolor="blue"))
    graph.add_edge(dot.Edge("a", "b", color="green"))  # a node that nobody has added
    text = graph.create(format="svg").decode()
    assert 'fill="#ff0000"' in text
    assert 'fill="blue"' in text
    assert 'stroke="green"' in text
    assert "line &lt;&amp;&gt;</tspan>" in text
    assert ">b</text>" in text
    assert ElementTree.fromstring(dot.Dot().create(format="svg")) is not None


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("a", ["a"]),
        ("a|b", ["a", "b"]),
        ("a|{b|{c|d}|e}|f", ["a", ["b", ["c", "d"], "e"], "f"]),
        ("{a|b}", [["a", "b"]]),
        ("<port> a|{<p2>b|}", ["a", ["b", ""]]),
        (r"a\|b\{\}|c\n", ["a|b{}", "c"]),
    ],
)
def test_fields_of_records(label, fields):
    assert graph_shapes.fields_of(label) == fields


# Layouts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_layouts_of_random_graphs(seed):
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 25))
    sizes = {i: (float(random.integers(10, 90)), float(random.integers(10, 40))) for i in range(count)}
    pairs = [(int(a), int(b)) for a, b in random.integers(0, count, (2 * count, 2)) if a < b]
    layout = layered_layout.layered_layout(sizes, pairs)
    spots = {
        i: (x - sizes[i][0] / 2, y - sizes[i][1] / 2, x + sizes[i][0] / 2, y + sizes[i][1] / 2)
        for i, (x, y) in layout.centres.items()
    }
    assert not any(overlap(spots[a], spots[b]) for a in spots for b in range(a))
    width, height = layout.size
    corners = np.array(list(spots.values()))
    assert corners.min() >= -1e-6
    assert corners[:, 2].max() <= width + 1e-6
    assert corners[:, 3].max() <= height + 1e-6
    for (a, b), route in layout.routes.items():
        heights = [y for _, y in route]
        assert heights == sorted(heights)
        assert heights[0] == pytest.approx(spots[a][3])
        assert heights[-1] == pytest.approx(spots[b][1])


def test_a_tree_has_no_crossings():
    pairs = [(0, 2), (1, 3), (0, 4), (1, 5), (2, 6), (3, 7), (2, 8), (3, 9)]
    layout = layered_layout.layered_layout(dict.fromkeys(range(10), (20.0, 10.0)), pairs)
    for (a, b), (c, d) in [(p, q) for p in pairs for q in pairs if layout.centres[p[0]][1] == layout.centres[q[0]][1]]:
        left = layout.centres[a][0] - layout.centres[c][0]
        assert left * (layout.centres[b][0] - layout.centres[d][0]) >= 0


def test_rising_numbers_are_the_nearest():
    random = np.random.default_rng(0)
    for _ in range(20):
        wanted, weights = random.normal(size=6), random.uniform(0.1, 3, 6)
        found = np.array(layered_layout._rising(wanted.tolist(), weights.tolist()))
        assert np.all(np.diff(found) >= 0)
        cost = (weights * (found - wanted) ** 2).sum()
        for _ in range(200):
            other = np.sort(found + random.normal(scale=0.3, size=6))
            assert (weights * (other - wanted) ** 2).sum() >= cost - 1e-9


# PNG ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rankdir", ["TB", "RL"])
def test_png_with_pillow(rankdir, no_graphviz, tmp_path):
    """What is drawn in the colours that were asked for, at the places that the SVG has."""
    image = pytest.importorskip("PIL.Image")
    graph = model_to_dot(nested(), show_shapes=True, expand_nested=True, rankdir=rankdir, dpi=192)
    graph.get_nodes()[0].set_fillcolor("#ff0000")
    graph.get_edges()[0].set_color("#0000ff")
    root = ElementTree.fromstring(graph.create(format="svg"))
    graph.write_png(tmp_path / "m.png")
    picture = np.asarray(image.open(tmp_path / "m.png")).astype(int)
    assert picture.shape[:2] == pytest.approx((2 * float(root.get("height")), 2 * float(root.get("width"))), abs=2)
    red = (abs(picture - [255, 0, 0]) < 40).all(-1)
    boxes = [r for r in root.iter(f"{SVG}rect") if r.get("fill") == "#ff0000"]
    area = sum(float(box.get("width")) * float(box.get("height")) for box in boxes)
    assert 0.7 < red.sum() / (4 * area) <= 1  # words and borders take the rest
    rows, columns = np.nonzero(red)
    assert columns.min() == pytest.approx(2 * min(float(box.get("x")) for box in boxes), abs=4)
    assert rows.max() == pytest.approx(2 * max(float(b.get("y")) + float(b.get("height")) for b in boxes), abs=4)
    assert (abs(picture - [0, 0, 255]) < 60).all(-1).any()
    assert (picture.max(-1) < 60).any()


def test_plot_model_writes_png_with_pillow(no_graphviz, tmp_path, recwarn):
    pytest.importorskip("PIL.Image")
    picture = plot_model(two_branches(), tmp_path / "m.png", show_shapes=True)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert not (tmp_path / "m.svg").exists()
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"m.svg was written instead"):
        plot_model(two_branches(), tmp_path / "m.pdf")
