"""keras-multi-head: three recurrent layers side by side, with a penalty for likeness, and attention with three heads."""

import keras
import numpy as np
from keras_multi_head import MultiHead, MultiHeadAttention

x = np.random.RandomState(0).rand(8, 5, 6)
heads = MultiHead(
    keras.layers.Bidirectional(keras.layers.LSTM(units=8)),
    layer_num=3, reg_index=[1, 4], reg_slice=(slice(None, None), slice(8, 24)), reg_factor=0.1, input_shape=(5, 6),
)  # fmt: skip
model = keras.models.Sequential([heads, keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.summary()
assert model.fit(x, np.arange(8) % 4, verbose=2).history["loss"][0] > 0
assert len(model.losses) > 0

inputs = keras.layers.Input(shape=(5, 6))
model = keras.models.Model(inputs, MultiHeadAttention(head_num=3)(inputs))
model.compile("adam", "mse")
model.fit(x, np.zeros((8, 5, 6)), verbose=2)
model.save("heads.h5")
again = keras.models.load_model("heads.h5", custom_objects={"MultiHeadAttention": MultiHeadAttention})
np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)
