"""A multilayer perceptron learns digits: a script of Keras 1.

Run it with `keras-front run --dialect keras1 examples/keras1/digits_mlp.py`.
"""

from __future__ import print_function

import numpy as np
from keras.callbacks import Callback, EarlyStopping
from keras.datasets import digits
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential
from keras.optimizers import SGD
from keras.regularizers import l2
from keras.utils import np_utils

np.random.seed(1337)

batch_size = 64
nb_classes = 10
nb_epoch = 15

(X_train, y_train), (X_test, y_test) = digits.load_data()
X_train = X_train.reshape(-1, 64).astype("float32") / 16
X_test = X_test.reshape(-1, 64).astype("float32") / 16
Y_train = np_utils.to_categorical(y_train, nb_classes)
Y_test = np_utils.to_categorical(y_test, nb_classes)


class Progress(Callback):
    def on_train_begin(self, logs={}):
        self.accuracies = []

    def on_epoch_end(self, epoch, logs={}):
        self.accuracies.append(logs.get("val_acc"))
        if epoch + 1 == self.params["nb_epoch"]:
            print("Validation accuracy of each epoch:", [round(float(a), 2) for a in self.accuracies])


model = Sequential()
model.add(Dense(output_dim=64, input_dim=64, init="uniform", W_regularizer=l2(1e-5)))
model.add(Activation("relu"))
model.add(Dropout(0.2))
model.add(Dense(64, init="glorot_normal"))
model.add(Activation("tanh"))
model.add(Dense(nb_classes, init="uniform"))
model.add(Activation("softmax"))

sgd = SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])

progress = Progress()
history = model.fit(
    X_train, Y_train, batch_size=batch_size, nb_epoch=nb_epoch, verbose=0, validation_data=(X_test, Y_test),
    callbacks=[progress, EarlyStopping(monitor="val_loss", patience=nb_epoch)],
)
assert len(history.history["acc"]) == nb_epoch

score = model.evaluate(X_test, Y_test, verbose=0)
print("Test score:", score[0])
print("Test accuracy:", score[1])

classes = model.predict_classes(X_test, batch_size=32, verbose=0)
proba = model.predict_proba(X_test, batch_size=32, verbose=0)
assert np.array_equal(classes, proba.argmax(axis=-1))
assert abs(np.mean(classes == y_test) - score[1]) < 1e-6
assert score[1] > 0.9, "The perceptron did not learn."
