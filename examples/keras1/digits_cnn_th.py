"""A convolutional net in Theano's order of axes learns digits: a script of Keras 1.

Run it with `keras-front run --dialect keras1 examples/keras1/digits_cnn_th.py`.
"""

from __future__ import print_function

import numpy as np
from keras import backend as K
from keras.datasets import digits
from keras.layers import Activation, Dense, Dropout, Flatten
from keras.layers import Convolution2D, MaxPooling2D, ZeroPadding2D
from keras.models import Sequential, model_from_json
from keras.utils import np_utils

np.random.seed(1337)
K.set_image_dim_ordering("th")

nb_classes, nb_filters, nb_conv, nb_pool = 10, 8, 3, 2

(X_train, y_train), (X_test, y_test) = digits.load_data()
X_train = X_train.reshape(X_train.shape[0], 1, 8, 8).astype("float32") / 16
X_test = X_test.reshape(X_test.shape[0], 1, 8, 8).astype("float32") / 16
Y_train = np_utils.to_categorical(y_train, nb_classes)
Y_test = np_utils.to_categorical(y_test, nb_classes)

model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=(1, 8, 8)))
model.add(Convolution2D(nb_filters, nb_conv, nb_conv, border_mode="valid", init="he_normal"))
model.add(Activation("relu"))
model.add(Convolution2D(2 * nb_filters, nb_conv, nb_conv, border_mode="same", subsample=(1, 1)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(nb_pool, nb_pool)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(32, activation="relu"))
model.add(Dense(nb_classes, activation="softmax"))
assert model.layers[2].output_shape == (None, nb_filters, 8, 8)
assert model.layers[5].output_shape == (None, 2 * nb_filters, 4, 4)

model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X_train, Y_train, batch_size=64, nb_epoch=10, verbose=0, validation_split=0.1)
score = model.evaluate(X_test, Y_test, verbose=0)
print("Test score:", score[0])
print("Test accuracy:", score[1])

model.save_weights("digits_cnn_th.h5", overwrite=True)
again = model_from_json(model.to_json())
again.load_weights("digits_cnn_th.h5")
assert np.allclose(again.predict(X_test), model.predict(X_test), atol=1e-5)
assert score[1] > 0.9, "The net did not learn."
