"""Steps in the form that Keras 3 has on JAX: `train_step(self, state, data)` gives the logs and the new state.

The state is lists of values: trainable variables, others, those of the optimizer (in `train_step`), and those of the
metrics (in `train_step` and `test_step`). Such a step changes nothing by itself; what it returns is assigned here.

Source: Keras 3.15, `backend/jax/trainer.py`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from keras_front.backend import creation, state
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError


def takes_state(step: Callable[..., Any]) -> bool:
    """Whether a step of a model takes its state beside its data.

    Args:
        step: a bound method.
    """
    parameters = inspect.signature(step).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(needed) == 2


def of_data(model: Any, kind: str, step: Callable[..., Any]) -> Callable[[Any], Any]:
    """A step of a model as a function of its data alone, whichever form it has.

    Args:
        model: the model.
        kind: 'train', 'test' or 'predict'.
        step: the method.
    """
    return functools.partial(_run, model, kind, step) if takes_state(step) else step


def _run(model: Any, kind: str, step: Callable[..., Any], data: Any) -> Any:
    groups = _groups(model, kind)
    before = [[variable.read() for variable in group] for group in groups]
    found = step(tuple(before), data)
    if not isinstance(found, tuple) or len(found) != 2:
        raise ArgumentError(
            f"{type(model).__name__}.{kind}_step: a step that takes (state, data) returns a pair, "
            f"{'outputs' if kind == 'predict' else 'logs'} and the new state; received {type(found).__name__}."
        )
    results, after = found
    if kind == "predict":
        groups, before, after = groups[1:], before[1:], [after]
    _assign(f"{type(model).__name__}.{kind}_step", groups, before, after)
    return results


def _groups(model: Any, kind: str) -> list[Sequence[Variable]]:
    groups: list[Sequence[Variable]] = [model.trainable_variables, model.non_trainable_variables]
    if kind == "train":
        groups.append(model.optimizer.variables)
    return groups if kind == "predict" else [*groups, model.metrics_variables]


def _assign(where: str, groups: Sequence[Sequence[Variable]], before: Any, after: Any) -> None:
    sizes, found = [len(group) for group in groups], [len(values) for values in after]
    if sizes != found:
        raise ArgumentError(f"{where}: expected a new state of {sizes} values, received {found}.")
    for group, old, new in zip(groups, before, after, strict=True):
        for variable, a, b in zip(group, old, new, strict=True):
            if b is not a:
                variable.assign(b)


def loss_of_state(model: Any, values: Sequence[Sequence[Any]], given: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    """The loss of a model for given values of its variables, and the values that they have afterwards.

    Args:
        model: a compiled model.
        values: those of the trainable variables, of the others, and of the metrics.
        given: the arguments of `compute_loss`.
    """
    groups: list[Sequence[Variable]] = [
        model.trainable_variables, model.non_trainable_variables, model.metrics_variables,
    ]  # fmt: skip
    sizes, found = [len(group) for group in groups], [len(group) for group in values]
    if sizes != found:
        raise ArgumentError(
            f"{model.name}.stateless_compute_loss: expected {sizes} values of trainable, other and metric variables, "
            f"received {found}."
        )
    listed = [variable for group in groups for variable in group]
    means = [
        v for mean in model.compiled_loss.metrics for v in mean.variables if v not in listed
    ]  # nobody asks for them
    tensors = [*(creation.convert(value) for group in values for value in group), *(v.value for v in means)]
    with state.bind([*listed, *means], tensors) as frame:
        loss = model.compute_loss(**given)
        after = tuple(frame.values_of(group) for group in groups)
    return loss, (list(values[0]), *after[1:])
