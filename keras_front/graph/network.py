"""`Network`: a layer made of layers, given by tensors (`Network(inputs, outputs)`) or by a subclass with a `call`.

A network of tensors runs a plan: one flat list of steps that was settled when it was made. It knows nodes, shapes,
masks and configs; it does not know how it is trained or saved.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np

from keras_front import conventions
from keras_front.backend import state, symbolic
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor, leaves_of
from keras_front.errors import ArgumentError, ShapeError, StateError, WrongKindError
from keras_front.failures import explains_failures
from keras_front.nest import flatten, flatten_as, is_nested, map_structure, nesting_of, pack_like, paths, unique, unpack

from . import call_context, causes, network_config, recompute
from .added_layers import AddLoss, AddMetric
from .ends import check_ends, keys_of, names_of, sorted_by_key, tensors_among
from .inputs import Input
from .layer import LAYERS, Layer
from .layer_values import cast_float, is_list_of_shapes, shape_of, with_last_axis
from .learning_phase import depends_on_phase
from .node import Node, is_computed
from .structure import Rebuilt, Structure
from .topology import Graph, Plan
from .tracking import needs_input, with_trainable_flags


def _in_form(nesting: Any, keys: list[str] | None, values: list[Any]) -> Any:
    if nesting is not None:
        return pack_like(nesting, values)
    return unpack(values) if keys is None else dict(zip(keys, values, strict=True))


class Network(Layer):
    """A directed graph of layers, usable as a layer itself.

    Args:
        inputs: tensor, or list of tensors, from `Input`.
        outputs: tensor, list or dict of tensors, computed from them.
        name: name of the network; by default the class name with a number.
        *args, **kwargs: these three in order, or by keyword; besides arguments that every layer takes.

    Without `inputs` and `outputs` it is the base of a subclass: its layers are the attributes, and `call` computes.
    Raises: ArgumentError if the outputs cannot be computed from the inputs, or names of layers are not unique.
    Source: Keras 2.3.1, `keras/engine/network.py`.
    """

    supports_masking = True
    _is_model = True
    _casts_inputs = False
    _further_arguments = Layer._further_arguments | {"inputs", "outputs"}

    def __init__(self, *args: Any, **kwargs: Any):
        inputs, outputs, rest = tensors_among(args, kwargs)
        super().__init__(**rest)
        self._graph_made: Graph | None = None
        self._pending: tuple[Any, Any] | None = None
        self._input_keys: list[str] | None = None  # where inputs or outputs were given as dicts
        self._output_keys: list[str] | None = None
        self._input_nesting: Any = None  # where lists and dicts stand in each other
        self._output_nesting: Any = None
        self._reported: list[SymbolicTensor] = []  # outputs of AddLoss and AddMetric
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.input_names: list[str] = []
        self.output_names: list[str] = []
        if inputs is not None:
            self._init_graph(inputs, outputs)

    # The graph ---------------------------------------------------------------------------------------

    def _init_graph(self, inputs: Any, outputs: Any) -> None:
        """Find what lies between the tensors, and make the plan."""
        inputs, outputs = sorted_by_key(inputs), sorted_by_key(outputs)
        self.inputs, self.outputs = list(leaves_of([inputs])), list(leaves_of([outputs]))
        check_ends(self.name, inputs, self.inputs, outputs, self.outputs)
        self._input_keys, self._output_keys = keys_of(inputs), keys_of(outputs)
        self._input_nesting, self._output_nesting = nesting_of(inputs), nesting_of(outputs)
        self._output_form = self.as_outputs(list(self.outputs))
        self._replan()
        self._report_losses_of_layers()
        self.built = True
        self.input_names = self._input_keys or names_of(self.inputs)
        self.output_names = self._output_keys or names_of(self.outputs)
        self._inbound_nodes[:], self._outbound_nodes[:] = [], []
        masks = [t.mask for t in self.outputs]
        self._inbound_nodes.append(Node(self, (list(self.inputs),), {}, list(self.outputs), None, masks))

    def _replan(self) -> None:
        if self.__dict__.get("_pending") is not None:
            return  # the graph will be made when it is asked for
        self._graph_made = graph = Graph(self.inputs, self.outputs, self._reported)
        self._plan = Plan(graph, self._output_form)
        self._input_layers = [t.history[0] if t.history else None for t in self.inputs]
        self._output_layers = [t.history[0] if t.history else None for t in self.outputs]

    @property
    def _graph(self) -> Graph | None:
        """The graph, made now if tensors are waiting for it; None for a subclass."""
        pending = self.__dict__.get("_pending")
        if pending is not None:
            self._pending = None
            self._init_graph(*pending)
        return self.__dict__.get("_graph_made")

    @property
    def inbound_nodes(self) -> list[Node]:
        return self._inbound_nodes if self._graph is not None else super().inbound_nodes

    @property
    def _is_graph_network(self) -> bool:
        return self._graph is not None

    def sublayers(self) -> list[Any]:
        return self.layers

    @property
    def layers(self) -> list[Layer]:
        """The layers: farthest from the outputs first, or the attributes of a subclass in their order.

        For a model of tensors this is the list itself, as in Keras 2: after `model.layers.pop()` the last layer is no
        longer found, counted or saved, though the outputs are still computed with it.
        """
        graph = self._graph
        return graph.layers if graph is not None else super().sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name, or at a place in `layers`.

        Args:
            name: name of the layer.
            index: place in `layers`, in place of the name; -1 is the last.

        Raises: ArgumentError if there is no such layer, or nothing is given.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> Sequential([Dense(2, name="first")]).get_layer("first").units
            2
        """
        layers = self.layers
        if index is not None:
            if not isinstance(index, int | np.integer):
                raise WrongKindError(f"get_layer: expected index to be an integer, received {index!r:.60}.")
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        if not name:
            raise ArgumentError("get_layer: provide either a layer name or layer index.")
        for layer in layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"No such layer: {name}. The layers are {', '.join(layer.name for layer in layers)}.")

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer."""
        return unique(
            self._trainable_weights + self._non_trainable_weights + [w for layer in self.layers for w in layer.weights]
        )

    variables = weights

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer keeps its state from one batch to the next."""
        return any(layer.stateful for layer in self.layers)

    def reset_states(self) -> None:
        """Set the states of all stateful layers to zero."""
        for layer in self.layers:
            if hasattr(layer, "reset_states") and layer.stateful:
                layer.reset_states()

    @property
    def updates(self) -> list[Any]:
        """Pairs (variable, new value): what the calls between inputs and outputs assign, for `K.function`."""
        if self._graph is None or call_context.current() is not None:
            return super().updates
        found = [update for node in self._graph.order for update in node.layer.updates_of(node)]
        return [*self._given_updates, *found]

    @updates.setter
    def updates(self, updates: Sequence[Any]) -> None:
        self._given_updates[:] = updates

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates of the calls on some tensors; for the inputs of this network those between them and the outputs.

        Args:
            inputs: tensor, or list of tensors; None for the updates that depend on no input.
        """
        return self.updates[len(self._given_updates) :] if self._is_own(inputs) else super().get_updates_for(inputs)

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses of the calls on some tensors; for the inputs of this network those between them and the outputs.

        Args:
            inputs: tensor, or list of tensors; None for the losses that depend on no input.
        """
        return self._call_losses() if self._is_own(inputs) else super().get_losses_for(inputs)

    def _is_own(self, tensors: Any) -> bool:
        own = set(map(id, self.inputs))
        return self._graph is not None and any(id(t) in own for t in leaves_of([tensors]))

    @property
    def state_updates(self) -> list[Any]:
        """Those of `updates` that stateful layers carry out at prediction time as well."""
        nodes = [] if self._graph is None else self._graph.order
        return [update for node in nodes if node.layer.stateful for update in node.layer.updates_of(node)]

    @property
    def uses_learning_phase(self) -> bool:
        """Whether training and inference compute different things: a layer such as Dropout looks at the phase."""
        if self._graph is None:
            return True  # its `call` is the user's own
        known, answer = self.__dict__.get("_phase_known", (None, True))
        if known is not self._graph:
            answer = depends_on_phase(lambda inputs: self.run(unpack(inputs)), self.inputs)
            self.__dict__["_phase_known"] = (self._graph, answer)
        return answer

    @property
    def input(self) -> Any:
        """The input tensor, or list of input tensors."""
        return unpack(self.inputs) if self.inputs else super().input

    @property
    def output(self) -> Any:
        """The output tensor, or list of output tensors."""
        return unpack(self.outputs) if self.outputs else super().output

    @property
    def input_shape(self) -> Any:
        """The shape of the input with the batch axis, or a list of shapes."""
        return unpack([t.shape for t in self.inputs]) if self.inputs else super().input_shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output with the batch axis, or a list of shapes."""
        return unpack([t.shape for t in self.outputs]) if self.outputs else super().output_shape

    @property
    def input_spec(self) -> Any:  # type: ignore[override]
        """The specs of the layers that take the inputs."""
        return None

    # Running -----------------------------------------------------------------------------------------

    def run(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Outputs for real or traced tensors, in the structure of `outputs`.

        Args:
            inputs: tensor, or list or dict of tensors.
            training: the learning phase while the layers run; None leaves it as it is.
            mask: masks of the inputs.
        """
        return self.run_with_masks(inputs, training, mask)[0]

    def run_with_masks(
        self, inputs: Any, training: Any = None, mask: Any = None, trainable_flags: Any = (), tensors: Any = None
    ) -> tuple[Any, list[Any]]:
        """Outputs in the structure of `outputs`, and the flat list of their masks.

        Args:
            inputs: real or traced tensors.
            training: the learning phase while the layers run; None leaves it as it is.
            mask: masks of the inputs.
            trainable_flags: from the method of that name: which layers were trainable when the step was settled.
            tensors: a dict that is filled with the values of the tensors between `inputs` and `outputs`.
        """
        with with_trainable_flags(trainable_flags), call_context.entered(training, tensors) as run:
            inputs = self._as_list(inputs) if self._graph is not None else inputs
            outputs = self._call_in(run, inputs, (), {} if mask is None else {"mask": mask})
            return outputs, [run.mask_of(value) for value in flatten(outputs)]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs; a subclass that was not given tensors writes its own.

        Args:
            inputs: tensor, or list or dict of tensors.
            training: the learning phase while the layers run; None leaves it as it is.
            mask: masks of the inputs.

        Raises: NotImplementedError in a subclass without a `call`.
        """
        if self._graph is None:
            raise self._without_call()
        with call_context.entered(training):
            return self._run_plan(inputs, mask)[0]

    def _without_call(self) -> Exception:
        """The error for a model that has neither tensors nor a `call` of its own."""
        return NotImplementedError(
            f"{type(self).__name__} was made without inputs and outputs, so it needs a `call(self, inputs)` method."
            + (" It has `forward`: that is called `call` here." if hasattr(type(self), "forward") else "")
        )

    def _run(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Any) -> tuple[Any, Any]:
        if self._graph is None or type(self).call is not Network.call:
            with call_context.outermost_model(self):
                return super()._run(inputs, args, kwargs, mask)
        training = args[0] if args else kwargs.get("training")
        if training is None:
            return self._run_plan(inputs, mask)
        with call_context.entered(training):
            return self._run_plan(inputs, mask)

    def _run_plan(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        """Run the plan: outputs in the structure of `outputs`, and their masks."""
        done = call_context.begun(self)
        given = zip(self._as_list(inputs), self.inputs, strict=True)
        values = [cast_float(with_last_axis(v, t.shape), t.dtype) for v, t in given]
        masks = self._as_list(mask) if isinstance(mask, list | tuple | dict) else [mask] * len(values)
        with call_context.outermost_model(self) as is_outermost:
            in_parts = self.recompute is True and is_outermost
            outputs, out_masks, _ = self._plan.run(values, masks, (), call_context.keeper(self), in_parts)
        if done is not None:
            done(inputs, outputs)
        return outputs, out_masks

    @property  # type: ignore[override]
    def recompute(self) -> bool | list[str]:  # type: ignore[override]
        """Whether what is computed inside is computed again for the gradient instead of being kept; False by default.

        True: the model that is trained goes in parts, about the square root of the number of its calls; a model inside
        another is computed again as a whole. A list of patterns (regular expressions for whole paths of layers, as
        `freeze` takes them): those layers, and no others. Train functions that were compiled before stay as they were:
        set it before `compile`.

        Raises: ArgumentError if a pattern fits no layer.
        """
        return self.__dict__.get("_recompute", False)  # type: ignore[no-any-return]

    @recompute.setter
    def recompute(self, value: bool | Sequence[str]) -> None:
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list | tuple):
            recompute.choose(self, value)
        self.__dict__["_recompute"] = list(value) if isinstance(value, list | tuple) else bool(value)

    def run_internal_graph(self, inputs: Any, masks: Any = None) -> tuple[list[Any], list[Any], list[Any]]:
        """Outputs, their masks and shapes, as three flat lists.

        Args:
            inputs: tensor, or list or dict of tensors.
            masks: masks of the inputs.

        Source: Keras 2.3.1, `keras/engine/network.py`.
        """
        with call_context.entered():
            outputs, out_masks = self._run_plan(inputs, masks)
        return flatten(outputs), flatten(out_masks), [shape_of(x) for x in flatten(outputs)]

    def _as_inputs(self, inputs: Any) -> Any:
        return super()._as_inputs(self._without_nesting(inputs))

    def _without_nesting(self, inputs: Any) -> Any:
        """Inputs in the nesting in which the model was given them as a flat list; anything else as it is."""
        form = self.__dict__.get("_input_nesting")
        flat = None if form is None or self._graph is None else flatten_as(form, inputs)
        return inputs if flat is None else flat

    def _as_list(self, inputs: Any) -> list[Any]:
        """The inputs in the order of `self.inputs`; a dict is read by input names."""
        inputs = self._without_nesting(inputs)
        if isinstance(inputs, dict):
            missing = [name for name in self.input_names if name not in inputs]
            if missing:
                raise ArgumentError(
                    f"{self.name}: no data provided for the inputs {missing}. Need a value for each of "
                    f"{self.input_names}."
                )
            return [inputs[name] for name in self.input_names]
        flat = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        if len(flat) != len(self.inputs):
            raise ArgumentError(
                f"{self.name}: expected {len(self.inputs)} inputs ({', '.join(self.input_names)}), "
                f"received {len(flat)}."
            )
        return flat

    def as_inputs(self, values: list[Any]) -> Any:
        """Inputs in the form in which the model was given them: nested, a dict, a list, or the only one.

        Args:
            values: one for each input, in order.
        """
        return _in_form(self._input_nesting, self._input_keys, values)

    def as_outputs(self, values: list[Any]) -> Any:
        """Outputs in the form in which the model was given them: nested, a dict, a list, or the only one.

        Args:
            values: one for each output, in order.
        """
        return _in_form(self._output_nesting, self._output_keys, values)

    def _check_inputs(self, inputs: Any) -> None:
        if self._graph is None:
            return
        for tensor, value in zip(self.inputs, self._as_list(inputs), strict=True):
            found = shape_of(with_last_axis(value, tensor.shape))
            if len(found) != len(tensor.shape) or any(
                a not in (None, b) and b is not None for a, b in zip(tensor.shape[1:], found[1:], strict=True)
            ):
                raise ShapeError(
                    f'Model "{self.name}": its input {tensor.name!r} has shape {tensor.shape}, but it was called on a '
                    f"tensor of shape {found}.{causes.of_data(tensor.shape, found)}"
                )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs; None for a subclass.

        Args:
            inputs: tensor, or list or dict of tensors.
            mask: masks of the inputs.
        """
        if self._graph is None:
            return None
        with state.scratch(), call_context.entered(tensors={}):
            return self._run_plan(inputs, mask)[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape, or list of shapes, of the outputs.

        Args:
            input_shape: shape of the input with its batch axis, or a list of shapes.
        """
        if self._graph is not None and self.inputs:
            shapes = input_shape if is_list_of_shapes(input_shape) else [input_shape]
            if [tuple(s) for s in shapes] == [t.shape for t in self.inputs]:
                return unpack([t.shape for t in self.outputs])
        return super().compute_output_shape(input_shape)

    # Building without tensors ------------------------------------------------------------------------

    @explains_failures
    def build(self, input_shape: Any = None) -> None:
        """Make the weights of a subclass by calling it on symbols.

        Args:
            input_shape: shape of the input with its batch axis, or a list of shapes; None leaves it to the
                first call.
        """
        if self._graph is None and not self.inputs and input_shape is not None and call_context.current() is None:
            shapes = input_shape if is_list_of_shapes(input_shape) else [input_shape]
            self.set_inputs([tuple(s) for s in shapes])
        self.built = True

    def set_inputs(self, shapes: Sequence[Any], dtypes: Sequence[Any] | None = None, form: Callable = unpack) -> None:
        """Settle what the inputs of a subclass are, and learn its outputs and weights from a symbolic call.

        Args:
            shapes: shapes with the batch axis, one for each input.
            dtypes: their dtypes, by default `floatx`.
            form: makes the argument of `call` from the list of symbols; by default one symbol stands alone.
        """
        if self.inputs:
            return
        self.built = True
        dtypes = dtypes or [None] * len(shapes)
        symbols = [Input(batch_shape=s, dtype=d) for s, d in zip(shapes, dtypes, strict=True)]
        outputs = self(form(symbols))
        self.inputs, self.outputs = symbols, flatten(outputs)
        self.input_names = [f"input_{i + 1}" for i in range(len(symbols))]
        self._output_keys, self._output_nesting = keys_of(outputs), nesting_of(outputs)
        self.output_names = self._output_keys or paths(outputs if is_nested(outputs) else self.outputs, "output")

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: everything, with the calls of the layers as a `Structure` in place of the graph."""
        graph = self._graph
        held = {key: value for key, value in super().__getstate__().items() if key not in _MADE_ANEW}
        if graph is None:
            return {**held, "inputs": [], "outputs": []}
        structure = Structure(self)
        tensors = {key: value for key, value in held.items() if any(True for _ in leaves_of(value))}
        held["_structure"] = structure
        held["_tensors"] = {key: map_structure(structure.encoded, value) for key, value in tensors.items()}
        return {key: value for key, value in held.items() if key not in tensors}

    def __setstate__(self, held: dict[str, Any]) -> None:
        """Call the layers of the copy as those of the original were called."""
        rest = dict(held)
        structure, tensors = rest.pop("_structure", None), rest.pop("_tensors", {})
        super().__setstate__({**rest, "_graph_made": None, "_pending": None})
        if structure is None:
            return
        rebuilt = Rebuilt(structure)
        self.__dict__.update({key: rebuilt.decoded(value) for key, value in tensors.items()})
        names = self.input_names, self.output_names
        self._init_graph(self.as_inputs(self.inputs), self._output_form)
        self.input_names, self.output_names = names

    # Losses and metrics ------------------------------------------------------------------------------

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add losses to the total that training makes small.

        Args:
            losses: a symbolic tensor of this network, whose sum is added in each batch; a function without arguments,
                or an expression of weights, computed anew in each batch; or a list of these. A tensor of the graph
                becomes a layer `AddLoss`, so that copies and files have it.
            inputs: kept for code of Keras 2; what a loss depends on is known.
        """
        for loss in losses if isinstance(losses, list | tuple) else [losses]:
            if self._graph is not None and call_context.current() is None and symbolic.is_symbolic(loss):
                self._report(AddLoss(unconditional=not needs_input(loss)), loss)
            else:
                super().add_loss(loss, inputs)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = "mean") -> None:
        """Show the mean of a tensor of this network, or of a value inside `call`, over the batches of an epoch.

        Args:
            value: a symbolic tensor of this network, which becomes a layer `AddMetric`; or, in `call`, a value. The
                result of a metric is reported by that metric, under its name.
            name: what logs call it; by default the name of the tensor.
            aggregation: 'mean', the only one.
        """
        from keras_front.metrics.results import metric_of

        if self._graph is not None and symbolic.is_symbolic(value) and call_context.current() is None:
            metric, values = metric_of(value) or (None, (value,))
            name = name or getattr(metric or value, "name", None)
            self._report(AddMetric(aggregation, name, metric), unpack(list(values)))
        else:
            super().add_metric(value, name=name, aggregation=aggregation)

    def _report(self, layer: Layer, tensor: SymbolicTensor | list[SymbolicTensor]) -> None:
        with call_context.outside(), symbolic.trace_scope(None):
            self._reported += flatten(layer(tensor))
        self._replan()

    def _report_losses_of_layers(self) -> None:
        """Take in tensors of this network that were given to `add_loss` of its layers, outside their `call`."""
        layers = self._graph.layers if self._graph is not None else []
        known = {id(t) for layer in layers for node in layer._inbound_nodes for t in node.output_tensors}
        for loss in [loss for layer in layers for loss in layer._own_losses if needs_input(loss)]:
            inputs = [t for t in symbolic.ancestors([loss]) if t.is_placeholder and is_computed(t)]
            if all(id(t) in known for t in inputs):
                self._report(AddLoss(), loss)

    def adopt_reports(self, layers: Iterable[Any]) -> None:
        """Make the calls of `AddLoss` and `AddMetric`, which a config named, part of this network.

        Args:
            layers: layers of any kind; others are passed over.
        """
        nodes = [n for layer in layers if isinstance(layer, AddLoss | AddMetric) for n in layer._inbound_nodes]
        self._reported += [t for node in nodes for t in node.output_tensors]
        if nodes:
            self._replan()

    def _call_losses(self) -> list[Any]:
        return super()._call_losses() if self._graph is None else [t for n in self._graph.nodes for t in n.losses]

    @property
    def paths_by_attribute(self) -> bool:
        """Whether files of Keras 3 keep its layers by their attributes: those of a subclass that has no graph."""
        return self._graph is None

    @property
    def losses(self) -> list[Any]:
        """Every loss of this network: weight penalties, and those of the latest call on values.

        Before there was one: of the calls between its inputs and outputs.
        """
        found = self._losses_on_values()
        return self.weight_losses() + (found or (self._call_losses() if self._graph is not None else []))

    @losses.setter
    def losses(self, losses: Sequence[Any]) -> None:
        self.add_loss(list(losses))

    # Configs -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Layers and their wiring, in the form of Keras 2.

        Raises: NotImplementedError for a subclass that was not given tensors.
        """
        if self._graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} computes in its own `call`, so its structure cannot be written. Save its "
                "weights instead, or write get_config and from_config."
            )
        self._warn_of_functions("the config")
        return network_config.to_config(self)

    def _warn_of_functions(self, where: str) -> None:
        """Say that functions given to `add_loss` have no place in a config."""
        if any(callable(loss) and not symbolic.is_symbolic(loss) for loss in self._own_losses):
            warnings.warn(
                f"{self.name}: a function given to add_loss is not part of {where}; call add_loss again on the model "
                "that is made of it, or pass a tensor, which is written.",
                stacklevel=4,
            )

    @classmethod
    @explains_failures
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """A new network, with new weights.

        Args:
            config: what `get_config` returned: a structure, or in a subclass that writes its own config the
                arguments of its constructor.
            custom_objects: classes and functions of yours by the names that they have in the config.

        Raises: SerializationError if the config refers to layers or calls that do not exist.
        """
        if "layers" not in config and cls.get_config is not Network.get_config:
            return cls(**config)
        inputs, outputs, name, layers = network_config.from_config(config, custom_objects)
        policy = {"dtype": config["dtype"]} if "dtype" in config else {}
        model = cls(inputs=inputs, outputs=outputs, name=name, **policy)
        model.adopt_reports(layers.values())
        if not config.get("trainable", True):
            model._trainable = False
        return model

    def _updated_config(self) -> dict[str, Any]:
        return {
            "class_name": type(self).__name__,
            "config": self.get_config(),
            "keras_version": conventions.current().file_version,
            "backend": "tensorflow",  # a name that every reader of this format accepts; the format has no engine
        }

    def to_json(self, **kwargs: Any) -> str:
        """The structure as JSON text, without weights; `model_from_json` reads it.

        Args:
            **kwargs: for `json.dumps`, such as `indent=2`.
        """
        return json.dumps(self._updated_config(), default=_jsonable, **kwargs)

    @explains_failures
    def _warn_of_frozen(self, where: str) -> None:
        """A model that was compiled says here that `trainable` was changed in vain."""

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
        show_memory: bool = False,
        show_flops: bool = False,
    ) -> None:
        """Print the table of layers, output shapes and numbers of parameters, in the form of the dialect.

        On a terminal, natively, it has the width that it needs and that there is, and colours: green numbers are
        trained, blue ones frozen. In a log file and in dialects it has the layout of the Keras in question.

        Args:
            line_length: width of the table in columns; by default 65, or 98 where the layers do not form a chain, and
                on a terminal as above.
            positions: where each column ends: fractions of the width, or columns.
            print_fn: called with each line; by default `print`.
            expand_nested: whether the layers of models in the model are shown as well.
            show_trainable: whether a column says what training changes: Y or N.
            layer_range: names, or patterns, of the first and the last layer to show; by default all are.
            show_memory: whether a column says how many bytes the weights of each layer and its outputs for one sample
                have, and lines at the end what training takes.
            show_flops: whether a column says how many operations of floating point each layer takes for one sample,
                forward: an addition and a multiplication are two. Papers often count them as one.

        Raises: StateError if the shapes are not known yet; ArgumentError if no layer has a name of `layer_range`.
        Source: Keras 2.3.1, `keras/utils/layer_utils.py`.
        """
        if not self.built:
            raise StateError(
                "This model has not yet been built. Build the model first by calling build() or calling fit() with "
                "some data, or specify an input_shape argument in the first layer."
            )
        from .summary import print_summary

        self._warn_of_frozen("summary")
        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range, show_memory, show_flops
        )


_MADE_ANEW = frozenset({"_graph_made", "_plan", "_pending", "_input_layers", "_output_layers"})


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if callable(value):
        return value.__name__
    raise TypeError(f"Not JSON serializable: {value!r}. Make get_config return numbers, strings, lists and dicts.")


__all__ = ["LAYERS", "Network"]
