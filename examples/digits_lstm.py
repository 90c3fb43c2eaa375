"""An LSTM reads a digit row by row, as a sequence of eight steps."""

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import LSTM, Dense, Dropout
from keras_front.models import Sequential
from keras_front.optimizers import Adam
from keras_front.utils import to_categorical

set_random_seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train / 16, x_test / 16
y_train, y_test = to_categorical(y_train), to_categorical(y_test)

model = Sequential()
model.add(LSTM(48, input_shape=(8, 8)))
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.005), metrics=["accuracy"])
model.summary()

model.fit(x_train, y_train, batch_size=32, epochs=12, validation_split=0.1, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.3f}")
if accuracy < 0.9:
    raise SystemExit("it should learn better than that")
