"""Cells of any kind: what the loop requires of them, and several on top of each other as one."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Unpack

from keras_front import backend as K
from keras_front import conventions
from keras_front.backend.symbolic import flatten
from keras_front.errors import ArgumentError
from keras_front.graph import call_context
from keras_front.graph.layer import LAYERS

from .arguments import Reader
from .base import Layer, LayerArguments


def check_cell(cell: Any) -> None:
    """Raise unless `cell` has what a cell needs."""
    if isinstance(cell, type):
        raise ArgumentError(f"Expected a cell, received the class {cell.__name__}. Write {cell.__name__}(...).")
    for name in ("call", "state_size"):
        if not hasattr(cell, name):
            raise ArgumentError(f"A cell must have a `{name}` attribute; the RNN received {cell!r}, which has not.")


def sizes_of(cell: Any) -> list[Any]:
    """The sizes of a cell's states, as a flat list."""
    size = cell.state_size
    return flatten(list(size)) if isinstance(size, list | tuple) else [size]


def build_cell(cell: Any, shape: Any) -> None:
    """Build a cell, if it can be built and is not."""
    if not getattr(cell, "built", False) and hasattr(cell, "build"):
        cell.build(shape)
        cell.built = True


def takes_constants(cell: Any) -> bool:
    """Whether the cell's `call` has an argument `constants`."""
    return "constants" in inspect.signature(cell.call).parameters


def step_of(cell: Any, inputs: Any, states: Sequence[Any], constants: Any, training: Any) -> tuple[Any, list[Any]]:
    """One step of any cell: output and flat list of new states."""
    names = inspect.signature(cell.call).parameters
    arguments = {}
    if constants and "constants" in names:
        arguments["constants"] = constants
    if training is not None and not K.is_symbolic(training) and "training" in names:
        arguments["training"] = training
    compute = cell._computed if isinstance(cell, Layer) else lambda x, args, given: cell.call(x, *args, **given)
    output, new = compute(inputs, (list(states),), arguments)
    return output, flatten(list(new)) if isinstance(new, list | tuple) else [new]


def fold(x: Any) -> Any:
    """(batch, steps, ...) as (batch * steps, ...)."""
    shape = K.int_shape(x)
    if None not in shape[2:]:
        return K.reshape(x, (-1 if None in shape[:2] else shape[0] * shape[1], *shape[2:]))
    sizes = [K.shape(x)[i] if n is None else n for i, n in enumerate(shape)]
    return K.reshape(x, (sizes[0] * sizes[1], *sizes[2:]))


def unfold(y: Any, like: Any) -> Any:
    """(batch * steps, ...) as (batch, steps, ...), with the steps of `like`."""
    (batch, steps), rest = K.int_shape(like)[:2], K.int_shape(y)[1:]
    if steps is not None and None not in rest:
        return K.reshape(y, (-1 if batch is None else batch, steps, *rest))
    first = [K.shape(like)[i] if n is None else n for i, n in enumerate(K.int_shape(like)[:2])]
    return K.reshape(y, (*first, *[K.shape(y)[i + 1] if n is None else n for i, n in enumerate(rest)]))


def _cells(value: Any, layer: Any) -> list[Any]:
    """Cells, from configs or names of classes where they are given so."""
    if not value or not isinstance(value, list | tuple):
        raise ArgumentError(f"Expected a list of at least one of them as cells, received {value!r:.60}.")
    cells = [LAYERS.get(cell) if isinstance(cell, dict | str) else cell for cell in value]
    for cell in cells:
        check_cell(cell)
    return cells


Cells = Annotated[Sequence[Any], Reader(_cells)]


@LAYERS.register()
class StackedRNNCells(Layer):
    """Cells on top of each other, used as one cell. The states are those of the cells, first cell first.

    Up to Keras 2.2.4 they were those of the last cell first: so it is in the dialects of these versions, and with
    `reverse_state_order=True`, which Keras 2.3.1 has for their models.

    Args:
        cells: list of cells; each gets what the one before gives.

    Shape: inputs (batch, n) -> output of the last cell.
    Raises: ArgumentError for a cell without `call` or `state_size`.

    Example:
        >>> from keras_front.layers import RNN, GRUCell
        >>> RNN(StackedRNNCells([GRUCell(8), GRUCell(4)])).compute_output_shape((None, 10, 3))
        (None, 4)
    """

    supports_masking = True

    def __init__(self, cells: Cells, **kwargs: Unpack[LayerArguments]):
        usual = conventions.current().last_cell_first
        self.reverse_state_order = bool(kwargs.pop("reverse_state_order", usual))  # type: ignore[typeddict-item]
        super().__init__(**kwargs)

    def _in_order(self, of_cells: Sequence[Any]) -> Sequence[Any]:
        """What there is of each cell, in the order of the states."""
        return of_cells[::-1] if self.reverse_state_order else of_cells

    @property
    def state_size(self) -> tuple[Any, ...]:
        """Sizes of the states of all cells, in the order of the states."""
        return tuple(size for cell in self._in_order(self.cells) for size in sizes_of(cell))

    @property
    def output_size(self) -> int:
        """Size of the output: that of the last cell."""
        last = self.cells[-1]
        return getattr(last, "output_size", None) or sizes_of(last)[0]

    def build(self, input_shape: Any) -> None:
        shapes = [tuple(s) for s in input_shape] if isinstance(input_shape[0], list | tuple) else None
        shape = shapes[0] if shapes else tuple(input_shape)
        for index, cell in enumerate(self.cells):
            with call_context.weight_names(f"cell_{index}"):
                build_cell(cell, [shape, *shapes[1:]] if shapes and takes_constants(cell) else shape)
            size = getattr(cell, "output_size", None) or sizes_of(cell)[0]
            shape = (shape[0], *(size if isinstance(size, tuple) else (size,)))
        self.built = True

    def call(self, inputs: Any, states: Sequence[Any], constants: Any = None, training: Any = None) -> Any:
        """Output of the last cell, and the new states of all, for one step.

        Args:
            inputs: inputs of the step, (batch, features).
            states: flat list of the states before the step.
            constants: tensors for the cells that take them, the same at every step.
            training: whether the layer is being trained; None: by the learning phase.
        """
        remaining, new = iter(states), list[Any]()
        parts = [[next(remaining) for _ in sizes_of(cell)] for cell in self._in_order(self.cells)]
        for cell, own in zip(self.cells, self._in_order(parts), strict=True):
            inputs, changed = step_of(cell, inputs, own, constants, training)
            new.append(changed)
        return inputs, [state for changed in self._in_order(new) for state in changed]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None
