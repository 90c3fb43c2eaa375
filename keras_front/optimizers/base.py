"""What an optimizer is: variables made on the host, and a step that assigns new values within a frame.

An optimizer keeps its state in variables, made on the host: `iterations`, `lr`, and for each weight its
slots (running means and the like), made by `build`. `apply(params, grads)` assigns new values within the
frame of a step, so the step stays a pure function. Formulas, defaults and the order of weights are those
of Keras 2.3.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, ShapeError
from keras_front.initializers import host_dtype
from keras_front.optimizers.classic import Recorded, placeholders, recorded
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
    """Base class: a subclass lists its `slots` and says in `update` how one weight changes.

    Args:
        learning_rate: step size; `lr` is the same.
        decay: the step size is divided by `1 + decay * iterations`.
        clipnorm: gradients of a larger norm are scaled down to it, each by itself (as in tf.keras and
        Keras 3; Keras
            2.3.1 took the norm of all gradients together, which is `global_clipnorm` here).
        clipvalue: elements of gradients are kept between `-clipvalue` and `clipvalue`.
        global_clipnorm: all gradients together are scaled down to this norm.

    Raises: ArgumentError for arguments that it does not know.
    """

    slots: tuple[str, ...] = ()
    first_slot = 0.0  # the value that slots start with
    _given_grads: list[Any] | None = None  # placeholders, while a `get_updates` of one's own is recorded

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
        _refuse_unknown(type(self).__name__, kwargs)
        self.name = name or type(self).__name__
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.initial_decay = float(decay or 0.0)
        self.iterations = self._variable(0, "iter", "int64")
        self._lr = self._variable(_number(learning_rate, type(self).__name__), "learning_rate")
        self.decay = self._variable(self.initial_decay, "decay")
        self.params: list[Variable] = []
        self._recorded: Recorded | None = None
        self._own_weights: list[Variable] | None = None
        self.slot_variables: dict[str, list[Variable]] = {}

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

    def build(self, params: Sequence[Variable]) -> None:
        """Make the slots of these weights; weights that have slots already keep them."""
        params = list(params)
        known = {param: i for i, param in enumerate(self.params)}
        if list(map(id, params)) == list(map(id, self.params)):
            return
        old, self.slot_variables = self.slot_variables, {}
        for slot in self.slots:
            self.slot_variables[slot] = [old[slot][known[p]] if p in known else self._slot(p, slot) for p in params]
        self.params = params
        if self._is_classic():
            self._record(params)

    def _slot(self, param: Variable, slot: str) -> Variable:
        values = np.full(param.shape, self.first_slot, host_dtype(param.dtype))
        return self._variable(values, f"{param.name.partition(':')[0]}/{slot}", param.dtype)

    def _is_classic(self) -> bool:
        return type(self).get_updates is not Optimizer.get_updates

    def _record(self, params: list[Variable]) -> None:
        """Run a `get_updates` of one's own once, on placeholders for the gradients."""
        grads = self._given_grads = placeholders(params)
        try:
            self._recorded = recorded(grads, self.get_updates(loss=None, params=params))
        finally:
            self._given_grads = None
        if self._own_weights is None:
            known = {*params, self.iterations}
            self._own_weights = [self.iterations, *(v for v in self._recorded.variables if v not in known)]

    @property
    def weights(self) -> list[Variable]:
        """The variables that are saved: iterations, then slot by slot those of all weights."""
        if self._own_weights is not None:
            return self._own_weights
        return [*self._counters(), *(v for slot in self.slots for v in self.slot_variables.get(slot, []))]

    @weights.setter
    def weights(self, variables: Sequence[Variable]) -> None:
        self._own_weights = list(variables)

    def _counters(self) -> list[Variable]:
        return [self.iterations]

    def get_weights(self) -> list[np.ndarray]:
        """Values of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `weights`; the lists of Keras 2.2 and 2.3, which had others, are understood.

        Raises: ShapeError if the arrays do not fit; then nothing is set.
        """
        variables = self.weights
        values = self._adapted([np.asarray(w) for w in weights])
        if [v.shape for v in values] != [v.shape for v in variables]:
            raise ShapeError(
                f"{self.name}.set_weights: expected arrays of shapes {[v.shape for v in variables]}, "
                f"received {[np.shape(w) for w in weights]}.\n"
                "  Build the optimizer for the same weights first: compile the model, or call `build`."
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value.astype(host_dtype(variable.dtype)))

    def _adapted(self, values: list[np.ndarray]) -> list[np.ndarray]:
        """Saved values in our order: Keras 2.2.4 left `iterations` out, Keras 2.3 kept slots without use."""
        wanted = [v.shape for v in self.weights]
        if len(values) == len(wanted) - 1 and [v.shape for v in values] == wanted[1:]:
            return [np.zeros(()), *values]
        surplus = len(values) - len(wanted)
        return values[: len(wanted)] if surplus and surplus == len(self.params) else values

    # A step ------------------------------------------------------------------------------------------

    def apply(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        """Assign new values to weights, slots and `iterations`: clip, update, constrain.

        Weights with a gradient of None stay as they are.
        """
        self.build(params)
        if self._recorded is not None:
            self._recorded.apply(params, grads)
        else:
            self._apply(params, grads)

    def _apply(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        places = [i for i, g in enumerate(grads) if g is not None]
        grads = self.clip([grads[i] for i in places])
        ws = [current(params[i]) for i in places]
        slots = [[current(v[i]) for i in places] for v in self.slot_variables.values()]
        t = K.cast(current(self.iterations), K.floatx()) + 1.0
        new_ws, new_slots = self.update_all(ws, grads, slots, self.rate(), t) if ws else ([], slots)
        for i, w in zip(places, new_ws, strict=True):
            constraint = params[i].constraint
            params[i].assign(w if constraint is None else constraint(w))
        for variables, values in zip(self.slot_variables.values(), new_slots, strict=True):
            for i, value in zip(places, values, strict=True):
                variables[i].assign(value)
        self.iterations.assign(current(self.iterations) + 1)

    def apply_gradients(self, grads_and_params: Iterable[tuple[Any, Variable]]) -> None:
        """`apply` for pairs (gradient, weight), as loops written for tf.keras call it."""
        pairs = list(grads_and_params)
        self.apply([param for _, param in pairs], [grad for grad, _ in pairs])

    def rate(self) -> Any:
        """The step size now."""
        if not self.initial_decay:
            return current(self._lr)
        past = K.cast(current(self.iterations), self.decay.dtype)
        return current(self._lr) / (1.0 + current(self.decay) * past)

    def clip(self, grads: list[Any]) -> list[Any]:
        """Gradients cut back as `clipnorm`, `clipvalue` and `global_clipnorm` say."""
        if self.clipnorm is not None:
            grads = [clip_norm(g, self.clipnorm, _norm([g])) for g in grads]
        if self.clipvalue is not None:
            grads = [K.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        if self.global_clipnorm is not None:
            norm = _norm(grads)
            grads = [clip_norm(g, self.global_clipnorm, norm) for g in grads]
        return grads

    def update_all(
        self, ws: list[Any], grads: list[Any], slots: list[list[Any]], rate: Any, t: Any
    ) -> tuple[list[Any], list[list[Any]]]:
        """New weights and slots, in lists like those given; one weight after the other unless overridden."""
        new_ws, new_slots = [], []
        for i, (w, g) in enumerate(zip(ws, grads, strict=True)):
            w, values = self.update(w, g, [s[i] for s in slots], K.cast(rate, K.dtype(w)), K.cast(t, K.dtype(w)))
            new_ws.append(w)
            new_slots.append(values)
        return new_ws, [[values[k] for values in new_slots] for k in range(len(slots))]

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        """One weight's new value and slots, from its gradient, the step size and the step's number (from 1)."""
        raise NotImplementedError(f"{type(self).__name__} has neither `update` nor `update_all`.")

    # The classic interface for K.function ------------------------------------------------------------

    def get_gradients(self, loss: Any, params: Sequence[Variable]) -> list[Any]:
        """Symbolic gradients of `loss`, clipped.

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
        """Pairs (variable, new value) of one step, for `updates=` of `K.function`."""
        if self._given_grads is None:
            self.build(params)
        variables = list(dict.fromkeys([*params, *self.weights]))
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


def _refuse_unknown(owner: str, kwargs: dict[str, Any]) -> None:
    for name, value in kwargs.items():
        if name in _NEUTRAL and (not _NEUTRAL[name] or value in _NEUTRAL[name]):
            continue
        raise ArgumentError(f"{owner}: expected other arguments, received {name}={value!r}, which it does not have.")


def _norm(grads: list[Any]) -> Any:
    total = K.sum(K.square(grads[0])) if grads else 0.0
    for g in grads[1:]:
        total = total + K.sum(K.square(g))
    return K.sqrt(total)


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """Gradient `g` scaled by `c / n` if its norm `n` is above `c`."""
    if c <= 0:
        return g
    return g * (c / K.maximum(n, c))
