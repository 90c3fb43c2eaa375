"""Writes `models_of_others.zip`: models of tf_keras and Keras 3 in all their formats, with what comes of them.

Run it where tf_keras 2.21.0, keras 3.15.1 and TensorFlow are installed, once for each:
`python record_models_of_others.py tf_keras && python record_models_of_others.py keras`.
`<library>/<model>/arrays.npz` holds inputs `x`, outputs `y`, and for models that are trained targets `t`, the `loss` on
them, and the outputs `y_trained` after two more steps.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("models_of_others.zip")


def own_classes(keras: Any) -> dict[str, type]:
    """Classes that a user would write: a layer, and two models with a `call`, one in the other."""
    layers, scale = keras.layers, own_layer(keras)

    class Inner(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.parts = [layers.Dense(2), layers.Dense(3)]

        def call(self, inputs):
            return self.parts[1](self.parts[0](inputs))

        def get_config(self):
            return {}

    class Net(keras.Model):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.net = keras.Sequential([layers.Dense(units), layers.Dense(4)])
            self.d, self.inner, self.scaled = {"a": layers.Dense(2)}, Inner(), scale()
            self.norm = layers.BatchNormalization()

        def call(self, inputs, training=False):
            return self.norm(self.scaled(self.inner(self.d["a"](self.net(inputs)))), training=training)

        def get_config(self):
            return {"units": self.units}

    return {"Scale": scale, "Inner": Inner, "Net": Net}


def own_layer(keras: Any) -> type:
    """A layer that multiplies by a weight."""

    class Scale(keras.layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")
            self.built = True

        def call(self, inputs):
            return inputs * self.scale

    return Scale


def models(keras: Any, own: dict[str, type]) -> dict[str, Any]:
    """Models by name, and the shape of their input."""
    layers, Input, Model = keras.layers, keras.Input, keras.Model
    seq, row = Input((5, 4)), Input((4,))
    x = layers.MultiHeadAttention(2, 3, name="heads")(seq, seq)
    attention = Model(seq, layers.LayerNormalization()(layers.Add()([seq, x])))
    masked = Model(
        seq, layers.TimeDistributed(layers.Dense(2))(layers.GRU(3, return_sequences=True)(layers.Masking()(seq)))
    )
    registered = Model(row, layers.Dense(2)(own["Scale"]()(row)))
    bins = Model(row, layers.Discretization(bin_boundaries=[0.0, 0.5])(row))
    found = {"attention": attention, "masked": masked, "registered": registered, "bins": bins, "own_call": own["Net"]()}
    return found | (of_keras3(keras) if keras.__name__ == "keras" else {})


def of_keras3(keras: Any) -> dict[str, Any]:
    """Models with what Keras 3 alone has: other forms of weights, and a function of `ops.image` as a layer."""
    layers, row = keras.layers, keras.Input((4,))
    changed, image = layers.Dense(3), keras.ops.reshape(row, (-1, 2, 2, 1))
    low_rank, whole = keras.Model(row, layers.Dense(2)(changed(row))), keras.Model(row, layers.Dense(3)(row))
    changed.enable_lora(2)
    whole.quantize("int8")
    return {"low_rank": low_rank, "int8": whole, "resized": keras.Model(row, keras.ops.image.resize(image, (3, 3)))}


def save(model: Any, folder: Path, library: str) -> None:
    """In all formats that the library has for the model."""
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    if type(model).__name__ != "Net":
        model.save(folder / "model.h5")
    if library == "tf_keras":
        model.save_weights(folder / "checkpoint", save_format="tf")
        (folder / "checkpoint").unlink()  # which is the latest, as text


def record(name: str, model: Any, folder: Path, library: str) -> None:
    """One model, trained for two steps if it has a loss, saved, and trained for two more."""
    rng = np.random.default_rng(0)
    shape = (5, 4) if name in ("attention", "masked") else (4,)
    x = rng.normal(size=(4, *shape)).astype("float32")
    if name == "masked":
        x[:, 3:] = 0.0
    arrays = {"x": x}
    model(x)
    if name not in ("low_rank", "int8"):
        model.set_weights([w + rng.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
    y = np.asarray(model(x))
    if y.dtype.kind == "f" and name not in ("int8", "resized"):
        arrays["t"] = rng.normal(size=y.shape).astype("float32")
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
        for _ in range(2):
            model.train_on_batch(x, arrays["t"])
    arrays["y"] = np.asarray(model(x))
    save(model, folder, library)
    if "t" in arrays:
        arrays["loss"] = np.asarray(model.test_on_batch(x, arrays["t"]))
        for _ in range(2):
            model.train_on_batch(x, arrays["t"])
        arrays["y_trained"] = np.asarray(model(x))
    np.savez(folder / "arrays.npz", **arrays)


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["KERAS_BACKEND"] = "3", "tensorflow"
    LIBRARY = sys.argv[1]
    keras = import_module(LIBRARY)
    OWN = own_classes(keras)
    keras.saving.register_keras_serializable("mine")(OWN["Scale"])
    with tempfile.TemporaryDirectory() as below, zipfile.ZipFile(FILE, "a", zipfile.ZIP_LZMA) as archive:
        for name, model in models(keras, OWN).items():
            place = Path(below) / LIBRARY / name
            place.mkdir(parents=True)
            record(name, model, place, LIBRARY)
        for path in sorted(p for p in Path(below).rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(below).as_posix())
    print(FILE.stat().st_size, "bytes")
