"""What the layers of attention with many heads do beyond the suite: masks, several axes, calls by arguments."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.models import Model


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=s).astype("float32") for s in shapes]


def scores_of(layer, *inputs, **options):
    return K.to_numpy(layer(*inputs, return_attention_scores=True, **options)[1])


MAKERS = {
    "many": lambda **k: L.MultiHeadAttention(2, 3, **k),
    "groups": lambda **k: L.GroupQueryAttention(3, 4, 2, **k),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@each
def test_weights_are_zero_where_a_mask_is_false(backend, make):
    query, value = arrays((2, 4, 6), (2, 4, 6))
    seen = np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool)
    scores = scores_of(make(), query, value, value_mask=seen)
    np.testing.assert_array_equal(scores > 1e-7, np.broadcast_to(seen[:, None, None], scores.shape))
    causal = scores_of(make(), query, value, use_causal_mask=True)
    np.testing.assert_array_equal(causal > 1e-7, np.broadcast_to(np.tri(4, dtype=bool), causal.shape))
    near = scores_of(make(sliding_window=2), query, value, attention_mask=np.tri(4, dtype=bool)[None])
    both = np.tri(4, dtype=bool) & ~np.tri(4, k=-2, dtype=bool)
    np.testing.assert_array_equal(near > 1e-7, np.broadcast_to(both, near.shape))


@each
def test_arguments_and_a_list_are_the_same_call(backend, make):
    query, value, key = arrays((2, 4, 6), (2, 5, 6), (2, 5, 3))
    layer = make()
    np.testing.assert_array_equal(K.to_numpy(layer(query, value, key)), K.to_numpy(layer([query, value, key])))
    q, v, k = (L.Input(a.shape[1:]) for a in (query, value, key))
    model = Model([q, v, k], layer(q, v, key=k, use_causal_mask=True))
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    want = K.to_numpy(layer(query, value, key, use_causal_mask=True))
    np.testing.assert_allclose(again.predict([query, value, key]), want, rtol=1e-5, atol=1e-6)


def test_attention_over_one_axis_of_two_is_attention_of_each_row(backend):
    query, value = arrays((2, 3, 4, 6), (2, 3, 5, 6))
    layer, flat = L.MultiHeadAttention(2, 3, attention_axes=(2,)), L.MultiHeadAttention(2, 3)
    got, scores = layer(query, value, return_attention_scores=True)
    flat(query[:, 0], value[:, 0])
    flat.set_weights(layer.get_weights())
    assert K.int_shape(scores) == (2, 3, 2, 4, 5)
    want = K.to_numpy(flat(query.reshape(6, 4, 6), value.reshape(6, 5, 6)))
    np.testing.assert_allclose(K.to_numpy(got), want.reshape(2, 3, 4, 6), rtol=1e-5, atol=1e-6)


@pytest.mark.backends("numpy")
def test_equations_that_cannot_be_are_refused(backend):
    with pytest.raises(ValueError, match="expected an equation such as"):
        L.EinsumDense("ab,bc", 3)
    with pytest.raises(ValueError, match="does not fit inputs of shape"):
        L.EinsumDense("abc,cd->abd", (None, 3))(np.zeros((2, 3), "float32"))
    with pytest.raises(ValueError, match="multiple of num_key_value_heads"):
        L.GroupQueryAttention(3, 3, 2)
    with pytest.raises(ValueError, match="divides the features"):
        L.GroupNormalization(2)(np.zeros((2, 3), "float32"))
