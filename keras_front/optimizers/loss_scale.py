"""`LossScaleOptimizer`: gradients that 16 bits can hold, by a loss that is multiplied before it is differentiated.

The factor is found while training: it is halved where a gradient is not finite, and such a step changes nothing else;
it is doubled after many steps without one. All of this is arithmetic within the step, decided by the gradients that the
optimizer is given, which are the same on every process that shares a batch.

Source: Keras 3.15, `keras/src/optimizers/loss_scale_optimizer.py`; tf_keras 2.21,
`tf_keras/src/mixed_precision/loss_scale_optimizer.py`. Micikevicius et al. (2018), "Mixed precision training".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import replicas
from keras_front.backend.guards import replaced
from keras_front.backend.ops.replicas import mean_gradients
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, UnknownArgumentError
from keras_front.file_form import FileForm
from keras_front.initializers import host_dtype
from keras_front.optimizers.base import OPTIMIZERS, Optimizer, current, unscaled
from keras_front.optimizers.calls import weights_first
from keras_front.optimizers.conditional import changed_where
from keras_front.optimizers.parts import deferred
from keras_front.registry import plain

INITIAL_SCALE, GROWTH_STEPS = 2.0**15, 2000
SMALLEST, LARGEST = 2.0**-126, 2.0**127
# What Keras 3 wrote for every optimizer, and what may be said of one that only passes on.
_BASE = {
    "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None, "use_ema": False,
    "ema_momentum": 0.99, "ema_overwrite_frequency": None, "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}  # fmt: skip


@OPTIMIZERS.register("LossScaleOptimizer", "LossScaleOptimizerV3", "LossScaleOptimizerV1")
class LossScaleOptimizer(Optimizer):
    """An optimizer around another one, which multiplies the loss, and divides the gradients again.

    `compile` puts it around the optimizer of a model whose policy is 'mixed_float16'. In a loop of one's own,
    differentiate `scale_loss(loss)` and give the gradients to `apply` or `apply_gradients`; or, as in tf.keras 2, give
    them to `get_unscaled_gradients` first. Gradients of a loss that was never scaled are taken as they are by
    `apply_gradients`.

    Args:
        inner_optimizer: the optimizer that takes the steps, or its name; step size, slots and iterations are its own.
        dynamic: whether the factor is found while training; False keeps `initial_scale`, and takes every step. A number
            in its place is `initial_scale`, and what follows moves up: the order of Keras 3.
        initial_scale: the first factor: 2 ** 15, because one that is too large is halved sooner than one that is too
            small is doubled. Required if not `dynamic`.
        dynamic_growth_steps: after so many steps in a row with finite gradients the factor is doubled; 2000.
        name: stands before the names of its variables.

    Attributes: `dynamic_scale` and `step_counter`, variables: the factor, and the steps since it has changed.
    Raises: ArgumentError for what is no optimizer, or one of this kind, and for numbers that make no sense.
    Example:
        >>> from keras_front.optimizers import SGD
        >>> optimizer, weight = LossScaleOptimizer(SGD(0.5), initial_scale=4.0), K.variable([1.0, 1.0])
        >>> optimizer.apply([weight], [K.constant([4.0, 8.0])])
        >>> optimizer.apply([weight], [K.constant([np.inf, 0.0])])
        >>> weight.numpy().tolist(), float(optimizer.dynamic_scale), int(optimizer.iterations)
        ([0.5, 0.0], 2.0, 1)
    """

    file_form = FileForm()

    def __init__(
        self,
        inner_optimizer: Any,
        dynamic: Any = True,
        initial_scale: Any = None,
        dynamic_growth_steps: Any = None,
        name: Any = None,
        **kwargs: Any,
    ):
        if not isinstance(dynamic, bool | np.bool_):  # the order of Keras 3
            moved = [v for v in (dynamic, initial_scale, dynamic_growth_steps) if v is not None]
            dynamic, (initial_scale, dynamic_growth_steps, further) = True, (*moved, *[None] * (3 - len(moved)))
            name = name if further is None else further
        for argument, value in kwargs.items():
            if argument not in _BASE or value != _BASE[argument]:
                raise _not_taken(argument, value)
        self.inner_optimizer = _checked(inner_optimizer)
        self.name = name or "loss_scale_optimizer"
        self.dynamic = bool(dynamic)
        self.initial_scale = _scale(initial_scale, self.dynamic)
        self.dynamic_growth_steps = _growth(dynamic_growth_steps, self.dynamic)
        self.step_counter = self._variable(0, "step_counter", "int64")
        self.dynamic_scale = self._variable(self.initial_scale, "dynamic_scale", "float32")
        self._scaled = self._unscaled = False  # what a loop of one's own does; see `apply_gradients`

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, with the config of the inner optimizer."""
        result = {"name": self.name, "inner_optimizer": plain(self.inner_optimizer)}
        if not self.dynamic:
            return {**result, "dynamic": False, "initial_scale": self.initial_scale}
        return {**result, "initial_scale": self.initial_scale, "dynamic_growth_steps": self.dynamic_growth_steps}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The optimizer of a config of any Keras.

        Args:
            config: what `get_config` returned; tf.keras 2.0 to 2.3 wrote 'optimizer' and 'loss_scale'.
            custom_objects: classes of your own by name.
        """
        given = dict(config)
        if "optimizer" in given:
            given["inner_optimizer"] = given.pop("optimizer")
        if "loss_scale" in given:
            given.update(arguments_of_loss_scale(given.pop("loss_scale")))
        given["inner_optimizer"] = OPTIMIZERS.deserialize(given["inner_optimizer"], custom_objects)
        return cls(**given)

    # The factor --------------------------------------------------------------------------------------

    @property
    def loss_scale(self) -> Any:
        """The factor as it is now, a tensor."""
        return current(self.dynamic_scale)

    @property
    def dynamic_counter(self) -> Variable | None:
        """The steps since the factor has changed, a variable; None if it does not change."""
        return self.step_counter if self.dynamic else None

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the factor.

        Args:
            loss: a scalar.
        """
        self._scaled, loss = True, K.convert(loss)
        return loss * K.cast(current(self.dynamic_scale), K.dtype(loss))

    def get_scaled_loss(self, loss: Any) -> Any:
        """`scale_loss`, by its name in tf.keras 2.

        Args:
            loss: a scalar, or a function without arguments that gives one; then the result is a function too.
        """
        return (lambda: self.scale_loss(loss())) if callable(loss) else self.scale_loss(loss)

    def get_unscaled_gradients(self, grads: Sequence[Any]) -> list[Any]:
        """Gradients divided by the factor, for `apply_gradients`, which from now on takes them as they are.

        Args:
            grads: tensors, and None for weights without a gradient.
        """
        self._unscaled = True
        return unscaled(grads, current(self.dynamic_scale))

    # A step ------------------------------------------------------------------------------------------

    def apply(self, params: Sequence[Any], grads: Sequence[Any] | None = None) -> None:
        """Take a step with gradients of the scaled loss, unless one of them is not finite.

        Args:
            params: the weights.
            grads: the gradients of what `scale_loss` gave; None for weights without one. The order may be the other
                one, as in `Optimizer.apply`.
        """
        self._step(*weights_first(self, params, grads), True)

    def apply_gradients(self, grads_and_params: Iterable[tuple[Any, Variable]]) -> None:
        """`apply` for pairs; as they are if the loop divides gradients itself, or has never scaled a loss.

        Args:
            grads_and_params: pairs (gradient, weight).
        """
        pairs = list(grads_and_params)
        params, grads = [param for _, param in pairs], [grad for grad, _ in pairs]
        self._step(params, grads, self._scaled and not self._unscaled)

    def _step(self, params: Sequence[Variable], grads: Sequence[Any], are_scaled: bool) -> None:
        if deferred(partial(self._step, are_scaled=are_scaled), params, grads):
            return
        self.prepare(params)
        grads = mean_gradients(list(grads))  # where processes share the batch: they decide alike
        divided = unscaled(grads, current(self.dynamic_scale)) if are_scaled else grads

        def update() -> None:
            with replicas.settled():
                self.inner_optimizer.apply(params, divided)

        if not self.dynamic:
            update()
            return
        finite = _all_finite(grads)
        variables = list(dict.fromkeys([*params, *self.inner_optimizer.variables_of(params)]))
        changed_where(finite, variables, update)
        self._adjust(finite)

    def _adjust(self, finite: Any) -> None:
        """Halve or double the factor, or count a step."""
        counted, scale = K.add(current(self.step_counter), 1), current(self.dynamic_scale)
        grown = K.greater_equal(counted, self.dynamic_growth_steps)
        better = K.where(grown, K.minimum(scale * 2.0, LARGEST), scale)
        self.dynamic_scale.assign(K.where(finite, better, K.maximum(scale * 0.5, SMALLEST)))
        self.step_counter.assign(K.where(K.logical_and(finite, K.logical_not(grown)), counted, K.zeros_like(counted)))

    # What the inner optimizer has --------------------------------------------------------------------

    @property
    def iterations(self) -> Variable:
        """The steps that were taken."""
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        self.inner_optimizer.iterations = variable

    @property
    def _iterations(self) -> Any:
        return self.inner_optimizer._iterations

    @property
    def lr(self) -> Any:
        """The step size of the inner optimizer; it may be set."""
        return self.inner_optimizer.lr

    @lr.setter
    def lr(self, value: Any) -> None:
        self.inner_optimizer.lr = value

    learning_rate = lr

    def __getattr__(self, name: str) -> Any:
        """What the inner optimizer has, such as `momentum` or `beta_1`."""
        if name.startswith("__") or "inner_optimizer" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.inner_optimizer, name)

    @property
    def is_scheduled(self) -> bool:
        """Whether a schedule sets the step size."""
        return self.inner_optimizer.is_scheduled

    @property
    def use_ema(self) -> bool:  # type: ignore[override]
        """Whether running means of the weights are kept."""
        return self.inner_optimizer.use_ema

    @property
    def _dialect(self) -> str | None:  # type: ignore[override]
        return self.inner_optimizer._dialect

    @_dialect.setter
    def _dialect(self, dialect: str | None) -> None:
        self.inner_optimizer._dialect = dialect

    @property
    def params(self) -> list[Variable]:  # type: ignore[override]
        """The weights that `build` saw last."""
        return self.inner_optimizer.params

    def build(self, params: Sequence[Variable]) -> None:
        """Make the slots of these weights.

        Args:
            params: the weights that are to be trained.
        """
        self.built = True
        self.inner_optimizer.prepare(params)

    def slots_of(self, param: Variable) -> dict[str, Variable]:
        """The slots of a weight by name.

        Args:
            param: the weight.
        """
        return self.inner_optimizer.slots_of(param)

    @property
    def slot_variables(self) -> dict[str, list[Variable]]:
        """The slots by name."""
        return self.inner_optimizer.slot_variables

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Give weights the values of their running means, if there are any.

        Args:
            var_list: the weights.
        """
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave weights out of `weight_decay`.

        Args:
            var_list: the weights.
            var_names: regular expressions for their names.
        """
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    # State -------------------------------------------------------------------------------------------

    @property
    def scale_variables(self) -> list[Variable]:
        """The counter and the factor, in the order of Keras 3; nothing if the factor stays."""
        return [self.step_counter, self.dynamic_scale] if self.dynamic else []

    def variables_of(self, params: Sequence[Variable]) -> list[Variable]:
        """Every variable that a step reads or changes.

        Args:
            params: the weights that the step trains.
        """
        return [self.step_counter, self.dynamic_scale, *self.inner_optimizer.variables_of(params)]

    def weights_of(self, params: Sequence[Variable]) -> list[Variable]:
        """What is saved with a model: the weights of the inner optimizer, then the counter and the factor.

        Args:
            params: the weights that the model trains.
        """
        return [*self.inner_optimizer.weights_of(params), *self.scale_variables]

    @property
    def weights(self) -> list[Variable]:
        """The weights of the inner optimizer, then the counter and the factor."""
        return [*self.inner_optimizer.weights, *self.scale_variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `weights`, or those of the inner optimizer alone: then the factor stays.

        Args:
            weights: arrays as `get_weights` returns them.

        Raises: ShapeError if the arrays do not fit; then nothing is set.
        """
        given, own = [np.asarray(w) for w in weights], self.scale_variables
        inner = len(self.inner_optimizer.weights_of(self.params))
        if not own or len(given) != inner + len(own) or any(a.shape for a in given[-len(own) :]):
            self.inner_optimizer.set_weights(given)
            return
        self.inner_optimizer.set_weights(given[: -len(own)])
        with replaced(own):
            for variable, value in zip(own, given[-len(own) :], strict=True):
                variable.assign(value.astype(host_dtype(variable.dtype)))


def with_loss_scale(optimizer: Any) -> Any:
    """An optimizer for a model that computes in float16: one of its own kind as it is, any other within one.

    Args:
        optimizer: the optimizer.

    Example:
        >>> from keras_front.optimizers import SGD
        >>> type(with_loss_scale(SGD())).__name__
        'LossScaleOptimizer'
    """
    wants = isinstance(optimizer, Optimizer) and not isinstance(optimizer, LossScaleOptimizer)
    return LossScaleOptimizer(optimizer) if wants else optimizer


def _all_finite(grads: Sequence[Any]) -> Any:
    """Whether no element of any gradient is infinite or not a number."""
    found = [K.all(K.isfinite(g)) for g in grads if g is not None]
    return K.all(K.stack(found)) if found else K.constant(True, "bool")


def _checked(optimizer: Any) -> Optimizer:
    found = OPTIMIZERS.get(optimizer) if optimizer is not None else None
    if not isinstance(found, Optimizer) or isinstance(found, LossScaleOptimizer):
        raise ArgumentError(
            f"LossScaleOptimizer: expected an optimizer without a loss scale, received {optimizer!r:.60}."
        )
    found.loss_scale_factor = None  # it would be divided twice
    return found


def _scale(value: Any, dynamic: bool) -> float:
    if value is None and not dynamic:
        raise ArgumentError("LossScaleOptimizer: expected initial_scale, which does not change with dynamic=False.")
    number = INITIAL_SCALE if value is None else float(value)
    if not 0 < number < np.inf:
        raise ArgumentError(f"LossScaleOptimizer: expected initial_scale to be positive, received {value!r}.")
    return number


def _growth(value: Any, dynamic: bool) -> int | None:
    if not dynamic:
        if value is not None:
            raise ArgumentError("LossScaleOptimizer: dynamic_growth_steps has no meaning with dynamic=False.")
        return None
    number = GROWTH_STEPS if value is None else int(value)
    if number < 1:
        raise ArgumentError(f"LossScaleOptimizer: expected dynamic_growth_steps of 1 or more, received {value!r}.")
    return number


def _not_taken(argument: str, value: Any) -> Exception:
    if argument in _BASE:
        return ArgumentError(f"LossScaleOptimizer: {argument}={value!r}: give it to the inner optimizer.")
    known = ("inner_optimizer", "dynamic", "initial_scale", "dynamic_growth_steps", "name")
    return UnknownArgumentError.of("LossScaleOptimizer", argument, known)


def arguments_of_loss_scale(loss_scale: Any) -> dict[str, Any]:
    """The arguments that mean what `loss_scale` meant in tf.keras 2.0 to 2.3.

    Args:
        loss_scale: 'dynamic', a number, or the config of a `DynamicLossScale` or `FixedLossScale`.

    Example:
        >>> arguments_of_loss_scale(8)
        {'dynamic': False, 'initial_scale': 8.0}
    """
    if loss_scale == "dynamic":
        return {"dynamic": True}
    if not hasattr(loss_scale, "get"):
        return {"dynamic": False, "initial_scale": float(loss_scale)}
    given = loss_scale.get("config") or {}
    if "loss_scale_value" in given:
        return {"dynamic": False, "initial_scale": float(given["loss_scale_value"])}
    return {
        "dynamic": True,
        "initial_scale": given.get("initial_loss_scale"),
        "dynamic_growth_steps": given.get("increment_period"),
    }
