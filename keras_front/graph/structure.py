"""`Structure`: the calls of a network as plain data, from which the same calls are made again.

`clone_model` makes them with new layers; `copy.deepcopy` and `pickle` with copies of the layers as they are, weights
and attributes of the user included. So no copy goes through a config, and nothing that a config leaves out is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras_front.backend import symbolic
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor, leaves_of
from keras_front.nest import map_structure

from . import call_context
from .arguments import Unwritable
from .expression import decoded, encoded
from .inputs import Input, InputLayer
from .node import Node
from .operation import OpLayer


class Start(NamedTuple):
    """An input: its layer, or what a new `Input` needs where another layer made it."""

    layer: Any
    shape: tuple[Any, ...]
    dtype: str


class Call(NamedTuple):
    """One call of a layer. `results` are the numbers of its outputs, masks and losses; None where there is none."""

    layer: Any
    args: Any
    arguments: dict[str, Any]
    results: list[int | None]


class Structure:
    """The inputs and calls of a network of tensors.

    Args:
        network: the network; it is not changed.
    """

    def __init__(self, network: Any):
        self._numbers: dict[int, int] = {id(t): i for i, t in enumerate(network.inputs)}
        self.starts = [Start(_input_layer(t), t.shape, t.dtype) for t in network.inputs]
        self.calls: list[Call] = []
        for node in network._graph.order:
            if not all(id(t) in self._numbers for t in node.output_tensors):
                self.calls.append(self._call(node))

    def _call(self, node: Node) -> Call:
        keep = self.encoded
        if isinstance(node.layer, OpLayer) and not isinstance(node.layer.function, str):
            keep = self._shared
        args, arguments = map_structure(keep, (node.args, node.arguments))
        for tensor in _results(node):
            if tensor is not None:
                self._numbers.setdefault(id(tensor), len(self._numbers))
        return Call(node.layer, args, arguments, [None if t is None else self._numbers[id(t)] for t in _results(node)])

    def encoded(self, item: Any) -> Any:
        """What stands for a symbol; anything else is itself.

        Raises: StateError for a tensor that does not belong to the network.
        """
        return encoded(item, self._numbers)

    def _shared(self, item: Any) -> Any:
        """Arguments of recorded Python code: what is no tensor is shared by the copies."""
        found = self.encoded(item)
        return Unwritable(item) if found is item else found

    def __getstate__(self) -> dict[str, Any]:
        return {"starts": self.starts, "calls": self.calls, "_numbers": {}}


class Rebuilt:
    """The tensors of a structure whose calls were made again.

    Args:
        structure: what to build.
        starts: the inputs to begin with; by default those of the layers, or new ones.
        layer_of: the layer to call instead of another.
        variable_of: the variable to use instead of another.
    """

    def __init__(
        self,
        structure: Structure,
        starts: Sequence[SymbolicTensor] | None = None,
        layer_of: Callable[[Any], Any] = lambda layer: layer,
        variable_of: Callable[[Variable], Variable] = lambda variable: variable,
    ):
        self._variable_of = variable_of
        with call_context.outside(), symbolic.trace_scope(None):
            self.inputs = list(starts) if starts is not None else [_started(start) for start in structure.starts]
            self._tensors: dict[int, Any] = dict(enumerate(self.inputs))
            for call in structure.calls:
                self._make(call, layer_of(call.layer))

    def _make(self, call: Call, layer: Any) -> None:
        if not isinstance(layer, InputLayer):
            args, arguments = self.decoded((call.args, call.arguments))
            layer(*args, **arguments)
        for number, tensor in zip(call.results, _results(layer._inbound_nodes[-1]), strict=False):
            if number is not None and tensor is not None:
                self._tensors.setdefault(number, tensor)

    def decoded(self, structure: Any) -> Any:
        """`structure` with tensors in place of what stands for them."""
        return decoded(structure, self._tensors, self._variable_of)


def _results(node: Node) -> list[SymbolicTensor | None]:
    masks = [m if isinstance(m, SymbolicTensor) else None for m in node.output_masks]
    return [*node.output_tensors, *masks, *node.losses]


def _input_layer(tensor: SymbolicTensor) -> Any:
    layer = tensor.history[0] if tensor.history else None
    return layer if isinstance(layer, InputLayer) else None


def _started(start: Start) -> SymbolicTensor:
    if start.layer is None:
        return Input(batch_shape=start.shape, dtype=start.dtype)
    return next(leaves_of(start.layer._inbound_nodes[0].output))
