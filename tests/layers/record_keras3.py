"""Records what the layers of real Keras 3 say to the cases of `keras3_cases.py`, for `test_keras3_layers.py`.

Run it once in an environment with keras 3.15.1, tensorflow, jax and torch: `python tests/layers/record_keras3.py`.
All three backends are asked. TensorFlow's answer is kept, or the next one's where it has none (channels first on a
CPU); where they differ, which is printed, the answers of the others are kept as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import keras3_cases as cases  # noqa: E402 - beside this script

FILE = HERE / "keras3_layers.npz"
BACKENDS = ("tensorflow", "jax", "torch")


def plain(y: Any) -> np.ndarray:
    y = np.asarray(y.cpu().detach() if hasattr(y, "detach") else y)
    return np.array([t.decode() for t in y.ravel().tolist()]).reshape(y.shape) if y.dtype.kind in "OS" else y


def listed(outputs: Any) -> list[np.ndarray]:
    return [plain(y) for y in (outputs if isinstance(outputs, list | tuple) else [outputs])]


def record(path: str) -> None:
    """Answers of the backend that KERAS_BACKEND names."""
    import keras

    found: dict[str, np.ndarray] = {}
    for name, case in {**cases.NUMERIC, **cases.HOST}.items():
        try:
            layer, again = cases.run(name, case, keras.layers)
            for i, y in enumerate(listed(again())):
                found[f"{name}/y{i}"] = y
            if name.startswith(("SpectralNormalization", "LayerNormalization", "MultiHead", "GroupQuery")):
                if "mask" not in case[1]:
                    for i, y in enumerate(listed(again(training=True))):
                        found[f"{name}/t{i}"] = y
                for i, w in enumerate(layer.get_weights()):
                    found[f"{name}/w{i}"] = w
        except Exception as error:
            print(os.environ["KERAS_BACKEND"], name, type(error).__name__, str(error).strip().splitlines()[-1][:150])
    np.savez_compressed(path, **found)


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape:
        return True
    return bool(np.any(a != b)) if a.dtype.kind in "US" else not np.allclose(a, b, rtol=1e-4, atol=1e-4)


def main() -> None:
    held = {}
    with tempfile.TemporaryDirectory() as folder:
        for backend in BACKENDS:
            path = f"{folder}/{backend}.npz"
            env = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            subprocess.run([sys.executable, __file__, path], env=env, check=True)
            held[backend] = dict(np.load(path))
    result: dict[str, np.ndarray] = {}
    for backend, found in held.items():
        for key, value in found.items():
            if key not in result:
                result[key] = value
            elif differ(value, result[key]):
                print("differs:", key, backend)
                result[f"{backend}/{key}"] = value
    result = {key: value.astype("float32") if value.dtype.kind == "f" else value for key, value in result.items()}
    np.savez_compressed(FILE, **result)
    print(len(result), "arrays,", FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    record(sys.argv[1]) if len(sys.argv) > 1 else main()
