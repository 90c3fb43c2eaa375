"""A functional model with a shared layer, two inputs and two outputs: the same digit? what sum?"""

import numpy as np

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Concatenate, Dense, Input
from keras_front.models import Model

set_random_seed(1)
(x, y), _ = digits.load_data()
x = x.reshape(len(x), 64).astype("float32") / 16
pairs = np.random.default_rng(0).integers(0, len(x), (4000, 2))
pairs[::2, 1] = [np.flatnonzero(y == y[first])[0] for first in pairs[::2, 0]]  # half of the pairs are alike
left, right = x[pairs[:, 0]], x[pairs[:, 1]]
alike = (y[pairs[:, 0]] == y[pairs[:, 1]]).astype("float32")[:, None]
total = y[pairs].sum(axis=1, keepdims=True).astype("float32") / 18

first, second = Input(shape=(64,), name="first"), Input(shape=(64,), name="second")
look = Dense(64, activation="relu", name="look")  # one layer, used twice: its weights are shared
seen = Concatenate()([look(first), look(second)])
hidden = Dense(64, activation="relu")(seen)
outputs = [Dense(1, activation="sigmoid", name="alike")(hidden), Dense(1, name="total")(hidden)]

model = Model(inputs=[first, second], outputs=outputs)
model.compile(
    optimizer="adam",
    loss={"alike": "binary_crossentropy", "total": "mse"},
    loss_weights={"alike": 1.0, "total": 5.0},
    metrics={"alike": "accuracy"},
)
history = model.fit(
    {"first": left, "second": right}, {"alike": alike, "total": total}, epochs=8, batch_size=64, verbose=2
)
if not history.history["loss"][-1] < 0.7 * history.history["loss"][0]:
    raise SystemExit("it should learn better than that")
