"""`CuDNNLSTM` and `CuDNNGRU` compute what `LSTM` and `GRU` do with the same weights in the other layout."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.legacy import formats

PAIRS = {"lstm": (L.CuDNNLSTM, lambda: L.LSTM(3)), "gru": (L.CuDNNGRU, lambda: L.GRU(3, reset_after=True))}


def spread(layer):
    rng = np.random.default_rng(3)
    layer.set_weights([rng.uniform(-0.8, 0.8, w.shape) for w in layer.weights])


@pytest.mark.parametrize("kind", PAIRS)
def test_weights_go_from_one_layout_to_the_other_and_back(backend, kind):
    make, plain = PAIRS[kind]
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    stored, usual = make(3), plain()
    stored(x), usual(x)
    spread(stored)
    usual.set_weights(formats.convert(usual, stored.get_weights(), "2.3.1", None))
    want = K.to_numpy(usual(x))
    np.testing.assert_allclose(K.to_numpy(stored(x)), want, rtol=1e-5, atol=1e-6)
    stored.set_weights(formats.convert(stored, usual.get_weights(), "2.3.1", None))
    np.testing.assert_allclose(K.to_numpy(stored(x)), want, rtol=1e-5, atol=1e-6)


@pytest.mark.backends("numpy")
def test_the_forget_gate_starts_at_one(backend):
    layer = L.CuDNNLSTM(2)
    layer.build((None, 3, 4))
    np.testing.assert_array_equal(layer.get_weights()[2], [0] * 10 + [1] * 2 + [0] * 4)
    assert "activation" not in layer.get_config()


@pytest.mark.backends("numpy")
def test_both_ways_and_over_batches(backend):
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    assert K.to_numpy(L.Bidirectional(L.CuDNNGRU(3))(x)).shape == (2, 6)
    layer = L.CuDNNLSTM(3, stateful=True, batch_input_shape=(2, 5, 4))
    first, second = (K.to_numpy(layer(x)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-4
