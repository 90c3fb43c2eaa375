"""What an optimizer is: variables made on the host, and a step that assigns new values within a frame.

An optimizer keeps its state in variables, made on the host: `iterations`, `lr`, and for each weight its
slots (running means and the like), made by `build`. `apply(params, grads)` assigns new values within the
frame of a step, so the step stays a pure function. Formulas, defaults and the order of weights are those
of Keras 2.3.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from typing import Any
from weakref import WeakSet

import numpy as np

from keras_front import backend as K
from keras_front import conventions
from keras_front.arguments import Flag, Fraction, NotNegative, Positive
from keras_front.backend import scopes
from keras_front.backend.eager_tensors import as_values
from keras_front.backend.ops.replicas import mean_gradients
from keras_front.backend.state import Variable
from keras_front.compatibility import RenamedKeys
from keras_front.conventions import Conventions
from keras_front.errors import ArgumentError, SetByConstructor, StateError, UnknownArgumentError
from keras_front.failures import explains_failures
from keras_front.file_form import FileForm
from keras_front.initializers import host_dtype
from keras_front.optimizers import accumulation, sharding
from keras_front.optimizers.calls import OptimizerCalls, weights_first
from keras_front.optimizers.clipping import clip_norm, joint_norm
from keras_front.optimizers.parts import deferred
from keras_front.optimizers.rates import LearningRate, rate_of, schedule_of
from keras_front.optimizers.resource_updates import ResourceUpdates
from keras_front.optimizers.schedules import LearningRateSchedule
from keras_front.optimizers.slots import OptimizerVariables
from keras_front.optimizers.variable_updates import VariableUpdates
from keras_front.registry import Configurable, Registry, plain

OPTIMIZERS = Registry("optimizer", fold_case=True)

# What other Keras versions write into configs, and the values that mean nothing there or that we do not need.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "jit_compile": (),
    "is_legacy_optimizer": (),
}


class Optimizer(OptimizerVariables, ResourceUpdates, VariableUpdates, OptimizerCalls, Configurable):
    """Base class: changes weights by their gradients, step by step.

    A subclass lists its `slots`, variables that it keeps for each weight, and says in `update` how one weight changes.
    A class in the manner of Keras 2 may override `get_updates` instead, one in the manner of tf.keras 2
    `_resource_apply_dense`, one in the manner of Keras 3 `build` and `update_step`.

    Args:
        learning_rate: step size, 0 or more; `lr` is the same. It becomes the variable `lr`, which may be set at any
            time. A schedule of `optimizers.schedules`, or a function without arguments, sets it itself at each step.
        decay: the step size is divided by `1 + decay * iterations`; 0 for a constant one.
        clipnorm: gradients of a larger norm are scaled down to it, each by itself; in the dialects of Keras up to 2.3,
            and where a file of these versions said so, all together. None for no bound.
        clipvalue: elements of gradients are kept between `-clipvalue` and `clipvalue`, after any norm is bounded.
        global_clipnorm: all gradients together are scaled down to this norm.
        name: stands before the names of its variables; by default the name of the class.
        weight_decay: part of each weight that is taken off before each step, times the step size. None for none. See
            `exclude_from_weight_decay`.
        use_ema: whether to keep a running mean of each weight, which takes its place at the end of `fit`.
        ema_momentum: how much of the running mean is kept at each step, between 0 and 1.
        ema_overwrite_frequency: after so many steps the mean takes the place of the weight during training as well.
            None for never.
        gradient_accumulation_steps: how many calls of `apply` make one update, with the mean of their gradients, so
            that small batches train as one large batch would. The other calls leave the weights as they are.
            Schedules count calls; `iterations`, `decay` and the formulas count updates. None (or 1) for an update
            at each call.
        loss_scale_factor: what `scale_loss` multiplies the loss by, and `apply` divides the gradients by, so that small
            ones do not vanish in 16 bits. None for none. `LossScaleOptimizer` finds one by itself.

    Attributes: `iterations`, a variable that counts the steps (where gradients are accumulated, see there); `lr` and
        `decay`, variables; `weights`, what is saved.
    Raises: ArgumentError for arguments that it does not know, and for a rate that is not a number of 0 or more.
    Source: Keras 2.3.1, `keras/optimizers.py`; tf_keras 2.21, `optimizers/legacy/optimizer_v2.py`, for `clipnorm`;
        Keras 3.15, `keras.optimizers.Optimizer`, for schedules, `weight_decay` and running means.
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

    # For a class in the manner of Keras 2 whose constructor calls no other one.
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    use_ema = False
    gradient_accumulation_steps: int | None = None
    loss_scale_factor: float | None = None
    initial_decay = 0.0
    _calls: Any = SetByConstructor()
    _lr: Any = SetByConstructor()
    _schedule: Any = None
    _dialect: str | None = None  # whose conventions hold, where a file said so; else those of whatever compiles it

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        decay: NotNegative | None = 0.0,
        clipnorm: NotNegative | None = None,
        clipvalue: NotNegative | None = None,
        global_clipnorm: NotNegative | None = None,
        name: str | None = None,
        weight_decay: NotNegative | None = None,
        use_ema: Flag = False,
        ema_momentum: Fraction = 0.99,
        ema_overwrite_frequency: Positive | None = None,
        gradient_accumulation_steps: int | None = None,
        loss_scale_factor: Positive | None = None,
        **kwargs: Any,
    ):
        if isinstance(learning_rate, str) and (self._updates_resources() or self._is_classic()):  # tf.keras 2: the name
            learning_rate, name = 0.01, name or learning_rate
        learning_rate = kwargs.pop("lr", learning_rate)
        _refuse_unknown(type(self), kwargs)
        self.name = name or type(self).__name__
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.weight_decay, self._undecayed = weight_decay or None, _Undecayed()
        self.use_ema, self.ema_momentum = bool(use_ema), ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.gradient_accumulation_steps = accumulation.checked(gradient_accumulation_steps)
        self.loss_scale_factor = loss_scale_factor
        self.initial_decay = float(decay or 0.0)
        if not self._counts_itself():  # a wrapper has those of another one
            self._calls = self._variable(0, "iter", "int64")
        self._schedule = schedule_of(learning_rate)
        rate = learning_rate if self._schedule is None else K.to_numpy(K.convert(self._schedule(0)))
        self._lr = self._variable(rate_of(rate, type(self).__name__), "learning_rate")
        self.decay = self._variable(self.initial_decay, "decay")
        self._own_weights = None

    def _variable(self, value: Any, name: str, dtype: Any = None) -> Variable:
        return Variable(value, dtype or K.floatx(), f"{self.name}/{name}:0", trainable=False)

    # Hyperparameters ---------------------------------------------------------------------------------

    @property
    def iterations(self) -> Any:
        """The number of updates, a variable.

        With `gradient_accumulation_steps` what is kept, also in files, is the number of calls, as in Keras 3: this is
        then a variable of its own with the number up to now, in a step a tensor.
        """
        k = self.gradient_accumulation_steps
        if not k or self._updating:
            return self._iterations
        if scopes.bound_value(self._iterations) is not None or scopes.tracing():
            return K.floor_divide(current(self._iterations), k)
        return self._variable(self._iterations.numpy() // k, "updates", "int64")

    @iterations.setter
    def iterations(self, variable: Any) -> None:
        self._calls = variable

    @property
    def _iterations(self) -> Any:
        """The variable that counts calls; of a class with `iterations` of its own, these."""
        return self.iterations if self._counts_itself() else self._calls

    def _counts_itself(self) -> bool:
        """Whether the class has `iterations` of its own, instead of what the constructor makes."""
        return type(self).iterations is not Optimizer.iterations and "_calls" not in vars(self)

    @property
    def lr(self) -> Any:
        """The step size, a variable; assigning a number sets its value.

        With a schedule it holds the size of the last step and cannot be set.
        """
        return self._lr

    @lr.setter
    def lr(self, value: Any) -> None:
        if self._schedule is not None:
            raise StateError(
                f"{self.name}: the learning rate follows {type(self._schedule).__name__}, so it cannot be set to "
                f"{value!r}. Make the optimizer with a number to set it, or to use callbacks that do."
            )
        self._lr.assign(np.asarray(rate_of(value, self.name), host_dtype(self._lr.dtype)))

    learning_rate = lr

    def _set_rate(self, value: Any) -> None:
        self._schedule = schedule_of(value)
        if self._schedule is None:
            self.lr = value

    @property
    def is_scheduled(self) -> bool:
        """Whether a schedule sets the step size, rather than a number."""
        return isinstance(self._schedule, LearningRateSchedule)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; those for clipping and accumulating only where they are set."""
        clips = {name: getattr(self, name) for name in _IF_SET}
        clips = {name: value for name, value in clips.items() if value is not None}
        if self._is_classic():
            return clips  # as Keras 2 did: such a class writes its own arguments
        if self._updates_resources():
            return {"name": self.name, **clips}
        if self._updates_variables():
            return self._keras3_config()
        names = [n for n in self.constructor_arguments() if n not in _COMMON]
        own = {name: plain(self._stored(name)) for name in names}
        found = {
            **({} if conventions.current().lowers_optimizer_names else {"name": self.name}),
            conventions.current().rate_key: plain(self._schedule) if self.is_scheduled else float(self._lr),
            "decay": self.initial_decay,
            **own,
            **clips,
            **({"weight_decay": self.weight_decay} if self.weight_decay else {}),
            **({name: getattr(self, name) for name in _EMA} if self.use_ema else {}),
        }
        return RenamedKeys(found)  # programs of Keras 1 and 2 ask it for "lr"

    def _is_classic(self) -> bool:
        return type(self).get_updates is not Optimizer.get_updates

    # A step ------------------------------------------------------------------------------------------

    def scale_loss(self, loss: Any) -> Any:
        """The loss that is to be differentiated for `apply`: times `loss_scale_factor`, if there is one.

        Args:
            loss: a scalar.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def apply(self, params: Sequence[Any], grads: Sequence[Any] | None = None) -> None:
        """Take a step: clip the gradients, update weights and slots, constrain the weights, count.

        Args:
            params: the weights.
            grads: their gradients, tensors of the same shapes. A weight with None stays as it is. Gradients may also
                come first, as in Keras 3, and by themselves, for the weights that `build` was given.

        Raises: ArgumentError if there are not as many gradients as weights.
        """
        params, grads = weights_first(self, params, grads)
        if deferred(self.apply, params, grads):
            return
        self.prepare(params)
        grads = mean_gradients(
            list(grads) if scopes.tracing() else [as_values(grad) for grad in grads]
        )  # where processes share the batch
        if self.loss_scale_factor is not None:
            grads = unscaled(grads, self.loss_scale_factor)
        self._apply(params, grads, self._recorded(params).apply if self._is_classic() else self._take_step)

    def _apply(self, params: Sequence[Variable], grads: Sequence[Any], step: Callable[..., None]) -> None:
        if self._schedule is not None:
            done = K.cast(current(self._iterations), K.floatx())
            self._lr.assign(K.cast(K.convert(self._schedule(done)), self._lr.dtype))
        if not self.gradient_accumulation_steps:
            step(params, grads)
            return
        updates = K.floor_divide(current(self._iterations), self.gradient_accumulation_steps)
        accumulation.apply(self, params, grads, step)
        if self.use_ema:
            held = [self.slots_of(param) for param in params]
            ws = self._averaged(held, [current(param) for param in params], updates)
            for param, w in zip(params, ws, strict=True):
                param.assign(w)

    def _take_step(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        pairs = [(param, g) for param, g in zip(params, grads, strict=True) if g is not None]
        if pairs:  # a model may have nothing to train
            grads = self.clip([g for _, g in pairs])
            sharding.update([param for param, _ in pairs], grads, self._slots, self._update)
        self._iterations.assign(K.add(current(self._iterations), 1))

    def _update(self, params: list[Variable], grads: list[Any]) -> None:
        if self._updates_resources():
            self._apply_to_resources(params, grads)
            return
        if self._updates_variables():
            self._apply_by_variable(params, grads)
            return
        held = [self.slots_of(param) for param in params]
        slots = [[current(of_param[slot]) if slot in of_param else None for of_param in held] for slot in self.slots]
        t, rate = K.cast(current(self._iterations), K.floatx()) + 1.0, self.rate()
        ws = [self._decayed(param, current(param), rate) for param in params]
        new_ws, new_slots = self.update_all(ws, grads, slots, rate, t)
        if self.use_ema and not self.gradient_accumulation_steps:
            new_ws = self._averaged(held, new_ws, current(self._iterations))
        for param, w in zip(params, new_ws, strict=True):
            param.assign(w if param.constraint is None else param.constraint(w))
        for slot, values in zip(self.slots, new_slots, strict=True):
            for of_param, value in zip(held, values, strict=True):
                if slot in of_param:
                    of_param[slot].assign(value)

    def decay_of(self, param: Variable) -> float | None:
        """The part of a weight that is taken off before a step; None for none.

        Args:
            param: the weight.
        """
        return None if self._undecayed.has(param) else self.weight_decay

    def _decayed(self, param: Variable, w: Any, rate: Any) -> Any:
        part = self.decay_of(param)
        return w - w * (part * K.cast(rate, K.dtype(w))) if part else w

    def _averaged(self, held: list[dict[str, Variable]], ws: list[Any], done: Any) -> list[Any]:
        """Count new weights into their running means; the weights, or these means when it is time for them."""
        ws = list(ws)  # which may be what a recorded op gave
        kept = K.where(K.equal(done, 0), 0.0, self.ema_momentum)  # the first mean is the weight itself
        for i, (of_param, w) in enumerate(zip(held, ws, strict=True)):
            part = K.cast(kept, K.dtype(w))
            mean = part * current(of_param["average"]) + (1.0 - part) * w
            of_param["average"].assign(mean)
            if self.ema_overwrite_frequency:
                ws[i] = K.where(K.equal(K.mod(K.add(done, 1), self.ema_overwrite_frequency), 0), mean, w)
        return ws

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave weights out of `weight_decay`. Called before the model is trained.

        Args:
            var_list: the weights themselves.
            var_names: regular expressions; weights in whose names one is found are left out, such as "bias".
        """
        self._undecayed = _Undecayed(tuple(var_list or ()), tuple(var_names or ()))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Give weights the values of their running means, as `fit` does in the end; nothing without `use_ema`.

        Args:
            var_list: the weights.
        """
        for param in var_list if self.use_ema else ():
            if param in self._slots:
                average = self._slots[param]["average"]
                param.assign(average.numpy() if sharding.keeper_of(average) is not None else current(average))

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
        past = K.cast(current(self._iterations), self.decay.dtype)
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
            grads = [clip_norm(g, self.clipnorm, joint_norm([g])) for g in grads]
        for bound in (self.clipnorm if joint else None, self.global_clipnorm):
            if bound is not None:
                norm = joint_norm(grads)
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

    @explains_failures
    def get_updates(self, loss: Any, params: Any, *former: Any) -> list[Any]:
        """Pairs (variable, new value) of one step, for `updates=` of `K.function`.

        A class in the manner of Keras 2 overrides this; it is then run once for the weights of each model.

        Args:
            loss: a symbolic scalar.
            params: the weights to train.
            former: Keras 1 and 2.0 had the arguments `params, constraints, loss`.
        """
        if former:
            loss, params = former[0], loss
        if self._given_grads is None:
            self.build(params)
        variables = list(dict.fromkeys([*params, *self._slot_weights(params), *([self._lr] if self._schedule else [])]))
        grads = self._given_grads or K.gradients(loss, list(params))
        with K.bind(variables, [v.symbol for v in variables]) as frame:
            if self._given_grads is None:
                self._apply(params, grads, self._take_step)
            else:  # `apply` does the rest
                self._take_step(params, grads)
            values = frame.values_of(variables)
        return [K.update(v, value) for v, value in zip(variables, values, strict=True) if value is not v.symbol]


_EMA = ("use_ema", "ema_momentum", "ema_overwrite_frequency")
_IF_SET = ("clipnorm", "clipvalue", "global_clipnorm", "gradient_accumulation_steps", "loss_scale_factor")
_COMMON = {
    "learning_rate", "lr", "decay", "name", "weight_decay", *_EMA, *_IF_SET,
}  # fmt: skip


def current(variable: Variable) -> Any:
    """The value of a variable in the frame of the step, or its tensor."""
    return K.convert(variable)


def unscaled(grads: Sequence[Any], scale: Any) -> list[Any]:
    """Gradients divided by a factor; None stays.

    Args:
        grads: tensors and None.
        scale: the factor, a number or a scalar.
    """
    inverse = K.convert(1.0 / scale)
    return [g if g is None else g * K.cast(inverse, K.dtype(g)) for g in grads]


class _Undecayed:
    """The weights that `weight_decay` leaves alone.

    Args:
        weights: some of them.
        patterns: regular expressions for the names of others.
    """

    def __init__(self, weights: Sequence[Variable] = (), patterns: Sequence[str] = ()):
        self.weights, self.patterns = WeakSet(weights), patterns

    def __reduce__(self) -> Any:
        return _Undecayed, (tuple(self.weights), self.patterns)

    def has(self, weight: Variable) -> bool:
        return weight in self.weights or any(re.search(pattern, weight.name) for pattern in self.patterns)


def _refuse_unknown(cls: type[Any], kwargs: dict[str, Any]) -> None:
    for name, value in kwargs.items():
        if name in _NEUTRAL and (not _NEUTRAL[name] or value in _NEUTRAL[name]):
            continue
        known = {key for base in cls.__mro__ for key in signature(base.__init__).parameters}
        raise UnknownArgumentError.of(cls.__name__, name, known, f"{name}={value!r}")
