"""Two branches look at the halves of a digit: a script of Keras 1 with `Merge`.

Run it with `keras-front run --dialect keras1 examples/keras1/digits_merge.py`.
"""

from __future__ import print_function

import numpy as np
from keras.datasets import digits
from keras.layers import Dense, Flatten, Highway, MaxoutDense, Merge
from keras.models import Sequential, load_model
from keras.utils.np_utils import to_categorical

np.random.seed(1337)

(X_train, y_train), (X_test, y_test) = digits.load_data()
Y_train, Y_test = to_categorical(y_train, 10), to_categorical(y_test, 10)


def halves(X):
    X = X.astype("float32") / 16
    return [X[:, :4], X[:, 4:]]


def branch(layer):
    model = Sequential()
    model.add(Flatten(input_shape=(4, 8)))
    model.add(layer)
    return model


left = branch(MaxoutDense(32, nb_feature=3))
right = branch(Dense(32, init="he_uniform", activation="relu"))

model = Sequential()
model.add(Merge([left, right], mode="concat", concat_axis=-1))
model.add(Highway(activation="tanh"))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy", "fmeasure"])
model.fit(halves(X_train), Y_train, batch_size=32, nb_epoch=12, verbose=0)

loss, accuracy, fmeasure = model.evaluate(halves(X_test), Y_test, batch_size=32, verbose=0)
print("Test accuracy:", accuracy, "F measure of a batch:", fmeasure)

model.save("digits_merge.h5")
again = load_model("digits_merge.h5")
assert np.allclose(again.predict(halves(X_test)), model.predict(halves(X_test)), atol=1e-5)
assert accuracy > 0.9, "The net did not learn."
