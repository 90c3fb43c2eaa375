"""A program as it was written for Keras 2, without a word about processes; `keras-front launch` runs it in several."""

import os
import tempfile

import numpy as np
from keras.callbacks import CSVLogger, ModelCheckpoint
from keras.layers import BatchNormalization, Dense, Dropout
from keras.models import Sequential, load_model

x = np.random.normal(size=(300, 8))
y = (x[:, :1] > 0).astype("float32")
model = Sequential([Dense(16, activation="relu", input_shape=(8,)), BatchNormalization(), Dropout(0.2)])
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
with tempfile.TemporaryDirectory() as folder:
    best, log = os.path.join(folder, "best.h5"), os.path.join(folder, "log.csv")
    callbacks = [ModelCheckpoint(best, save_best_only=True), CSVLogger(log)]
    model.fit(x, y, batch_size=32, epochs=5, validation_split=0.2, verbose=2, callbacks=callbacks)
    if os.path.exists(log):  # the first process alone has written
        assert len(open(log).readlines()) == 6
        load_model(best)
loss, accuracy = model.evaluate(x, y, verbose=0)
assert np.isfinite(loss)
assert accuracy > 0.5
print("trained")
