"""Attention by the backend's kernel gives the numbers of attention in parts, which runs where weights are asked for."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers
from keras_front.layers import Input
from keras_front.models import Model

RNG = np.random.default_rng(3)
Q, V = RNG.normal(size=(2, 5, 6)).astype("float32"), RNG.normal(size=(2, 7, 6)).astype("float32")
MASKS = {
    "none": (None, None),
    "value": (None, np.array([[1, 1, 1, 0, 0, 1, 0], [1] * 7], bool)),
    "both": (np.array([[1, 1, 0, 1, 0], [0] * 5], bool), np.array([[0] * 7, [1] * 6 + [0]], bool)),
}
KINDS = {
    "many heads": lambda: layers.MultiHeadAttention(2, 3, value_dim=4),
    "gated": lambda: layers.MultiHeadAttention(2, 3, use_gate=True),
    "window": lambda: layers.MultiHeadAttention(2, 3, sliding_window=2),
    "dropout at rest": lambda: layers.MultiHeadAttention(2, 3, dropout=0.5),
    "grouped": lambda: layers.GroupQueryAttention(3, 4, 2),
    "dot": lambda: layers.Attention(),
    "scaled": lambda: layers.Attention(use_scale=True),
    "concat": lambda: layers.Attention(score_mode="concat"),
}


NEUTRAL = pytest.mark.engine_neutral  # how masks are joined; one combination shows that the engine's kernel takes it


@pytest.mark.parametrize("causal", [pytest.param(False, marks=NEUTRAL), True])
@pytest.mark.parametrize("masks", [pytest.param(name, marks=NEUTRAL) if name != "both" else name for name in MASKS])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.few_compiled(3)
def test_with_and_without_the_weights(backend, kind, masks, causal):
    layer, values = KINDS[kind](), [K.convert(Q), K.convert(V)]
    layer([Input(Q.shape[1:]), Input(V.shape[1:])])
    named = {"mask": [m if m is None else K.convert(m) for m in MASKS[masks]], "use_causal_mask": causal}

    def by(weights):
        def run(params):
            with K.bind(layer.trainable_weights, params), K.phase(False):
                y = layer.call(values, return_attention_scores=weights, **named)
            y = y[0] if weights else y
            return K.sum(K.sin(y)), [y]

        (_, [y]), grads = K.value_and_grad(run, [w.value for w in layer.trainable_weights])
        return [K.to_numpy(t) for t in (y, *grads)]

    for fused, composed in zip(by(False), by(True), strict=True):
        np.testing.assert_allclose(fused, composed, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["many heads", "grouped", "dot"])
def test_lengths_may_be_unknown(backend, kind):
    q, v = Input((None, 6)), Input((None, 6))
    model = Model([q, v], KINDS[kind]()([q, v], use_causal_mask=True))
    assert model.output_shape == (None, None, 6)
    assert model.predict([Q, V], verbose=0).shape == (2, 5, 6)


def test_dropout_drops_while_training_only(backend):
    x = Input((5, 6))
    model = Model(x, layers.MultiHeadAttention(2, 3, dropout=0.5)(x, x))
    learning = K.function([x, K.learning_phase()], [model.output])
    at_rest, dropped = (K.to_numpy(learning([Q, phase])[0]) for phase in (0, 1))
    np.testing.assert_allclose(at_rest, model.predict(Q, verbose=0), rtol=1e-5, atol=1e-6)
    assert np.abs(at_rest - dropped).max() > 1e-3
