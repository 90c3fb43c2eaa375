"""`Trackable`: what belongs to a layer. Its weights, the layers and metrics among its attributes, its losses.

Layers and metrics are found by looking through the attributes when they are asked for, so that a list to which layers
are appended later is seen as well. Variables are noted when they are assigned, as Keras 2.3 does. All of this works
before `super().__init__()` ran, because layers written for Keras 2 set their attributes first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import numpy as np

from keras_front import config, constraints, initializers, regularizers
from keras_front.backend import dtypes, state, symbolic
from keras_front.backend.guards import replaced, unchanged
from keras_front.backend.leaves import recording
from keras_front.backend.state import Fresh, Variable
from keras_front.compatibility import accept_legacy_arguments
from keras_front.errors import ArgumentError, ShapeError, StateError, TooLargeError, UnsafeFileError, WrongKindError
from keras_front.nest import unique

from . import call_context
from .node import is_computed
from .updates import LayerUpdates, decides

POSTPONED = 1 << 16  # elements; a weight of more takes no memory until its value is asked for
_Draw = Callable[..., Any]
_LAZY: ContextVar[str] = ContextVar("keras_front_lazy_weights", default="")


@contextmanager
def lazy_weights(reserve: bool = False) -> Iterator[None]:
    """A context in which new weights take no memory until they are read or set: a file may be about to be read.

    Args:
        reserve: whether they are the numbers that they would be if they were drawn at once, whatever is read first.
            Otherwise they are drawn like weights that are made when they are read, and a file costs no random numbers.
    """
    token = _LAZY.set("reserved" if reserve else "later")
    try:
        yield
    finally:
        _LAZY.reset(token)


def check_room(name: str, shapes: Sequence[Sequence[int]], dtype: str) -> None:
    """Raise if a layer asks for more memory beside its weights than there is, or than a file or config is allowed.

    Args:
        name: name of the layer.
        shapes: the shapes of the arrays that it is about to make.
        dtype: their dtype.

    Raises: TooLargeError; inside `lazy_weights` UnsafeFileError.
    """
    wanted = sum(math.prod(shape) for shape in shapes) * dtypes.item_bytes(dtype)
    if not _LAZY.get():
        if wanted > config.memory():
            raise TooLargeError(
                f"{name}: expected sizes whose results fit into the {config.memory()} bytes of memory, received an "
                f"input and arguments that ask for {wanted}."
            )
    elif wanted > config.max_model_bytes():
        raise UnsafeFileError(
            f"{name}: expected at most {config.max_model_bytes()} bytes beside the weights, received a config that "
            f"asks for {wanted}.\n  If that is meant, allow it: config.set_max_model_bytes (max_model_bytes)."
        )


def too_large(name: str, error: Exception) -> Exception:
    """The error for memory that a layer did not get, in words about the layer; any other error itself.

    Args:
        name: name of the layer.
        error: what rose in its `call`.
    """
    if not isinstance(error, MemoryError) or isinstance(error, TooLargeError):
        return error
    said = f"{error}".strip().rstrip(".") or "there is not so much memory"
    return TooLargeError(
        f"{name}: expected sizes whose results fit into memory, received an input and arguments for which they do not: "
        f"{said}. Look at the sizes that the layer was made with, and at the batch size."
    )


def found_in(value: Any, wanted: Callable[[Any], bool], depth: int = 4) -> Iterator[Any]:
    """The wanted objects in `value`, which may be a nesting of lists, tuples and dicts."""
    if wanted(value):
        yield value
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from found_in(item, wanted, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from found_in(item, wanted, depth - 1)


def _is_layer(value: Any) -> bool:
    return isinstance(value, Trackable)


def _is_metric(value: Any) -> bool:
    kind = type(value)  # a layer that is asked for an attribute that it lacks looks for it among former ones
    return hasattr(kind, "update_state") and hasattr(kind, "result") and not isinstance(value, type)


def _shape_first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether `add_weight` was given the shape in the place of the name, and the name elsewhere."""
    return len(args) > 1 and isinstance(args[1], tuple | list) and (len(args) > 2 or bool(kwargs))


class Trackable(LayerUpdates):
    """Base of `Layer`: weights, sublayers, losses, metrics."""

    name: str
    dtype: Any
    built: bool
    read_arguments: Any  # of `Configurable`
    _trainable: bool
    _trainable_weights: list[Variable]
    _non_trainable_weights: list[Variable]
    _own_losses: list[Any]
    _value: Callable[[Any], Any]
    _own_metrics: list[Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        blank: dict[str, Any] = {"_trainable": True, "built": False}
        for key in ("_trainable_weights", "_non_trainable_weights", "_own_losses", "_own_metrics", "_given_updates"):
            blank[key] = []
        for key in ("_inbound_nodes", "_outbound_nodes"):
            blank[key] = []
        self.__dict__.update(blank)
        return self

    def __setattr__(self, key: str, value: Any) -> None:
        if isinstance(value, Variable):
            self._note(value)
        super().__setattr__(key, value)

    def __delattr__(self, key: str) -> None:
        value = self.__dict__.get(key)
        for known in (self._trainable_weights, self._non_trainable_weights):
            known[:] = [w for w in known if w is not value]
        super().__delattr__(key)

    def _note(self, variable: Variable) -> None:
        known = self._trainable_weights + self._non_trainable_weights
        if not any(w is variable for w in known):
            (self._trainable_weights if variable.trainable else self._non_trainable_weights).append(variable)

    # Sublayers ---------------------------------------------------------------------------------------

    def sublayers(self) -> list[Any]:
        """The layers directly below this one, in the order in which the attributes were set."""
        found: list[Any] = []
        for key, value in self.__dict__.items():
            if isinstance(value, Trackable):
                found.append(value)
            elif isinstance(value, list | tuple | dict) and value and key not in _NOT_SEARCHED:
                found.extend(found_in(value, _is_layer))
        return [layer for layer in unique(found) if layer is not self]

    def all_layers(self) -> list[Any]:
        """This layer and every layer below it, each once, parents first."""
        seen: dict[int, Any] = {}
        stack = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen[id(layer)] = layer
                stack.extend(reversed(layer.sublayers()))
        return list(seen.values())

    @property
    def trainable(self) -> bool:
        """Whether training may change the weights. Setting it sets it for all layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: Any) -> None:
        self._trainable = bool(value)
        for layer in self.sublayers():
            layer.trainable = value

    def trainable_flags(self) -> list[tuple[Any, bool]]:
        """Every layer with its own `trainable` flag: what `with_trainable_flags` restores for a while."""
        return [(layer, layer._trainable) for layer in self.all_layers()]

    # Weights -----------------------------------------------------------------------------------------

    @functools.partial(accept_legacy_arguments, defaults=False, legacy_order=_shape_first)
    def add_weight(
        self,
        name: str | None = None,
        shape: Sequence[Any] | None = None,
        dtype: str | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        autocast: bool = True,
    ) -> Variable:
        """A new weight of this layer, called `<layer>/<name>:0`.

        What is not given is taken from the constructor's arguments of the weight's name, if their annotations are
        `Initializer`, `Regularizer` and `Constraint`: `kernel_initializer`, `kernel_regularizer` and
        `kernel_constraint` for 'kernel'; `depthwise_initializer` for 'depthwise_kernel'.

        Args:
            name: name of the weight.
            shape: its shape, without unknown sizes; () if it is not given.
            dtype: its type, by default that of the layer; what training changes is of floats, also where the layer's
                is one of integers, which up to Keras 2.0 was that of its input.
            initializer: first values: a name, an object or a function of the shape. By default 'glorot_uniform' for
                floats and 'zeros' for others.
            regularizer: penalty on the weight, added to the loss.
            trainable: whether training changes it.
            constraint: function of the weight, applied after each step.
            autocast: whether `call` reads it in the dtype that the layer computes in, where a mixed policy makes that
                another one; False for numbers that 16 bits cannot tell apart, such as running means.

        Returns: the new variable. Assign it to an attribute, so that you can use it in `call`.
        Raises:
            ArgumentError: if `name` is no string.
            ShapeError: if a size is unknown.
        """
        if name is not None and not isinstance(name, str):
            raise ArgumentError(
                f"{self.name}.add_weight: expected the name of the weight first, received {name!r}. Pass the others by "
                "keyword: add_weight(name='kernel', shape=(3, 2), initializer='uniform')."
            )
        dtype, size = dtype or self._dtype_of_weights(trainable), tuple(shape or ())
        if any(not isinstance(n, int | np.integer) for n in size):
            raise ShapeError(
                f"{self.name}: cannot make the weight {name!r} of shape {size}: a size of the input is not known. "
                "Give the layer an input whose axes other than the batch are known."
            )
        initializer = initializer or self._weight_argument(name, "initializer")
        default = "glorot_uniform" if "float" in dtype else "zeros"
        variable = Variable(
            self._initial_value(cast("_Draw", initializers.get(initializer or default)), tuple(map(int, size)), dtype),
            shape=tuple(int(n) for n in size),
            dtype=dtype,
            name=f"{call_context.weight_prefix(self.name)}/{name or 'weight'}:0",
            trainable=bool(trainable),
            constraint=constraints.get(constraint or self._weight_argument(name, "constraint")),
        )
        variable.autocast = bool(autocast)
        variable.regularizer = regularizers.get(regularizer or self._weight_argument(name, "regularizer"))
        self._note(variable)
        return variable

    def _dtype_of_weights(self, trainable: bool) -> str:
        own = self.dtype or config.floatx()
        return config.floatx() if trainable and "int" in own else own

    def _weight_argument(self, weight: str | None, kind: str) -> Any:
        """What the constructor read as `<weight>_<kind>`, such as `kernel_initializer`; None if there is none."""
        for prefix in (weight or "", (weight or "").removesuffix("_kernel")):
            if f"{prefix}_{kind}" in self.read_arguments():
                return getattr(self, f"{prefix}_{kind}")
        return None

    def _initial_value(self, initializer: Callable[..., Any], shape: tuple[int, ...], dtype: str) -> Any:
        """Initial values; inside `lazy_weights` a function that draws them if they are ever read."""
        if _LAZY.get() == "reserved":
            initializer = initializers.reserved(initializer)
        if _LAZY.get():
            return functools.partial(_draw, initializer, shape, dtype)
        later = initializers.postponed(initializer, shape) if math.prod(shape) > POSTPONED else None
        if later is not None:
            return Fresh(functools.partial(_draw, later, shape, dtype))
        try:
            return _draw(initializer, shape, dtype)
        except MemoryError as error:
            raise too_large(self.name, error) from error

    def _split_weights(self, decided: bool = True) -> tuple[list[Variable], list[Variable]]:
        """Weights made for training and others, whatever is frozen; unless `decided` without asking an own override."""
        below = [layer._split_weights() for layer in self.sublayers()]
        learned = _variables(self._trainable_weights) + [w for pair in below for w in pair[0]]
        others = _variables(self._non_trainable_weights) + [w for pair in below for w in pair[1]]
        if self.built and decides(self, "trainable_weights"):
            learned = list(self.trainable_weights)
        if decided and self.built and decides(self, "non_trainable_weights"):
            others = list(self.non_trainable_weights)
        return unique(learned), unique(others)

    def always_frozen(self) -> tuple[Variable, ...]:
        """The weights that training never changes because another one is trained in their place."""
        return ()

    def stored_weights(self) -> tuple[list[Any], list[Any]]:
        """The weights of this layer alone as files know them: what was made for training, and the others."""
        return _variables(self._trainable_weights), _variables(self._non_trainable_weights)

    @property
    def weights(self) -> list[Variable]:
        """All weights: those made for training, then the others; freezing does not change the order.

        A subclass that overrides `trainable_weights` or `non_trainable_weights` decides which these are.
        """
        learned, others = self._split_weights()
        return unique(learned + others)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        if not self.trainable:
            return []
        below = [w for layer in self.sublayers() for w in layer.trainable_weights]
        return unique([w for w in _variables(self._trainable_weights) if w.trainable] + below)

    @trainable_weights.setter
    def trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._trainable_weights = list(weights)
        self._non_trainable_weights = _without(self._non_trainable_weights, weights)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone, frozen ones included."""
        learned = {id(w) for w in self.trainable_weights}
        overrides = decides(self, "non_trainable_weights")  # with what it finds here
        every = [w for part in self._split_weights(decided=False) for w in part] if overrides else self.weights
        return [w for w in unique(every) if id(w) not in learned]

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._non_trainable_weights = list(weights)
        self._trainable_weights = _without(self._trainable_weights, weights)

    variables = weights

    @property
    def state_variables(self) -> list[Variable]:
        """Variables that are no weights but live on between steps: the states of stateful layers."""
        return unique(v for layer in self.all_layers() for v in layer._own_state())

    def _own_state(self) -> list[Variable]:
        return []

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights as NumPy arrays, in the order of `weights`."""
        own = self.weights
        with unchanged(own):
            return [w.numpy() for w in own]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights. Nothing is set unless everything fits.

        Args:
            weights: arrays in the order of `get_weights`.

        Raises: ArgumentError for a wrong number of arrays; ShapeError if one has the wrong shape.
        """
        own = self.weights
        if isinstance(weights, str) or not hasattr(weights, "__len__"):
            raise WrongKindError(
                f"{self.name}.set_weights: expected weights to be a list of {len(own)} arrays, as get_weights returns "
                f"them, received {weights!r:.60}."
            )
        if len(own) != len(weights):
            raise ArgumentError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a weight list of length '
                f"{len(weights)}, but the layer was expecting {len(own)} weights. Provided weights: "
                f"{str(weights)[:50]}..."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ShapeError(
                    f"Layer weight shape {variable.shape} not compatible with provided weight shape "
                    f"{tuple(np.shape(value))}: {variable.name}."
                )
            if isinstance(value, np.ndarray | list | tuple) and np.asarray(value).dtype.kind in "OUS":
                raise WrongKindError(f"{self.name}.set_weights: expected numbers as weights, received {value!r:.60}.")
        with replaced(own):
            for variable, value in zip(own, weights, strict=True):
                variable.set(value)

    def count_params(self) -> int:
        """The number of scalars in the weights.

        Raises: StateError if the weights do not exist yet.
        """
        if not self.built and not self.weights:
            raise StateError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. "
                "Call it on an input first, or build it with `layer.build(input_shape)`."
            )
        return int(sum(np.prod(w.shape, dtype=np.int64) for w in self.weights))

    # Losses, metrics, updates ------------------------------------------------------------------------

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Report losses to be added to the total.

        Inside `call` they count for this call. Elsewhere they are kept: functions and expressions of weights are
        computed anew for each batch; a tensor of a model counts in the models that are made with this layer.

        Args:
            losses: a tensor, whose sum is added; a function without arguments that returns one; or a list of these.
            inputs: outside of `call`, the tensors for which `get_losses_for` lists it; inside, what a loss depends on
                is known.
        """
        for loss in losses if isinstance(losses, list | tuple) else [losses]:
            if not (loss is None or callable(loss) or hasattr(loss, "dtype") or isinstance(loss, int | float)):
                raise WrongKindError(
                    f"{self.name}.add_loss: expected tensors, or functions that return one, as losses, received "
                    f"{loss!r:.60}."
                )
            if call_context.current() is not None and self.built and not callable(loss):
                self._report_loss(loss)
            elif loss is not None:
                self._own_losses.append(loss)
                self._note_inputs("losses", loss, inputs)

    def _report_loss(self, loss: Any) -> None:
        """Give a loss of the present call to what collects it: a step or a node, else the call on values itself."""
        run = call_context.current()
        if not state.add_loss_to_frame(loss) and run is not None:
            run.losses.append((self, self._value(loss)))

    def _keep_losses(self, reported: list[tuple[Any, Any]]) -> None:
        """Keep what a call of this layer on values reported, until it is called again.

        Source: tf_keras 2.21, `base_layer.py`, where `losses` are those of the latest call.
        """
        own = self.__dict__
        for layer, _ in own.pop("_reported_on_values", ()):
            layer.__dict__.pop("_value_losses", None)
        if reported:
            own["_reported_on_values"] = reported
            for layer, loss in reported:
                layer.__dict__.setdefault("_value_losses", []).append(loss)

    def _losses_on_values(self) -> list[Any]:
        return [loss for layer in self.all_layers() for loss in layer.__dict__.get("_value_losses", ())]

    def weight_losses(self) -> list[Any]:
        """The penalties on weights, here and below, computed from the present values.

        Inside a frame the frame's values are used, so the trainer calls this in its step.
        """
        with recording(None, False):
            return self._weight_losses()

    def _weight_losses(self) -> list[Any]:
        layers = self.all_layers()
        deciding = [layer for layer in layers if decides(layer, "losses")]
        theirs = {id(part) for layer in deciding for part in (*layer.all_layers(), *layer.weights)}
        own = [w.regularizer(w) for w in unique(self.weights) if w.regularizer is not None and id(w) not in theirs]
        kept = [e for layer in layers if id(layer) not in theirs for e in layer._own_losses if not needs_input(e)]
        told = [loss for layer in deciding for loss in _without(layer.losses, layer._call_losses())]
        several = [isinstance(loss, int | float) or not any(loss is e for e in kept[:i]) for i, loss in enumerate(kept)]
        return own + [_now(loss) for loss, counts in zip(kept, several, strict=True) if counts] + told

    regularization_losses = weight_losses

    @property
    def losses(self) -> list[Any]:
        """Every loss: weight penalties, and what calls reported: the latest one on values, else those on symbols.

        A subclass may override it; in its steps a model asks for it after the call. Setting it is `add_loss`.
        """
        found = self._losses_on_values() or [loss for layer in self.all_layers() for loss in layer._call_losses()]
        return self.weight_losses() + found

    @losses.setter
    def losses(self, losses: Sequence[Any]) -> None:
        self.add_loss(list(losses))

    def _call_losses(self) -> list[Any]:
        kept = [loss for loss in self._own_losses if needs_input(loss)]
        return kept + [loss for node in self.__dict__["_inbound_nodes"] for loss in node.losses]

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = "mean") -> None:
        """Report a value whose mean over the batches of an epoch is shown.

        Args:
            value: a tensor, inside `call`. The result of a metric is reported by that metric, under its name.
            name: what logs call it; by default the name of the tensor.
            aggregation: 'mean', the only one.
        """
        from keras_front.metrics.results import metric_of

        known = metric_of(value)
        if known is not None:  # it was updated when it was called
            self._own_metrics = unique([*self._own_metrics, known[0]])
            return
        metric = self._metric_called(name or getattr(value, "name", None) or "metric")
        if not symbolic.is_symbolic(value) or call_context.current() is not None:
            update_metric(metric, value)

    def _metric_called(self, name: str) -> Any:
        from keras_front import metrics

        for metric in self._own_metrics:
            if metric.name == name:
                return metric
        metric = metrics.Mean(name=name)
        self._own_metrics.append(metric)
        return metric

    @property
    def metrics(self) -> list[Any]:
        """The metric objects of this layer and of those below."""
        return self.layer_metrics()

    def layer_metrics(self) -> list[Any]:
        """What `metrics` is for a layer; a model's `metrics` also has those it was compiled with."""
        return unique(metric for layer in self.all_layers() for metric in layer._metrics_here())

    def _metrics_here(self) -> list[Any]:
        held = [m for v in self.__dict__.values() for m in found_in(v, _is_metric, depth=1)]
        return unique(self._own_metrics + held)


# What a layer keeps of its calls on values, and of what `add_update` and `add_loss` were given for tensors.
OF_CALLS = frozenset({"_reported_on_values", "_value_losses", "_updates_for", "_losses_for"})
_NOT_SEARCHED = OF_CALLS | {
    "_trainable_weights", "_non_trainable_weights", "_inbound_nodes", "_outbound_nodes", "_own_losses", "_own_metrics",
    "_given_updates",
}  # fmt: skip


@contextmanager
def with_trainable_flags(trainable_flags: Sequence[tuple[Any, bool]]) -> Iterator[None]:
    """A context in which layers are trainable as they were when `trainable_flags()` was asked.

    `compile` settles what is trained; a step that is traced later must see the flags of that moment (the discriminator
    of a GAN is frozen after it was compiled, and still trains by itself).
    """
    now = [(layer, layer._trainable) for layer, _ in trainable_flags]
    try:
        for layer, flag in trainable_flags:
            layer._trainable = flag
        yield
    finally:
        for layer, flag in now:
            layer._trainable = flag


def _variables(weights: Sequence[Any]) -> list[Variable]:
    """The weights that are variables: a tensor computed from others may stand in the place of one."""
    return [w for w in weights if isinstance(w, Variable)]


def _without(items: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    known = set(map(id, others))
    return [item for item in items if id(item) not in known]


def _draw(initializer: Callable[..., Any], shape: tuple[int, ...], dtype: str) -> Any:
    """Initial values, drawn now, so that weights start in the order in which layers are built."""
    with state.eager():
        try:
            return initializer(shape, dtype=dtype)
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            return initializer(shape)  # Keras 1 and much user code: functions of the shape alone


def needs_input(loss: Any) -> bool:
    """Whether a loss is a symbol that depends on an input, and not a function or an expression of weights."""
    return symbolic.is_symbolic(loss) and any(t.is_placeholder and is_computed(t) for t in symbolic.ancestors([loss]))


def _now(loss: Any) -> Any:
    if callable(loss) and not symbolic.is_symbolic(loss) and not isinstance(loss, Variable):
        return loss()
    return symbolic.replay(loss, {}) if symbolic.is_symbolic(loss) else loss


def update_metric(metric: Any, *values: Any) -> None:
    """Feed a metric if the surrounding step carries its state; otherwise the values are not wanted."""
    frame = state.current_frame()
    while frame is not None:
        if not frame.open and any(v in frame.table for v in metric.weights):
            metric.update_state(*values)
            return
        frame = frame.parent
