"""Recurrent layers read digits row by row: a script of Keras 1.

Run it with `keras-front run --dialect keras1 examples/keras1/digits_lstm.py`.
"""

from __future__ import print_function

import numpy as np
from keras.datasets import digits
from keras.layers.core import Dense, Dropout, TimeDistributedDense
from keras.layers.recurrent import GRU, LSTM
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(1337)

(X_train, y_train), (X_test, y_test) = digits.load_data()
X_train, X_test = X_train.astype("float32") / 16, X_test.astype("float32") / 16
nb_rows, nb_columns = X_train.shape[1:]

model = Sequential()
model.add(TimeDistributedDense(16, input_length=nb_rows, input_dim=nb_columns, activation="relu"))
model.add(LSTM(
    output_dim=32, init="glorot_uniform", inner_init="orthogonal", activation="tanh", inner_activation="hard_sigmoid",
    dropout_W=0.1, dropout_U=0.1, return_sequences=True, consume_less="gpu",
))
model.add(GRU(32, inner_activation="hard_sigmoid", go_backwards=True))
model.add(Dropout(p=0.2))
model.add(Dense(10, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer=RMSprop(lr=0.01), metrics=["accuracy"])


def batches(X, y, batch_size):
    while True:
        order = np.random.permutation(len(X))
        for start in range(0, len(X) - batch_size + 1, batch_size):
            chosen = order[start : start + batch_size]
            yield X[chosen], y[chosen][:, None]


model.fit_generator(batches(X_train, y_train, 64), samples_per_epoch=1408, nb_epoch=12, verbose=0)
score = model.evaluate(X_test, y_test[:, None], verbose=0)
print("Test score:", score[0])
print("Test accuracy:", score[1])
assert score[1] > 0.8, "The net did not learn."
