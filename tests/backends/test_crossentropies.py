"""Crossentropies give the same numbers eagerly, compiled and in training, whatever stands before them."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.optimizers import SGD

LOGITS = np.array([[100.0, 0.0, -2.0], [0.0, 100.0, 0.0], [1.0, 2.0, 3.0], [-40.0, 3.0, 0.0]])
CLASSES = np.array([1, 1, 0, 0])
HOT = np.eye(3)[CLASSES]
SOFT = np.array([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.25, 0.5, 0.25]])


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def cut(p, dtype):
    """Probabilities as Keras 2.3.1 cuts them, in float64; the bounds are those of the dtype."""
    low, high = (float(np.dtype(dtype).type(v)) for v in (1e-7, 1 - 1e-7))
    return np.clip(p, low, high)


def categorical(z, t, dtype):
    return -(t * np.log(cut(softmax(z), dtype))).sum(-1)


def binary(z, t, dtype):
    p = cut(1 / (1 + np.exp(-z)), dtype)
    return -(t * np.log(p + 1e-7) + (1 - t) * np.log(1 - p + 1e-7))


LOSSES = {
    "categorical": (lambda t, z: K.categorical_crossentropy(t, K.softmax(z)), HOT, categorical),
    "soft targets": (lambda t, z: K.categorical_crossentropy(t, K.softmax(z)), SOFT, categorical),
    "sparse": (
        lambda t, z: K.sparse_categorical_crossentropy(t, K.softmax(z)),
        CLASSES,
        lambda z, t, dtype: categorical(z, HOT, dtype),
    ),
    "binary": (lambda t, z: K.binary_crossentropy(t, K.sigmoid(z)), HOT, binary),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_probabilities_are_cut_eagerly_and_compiled(backend, name, dtype):
    loss, target, reference = LOSSES[name]
    z = LOGITS.astype(dtype)
    target = target if target.dtype.kind == "i" else target.astype(dtype)
    want = reference(LOGITS, target, dtype)
    eager = K.to_numpy(loss(K.convert(target), K.convert(z)))
    symbols = K.placeholder(target.shape, dtype=target.dtype.name), K.placeholder(z.shape, dtype=dtype)
    compiled = K.function(symbols, [loss(*symbols)])([target, z])[0]
    tolerance = 1e-2 if (name, dtype) == ("binary", "float32") else 2e-6  # 1 - p is rounded before its logarithm
    np.testing.assert_allclose(compiled, eager, rtol=tolerance, atol=1e-6)
    np.testing.assert_allclose(compiled, want, rtol=tolerance, atol=1e-6)
    assert 8 < want.max() < 17


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_what_was_cut(backend, name):
    loss, target, _ = LOSSES[name]
    target = K.convert(target)

    def total(params):
        return K.sum(loss(target, params[0])), []

    eager = K.to_numpy(K.value_and_grad(total, [K.convert(LOGITS)])[1][0])
    compiled = K.to_numpy(K.compile(lambda params: K.value_and_grad(total, params))([K.convert(LOGITS)])[1][0])
    np.testing.assert_allclose(compiled, eager, atol=1e-7)
    step = np.zeros_like(LOGITS)
    step[2] = 1e-6, -2e-6, 1e-6
    up, down = (np.asarray(K.to_numpy(loss(target, K.convert(LOGITS + s)))).sum() for s in (step, -step))
    np.testing.assert_allclose((compiled * step).sum() * 2, up - down, rtol=1e-5)


def test_logits_are_not_cut(backend):
    got = K.to_numpy(K.categorical_crossentropy(K.convert(HOT), K.convert(LOGITS), from_logits=True))
    np.testing.assert_allclose(got, [100, 0, 2.40760596, 43.04858735], rtol=1e-7, atol=1e-40)
    got = K.to_numpy(K.binary_crossentropy(K.convert(HOT), K.convert(LOGITS), from_logits=True))
    np.testing.assert_allclose(got[0], [100, np.log(2), np.log1p(np.exp(-2))], rtol=1e-7)


@pytest.mark.parametrize("name", ["binary", "categorical"])
def test_what_is_no_number_stays_none(backend, name):
    z, t = K.placeholder((1, 3)), K.placeholder((1, 3))
    got = K.function([z, t], [LOSSES[name][0](t, z)])([np.full((1, 3), np.nan), HOT[:1]])[0]
    assert np.isnan(got).any()


@pytest.mark.parametrize(
    ("activation", "loss", "reference", "rtol"),
    [("softmax", "categorical_crossentropy", categorical, 1e-5), ("sigmoid", "binary_crossentropy", binary, 1e-2)],
)
def test_training_and_evaluation_report_the_same(backend, activation, loss, reference, rtol):
    model = Sequential([Dense(3, activation=activation, use_bias=False, input_shape=(3,))])
    model.set_weights([np.eye(3)])
    model.compile("sgd", loss)
    x, y = LOGITS.astype("float32"), HOT.astype("float32")
    want = reference(LOGITS, HOT, "float32").mean()
    assert float(model.evaluate(x, y, verbose=0)) == pytest.approx(want, rel=rtol)
    assert float(model.train_on_batch(x, y)) == pytest.approx(want, rel=rtol)


# Gradients, at saturated and at ordinary probabilities --------------------------------------------------------

SCORES = np.array([-40.0, -17.0, -15.0, -8.0, -1.0, 0.0, 0.5, 4.0, 15.0, 17.0, 40.0])
WANTED = {"no": np.zeros(11), "yes": np.ones(11), "soft": np.linspace(0.1, 0.9, 11)}


def binary_slope(z, t):
    """d loss / d logit: none where the probability was cut, at logits beyond 15.4."""
    return np.where(abs(z) < 15.4, 1 / (1 + np.exp(-z)) - t, 0.0)


def categorical_slope(z, t):
    """Likewise of a softmax: a class whose probability is less than epsilon does not count."""
    p = softmax(z)
    kept = np.where(p > 1e-7, t, 0.0)
    return p * kept.sum(-1, keepdims=True) - kept


SLOPES = {
    **{f"binary {name}": (LOSSES["binary"][0], SCORES, t, binary_slope) for name, t in WANTED.items()},
    "categorical": (LOSSES["categorical"][0], LOGITS, HOT, categorical_slope),
    "soft targets": (LOSSES["categorical"][0], LOGITS, SOFT, categorical_slope),
}


@pytest.mark.parametrize("name", SLOPES)
def test_gradients_against_the_formula(backend, name):
    loss, z, target, slope = SLOPES[name]

    def gradient(dtype, run):
        def flow(params):
            return K.value_and_grad(lambda p: (K.sum(loss(K.convert(target.astype(dtype)), p[0])), []), params)

        return K.to_numpy(run(flow)([K.convert(z.astype(dtype))])[1][0])

    want = slope(z, target)
    np.testing.assert_allclose(gradient("float64", K.compile), want, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gradient("float32", K.compile), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient("float64", lambda flow: flow), want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", SLOPES)
def test_a_step_of_training_against_the_formula(backend, name):
    _, z, target, slope = SLOPES[name]
    z, target = z.reshape(len(z), -1), target.reshape(len(z), -1)
    kind = name.split()[0] if name.startswith("binary") else "categorical"
    layer = Dense(z.shape[1], activation="sigmoid" if kind == "binary" else "softmax", use_bias=False)
    model = Sequential([layer])
    model.build((None, z.shape[1]))
    model.set_weights([np.eye(z.shape[1])])
    model.compile(SGD(1.0), f"{kind}_crossentropy", metrics=["accuracy"])
    model.train_on_batch(z, target)
    want = np.eye(z.shape[1]) - z.T @ slope(z, target) / len(z)
    np.testing.assert_allclose(layer.get_weights()[0], want, rtol=1e-5, atol=1e-5)
