"""`Embedding`: a learned vector for each integer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front import constraints, initializers, regularizers
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS, Layer

from ._arguments import positive


@LAYERS.register()
class Embedding(Layer):
    """Row `i` of a learned table for each integer `i`.

    Args:
        input_dim: number of rows: the largest integer is `input_dim - 1`.
        output_dim: size of a vector.
        mask_zero: whether 0 is padding, to be masked.
        input_length: length of the sequences, where a later layer needs to know it.

    Shape: (batch, steps) of integers -> (batch, steps, output_dim)
    Weights: embeddings (input_dim, output_dim).
    Source: Keras 2.3.1, `keras/layers/embeddings.py`.
    """

    _casts_inputs = False

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **kwargs: Any,
    ):
        if not {"input_shape", "batch_input_shape"} & set(kwargs):
            length = input_length if isinstance(input_length, Sequence) else (input_length,)
            kwargs["input_shape"] = tuple(length)
        super().__init__(**kwargs)
        self.input_dim = positive("Embedding", "input_dim", input_dim)
        self.output_dim = positive("Embedding", "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero, self.input_length = mask_zero, input_length
        self.supports_masking = mask_zero

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            "embeddings", (self.input_dim, self.output_dim), None, self.embeddings_initializer,
            self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        self._check_length(K.int_shape(inputs))
        if K.dtype(inputs) not in ("int32", "int64"):
            inputs = K.cast(inputs, "int32")
        return K.gather(self.embeddings, inputs)

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
