"""The published layer suite, layer by layer and check by check, on every backend."""

from __future__ import annotations

import time

import pytest

from keras_front.testing import layers


@pytest.fixture(scope="module", autouse=True)
def report():
    started = time.perf_counter()
    yield
    names, seconds = list(layers.table()), time.perf_counter() - started
    print(f"\nlayers: {len(names)}, {layers.count(names)} cases, {len(layers.CHECKS)} checks, {seconds:.0f} s")


OF_THE_HOST = ("config", "weights", "files")  # of the neutral ones


def marks(check: str) -> list[pytest.MarkDecorator]:
    """What leaves a check out where it asks nothing new."""
    if check in OF_THE_HOST:
        return [pytest.mark.of_the_host]
    return [pytest.mark.engine_neutral] if check in layers.ENGINE_NEUTRAL else []


CHECKS = [pytest.param(name, marks=marks(name)) for name in layers.CHECKS]

# What an engine is known to do otherwise.
KNOWN: dict[tuple[str, str, str], str] = {}


@pytest.mark.parametrize("check", CHECKS)  # all checks of a layer, then the next: they share what was computed
@pytest.mark.parametrize("layer", list(layers.table()))
def test_layer(backend, layer, check, request):
    if (backend.name, layer, check) in KNOWN:
        request.applymarker(pytest.mark.xfail(reason=KNOWN[backend.name, layer, check], strict=True))
    layers.check(layer, check)
