"""What every test stands on: the same settings, and one fixture that runs a test on each backend.

`KERAS_FRONT_TEST_BACKENDS` restricts the backends (see `engines.py`), `KERAS_FRONT_TEST_ALL=1` runs every combination
on each, `KERAS_FRONT_TEST_QUICK=1` only what is quick (see `keras_front/testing/selection.py`).
"""

from __future__ import annotations

import functools
import gc
import os

if os.environ.get("KERAS_FRONT_TEST_ALL", "0") in ("", "0"):  # before JAX is imported: XLA then compiles in a fifth of
    os.environ.setdefault(  # the time; the names of the flags are those of the version of JAX in pyproject.toml
        "XLA_FLAGS",
        "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false "
        "--xla_cpu_parallel_codegen_split_count=1",
    )

import pytest
from engines import statuses, wanted_backends
from file_server import file_server as file_server
from file_server import keras_home as keras_home
from interop import pytest_terminal_summary as pytest_terminal_summary

from keras_front import config
from keras_front.backend import discovery, eager_tensors, seeds
from keras_front.testing import selection

NO_FOLDER = os.path.join(__file__, "no_folder")
COMPILING = ("jax", "tensorflow")  # where what does not depend on the engine is left out; see `selection`
KEPT = ("KERAS_FRONT_TEST_BACKENDS", selection.VARIABLE, selection.QUICK)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("backends")
    names = [name for name in wanted_backends() if marker is None or name in marker.args]
    metafunc.parametrize("backend", names, indirect=True)


def pytest_collection_finish() -> None:
    """Tens of thousands of tests and the engines' modules stay: the collector need not walk them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, where an engine compiles each program, what does not depend on the engine, and most of many alike."""
    if selection.everything():
        return
    reduced = (*COMPILING, "torch") if selection.quick() else COMPILING
    compiled = [item for item in items if _backend_of(item) in reduced]
    left_out = {id(item) for item in compiled if item.get_closest_marker("engine_neutral")}
    left_out |= {id(item) for item in items if selection.quick() and item.get_closest_marker("slow")}
    elsewhere = [item for item in items if _backend_of(item) not in (None, "numpy")]
    left_out |= {id(item) for item in elsewhere if item.get_closest_marker("of_the_host")}
    left_out |= set(map(id, _more_than_a_few(compiled)))
    config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
    items[:] = [item for item in items if id(item) not in left_out]


def _more_than_a_few(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of tests with the mark `few_compiled(n)`, all cases of a backend but n evenly chosen ones."""
    alike: dict[tuple[object, str], list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("few_compiled"):
            alike.setdefault((item.function, item.callspec.params["backend"]), []).append(item)  # type: ignore[attr-defined]
    found: list[pytest.Item] = []
    for cases in alike.values():
        kept = set(map(id, selection.evenly(cases, cases[0].get_closest_marker("few_compiled").args[0])))  # type: ignore[union-attr]
        found += [item for item in cases if id(item) not in kept]
    return found


def _backend_of(item: pytest.Item) -> str | None:
    return item.callspec.params.get("backend") if hasattr(item, "callspec") else None


@pytest.fixture
def backend(request: pytest.FixtureRequest):
    """The active backend of this test; a test that asks for it runs once on each."""
    status = statuses().get(request.param)  # a dotted path has none
    if status is not None and not status.usable:
        pytest.fail(f"{status.name} is not installed ({status.remedy}); restrict KERAS_FRONT_TEST_BACKENDS")
    with discovery.use_backend(request.param) as engine:
        _keep_modules(engine)
        yield engine


@functools.cache
def _keep_modules(engine: object) -> None:
    """What an engine has imported stays: the collector need not walk it again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_settings(monkeypatch: pytest.MonkeyPatch):
    """Defaults for every test, whatever the machine's `keras.json` says, and the same seed."""
    for variable in [name for name in os.environ if name.startswith(("KERAS_FRONT_", "KERAS_BACKEND"))]:
        if variable not in KEPT:
            monkeypatch.delenv(variable)
    monkeypatch.setenv("KERAS_HOME", NO_FOLDER)  # real Keras would fill a folder
    monkeypatch.setattr(eager_tensors, "_answers", [])  # as if no program for TensorFlow had run in this process
    config.reload()
    config.disable_traceback_filtering()  # a test that fails shows where
    seeds.set_random_seed(1234)
    yield
    monkeypatch.setenv("KERAS_HOME", NO_FOLDER)  # a test may have left it at a file that cannot be read
    config.reload()
    seeds.set_random_seed(1234)


@pytest.fixture
def fresh_choice(monkeypatch: pytest.MonkeyPatch):
    """No active backend yet, as in a new process; what a test chooses is forgotten after it."""
    monkeypatch.setattr(discovery, "_process_default", None)
    token = discovery.ACTIVE.set(None)
    yield
    discovery.ACTIVE.reset(token)
