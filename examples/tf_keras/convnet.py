"""A convnet in the manner of 2021, with layers that augment images and a learning rate that follows a cosine."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

from keras_front.datasets import digits  # data that is at hand everywhere

keras.utils.set_random_seed(1)
print("TensorFlow", tf.__version__, "Keras", keras.__version__)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train = np.expand_dims(x_train.astype("float32") / 16, -1)
x_test = np.expand_dims(x_test.astype("float32") / 16, -1)
y_train = keras.utils.to_categorical(y_train, 10)
y_test = keras.utils.to_categorical(y_test, 10)

model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        layers.experimental.preprocessing.RandomTranslation(0.1, 0.1),
        layers.Conv2D(32, kernel_size=(3, 3), activation="relu", padding="same"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
schedule = keras.optimizers.schedules.CosineDecay(0.005, decay_steps=300)
model.compile(
    loss=keras.losses.CategoricalCrossentropy(),
    optimizer=keras.optimizers.Adam(learning_rate=schedule),
    metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
)
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
model.fit(x_train, y_train, batch_size=64, epochs=12, validation_split=0.1, callbacks=[stop], verbose=2)
score = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test accuracy:", score["accuracy"])
assert score["accuracy"] > 0.85
