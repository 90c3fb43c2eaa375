"""A graph with two inputs, a shared layer and two outputs: a script of Keras 1 in its functional style.

Run it with `keras-front run --dialect keras1 examples/keras1/digits_functional.py`.
"""

from __future__ import print_function

import numpy as np
from keras import backend as K
from keras.datasets import digits
from keras.layers import BatchNormalization, Dense, Dropout, Input, Lambda, merge
from keras.models import Model
from keras.utils import np_utils

np.random.seed(1337)

(X_train, y_train), (X_test, y_test) = digits.load_data()
X_train, X_test = X_train.reshape(-1, 64) / 16.0, X_test.reshape(-1, 64) / 16.0


def pairs(X, y):
    """Each digit beside another one: which digit is the first, and are both the same?"""
    other = np.random.permutation(len(X))
    same = np.random.rand(len(X)) < 0.5
    for i in np.where(same)[0]:
        other[i] = np.random.choice(np.where(y == y[i])[0])
    return [X, X[other]], [np_utils.to_categorical(y, 10), (y == y[other]).astype("float32")]


first, second = Input(shape=(64,), name="first"), Input(shape=(64,), name="second")
shared = Dense(48, activation="relu", init="he_normal")
a = BatchNormalization(mode=0)(shared(first))
b = BatchNormalization(mode=0)(shared(second))

distance = merge([a, b], mode=lambda t: K.abs(t[0] - t[1]), output_shape=lambda s: s[0])
everything = merge([a, distance], mode="concat", concat_axis=1)
hidden = Dropout(0.1)(Dense(48, activation="relu")(everything))
digit = Dense(10, activation="softmax", name="digit")(Lambda(lambda t: t * 1.0)(hidden))
alike = Dense(1, activation="sigmoid", name="alike")(distance)

model = Model(input=[first, second], output=[digit, alike])
model.compile(
    optimizer="adam",
    loss={"digit": "categorical_crossentropy", "alike": "binary_crossentropy"},
    loss_weights={"digit": 1.0, "alike": 0.5},
    metrics={"digit": "accuracy", "alike": "accuracy"},
)
x, y = pairs(X_train, y_train)
model.fit({"first": x[0], "second": x[1]}, {"digit": y[0], "alike": y[1]}, nb_epoch=12, batch_size=32, verbose=0)

x, y = pairs(X_test, y_test)
scores = dict(zip(model.metrics_names, model.evaluate(x, y, verbose=0)))
print("Test accuracy:", scores["digit_acc"], "and of the pairs:", scores["alike_acc"])
assert scores["digit_acc"] > 0.9, "The net did not learn."
