"""What `import keras_front` does not do: import an engine, h5py, or spend time."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import keras_front

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "jax", "jaxlib", "tensorflow", "h5py", "scipy", "pandas", "matplotlib", "keras")


def in_new_process(code: str) -> str:
    """What a fresh interpreter prints; warnings do not count."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def modules_after(code: str) -> set[str]:
    return set(json.loads(in_new_process(f"{code}\nimport sys, json; print(json.dumps(list(sys.modules)))")))


@pytest.mark.parametrize(
    "code",
    [
        "import keras_front",
        "import keras_front; keras_front.backend",
        "from keras_front import layers, models, losses, metrics, optimizers, callbacks, backend as K",
        "from keras_front.models import Sequential\n"
        "from keras_front.layers import Dense, Dropout\n"
        "model = Sequential([Dense(4, input_shape=(3,)), Dropout(0.5), Dense(2)])\n"
        "model.count_params(); model.to_json(); model.summary(print_fn=lambda line: None)",
        "from keras_front.backend import discovery; discovery.available()",
    ],
    ids=["package", "backend", "all modules", "building a model", "listing the backends"],
)
def test_no_engine_and_no_h5py_is_imported(code):
    loaded = modules_after(code)
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith("keras_front_")}


def test_training_on_one_backend_imports_no_other():
    loaded = modules_after(
        "import numpy as np\n"
        "from keras_front import use_backend\n"
        "from keras_front.models import Sequential\n"
        "from keras_front.layers import Dense\n"
        "with use_backend('numpy'):\n"
        "    model = Sequential([Dense(1, input_shape=(3,))])\n"
        "    model.compile('sgd', 'mse')\n"
        "    model.fit(np.zeros((4, 3)), np.zeros((4, 1)), verbose=0)\n"
    )
    assert not loaded & set(HEAVY)


def test_the_import_is_quick():
    # A generous bound, since the machine may be busy; the benchmarks measure the time itself.
    code = "import time, numpy; start = time.perf_counter(); import keras_front; print(time.perf_counter() - start)"
    assert min(float(in_new_process(code)) for _ in range(3)) < 0.06


def test_every_public_name_is_there():
    for name in keras_front.__all__:
        assert getattr(keras_front, name) is not None
    assert dir(keras_front) == keras_front.__all__
    assert keras_front.Sequential is importlib.import_module("keras_front.models").Sequential
    assert not hasattr(keras_front, "no_such_name")
    with pytest.raises(ImportError, match="no_such_name"):
        exec("from keras_front import no_such_name")


def test_the_version_is_one():
    assert keras_front.__version__ == metadata.version("keras-front")
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## {keras_front.__version__}" in changelog


def test_the_core_needs_numpy_and_h5py_and_nothing_else():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sorted(re.match(r"[\w-]+", text).group() for text in project["dependencies"]) == ["h5py", "numpy"]
    extras = project["optional-dependencies"]
    assert {"torch", "jax", "tensorflow", "plot", "sklearn", "all", "test"} <= set(extras)
    assert "torch==2.13.0" in extras["test"]


def test_the_version_and_the_licence_are_what_a_citation_says():
    cited = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {keras_front.__version__}\n" in cited
    assert "\nlicense: MIT\n" in cited


def test_every_file_of_the_packages_is_in_a_wheel():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["keras_front"]
    package = ROOT / "keras_front"
    data = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert data == {path for pattern in settings for path in package.glob(pattern)}
    assert all((path.parent / "__init__.py").exists() for path in (*package.rglob("*.py"), *data))
    assert not [path for path in (ROOT / "backends").rglob("*") if path.suffix not in (".py", ".pyc", "")]


def test_all_stands_for_every_extra_that_is_not_for_developers():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (text,) = extras["all"]
    named = re.fullmatch(r"keras-front\[(.*)\]", text)[1].split(",")
    assert sorted(named) == sorted(set(extras) - {"all", "docs", "test"})


def test_every_backend_of_ours_has_a_folder_and_an_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = set(project["entry-points"]["keras_front.backends"])
    folders = {path.name.removeprefix("keras_front_") for path in (ROOT / "backends").glob("keras_front_*")}
    assert names == folders
    assert names - {"numpy"} <= set(project["optional-dependencies"])
