"""Losses and metrics that use tensors of the model: the idioms of Keras 1 and 2, against NumPy in float64."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.layers import LSTM, BatchNormalization, Dense, Input, Lambda
from keras_front.models import Model, Sequential
from keras_front.optimizers import SGD

RNG = np.random.RandomState(0)
X = RNG.rand(8, 4).astype("float32")


def fixed(units, scale, **kwargs):
    return Dense(units, kernel_initializer=lambda shape, dtype=None: np.full(shape, scale), use_bias=False, **kwargs)


def vae(shared_encoder=False):
    """A variational autoencoder without its noise: x -> (mean, log variance) -> y."""
    x = Input((4,))
    mean, log_variance = fixed(2, 0.3)(x), fixed(2, -0.2)(x)
    if shared_encoder:
        encoder, code = Model(x, [mean, log_variance, mean]), Input((2,))
        y = Model(code, fixed(4, 0.5)(code))(encoder(x)[2])
    else:
        y = fixed(4, 0.5)(mean)

    def loss(y_true, y_pred):
        divergence = -0.5 * K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
        return K.mean(K.square(y_true - y_pred), axis=-1) + divergence

    return x, y, mean, log_variance, loss


def vae_by_hand(w_mean, w_var, w_out, x):
    """The loss and its gradients."""
    x = x.astype("float64")
    mean, var = x @ w_mean, x @ w_var
    error = mean @ w_out - x
    loss = (error**2).mean() - 0.5 * (1 + var - mean**2 - np.exp(var)).sum(1).mean()
    d_out = 2 * error / error.size
    d_mean = d_out @ w_out.T + mean / len(x)
    d_var = -0.5 * (1 - np.exp(var)) / len(x)
    return loss, [x.T @ d_mean, x.T @ d_var, mean.T @ d_out]


@pytest.mark.parametrize("shared_encoder", [False, True])
def test_the_loss_of_a_variational_autoencoder(backend, shared_encoder):
    x, y, mean, log_variance, loss = vae(shared_encoder)
    model = Model(x, y)
    model.compile(SGD(0.5), loss)
    w_mean, w_var, w_out = np.full((4, 2), 0.3), np.full((4, 2), -0.2), np.full((2, 4), 0.5)
    want, (g_mean, g_var, g_out) = vae_by_hand(w_mean, w_var, w_out, X)
    assert model.evaluate(X, X, verbose=0) == pytest.approx(want, rel=1e-5)
    assert model.train_on_batch(X, X) == pytest.approx(want, rel=1e-5)
    layers = [t.history[0] for t in (mean, log_variance)]
    np.testing.assert_allclose(layers[0].get_weights()[0], w_mean - 0.5 * g_mean, rtol=1e-4)
    if not shared_encoder:  # that branch leads to no output, so its weights are none of this model
        assert model.count_params() == 16
    else:
        np.testing.assert_allclose(layers[1].get_weights()[0], w_var - 0.5 * g_var, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[-1], w_out - 0.5 * g_out, rtol=1e-4)
    assert model.fit(X, X, epochs=1, batch_size=4, verbose=0).history["loss"][0] < want


@pytest.mark.parametrize("aggregate", [True, False])
def test_add_loss_with_tensors_of_the_model(backend, aggregate):
    x, y, mean, log_variance, _ = vae()
    model = Model(x, y)
    rows = K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
    model.add_loss(-0.5 * K.mean(rows) + K.mean(K.square(x - y)))
    model.compile(SGD(0.5))
    want, (g_mean, _, _) = vae_by_hand(np.full((4, 2), 0.3), np.full((4, 2), -0.2), np.full((2, 4), 0.5), X)
    assert model.evaluate(X, None, verbose=0) == pytest.approx(want, rel=1e-5)
    model.fit(X, None if aggregate else [], batch_size=8, epochs=1, verbose=0)
    np.testing.assert_allclose(mean.history[0].get_weights()[0], 0.3 - 0.5 * g_mean, rtol=1e-4)


@pytest.mark.parametrize("how", ["closure", "partial", "model"])
def test_the_gradient_penalty_of_wgan_gp(backend, how):
    """Half the way between two inputs the gradient of a linear critic is its kernel: (1 - |w|)^2."""
    a, b = Input((2,)), Input((2,))
    mid = Lambda(lambda q: 0.5 * q[0] + 0.5 * q[1])([a, b])
    critic = Sequential([fixed(1, 0.7, input_shape=(2,))])

    def penalty(y_true, y_pred, samples):
        gradient = K.gradients(y_pred, samples)[0]
        return K.mean(K.square(1 - K.sqrt(K.sum(K.square(gradient), axis=1))))

    loss = {"closure": lambda t, p: penalty(t, p, mid), "partial": partial(penalty, samples=mid)}.get(how)
    model = Model([a, b], [critic(a), critic(mid)])
    if loss is None:
        model.add_loss(penalty(None, model.outputs[1], mid))
        model.compile(SGD(0.1))
        batch = [np.ones((3, 2)), np.zeros((3, 2))], []
        got = model.test_on_batch(*batch)
    else:
        model.compile(SGD(0.1), ["mse", loss], loss_weights=[0.0, 1.0])
        batch = [np.ones((3, 2)), np.zeros((3, 2))], [np.zeros((3, 1))] * 2
        got = model.test_on_batch(*batch)[0]
    norm = 0.7 * 2**0.5
    assert got == pytest.approx((1 - norm) ** 2, rel=1e-5)
    model.train_on_batch(*batch)
    want = 0.7 - 0.1 * -2 * (1 - norm) * 0.7 / norm  # the second derivative of the critic
    np.testing.assert_allclose(critic.get_weights()[0], np.full((2, 1), want), rtol=1e-5)


def test_another_input_weighs_the_loss(backend):
    """The weighted loss of segmentation nets and the advantages of PPO: an input that no layer takes."""
    x, weight = Input((4,)), Input((1,))
    model = Model([x, weight], fixed(1, 0.5)(x))

    def weighted(y_true, y_pred):
        return weight * K.square(y_true - y_pred)

    model.compile(SGD(0.1), weighted)
    w, y = RNG.rand(8, 1), RNG.rand(8, 1)
    error = X.astype("float64").sum(1, keepdims=True) * 0.5 - y
    assert model.evaluate([X, w], y, verbose=0) == pytest.approx((w * error**2).mean(), rel=1e-5)
    model.fit([X, w], y, batch_size=8, epochs=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], 0.5 - 0.1 * X.T @ (2 * w * error) / 8, rtol=1e-4)


def test_a_loss_that_is_a_tensor_of_the_model(backend):
    """Keras 1 and 2: the model computes its loss itself, as the CTC examples do; also by K.mean(model.output)."""
    x = Input((4,))
    out = fixed(1, 0.5)(x)
    total = Lambda(lambda v: K.square(v))(out)
    for loss in (lambda t, p: total, lambda t, p: p * 0 + K.mean(total), lambda t, p: K.square(out)):
        model = Model(x, out)
        model.compile("sgd", loss)
        want = ((X.astype("float64").sum(1) * 0.5) ** 2).mean()
        assert model.test_on_batch(X, np.zeros((8, 1))) == pytest.approx(want, rel=1e-5)


def test_metrics_use_tensors_of_the_model(backend):
    x = Input((4,))
    hidden = fixed(2, 0.3)(x)
    out = fixed(1, 1.0)(hidden)

    def hidden_mean(y_true, y_pred):
        return K.mean(hidden) + 0 * K.mean(y_pred)

    def slope(y_true, y_pred):
        return K.mean(K.gradients(y_pred, hidden)[0])

    model = Model(x, out)
    model.compile(SGD(0.0), "mse", metrics=[hidden_mean, slope])
    want = [0.3 * X.astype("float64").sum(1).mean(), 1.0]
    y = np.zeros((8, 1))
    np.testing.assert_allclose(model.train_on_batch(X, y)[1:], want, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0)[1:], want, rtol=1e-5)
    history = model.fit(X, y, batch_size=4, epochs=1, verbose=0, validation_data=(X, y)).history
    for name, number in zip(("hidden_mean", "slope"), want, strict=True):
        np.testing.assert_allclose([history[name], history[f"val_{name}"]], np.full((2, 1), number), rtol=1e-5)


def test_statistics_of_a_tensor_that_the_loss_uses_move_once(backend):
    x = Input((4,))
    normed = BatchNormalization(momentum=0.5)(x)
    model = Model(x, Dense(1)(normed))
    model.compile("sgd", lambda t, p: K.square(t - p) + K.mean(K.square(normed + 1.0)))
    model.train_on_batch(X, np.zeros((8, 1)))
    layer = normed.history[0]
    np.testing.assert_allclose(layer.get_weights()[2], 0.5 * X.mean(0), rtol=1e-4)


@pytest.mark.parametrize("kind", ["input", "inner", "variable", "array", "placeholder"])
def test_targets_given_as_tensors(backend, kind):
    x = Input((4,))
    inner = fixed(4, 0.1)(x)
    out = fixed(4, 0.3)(x)
    placeholder = K.placeholder((None, 4))
    rows = RNG.rand(8, 4)
    targets = {"input": x, "inner": inner, "variable": K.variable(rows), "array": rows, "placeholder": placeholder}
    model = Model(x, out)

    def loss(y_true, y_pred):  # the placeholder of the targets may be in it by itself
        return K.square((placeholder if kind == "placeholder" else y_true) - y_pred)

    model.compile("sgd", loss, target_tensors=[targets[kind]])
    by_hand = {"input": X, "inner": X.sum(1, keepdims=True) * np.full((1, 4), 0.1)}.get(kind, rows)
    want = ((by_hand - X.astype("float64").sum(1, keepdims=True) * np.full((1, 4), 0.3)) ** 2).mean()
    y = rows if kind == "placeholder" else None
    assert model.evaluate(X, y, verbose=0) == pytest.approx(want, rel=1e-5)
    assert model.fit(X, y, 8, 1, verbose=0, shuffle=False).history["loss"] == pytest.approx([want], rel=1e-5)
    assert model.train_on_batch(X, y) < want


def test_targets_as_tensors_of_some_outputs(backend):
    x = Input((4,))
    model = Model(x, [fixed(4, 0.3, name="p")(x), fixed(1, 0.5, name="q")(x)])
    model.compile("sgd", "mse", target_tensors={"p": x})
    y = RNG.rand(8, 1)
    s = X.astype("float64").sum(1, keepdims=True)
    want = [((X - 0.3 * s) ** 2).mean(), ((y - 0.5 * s) ** 2).mean()]
    np.testing.assert_allclose(model.test_on_batch(X, y), [sum(want), *want], rtol=1e-5)
    weights = RNG.rand(8)
    weighted = model.test_on_batch(X, y, sample_weight=[weights])
    assert weighted[2] == pytest.approx((weights[:, None] * (y - 0.5 * s) ** 2).mean(), rel=1e-5)


def test_a_tensor_of_another_model_is_an_error():
    x, other = Input((4,)), Input((4,))
    elsewhere = fixed(1, 1.0)(other)
    model = Model(x, fixed(1, 0.5)(x))
    for tensor in (elsewhere, other, K.square(elsewhere)):
        model.compile("sgd", lambda t, p, tensor=tensor: K.square(t - p) + K.mean(tensor))
        with pytest.raises(ValueError, match="has no value in a step of this model") as error:
            model.train_on_batch(X, np.zeros((8, 1)))
        assert any("the loss" in note for note in error.value.__notes__)


def test_a_tensor_inside_of_a_shared_model_has_no_single_value():
    inner = Sequential([fixed(2, 0.5, input_shape=(4,)), fixed(1, 1.0)])
    hidden = inner.layers[0].output
    a, b = Input((4,)), Input((4,))
    once, twice = Model(a, inner(a)), Model([a, b], inner(a) + inner(b))
    for model, data in ((once, X), (twice, [X, X])):
        model.compile("sgd", lambda t, p: K.square(t - p) + K.mean(hidden))
        if model is twice:
            with pytest.raises(ValueError, match="one run of it computes once"):
                model.test_on_batch(data, np.zeros((8, 1)))
        else:
            s = X.astype("float64").sum(1)
            assert model.test_on_batch(data, np.zeros((8, 1))) == pytest.approx((s**2).mean() + s.mean() / 2, rel=1e-5)


def test_recurrent_hidden_states_in_a_loss(backend):
    x = Input((3, 2))
    states = LSTM(2, return_sequences=True)(x)
    model = Model(x, Lambda(lambda s: s[:, -1])(states))
    model.compile("sgd", lambda t, p: K.square(t - p) + 0.1 * K.mean(K.square(states[:, 1:] - states[:, :-1])))
    rows = RNG.rand(5, 3, 2)
    inner = Model(x, states).predict(rows)
    want = (inner[:, -1] ** 2).mean() + 0.1 * ((inner[:, 1:] - inner[:, :-1]) ** 2).mean()
    assert model.train_on_batch(rows, np.zeros((5, 2))) == pytest.approx(want, rel=1e-4)
