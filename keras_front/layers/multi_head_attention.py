"""Attention with many heads: `MultiHeadAttention` and `GroupQueryAttention`.

Source for names, arguments and masks: Keras 3, `layers/attention`. A call takes `(query, value, key)` as arguments, as
there, or as one list; either way the node of the graph holds the list.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

import numpy as np

from keras_front import backend as K
from keras_front.backend.shapes import normalize_axes
from keras_front.errors import ArgumentError
from keras_front.file_form import FileForm
from keras_front.graph import call_context
from keras_front.graph.layer import LAYERS
from keras_front.graph.layer_values import is_list_of_shapes

from .arguments import AxisList, Constraint, Flag, Fraction, Initializer, Kept, Positive, Regularizer, Seed
from .base import CommonArguments, Layer
from .einsum_dense import EinsumDense

_ARGUMENTS = ("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "kernel_constraint",
              "bias_constraint")  # fmt: skip
_MASK_PENALTY = {"float16": 3e4}  # what scores are lowered by where a mask is False; 1e9 otherwise


class _Masks(NamedTuple):
    """What a call says of the keys that a query may see.

    `query`, `value` and `key` are bool tensors (batch, steps) or None, `attention` one of (batch, queries, keys), and
    `causal` says that a query sees the values up to its own place.
    """

    query: Any
    value: Any
    key: Any
    attention: Any
    causal: bool

    def of_steps(self) -> bool:
        """Whether any mask was given."""
        return any(mask is not None for mask in self[:4])


class _MultiHead(Layer):
    """Projections of query, key and value, and one back; a subclass says their shapes.

    Args:
        dropout: part of the weights that is dropped while training, from 0 to 1.
        use_bias: whether the projections have a bias.
        sliding_window: how far from a query, itself included, keys are seen; None for no limit.
        flash_attention: read from configs of Keras 3; which kernel computes is the backend's business.
        kernel_initializer: first values of the kernels of all projections, drawn for each anew.
        bias_initializer: first values of the biases.
        kernel_regularizer: penalty on the kernels, added to the loss.
        bias_regularizer: penalty on the biases.
        activity_regularizer: penalty on the output.
        kernel_constraint: function that the kernels must pass after each step of training.
        bias_constraint: the same for the biases.
        use_gate: whether a sigmoid of the query weighs what the heads found.
        seed: of the layer's own stream of noise; by default it follows from `set_random_seed`.
    """

    supports_masking = True
    dropout: float
    use_bias: bool
    use_gate: bool
    sliding_window: int | None

    def __call__(self, query: Any, value: Any = None, key: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """Attend from `query` to `value`, found by `key`.

        Args:
            query: tensor (batch, t, n); or a list of query and value, or of query, value and key.
            value: tensor (batch, s, m).
            key: tensor (batch, s, k), by default the value.
            kwargs: further arguments for `call`, and `query_mask`, `value_mask`, `key_mask`: bool (batch, steps).

        Returns: what `call` returns.
        """
        masks = [kwargs.pop(f"{name}_mask", None) for name in ("query", "value", "key")]
        if value is not None:
            query = [query, value] if key is None else [query, value, key]
        if any(mask is not None for mask in masks):
            kwargs["mask"] = masks[: len(query)]
        return super().__call__(query, **kwargs)

    def build(self, input_shape: Any) -> None:
        if not is_list_of_shapes(input_shape) or len(input_shape) not in (2, 3):
            raise ArgumentError(
                f"{self.name}: expected query and value, or query, value and key, received the shape {input_shape}."
            )
        query, value = input_shape[:2]
        self._make(tuple(query), tuple(value), tuple(input_shape[2] if len(input_shape) > 2 else value))
        self.built = True

    def _make(self, query: tuple[Any, ...], value: tuple[Any, ...], key: tuple[Any, ...]) -> None:
        raise NotImplementedError

    def _dense(self, name: str, equation: str, sizes: Sequence[Any], axes: str, shape: tuple[Any, ...]) -> EinsumDense:
        """A projection, built; its weights are called after it."""
        settings = {key: _fresh_copy(getattr(self, key)) for key in _ARGUMENTS}
        layer = EinsumDense(
            equation,
            tuple(sizes),
            bias_axes=axes if self.use_bias else None,
            name=name,
            dtype=self.dtype_policy,
            **settings,
        )
        with call_context.weight_names(name):
            layer.build_as_part(shape)
        return layer

    def _allowed(self, like: Any, masks: _Masks) -> Any:
        """Where attention may go, (batch, queries, keys) or None; `like` holds the scores of one head."""
        parts = []
        if masks.query is not None:
            parts.append(K.expand_dims(K.cast(masks.query, "bool"), -1))
        parts += [K.expand_dims(K.cast(m, "bool"), -2) for m in (masks.value, masks.key) if m is not None]
        parts += self._near(like, masks.causal)
        if masks.attention is not None:
            parts.append(K.cast(masks.attention, "bool"))
        return functools.reduce(K.logical_and, parts) if parts else None

    def _near(self, like: Any, causal: bool) -> list[Any]:
        """Which keys a query sees by their distance."""
        if not causal and self.sliding_window is None:
            return []
        ones = K.ones_like(like)
        ahead = K.cumsum(ones, axis=-1) - K.cumsum(ones, axis=-2)  # of the key, seen from the query
        found = [ahead <= 0] if causal else []
        return found if self.sliding_window is None else [*found, K.abs(ahead) < self.sliding_window]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask[0] if isinstance(mask, list) else None

    def _found(self, composed: Any, q: Any, k: Any, v: Any, masks: _Masks, training: Any) -> Any:
        """What the heads find, by the backend's own kernel where nothing is masked or dropped; else `composed`.

        A causal mask leaves every query a key. Where a mask takes all of them the kernels of some engines, which
        compute the weights again in the backward pass, lose the gradient in rounding.
        """
        unknown = masks.causal and None in (q.shape[1], k.shape[1])
        if masks.of_steps() or self.sliding_window is not None or unknown:
            return composed()[0]

        def fused() -> Any:
            return K.dot_product_attention(q, k, v, scale=1.0, is_causal=masks.causal)

        if not 0 < self.dropout < 1:
            return fused()
        return K.in_train_phase(lambda: composed()[0], fused, training=training)

    def _weights(self, scores: Any, allowed: Any, axes: tuple[int, ...], training: Any) -> tuple[Any, Any]:
        """Softmax of the scores, without and with dropout."""
        if allowed is not None:
            dtype = K.dtype(scores)
            scores = scores - _MASK_PENALTY.get(dtype, 1e9) * (1 - K.cast(allowed, dtype))
        if len(axes) == 1:
            weights = K.softmax(scores, axis=-1)
        else:
            weights = K.exp(scores - K.logsumexp(scores, axis=axes, keepdims=True))
        if not 0 < self.dropout < 1:
            return weights, weights
        dropped = K.in_train_phase(lambda: K.dropout(weights, self.dropout, seed=self.seed), weights, training=training)
        return weights, dropped


def _fresh_copy(item: Any) -> Any:
    """A new initializer from its config, so that no two projections draw from the same one."""
    if item is None or not hasattr(item, "get_config"):
        return item
    return type(item).from_config(item.get_config())


def _three(inputs: Any, mask: Any, attention_mask: Any, causal: bool) -> tuple[list[Any], _Masks]:
    """Query, value and key, and all that masks them."""
    given = list(inputs)
    query, value, key = (*(mask if isinstance(mask, list | tuple) else ()), None, None, None)[:3]
    return [*given, given[1]][:3], _Masks(query, value, key, attention_mask, causal)


def _letters(rank: int, axes: tuple[int, ...]) -> tuple[str, str, str]:
    """How `einsum` names the axes of queries, of keys, and of their scores, where attention goes over `axes`.

    `a` is the batch, `y` the head, `z` what is multiplied; a capital is an axis of the keys.
    """
    here = {i + 1: c for i, c in enumerate(string.ascii_lowercase[1 : rank - 2])}
    there = {i: c.upper() if i in axes else c for i, c in here.items()}
    rows, columns = ("".join(side[i] for i in axes) for side in (here, there))
    shared = "".join(c for i, c in here.items() if i not in axes)
    return f"a{''.join(here.values())}yz", f"a{''.join(there.values())}yz", f"a{shared}y{rows}{columns}"


@LAYERS.register()
class MultiHeadAttention(_MultiHead):
    """Means of values, weighted by how well keys match queries, in several projections at once.

    Args:
        num_heads: how many projections look at once.
        key_dim: size of each head for queries and keys.
        value_dim: size of each head for values, by default `key_dim`.
        output_shape: last axes of the output, a number or a tuple, by default that of the query.
        attention_axes: axes over which attention goes, by default all but batch and features.

    Shape: query (batch, t, n), value (batch, s, m), key (batch, s, k) -> (batch, t, n); with
        `return_attention_scores` also the weights (batch, heads, t, s). There may be more axes in the middle.
    Weights: kernel and bias of query, key, (gate,) value and attention_output.
    Source: Vaswani et al. (2017), section 3.2.2.
    Example:
        >>> layer = MultiHeadAttention(num_heads=2, key_dim=4)
        >>> layer(K.ones((1, 5, 8)), K.ones((1, 7, 8))).shape
        (1, 5, 8)
    """

    file_form = FileForm(
        call=("query", "value", "key"),
        tf_keras={"flash_attention": None, "seed": None, "sliding_window": None, "use_gate": False},
    )

    def __init__(
        self,
        num_heads: Positive,
        key_dim: Positive,
        value_dim: Positive | None = None,
        dropout: Fraction = 0.0,
        use_bias: Flag = True,
        output_shape: Any = None,
        attention_axes: AxisList | None = None,
        sliding_window: Positive | None = None,
        flash_attention: Kept = None,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        use_gate: Flag = False,
        seed: Seed = None,
        **kwargs: Unpack[CommonArguments],
    ):
        super().__init__(**kwargs)
        self.value_dim = value_dim or key_dim
        given = (output_shape,) if isinstance(output_shape, int | np.integer) else output_shape
        self._output = None if given is None else tuple(int(n) for n in given)

    def _make(self, query: tuple[Any, ...], value: tuple[Any, ...], key: tuple[Any, ...]) -> None:
        letters = string.ascii_lowercase[: len(query) - 1]
        inside = (None,) * (len(query) - 2)
        heads = self.num_heads

        def into(name: str, shape: tuple[Any, ...], depth: int) -> EinsumDense:
            return self._dense(name, f"{letters}x,xyz->{letters}yz", (*inside, heads, depth), "yz", shape)

        self.query_dense = into("query", query, self.key_dim)
        self.key_dense = into("key", key, self.key_dim)
        self._gate_dense = into("gate", query, self.value_dim) if self.use_gate else None
        self.value_dense = into("value", value, self.value_dim)
        sizes = self._output or (query[-1],)
        out = string.ascii_uppercase[: len(sizes)]
        self.output_dense = self._dense(
            "attention_output", f"{letters}yz,yz{out}->{letters}{out}", (*inside, *sizes), out,
            (*query[:-1], heads, self.value_dim),
        )  # fmt: skip

    def _axes(self, rank: int) -> tuple[int, ...]:
        """Axes of attention in inputs of that rank."""
        if self.attention_axes is None:
            return tuple(range(1, rank - 1))
        axes = normalize_axes(self.attention_axes, rank)
        if 0 in axes or rank - 1 in axes:
            raise ArgumentError(
                f"{self.name}: expected attention_axes between the batch and the features of {rank} axes, "
                f"received {self.attention_axes!r}."
            )
        return axes

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The output, and the weights as well with `return_attention_scores`.

        Args:
            inputs: list of query and value, or of query, value and key.
            mask: list of masks for them, bool (batch, steps): a masked value is not looked at, and what a masked
                query gives means nothing. Entries may be None.
            training: whether the layer is being trained, in case weights are dropped; None: by the learning phase.
            attention_mask: bool tensor (batch, queries, keys), False where a query must not see a key.
            return_attention_scores: whether to return the weights too.
            use_causal_mask: whether a query sees only the values up to its own place.
        """
        (query, value, key), masks = _three(inputs, mask, attention_mask, use_causal_mask)
        axes = self._axes(K.ndim(query))
        q = self.query_dense._computed(query) * (1 / float(self.key_dim) ** 0.5)
        k, v = self.key_dense._computed(key), self.value_dense._computed(value)
        composed = functools.partial(self._composed, q, k, v, axes, masks, training)
        if return_attention_scores or len(axes) > 1 or K.ndim(query) != 3:
            found, plain = composed()
        else:
            found = self._found(composed, q, k, v, masks, training)
        if self._gate_dense is not None:
            found = found * K.sigmoid(self._gate_dense._computed(query))
        result = self.output_dense._computed(found)
        return [result, plain] if return_attention_scores else result

    def _composed(self, q: Any, k: Any, v: Any, axes: tuple[int, ...], masks: _Masks, training: Any) -> tuple[Any, Any]:
        """What the heads find, and the weights before dropout."""
        queries, keys, scored = _letters(K.ndim(q), axes)
        scores = K.einsum(f"{queries},{keys}->{scored}", q, k)
        allowed = self._mask_of_scores(scores, masks, len(axes))
        plain, weights = self._weights(scores, allowed, tuple(range(-len(axes), 0)), training)
        return K.einsum(f"{scored},{keys}->{queries}", weights, v), plain

    def _mask_of_scores(self, scores: Any, masks: _Masks, count: int) -> Any:
        like = scores
        while K.ndim(like) > 3:
            like = K.getitem(like, (slice(None), 0))
        allowed = self._allowed(like, masks)
        while allowed is not None and K.ndim(allowed) < K.ndim(scores):
            allowed = K.expand_dims(allowed, -2 * count - 1)
        return allowed

    def get_config(self) -> dict[str, Any]:
        result = super().get_config()
        return {**result, "output_shape": None if self._output is None else list(self._output)}


@LAYERS.register("GroupedQueryAttention", "GroupQueryAttention")
class GroupedQueryAttention(_MultiHead):
    """Attention in which groups of query heads share one head of keys and values.

    Args:
        head_dim: size of each head.
        num_query_heads: how many heads look; a multiple of `num_key_value_heads`.
        num_key_value_heads: how many heads there are to look at; with 1 all queries share it.

    Shape: query (batch, t, n), value (batch, s, m), key (batch, s, k) -> (batch, t, n); with
        `return_attention_scores` also the weights (batch, query heads, t, s).
    Weights: kernel and bias of query, key, (gate,) value and attention_output.
    Source: Ainslie et al. (2023).

    Example:
        >>> layer = GroupedQueryAttention(4, num_query_heads=4, num_key_value_heads=2)
        >>> tuple(layer(np.ones((1, 5, 16)), np.ones((1, 5, 16))).shape)
        (1, 5, 16)
    """

    file_form = FileForm(name="GroupQueryAttention", call=("query", "value", "key"))

    def __init__(
        self,
        head_dim: Positive,
        num_query_heads: Positive,
        num_key_value_heads: Positive,
        dropout: Fraction = 0.0,
        use_bias: Flag = True,
        sliding_window: Positive | None = None,
        flash_attention: Kept = None,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        use_gate: Flag = False,
        seed: Seed = None,
        **kwargs: Unpack[CommonArguments],
    ):
        super().__init__(**kwargs)
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                f"{type(self).__name__}: expected num_query_heads to be a multiple of num_key_value_heads, received "
                f"{num_query_heads} and {num_key_value_heads}."
            )

    def _make(self, query: tuple[Any, ...], value: tuple[Any, ...], key: tuple[Any, ...]) -> None:
        many, few, depth = self.num_query_heads, self.num_key_value_heads, self.head_dim
        into = "bqm,muh->bquh"
        self._query_dense = self._dense("query", into, (None, many, depth), "uh", query)
        self._key_dense = self._dense("key", into, (None, few, depth), "uh", key)
        self._gate_dense = self._dense("gate", into, (None, many, depth), "uh", query) if self.use_gate else None
        self._value_dense = self._dense("value", into, (None, few, depth), "uh", value)
        self._output_dense = self._dense(
            "attention_output", "bquh,uhm->bqm", (None, query[-1]), "m", (*query[:-1], many, depth)
        )

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The output, and the weights as well with `return_attention_scores`.

        Args:
            inputs: list of query and value, or of query, value and key.
            mask: list of masks for them, bool (batch, steps): a masked value is not looked at, and what a masked
                query gives means nothing. Entries may be None.
            training: whether the layer is being trained, in case weights are dropped; None: by the learning phase.
            attention_mask: bool tensor (batch, queries, keys), False where a query must not see a key.
            return_attention_scores: whether to return the weights too.
            use_causal_mask: whether a query sees only the values up to its own place.
        """
        (query, value, key), masks = _three(inputs, mask, attention_mask, use_causal_mask)
        times = self.num_query_heads // self.num_key_value_heads
        q = self._query_dense._computed(query) * (1 / float(self.head_dim) ** 0.5)
        k, v = (
            K.repeat_elements(d._computed(x), times, 2) for d, x in ((self._key_dense, key), (self._value_dense, value))
        )
        composed = functools.partial(self._composed, q, k, v, masks, training)
        if return_attention_scores:
            found, plain = composed()
        else:
            found = self._found(composed, q, k, v, masks, training)
        if self._gate_dense is not None:
            found = found * K.sigmoid(self._gate_dense._computed(query))
        result = self._output_dense._computed(found)
        return [result, plain] if return_attention_scores else result

    def _composed(self, q: Any, k: Any, v: Any, masks: _Masks, training: Any) -> tuple[Any, Any]:
        """What the heads find, and the weights before dropout."""
        scores = K.einsum("bquh,bkuh->buqk", q, k)
        one_head = K.getitem(scores, (slice(None), 0))
        allowed = self._allowed(one_head, masks)
        if allowed is not None and K.ndim(allowed) == 3:
            allowed = K.expand_dims(allowed, 1)
        plain, weights = self._weights(scores, allowed, (-1,), training)
        return K.einsum("buqk,bkuh->bquh", weights, v), plain


GroupQueryAttention = GroupedQueryAttention  # the name in `layers`; files have the other one
