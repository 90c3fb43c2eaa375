"""Batches from a generator, a callback of one's own, the best model kept in a file."""

import numpy as np

from keras_front import set_random_seed
from keras_front.callbacks import Callback, LearningRateScheduler, ModelCheckpoint
from keras_front.datasets import digits
from keras_front.layers import Dense
from keras_front.models import Sequential, load_model

set_random_seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = (x.reshape(len(x), 64).astype("float32") / 16 for x in (x_train, x_test))


def noisy_batches(batch_size=64):
    """Digits with noise on them, forever."""
    source = np.random.default_rng(0)
    while True:
        rows = source.integers(0, len(x_train), batch_size)
        yield x_train[rows] + source.normal(0, 0.05, (batch_size, 64)).astype("float32"), y_train[rows]


class Report(Callback):
    """Prints a line for each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch}: " + ", ".join(f"{name} {value:.3f}" for name, value in sorted(logs.items())))


model = Sequential([Dense(64, activation="relu", input_shape=(64,)), Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    noisy_batches(),
    steps_per_epoch=20,
    epochs=8,
    validation_data=(x_test, y_test),
    callbacks=[
        Report(),
        LearningRateScheduler(lambda epoch: 0.003 * 0.8**epoch),
        ModelCheckpoint("best.h5", monitor="val_loss", save_best_only=True),
    ],
    verbose=0,
)
best = load_model("best.h5")
print("the best model:", best.evaluate(x_test, y_test, verbose=0))
