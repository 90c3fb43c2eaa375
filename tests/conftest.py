"""What every test stands on: the same settings, and one fixture that runs a test on each backend.

`KERAS_FRONT_TEST_BACKENDS=numpy,jax` restricts the backends; a dotted path (`package.module:Class`) names one of
somebody else's. A name that nobody declares is an error, and so is an engine that is not installed: a test that
silently does not run proves nothing.
"""

from __future__ import annotations

import functools
import itertools
import os

import pytest
from interop import pytest_terminal_summary as pytest_terminal_summary

from keras_front import config
from keras_front.backend import discovery, seeds

_HOMES = itertools.count()
EVERY_BACKEND = ("numpy", "torch", "jax", "tensorflow")


def wanted_backends() -> list[str]:
    """The backends to test on, from the environment."""
    text = os.environ.get("KERAS_FRONT_TEST_BACKENDS", "")
    names = [name.strip() for name in text.split(",") if name.strip()] or list(EVERY_BACKEND)
    unknown = sorted({name for name in names if ":" not in name} - set(statuses()))
    if unknown:
        raise pytest.UsageError(
            f"KERAS_FRONT_TEST_BACKENDS: no installed package declares {', '.join(unknown)}; "
            f"there are {', '.join(statuses())}."
        )
    return names


@functools.cache
def statuses() -> dict[str, discovery.Status]:
    """What is installed; reading the metadata once is enough, it takes longer than most tests."""
    return discovery.available()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("backends")
    names = [name for name in wanted_backends() if marker is None or name in marker.args]
    metafunc.parametrize("backend", names, indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest):
    """The active backend of this test; a test that asks for it runs once on each."""
    status = statuses().get(request.param)  # a dotted path has none
    if status is not None and not status.usable:
        pytest.fail(f"{status.name} is not installed ({status.remedy}); restrict KERAS_FRONT_TEST_BACKENDS")
    with discovery.use_backend(request.param) as engine:
        yield engine


@pytest.fixture(autouse=True)
def clean_settings(monkeypatch: pytest.MonkeyPatch):
    """Defaults for every test, whatever the machine's `keras.json` says, and the same seed."""
    for variable in [name for name in os.environ if name.startswith(("KERAS_FRONT_", "KERAS_BACKEND"))]:
        if variable != "KERAS_FRONT_TEST_BACKENDS":
            monkeypatch.delenv(variable)
    monkeypatch.setenv("KERAS_HOME", os.path.join(__file__, "no_folder"))  # real Keras would fill a folder
    config.reload()
    seeds.set_random_seed(1234)
    yield
    config.reload()
    seeds.set_random_seed(1234)


@pytest.fixture
def fresh_choice(monkeypatch: pytest.MonkeyPatch):
    """No active backend yet, as in a new process; what a test chooses is forgotten after it."""
    monkeypatch.setattr(discovery, "_process_default", None)
    token = discovery.ACTIVE.set(None)
    yield
    discovery.ACTIVE.reset(token)
