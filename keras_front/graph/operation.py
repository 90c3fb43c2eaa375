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

import numpy as np

from keras_front.backend import symbolic
from keras_front.backend.dispatch import Op
from keras_front.backend.op import Operation
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.errors import ArgumentError
from keras_front.nest import map_structure, unpack

from .arguments import Unwritable
from .bodies import settled
from .functions import holds_code, is_named, named
from .layer import LAYERS, Layer, add_note
from .layer_values import numbered
from .node import Node


@LAYERS.register("OpLayer")
class OpLayer(Layer):
    """An op of K as a layer: it has no weights, and its arguments stand in the node, as in tf.keras.

    Args:
        function: name of the op: that of an op of K ('multiply', 'mean', 'getitem'), or 'ops.' and the name of a
            function of `keras_front.ops` ('ops.tensordot', 'ops.linalg.norm').
        results: shapes and dtypes of what the op gives, `{"shape", "dtype"}` or lists of these, for loops ('scan') and
            gradients ('gradients', 'custom_gradient'), which are recorded without being run.

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

    def __init__(self, function: Any, results: Any = None, **kwargs: Any):
        op = named(function) if isinstance(function, str) else function
        if isinstance(function, str) and isinstance(op, Operation) and holds_code(op) and results is None:
            raise ArgumentError(f"OpLayer: expected `results` for {function!r}, received None.")
        self.names_itself = not kwargs.get("name")
        if self.names_itself:
            kwargs["name"] = numbered(f"op_{getattr(op, 'name', function)}")
        super().__init__(**kwargs)
        self._op = op
        self.function = function
        self.results = results
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
        return function(inputs, *args, **{key: settled(value) for key, value in kwargs.items()})

    def argument_names(self) -> list[str]:
        """Names of the arguments of the op, in order."""
        if isinstance(self._op, Op):
            return list(self._op.signature.parameters)
        return ["x"] if hasattr(self._op, "again") else list(inspect.signature(self._op).parameters)

    def _connect(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record Python code as K recorded it, since it may work in a trace only; other ops like any layer."""
        if self.results is None:
            return super()._connect(inputs, args, kwargs)
        given = map_structure(_symbol, (inputs, *args))
        output = symbolic.outputs_like(OpCall(self._op, given, kwargs), _placeholders(self.results))
        self._add_node(Node(self, given, kwargs, output))
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
        return {**super().__getstate__(), "_op": None, "function": self._written_function()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if isinstance(self.function, Unwritable):
            self.function = self.function.value
        self._op = named(self.function) if isinstance(self.function, str) else self.function

    def _written_function(self) -> Any:
        return self.function if isinstance(self.function, str) else Unwritable(self.function)

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
        """Name, dtype, `trainable`, the name of the op, and for loops and gradients their results.

        Where the op is a record of Python code, `function` is the record itself: good for copies in this process, not
        for files.
        """
        result = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        results = {} if self.results is None else {"results": self.results}
        return {**result, "function": self._written_function(), **results}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OpLayer:
        function = config["function"]
        return cls(**{**config, "function": function.value if isinstance(function, Unwritable) else function})


def _described(output: Any) -> Any:
    """Shapes and dtypes of results, nested as these."""
    if isinstance(output, list | tuple):
        return [_described(item) for item in output]
    return {"shape": list(output.shape), "dtype": output.dtype}


def _placeholders(described: Any) -> Any:
    """Tensors as `_described` described them."""
    if isinstance(described, list | tuple):
        return [_placeholders(item) for item in described]
    return symbolic.placeholder(described["shape"], described["dtype"])


def _symbol(value: Any) -> Any:
    """Arrays as constants."""
    return symbolic.constant(value) if isinstance(value, np.ndarray) else value


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
    structured = origin.structure is not None and op is origin.op
    output = origin.structure if structured else outputs if len(outputs) > 1 else outputs[0]
    plain = is_named(op) and not holds_code(op)
    layer = OpLayer(op.name if is_named(op) else op, None if plain else _described(output))
    node = Node(layer, origin.args, origin.attrs, output)
    layer._add_node(node)
    return node


def link(nodes: Iterable[Node]) -> None:
    """Tell the layers of ops which nodes use them: they were made after those nodes."""
    for node in nodes:
        for layer in node.inbound_layers:
            if isinstance(layer, OpLayer) and not any(n is node for n in layer._outbound_nodes):
                layer._outbound_nodes.append(node)
