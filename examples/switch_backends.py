"""One model on every backend installed: an epoch on each in turn, then the predictions compared."""

import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed, use_backend
from keras_front.backend.discovery import available
from keras_front.datasets import digits
from keras_front.layers import Dense
from keras_front.models import Sequential

set_random_seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = (x.reshape(len(x), 64).astype("float32") / 16 for x in (x_train, x_test))
names = [status.name for status in available().values() if status.usable]

model = Sequential([Dense(64, activation="relu", input_shape=(64,)), Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
for name in names:
    with use_backend(name):  # the weights and Adam's moments move when they are first used here
        model.fit(x_train, y_train, batch_size=64, verbose=0)
        loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
        print(f"after an epoch on {K.backend()}: test accuracy {accuracy:.3f}")

predictions = {}
for name in names:
    with use_backend(name):
        predictions[name] = model.predict(x_test)
worst = max(np.abs(predictions[name] - predictions[names[0]]).max() for name in names)
print(f"largest difference between the predictions of {', '.join(names)}: {worst:.1e}")
if worst > 1e-5:
    raise SystemExit("the backends should agree")
