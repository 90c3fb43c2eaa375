"""`SpectralNormalization` in training: the kernel is normalized, and the step starts from there."""

from __future__ import annotations

import numpy as np

from keras_front.layers import Dense, Input, SpectralNormalization
from keras_front.models import Model
from keras_front.optimizers import SGD


def test_a_step_starts_from_the_normalized_kernel(backend):
    """As in Keras 3.15 on torch and TensorFlow: the gradient for the normalized kernel moves the normalized kernel."""
    rng = np.random.default_rng(0)
    x, t, kernel, u = (rng.normal(size=shape) for shape in ((4, 5), (4, 3), (5, 3), (1, 3)))
    inputs = Input((5,))
    model = Model(inputs, SpectralNormalization(Dense(3, use_bias=False))(inputs))
    model.set_weights([kernel, u])
    model.compile(SGD(0.1), "mse")
    model.train_on_batch(x, t)
    v = u @ kernel.T / np.linalg.norm(u @ kernel.T)
    after = v @ kernel / np.linalg.norm(v @ kernel)
    normalized = kernel / (v @ kernel @ after.T)
    step = 0.1 * 2 * x.T @ (x @ normalized - t) / t.size
    np.testing.assert_allclose(model.get_weights()[0], normalized - step, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], after, rtol=1e-4, atol=1e-5)
