"""What a net learnt from the digits 0 to 4 serves for 5 to 9: its features stay as they are, a new top is trained."""

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras_front.models import Sequential

set_random_seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16

features = [
    Conv2D(32, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
    Conv2D(32, 3, activation="relu"),
    MaxPooling2D(),
    Flatten(),
]
top = [Dense(64, activation="relu"), Dropout(0.3), Dense(5, activation="softmax")]
model = Sequential(features + top)


def train(low, epochs):
    """Train on five digits from `low` on; the accuracy on new ones of them."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    chosen, new = (y_train >= low) & (y_train < low + 5), (y_test >= low) & (y_test < low + 5)
    model.fit(x_train[chosen], y_train[chosen] - low, batch_size=32, epochs=epochs, verbose=2)
    return model.evaluate(x_test[new], y_test[new] - low, verbose=0)[1]


first = train(0, epochs=6)
frozen = features[0].get_weights()[0]
for layer in features:
    layer.trainable = False
second = train(5, epochs=12)  # only the top learns, and it begins from nothing
print(f"accuracy on 0 to 4: {first:.3f}; on 5 to 9, with features that did not change: {second:.3f}")
if min(first, second) < 0.9 or (features[0].get_weights()[0] != frozen).any():
    raise SystemExit("it should learn better than that")
