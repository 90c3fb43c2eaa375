"""The next value of a wave from the last twenty: windows, checkpoints, a rate that falls, a Huber loss."""

import os
import tempfile

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.preprocessing import timeseries_dataset_from_array

keras.utils.set_random_seed(3)
t = np.arange(600)
wave = (np.sin(t / 7) + 0.3 * np.sin(t / 2) + 0.05 * np.random.normal(size=600)).astype("float32")
LENGTH = 20


def windows(values, shuffle):
    return timeseries_dataset_from_array(
        values[:-LENGTH, None], values[LENGTH:], sequence_length=LENGTH, batch_size=32, shuffle=shuffle, seed=1
    )


train, test = windows(wave[:480], True), windows(wave[480:], False)
inputs = keras.Input(shape=(LENGTH, 1))
x = layers.GRU(16)(layers.Conv1D(8, 3, activation="relu")(inputs))
model = keras.Model(inputs, layers.Dense(1)(x))
model.compile(optimizer=keras.optimizers.Adam(0.01), loss=keras.losses.Huber(), metrics=["mae"])
path = os.path.join(tempfile.mkdtemp(), "best.h5")
best = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_weights_only=True, save_best_only=True)
slower = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3, min_lr=1e-4)
model.fit(train, epochs=12, validation_data=test, callbacks=[best, slower], verbose=2)
model.load_weights(path)
loss, mae = model.evaluate(test, verbose=0)
print("Test mean absolute error:", mae)
assert mae < 0.25
