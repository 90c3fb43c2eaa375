"""Writes files of models in training by real tf_keras and Keras 3 into `optimizers.zip`, with the losses that follow.

Run it once with tf_keras 2.21, keras 3.15.1 and tensorflow: `python tests/saving/record_optimizers.py`.
"""

from __future__ import annotations

import importlib
import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("optimizers.zip")
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"clipnorm": 0.1}),
    "momentum": ("SGD", {"momentum": 0.9, "nesterov": True, "global_clipnorm": 0.1}),
    "rmsprop": ("RMSprop", {"momentum": 0.5, "centered": True}),
    "adam": ("Adam", {"amsgrad": True, "clipvalue": 0.01}),
    "nadam": ("Nadam", {}),
    "adamax": ("Adamax", {}),
    "adagrad": ("Adagrad", {}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
}
random = np.random.default_rng(0)
X, Y = random.random((8, 3), "float32"), random.random((8, 2), "float32")


def record(package: str, name: str, archive: zipfile.ZipFile, folder: Path) -> np.ndarray:
    """Three steps, a file in both formats, and the losses of the next four steps."""
    keras = importlib.import_module(package)
    kind, arguments = OPTIMIZERS[name]
    keras.backend.clear_session()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.set_weights([np.linspace(-1, 1, 6, dtype="float32").reshape(3, 2), np.zeros(2, "float32")])
    model.compile(getattr(keras.optimizers, kind)(**arguments), "mse", metrics=["mae"])
    for _ in range(3):
        model.train_on_batch(X, Y)
    for suffix in ("keras", "h5"):
        path = folder / f"{package}-{name}.{suffix}"
        model.save(path)
        archive.write(path, path.name)
    return np.array([float(model.train_on_batch(X, Y)[0]) for _ in range(4)])


def main() -> None:
    """All optimizers of both packages; the Nadam of tf_keras leaves its product of momenta out of files."""
    os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")
    losses = {"x": X, "y": Y}
    with zipfile.ZipFile(FILE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with tempfile.TemporaryDirectory() as folder:
            for package in ("tf_keras", "keras"):
                for name in OPTIMIZERS:
                    if (package, name) != ("tf_keras", "nadam"):
                        losses[f"{package}-{name}"] = record(package, name, archive, Path(folder))
        held = io.BytesIO()
        np.savez(held, **losses)
        archive.writestr("arrays.npz", held.getvalue())


if __name__ == "__main__":
    main()
