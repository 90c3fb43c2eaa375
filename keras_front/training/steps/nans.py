"""`compile(debug_nans=True)`: where the first NaN or infinity of a training step comes from.

Each step is compiled as ever, but keeps the state from before; afterwards the loss and the weights are looked at. When
something is not finite, the batch is run once more from that state, layer by layer on values, until the first that made
it is found. The weights stay as they were before the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.backend import scopes
from keras_front.errors import NotFiniteError
from keras_front.graph import call_context
from keras_front.nest import flatten
from keras_front.training.data.arrays import BatchLayout


class CheckedStep:
    """A compiled training step that looks at what it gave.

    Args:
        steps: the steps of the model.
        layout: of the batches.
        step: the compiled step; it leaves the memory of its arguments alone.
    """

    def __init__(self, steps: Any, layout: BatchLayout, step: Any):
        self.steps, self.layout, self.step = steps, layout, step

    def specialize(self, *args: Any) -> CheckedStep:
        """The step itself: it has to be called.

        Args:
            args: not needed.
        """
        return self

    def program(self, *args: Any) -> Any:
        """The program of the step that is looked at.

        Args:
            args: the state and a batch.
        """
        return self.step.program(*args)

    def __call__(self, state: Sequence[Any], batch: Sequence[Any]) -> Any:
        found = self.step(list(state), list(batch))
        losses = flatten([found[1]])[:1]  # metrics may be anything
        if not all(map(is_finite, losses)) or next(unfinite(self.steps, found[0]), None):
            said = cause(self.steps, self.layout, state, batch, found[0])
            raise NotFiniteError(f"Step {_number(self.steps, state)}: {said}")
        return found


def _number(steps: Any, state: Sequence[Any]) -> int:
    """Which step of the whole training comes after a state, counted from 1."""
    place = steps.place_of(steps.optimizer._iterations)
    return 1 if place is None else int(K.to_numpy(state[place])) + 1


def is_finite(value: Any) -> bool:
    """Whether a tensor, array or number has neither NaN nor infinity.

    Args:
        value: what is looked at; None and integers are finite.
    """
    if value is None:
        return True
    array = np.asarray(K.to_numpy(value))
    return array.dtype.kind in "biu" or bool(np.isfinite(array.astype("float64")).all())


def unfinite(steps: Any, state: Sequence[Any]) -> Iterator[str]:
    """The names of the weights of a model that are not finite.

    Args:
        steps: the steps of the model.
        state: the values of all variables of a step.
    """
    weights = {*steps.variables.trainable, *steps.variables.others}
    for variable, value in zip(steps.variables.all, state, strict=True):
        if variable in weights and not is_finite(value):
            yield variable.name


def cause(steps: Any, layout: BatchLayout, before: Sequence[Any], batch: Sequence[Any], after: Sequence[Any]) -> str:
    """A sentence on what made the first number that is not finite in a step.

    Args:
        steps: the steps of the model.
        layout: of the batch.
        before, after: the values of all variables before and after the step.
        batch: inputs, targets and weights.
    """
    said = _of_data(steps, layout, batch)
    if said:
        return said
    calls = _Calls()
    total, parts = _forward(steps, layout, before, batch, calls)
    if calls.first is not None:
        return _of_call(calls.first, {*unfinite(steps, before)})
    if total is not None and not is_finite(total):
        return _of_loss(steps, total, parts)
    return _of_gradient(steps, layout, before, batch, [*unfinite(steps, after)])


def _of_data(steps: Any, layout: BatchLayout, batch: Sequence[Any]) -> str:
    spec = steps.model._compilation.spec
    names = [f"input {s.name!r}" for s in spec.inputs] + [f"target {s.name!r}" for s in spec.targets]
    names += ["sample weights"] * len(batch)
    for name, array in zip(names, batch, strict=False):
        if not is_finite(array):
            found = ~np.isfinite(np.asarray(K.to_numpy(array), "float64"))
            rows = np.flatnonzero(found.reshape(len(found), -1).any(axis=1))
            listed = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
            return (
                f"the data for the {name} are not finite, in {len(rows)} of {len(found)} samples of this batch "
                f"(numbers {listed}). Clean them, for instance with np.nan_to_num, or leave such samples out."
            )
    return ""


# The forward pass -------------------------------------------------------------------------------------


class _Call(NamedTuple):
    """One call of a layer: what it was given, what it returned."""

    layer: Any
    inputs: list[Any]
    outputs: list[Any]


class _Calls:
    """Watches layers compute, and keeps the first call whose result is not finite; inner layers end before outer."""

    def __init__(self) -> None:
        self.first: _Call | None = None

    def note(self, layer: Any) -> Any:
        """What to call with inputs and outputs when the layer is done.

        Args:
            layer: the layer.
        """

        def done(inputs: Any, outputs: Any) -> None:
            given, found = flatten([inputs]), flatten([outputs])
            if self.first is None and not all(map(is_finite, found)):
                self.first = _Call(layer, given, found)

        return done


def _forward(steps: Any, layout: BatchLayout, before: Sequence[Any], batch: Sequence[Any], calls: _Calls) -> Any:
    """The loss of a batch and its parts, computed on values while somebody watches; None for a step of one's own."""
    xs, fed, weights = layout.split(list(batch))
    counter, seed = steps.place_of(steps.optimizer._iterations), steps.place_of(steps.seed)
    key = None if counter is None else before[counter]
    bound = K.bind(steps.variables.all, list(before), counter=key, discover=True, seed=before[seed])
    with scopes.eager(), K.phase(True), bound as frame, call_context.watched(calls.note):
        if steps.custom:
            steps.run(xs, True)
            return None, []
        done, _ = steps.forward(frame, xs, fed, weights, True)
        return done.total, done.parts


def _of_call(call: _Call, broken: set[str]) -> str:
    layer = call.layer
    where = f"the layer {layer.name!r} ({type(layer).__name__}) made the first"
    own = [w.name for w in layer.weights if w.name in broken]
    if own:
        return f"{where}: its weights {', '.join(own)} were not finite before this step. Load or make them anew."
    if not all(map(is_finite, call.inputs)):
        return f"{where}, from inputs that are not finite: they come from an op before it, outside of layers."
    array = np.concatenate([np.asarray(K.to_numpy(v), "float64").reshape(-1) for v in call.outputs])
    wrong = array[~np.isfinite(array)]
    given = [np.asarray(K.to_numpy(v), "float64") for v in call.inputs if v is not None]
    span = f"{min(g.min() for g in given):.3g} to {max(g.max() for g in given):.3g}" if given else "none"
    return (
        f"{where}: {len(wrong)} of {len(array)} numbers of its output are {wrong[0]}, while its weights are finite and "
        f"its inputs go from {span}. Its own computation overflows, or divides, takes a root or a logarithm where it "
        "must not."
    )


# Loss, gradients, update ------------------------------------------------------------------------------


def _of_loss(steps: Any, total: Any, parts: Sequence[Any]) -> str:
    for item, part in zip(steps.compiled.losses, parts, strict=False):
        if not is_finite(part):
            return (
                f"the loss {item.kind!r} of the output {item.name!r} is {float(K.to_numpy(part))}, while the output is "
                "finite. Look at the range of the output and of the targets: a logarithm of 0 or less, a division by 0."
            )
    return (
        f"the loss is {float(K.to_numpy(total))}, while the losses of the outputs are finite: a regularizer or a loss "
        "from add_loss made it."
    )


def _of_gradient(
    steps: Any, layout: BatchLayout, before: Sequence[Any], batch: Sequence[Any], broken: Sequence[str]
) -> str:
    names = [] if steps.custom else _broken_gradients(steps, layout, before, batch)
    if names:
        return (
            f"the gradient for {names[-1]!r} is not finite{_and_of_others(names[:-1])}, while outputs and loss are. "
            "The derivative of something between this weight and the loss is: a root or norm at 0, a power, a division."
        )
    listed = ", ".join(map(repr, broken[:3]))
    return (
        f"the update made {listed or 'the loss'} infinite or NaN, while loss and gradients were finite. A smaller "
        "learning rate, or clipnorm=1.0, keeps steps small."
    )


def _and_of_others(names: Sequence[str]) -> str:
    return f", nor those for {len(names)} weights before it" if names else ""


def _broken_gradients(steps: Any, layout: BatchLayout, before: Sequence[Any], batch: Sequence[Any]) -> list[str]:
    """The names of the weights whose gradients are not finite, in the order of the model."""
    counter, seed = steps.place_of(steps.optimizer._iterations), steps.place_of(steps.seed)

    def gradients(values: list[Any], arrays: list[Any]) -> list[Any]:
        xs, fed, weights = layout.split(arrays)
        key = None if counter is None else values[counter]
        bound = K.bind(steps.variables.all, values, counter=key, discover=True, seed=values[seed])
        with K.phase(True), bound as frame:
            return [*steps.differentiated(frame, xs, fed, weights, True)[1]]

    found = K.compile(gradients)(list(before), list(batch))
    return [w.name for w, g in zip(steps.trainable, found, strict=True) if g is not None and not is_finite(g)]
