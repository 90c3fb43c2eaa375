"""The versions that are declared, tried: `make test-minimum`, `make test-latest`, `make test-pythons`.

    python tests/packaging/check_versions.py minimum   the oldest declared NumPy, h5py, JAX and TensorFlow
    python tests/packaging/check_versions.py latest    the newest that the index has
    python tests/packaging/check_versions.py pythons   every Python that is here, of those that are declared

On NumPy alone the suite runs in its quick form, but for tests and files that need other engines: these are skipped.
For JAX and TensorFlow it is a covering part: training and files. `--quick` runs that part everywhere. PyTorch is taken
as the extra `test` pins it or not at all, because an index may have builds of other versions with gigabytes of CUDA
alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from environments import ONE_THREAD, PROJECT, ROOT, Environment, FailedError, interpreters, oldest, requirement

ENGINES = {"numpy": [], "jax": ["jax"], "tensorflow": ["tensorflow-cpu"]}
TOOLS = ["pytest", "pytest-timeout", "hypothesis"]
BESIDE = [
    "pillow",
    "scipy",
    "pandas",
    "scikit-learn",
    "safetensors",
    "onnx",
    "matplotlib",
    "tensorboard",
]  # what tests on NumPy import
COVERING = ["tests/training/test_fit.py", "tests/saving/test_saving.py"]


def pinned(engine: str, newest: bool) -> list[str]:
    """The requirements of an environment for one engine."""
    if newest:
        return [requirement(text)[0] for text in PROJECT["dependencies"]] + ENGINES[engine]
    texts = oldest(*([engine] if engine != "numpy" else []))
    return [text.replace("tensorflow==", "tensorflow-cpu==") for text in texts]


def check(python: str, engine: str, newest: bool, quick: bool) -> bool:
    """Whether the suite, or the covering part of it, passes in a fresh environment; says what was in it."""
    whole = engine == "numpy" and not quick
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(Path(folder), python)
        environment.install(*pinned(engine, newest), *TOOLS, *(BESIDE if whole else []), str(ROOT))
        environment.add_module(Path(__file__).with_name("skip_missing.py"))
        names = [requirement(text)[0] for text in pinned(engine, newest)]
        shown = f"Python {environment.python('-c', 'import platform; print(platform.python_version())').strip()}, "
        shown += environment.versions(*names)
        try:
            environment.pip("check")
            last = environment.python(*_pytest(whole), **_variables(engine))
        except FailedError as error:
            print(f"FAILED {engine}: {shown}\n{error}", flush=True)
            return False
    print(f"{engine}: {shown}: {last.strip().splitlines()[-1]}", flush=True)
    return True


def _pytest(whole: bool) -> list[str]:
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "600", "-r", "f", "--rootdir", str(ROOT)]
    if not whole:
        return [*words, *(str(ROOT / path) for path in COVERING)]
    return [*words, str(ROOT / "tests")]


def _variables(engine: str) -> dict[str, str]:
    shared = os.environ.get("KERAS_FRONT_SHARED")
    found = {"KERAS_FRONT_TEST_BACKENDS": engine, **ONE_THREAD}
    found["PYTEST_ADDOPTS"] = "-p skip_missing"  # also where a test runs tests in a process of its own
    found["XLA_FLAGS"] = ""  # the flags of the suite are those of the JAX that it pins; another one aborts
    return {**found, "KERAS_FRONT_SHARED": shared} if shared else found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["minimum", "latest", "pythons"])
    parser.add_argument("--engines", default=",".join(ENGINES), help="of numpy, jax, tensorflow")
    parser.add_argument("--quick", action="store_true", help="the covering part everywhere")
    arguments = parser.parse_args()
    engines = arguments.engines.split(",")
    pythons = interpreters(("3.11", "3.12", "3.13"))
    if arguments.what != "pythons":
        pythons = {"": pythons.get("3.11", sys.executable)}
    results = [
        check(python, engine, arguments.what != "minimum", arguments.quick or arguments.what == "pythons")
        for python in pythons.values()
        for engine in engines
    ]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
