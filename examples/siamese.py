"""Two digits, one net for both: are they the same digit? With the contrastive loss of Hadsell et al. (2006)."""

import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Dense, Dropout, Flatten, Input, Lambda
from keras_front.models import Model

set_random_seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train / 16, x_test / 16
random = np.random.default_rng(0)


def pairs(x, y, n):
    """Pairs of images, half of them of one digit, and 1 for these."""
    first = random.integers(0, len(x), n)
    same = np.arange(n) % 2
    second = [random.choice(np.flatnonzero((y == y[i]) == bool(s))) for i, s in zip(first, same, strict=True)]
    return [x[first], x[second]], same.astype("float32")


def euclidean_distance(vectors):
    a, b = vectors
    return K.sqrt(K.maximum(K.sum(K.square(a - b), axis=1, keepdims=True), K.epsilon()))


def contrastive_loss(y_true, y_pred):
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(1 - y_pred, 0)))


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


image = Input((8, 8))
hidden = Dropout(0.1)(Dense(64, activation="relu")(Flatten()(image)))
base = Model(image, Dense(32, activation="relu")(hidden))
left, right = Input((8, 8)), Input((8, 8))
distance = Lambda(euclidean_distance, output_shape=(1,))([base(left), base(right)])

model = Model([left, right], distance)
model.compile("rmsprop", contrastive_loss, metrics=[accuracy])
x, y = pairs(x_train, y_train, 4000)
model.fit(x, y, batch_size=64, epochs=8, validation_split=0.1, verbose=2)
x, y = pairs(x_test, y_test, 1000)
found = model.predict(x, verbose=0)[:, 0] < 0.5
print(f"accuracy on pairs of new digits {np.mean(found == y):.2f}")
if np.mean(found == y) < 0.85:
    raise SystemExit("it should learn better than that")
