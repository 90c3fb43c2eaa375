"""`OpLayer`: an op of K that was called on symbols, as a layer of the model that is made of them.

`x + y`, `x[:, 0]`, `K.mean(x)` and `keras_front.ops.mean(x)` are recorded by K without a layer. When a `Network` is
made from tensors it finds those records between its layers, and each becomes an `OpLayer` with one node
(docs/decisions/0013). So such a model has a summary, a config and copies like any other, while K alone (`K.function`,
`K.gradients`) makes none.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from keras_front.backend import symbolic
from keras_front.backend.dispatch import Op
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.nest import flatten, map_structure, unpack

from .arguments import Unwritable
from .functions import is_named, named
from .layer import LAYERS, Layer, add_note
from .layer_values import default_name
from .node import Node


@LAYERS.register("OpLayer")
class OpLayer(Layer):
    """An op of K as a layer: it has no weights, and its arguments stand in the node, as in tf.keras.

    Args:
        function: name of the op: that of an op of K ('multiply', 'mean', 'getitem'), or 'ops.' and the name of a
            function of `keras_front.ops` ('ops.tensordot', 'ops.linalg.norm').

    Call arguments: those of the op; the first is a tensor, a list of tensors or a constant.
    Raises: ArgumentError for a name that is none of these.
    Source: tf_keras 2.21, `tf_keras/src/layers/core/tf_op_layer.py`; Keras 3.15, `keras/src/ops/operation.py`.
    Example:
        >>> from keras_front.graph import Input
        >>> x = Input((3,))
        >>> OpLayer("multiply")(x, 2.0).shape
        (None, 3)
    """

    _casts_inputs = False

    def __init__(self, function: Any, **kwargs: Any):
        op = named(function) if isinstance(function, str) else function
        self.names_itself = not kwargs.get("name")
        if self.names_itself:
            kwargs["name"] = default_name(f"op_{getattr(op, 'name', function)}")
        super().__init__(**kwargs)
        self._op = op
        self.function = function
        self._outputs: Any = None  # shapes and dtypes of the results of recorded Python code, as placeholders
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The result of the op.

        Args:
            inputs: the first argument of the op: a tensor, a list of tensors or a constant.
            *args: its further arguments, in order.
            **kwargs: its further arguments, by name.
        """
        if hasattr(self._op, "again") and not isinstance(self._op, Op):
            return unpack(self._op.again((inputs, *args), kwargs))
        function = self._op.function if isinstance(self._op, Op) else self._op
        return function(inputs, *args, **{key: _settled(value) for key, value in kwargs.items()})

    def argument_names(self) -> list[str]:
        """Names of the arguments of the op, in order."""
        if isinstance(self._op, Op):
            return list(self._op.signature.parameters)
        return ["x"] if hasattr(self._op, "again") else list(inspect.signature(self._op).parameters)

    def _connect(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record Python code as K recorded it, since it may work in a trace only; other ops like any layer."""
        if self._outputs is None:
            return super()._connect(inputs, args, kwargs)
        output = symbolic.outputs_like(OpCall(self._op, (inputs, *args), kwargs), self._outputs)
        self._add_node(Node(self, (inputs, *args), kwargs, output))
        return output

    def _run(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Any) -> tuple[Any, Any]:
        inputs, *rest = symbolic.unmixed((inputs, *args))
        try:
            return self.call(inputs, *rest, **kwargs), None
        except Exception as error:
            add_note(error, self, inputs)
            raise

    def _as_inputs(self, inputs: Any) -> Any:
        return list(inputs) if isinstance(inputs, tuple) else inputs  # a list of one tensor stays a list

    def __getstate__(self) -> dict[str, Any]:
        function = self.function if isinstance(self.function, str) else Unwritable((self.function, self._outputs))
        return {**super().__getstate__(), "_op": None, "_outputs": None, "function": function}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if isinstance(self.function, str):
            self._op = named(self.function)
        else:
            self.function, self._outputs = self.function.value
            self._op = self.function

    def compute_output_shape(self, input_shape: Any) -> Any:
        """None: the shape depends on the other arguments of the call; the result has a `shape`.

        Args:
            input_shape: shape of the first argument.

        Raises: NotImplementedError.
        """
        raise NotImplementedError(f"{self.name}: the shape depends on the arguments of the call; ask `output_shape`.")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: an op drops the masks of its arguments, as in tf.keras and Keras 3.

        Args:
            inputs: the inputs of the call.
            mask: their masks.
        """
        return None

    def get_config(self) -> dict[str, Any]:
        """Name, dtype, `trainable` and the name of the op.

        Where the op is no declared one but a record of Python code (a loop, a custom gradient), `function` is the
        record itself: good for copies in this process, not for files.
        """
        result = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        function = self.function if isinstance(self.function, str) else Unwritable((self.function, self._outputs))
        return {**result, "function": function}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OpLayer:
        given, outputs = dict(config), None
        if isinstance(given.get("function"), Unwritable):
            given["function"], outputs = given["function"].value
        layer = cls(**given)
        layer._outputs = outputs
        return layer


def _settled(value: Any) -> Any:
    """Lists of plain values, as a file has them, as the tuples that ops take."""
    if isinstance(value, list) and not any(hasattr(leaf, "shape") for leaf in flatten(value)):
        return tuple(_settled(item) for item in value)
    return value


class _Part:
    """Some of the results of a record whose other results belong to layers: masks and losses of a layer's call."""

    kind = "deferred"

    def __init__(self, op: Any, places: list[int]):
        self.name, self.op, self.places = op.name, op, places

    def again(self, args: Any, attrs: Any) -> list[Any]:
        results = self.op.again(args, attrs)
        return [results[place] for place in self.places]


def connect(tensor: SymbolicTensor) -> Node:
    """Make the layer of the op that gave `tensor`, with its node; the arguments are those of the record."""
    origin: OpCall = tensor.origin  # type: ignore[assignment]
    free = [i for i, t in enumerate(origin.outputs) if t.history is None]
    outputs = [origin.outputs[i] for i in free]
    op = origin.op if len(free) == len(origin.outputs) else _Part(origin.op, free)
    layer = OpLayer(op.name if is_named(op) else op)
    structured = origin.structure is not None and op is origin.op
    output = origin.structure if structured else outputs if len(outputs) > 1 else outputs[0]
    if not isinstance(layer.function, str):
        layer._outputs = map_structure(lambda t: symbolic.placeholder(t.shape, t.dtype), output)
    node = Node(layer, origin.args, origin.attrs, output)
    layer._add_node(node)
    return node


def link(nodes: Iterable[Node]) -> None:
    """Tell the layers of ops which nodes use them: they were made after those nodes."""
    for node in nodes:
        for layer in node.inbound_layers:
            if isinstance(layer, OpLayer) and not any(n is node for n in layer._outbound_nodes):
                layer._outbound_nodes.append(node)
