"""Custom optimizers in the style of Keras 2: a class whose `get_updates` returns (variable, new value) pairs.

Such a method makes its slots and its expressions in one go. It is run once, on placeholders for the gradients, and what
it recorded is computed again in every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any, NamedTuple

from keras_front import backend as K
from keras_front.backend.state import Variable


class Recorded(NamedTuple):
    """Placeholders for gradients, the updates in terms of them, and the variables that are to be saved."""

    grads: list[Any]
    variables: list[Variable]
    values: list[Any]
    weights: list[Variable]

    def apply(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        """Assign the new values, all computed from the old ones."""
        given = [K.zeros_like(p) if g is None else g for p, g in zip(params, grads, strict=True)]
        for variable, value in zip(self.variables, K.replay(self.values, dict(zip(self.grads, given))), strict=True):
            variable.assign(value)


def placeholders(params: Sequence[Variable]) -> list[Any]:
    """One placeholder for each weight's gradient."""
    return [K.placeholder(shape=p.shape, dtype=p.dtype) for p in params]


def recorded(
    grads: list[Any], updates: Any, weights: list[Variable] | None, params: Sequence[Variable], iterations: Variable
) -> Recorded:
    """What `get_updates` returned, without what was carried out at once.

    Args:
        grads: the placeholders that it was given for the gradients.
        updates: what it returned: pairs (variable, new value).
        weights: what it set as `weights`; by default `iterations` and every variable that it changes but the `params`.
        params: the weights that are trained.
        iterations: the optimizer's counter of steps.
    """
    pairs = [update for update in updates if isinstance(update, tuple) and len(update) == 2]
    variables = [variable for variable, _ in pairs]
    if weights is None:
        known = {*params, iterations}
        weights = [iterations, *(v for v in variables if v not in known)]
    return Recorded(grads, variables, [value for _, value in pairs], weights)


def arguments_of(get_updates: Callable[..., Any], params: Sequence[Variable], grads: Sequence[Any]) -> dict[str, Any]:
    """The arguments of a `get_updates` of one's own, which had constraints among them until Keras 2.0.

    The loss is a symbol that has the given gradients, for an optimizer that asks another one, or `K.gradients`.
    """
    products = [K.sum(p.symbol * K.stop_gradient(g)) for p, g in zip(params, grads, strict=True)]
    loss = sum(products, K.constant(0.0))
    given: dict[str, Any] = {"loss": loss, "params": list(params)}
    if "constraints" in signature(get_updates).parameters:
        given["constraints"] = {p: p.constraint for p in params if p.constraint is not None}
    return given
