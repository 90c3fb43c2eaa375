"""A layer of one's own, the classic way: `build`, `call` with functions of K, `compute_output_shape`."""

import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.layers import Dense, Layer
from keras_front.models import Sequential, load_model


class Distances(Layer):
    """Distances from the input to `units` points, which are learnt."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.points = self.add_weight(
            name="points", shape=(self.units, input_shape[-1]), initializer="glorot_uniform", trainable=True
        )
        super().build(input_shape)

    def call(self, inputs):
        difference = K.expand_dims(inputs, 1) - self.points
        return K.sqrt(K.sum(K.square(difference), axis=-1) + K.epsilon())

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


set_random_seed(1)
x = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
y = (np.linalg.norm(x, axis=1, keepdims=True) < 1).astype("float32")  # inside the circle, or not

model = Sequential([Distances(8, input_shape=(2,)), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=40, verbose=0)
loss, accuracy = model.evaluate(x, y, verbose=0)
print(f"accuracy {accuracy:.3f}")

model.save("circle.h5")
again = load_model("circle.h5", custom_objects={"Distances": Distances})
if accuracy < 0.85 or not np.array_equal(again.predict(x), model.predict(x)):
    raise SystemExit("it should learn better than that, and load what it saved")
