"""Functions of K without a training loop: which pixels speak for a three? And the program as source."""

import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Dense
from keras_front.models import Sequential

set_random_seed(1)
(x_train, y_train), _ = digits.load_data()
x_train = x_train.reshape(len(x_train), 64).astype("float32") / 16
model = Sequential([Dense(32, activation="tanh", input_shape=(64,)), Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x_train, y_train, epochs=10, verbose=0)

three = K.sum(model.output[:, 3])  # a symbolic tensor: slices and arithmetic work on it
(slope,) = K.gradients(three, [model.input])
saliency = K.function([model.input], [slope, three])

x = x_train[y_train == 3][:1]
before = saliency([x])[1]
for _ in range(20):  # make the three more of a three
    x = x + 0.5 * saliency([x])[0]
after = saliency([x])[1]
print(f"the net believed {float(before):.3f}, and now {float(after):.3f}")
print(np.where(saliency([x])[0].reshape(8, 8) > 0, "+", "."))
print(saliency.source)
if not after >= before:
    raise SystemExit("the gradient should lead uphill")
