"""`Layer`: the unit that models are made of, and how a call of one becomes a node or a value.

A call on symbols outside a run is recorded: one deferred function (`K.defer`) that gives outputs, masks and losses,
and a `Node` that remembers the arguments. Every other call computes: eagerly at the top, or within the run that is
open. Both go through `_run`, so a layer cannot behave differently in the two.

Layers know K and shapes; they do not know the trainer, files or backends.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache, partial
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import bytecode, config, conventions, regularizers
from keras_front.backend import discovery, state, symbolic
from keras_front.backend.eager_tensors import answered, are_among, as_values, handed_out
from keras_front.backend.leaves import recording
from keras_front.backend.ops.replicas import of_whole_batch
from keras_front.backend.shapes import TensorShape
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor, leaves_of
from keras_front.compatibility import legacy_attribute
from keras_front.errors import DtypeError, KerasFrontError, UnknownArgumentError, UntraceableError, WrongKindError
from keras_front.failures import explains_failures
from keras_front.nest import flatten, map_structure, unique, unpack
from keras_front.registry import Configurable, Registry, plain
from keras_front.tracebacks import api_boundary

from . import call_context, input_spec, recompute
from .call_context import CallContext
from .expression import Expression
from .input_spec import InputSpec
from .layer_nodes import LayerNodes
from .layer_values import (
    as_one_level,
    as_shapes,
    as_tensors,
    cast_float,
    check_base_arguments,
    copied,
    default_name,
    first_shape,
    flat_masks,
    is_text_array,
    is_written_text,
    mask_of_symbol,
    record_as,
    record_by_running,
    shape_of,
    symbols_of_shape,
)
from .node import Node
from .own_variables import OwnVariables
from .precision import LayerPrecision
from .stateless import StatelessCalls
from .tracking import OF_CALLS, Trackable, needs_input, too_large

__all__ = ["LAYERS", "InputSpec", "Layer", "Node"]

LAYERS = Registry("layer")

_BASE_ARGUMENTS = frozenset(
    "activity_regularizer autocast batch_input_shape batch_size dtype dynamic input_dim input_dtype input_length "
    "input_shape name recompute trainable weights".split()
)


class Layer(StatelessCalls, OwnVariables, Trackable, LayerNodes, LayerPrecision, Configurable):
    """A function of tensors with weights.

    To write one: store the arguments in `__init__`, make weights in `build(input_shape)` with `add_weight`, compute in
    `call(inputs)`. `call` may take `training` and `mask`. The config follows from the constructor's signature, the
    output shape from `call`; `get_config`, `compute_output_shape` and `compute_mask` may be overridden.

    Args:
        name: unique name; by default the class name with a number, such as 'dense_1'.
        trainable: whether training changes the weights.
        dtype: type of the weights, to which inputs that are floats are cast, or a policy or its name: with
            'mixed_bfloat16' or 'mixed_float16' the weights are of float32, and inputs and weights are cast to 16 bits
            where the layer computes. By default the global policy, which is `K.floatx()` unless somebody has set it.
        input_shape: shape of the input without the batch, if this is the first layer of a `Sequential`. None in it
            stands for a size that is not known yet.
        batch_input_shape: the same with the batch in front.
        batch_size: size of the batch, beside `input_shape`; None for any.
        input_dim: number of features, in place of `input_shape=(input_dim,)`.
        input_length: number of steps, in place of `input_shape=(input_length, input_dim)`.
        input_dtype: `dtype` by its name in Keras 1.
        weights: arrays that the weights start with, in the order of `get_weights`.
        activity_regularizer: penalty on the output of the layer, added to the loss: a name such as 'l2', an object or
            a function of the output.
        autocast: whether inputs and weights are cast; False leaves their dtypes to `call`.
        dynamic: read from configs of later Keras versions; it changes nothing.
        recompute: whether what is computed inside is computed again for the gradient instead of being kept, see
            `K.recompute`: less memory, one more forward pass through the layer.

    Source: Keras 2.3.1, `keras/engine/base_layer.py`.
    Example:
        >>> class Double(Layer):
        ...     def call(self, inputs):
        ...         return 2 * inputs
        >>> Double().compute_output_shape((None, 3))
        (None, 3)
    """

    supports_masking = False
    stateful = False
    built = False
    input_spec: Any = None
    activity_regularizer: Any = None
    indexed_rows: int | None = None  # how many rows a table has, of which the inputs are the numbers
    names_itself = False  # whether a model may give it another name where its own is taken
    _further_arguments = _BASE_ARGUMENTS

    def __init__(self, **kwargs: Any):
        unknown = set(kwargs) - _BASE_ARGUMENTS
        if unknown:
            raise _not_understood(type(self), unknown)
        check_base_arguments(type(self).__name__, kwargs)
        self.name = kwargs.get("name") or default_name(type(self).__name__)
        self._trainable = bool(kwargs.get("trainable", True))
        self._settle_dtype(kwargs.get("dtype") or kwargs.get("input_dtype"), kwargs.get("autocast", True))
        if kwargs.get("activity_regularizer") is not None:
            self.activity_regularizer = regularizers.get(kwargs["activity_regularizer"])
        self._initial_weights = kwargs.get("weights")
        self.recompute = bool(kwargs.get("recompute"))
        if recompute.scope_of_now() is not None and not self._is_model:
            self._remat_scope = recompute.scope_of_now()
        shape = first_shape(kwargs)
        if shape is not None:
            self.batch_input_shape = shape

    def __getattr__(self, name: str) -> Any:
        """What layers and models of older Keras had, if `keras_front/legacy` knows it."""
        return legacy_attribute(self, name)

    # What subclasses override ------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights. Called once, before the first call.

        Args:
            input_shape: shape of the input with its batch axis, None for sizes that are not known; a list of shapes
                for several inputs.
        """
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs for the inputs: the computation of the layer. To use a layer, call the layer itself.

        Args:
            inputs: tensor, or a list of tensors.
            args: further arguments that a layer may define.
            kwargs: the same by name. Two are passed by themselves to a layer whose `call` has them.
            training: whether the layer is being trained, where that makes a difference; None: by the learning phase.
            mask: bool tensor (batch, steps), False where a step of the inputs is to be ignored; or a list of them for
                several inputs, or None.

        Returns: tensor, or a list of tensors.
        """
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the output; found by calling the layer on symbols, so that a layer need not define it.

        Args:
            input_shape: shape of the input with its batch axis, None for sizes that are not known; a list of shapes
                for several inputs.

        Returns: a tuple with the batch axis, or a list of them for several outputs.
        """
        inputs = symbols_of_shape(input_shape, self.dtype or config.floatx())
        self.ensure_built(input_shape)
        with state.scratch(), call_context.entered():
            outputs = self._outputs_of_call(self._cast(inputs), (), {}, None)
        return map_structure(lambda t: tuple(t.shape), outputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs: that of the inputs, unless a layer says otherwise.

        Args:
            inputs: tensor, or a list of tensors.
            mask: bool tensor (batch, steps), False where a step is to be ignored; a list of them for several inputs;
                or None.

        Returns: a mask, a list of masks for several outputs, or None.
        Raises: DtypeError (a TypeError) if there is a mask and the layer does not support masking.
        """
        if self.supports_masking:
            return mask
        if any(m is not None for m in flatten(mask)):
            raise DtypeError(
                f"Layer {self.name} does not support masking, but was passed an input_mask. Put it before the layer "
                "that makes the mask, or set `supports_masking = True` if its `call` deals with the mask."
            )
        return None

    def get_config(self) -> dict[str, Any]:
        """Name, dtype, `trainable`, and the constructor's arguments, as values that JSON can hold.

        Returns: a new dictionary from which `from_config` makes an equal layer, without weights.
        """
        result: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        if "batch_input_shape" in self.__dict__:
            result["batch_input_shape"] = self.batch_input_shape
        result["dtype"] = self._dtype_in_config()
        if self.recompute:
            result["recompute"] = True
        for argument in self.constructor_arguments():
            if argument not in _BASE_ARGUMENTS - {"activity_regularizer", "input_length", "input_dim"}:
                value = getattr(self, argument, _MISSING)
                if value is not _MISSING:
                    result[argument] = plain(value)
        return result

    # Calling -----------------------------------------------------------------------------------------

    @api_boundary
    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer: symbols give symbols and a node of the graph, values give values.

        Args:
            inputs: tensor, array, or a list of them.
            args, kwargs: further arguments for `call`, such as `training` and `mask`.

        Returns: what `call` returns.
        """
        run = call_context.current()
        if run is not None:
            return self._call_in(run, inputs, args, kwargs)
        trace = symbolic.tracing()
        if trace is not None and trace.recording is not None and any(t.is_open for t in leaves_of(inputs)):
            with trace.recording.left():  # a model is built in the block of a tape
                return self(inputs, *args, **kwargs)
        if trace is None and any(True for _ in leaves_of((inputs, args, kwargs))):
            if are_among((inputs, args, kwargs)):
                inputs, args, kwargs = as_values((inputs, args, kwargs))
                return handed_out(self(inputs, *args, **kwargs))
            return self._connect(inputs, args, kwargs)
        training = kwargs.get("training") if self._is_model else None
        if training is None and call_context.learning_phase() is None:
            training = False
        with call_context.entered(training) as run, nullcontext() if trace else _on_values(inputs):
            outputs = self._call_in(run, inputs, args, kwargs)
        self._keep_losses(run.losses)
        return answered(outputs)

    _is_model = False
    runs_on_host = False  # what it does to strings no engine does
    takes_strings = False

    def _call_in(self, context: CallContext, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if inputs is None or inputs.__class__ is str:
            raise WrongKindError(
                f"{self.name}: expected a tensor or numbers as inputs, received {inputs!r:.60}. The first argument to "
                "`Layer.call` must always be passed."
            )
        inputs = map_structure(self._value, self._as_inputs(inputs))
        mask = kwargs.get("mask")
        if mask is None:
            mask = map_structure(context.mask_of, inputs)
        with call_context.weight_names(self.name):
            self._build_for(inputs)
            outputs, masks = self._run_or_recompute(inputs, args, kwargs, mask)
        for value, out_mask in zip(flatten(outputs), flat_masks(masks, outputs), strict=False):
            context.set_mask(value, out_mask)
        return outputs

    def _run_or_recompute(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Any) -> Any:
        """What `_run` gives, computed again for the gradient if that is wanted."""
        run = partial(recompute.run_again, self) if recompute.wanted(self, inputs) else self._run
        return run(inputs, args, kwargs, mask)

    def _run(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Any) -> tuple[Any, Any]:
        """Outputs and masks for values."""
        done = call_context.begun(self)
        inputs = self._cast(inputs)
        outputs = self._outputs_of_call(inputs, args, kwargs, mask)
        if self._tells_shape():
            self._complete_shapes(inputs, outputs)
        self._penalize(outputs)
        masks = self.compute_mask(inputs, mask)
        if done is not None:
            done(inputs, outputs)
        return outputs, masks

    def _outputs_of_call(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Any) -> Any:
        """Outputs for values; the one place where `call` is called."""
        kept = list(self._given_updates)
        try:
            outputs = self._computed(inputs, args, self._call_arguments(kwargs, mask))
        except Exception as error:
            found = too_large(self.name, error)
            add_note(found, self, inputs)
            if found is not error:
                raise found from error
            raise
        self.carry_out_updates(kept)
        return outputs

    def _complete_shapes(self, inputs: Any, outputs: Any) -> None:
        """Give symbols the sizes that `call` leaves open and `compute_output_shape` knows.

        Source: Keras 2.3.1, `keras/engine/base_layer.py`, where `_keras_shape` is what `compute_output_shape` says.
        """
        found = [t for t in flatten(outputs) if isinstance(t, SymbolicTensor)]
        if all(None not in t.shape[1:] for t in found):
            return
        said = as_shapes(self.compute_output_shape(map_structure(shape_of, inputs)))
        for tensor, shape in zip(found, said if isinstance(said, list) else [said], strict=False):
            if isinstance(shape, tuple) and len(shape) == len(tensor.shape):
                sizes = zip(tensor.shape, shape, strict=True)
                tensor.shape = TensorShape(b if a is None else a for a, b in sizes)

    def _call_arguments(self, given: dict[str, Any], mask: Any) -> dict[str, Any]:
        """The keyword arguments for `call`: `mask` and `training` are added if it takes them, dropped if not."""
        takes_mask, takes_training, required = _extras_of(type(self))  # type: ignore[arg-type]
        result = {k: v for k, v in given.items() if k not in ("mask", "training")}
        if takes_mask and (given.get("mask") is not None or any(m is not None for m in flatten(mask))):
            result["mask"] = given["mask"] if given.get("mask") is not None else mask
        if takes_training:
            training, run = given.get("training"), call_context.current()
            if training is None and run is not None:
                training = run.training
            if training is not None:
                result["training"] = training
        return {**dict.fromkeys(required), **result} if required else result

    def _penalize(self, outputs: Any) -> None:
        """Report the activity penalty, per sample.

        Source: tf_keras 2.21, `base_layer.py`; Keras up to 2.3.1 did not divide by the number of samples.
        """
        if self.activity_regularizer is None:
            return
        for value in flatten(outputs):
            value = value if self._mixed is None else cast_float(value, self.dtype)
            penalty = self.activity_regularizer(value)
            if conventions.current().whole_activity_penalty:
                penalty = of_whole_batch(penalty, is_sum=True)
            else:
                penalty = penalty / K.maximum(K.cast(K.shape(value)[0], K.dtype(value)), 1.0)  # the batch may be empty
            self._report_loss(penalty)

    def _as_inputs(self, inputs: Any) -> Any:
        """Keras: several inputs are a list, and a list of one is that one."""
        if isinstance(inputs, tuple) and not hasattr(inputs, "_fields"):
            inputs = list(inputs)
        if isinstance(inputs, list) and is_written_text(inputs):
            return np.array(inputs, object)
        return as_one_level(inputs) if isinstance(inputs, list) else inputs

    def _value(self, item: Any) -> Any:
        """A tensor for whatever the user passed: NumPy arrays, numbers, variables and tensors of any backend."""
        if isinstance(item, SymbolicTensor) or item is None:
            return item
        if isinstance(item, Variable):
            return item.read()
        watched = symbolic.in_this_step(item)
        if watched is not item:
            return watched
        if isinstance(item, np.ndarray | np.generic | int | float):
            item = np.asarray(item)
            if is_text_array(item):
                return item
            return K.convert(item, self.dtype or config.floatx() if item.dtype.kind == "f" else None)
        return K.convert(item)

    # Recording ---------------------------------------------------------------------------------------

    def _connect(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make a node: outputs, masks and losses come from one deferred run of the layer.

        What the call was given is copied first: the caller may append to a list that the node must remember as it was.
        """
        inputs, args, kwargs = map_structure(copied, (self._as_inputs(inputs), args, kwargs))
        mask = kwargs.get("mask")
        if mask is None:
            mask = map_structure(mask_of_symbol, inputs)
        with call_context.weight_names(self.name):
            self._build_for(inputs)
            result, parts = self._defer((inputs, args, kwargs, mask))
        outputs, masks, losses = parts(result)
        masks = flat_masks(masks, outputs)
        node = Node(self, (inputs, *args), kwargs, outputs, flatten(mask), masks, losses)
        self._add_node(node)
        return outputs

    def _defer(self, arguments: Any) -> tuple[Any, Any]:
        """Record a run on `arguments`; also a function that takes the result apart."""
        leaves = unique(leaves_of(arguments))
        shaped: dict[str, Any] = {}

        def run(*values: Any) -> Any:
            here = dict(zip(map(id, leaves), values, strict=True))
            inputs, args, kwargs, mask = map_structure(lambda a: here.get(id(a), a), arguments)
            training = kwargs.get("training") if self._is_model else None
            with call_context.entered(training), state.bind([], []) as frame:
                outputs, masks = self._run(inputs, args, kwargs, mask)
                masks = flat_masks(masks, outputs)
                shaped["outputs"], shaped["masks"] = outputs, masks
                return [*as_tensors(outputs), *(m for m in masks if m is not None), *frame.losses]

        result = self._record(run, leaves, arguments, shaped)

        def parts(result: Any) -> tuple[Any, Any, list[Any]]:
            found = iter(result)
            outputs = map_structure(lambda t: next(found), shaped["outputs"])
            return outputs, [None if m is None else next(found) for m in shaped["masks"]], list(found)

        return result, parts

    def _record(self, run: Any, leaves: list[Any], arguments: Any, shaped: dict[str, Any]) -> Any:
        """Record `run`; code that cannot work on symbols is tried on real tensors instead.

        Where that fails too and the layer tells its shapes, it is recorded by them; `shaped` then learns the outputs.
        """
        try:
            return K.defer(run, *leaves, name=self.name)
        except Exception as error:
            if isinstance(error, KerasFrontError) and not isinstance(error, UntraceableError):
                raise
            with suppress(Exception):
                return record_by_running(self.name, run, leaves)
            if not self._tells_shape() or not isinstance(error, UntraceableError):
                raise
            said = as_shapes(self.compute_output_shape(map_structure(shape_of, arguments[0])))
            shaped["outputs"] = [...] * len(said) if isinstance(said, list) else ...
            shaped["masks"] = [None] * len(flatten(shaped["outputs"]))
            return record_as(said if isinstance(said, list) else [said], self.name, run, leaves)

    def _tells_shape(self) -> bool:
        return type(self).compute_output_shape is not Layer.compute_output_shape

    def _add_node(self, node: Node) -> None:
        """Make `node` the next node of this layer and write it into the history of its outputs."""
        index = len(self._inbound_nodes)
        self._inbound_nodes.append(node)
        for layer in unique(node.inbound_layers):
            layer._outbound_nodes.append(node)
        for position, (tensor, mask) in enumerate(zip(node.output_tensors, node.output_masks, strict=False)):
            tensor.history, tensor.mask = (self, index, position), mask

    def ensure_built(self, input_shape: Any) -> None:
        """Build the layer, unless it is built.

        Args:
            input_shape: shape of the input with its batch axis, or a list of shapes.
        """
        if self.built:
            return
        if self._mixed is not None:
            self._find_policy(call_context.weight_prefix(self.name))
        with call_context.weight_names(self.name, fresh=True) if call_context.current() is None else nullcontext():
            self.build(as_shapes(input_shape))
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def build_as_part(self, input_shape: Any) -> None:
        """Build a layer inside another one, whose name its weights take.

        Args:
            input_shape: shape of the input with its batch axis, or a list of shapes.
        """
        if not self.built:
            if self._mixed is not None:
                self._find_policy(f"{call_context.weight_prefix('')}/{self.name}".strip("/"))
            self.build(as_shapes(input_shape))
            self.built = True
            if self._initial_weights is not None:
                self.set_weights(self._initial_weights)
                self._initial_weights = None

    def _build_for(self, inputs: Any) -> None:
        """Make the weights if there are none yet; inputs that do not fit are refused before they shape a weight."""
        if not self.built:
            self._check_inputs(inputs)
            self.ensure_built(map_structure(shape_of, inputs))
        self._check_inputs(inputs)

    def _check_inputs(self, inputs: Any) -> None:
        if self.input_spec is not None:
            found = flatten(inputs)
            input_spec.check(self.name, self.input_spec, [shape_of(x) for x in found], [K.dtype(x) for x in found])

    def assert_input_compatibility(self, inputs: Any) -> None:
        """Compare tensors with `input_spec`.

        Args:
            inputs: tensor, or list of tensors.

        Raises: ArgumentError for a wrong number of inputs; ShapeError for a wrong rank or size.
        """
        self._check_inputs(inputs)

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """Losses of the calls on some tensors.

        Args:
            inputs: tensor, or list of tensors; None for the losses that depend on no input.
        """
        if inputs is None:
            return self._given_without_inputs("losses", self.weight_losses())
        wanted = {id(t) for t in leaves_of([inputs])}
        nodes = [n for n in self._inbound_nodes if wanted & {id(t) for t in n.input_tensors}]
        found = [*self._given_with("losses", wanted), *(loss for node in nodes for loss in node.losses)]
        return found if nodes or wanted else self._losses_on_values()

    @classmethod
    @explains_failures
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer, without weights, from what `get_config` returned.

        Args:
            config: the dictionary.
            custom_objects: classes and functions of yours by the names that they have in the config, where a layer
                holds other layers or functions.
        """
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: everything but the places where the layer was called.

        Losses that depend on tensors of a model stay behind: the model has them. So do those of calls on values.
        """
        kept = [loss for loss in self._own_losses if not needs_input(loss)]
        losses = [_carried_loss(loss) for loss in kept]
        own = {name: value for name, value in self.__dict__.items() if name not in OF_CALLS}
        return {**own, "_inbound_nodes": [], "_outbound_nodes": [], "_own_losses": losses}

    def __setstate__(self, state: dict[str, Any]) -> None:
        losses = [_loss_of(loss) for loss in state["_own_losses"]]
        self.__dict__.update(state, _own_losses=losses)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


_MISSING = object()


def _carried_loss(loss: Any) -> Any:
    """A loss that was given to `add_loss`, as the state of a copy has it."""
    if symbolic.is_symbolic(loss):
        return Expression(loss)
    return bytecode.Closure(loss) if hasattr(loss, "__code__") else loss


def _loss_of(carried: Any) -> Any:
    if isinstance(carried, Expression):
        return carried.symbol()
    return carried.function if isinstance(carried, bytecode.Closure) else carried


# Pieces ----------------------------------------------------------------------------------------------


@contextmanager
def _on_values(inputs: Any) -> Iterator[None]:
    """A context in which a layer computes on real tensors, also with the engine's own operators."""
    recorded = recording(flatten(inputs), conventions.current().records_calls)
    with state.eager(), discovery.active().user_code(), recorded:
        yield


@lru_cache(maxsize=4096)
def _extras_of(cls: type) -> tuple[bool, bool, tuple[str, ...]]:
    """Whether `call` of this class takes `mask`, and `training`; and which of them have no default."""
    parameters = inspect.signature(cls.call).parameters  # type: ignore[attr-defined]
    names = [name for name in ("mask", "training") if name in parameters]
    required = tuple(name for name in names if parameters[name].default is inspect.Parameter.empty)
    return "mask" in names, "training" in names, required


def add_note(error: Exception, layer: Layer, inputs: Any) -> None:
    notes = getattr(error, "__notes__", [])
    if not any(note.startswith("In layer ") for note in notes):
        shapes = unpack([shape_of(x) for x in flatten(inputs) if hasattr(x, "shape")])
        error.add_note(f"In layer {layer.name} ({type(layer).__name__}), called on input of shape {shapes}.")


def _not_understood(cls: type, unknown: set[str]) -> Exception:
    known = {*cls.constructor_arguments(), *_BASE_ARGUMENTS}  # type: ignore[attr-defined]
    return UnknownArgumentError.of(cls.__name__, min(unknown), known)
