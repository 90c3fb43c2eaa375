"""The order of a model: which nodes lie between its inputs and outputs, and one flat list of steps to run them.

Keras numbers layers by depth and by the order of discovery; weights, summaries and files follow that order, so it is
reproduced here. Everything is iterative: a model of thousands of layers meets no recursion limit.

Ops of K between layers (`Dense(3)(x + 1)`) become layers here, see `operation`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from keras_front.backend import symbolic
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError
from keras_front.nest import flatten, map_structure

from . import operation, recompute
from .layer_values import numbered
from .node import Node
from .tensor_values import TensorValues


class Graph:
    """The nodes between `inputs` and `outputs`.

    Attributes:
        order: the nodes, each after those it needs.
        depth: node -> its distance from the outputs.
        layers: the layers in the order of Keras 2: farthest from the outputs first.
        layer_depth: layer -> depth.
    """

    def __init__(self, inputs: list[SymbolicTensor], outputs: list[SymbolicTensor], extra: Iterable[Any] = ()):
        self.inputs, self.outputs = inputs, outputs
        self._found: dict[Any, int] = {}
        self._given = {id(t) for t in inputs if not _from_input_layer(t)}
        self.order: list[Node] = []
        self._done: set[int] = set()
        self.layer_depth: dict[Any, int] = {}
        self.depth: dict[Any, int] = {}
        self._visit(outputs)
        self._measure()
        self._add_unused_inputs()
        self.layers = sorted(self.layer_depth, key=lambda layer: (-self.layer_depth[layer], self._found[layer]))
        self._append(list(extra))
        self._check_connected()
        self._check_names()
        operation.link(self.order)

    def maker(self, tensor: SymbolicTensor) -> Any:
        """The node that made `tensor`, which may be an op that becomes a layer now; None for a given input."""
        if id(tensor) in self._given:
            return None
        if tensor.history:
            layer, node_index, _ = tensor.history
            return layer._inbound_nodes[node_index]
        if tensor.is_placeholder:
            raise ArgumentError(
                f"Graph disconnected: cannot obtain a value for {tensor!r}. It is a K.placeholder; wrap it as "
                "`Input(tensor=...)` and list it among the inputs of the model."
            )
        return operation.connect(tensor)

    def _visit(self, tensors: list[SymbolicTensor]) -> None:
        done = self._done
        stack: list[tuple[Any, bool]] = []
        for tensor in tensors:
            stack.append((self.maker(tensor), False))
            while stack:
                node, ready = stack.pop()
                if node is None or id(node) in done:
                    continue
                if ready:
                    done.add(id(node))
                    self.order.append(node)
                    continue
                self._found.setdefault(node.layer, len(self._found))
                stack.append((node, True))
                stack.extend((self.maker(t), False) for t in reversed(node.needed_tensors))

    def _check_connected(self) -> None:
        fed = {id(t) for t in self.inputs}
        for node in self.nodes:
            for tensor in node.output_tensors if not node.needed_tensors else ():
                if id(tensor) not in fed and tensor.is_placeholder:
                    raise ArgumentError(
                        f"Graph disconnected: cannot obtain value for tensor {tensor!r} at layer "
                        f'"{node.layer.name}". Add it to the inputs of the model: they are '
                        f"{[t.name for t in self.inputs]}."
                    )

    def _measure(self) -> None:
        for node in reversed(self.order):
            depth = max(self.depth.get(node, 0), self.layer_depth.get(node.layer, 0))
            self.layer_depth[node.layer] = self.depth[node] = depth
            for tensor in node.needed_tensors:
                before = self.maker(tensor)
                if before is not None:
                    self.depth[before] = max(depth + 1, self.depth.get(before, 0))

    def _add_unused_inputs(self) -> None:
        for tensor in self.inputs:
            if id(tensor) not in self._given:
                layer = tensor.history[0]
                node = layer._inbound_nodes[tensor.history[1]]
                if layer not in self.layer_depth:
                    self.layer_depth[layer], self._found[layer] = 0, -1
                    self.depth[node] = 0
                    self.order.append(node)
                    self._done.add(id(node))

    def _append(self, extra: list[SymbolicTensor]) -> None:
        """Add what computes further tensors after all else, so that the order of the layers stays as it was."""
        before = len(self.order)
        self._visit(extra)
        for node in self.order[before:]:
            self.depth[node] = 0
            if node.layer not in self.layer_depth:
                self.layer_depth[node.layer] = 0
                self.layers.append(node.layer)

    def _check_names(self) -> None:
        taken = {layer.name for layer in self.layers if not layer.names_itself}
        for layer in self.layers:
            if layer.names_itself:  # an op in a model that was read, whose names another process gave
                while layer.name in taken:
                    layer.name = numbered(layer.name.rpartition("_")[0])
                taken.add(layer.name)
        for name, count in Counter(layer.name for layer in self.layers).items():
            if count > 1:
                raise ArgumentError(
                    f'The name "{name}" is used {count} times in the model. All layer names should be '
                    "unique; give one of the layers another `name=`."
                )

    @property
    def nodes(self) -> list[Node]:
        """The calls of layers, each after those it needs."""
        return self.order


def _from_input_layer(tensor: SymbolicTensor) -> bool:
    return bool(tensor.history) and not tensor.history[0]._inbound_nodes[tensor.history[1]].needed_tensors


class Step:
    """One entry of the flat list: a call of a layer whose arguments and results are numbered places."""

    __slots__ = ("args", "keywords", "layer", "mask", "places", "single", "sources", "targets")

    def __init__(self, node: Node, place: dict[int, int]):
        self.layer = node.layer

        def placed(item: Any) -> Any:
            return _Place(place[id(item)]) if isinstance(item, SymbolicTensor) and id(item) in place else item

        self.sources = map_structure(placed, node.args[:1])[0]
        self.single = self.sources.index if isinstance(self.sources, _Place) else None
        self.args, self.keywords = map_structure(placed, (node.args[1:], node.arguments))
        self.targets = [place[id(t)] for t in node.output_tensors]
        self.places = _places_in([self.sources, self.args, self.keywords])

    def run(self, values: list[Any], masks: list[Any]) -> None:
        """Read the places of the arguments, call the layer, write the places of the results."""
        if self.single is not None:
            inputs, mask = values[self.single], masks[self.single]
        else:
            inputs = map_structure(_filler(values), self.sources)
            mask = map_structure(lambda p: masks[p.index] if isinstance(p, _Place) else None, self.sources)
        fill = _filler(values)
        args = map_structure(fill, self.args) if self.args else ()
        keywords = map_structure(fill, self.keywords) if self.keywords else {}
        outputs, out_masks = self.layer._run_or_recompute(inputs, args, keywords, keywords.get("mask", mask))
        flat, flat_masks = flatten(outputs), flatten(out_masks)
        for index, target in enumerate(self.targets):
            values[target] = flat[index]
            masks[target] = flat_masks[index] if index < len(flat_masks) else None


def _places_in(structure: Any) -> list[int]:
    return [item.index for item in flatten(structure) if isinstance(item, _Place)]


class _Place:
    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index


def _filler(values: list[Any]) -> Any:
    def fill(item: Any) -> Any:
        if isinstance(item, _Place):
            return values[item.index]
        return symbolic.replay(item, {}) if isinstance(item, SymbolicTensor) else item  # a constant, a variable

    return fill


class Plan:
    """A graph as a flat list of steps over numbered places: what runs in each batch."""

    def __init__(self, graph: Graph, outputs: Any):
        place: dict[int, int] = {}
        for tensor in [*graph.inputs, *(t for node in graph.order for t in node.output_tensors)]:
            place.setdefault(id(tensor), len(place))
        fed = {id(t) for t in graph.inputs}
        self.tensors = [*graph.inputs, *(t for node in graph.order for t in node.output_tensors)]
        self.size, self._place = len(place), place
        self.inputs = [place[id(t)] for t in graph.inputs]
        self.fixed = [(place[id(t)], t) for n in graph.nodes if not n.needed_tensors
                      for t in n.output_tensors if id(t) not in fed]  # fmt: skip
        self.steps: list[Any] = [
            Step(node, place) for node in graph.order if node.needed_tensors and not _all_fed(node, fed)
        ]
        self.outputs = map_structure(lambda t: _Place(place[id(t)]), outputs)

    def run(
        self,
        inputs: list[Any],
        masks: list[Any],
        extra: Iterable[SymbolicTensor] = (),
        keep: Callable[[dict[SymbolicTensor, Any]], None] | None = None,
        in_parts: bool = False,
    ) -> tuple[Any, ...]:
        """Outputs, their masks, and the values of the `extra` tensors; `keep` is handed the values of all of them.

        `in_parts`: what is made within parts of the plan is computed again for the gradient, and has no value here.
        """
        values: list[Any] = [None] * self.size
        kept: list[Any] = [None] * self.size
        for index, value, mask in zip(self.inputs, inputs, masks, strict=True):
            values[index], kept[index] = value, mask
        for index, tensor in self.fixed:
            values[index] = symbolic.replay(tensor, {})
        with self._standing_for(values) if symbolic.tracing() is not None else nullcontext():
            if in_parts:
                self._run_in_parts(values, kept, [self._place[id(t)] for t in extra])
            else:
                for step in self.steps:
                    step.run(values, kept)
        if keep is not None:
            found = ((tensor, values[self._place[id(tensor)]]) for tensor in self.tensors)
            keep({tensor: value for tensor, value in found if value is not None})
        return (
            map_structure(_filler(values), self.outputs),
            map_structure(_filler(kept), self.outputs),
            [values[self._place[id(t)]] for t in extra],
        )

    def _standing_for(self, values: list[Any]) -> AbstractContextManager[None]:
        """A context in which a tensor of the graph that the code of a layer closes over is its value in this run."""
        outer = symbolic.value_of_graph_tensors()

        def value_of(tensor: SymbolicTensor) -> Any:
            index = self._place.get(id(tensor))
            if index is not None and values[index] is not None:
                return values[index]
            known = ((t, values[self._place[id(t)]]) for t in self.tensors)
            mine = {t: value for t, value in known if value is not None}
            if outer is not None and symbolic.ancestors([tensor]).isdisjoint(mine):
                return outer(tensor)
            return TensorValues(mine)(tensor)

        return symbolic.graph_values(value_of)

    def _run_in_parts(self, values: list[Any], masks: list[Any], wanted: list[int]) -> None:
        parts = recompute.parts_of(self.steps)
        for i, part in enumerate(parts):
            later = [place for other in parts[i + 1 :] for step in other for place in step.places]
            recompute.run_part(part, values, masks, {*later, *wanted, *_places_in(self.outputs)})


def _all_fed(node: Node, fed: set[int]) -> bool:
    """Whether all outputs of the node are inputs of the model, so that it need not run."""
    return all(id(t) in fed for t in node.output_tensors)
