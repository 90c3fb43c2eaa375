"""Runs on single elements in blocks: the same bits as array by array, and nothing that does not fit into a run."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front_numpy.schedule import blocks


@pytest.fixture(autouse=True)
def numpy_backend():
    with discovery.use_backend("numpy") as engine:
        yield engine


def normalized(x, w):
    return K.normalize_batch_in_training(x, w, w + 1, (0, 1))[0]


CHAINS = {
    "vector": lambda x, w: K.relu(K.tanh(x * w + 1.5) - x),
    "images": lambda x, w: K.sigmoid(x + K.expand_dims(x[0, :, :], 0)) * w,
    "masks": lambda x, w: K.where(x > w, x * 2, -x) + K.cast(x > 0, "float32") * w,
    "number": lambda x, w: K.exp(x - K.mean(w)) * K.sum(w) + 1,
    "normalization": normalized,
    "between": lambda x, w: K.abs(x * w) + K.square(w) * (x - K.sqrt(K.abs(w))),
    "product": lambda x, w: K.dot(-x, K.dot(K.expand_dims(w, 1), K.expand_dims(w, 0))) * w,
    "pad": lambda x, w: K.temporal_padding(x * w) + 1,
    "several": lambda x, w: [x * w + 1, K.stack([x * w, x + w]) * 2],
}


def program(name, x, w):
    def loss(values):
        found = CHAINS[name](*values)
        found = found if isinstance(found, list) else [found]
        return sum(K.sum(y * y) for y in found), found

    compiled = K.compile(lambda values: K.value_and_grad(loss, values))
    (_, outputs), gradients = compiled([x, w])
    return compiled.source, [*outputs, *gradients]


@pytest.mark.parametrize("name", CHAINS)
def test_blocks_change_no_bit(name, monkeypatch):
    draw = np.random.default_rng(3)
    x, w = draw.standard_normal((4, 6, 5), dtype="float32"), draw.standard_normal(5, dtype="float32")
    whole, expected = program(name, x, w)
    for limit, value in (("LEAST", 8), ("BLOCK", 20), ("ROW", 48), ("CACHE", 0)):
        monkeypatch.setattr(blocks, limit, value)
    parts, found = program(name, x, w)
    assert "for e1" in parts
    assert "for e1" not in whole
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    found = program(name, np.asfortranarray(x), w)[1]  # what is given need not lie in one piece
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)


@pytest.mark.parametrize("size", [2 * 8191, 3 * 10007])
def test_sizes_that_cannot_be_divided_stay_whole(size, monkeypatch):
    monkeypatch.setattr(blocks, "LEAST", 8)
    monkeypatch.setattr(blocks, "BLOCK", 100)
    monkeypatch.setattr(blocks, "CACHE", 0)
    x = np.linspace(-1, 1, size, dtype="float32")
    compiled = K.compile(lambda x: K.tanh(x * 2) + 1)
    np.testing.assert_array_equal(compiled(x), np.tanh(x * 2) + 1)
    assert "for " not in compiled.source


def test_a_large_batch_normalization_runs_in_blocks():
    x = np.random.default_rng(0).standard_normal((16, 32, 32, 16), dtype="float32")
    ones = np.ones(16, "float32")
    compiled = K.compile(lambda x: K.normalize_batch_in_training(x, ones, None, (0, 1, 2))[0])
    double = x.astype("float64")
    expected = (double - double.mean((0, 1, 2))) / np.sqrt(double.var((0, 1, 2)) + 1e-3)
    np.testing.assert_allclose(compiled(x), expected, atol=1e-5)
    assert compiled.source.count("for e") == 2
