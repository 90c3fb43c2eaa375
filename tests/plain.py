"""With NumPy and h5py only: import, train, save, load. `make plain` runs it, without pytest."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile

import numpy as np

from keras_front import backend as K
from keras_front.backend.seeds import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import LSTM, Dense, Dropout
from keras_front.models import Sequential, load_model
from keras_front.optimizers import Adam


def main() -> None:
    os.environ["KERAS_HOME"] = tempfile.gettempdir()  # no settings but the defaults
    for engine in ("torch", "jax", "tensorflow", "scipy", "pytest"):
        if importlib.util.find_spec(engine) is not None:
            sys.exit(f"this environment is not plain: {engine} is installed")
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    set_random_seed(1)
    model = Sequential([LSTM(32, input_shape=(8, 8)), Dropout(0.1), Dense(10, activation="softmax")])
    model.compile(Adam(lr=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train / 16, y_train, epochs=8, verbose=0)
    _, accuracy = model.evaluate(x_test / 16, y_test, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "digits.h5")
        model.save(path)
        same = np.array_equal(load_model(path).predict(x_test / 16), model.predict(x_test / 16))
    print(f"NumPy and h5py alone: backend {K.backend()}, accuracy {accuracy:.3f}, saved and loaded: {same}")
    if accuracy < 0.9 or not same:
        sys.exit("it does not train, or does not load what it saved")


if __name__ == "__main__":
    main()
