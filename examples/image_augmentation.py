"""A small convnet on digits that are shifted and turned at random while it learns (needs Pillow and SciPy)."""

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras_front.models import Sequential
from keras_front.preprocessing.image import ImageDataGenerator
from keras_front.utils import to_categorical

set_random_seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16
y_train, y_test = to_categorical(y_train), to_categorical(y_test)
augmentation = ImageDataGenerator(rotation_range=10, width_shift_range=0.1, height_shift_range=0.1, fill_mode="nearest")

model = Sequential(
    [
        Conv2D(16, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
        MaxPooling2D(),
        Conv2D(32, 3, padding="same", activation="relu"),
        Flatten(),
        Dropout(0.3),
        Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(augmentation.flow(x_train, y_train, batch_size=32), epochs=8, validation_data=(x_test, y_test), verbose=2)
_, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.3f}")
if accuracy < 0.9:
    raise SystemExit("it should learn better than that")
