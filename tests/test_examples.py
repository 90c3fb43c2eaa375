"""Every example runs, and says so if it did not learn: those of today on NumPy, old programs on every backend."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from keras_front.backend import discovery
from keras_front.testing import selection

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))
OLD = sorted((FOLDER / "keras1").glob("*.py"))
TF_KERAS = sorted((FOLDER / "tf_keras").glob("*.py"), reverse=True)  # the convnet last: slow as XLA compiles it here


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with discovery.use_backend("numpy"):
        runpy.run_path(str(path), run_name="__main__")


# Snippets as the READMEs of Keras 1 and 2 had them, one after the other in one namespace.
READMES = {
    "keras1": [
        "from keras.models import Sequential\n\nmodel = Sequential()",
        'from keras.layers import Dense, Activation\n\nmodel.add(Dense(output_dim=64, input_dim=100, init="uniform"))\n'
        'model.add(Activation("relu"))\nmodel.add(Dense(output_dim=10))\nmodel.add(Activation("softmax"))',
        "model.compile(loss='categorical_crossentropy', optimizer='sgd', metrics=['accuracy'])",
        "from keras.optimizers import SGD\nmodel.compile(loss='categorical_crossentropy', "
        "optimizer=SGD(lr=0.01, momentum=0.9, nesterov=True))",
        "model.fit(X_train, Y_train, nb_epoch=5, batch_size=32)\nmodel.train_on_batch(X_batch, Y_batch)\n"
        "loss_and_metrics = model.evaluate(X_test, Y_test, batch_size=32)\n"
        "classes = model.predict_classes(X_test, batch_size=32)\nproba = model.predict_proba(X_test, batch_size=32)",
    ],
    "keras2.3": [
        "from keras.models import Sequential\n\nmodel = Sequential()",
        "from keras.layers import Dense\n\nmodel.add(Dense(units=64, activation='relu', input_dim=100))\n"
        "model.add(Dense(units=10, activation='softmax'))",
        "model.compile(loss='categorical_crossentropy', optimizer='sgd', metrics=['accuracy'])",
        "import keras\nmodel.compile(loss=keras.losses.categorical_crossentropy, "
        "optimizer=keras.optimizers.SGD(lr=0.01, momentum=0.9, nesterov=True))",
        "model.fit(x_train, y_train, epochs=5, batch_size=32)\nmodel.train_on_batch(x_batch, y_batch)\n"
        "loss_and_metrics = model.evaluate(x_test, y_test, batch_size=128)\n"
        "classes = model.predict(x_test, batch_size=128)",
    ],
}
DATA = """
import numpy as np
random = np.random.RandomState(0)
X_train = x_train = random.random_sample((64, 100))
Y_train = y_train = np.eye(10)[random.randint(10, size=64)]
X_batch = x_batch = X_test = x_test = X_train[:32]
Y_batch = y_batch = Y_test = y_test = Y_train[:32]
"""

# Runs programs one after the other in one process, since importing an engine takes longer than any of them.
RUN = """
import contextlib, io, json, runpy, sys, traceback, warnings
from keras_front import config
from keras_front.legacy import modules
warnings.simplefilter("ignore")
modules.install()
found = {}
for name, dialect, path, code in json.load(sys.stdin):
    printed = io.StringIO()
    try:
        config.reload()
        with config.dialect(dialect), contextlib.redirect_stdout(printed):
            runpy.run_path(path, run_name="__main__") if path else exec(code, {})
        found[name] = ["", printed.getvalue()]
    except BaseException:
        found[name] = [traceback.format_exc(), printed.getvalue()]
print(json.dumps(found))
"""


def programs() -> list[tuple[str, str, str, str]]:
    """Old programs: a name, the dialect, and a path or code. All of them, or some of each kind; see `selection`."""
    old = [(path.stem, "keras1", str(path), "") for path in OLD]
    of_tf = [(path.stem, "keras_front", str(path), "") for path in TF_KERAS]
    readmes = [(f"readme of {name}", name, "", DATA + "\n".join(parts)) for name, parts in READMES.items()]
    return [*selection.some(old, 3), *selection.some(of_tf, 1), *readmes]


def outcomes(backend: str, programs: list[tuple[str, str, str, str]], folder: str) -> dict[str, list[str]]:
    """Of every program, its error, if any, and what it printed."""
    environment = {**os.environ, "KERAS_FRONT_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(programs), capture_output=True, text=True, cwd=folder,
        env=environment, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_programs_of_old_keras_run_unchanged(backend, tmp_path):
    chosen = programs()
    found = outcomes(backend.name, chosen, str(tmp_path))
    assert list(found) == [name for name, *_ in chosen]
    for name, (error, printed) in found.items():
        assert not error, f"{name}: {error}\n{printed}"
        assert name.startswith("readme") or "Test" in printed, name
