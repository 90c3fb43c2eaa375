"""`SequentialNetwork`: a stack of layers, each called on the output of the one before.

With a known input shape it is a graph from the first `add` on; without one the layers wait, and the graph is made when
the shape comes with the first input (or `build`). The graph is worked out once, when it is first needed, not at each
`add`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from keras_front.backend import symbolic
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, DtypeError, StateError
from keras_front.failures import described, explains_failures
from keras_front.registry import custom_object_scope, name_of

from . import call_context, network_config, sharing
from .inputs import Input, InputLayer
from .layer import LAYERS, Layer
from .layer_values import is_list_of_shapes, is_text_array
from .network import Network


class NoLayersError(StateError, TypeError):
    """A layer is to be taken off a model that has none; also a TypeError, as in Keras."""


class SequentialNetwork(Network):
    """A linear stack of layers, each called on the output of the one before.

    Args:
        layers: the layers to begin with; the first may be an `Input`.
        name: name of the network.
        **kwargs: arguments that every layer takes, such as `trainable`.

    Raises: as `add`.
    Source: Keras 2.3.1, `keras/engine/sequential.py`.
    """

    @explains_failures
    def __init__(self, layers: Sequence[Any] | None = None, name: str | None = None, **kwargs: Any):
        if isinstance(name, Layer):
            raise ArgumentError("Sequential: received layers one by one. Write them in a list: Sequential([a, b]).")
        super().__init__(name=name, **kwargs)
        self._stack: list[Layer] = []
        self._names: set[str] = set()  # of layers that were added, whatever became of them
        self._chain: list[Any] = []  # the input, then the output of each layer
        self._explicit_input: InputLayer | None = None
        self._input_dtype: str | None = None  # of the input that `build` makes
        for layer in [layers] if isinstance(layers, Layer) else layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers that were added, without the one that stands for the input.

        While the shape of the input is not known this is the list itself; afterwards it is a copy, as in Keras 2, and
        `pop()` takes the last layer off.
        """
        stack = self.__dict__.get("_stack", [])
        return list(stack) if self.__dict__.get("_chain") else stack

    def add(self, layer: Any) -> None:
        """Put a layer on top of the stack.

        Args:
            layer: a layer, or as the first element an `Input`. If the first layer says its `input_shape`, the network
                is built at once; otherwise when it meets its first input.

        Raises:
            DtypeError (a TypeError): if it is no layer.
            ArgumentError: if it has several outputs, or a name that is taken.
        """
        if isinstance(layer, SymbolicTensor) and layer.history and isinstance(layer.history[0], InputLayer):
            layer = layer.history[0]
        if not isinstance(layer, Layer):
            raise DtypeError(
                f"The added layer must be an instance of class Layer. Found: {described(layer)}. {_instead_of(layer)}"
            )
        if isinstance(layer, InputLayer):
            return self._start(layer)
        taken = layer.name in self._names  # the quick question: a file may add thousands
        if taken and any(other.name == layer.name and other is not layer for other in self._stack):
            raise ArgumentError(
                f'All layers added to a Sequential model should have unique names. Name "{layer.name}" is already the '
                "name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        self._names.add(layer.name)
        if not self._chain and not self._stack:
            if hasattr(type(layer), "first_inputs") and layer.first_inputs:
                return self._start_joined(layer)
            self._start_with(layer)
        if self._chain:
            self._push(layer)
        else:
            self._stack.append(layer)
        return None

    @property
    def begins_joined(self) -> bool:
        """Whether the first layer brings its own inputs, as one that joins models of Keras 1 does."""
        return bool(self._stack) and len(self._chain) == len(self._stack)

    def restack(self, like: SequentialNetwork, layers: list[Layer], inputs: list[Any], chain: list[Any]) -> None:
        """Take over layers that were called already.

        Args:
            like: the network whose layers they replace.
            layers: the layers, in order.
            inputs: the tensors that the first was called on.
            chain: the input, then the output of each layer.
        """
        self._stack, self.inputs, self._chain = list(layers), list(inputs), list(chain)
        self._names = {layer.name for layer in layers}
        if like._explicit_input is not None:
            self._explicit_input = chain[0].history[0]
        self._changed()

    def _start(self, layer: InputLayer) -> None:
        if self._chain or self._stack:
            raise ArgumentError(f"{self.name}: an Input can only be the first element of a Sequential.")
        self._explicit_input = layer
        self._chain = [layer._inbound_nodes[0].output_tensors[0]]
        self.inputs = self._chain[:1]

    def _start_with(self, layer: Layer) -> None:
        """Make an input for the first layer, if it says what it expects."""
        shape, dtype = _expected_input(layer)
        if shape is not None:
            tensor = Input(batch_shape=shape, dtype=dtype, name=f"{layer.name}_input")
            self._chain, self.inputs = [tensor], [tensor]

    def _start_joined(self, layer: Any) -> None:
        """Begin with a layer that has been called already and says on which inputs, such as one that joins models."""
        self.inputs, self._chain, self._stack = list(layer.first_inputs), [layer.output], [layer]
        self._changed()

    def _push(self, layer: Layer) -> None:
        output = layer(self._chain[-1])
        if not isinstance(output, SymbolicTensor):
            raise DtypeError(
                f"All layers in a Sequential model should have a single output tensor; {layer.name} has several. For "
                "multi-output layers, use the functional API."
            )
        self._stack.append(layer)
        self._chain.append(output)
        self._changed()

    def _changed(self) -> None:
        self.outputs = [self._chain[-1]]
        self._pending = (self.inputs[0] if len(self.inputs) == 1 else self.inputs, self._chain[-1])
        self.built = True
        self.input_names = [tensor.history[0].name for tensor in self.inputs]
        self.output_names = [self._stack[-1].name]

    def pop(self) -> None:
        """Take the last layer off the stack.

        Raises: NoLayersError if there is none.
        """
        if not self._stack:
            raise NoLayersError(f"{self.name}: there are no layers in the model to pop.")
        layer = self._stack.pop()
        if self._chain:
            output = self._chain.pop()
            layer._inbound_nodes[:] = [n for n in layer._inbound_nodes if output not in set(n.output_tensors)]
        if self._stack and self._chain:
            self._changed()
        else:
            self._pending, self._graph_made, self.built, self.outputs = None, None, False, []
            if self._explicit_input is None:
                self._chain, self.inputs = [], []

    @explains_failures
    def build(self, input_shape: Any = None) -> None:
        """Make the weights, unless they exist.

        Args:
            input_shape: shape of the input, the batch axis included; its batch size counts for stateful layers only.

        Raises: ArgumentError for a list of shapes.
        """
        if self.built or input_shape is None:
            self.built = bool(self._chain) or self.built
            return
        if is_list_of_shapes(input_shape):
            raise ArgumentError(f"{self.name}: a Sequential has one input, received the shapes {input_shape}.")
        batch = input_shape[0] if any(layer.stateful for layer in self._stack) else None
        waiting, self._stack = self._stack, []
        with call_context.outside(), symbolic.trace_scope(None):
            dtype = self._input_dtype or ("string" if _takes_strings(waiting) else None)
            tensor = Input(batch_shape=(batch, *input_shape[1:]), dtype=dtype, name=f"{self.name}_input")
            self._chain, self.inputs = [tensor], [tensor]
            for layer in waiting:
                self._push(layer)
        self._build_input_shape = tuple(tensor.shape)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return state if self._graph is not None else {**state, "_chain": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not self._chain and self._explicit_input is not None:
            self._start(self._explicit_input)

    def _without_call(self) -> Exception:
        return StateError(f"{self.name}: the model has no layers yet. Add one: model.add(Dense(3)).")

    def set_inputs(self, shapes: Sequence[Any], dtypes: Any = None, form: Any = None) -> None:
        """Build for inputs of these shapes, unless the input is known.

        Args:
            shapes: a list with one shape, the batch axis included.
            dtypes: a list with one dtype; the layers cast numbers, so only 'string' makes a difference.
            form: not looked at: a stack takes one tensor.
        """
        self._input_dtype = "string" if list(dtypes or ())[:1] == ["string"] else None
        self.build(tuple(shapes[0]))

    def _build_for(self, inputs: Any) -> None:
        if not self.built and is_text_array(inputs):
            self._input_dtype = "string"
        super()._build_for(inputs)

    def get_config(self) -> dict[str, Any]:
        """Name and layers, in the form of Keras 2.2.3 and later.

        What `add_loss` and `add_metric` put beside the stack stands under `added`, which other Keras pass over.
        """
        self._warn_of_functions("the config")
        first = [self._explicit_input] if self._explicit_input is not None else []
        with sharing.writing(self):
            entries = [
                {"class_name": name_of(type(x)), "config": x.get_config(), **sharing.number_of(x)}
                for x in first + self._stack
            ]
        result: dict[str, Any] = {"name": self.name, **self._policy_in_config(), "layers": entries}
        if not self._trainable:
            result["trainable"] = False
        if "_build_input_shape" in self.__dict__:
            result["build_input_shape"] = self._build_input_shape
            if self._input_dtype:
                result["build_input_dtype"] = self._input_dtype
        if self._reported and self._graph is not None:
            places, known = network_config.Places(self), {id(layer) for layer in (*self._stack, *self._input_layers)}
            beside = [layer for layer in self._graph.layers if id(layer) not in known]
            result["added"] = [network_config.layer_entry(layer, places) for layer in beside]
        return result

    @classmethod
    @explains_failures
    def from_config(cls, config: Any, custom_objects: Any = None) -> Self:
        """A new stack, with new weights.

        Args:
            config: what `get_config` returned, or the list of layers that Keras wrote before 2.2.3.
            custom_objects: classes and functions of yours by the names that they have in the config.
        """
        name, entries, shape = None, config, None
        if isinstance(config, dict):
            name, entries, shape = config.get("name"), config["layers"], config.get("build_input_shape")
        model = cls(name=name)
        if isinstance(config, dict) and "dtype" in config:
            model.dtype_policy = config["dtype"]
        with custom_object_scope(custom_objects), sharing.reading():
            for layer in sharing.made_once(entries, lambda entry: LAYERS.deserialize(dict(entry))):
                model.add(layer)
            if not model.inputs and shape:
                model.set_inputs([tuple(shape)], [config.get("build_input_dtype")])
            if isinstance(config, dict) and config.get("added"):
                model._add_beside(config["added"])
        if isinstance(config, dict) and not config.get("trainable", True):
            model._trainable = False
        return model

    def _add_beside(self, entries: list[dict[str, Any]]) -> None:
        """Make the layers that a config names beside the stack, and call them."""
        made = {entry["name"]: network_config.make_layer(entry) for entry in entries}
        inputs = [tensor.history[0] for tensor in self.inputs]
        known = {layer.name: layer for layer in (*inputs, *self._stack)}
        network_config.connect_all(network_config.Made(made, known), entries, self.name)
        self.adopt_reports(made.values())


def _instead_of(given: Any) -> str:
    """What to add in place of what is no layer."""
    if isinstance(given, type):
        return f"Pass an object of it: `{given.__name__}(...)`."
    if isinstance(given, SymbolicTensor):
        return "Pass the layer that made the tensor, or write Model(inputs, outputs)."
    if isinstance(given, list | tuple):
        return "Add each of them, or pass all in one list: Sequential([a, b])."
    return "Wrap a function in Lambda, the name of an activation in Activation."


def _takes_strings(layers: Sequence[Layer]) -> bool:
    """Whether the first of some layers is called on strings."""
    while layers and isinstance(layers[0], Network):
        layers = layers[0].layers
    return bool(layers) and layers[0].takes_strings


def _expected_input(layer: Layer) -> tuple[Any, Any]:
    """Batch shape and dtype that a first layer asks for; (None, None) if it does not say."""
    while isinstance(layer, Network) and not layer.inputs and layer.layers:
        layer = layer.layers[0]
    if isinstance(layer, Network) and layer.inputs:
        return layer.inputs[0].shape, layer.inputs[0].dtype
    return getattr(layer, "batch_input_shape", None), layer.dtype
