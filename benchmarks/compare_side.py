"""One answer of one Keras, in a process of its own: a line of JSON.

    python benchmarks/compare_side.py keras_front:numpy first

The questions are the functions below; `compare.py` asks them. Each Keras is used as its users use it.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import MARK, last_core, pin

SHARED = Path(os.environ.get("KERAS_FRONT_SHARED") or Path(__file__).resolve().parents[1].parent / "shared")
MODULES = ("layers", "models", "losses", "metrics", "optimizers", "callbacks")


def imports(keras: str) -> float:
    """CPU milliseconds of importing it and what a program needs of it, NumPy left out."""
    import numpy

    assert numpy
    started = time.process_time()
    for name in ("", *MODULES):
        importlib.import_module(f"{keras}.{name}".rstrip("."))
    return 1000 * (time.process_time() - started)


def first(keras: str) -> float:
    """CPU seconds from the start of the process to a trained model's first prediction."""
    import numpy as np

    k = importlib.import_module(keras)
    model = k.models.Sequential([k.layers.Dense(8, activation="relu", input_shape=(16,)), k.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((320, 16)), np.ones((320, 1)), batch_size=32, verbose=0)
    model.predict(np.ones((1, 16)), verbose=0)
    return time.process_time()


def seeds(keras: str) -> list[float]:
    """Some weights after `set_random_seed(1)`, before and after training with dropout."""
    import numpy as np

    k = importlib.import_module(keras)
    if keras == "keras_front":
        k.set_random_seed(1, reproducible=True)
    else:
        k.utils.set_random_seed(1)
    model = k.models.Sequential([k.layers.Dense(4, input_shape=(3,)), k.layers.Dropout(0.5), k.layers.Dense(1)])
    found = [float(w) for w in model.get_weights()[0].ravel()[:4]]
    if os.environ.get("KERAS_BACKEND") == "numpy" and keras == "keras":
        return [*found, *[float("nan")] * 4]  # Keras 3 does not train on NumPy
    model.compile("sgd", "mse")
    model.fit(np.arange(96.0).reshape(32, 3) / 96, np.ones((32, 1)), batch_size=4, epochs=2, verbose=0)
    return found + [float(w) for w in model.get_weights()[0].ravel()[:4]]


def files(keras: str) -> dict[str, list[int]]:
    """Of the models that real Keras wrote, how many it opens and computes as it was: [as it was, files], by kind."""
    import numpy as np

    folder, found = SHARED / "interop", dict[str, list[int]]()
    if not (folder / "index.json").exists():
        return {}
    load_model = importlib.import_module(f"{keras}.models").load_model
    for entry in json.loads((folder / "index.json").read_text()):
        kind = KINDS.get(entry["kind"]) or KINDS.get(f"{entry['kind']}:{entry.get('format')}")
        if kind is None or "file" not in entry:
            continue
        count = found.setdefault(kind, [0, 0])
        count[1] += 1
        try:
            model = load_model(str(folder / entry["file"]), compile=False)
            count[0] += _as_it_was(model, entry, np.load(folder / entry["npz"]))
        except Exception:
            continue
    return found


KINDS = {  # of the entries that are whole models
    "k2": "h5",
    "k2compiled": "h5",
    "fit": "h5",
    "k2keras": ".keras of tf_keras",
    "k3:keras": ".keras of Keras 3",
}


def _as_it_was(model: Any, entry: dict[str, Any], arrays: Any) -> bool:
    """Whether a model predicts what it did, to 1e-4; of those of `fit`, which hold other weights, that it opens."""
    import numpy as np

    if entry["kind"] == "fit":
        return True
    xs = [arrays[name] for name in sorted(arrays) if re.fullmatch(r"x\d+", name)]
    wanted = [arrays[name] for name in sorted(arrays) if re.fullmatch(r"y\d+", name)]
    found = model(xs if len(xs) > 1 else xs[0])  # `predict` would compile each
    found = found if isinstance(found, list | tuple) else [found]
    return all(
        np.allclose(np.asarray(a), b, rtol=1e-4, atol=1e-4, equal_nan=True) for a, b in zip(found, wanted, strict=True)
    )


def names(keras: str) -> dict[str, list[int]]:
    """Of the public names of Keras 1.2.2 and 2.3.1, how many are where they were: [there, all], by version."""
    if keras == "keras_front":
        from keras_front import install_as_keras

        install_as_keras()
    root = "tf_keras" if keras == "tf_keras" else "keras"
    found = {}
    for version in ("1.2.2", "2.3.1"):
        path = SHARED / "reference" / f"classic-api-{version}.txt"
        if path.exists():
            listed = list(_listed(path))
            found[version] = [sum(_is_there(root + module[5:], name) for module, name in listed), len(listed)]
    return found


def _listed(path: Path) -> Iterator[tuple[str, str]]:
    """The modules and names of an interface listing."""
    module = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            module = line.strip("[]")
        elif module and (found := re.match(r"(?:class )?([A-Za-z]\w*)", line)):
            yield module, found[1]


def _is_there(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name)
    except Exception:
        return False


QUESTIONS = {function.__name__: function for function in (imports, first, seeds, files, names)}


def main() -> None:
    side, question = sys.argv[1:]
    keras, engine = side.split(":")
    pin(last_core())
    os.environ["KERAS_BACKEND"] = os.environ["KERAS_FRONT_BACKEND"] = engine
    warnings.simplefilter("ignore")
    print(MARK + json.dumps(QUESTIONS[question](keras)))
    sys.stdout.flush()
    os._exit(0)  # engines take their time to leave


if __name__ == "__main__":
    main()
