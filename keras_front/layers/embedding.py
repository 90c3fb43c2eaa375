"""`Embedding`: a learned vector for each integer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS

from .adaptation import Adaptable, AdaptableWeight
from .arguments import Constraint, Flag, Initializer, Lengths, Positive, Regularizer


@LAYERS.register()
class Embedding(Adaptable):
    """Row `i` of a learned table for each integer `i`.

    Args:
        input_dim: number of rows: the largest integer is `input_dim - 1`.
        output_dim: size of a vector.
        embeddings_initializer: first values of the table; small uniform numbers by default.
        embeddings_regularizer: penalty on the whole table, added to the loss. Rows that a batch does not use count too.
        activity_regularizer: penalty on the vectors that a batch uses.
        embeddings_constraint: function that the table must pass after each step.
        mask_zero: whether 0 is padding: later layers then ignore those steps, and row 0 is not used for anything else.
        input_length: length of the sequences, or a tuple for more axes, where a later layer (`Flatten` and then
            `Dense`) needs to know it; None for any.

    Shape: (batch, steps) of integers -> (batch, steps, output_dim); any number of axes. Floats are cut to integers.
    Weights: embeddings (input_dim, output_dim).
    Raises:
        ShapeError: for sequences of another length than `input_length`.
        ArgumentError: for integers outside of 0 to `input_dim - 1`, where they come in as an input of the model, or the
            backend finds them. Compiled JAX takes the nearest row for others that are computed within the model.
    Source: Keras 2.3.1, `keras/layers/embeddings.py`.
    Example:
        >>> Embedding(1000, 64).compute_output_shape((None, 10))
        (None, 10, 64)
    """

    _casts_inputs = False
    _computes_wide = True
    _main_weight = "embeddings"
    embeddings = AdaptableWeight()

    def __init__(
        self,
        input_dim: Positive,
        output_dim: Positive,
        embeddings_initializer: Initializer = "uniform",
        embeddings_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        embeddings_constraint: Constraint = None,
        mask_zero: Flag = False,
        input_length: Lengths | None = None,
        **kwargs: Any,
    ):
        if not {"input_shape", "batch_input_shape"} & set(kwargs):
            length = input_length if isinstance(input_length, Sequence) else (input_length,)
            kwargs["input_shape"] = tuple(length)
        super().__init__(**kwargs)
        self.supports_masking = mask_zero

    @property
    def indexed_rows(self) -> int:  # type: ignore[override]
        """How many rows the table has."""
        return int(self.input_dim)

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight("embeddings", (self.input_dim, self.output_dim))
        self.built = True
        self._adapt()

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        self._check_length(K.int_shape(inputs))
        if K.dtype(inputs) not in ("int32", "int64"):
            inputs = K.cast(inputs, "int32")
        return self._product(inputs, lambda rows, table: K.gather(table, rows))

    def _summed_axes(self) -> tuple[int, ...]:
        return (1,)

    def _scale_in_file(self, scale: Any) -> Any:
        return scale[:, 0]

    def _scale_beside_weight(self, scale: Any) -> Any:
        return scale[:, None]

    def _int8_product(self, inputs: Any, weight: Any, multiply: Any) -> Any:
        vectors, scale = K.gather(weight, inputs), K.gather(self.embeddings_scale, inputs)
        return K.cast(vectors, self._float()) / K.expand_dims(scale, -1)

    def _check_length(self, shape: Any) -> None:
        if self.input_length is None:
            return
        wanted = self.input_length if isinstance(self.input_length, Sequence) else [self.input_length]
        found = shape[1 : len(wanted) + 1]
        if len(wanted) != len(shape) - 1 or any(
            None not in (a, b) and a != b for a, b in zip(wanted, found, strict=True)
        ):
            raise ShapeError(
                f'"input_length" of {self.name} is {self.input_length}, but received input has shape {tuple(shape)}.'
            )
