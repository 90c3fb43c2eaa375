"""`InputSpec`: what a layer demands of an input, and the check that says which demand was not met.

Knows shapes and dtypes only; the layer's name comes in for the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import conventions
from keras_front.compatibility import checked_constructor
from keras_front.errors import ArgumentError, ShapeError

from . import causes

Shape = tuple[Any, ...]


class InputSpec:
    """The dtype, rank and sizes that a layer demands of one input. What is None is not checked.

    Args:
        dtype: name of the expected type.
        shape: expected sizes, the batch axis included; None where any size will do.
        ndim: expected number of axes, the batch axis included; "2+" of Keras 1 is a `min_ndim` of 2.
        max_ndim: largest number of axes.
        min_ndim: smallest number of axes.
        axes: dict from an axis to its expected size; None for any.

    Source: Keras 2.3.1, `keras/engine/base_layer.py`.
    Example:
        >>> InputSpec(min_ndim=2, axes={-1: 3}).problem((None, 4), "float32")
        'expected axis -1 of input shape to have value 3, found 4'
    """

    @checked_constructor
    def __init__(
        self,
        dtype: str | None = None,
        shape: Sequence[Any] | None = None,
        ndim: int | str | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
    ):
        if isinstance(ndim, str):
            ndim, min_ndim = (None, int(ndim[:-1])) if ndim.endswith("+") else (int(ndim), min_ndim)
        self.dtype = dtype
        self.shape = tuple(shape) if shape is not None else None
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = dict(axes or {})

    def __getitem__(self, place: int) -> InputSpec:
        """Itself as the first of one: in Keras 1 each `input_spec` was a list, and programs read `input_spec[0]`."""
        return (self,)[place]

    def __repr__(self) -> str:
        said = {key: value for key, value in vars(self).items() if value not in (None, {})}
        return "InputSpec(" + ", ".join(f"{key}={value!r}" for key, value in said.items()) + ")"

    def problem(self, shape: Shape, dtype: str) -> str | None:
        """The first demand that an input does not meet, as a half sentence; None if it meets all.

        Args:
            shape: shape of the input, None for sizes that are not known.
            dtype: name of its type.
        """
        ndim = len(shape)
        if self.ndim is not None and ndim != self.ndim:
            return f"expected ndim={self.ndim}, found ndim={ndim}"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={ndim}"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={ndim}"
        if self.dtype is not None and dtype != self.dtype:
            return f"expected dtype {self.dtype}, found {dtype}"
        return self._wrong_size(shape)

    def likely_cause(self, shape: Shape) -> str:
        """A sentence on what is probably wrong with an input that does not meet the demands; empty if nothing is.

        Args:
            shape: shape of the input, None for sizes that are not known.
        """
        least = self.min_ndim if self.ndim is None else self.ndim
        if least is not None and len(shape) != least and (self.ndim or len(shape) < least):
            return causes.of_rank(least, shape, self.ndim is None)
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (None, size):
                return causes.of_size(axis, size, shape)
        return ""

    def _wrong_size(self, shape: Shape) -> str | None:
        for axis, size in self.axes.items():
            if -len(shape) <= axis < len(shape) and size is not None and shape[axis] not in (None, size):
                return f"expected axis {axis} of input shape to have value {size}, found {shape[axis]}"
        for axis, size in enumerate(self.shape or ()):
            if size is not None and shape[axis] not in (None, size):
                return f"expected shape={self.shape}, which differs in axis {axis}"
        return None


def check(name: str, specs: Any, shapes: list[Shape], dtypes: list[str]) -> None:
    """Compare the inputs of a layer with its `input_spec`.

    Args:
        name: name of the layer, for messages.
        specs: an `InputSpec`, None for no demands, or a list of these, one for each input.
        shapes: shapes of the inputs.
        dtypes: names of their types.

    Raises: ArgumentError for a wrong number of inputs; ShapeError for a wrong rank, size or type.
    """
    wanted = list(specs) if isinstance(specs, list | tuple) else [specs]
    if len(wanted) != len(shapes):
        raise ArgumentError(
            f'Layer "{name}" expects {len(wanted)} input(s), but it received {len(shapes)} input tensors of shapes '
            f"{shapes}. Pass {'one tensor' if len(wanted) == 1 else 'a list of that many tensors'}."
        )
    for index, (spec, shape, dtype) in enumerate(zip(wanted, shapes, dtypes, strict=True)):
        problem = spec.problem(tuple(shape), dtype) if spec is not None else None
        if problem:
            cause = spec.likely_cause(tuple(shape))
            raise ShapeError(f"{_incompatible(index, name)}: {problem}. Full shape received: {tuple(shape)}.{cause}")


def _incompatible(index: int, name: str) -> str:
    if conventions.current().layer_at_the_end:
        return f"Input {index} is incompatible with layer {name}"
    return f'Input {index} of layer "{name}" is incompatible with the layer'
