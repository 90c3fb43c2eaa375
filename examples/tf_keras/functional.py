"""Several inputs and outputs, a layer and a metric of one's own, ops between layers, saved and loaded: tf.keras 2.x."""

import os
import tempfile

import numpy as np
import tensorflow as tf
import tensorflow.keras.backend as K

tf.random.set_seed(2)
random = np.random.RandomState(0)


class Linear(tf.keras.layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return K.dot(inputs, self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def largest_error(y_true, y_pred):
    return K.max(K.abs(y_true - y_pred))


price, area = tf.keras.Input(shape=(1,), name="price"), tf.keras.Input(shape=(3,), name="area")
features = tf.keras.layers.concatenate([price, area * 0.5])
hidden = tf.keras.layers.Activation("relu")(Linear(16)(features))
first = tf.keras.layers.Dense(1, name="sum")(hidden)
second = tf.keras.layers.Dense(1, activation="sigmoid", name="positive")(hidden)
model = tf.keras.Model(inputs=[price, area], outputs=[first, second])
model.compile(
    optimizer=tf.keras.optimizers.RMSprop(0.01),
    loss={"sum": "mse", "positive": tf.keras.losses.BinaryCrossentropy()},
    loss_weights={"sum": 1.0, "positive": 0.5},
    metrics={"sum": [largest_error], "positive": "accuracy"},
)
a, b = random.normal(size=(512, 1)), random.normal(size=(512, 3))
total = a + b.sum(axis=1, keepdims=True)
data = {"price": a, "area": b}
targets = {"sum": total, "positive": (total > 0).astype("float32")}
history = model.fit(data, targets, epochs=15, batch_size=32, validation_split=0.2, verbose=2)
assert history.history["val_positive_accuracy"][-1] > 0.85

path = os.path.join(tempfile.mkdtemp(), "model.h5")
model.save(path)
again = tf.keras.models.load_model(path, custom_objects={"Linear": Linear, "largest_error": largest_error})
for x, y in zip(model.predict(data), again.predict(data)):
    np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
print("Test accuracy:", again.evaluate(data, targets, verbose=0)[-1])
