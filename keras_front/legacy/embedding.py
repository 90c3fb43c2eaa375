"""`Embedding` with dropout of whole words, as Keras 1 had it. Source: Keras 1.2.2, `keras/layers/embeddings.py`."""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front import layers
from keras_front.layers.arguments import Rate

__all__ = ["EmbeddingWithDropout"]


class EmbeddingWithDropout(layers.Embedding):
    """`Embedding(dropout=)` of Keras 1: while training each vector of the table is left out with some probability.

    A word that is left out is zero wherever it stands in the batch; the others are scaled up.

    Args:
        input_dim: how many different integers there are.
        output_dim: length of a vector.
        dropout: the probability, at least 0 and below 1.
        **kwargs: the further arguments of `Embedding`.

    Shape: (batch, steps) of integers -> (batch, steps, output_dim).
    Weights: embeddings (input_dim, output_dim).
    Source: Gal & Ghahramani (2016).
    """

    dropout: float = 0.0

    def __init__(self, input_dim: int, output_dim: int, dropout: Rate = 0.0, **kwargs: Any):
        super().__init__(input_dim, output_dim, **kwargs)

    def call(self, inputs: Any, training: Any = None) -> Any:
        vectors = super().call(inputs)

        def dropped() -> Any:
            kept = K.dropout(K.ones_like(K.getitem(self.embeddings, (slice(None), slice(0, 1)))), self.dropout)
            return vectors * K.gather(kept, K.cast(inputs, "int32"))

        return K.in_train_phase(dropped, vectors, training=training) if self.dropout else vectors
