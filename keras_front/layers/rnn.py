"""The recurrent layer over any cell: its states, its constants, and the loop, which is `K.rnn`.

Source for names, arguments and masks: Keras 2.3.1, `keras/layers/recurrent.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Unpack

from keras_front import backend as K
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, ShapeError
from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS
from keras_front.graph.layer_values import is_list_of_shapes

from .arguments import Flag, Reader
from .base import Layer, LayerArguments
from .cells import BuiltinCell, _resolved_phase
from .rnn_states import InitialStateMixin, KeptStates
from .stacked_cells import StackedRNNCells, build_cell, check_cell, sizes_of, step_of, takes_constants


def _cell(value: Any, layer: Any) -> Any:
    """A cell, from its config or from a list of cells."""
    if isinstance(value, list | tuple):
        value = StackedRNNCells(value)
    cell = LAYERS.get(value) if isinstance(value, dict) else value
    check_cell(cell)
    return cell


Cell = Annotated[Any, Reader(_cell)]


@LAYERS.register()
class RNN(InitialStateMixin, KeptStates, Layer):
    """A loop of a cell over the steps of a sequence.

    A cell is a layer whose `call(inputs, states)` returns the output of one step and the list of new states, and whose
    `state_size` is the size of its state, or a list of sizes.

    Args:
        cell: the cell, or a list of cells to be stacked.
        return_sequences: whether to return the outputs of all steps instead of the last.
        return_state: whether to return the last states as well.
        go_backwards: whether to go from the last step to the first; outputs then stand in that order.
        stateful: whether the last states of a batch are the first of the next; needs a fixed batch size.
        unroll: whether to write the loop out, which costs memory and gains speed for short sequences.
        time_major: whether inputs and outputs are (steps, batch, ...).
        zero_output_for_mask: whether the output at a masked step is 0. By default it is that of the step before.

    Shape: (batch, steps, ...) -> (batch, units), or (batch, steps, units) with `return_sequences`; the states follow
        with `return_state`. Initial states and constants may be passed as `initial_state=` and `constants=`.
    Raises:
        ArgumentError: for a cell without `call` or `state_size`.
        ShapeError: when it is built, if it is stateful and the size of the batch is unknown.
    Example:
        >>> from keras_front.layers import GRUCell
        >>> RNN([GRUCell(8), GRUCell(4)]).compute_output_shape((None, 10, 3))
        (None, 4)
    """

    supports_masking = True
    cell: Any = None
    _sample_rank = 1

    file_form = FileForm(further="initial_state")

    def __init__(
        self,
        cell: Cell,
        return_sequences: Flag = False,
        return_state: Flag = False,
        go_backwards: Flag = False,
        stateful: Flag = False,
        unroll: Flag = False,
        time_major: Flag = False,
        zero_output_for_mask: Flag = False,
        **kwargs: Unpack[LayerArguments],
    ):
        self._num_constants = kwargs.pop("num_constants", None)  # type: ignore[typeddict-item]
        super().__init__(**_with_sequence_shape(dict(kwargs)))
        self._states: list[Variable | None] = []

    # Building and calling ----------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        shapes = [tuple(s) for s in input_shape] if is_list_of_shapes(input_shape) else [tuple(input_shape)]
        first = shapes[0]
        batch = first[1 if self.time_major else 0]
        step = (batch, *first[2:])
        constants = shapes[len(shapes) - self._num_constants :] if self._num_constants else []
        build_cell(self.cell, [step, *constants] if constants and takes_constants(self.cell) else step)
        if self.stateful:
            self._make_states(batch)
        self.built = True

    def _check_inputs(self, inputs: Any) -> None:
        super()._check_inputs(inputs[0] if isinstance(inputs, list) else inputs)

    def _split(self, inputs: Any, initial_state: Any, constants: Any) -> tuple[Any, list[Any], list[Any]]:
        """Sequence, initial states and constants, which may come as one list."""
        inputs, states, fixed = self._parts(inputs, initial_state, constants)
        if states and len(states) != len(sizes_of(self.cell)):
            raise ArgumentError(
                f"Layer {self.name} expects {len(sizes_of(self.cell))} states, but was passed {len(states)} "
                "initial states."
            )
        return inputs, states, fixed

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        """Outputs, and the last states with `return_state`.

        Args:
            inputs: sequences (batch, steps, ...); or a list of them, the initial states and the constants.
            mask: bool tensor (batch, steps), False where a step is to be ignored: states and outputs are then those
                of the step before. Or a list that begins with it, or None.
            training: whether the layer is being trained; None: by the learning phase.
            initial_state: list of tensors, one for each state.
            constants: list of tensors that the cell gets at every step.
        """
        sequence, states, fixed = self._split(inputs, initial_state, constants)
        mask = mask[0] if isinstance(mask, list) else mask
        self._check_steps(sequence)
        if not states:
            states = [s.read() for s in self._own_state()] if self.stateful else self.get_initial_state(sequence)
        last, outputs, states = self._loop(sequence, states, mask, _resolved_phase(training), fixed)
        if self.stateful:
            for variable, value in zip(self._own_state(), states, strict=True):
                variable.assign(value)
        output = outputs if self.return_sequences else last
        return [output, *states] if self.return_state else output

    def _check_steps(self, sequence: Any) -> None:
        steps = K.int_shape(sequence)[0 if self.time_major else 1]
        if steps == 0:
            raise ShapeError(
                f"{self.name}: expected a sequence of at least one step, received shape {K.int_shape(sequence)}."
            )
        if self.unroll and steps is None:
            raise ArgumentError(
                f"{self.name}: cannot unroll a RNN if the time dimension is undefined. Give the input a fixed number "
                "of steps, or set unroll=False."
            )

    def _loop(
        self, x: Any, states: list[Any], mask: Any, training: Any, constants: list[Any]
    ) -> tuple[Any, Any, list[Any]]:
        x, step = self._halves(x, states, training, constants)
        return K.rnn(
            step,
            x,
            states,
            constants=constants,
            go_backwards=self.go_backwards,
            mask=mask,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
            time_major=self.time_major,
        )

    def _halves(self, x: Any, states: list[Any], training: Any, constants: list[Any]) -> tuple[Any, Any]:
        """What the loop goes over, and what it does at each step.

        A built-in cell multiplies the inputs of all steps at once, before the loop; any other is called at each step.
        """
        if getattr(type(self.cell), "call", None) is BuiltinCell.call and not constants:
            of_inputs, of_states = self.cell.dropout_masks(_sample(x, self.time_major), states, training)
            return self._projected(x, of_inputs), lambda z, carried: self.cell.step(z, carried, of_states)
        count = len(states)
        return x, lambda z, carried: step_of(self.cell, z, carried[:count], carried[count:], training)

    def _projected(self, x: Any, masks: Any) -> Any:
        if masks is not None and self.time_major:
            masks = [K.expand_dims(m, 0) for m in masks]
        return self.cell.project_inputs(x, masks)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        kept = mask if self.return_sequences else None
        return [kept] + [None] * len(sizes_of(self.cell)) if self.return_state else kept

    def get_config(self) -> dict[str, Any]:
        result = super().get_config()
        for later in ("time_major", "zero_output_for_mask"):
            if not result.get(later):
                result.pop(later, None)
        if self._num_constants:
            result["num_constants"] = self._num_constants
        return result

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        given = dict(config)
        if isinstance(given.get("cell"), dict):
            given["cell"] = LAYERS.deserialize(given["cell"], custom_objects)
        return cls(**given)


def _sample(x: Any, time_major: bool) -> Any:
    """The first step of sequences, for its shape."""
    return K.getitem(x, 0) if time_major else K.getitem(x, (slice(None), 0))


def _with_sequence_shape(kwargs: dict[str, Any]) -> dict[str, Any]:
    """`input_dim` and `input_length` as an input shape."""
    if {"input_dim", "input_length"} & set(kwargs):
        kwargs = dict(kwargs)
        shape = (kwargs.pop("input_length", None), kwargs.pop("input_dim", None))
        if not {"input_shape", "batch_input_shape"} & set(kwargs):
            kwargs["input_shape"] = shape
    return kwargs
