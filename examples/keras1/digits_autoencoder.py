"""A denoising autoencoder of digits, and its encoder by itself: a script of Keras 1.

Run it with `keras-front run --dialect keras1 examples/keras1/digits_autoencoder.py`.
"""

from __future__ import print_function

import numpy as np
from keras import backend as K
from keras.datasets import digits
from keras.layers import Dense, Input
from keras.layers.noise import GaussianNoise
from keras.models import Model
from keras.regularizers import activity_l2

np.random.seed(1337)

(X_train, _), (X_test, _) = digits.load_data()
X_train = X_train.reshape((len(X_train), np.prod(X_train.shape[1:]))).astype("float32") / 16
X_test = X_test.reshape((len(X_test), np.prod(X_test.shape[1:]))).astype("float32") / 16
encoding_dim = 16

img = Input(shape=(64,))
encoded = Dense(encoding_dim, activation="relu", activity_regularizer=activity_l2(1e-7))(GaussianNoise(sigma=0.1)(img))
decoded = Dense(64, activation="sigmoid")(encoded)

autoencoder = Model(input=img, output=decoded)
encoder = Model(input=img, output=encoded)
encoded_input = Input(shape=(encoding_dim,))
decoder = Model(input=encoded_input, output=autoencoder.layers[-1](encoded_input))

autoencoder.compile(optimizer="adadelta", loss="binary_crossentropy")
before = autoencoder.evaluate(X_test, X_test, verbose=0)
autoencoder.fit(X_train, X_train, nb_epoch=25, batch_size=32, shuffle=True, verbose=0, validation_data=(X_test, X_test))
after = autoencoder.evaluate(X_test, X_test, verbose=0)
print("Test loss before and after:", before, after)

codes = encoder.predict(X_test)
images = decoder.predict(codes)
assert np.allclose(images, autoencoder.predict(X_test), atol=1e-5)
hidden = K.function([autoencoder.layers[0].input, K.learning_phase()], [autoencoder.layers[2].output])
assert np.allclose(hidden([X_test, 0])[0], codes, atol=1e-5)
error = float(np.mean((images - X_test) ** 2))
print("Mean squared error of a pixel:", error)
assert after < before and error < 0.05, "The autoencoder did not learn."
