"""`Embedding`: a learned vector for each integer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS

from . import int4
from .adaptation import Adaptable, AdaptableWeight
from .arguments import Constraint, Flag, Initializer, Kept, Lengths, Number, Positive, Regularizer


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

    def build(self, input_shape: Any = None) -> None:
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

    def _matrix(self) -> int4.Matrix:
        return int4.Matrix(self.input_dim, self.output_dim, 1)

    def _product_of_integers(self, inputs: Any, multiply: Any) -> Any:
        if self.quantization_mode == "int4":
            rows, blocks = self._integers[:3], self._integers[3:]
            parts = [*(K.gather(part, inputs) for part in rows), *map(K.convert, blocks)]
            return int4.floats(parts, self._matrix(), self._float())
        vectors, scale = K.gather(self._held_weight(), inputs), K.gather(self.embeddings_scale, inputs)
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


@LAYERS.register()
class ReversibleEmbedding(Embedding):
    """An embedding that also leads back: from vectors to a score for each integer, as language models end.

    Args:
        input_dim: number of rows: the largest integer is `input_dim - 1`.
        output_dim: size of a vector.
        tie_weights: whether the way back is the transposed table; otherwise it has a weight of its own.
        embeddings_initializer: first values of the table, and of the weight of the way back.
        embeddings_regularizer: penalty on the table, added to the loss.
        embeddings_constraint: function that the table must pass after each step.
        mask_zero: whether 0 is padding.
        reverse_dtype: in which dtype the scores are computed; None for that of the layer. Sums over long vectors in 16
            bits want 'float32'.
        logit_soft_cap: scores are kept between this number and its negative, `cap * tanh(score / cap)`; None: they are
            not.

    Shape: (batch, steps) of integers -> (batch, steps, output_dim); with `reverse=True` (..., output_dim) ->
        (..., input_dim).
    Weights: embeddings (input_dim, output_dim), and reverse_embeddings (output_dim, input_dim) without `tie_weights`.
    Raises: ArgumentError for integers outside of 0 to `input_dim - 1`, as `Embedding` does.
    Source: Keras 3.15, `layers/core/reversible_embedding.py`; Press and Wolf (2017).
    Example:
        >>> layer = ReversibleEmbedding(10, 4)
        >>> layer(layer(np.array([[1, 2]])), reverse=True).shape
        (1, 2, 10)
    """

    def __init__(
        self,
        input_dim: Positive,
        output_dim: Positive,
        tie_weights: Flag = True,
        embeddings_initializer: Initializer = "uniform",
        embeddings_regularizer: Regularizer = None,
        embeddings_constraint: Constraint = None,
        mask_zero: Flag = False,
        reverse_dtype: Kept = None,
        logit_soft_cap: Number | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            shape, initializer = (self.output_dim, self.input_dim), self.embeddings_initializer
            self.reverse_embeddings = self.add_weight("reverse_embeddings", shape, initializer=initializer)

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Vectors of integers, or scores of vectors.

        Args:
            inputs: integers; with `reverse` vectors.
            reverse: whether to go from vectors to scores.
        """
        if not reverse:
            return super().call(inputs)
        table = K.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or K.dtype(table)
        scores = K.dot(K.cast(inputs, dtype), K.cast(table, dtype))
        cap = self.logit_soft_cap
        return scores if cap is None else K.tanh(scores / cap) * cap

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """The shape of the result.

        Args:
            input_shape: that of the input.
            reverse: as in `call`.
        """
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return (*input_shape, self.output_dim)
