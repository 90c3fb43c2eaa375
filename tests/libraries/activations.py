"""keract: what the layers of a net give, and the gradients of its loss."""

import keract
import numpy as np
from tensorflow.keras.layers import Dense, Input, concatenate
from tensorflow.keras.models import Model

inputs = Input(shape=(10,))
a = Dense(4, name="a")(inputs)
model = Model(inputs, Dense(2, name="b")(a))
model.compile("adam", "mse")
x = np.random.RandomState(0).rand(3, 10)
w, bias = model.get_weights()[:2]
np.testing.assert_allclose(keract.get_activations(model, x)["a"], x @ w + bias, atol=1e-5)
found = keract.get_gradients_of_trainable_weights(model, x, np.zeros((3, 2)))
np.testing.assert_allclose(found["b/bias:0"], model.predict(x).mean(axis=0), atol=1e-5)
found = keract.get_gradients_of_activations(model, x, np.zeros((3, 2)))
np.testing.assert_allclose(found["b"], model.predict(x) / 3, atol=1e-5)

left, right = Input((3,)), Input((4,))
model = Model([left, right], Dense(2)(concatenate([left, right])))
model.compile("adam", "mse")
assert sorted(a.shape for a in keract.get_activations(model, [np.ones((2, 3)), np.ones((2, 4))]).values())[-1] == (2, 7)
