"""`BatchNormalization` with a mask and with renormalization, against the formulas in NumPy, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError
from keras_front.layers import BatchNormalization, Input, Masking
from keras_front.models import Model

RNG = np.random.default_rng(0)


def trained(layer, x, mask_value=None):
    """What the layer gives for a batch in training, and its weights by name before and after."""
    inputs = Input(x.shape[1:])
    model = Model(inputs, layer(inputs if mask_value is None else Masking(mask_value)(inputs)))
    model.set_weights([w + RNG.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
    names = [w.name.split("/")[-1].split(":")[0] for w in model.weights]
    before = dict(zip(names, model.get_weights(), strict=True))
    model.compile("sgd", "mse")
    y = np.asarray(model(x, training=True))
    return y, before, dict(zip(names, model.get_weights(), strict=True))


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5, 2, 3)])
def test_masked_steps_do_not_count(backend, shape):
    x = RNG.normal(2.0, 3.0, shape).astype("float32")
    x[1:, 3:] = 9.0
    y, before, after = trained(BatchNormalization(momentum=0.9), x, 9.0)
    kept = x[(x != 9.0).any(axis=tuple(range(2, x.ndim)))].reshape(-1, 3).astype("float64")
    mean, variance = kept.mean(0), kept.var(0)
    expected = (x * (x != 9.0).any(-1, keepdims=True) - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(y, expected * before["gamma"] + before["beta"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(after["moving_mean"], before["moving_mean"] * 0.9 + mean * 0.1, rtol=1e-5)
    np.testing.assert_allclose(after["moving_variance"], before["moving_variance"] * 0.9 + variance * 0.1, rtol=1e-5)


@pytest.mark.backends("numpy", "torch")
def test_masked_steps_count_in_keras2(backend):
    x = RNG.normal(2.0, 3.0, (4, 5, 3)).astype("float32")
    x[1:, 3:] = 0.0
    with config.dialect("keras2.3"):
        _, before, after = trained(BatchNormalization(momentum=0.9), x, 0.0)
    np.testing.assert_allclose(after["moving_mean"], before["moving_mean"] * 0.9 + x.mean((0, 1)) * 0.1, rtol=1e-5)


@pytest.mark.parametrize("bounds", [None, {"rmin": 0.9, "rmax": 1.2, "dmax": 0.3}])
def test_renormalization_leans_on_running_statistics(backend, bounds):
    x = RNG.normal(1.0, 2.0, (6, 3, 4)).astype("float32")
    layer = BatchNormalization(axis=1, momentum=0.9, renorm=True, renorm_clipping=bounds, renorm_momentum=0.7)
    y, before, after = trained(layer, x)
    bounds = bounds or {}
    mean, stddev = x.mean((0, 2), dtype="float64"), np.sqrt(x.var((0, 2), dtype="float64") + 1e-3)
    r = np.clip(stddev / before["renorm_stddev"], bounds.get("rmin", 0), bounds.get("rmax", np.inf))
    most = bounds.get("dmax", np.inf)
    d = np.clip((mean - before["renorm_mean"]) / before["renorm_stddev"], -most, most)
    along = (slice(None), None)
    expected = ((x - mean[along]) / stddev[along] * r[along] + d[along]) * before["gamma"][along]
    np.testing.assert_allclose(y, expected + before["beta"][along], rtol=1e-4, atol=1e-5)
    for name, value in [("mean", mean), ("stddev", stddev)]:
        for kind, momentum in [("renorm", 0.7), ("moving", 0.9)]:
            old, new = before[f"{kind}_{name}"], after[f"{kind}_{name}"]
            np.testing.assert_allclose(new, old * momentum + value * (1 - momentum), rtol=1e-5)
    np.testing.assert_allclose(after["moving_variance"], after["moving_stddev"] ** 2 - 1e-3, rtol=1e-5)


def test_the_correction_of_renormalization_is_constant_to_gradients(backend):
    x, weights = RNG.normal(1.0, 2.0, (6, 3)), RNG.normal(size=(6, 3))
    layer = BatchNormalization(renorm=True, epsilon=0.1)
    layer.build((None, 3))
    ratio = np.sqrt(x.var(0) + 0.1)  # the running deviation is 1
    inputs = K.placeholder(shape=(6, 3))
    loss = K.sum(layer(inputs, training=True) * K.constant(weights))
    (grad,) = K.function([inputs], K.gradients(loss, [inputs]))([x])
    step, expected = 1e-6, np.zeros_like(x)
    for place in np.ndindex(x.shape):
        values = []
        for sign in (1, -1):
            near = x.copy()
            near[place] += sign * step
            values.append(((near - near.mean(0)) / np.sqrt(near.var(0) + 0.1) * ratio * weights).sum())
        expected[place] = (values[0] - values[1]) / (2 * step)
    np.testing.assert_allclose(grad, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("bounds", [{"rmin": 2.0, "rmax": 1.0}, {"dmax": -1.0}, {"most": 1.0}, 3])
def test_bounds_that_make_no_sense_are_refused(backend, bounds):
    with pytest.raises((ArgumentError, TypeError), match="renorm_clipping"):
        BatchNormalization(renorm=True, renorm_clipping=bounds)


@pytest.mark.backends("numpy")
def test_configs_without_renormalization_do_not_speak_of_it(backend):
    assert "renorm" not in BatchNormalization().get_config()
    config = BatchNormalization(renorm=True, renorm_clipping={"dmax": 1.0}).get_config()
    again = BatchNormalization.from_config(config)
    assert again.renorm
    assert again.renorm_clipping == {"dmax": 1.0}
