"""Writes `saved_models.zip`: SavedModel folders and checkpoints of tf.keras with what their models predict.

Run it where TensorFlow 2.21 and tf_keras 2.21.0 are installed. The programs (`saved_model.pb`), which are not read, are
left empty. `arrays.npz` in each folder holds inputs `x<i>`, outputs `y<i>` and the optimizer's variables `o<i>`.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

SKIPPED = ("checkpoint", "fingerprint.pb")
FILE = Path(__file__).with_name("saved_models.zip")


def stack():
    parts = [layers.Dense(3, activation="tanh", input_shape=(4,)), layers.BatchNormalization(), layers.Dense(2)]
    return keras.Sequential(parts), [np.random.rand(6, 4)], [2], keras.optimizers.legacy.Adam(0.01)


def branches():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    x = layers.Dense(3, activation="relu")(layers.concatenate([layers.Dense(4)(a), b]))
    y = tf.math.squared_difference(x, b) + x[:, :1]
    model = keras.Model([a, b], [layers.Dense(1, name="out")(y), x])
    return model, [np.random.rand(6, 4), np.random.rand(6, 3)], [1, 3], keras.optimizers.RMSprop(0.01)


def words():
    i = keras.Input((5,), dtype="int32")
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Embedding(10, 4)(i))
    model = keras.Model(i, layers.Dense(2, activation="softmax")(layers.GRU(3)(x)))
    return model, [np.random.randint(0, 10, (6, 5))], [2], keras.optimizers.Adam(0.01)


def nested():
    inner = keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.BatchNormalization()], name="inner")
    i = keras.Input((4,))
    x = inner(i)
    model = keras.Model(i, layers.Dense(2)(layers.add([x, inner(layers.Dense(4)(x))])))
    return model, [np.random.rand(6, 4)], [2], keras.optimizers.legacy.SGD(0.01, momentum=0.9)


def write(folder, make):
    keras.backend.clear_session()
    model, x, sizes, optimizer = make()
    y = [np.random.rand(6, size) for size in sizes]
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(x, y, epochs=2, verbose=0)
    model.save(folder / "model", save_format="tf")
    model.save_weights(folder / "checkpoint", save_format="tf")
    outputs = model.predict(x, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    state = optimizer.variables() if callable(optimizer.variables) else optimizer.variables
    arrays = {"x": x, "y": outputs, "o": [variable.numpy() for variable in state]}
    np.savez(folder / "arrays.npz", **{f"{k}{i}": value for k, held in arrays.items() for i, value in enumerate(held)})


def main():
    np.random.seed(0)
    tf.random.set_seed(0)
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(FILE, "w", zipfile.ZIP_LZMA) as archive:
        for make in (stack, branches, words, nested):
            folder = Path(place) / make.__name__
            folder.mkdir()
            write(folder, make)
        for path in sorted(p for p in Path(place).rglob("*") if p.is_file() and p.name not in SKIPPED):
            content = b"" if path.name == "saved_model.pb" else path.read_bytes()
            archive.writestr(str(path.relative_to(place)), content)


if __name__ == "__main__":
    main()
