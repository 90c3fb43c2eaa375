"""The ways in which loops of one's own call an optimizer, in the spellings of tf.keras and of Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from keras_front import backend as K
from keras_front.backend.state import Variable, VariableList
from keras_front.errors import ArgumentError, ShapeError, StateError

__all__ = ["OptimizerCalls", "weights_first"]


class OptimizerCalls:
    """The part of an optimizer that loops call. The other parts know slots and formulas."""

    if TYPE_CHECKING:  # of the other parts
        name: str

        @property
        def params(self) -> list[Variable]: ...

    @property
    def variables(self) -> list[Variable]:
        """All variables of the optimizer: `iterations`, the step size, and the slots of the weights of `build`."""
        idle = getattr(self, "decay", None) if not getattr(self, "initial_decay", 0.0) else None
        return VariableList(v for v in self.variables_of(self.params) if v is not idle)  # type: ignore[attr-defined]

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """A step as a pure function, for `K.compile` and for `jax.jit`.

        Args:
            optimizer_variables: values of `variables`.
            grads: gradients, one for each weight that `build` was given.
            trainable_variables: values of these weights.

        Returns: the new values of the weights, and of `variables`.
        Raises: StateError before `build`; ShapeError for lists of another length.
        Source: Keras 3.15, `optimizers/base_optimizer.py`, `stateless_apply`.
        Example:
            >>> from keras_front.optimizers import SGD
            >>> weight, optimizer = K.variable([1.0]), SGD(0.5)
            >>> optimizer.build([weight])
            >>> values = [v.value for v in optimizer.variables]
            >>> new, _ = optimizer.stateless_apply(values, [K.constant([1.0])], [K.constant([3.0])])
            >>> K.to_numpy(new[0]).tolist(), weight.numpy().tolist()
            ([2.5], [1.0])
        """
        params, variables = self.params, self.variables
        if not params:
            raise StateError(
                f"{self.name}.stateless_apply: build the optimizer first: build(model.trainable_variables)."
            )
        for what, given, wanted in (
            ("optimizer_variables", optimizer_variables, variables),
            ("trainable_variables", trainable_variables, params),
            ("grads", grads, params),
        ):
            if len(given) != len(wanted):
                raise ShapeError(
                    f"{self.name}.stateless_apply: expected {len(wanted)} values as {what}, received {len(given)}."
                )
        with K.bind([*params, *variables], [*trainable_variables, *optimizer_variables]) as frame:
            self.apply(params, grads)  # type: ignore[attr-defined]
            return frame.values_of(params), frame.values_of(variables)

    def minimize(self, loss: Callable[[], Any], var_list: Any, tape: Any = None) -> Any:
        """Take a step that makes a loss smaller.

        Args:
            loss: a function without arguments that computes the loss from weights; in a step of a model's own also a
                tensor.
            var_list: the weights, or a function that returns them.
            tape: accepted because tf.keras has it; a loss is differentiated without one.

        Returns: the loss.
        Source: tf.keras 2.15, `optimizers/optimizer.py`, `minimize`.
        Example:
            >>> from keras_front.optimizers import SGD
            >>> weight = K.variable([3.0])
            >>> _ = SGD(0.1).minimize(lambda: K.sum(K.square(weight)), [weight])
            >>> round(float(weight.numpy()[0]), 4)
            2.4
        """
        weights = list(var_list() if callable(var_list) else var_list)
        if callable(loss) and not hasattr(loss, "dtype"):
            value, grads = K.value_and_grad(lambda _: loss(), weights)
        elif K.is_symbolic(loss):
            value, grads = loss, K.gradients(loss, weights)
        else:
            raise ArgumentError(
                f"{self.name}.minimize: expected a function without arguments as loss, received {loss!r:.60}. A tensor "
                "with a value does not say how it was computed."
            )
        self.apply_gradients(zip(grads, weights, strict=True))  # type: ignore[attr-defined]
        return value

    def assign(self, variable: Variable, value: Any) -> None:
        """Give a variable a value.

        Args:
            variable: the variable.
            value: tensor or array of its shape.
        """
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable.

        Args:
            variable: the variable.
            value: tensor or array of its shape.
        """
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable.

        Args:
            variable: the variable.
            value: tensor or array of its shape.
        """
        variable.assign_sub(value)


def weights_first(optimizer: Any, params: Sequence[Any], grads: Sequence[Any] | None) -> tuple[Any, Any]:
    """(weights, gradients), in whichever order they were given: Keras 3 has gradients first, and weights if need be.

    Args:
        optimizer: the optimizer; it knows the weights of its last `build`.
        params: the first argument of `apply`.
        grads: the second one, or None.

    Raises: ArgumentError if there are not as many gradients as weights.
    """
    if grads is None:
        params, grads = optimizer.params, params
    elif grads and all(isinstance(g, Variable) for g in grads) and not all(isinstance(p, Variable) for p in params):
        params, grads = grads, params
    params, grads = list(params), list(grads)
    if len(params) != len(grads):
        raise ArgumentError(
            f"{optimizer.name}.apply: expected a gradient for each weight, received {len(grads)} gradients and "
            f"{len(params)} weights."
        )
    return params, grads
