"""What an optimizer keeps: counters, the slots of each weight, and the order in which they are saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from keras_front.backend import discovery
from keras_front.backend.guards import replaced, unchanged
from keras_front.backend.state import Fresh, Variable
from keras_front.errors import ShapeError
from keras_front.failures import explains_failures
from keras_front.initializers import host_dtype
from keras_front.optimizers import accumulation, sharding
from keras_front.optimizers.get_updates import Recorded, arguments_of, placeholders, recorded


class OptimizerVariables:
    """The part of an optimizer that makes, lists and saves variables. The other parts change them.

    Attributes:
        slots: the names of the variables that it keeps for each weight.
    """

    if TYPE_CHECKING:  # of the other parts
        name: str
        built: bool
        use_ema: bool
        gradient_accumulation_steps: int | None
        _added: list[Variable]
        _hyper: dict[str, Any]
        _iterations: Any
        _trainable_variables: list[Variable]
        _updates_resources: Any
        _updates_variables: Any
        _make_resource_slots: Any
        prepare: Any
        get_updates: Any
        _is_classic: Any

    slots: tuple[str, ...] = ()
    slots_together = 0  # how many of them, from the first, files of Keras 3 keep side by side for each weight
    first_slot = 0.0  # the value that slots start with
    _slots: WeakKeyDictionary[Variable, dict[str, Variable]]  # they go when their weight goes
    _keepers: sharding.Keepers
    _built: WeakKeyDictionary[Variable, None]
    _records: dict[tuple[Variable, ...], Recorded]
    _given_grads: list[Any] | None = None  # placeholders, while a `get_updates` of one's own is recorded
    _updating = False  # whether an update runs, in which `_iterations` counts updates
    _own_weights: list[Variable] | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        optimizer = super().__new__(cls)
        optimizer._slots = WeakKeyDictionary()
        optimizer._keepers = sharding.Keepers(optimizer._slots)
        optimizer._records = {}
        optimizer._hyper = {}
        optimizer._added, optimizer._trainable_variables = [], []
        optimizer._built = WeakKeyDictionary()
        return optimizer

    def __getstate__(self) -> dict[str, Any]:
        state = {**vars(self), "_slots": list(self._slots.items()), "_built": list(self._built)}
        del state["_keepers"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        built = WeakKeyDictionary(dict.fromkeys(state["_built"]))
        vars(self).update(state, _slots=WeakKeyDictionary(state["_slots"]), _built=built)
        self._keepers = sharding.Keepers(self._slots)
        for param, held in self._slots.items():
            for slot, variable in held.items():
                if slot in self.slots or not self.gradient_accumulation_steps:
                    variable.keeper = self._keepers.of(param)

    @property
    def all_slots(self) -> tuple[str, ...]:
        """The names of all variables that belong to a weight.

        Its running mean and its accumulated gradient come first, if there are any, then `slots`.
        """
        accumulated = (accumulation.ACCUMULATOR,) if self.gradient_accumulation_steps else ()
        return (*(("average",) if self.use_ema else ()), *accumulated, *self.slots)

    @property
    def params(self) -> list[Variable]:
        """The weights that `build` saw last, in their order."""
        return list(self._built)

    def build(self, params: Sequence[Variable]) -> None:
        """Make the slots of these weights; weights that have slots already keep them.

        Args:
            params: the weights that are to be trained. `weights` lists their slots first from now on.
        """
        discovery.wake()
        self._built, self.built = WeakKeyDictionary(dict.fromkeys(params)), True
        if self._updates_variables():
            self._trainable_variables = list(params)
        if self._is_classic():
            self._own_weights = self.weights_of(self.params)
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
        if self._updates_resources():
            self._make_resource_slots(param)
        held = self._slots.setdefault(param, {})
        for slot in self.all_slots:
            if slot not in held and self.slot_shape(param, slot) is not None:
                held[slot] = self._slot(param, slot)
        return held

    def _slot(self, param: Variable, slot: str) -> Variable:
        shape = self.slot_shape(param, slot) or ()
        path, first = param.name.partition(":")[0], self.first_value(slot)
        made = Variable(
            Fresh(partial(np.full, shape, first, host_dtype(param.dtype))),
            param.dtype,
            f"{self.name}/{path}/{slot}:0",
            trainable=False,
            shape=shape,
        )
        made.slot_of = path if shape == tuple(param.shape) else None
        if slot in self.slots or not self.gradient_accumulation_steps:  # what each call changes is kept by all
            made.keeper = self._keepers.of(param)
        return made

    def first_value(self, slot: str) -> float:
        """The value that a slot starts with: `first_slot`, unless a subclass says otherwise.

        Running means and accumulated gradients start with 0.

        Args:
            slot: the name of the slot.
        """
        return self.first_slot if slot in self.slots else 0.0

    def slot_shape(self, param: Variable, slot: str) -> tuple[int, ...] | None:
        """The shape of a slot, that of its weight unless a subclass says otherwise; None if there is no such slot.

        Args:
            param: the weight.
            slot: the name of the slot.
        """
        return tuple(param.shape)

    @property
    def slot_variables(self) -> dict[str, list[Variable]]:
        """The slots by name, in the order of the weights that `build` saw last."""
        held = [self.slots_of(param) for param in self.params]
        return {slot: [of_param[slot] for of_param in held if slot in of_param] for slot in self.all_slots}

    # By their names in Keras 3.

    @property
    def _model_variables_moving_average(self) -> list[Variable]:
        return self.slot_variables.get("average", [])

    @property
    def _accumulated_gradients(self) -> list[Variable]:
        return self.slot_variables.get(accumulation.ACCUMULATOR, [])

    def _recorded(self, params: Sequence[Variable]) -> Recorded:
        """What a `get_updates` of one's own does with these weights; it runs once, on placeholders for gradients."""
        found = self._records.get(tuple(params))
        return self._record(params) if found is None else found

    def _record(self, params: Sequence[Variable]) -> Recorded:
        grads = self._given_grads = placeholders(params)
        self._own_weights, self._updating = None, True
        try:
            updates = self.get_updates(**arguments_of(self.get_updates, params, grads))
        finally:
            self._given_grads, self._updating = None, False
        record = recorded(grads, updates, self._own_weights, params, self._iterations)
        self._records[tuple(params)] = record
        return record

    @property
    def counters(self) -> list[Variable]:
        """The variables that are saved and belong to no weight: `iterations` first."""
        return [self._iterations]

    def slot_groups(self) -> list[tuple[str, ...]]:
        """The slots as they follow each other in files of Keras 3: those of one group lie together for each weight.

        Source: Keras 3.15, `add_optimizer_variables` in the `build` of each optimizer.
        """
        together = self.slots[: self.slots_together]
        return [
            *((slot,) for slot in self.all_slots if slot not in self.slots),
            *([together] if together else []),
            *((slot,) for slot in self.slots[self.slots_together :]),
        ]

    def weights_of(self, params: Sequence[Variable]) -> list[Variable]:
        """The variables that are saved with a model: `counters`, then slot by slot those of its weights.

        Args:
            params: the weights that the model trains, in its order.
        """
        if self._updates_variables():
            self.prepare(params)
        if not self._is_classic():
            return [*self._slot_weights(params), *self._added]
        own = self._recorded(params).weights
        if not self.gradient_accumulation_steps:
            return own
        return [*own, *(self.slots_of(param)[accumulation.ACCUMULATOR] for param in params)]

    def _slot_weights(self, params: Iterable[Variable]) -> list[Variable]:
        slots = [self.slots_of(param) for param in params]
        return [*self.counters, *(held[slot] for slot in self.all_slots for held in slots if slot in held)]

    def slots_in_keras3_order(self, params: Iterable[Variable]) -> list[Variable]:
        """The slots of weights as files of Keras 3 number them.

        Args:
            params: the weights.
        """
        if self._is_classic() or self._updates_variables():
            return [w for w in self.weights_of(list(params)) if w not in self.counters]
        slots = [self.slots_of(param) for param in params]
        return [held[slot] for group in self.slot_groups() for held in slots for slot in group if slot in held]

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
        return [*self._slot_weights(dict.fromkeys([*self.params, *self._slots])), *self._added]

    @weights.setter
    def weights(self, variables: Sequence[Variable]) -> None:
        self._own_weights = list(variables)

    def get_weights(self) -> list[np.ndarray]:
        """Values of `weights`."""
        own = self.weights
        with unchanged(own):
            return [variable.numpy() for variable in own]

    @explains_failures
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
                with replaced(variables):
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
