"""What an optimizer is: variables made on the host, and a step that assigns new values within a frame.

An optimizer keeps its state in variables, made on the host: `iterations`, `lr`, and for each weight its
slots (running means and the like), made by `build`. `apply(params, grads)` assigns new values within the
frame of a step, so the step stays a pure function. Formulas, defaults and the order of weights are those
of Keras 2.3.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from inspect import signature
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from keras_front import backend as K
from keras_front import conventions
from keras_front.backend.state import Variable
from keras_front.conventions import Conventions
from keras_front.errors import ArgumentError, ShapeError, UnknownArgumentError
from keras_front.file_form import FileForm
from keras_front.initializers import host_dtype
from keras_front.optimizers.get_updates import Recorded, placeholders, recorded
from keras_front.registry import Configurable, Registry, plain

OPTIMIZERS = Registry("optimizer", fold_case=True)

# What other Keras versions write into configs, and the values that mean nothing there or that we do not need.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "weight_decay": (None, 0, 0.0, False),
    "use_ema": (None, False),
    "ema_momentum": (),
    "ema_overwrite_frequency": (),
    "jit_compile": (),
    "is_legacy_optimizer": (),
    "loss_scale_factor": (None,),
    "gradient_accumulation_steps": (None, 1),
}


class Optimizer(Configurable):
    """Base class: changes weights by their gradients, step by step.

    A subclass lists its `slots`, variables that it keeps for each weight, and says in `update` how one weight changes.
    A class in the manner of Keras 2 may override `get_updates` instead.

    Args:
        learning_rate: step size, 0 or more; `lr` is the same. It becomes the variable `lr`, which may be set at any
            time.
        decay: the step size is divided by `1 + decay * iterations`; 0 for a constant one.
        clipnorm: gradients of a larger norm are scaled down to it, each by itself; in the dialects of Keras up to 2.3,
            and where a file of these versions said so, all together. None for no bound.
        clipvalue: elements of gradients are kept between `-clipvalue` and `clipvalue`, after any norm is bounded.
        global_clipnorm: all gradients together are scaled down to this norm.
        name: stands before the names of its variables; by default the name of the class.

    Attributes: `iterations`, a variable that counts the steps; `lr` and `decay`, variables; `weights`, what is saved.
    Raises: ArgumentError for arguments that it does not know, and for a rate that is not a number of 0 or more.
    Source: Keras 2.3.1, `keras/optimizers.py`; tf_keras 2.21, `optimizers/legacy/optimizer_v2.py`, for `clipnorm`.
    Example:
        >>> class SignDescent(Optimizer):
        ...     def update(self, w, g, slots, rate, t):
        ...         return w - rate * K.sign(g), slots
        >>> weight = K.variable([1.0, 1.0])
        >>> SignDescent(0.5).apply([weight], [K.constant([3.0, -2.0])])
        >>> weight.numpy().tolist()
        [0.5, 1.5]
    """

    file_form = FileForm(omitted={"decay": 0.0})

    slots: tuple[str, ...] = ()
    slots_together = 0  # how many of them, from the first, files of Keras 3 keep side by side for each weight
    first_slot = 0.0  # the value that slots start with
    _slots: WeakKeyDictionary[Variable, dict[str, Variable]]  # they go when their weight goes
    _built: WeakKeyDictionary[Variable, None]
    _records: dict[tuple[Variable, ...], Recorded]
    _given_grads: list[Any] | None = None  # placeholders, while a `get_updates` of one's own is recorded
    _dialect: str | None = None  # whose conventions hold, where a file said so; else those of whatever compiles it

    def __init__(
        self,
        learning_rate: float = 0.01,
        decay: float = 0.0,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        learning_rate = kwargs.pop("lr", learning_rate)
        _refuse_unknown(type(self), kwargs)
        self.name = name or type(self).__name__
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.initial_decay = float(decay or 0.0)
        self.iterations = self._variable(0, "iter", "int64")
        self._lr = self._variable(_number(learning_rate, type(self).__name__), "learning_rate")
        self.decay = self._variable(self.initial_decay, "decay")
        self._own_weights: list[Variable] | None = None

    def _variable(self, value: Any, name: str, dtype: Any = None) -> Variable:
        return Variable(value, dtype or K.floatx(), f"{self.name}/{name}:0", trainable=False)

    # Hyperparameters ---------------------------------------------------------------------------------

    @property
    def lr(self) -> Any:
        """The step size, a variable; assigning a number sets its value."""
        return self._lr

    @lr.setter
    def lr(self, value: Any) -> None:
        self._lr.assign(np.asarray(_number(value, self.name), host_dtype(self._lr.dtype)))

    learning_rate = lr

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; those for clipping only where they are set."""
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        clips = {name: value for name, value in clips.items() if value is not None}
        if self._is_classic():
            return clips  # as Keras 2 did: such a class writes its own arguments
        names = [n for n in self.constructor_arguments() if n not in _COMMON]
        own = {name: plain(self._stored(name)) for name in names}
        return {
            "name": self.name,
            "learning_rate": float(self._lr),
            "decay": self.initial_decay,
            **own,
            **clips,
        }

    # State -------------------------------------------------------------------------------------------

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        optimizer = super().__new__(cls)
        optimizer._slots = WeakKeyDictionary()
        optimizer._records = {}
        optimizer._built = WeakKeyDictionary()
        return optimizer

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_slots": list(self._slots.items()), "_built": list(self._built)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        built = WeakKeyDictionary(dict.fromkeys(state["_built"]))
        vars(self).update(state, _slots=WeakKeyDictionary(state["_slots"]), _built=built)

    @property
    def params(self) -> list[Variable]:
        """The weights that `build` saw last, in their order."""
        return list(self._built)

    def build(self, params: Sequence[Variable]) -> None:
        """Make the slots of these weights; weights that have slots already keep them.

        Args:
            params: the weights that are to be trained. `weights` lists their slots first from now on.
        """
        self._built = WeakKeyDictionary(dict.fromkeys(params))
        if self._is_classic():
            self._own_weights = self._recorded(self.params).weights
        else:
            for param in self.params:
                self.slots_of(param)

    def slots_of(self, param: Variable) -> dict[str, Variable]:
        """The slots of a weight by name, made when it is first met.

        They belong to this optimizer and this weight: models that share an optimizer share `iterations` and the step
        size, and models that share a weight as well share its slots.

        Args:
            param: the weight.

        Returns: variables of the shape and dtype of `param`, by the names in `slots`.
        """
        held = self._slots.setdefault(param, {})
        for slot in self.slots:
            if slot not in held:
                held[slot] = self._slot(param, slot)
        return held

    def _slot(self, param: Variable, slot: str) -> Variable:
        values = np.full(param.shape, self.first_slot, host_dtype(param.dtype))
        return self._variable(values, f"{param.name.partition(':')[0]}/{slot}", param.dtype)

    @property
    def slot_variables(self) -> dict[str, list[Variable]]:
        """The slots by name, in the order of the weights that `build` saw last."""
        return {slot: [self.slots_of(param)[slot] for param in self.params] for slot in self.slots}

    def _is_classic(self) -> bool:
        return type(self).get_updates is not Optimizer.get_updates

    def _recorded(self, params: Sequence[Variable]) -> Recorded:
        """What a `get_updates` of one's own does with these weights; it runs once, on placeholders for gradients."""
        found = self._records.get(tuple(params))
        return self._record(params) if found is None else found

    def _record(self, params: Sequence[Variable]) -> Recorded:
        grads = self._given_grads = placeholders(params)
        self._own_weights = None
        try:
            updates = self.get_updates(loss=None, params=list(params))
        finally:
            self._given_grads = None
        record = recorded(grads, updates, self._own_weights, params, self.iterations)
        self._records[tuple(params)] = record
        return record

    @property
    def counters(self) -> list[Variable]:
        """The variables that are saved and belong to no weight: `iterations` first."""
        return [self.iterations]

    def slot_groups(self) -> list[tuple[str, ...]]:
        """The slots as they follow each other in files of Keras 3: those of one group lie together for each weight.

        Source: Keras 3.15, `add_optimizer_variables` in the `build` of each optimizer.
        """
        together = self.slots[: self.slots_together]
        return [*([together] if together else []), *((slot,) for slot in self.slots[self.slots_together :])]

    def weights_of(self, params: Sequence[Variable]) -> list[Variable]:
        """The variables that are saved with a model: `counters`, then slot by slot those of its weights.

        Args:
            params: the weights that the model trains, in its order.
        """
        return self._recorded(params).weights if self._is_classic() else self._slot_weights(params)

    def _slot_weights(self, params: Iterable[Variable]) -> list[Variable]:
        slots = [self.slots_of(param) for param in params]
        return [*self.counters, *(held[slot] for slot in self.slots for held in slots)]

    def variables_of(self, params: Sequence[Variable]) -> list[Variable]:
        """Every variable that a step reads or changes: hyperparameters, then `weights_of`.

        Args:
            params: the weights that the step trains.
        """
        held = [value for value in vars(self).values() if isinstance(value, Variable)]
        changed = self._recorded(params).variables if self._is_classic() else []
        return list(dict.fromkeys([*held, *self.weights_of(params), *changed]))

    @property
    def weights(self) -> list[Variable]:
        """The variables that are saved: `counters`, then slot by slot those of all weights.

        First come the weights that `build` saw last, in their order, then those of other models.
        """
        if self._own_weights is not None:
            return self._own_weights
        return self._slot_weights(dict.fromkeys([*self.params, *self._slots]))

    @weights.setter
    def weights(self, variables: Sequence[Variable]) -> None:
        self._own_weights = list(variables)

    def get_weights(self) -> list[np.ndarray]:
        """Values of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `weights`, or of those of the model compiled last.

        Args:
            weights: arrays as `get_weights` returns them. The lists of Keras 2.2 and 2.3, which had others, are
                understood.

        Raises: ShapeError if the arrays do not fit; then nothing is set.
        """
        given = [np.asarray(w) for w in weights]
        for variables in (self.weights, self.weights_of(self.params)):
            values = self._adapted(variables, given)
            if [v.shape for v in values] == [v.shape for v in variables]:
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value.astype(host_dtype(variable.dtype)))
                return
        raise ShapeError(
            f"{self.name}.set_weights: expected arrays of shapes {[v.shape for v in self.weights]}, "
            f"received {[v.shape for v in given]}.\n"
            "  Build the optimizer for the same weights first: compile the model, or call `build`."
        )

    def _adapted(self, variables: Sequence[Variable], values: list[np.ndarray]) -> list[np.ndarray]:
        """Saved values in our order: Keras 2.2.4 left `iterations` out, Keras 2.3 kept slots without use."""
        wanted = [v.shape for v in variables]
        if len(values) == len(wanted) - 1 and [v.shape for v in values] == wanted[1:]:
            return [np.zeros(()), *values]
        surplus = len(values) - len(wanted)
        return values[: len(wanted)] if surplus and surplus == len(self.params) else values

    # A step ------------------------------------------------------------------------------------------

    def apply(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        """Take a step: clip the gradients, update weights and slots, constrain the weights, count.

        Args:
            params: the weights.
            grads: their gradients, tensors of the same shapes. A weight with None stays as it is.
        """
        self.build(params)
        if self._is_classic():
            self._recorded(params).apply(params, grads)
        else:
            self._apply(params, grads)

    def _apply(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        pairs = [(param, g) for param, g in zip(params, grads, strict=True) if g is not None]
        if pairs:  # a model may have nothing to train
            self._update([param for param, _ in pairs], self.clip([g for _, g in pairs]))
        self.iterations.assign(current(self.iterations) + 1)

    def _update(self, params: list[Variable], grads: list[Any]) -> None:
        held = [self.slots_of(param) for param in params]
        slots = [[current(of_param[slot]) for of_param in held] for slot in self.slots]
        t = K.cast(current(self.iterations), K.floatx()) + 1.0
        new_ws, new_slots = self.update_all([current(param) for param in params], grads, slots, self.rate(), t)
        for param, w in zip(params, new_ws, strict=True):
            param.assign(w if param.constraint is None else param.constraint(w))
        for slot, values in zip(self.slots, new_slots, strict=True):
            for of_param, value in zip(held, values, strict=True):
                of_param[slot].assign(value)

    def apply_gradients(self, grads_and_params: Iterable[tuple[Any, Variable]]) -> None:
        """`apply` for pairs, as loops written for tf.keras call it.

        Args:
            grads_and_params: pairs (gradient, weight), such as `zip(grads, model.trainable_weights)`.
        """
        pairs = list(grads_and_params)
        self.apply([param for _, param in pairs], [grad for grad, _ in pairs])

    def rate(self) -> Any:
        """The step size of this step, as a tensor: `lr`, lowered by `decay`."""
        if not self.initial_decay:
            return current(self._lr)
        past = K.cast(current(self.iterations), self.decay.dtype)
        return current(self._lr) / (1.0 + current(self.decay) * past)

    def conventions(self) -> Conventions:
        """The conventions that hold for it: those of the file that it comes from, else those of the present dialect."""
        return conventions.current() if self._dialect is None else conventions.of(self._dialect)

    def clip(self, grads: list[Any]) -> list[Any]:
        """Gradients cut back as `clipnorm`, `global_clipnorm` and `clipvalue` say, in this order.

        Args:
            grads: tensors, real or symbolic.

        Returns: a list of as many.
        """
        joint = self.conventions().joint_clipnorm
        if self.clipnorm is not None and not joint:
            grads = [clip_norm(g, self.clipnorm, _norm([g])) for g in grads]
        for bound in (self.clipnorm if joint else None, self.global_clipnorm):
            if bound is not None:
                norm = _norm(grads)
                grads = [clip_norm(g, bound, norm) for g in grads]
        if self.clipvalue is not None and self.clipvalue > 0:
            grads = [K.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def update_all(
        self, ws: list[Any], grads: list[Any], slots: list[list[Any]], rate: Any, t: Any
    ) -> tuple[list[Any], list[list[Any]]]:
        """New values for all weights at once; by default `update` for one after the other.

        Args:
            ws: tensors of the weights, at least one.
            grads: their gradients, clipped.
            slots: for each name in `slots` a list of tensors, one for each weight.
            rate: the step size of this step, a tensor.
            t: the number of this step, from 1, a float tensor.

        Returns: the new weights, and the new slots in lists like those given.
        """
        new_ws, new_slots = [], []
        for i, (w, g) in enumerate(zip(ws, grads, strict=True)):
            w, values = self.update(w, g, [s[i] for s in slots], K.cast(rate, K.dtype(w)), K.cast(t, K.dtype(w)))
            new_ws.append(w)
            new_slots.append(values)
        return new_ws, [[values[k] for values in new_slots] for k in range(len(slots))]

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        """New values for one weight.

        Args:
            w: the weight, a tensor.
            g: its gradient, clipped.
            slots: its slots, in the order of the names in `slots`.
            rate: the step size of this step, in the dtype of `w`.
            t: the number of this step, from 1, in the dtype of `w`.

        Returns: the new weight, and its new slots in the same order.
        Raises: NotImplementedError unless a subclass says how.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither `update` nor `update_all`.")

    # The classic interface for K.function ------------------------------------------------------------

    def get_gradients(self, loss: Any, params: Sequence[Variable]) -> list[Any]:
        """Symbolic gradients of `loss`, clipped.

        Args:
            loss: a symbolic scalar.
            params: the weights to differentiate by.

        Raises: ArgumentError if `loss` does not depend on one of the weights.
        """
        if self._given_grads is not None:
            return self.clip(self._given_grads)
        grads = K.gradients(loss, list(params))
        lost = [p.name for p, g in zip(params, grads, strict=True) if g is None]
        if lost:
            raise ArgumentError(f"{self.name}: the loss does not depend on {', '.join(lost)}.")
        return self.clip(grads)

    def get_updates(self, loss: Any, params: Sequence[Variable]) -> list[Any]:
        """Pairs (variable, new value) of one step, for `updates=` of `K.function`.

        A class in the manner of Keras 2 overrides this; it is then run once for the weights of each model.

        Args:
            loss: a symbolic scalar.
            params: the weights to train.
        """
        if self._given_grads is None:
            self.build(params)
        variables = list(dict.fromkeys([*params, *self._slot_weights(params)]))
        grads = self._given_grads or K.gradients(loss, list(params))
        with K.bind(variables, [v.symbol for v in variables]) as frame:
            self._apply(params, grads)
            values = frame.values_of(variables)
        return [(v, value) for v, value in zip(variables, values, strict=True) if value is not v.symbol]


_COMMON = {"learning_rate", "lr", "decay", "clipnorm", "clipvalue", "global_clipnorm", "name"}


def current(variable: Variable) -> Any:
    """The value of a variable in the frame of the step, or its tensor."""
    return K.convert(variable)


def _number(value: Any, owner: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not number >= 0:
        raise ArgumentError(
            f"{owner}: expected a learning rate of 0 or more, received {value!r}.\n"
            "  A rate that changes with time is the business of the LearningRateScheduler callback."
        )
    return number


def _refuse_unknown(cls: type[Any], kwargs: dict[str, Any]) -> None:
    for name, value in kwargs.items():
        if name in _NEUTRAL and (not _NEUTRAL[name] or value in _NEUTRAL[name]):
            continue
        known = {key for base in cls.__mro__ for key in signature(base.__init__).parameters}
        raise UnknownArgumentError.of(cls.__name__, name, known, f"{name}={value!r}")


def _norm(grads: list[Any]) -> Any:
    total = K.sum(K.square(grads[0])) if grads else 0.0
    for g in grads[1:]:
        total = total + K.sum(K.square(g))
    return K.sqrt(total)


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """A gradient scaled down to a norm.

    Args:
        g: the gradient.
        c: the norm that it may have; 0 or less for any.
        n: the norm that it has, or that it has together with others.

    Example:
        >>> K.to_numpy(clip_norm(K.constant([0.0, 5.0]), 1.0, 5.0)).tolist()
        [0.0, 1.0]
    """
    if c <= 0:
        return g
    return g * (c / K.maximum(n, c))
