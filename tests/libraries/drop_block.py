"""keras-drop-block: noise that takes whole areas away."""

import keras
import numpy as np
from keras_drop_block import DropBlock1D, DropBlock2D

x = np.random.RandomState(0).uniform(0.5, 1.0, (32, 12, 12, 1))
y = np.random.RandomState(0).randint(0, 3, (32, 1))
model = keras.models.Sequential()
model.add(DropBlock2D(input_shape=(12, 12, 1), block_size=5, keep_prob=0.8, name="Input-Dropout"))
model.add(keras.layers.Conv2D(filters=8, kernel_size=3, activation="relu", padding="same", name="Conv-1"))
model.add(keras.layers.MaxPool2D(pool_size=2, name="Pool-1"))
model.add(DropBlock2D(block_size=3, keep_prob=0.8, sync_channels=True, name="Dropout-1"))
model.add(keras.layers.Flatten(name="Flatten"))
model.add(keras.layers.Dense(units=3, activation="softmax", name="Softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=2, verbose=2)
model.save("blocks.h5")
again = keras.models.load_model("blocks.h5", custom_objects={"DropBlock2D": DropBlock2D})
np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)

inputs = keras.layers.Input((100, 3))
outputs = DropBlock1D(block_size=3, keep_prob=0.7)(inputs, training=True)
noisy = keras.backend.function([inputs], [outputs])([np.ones((1, 100, 3))])[0]
lost = (noisy == 0).mean()
assert 0.05 < lost < 0.8, lost
