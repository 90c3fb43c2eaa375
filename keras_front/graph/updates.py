"""`LayerUpdates`: what the calls of a layer assign to variables, carried out while training or listed as pairs.

Training carries what `call` assigns in the state of its step, so it needs no list. `updates` is for those who make a
step of their own: `K.function(inputs, outputs, updates=model.updates)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from keras_front import backend as K
from keras_front.backend import state, symbolic
from keras_front.backend.symbolic import leaves_of
from keras_front.nest import map_structure, unique

from . import call_context

Update = tuple[Any, Any]  # a variable and its new value


class LayerUpdates:
    """The updates of a layer."""

    trainable: bool
    stateful: bool
    name: str
    _inbound_nodes: list[Any]
    _run: Any
    _given_updates: list[Any]
    all_layers: Any

    @property
    def updates(self) -> list[Any]:
        """Pairs (variable, new value): what calls on symbols assign. None of a frozen layer without a state.

        Setting it replaces what `add_update` was given. A subclass may override it; what its `updates` are after a
        `call` is carried out then.

        Source: Keras 2.3.1, `keras/engine/base_layer.py`.
        """
        given = self._given_updates
        if call_context.current() is not None:
            return given
        if not self.trainable and not self.stateful:
            return []
        below = [update for layer in self.all_layers()[1:] for update in layer._given_updates]
        return [*given, *below, *(update for node in self._inbound_nodes for update in self.updates_of(node))]

    @updates.setter
    def updates(self, updates: Sequence[Any]) -> None:
        self._given_updates[:] = updates

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates of the calls on some tensors.

        Args:
            inputs: tensor, or list of tensors; None for the updates that depend on no input.
        """
        if not self.trainable and not self.stateful:
            return []
        if inputs is None:
            given = [update for layer in self.all_layers() for update in layer._given_updates]
            return self._given_without_inputs("updates", given)
        wanted = {id(t) for t in leaves_of([inputs])}
        nodes = [n for n in self._inbound_nodes if wanted & {id(t) for t in n.input_tensors}]
        return [*self._given_with("updates", wanted), *(u for n in nodes for u in self.updates_of(n))]

    def _note_inputs(self, kind: str, given: Any, inputs: Any) -> None:
        """Remember for which tensors an update or a loss was given outside `call`: `get_updates_for` lists it."""
        if inputs is not None:
            self.__dict__.setdefault(f"_{kind}_for", []).append((given, list(leaves_of([inputs]))))

    def _given_with(self, kind: str, wanted: set[int]) -> list[Any]:
        return [given for given, tensors in self._noted(kind) if wanted & set(map(id, tensors))]

    def _noted(self, kind: str) -> list[tuple[Any, list[Any]]]:
        return [noted for layer in self.all_layers() for noted in layer.__dict__.get(f"_{kind}_for", ())]

    def _given_without_inputs(self, kind: str, given: list[Any]) -> list[Any]:
        noted = [item for item, _ in self._noted(kind)]
        return [item for item in given if not any(item is other for other in noted)]

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Have variables updated while training, those of a stateful layer always.

        Inside `call` an update counts for this call. Elsewhere it is kept, and carried out after each call.

        Args:
            updates: a pair (variable, new value), what `K.update` and the like return, or a list of these.
            inputs: outside of `call`, the tensors for which `get_updates_for` lists it; inside, what an update depends
                on is known.

        Source: Keras 2.3.1, `keras/engine/base_layer.py`.
        """
        for update in updates if isinstance(updates, list) else [updates]:
            if call_context.current() is None:
                self._given_updates.append(update)
                self._note_inputs("updates", update, inputs)
            elif _is_pair(update):
                self._update(*update)
            elif self._phase() in (0, False):
                state.undo_update(update)

    def _phase(self) -> Any:
        """Whether updates are carried out: True, False, or a symbol where the phase is not decided."""
        run = call_context.current()
        training = run.training if run is not None else None
        phase = state.learning_phase() if training is None else training
        return True if self.stateful else phase

    def _update(self, variable: Any, value: Any) -> None:
        phase = self._phase()
        if symbolic.is_symbolic(phase):
            variable.assign(K.in_train_phase(value, variable, training=phase))
        elif phase:
            variable.assign(value)

    def carry_out_updates(self, before: Sequence[Any]) -> None:
        """Carry out what `updates` is after a `call`.

        Args:
            before: what it was before the call: that stays, while what the call added has been done.
        """
        for update in self.updates if decides(self, "updates") else self._given_updates:
            if _is_pair(update):
                self._update(update[0], _now(update[1]))
        self._given_updates[:] = before

    def updates_of(self, node: Any) -> list[Update]:
        """What one call of this layer assigns, as pairs of symbols.

        Args:
            node: the call.
        """
        if not self.trainable and not self.stateful:
            return []
        if node.updates is None:
            node.updates = list(self._find_updates(node))
        return node.updates

    def _find_updates(self, node: Any) -> Iterator[Update]:
        arguments = (*node.args, node.arguments, node.input_masks)
        leaves, assigned = unique(leaves_of(arguments)), dict[Any, None]()

        def run(*values: Any) -> list[Any]:
            here = dict(zip(map(id, leaves), values, strict=True))
            inputs, *args, kwargs, masks = map_structure(lambda a: here.get(id(a), a), arguments)
            with call_context.entered(), state.scratch() as frame:
                self._run(inputs, tuple(args), kwargs, masks[0] if len(masks) == 1 else masks)
                assigned.update(dict.fromkeys(frame.table))
                return [variable.read() for variable in assigned]

        with state.phase(1):
            K.defer(run, *leaves, name=f"updates of {self.name}")
        if not assigned:
            return
        yield from zip(assigned, K.defer(run, *leaves, name=f"updates of {self.name}"), strict=True)


def _is_pair(update: Any) -> bool:
    return isinstance(update, tuple) and len(update) == 2


def _is_of_user(member: property) -> bool:
    return not (member.fget.__module__ or "").startswith("keras_front.")


def _now(value: Any) -> Any:
    """An expression of variables that was made outside the step, with the values that they have in it."""
    kept = symbolic.is_symbolic(value) and not symbolic.belongs_to_trace(value) and symbolic.has_value(value)
    return symbolic.replay(value, {}) if kept else value


def decides(layer: Any, name: str) -> bool:
    """Whether a class of the user's own overrides a property of layers, so that what it gives counts.

    Args:
        layer: the layer.
        name: 'trainable_weights', 'non_trainable_weights', 'losses' or 'updates'.
    """
    member = getattr(type(layer), name)
    return isinstance(member, property) and _is_of_user(member)
