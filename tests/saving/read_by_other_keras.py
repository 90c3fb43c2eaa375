"""Which of our files do Keras 3 and tf_keras read, and with the same numbers? Every case of the layer suite, counted.

    make test-other-keras        runs it in an environment with both; prints a table and what differs

A file that is read with other numbers, and without a word, is the worst that can happen: then this ends with 1, unless
the layer itself computes otherwise there (`THEIRS`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from keras_front.models import Model
from keras_front.saving.conversion import convert
from keras_front.testing import layers
from keras_front.testing.layer_subject import one, spread, symbols, values

# Files of each, and for which generation they were converted; None: as `save` writes them.
KINDS = [("keras", None, ".h5"), ("keras", None, ".keras"), ("keras", "keras3", ".h5"), ("keras", "keras3", ".keras"),
         ("tf_keras", None, ".h5"), ("tf_keras", "tf_keras", ".h5"), ("tf_keras", "tf_keras", ".keras")]  # fmt: skip
# Layers that give other numbers or shapes there however they are made, by the beginning of their cases.
THEIRS = {
    "keras": ("Discretization([-0.2, 0.4], output_mode='count')", "RandomCrop", "Resizing(5, 4, 'bicubic')",
              "RMSNormalization(axis=[1, 2])"),
    "tf_keras": ("Conv3DTranspose(2, 2, dilation_rate=2", "Resizing(5, 4, 'bicubic')", "CuDNN"),
}  # fmt: skip


def models() -> list[tuple[str, Any, Any, list[np.ndarray], list[np.ndarray]]]:
    """Label, case, model, inputs and outputs of each case."""
    found = []
    for case in (case for cases in layers.table().values() for case in cases):
        inputs, layer = symbols(case), case.make()
        model = Model(one(inputs), layer(one(inputs)))
        spread(layer)
        x = values(case)
        y = model.predict(one(x), verbose=0)
        found.append((repr(case), case, model, x, y if isinstance(y, list) else [y]))
    return found


def written(model: Any, case: Any, to: str | None, path: Path) -> bool:
    """Whether the model could be written for a generation."""
    if to is None:
        model.save(path)
        return True
    source = path.with_name("source.h5")
    model.save(source)
    try:
        convert(source, path, to=to, allow_code=True, custom_objects=case.objects)
    except ValueError:
        return False
    return True


def outcome(library: Any, path: Path, x: list[np.ndarray], expected: list[np.ndarray]) -> str:
    """'same', 'refused', 'fails when called' or 'OTHER numbers'."""
    try:
        model = library.models.load_model(path, compile=False, safe_mode=False)
    except Exception:  # whatever it finds wrong
        return "refused"
    try:
        got = model(one(x), training=False)
    except Exception:
        return "fails when called"
    got = [np.asarray(y, "float64") for y in (got if isinstance(got, list | tuple) else [got])]
    same = len(got) == len(expected) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(got, expected, strict=True)
    )
    return "same" if same else "OTHER numbers"


def main() -> int:
    warnings.simplefilter("ignore")
    cases, wrong = models(), []
    with tempfile.TemporaryDirectory() as folder:
        for name, to, suffix in KINDS:
            library, counts = import_module(name), Counter[str]()
            path = Path(folder) / f"m{suffix}"
            for label, case, model, x, y in cases:
                found = outcome(library, path, x, y) if written(model, case, to, path) else "not written"
                counts[found] += 1
                if found in ("OTHER numbers", "fails when called") and not label.startswith(THEIRS[name]):
                    wrong.append(f"{name} {suffix} for {to}: {label}: {found}")
            print(f"{name} {library.__version__}, {suffix}, written for {to or 'nobody in particular'}: {dict(counts)}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("KERAS_FRONT_BACKEND", "numpy")
    sys.exit(main())
