"""`VariableUpdates`: optimizers in the manner of Keras 3, which change one variable in `update_step`.

Such a class makes its variables in `build`, by `add_variable_from_reference` and its like, and changes them by
`assign`, `assign_add` and `assign_sub`:

    class Momentum(keras.optimizers.Optimizer):
        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.momentums = [self.add_variable_from_reference(v, "momentum") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            m = self.momentums[self._get_variable_index(variable)]
            self.assign(m, 0.9 * m - learning_rate * gradient)
            self.assign_add(variable, m)

Clipping, weight decay, running means, accumulated gradients and constraints are those of every optimizer.

Source: Keras 3.15, `optimizers/base_optimizer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front import backend as K
from keras_front import initializers
from keras_front.backend.state import Fresh, Variable
from keras_front.errors import ArgumentError, StateError
from keras_front.registry import plain


class VariableUpdates:
    """The protocol of these optimizers, a part of `Optimizer`.

    Attributes:
        built: whether `build` has been called.
    """

    built = False
    name: str
    iterations: Any
    use_ema: bool
    gradient_accumulation_steps: int | None
    rate: Callable[[], Any]
    _added: list[Variable]
    _trainable_variables: list[Variable]
    _slots: Any
    _keepers: Any
    _schedule: Any
    _lr: Variable
    _decayed: Any
    _averaged: Any

    if TYPE_CHECKING:

        @property
        def is_scheduled(self) -> bool: ...

        @property
        def _iterations(self) -> Any: ...

    def _updates_variables(self) -> bool:
        return type(self).update_step is not VariableUpdates.update_step

    # What a subclass overrides -----------------------------------------------------------------------

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one weight by its gradient, clipped.

        Args:
            gradient: the gradient, a tensor.
            variable: the weight; `assign` and its like change it and what `build` has made for it.
            learning_rate: the step size of this step, a tensor.
        """
        raise NotImplementedError

    # What it calls -----------------------------------------------------------------------------------

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: Any = None,
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that is carried by training and saved with the optimizer.

        Args:
            shape: its shape.
            initializer: its first value, an initializer or its name.
            dtype: its dtype; None for `floatx()`.
            aggregation: accepted because Keras 3 has it; processes agree about every variable.
            layout: accepted because Keras 3 has it; a distribution says where variables lie.
            name: its name.
        """
        return self._add(tuple(shape), initializer, dtype or K.floatx(), name or "variable")

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a variable of the shape and dtype of a weight; see `add_variable`.

        Args:
            reference_variable: the weight.
            name: what stands behind its name.
            initializer: its first value.
        """
        path, name = reference_variable.name.partition(":")[0], name or "variable"
        shape = tuple(reference_variable.shape)
        made = self._add(shape, initializer, reference_variable.dtype, f"{path}_{name}")
        if reference_variable in self._trainable_variables:
            held = self._slots.setdefault(reference_variable, {})
            held[f"{name} {len(held)}"] = made
            made.slot_of, made.keeper = path, self._keepers.of(reference_variable)
        return made

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """A list of variables of the shapes of weights; a tuple of lists where several names are given.

        Args:
            trainable_variables: the weights.
            name: what stands behind their names, a text or several.
            initializer: their first value, or one for each name.
        """
        names = [name] if isinstance(name, str) else list(name)
        firsts = list(initializer) if isinstance(initializer, list | tuple) else [initializer] * len(names)
        if len(firsts) != len(names):
            raise ArgumentError(
                f"{self.name}.add_optimizer_variables: expected an initializer for each of {len(names)} names, "
                f"received {len(firsts)}."
            )
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        for weight in trainable_variables:
            for row, text, first in zip(made, names, firsts, strict=True):
                row.append(self.add_variable_from_reference(weight, text, first))
        return made[0] if isinstance(name, str) else made

    def _add(self, shape: tuple[int, ...], initializer: Any, dtype: Any, name: str) -> Variable:
        first = initializers.get(initializer)
        draw = partial(np.asarray, first) if not callable(first) else partial(first, shape, dtype=str(dtype))
        made = Variable(Fresh(draw), dtype, f"{self.name}/{name}:0", trainable=False, shape=shape)
        self._added.append(made)
        return made

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a weight among those that `build` was given.

        Args:
            variable: the weight.

        Raises: ArgumentError for a weight that was not among them.
        """
        for index, known in enumerate(self._trainable_variables):
            if known is variable:
                return index
        raise ArgumentError(
            f"{self.name}: {variable.name} is not among the {len(self._trainable_variables)} weights that the "
            "optimizer was built for. Make a new optimizer for another model, or for weights that came later."
        )

    def _get_current_learning_rate(self) -> Any:
        """The step size of this step."""
        return self.rate()

    # What calls it -----------------------------------------------------------------------------------

    def prepare(self, params: Sequence[Variable]) -> None:
        """See that there is whatever the updates of these weights need; called before each of them.

        Args:
            params: the weights.

        Raises: ArgumentError for weights that a class in the manner of Keras 3 was not built for, StateError if its
            `build` does not call that of `Optimizer`.
        """
        if not (self._updates_variables() and self.built):
            self.build(params)  # type: ignore[attr-defined]
            if not self.built:
                raise StateError(f"{type(self).__name__}.build has to call super().build(variables).")
        if self._updates_variables():
            for param in params:
                self._get_variable_index(param)

    def _apply_by_variable(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        rate = self.rate()
        for param in params:
            w = K.convert(param)
            if (lowered := self._decayed(param, w, rate)) is not w:
                param.assign(lowered)
        for param, grad in zip(params, grads, strict=True):
            self.update_step(grad, param, rate)
        if self.use_ema and not self.gradient_accumulation_steps:
            held = [self._slots[param] for param in params]
            ws = self._averaged(held, [K.convert(param) for param in params], K.convert(self._iterations))
            for param, w in zip(params, ws, strict=True):
                param.assign(w)
        for param in params:
            if param.constraint is not None:
                param.assign(param.constraint(K.convert(param)))

    def _keras3_config(self) -> dict[str, Any]:
        """The arguments of `Optimizer` as Keras 3 writes them."""
        names = (
            "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
        )  # fmt: skip
        rate = plain(self._schedule) if self.is_scheduled else float(self._lr)
        return {"name": self.name, "learning_rate": rate, **{name: getattr(self, name) for name in names}}
