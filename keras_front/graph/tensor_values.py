"""What tensors of a model's graph are inside of a step, for losses and metrics that use them.

A loss of Keras 1 and 2 may use, beside `y_true` and `y_pred`, any tensor of the model: another input, the output of an
inner layer, an expression of these (the losses of variational autoencoders and of PPO, the gradient penalty of
WGAN-GP). Such a tensor was made when the model was; in a step it stands for its value there.
"""

from __future__ import annotations

from typing import Any

from keras_front.backend import scopes, symbolic
from keras_front.backend.symbolic import AMBIENT, SymbolicTensor
from keras_front.errors import ArgumentError, StateError


class TensorValues:
    """The function from a tensor of the graph to its value in the step that runs.

    Args:
        values: the values of tensors that the run of the model has computed. What follows from these (an expression,
            a branch that leads to no output) is computed when it is asked for, and kept.
    """

    def __init__(self, values: dict[SymbolicTensor, Any]):
        self.values = values

    def __call__(self, tensor: SymbolicTensor) -> Any:
        found = self.values.get(tensor)
        if found is not None:
            return found
        if tensor.origin is None:
            return _refuse(tensor) if tensor.history is not None else tensor  # else an argument of the step itself
        behind = [t for origin in symbolic.toposort([tensor], self.values) for t in origin.tensors()]
        if not any(t in self.values for t in behind):
            open_ends = [t for t in behind if t.is_placeholder and t not in AMBIENT]
            if open_ends:
                return _refuse(open_ends[0])
            of_weights = any(t.variable is not None for t in behind)  # such as a part that `build` cut out of a weight
            return symbolic.replay(tensor, {}) if of_weights else tensor
        for t in behind:
            if t not in self.values and t.history is not None and t.origin is None:
                _refuse(t)
        with scopes.scratch():  # whatever layers assign here they have assigned in the run already
            found = self.values[tensor] = symbolic.replay(tensor, self.values)
        return found


class NoValueHereError(StateError):
    """A metric asked for a tensor of the graph outside of the function that is differentiated."""


def no_value_here(tensor: SymbolicTensor) -> Any:
    """In place of `TensorValues` where the values are out of reach.

    Raises: NoValueHereError for a tensor that belongs to the graph of a model.
    """
    if tensor.origin is None and tensor.history is None:
        return tensor
    if any(t.history is not None for t in symbolic.ancestors([tensor])):
        raise NoValueHereError
    return tensor


def _refuse(tensor: SymbolicTensor) -> Any:
    raise ArgumentError(
        f"A loss or metric uses {tensor!r}, which has no value in a step of this model: expected tensors that are "
        "computed from the inputs of the model, and that one run of it computes once. List the tensor's Input among "
        "the inputs of the model, or give what the loss needs by an output of its own."
    )
