"""Ready models and layers of tf.keras; the numbers are those of tf_keras 2.21 for the same weights and data."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.initializers import Constant
from keras_front.layers import Dense
from keras_front.legacy.tf_layers import RandomFourierFeatures
from keras_front.legacy.tf_models import LinearModel, SharpnessAwareMinimization, WideDeepModel
from keras_front.legacy.utils.vocabulary import warmstart_embedding_matrix
from keras_front.models import Sequential
from keras_front.optimizers import SGD

X = np.arange(12.0).reshape(4, 3) / 10
Y = np.array([[0.0], [1.0], [0.0], [1.0]])


def net():
    first = Dense(2, activation="tanh", kernel_initializer=Constant(0.3), input_shape=(3,))
    return Sequential([first, Dense(1, kernel_initializer="ones")])


@pytest.mark.few_compiled(1)
@pytest.mark.parametrize(
    ("splits", "kernels"),
    [
        (None, [0.33714405, 0.34257275, 0.34800148, 0.05428709, 0.80104327, 0.00366352]),
        (2, [0.23526041, 0.24389726, 0.25253412, 0.08636826, 0.57095355, -0.14325285]),
    ],
)
def test_sharpness_aware_minimization(backend, splits, kernels):
    model = net()
    sharp = SharpnessAwareMinimization(model, rho=0.5, num_batch_splits=splits)
    sharp.compile(SGD(0.1), "mse")
    sharp.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False)
    first, bias, second, last = model.get_weights()
    np.testing.assert_allclose([*first[:, 0], bias[0], second[0, 0], last[0]], kernels, rtol=1e-4)


def test_wide_and_deep_with_an_optimizer_each(backend):
    model = WideDeepModel(LinearModel(), net())
    model.compile([SGD(0.1), SGD(0.01)], "mse")
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False)
    told = model.predict(X, verbose=0).ravel()
    np.testing.assert_allclose(told, [0.02027083, 0.44398481, 0.78773916, 1.02694523], rtol=1e-4)


def test_a_linear_model_of_named_inputs():
    model = LinearModel(2, "relu", kernel_initializer="ones")
    given = {"b": K.constant(X[:, :2]), "a": K.constant(X)}
    np.testing.assert_allclose(K.to_numpy(model(given))[:, 0], [0.4, 1.9, 3.4, 4.9], rtol=1e-5)
    with pytest.raises(ArgumentError, match="has no"):
        model({"a": given["a"]})
    assert LinearModel.from_config(model.get_config()).units == 2


@pytest.mark.parametrize("kind", ["gaussian", "laplacian"])
def test_random_fourier_features(kind):
    layer = RandomFourierFeatures(4, kernel_initializer=kind)
    found = K.to_numpy(layer(K.constant(X)))
    kernel, bias, scale = (K.to_numpy(w) for w in (layer.unscaled_kernel, layer.bias, layer.kernel_scale))
    assert scale[0] == pytest.approx((3 / 2) ** 0.5 if kind == "gaussian" else 1.0)
    np.testing.assert_allclose(found, np.cos(X @ kernel / scale + bias), rtol=1e-4, atol=1e-5)
    assert not layer.trainable_weights
    with pytest.raises(ArgumentError, match="laplacian"):
        RandomFourierFeatures(4, kernel_initializer="other")


def test_rows_of_a_vocabulary_that_changed(tmp_path):
    (tmp_path / "words").write_text("unk\na\nb\n")
    old = np.arange(6.0).reshape(3, 2)
    made = warmstart_embedding_matrix(str(tmp_path / "words"), ["unk", "c", "b"], old, Constant(9.0))
    assert made.tolist() == [[0, 1], [9, 9], [4, 5]]
