"""Attention: each query takes a mean of the values, weighted by how well it matches their keys.

Source for names, arguments and masks: tf_keras 2.21, `layers/attention`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Unpack

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.graph.layer import LAYERS
from keras_front.graph.layer_values import is_list_of_shapes

from .arguments import CHOICE, Flag, Fraction
from .base import Layer, LayerArguments

_MASK_PENALTY = {"float16": 65504.0}  # what masked scores are lowered by


class _Attention(Layer):
    """Values weighted by the softmax of scores; a subclass computes the scores."""

    supports_masking = True

    scale: Any = None

    def build(self, input_shape: Any) -> None:
        if not is_list_of_shapes(input_shape) or len(input_shape) not in (2, 3):
            raise ArgumentError(
                f"{self.name}: expected a list of query and value, or of query, value and key, received the input "
                f"shape {input_shape}."
            )
        self._add_scale(input_shape[0][-1])
        self.built = True

    def _add_scale(self, size: int) -> None:
        raise NotImplementedError

    def _scores(self, query: Any, key: Any) -> Any:
        raise NotImplementedError

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The weighted values, and the weights as well with `return_attention_scores`.

        Args:
            inputs: list of query and value, or of query, value and key.
            mask: list of masks for them, bool (batch, steps): a masked query gives zeros, a masked value is not looked
                at. Entries may be None.
            training: whether the layer is being trained, in case weights are dropped; None: by the learning phase.
            return_attention_scores: whether to return the weights too.
            use_causal_mask: whether a query sees only the values up to its own place.
        """
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        masks = mask if isinstance(mask, list) else [None, None]
        if not return_attention_scores and masks[1] is None and self._fits_kernel(query, key, use_causal_mask):
            return self._masked(self._by_kernel(query, value, key, use_causal_mask), masks[0])
        scores = self._mask_scores(self._scores(query, key), masks[1], use_causal_mask)
        weights = K.softmax(scores, axis=-1)
        if self.dropout > 0:
            weights = K.in_train_phase(lambda: K.dropout(weights, self.dropout), weights, training=training)
        result = self._masked(K.matmul(weights, value), masks[0])
        return [result, weights] if return_attention_scores else result

    def _masked(self, result: Any, mask: Any) -> Any:
        """Zeros where a query is masked."""
        return result if mask is None else result * K.expand_dims(K.cast(mask, K.dtype(result)), -1)

    def _fits_kernel(self, query: Any, key: Any, causal: bool) -> bool:
        """Whether `_by_kernel` computes the same."""
        return False

    def _by_kernel(self, query: Any, value: Any, key: Any, causal: bool) -> Any:
        raise NotImplementedError

    def _mask_scores(self, scores: Any, value_mask: Any, causal: bool) -> Any:
        dtype = K.dtype(scores)
        far = _MASK_PENALTY.get(dtype, 1e9)
        if value_mask is not None:
            scores = scores - far * K.expand_dims(1 - K.cast(value_mask, dtype), 1)
        if causal:
            ones = K.ones_like(scores)
            later = K.cast(K.cumsum(ones, axis=-1) > K.cumsum(ones, axis=-2), dtype)
            scores = scores - far * later
        return scores

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask[0] if isinstance(mask, list) else None


@LAYERS.register()
class Attention(_Attention):
    """Attention whose scores are dot products of queries and keys.

    Args:
        use_scale: whether the scores have a learned factor.
        score_mode: 'dot', or 'concat' for `tanh(scale * (query + key))` summed.
        dropout: part of the weights that is dropped while training, from 0 to 1.

    Shape: query (batch, m, n), value (batch, k, d) and key (batch, k, n), by default the value -> (batch, m, d)
    Weights: scale () if `use_scale`; concat_score_weight () for 'concat'.
    Source: Luong et al. (2015).
    Example:
        >>> query, value = K.constant([[[1.0, 0.0]]]), K.constant([[[5.0, 5.0]]])
        >>> Attention()([query, value]).tolist()
        [[[5.0, 5.0]]]
    """

    concat_score_weight: Any = None

    def __init__(
        self,
        use_scale: Flag = False,
        score_mode: Annotated[Literal["dot", "concat"], CHOICE] = "dot",
        dropout: Fraction = 0.0,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _add_scale(self, size: int) -> None:
        if self.use_scale:
            self.scale = self.add_weight("scale", (), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight("concat_score_weight", (), initializer="ones")

    def _fits_kernel(self, query: Any, key: Any, causal: bool) -> bool:
        known = None not in (query.shape[1], key.shape[1]) or not causal
        return self.score_mode == "dot" and self.dropout == 0 and known

    def _by_kernel(self, query: Any, value: Any, key: Any, causal: bool) -> Any:
        """Attention with one head, by the backend's own kernel."""
        query = query if self.scale is None else query * self.scale
        one_head = (K.expand_dims(t, 2) for t in (query, key, value))
        return K.squeeze(K.dot_product_attention(*one_head, scale=1.0, is_causal=causal), 2)

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = K.matmul(query, K.permute_dimensions(key, (0, 2, 1)))
            return scores if self.scale is None else scores * self.scale
        both = K.expand_dims(query, 2) + K.expand_dims(key, 1)
        return self.concat_score_weight * K.sum(K.tanh(both if self.scale is None else self.scale * both), axis=-1)


@LAYERS.register()
class AdditiveAttention(_Attention):
    """Attention whose scores are `sum(scale * tanh(query + key))`.

    Args:
        use_scale: whether the sum has learned factors.
        dropout: part of the weights that is dropped while training, from 0 to 1.

    Shape: query (batch, m, n), value (batch, k, d) and key (batch, k, n), by default the value -> (batch, m, d)
    Weights: scale (n,) if `use_scale`.
    Source: Bahdanau et al. (2015).

    Example:
        >>> tuple(AdditiveAttention()([np.ones((2, 4, 3)), np.ones((2, 5, 3))]).shape)
        (2, 4, 3)
    """

    def __init__(self, use_scale: Flag = True, dropout: Fraction = 0.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def _add_scale(self, size: int) -> None:
        if self.use_scale:
            self.scale = self.add_weight("scale", (size,), initializer="glorot_uniform")

    def _scores(self, query: Any, key: Any) -> Any:
        both = K.tanh(K.expand_dims(query, 2) + K.expand_dims(key, 1))
        return K.sum(both if self.scale is None else self.scale * both, axis=-1)
