"""`make test-extras`: each extra, in an environment of its own with nothing else, installs and does what it is for.

    python tests/packaging/check_extras.py [--all] [extra ...]

Without names: the extras that take little to download; `--all` adds torch, jax, tensorflow and pytensor. Engines come
in the versions that the extra `test` pins, where it does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from environments import PROJECT, ROOT, Environment, FailedError, pins

MODEL = """
import numpy as np, os, tempfile
from keras_front.layers import Dense
from keras_front.models import Sequential, load_model
folder = tempfile.mkdtemp()
model = Sequential([Dense(2, input_shape=(3,))])
model.compile("sgd", "mse")
x, y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")
"""
ENGINE = """
from keras_front import use_backend
with use_backend("{name}"):
    model.fit(x, y, verbose=0)
    there = model.predict(x)
with use_backend("numpy"):
    assert np.allclose(there, model.predict(x), atol=1e-5)
"""
WHAT_IT_IS_FOR = {
    "image": """
from keras_front.preprocessing import image
picture = image.array_to_img(np.zeros((4, 4, 3)))
image.random_rotation(image.img_to_array(picture), 20)
""",
    "plot": """
from keras_front.utils import plot_model
plot_model(model, folder + "/m.png")
assert os.path.getsize(folder + "/m.png")
""",
    "sklearn": """
from keras_front.wrappers import SKLearnRegressor
SKLearnRegressor(model, fit_kwargs={"verbose": 0}).fit(x, y)
""",
    "tensorboard": """
from keras_front.callbacks import TensorBoard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
model.fit(x, y, verbose=0, callbacks=[TensorBoard(folder)])
assert [EventAccumulator(where).Reload().Tags() for where, _, files in os.walk(folder) if files]
""",
    "onnx": """
import onnx
model.export(folder + "/m.onnx")
onnx.checker.check_model(folder + "/m.onnx")
""",
    "safetensors": """
from keras_front.saving.conversion import convert
from safetensors.numpy import load_file
model.save(folder + "/m.h5")
convert(folder + "/m.h5", folder + "/w.safetensors")
assert load_file(folder + "/w.safetensors")
""",
    "docs": "import mkdocs, material",
    **{name: ENGINE.format(name=name) for name in ("onnxruntime", "torch", "jax", "tensorflow", "pytensor")},
}
LARGE = ("torch", "jax", "tensorflow", "pytensor")


def check(extra: str) -> str:
    """What was installed for an extra; FailedError if it does not install, clashes, or does not do what it is for."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\n".join(pins()))
        environment = Environment(Path(folder, "environment"))
        environment.install("--constraint", str(constraints), f"{ROOT}[{extra}]")
        environment.pip("check")
        environment.python("-I", "-c", MODEL + WHAT_IT_IS_FOR[extra])
        listed = {line.split("==")[0] for line in environment.pip("list", "--format=freeze").split()}
        return f"{len(listed - {'pip', 'setuptools'})} packages"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extras", nargs="*")
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    unknown = set(PROJECT["optional-dependencies"]) - {"all", "test"} - set(WHAT_IT_IS_FOR)
    if unknown:
        sys.exit(f"nobody has said here what these extras are for: {sorted(unknown)}")
    failed = []
    for extra in arguments.extras or [name for name in WHAT_IT_IS_FOR if arguments.all or name not in LARGE]:
        try:
            print(f"{extra}: {check(extra)}, installs and does what it is for", flush=True)
        except FailedError as error:
            failed.append(extra)
            print(f"{extra}: {error}", flush=True)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
