"""Where a `fit` is, as arrays: what a training that was broken off needs to go on with the same numbers anywhere.

A backup holds the weights and what is told here: everything else that steps read or change (slots, step size, states of
layers, means of the epoch, the seed of noise), how many batches of the epoch are done, and where the shuffle was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_front.backend.guards import replaced, unchanged
from keras_front.backend.state import Variable
from keras_front.errors import ShapeError
from keras_front.training.steps.compiled import Steps


class TrainingPosition:
    """The place that a `fit` has reached.

    Args:
        steps: the steps of the model.
        generator: draws the order of the samples of each epoch; None without a shuffle.

    Attributes:
        done: batches of the epoch that is begun next that an earlier `fit` has trained already.
    """

    def __init__(self, steps: Steps, generator: np.random.Generator | None):
        self.steps, self.generator = steps, generator
        self.done = 0
        self._before_epoch: Any = None  # the state of the generator
        self._means: list[np.ndarray] = []  # of the batches that are done

    def begin_epoch(self) -> int:
        """Note where the shuffle is, and start all means anew, or where an earlier `fit` left them.

        Returns: how many batches of the epoch are to be left out.
        """
        self._before_epoch = self._state_of_shuffle()
        self.steps.reset()
        done, self.done = self.done, 0
        if done:
            _set(self._means_of_epoch(), self._means)
        return done

    def saved(self, within: bool) -> dict[str, np.ndarray]:
        """What `restore` takes, as arrays for an `.npz` file.

        Args:
            within: whether some batches of an epoch are done, and others are not.
        """
        arrays = {f"{name}_{i}": value for name, group in self._groups().items() for i, value in enumerate(group)}
        shuffle = self._before_epoch if within else self._state_of_shuffle()
        return {**arrays, "shuffle": np.zeros(0, "uint64") if shuffle is None else _numbers_of(shuffle)}

    def restore(self, arrays: Mapping[str, np.ndarray], done: int) -> None:
        """Go on from what `saved` gave, in this process or another, on this backend or another.

        Args:
            arrays: its result.
            done: batches of the epoch that are done.

        Raises: ShapeError if it is from a model with other layers or another optimizer; then nothing is changed.
        """
        groups = {name: _in_order(arrays, name) for name in ("state", "means")}
        state, means = self._state(), self._means_of_epoch()
        _check("the backup", state, groups["state"])
        if done:
            _check("the means of the epoch in the backup", means, groups["means"])
        _set(state, groups["state"])
        self.done, self._means = done, groups["means"]
        if self.generator is not None and arrays["shuffle"].size:
            self.generator.bit_generator.state = _philox_state(arrays["shuffle"])
            self._before_epoch = self._state_of_shuffle()

    def _groups(self) -> dict[str, list[np.ndarray]]:
        state, means = self._state(), self._means_of_epoch()
        with unchanged([*state, *means]):
            return {"state": [v.numpy() for v in state], "means": [v.numpy() for v in means]}

    def _state(self) -> list[Variable]:
        """All variables of steps but the weights, which have a file of their own, and the means of the epoch."""
        variables = self.steps.variables
        others = {*variables.trainable, *variables.others, *self._means_of_epoch()}
        return [v for v in variables.all if v not in others]

    def _means_of_epoch(self) -> list[Variable]:
        metrics = [v for metric in self.steps.layer_metrics for v in metric.weights]
        return list(dict.fromkeys([*self.steps.variables.metrics, *metrics]))

    def _state_of_shuffle(self) -> Any:
        return None if self.generator is None else self.generator.bit_generator.state


_COUNTS = ("buffer_pos", "has_uint32", "uinteger")


def _numbers_of(state: Any) -> np.ndarray:
    """The state of a generator as an array; `_philox_state` reads it."""
    inner, rest = state["state"], [state[key] for key in _COUNTS]
    return np.array([*inner["counter"], *inner["key"], *state["buffer"], *rest], "uint64")


def _philox_state(numbers: np.ndarray) -> dict[str, Any]:
    counter, key, buffer, rest = np.split(numbers.astype("uint64"), [4, 6, 10])
    counts = dict(zip(_COUNTS, map(int, rest), strict=True))
    return {"bit_generator": "Philox", "state": {"counter": counter, "key": key}, "buffer": buffer, **counts}


def _in_order(arrays: Mapping[str, np.ndarray], group: str) -> list[np.ndarray]:
    found = [key for key in arrays if key.startswith(f"{group}_")]
    return [arrays[f"{group}_{i}"] for i in range(len(found))]


def _check(what: str, variables: Sequence[Variable], values: Sequence[np.ndarray]) -> None:
    wanted, found = [v.shape for v in variables], [v.shape for v in values]
    if wanted != found:
        raise ShapeError(
            f"fit: {what} is of another model or optimizer: expected {len(wanted)} arrays of the shapes {wanted}, "
            f"received {len(found)} of {found}.\n"
            "  Build and compile the model as it was when the backup was written, or choose another folder."
        )


def _set(variables: Sequence[Variable], values: Sequence[np.ndarray]) -> None:
    with replaced(variables):
        for variable, value in zip(variables, values, strict=True):
            variable.set(value)
