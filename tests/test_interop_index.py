"""No entry of the interop index is forgotten: each is a parameter of a test on every backend."""

from __future__ import annotations

import collections
import functools
import os
import subprocess
import sys
from pathlib import Path

import interop
import pytest
from engines import EVERY_BACKEND

from keras_front.testing.selection import VARIABLE

TESTS = Path(__file__).parent
# Preprocessing, whose values no backend computes, has tests of its own.
KINDS = (
    "k2", "k2compiled", "fit", "k2weights", "k2weights3", "k2keras", "k3", "cudnn", "k1", "loss", "activation",
    "initializer", "regularizer", "constraint", "metric", "application", "application weights",
)  # fmt: skip


@functools.cache
def collected() -> set[str]:
    """What stands in brackets behind the tests that read the index: 'numpy-k2_Dense_00'."""
    files = [str(path) for path in sorted(TESTS.rglob("test_*.py")) if "interop" in path.read_text()]
    files.remove(str(Path(__file__)))
    environment = {**os.environ, "KERAS_FRONT_TEST_BACKENDS": ",".join(EVERY_BACKEND), VARIABLE: "1"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    listed = subprocess.run(command, capture_output=True, text=True, cwd=TESTS.parent, env=environment, check=True)
    return {line.rpartition("[")[2].rstrip("]") for line in listed.stdout.splitlines() if line.endswith("]")}


@pytest.mark.skipif(not interop.index(), reason="needs the folder shared/interop beside the checkout")
@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_is_tested_on_every_backend(kind):
    names = [entry["name"] for entry in interop.index() if entry["kind"] == kind]
    forgotten = [f"{name} on {b}" for name in names for b in EVERY_BACKEND if f"{b}-{name}" not in collected()]
    assert names
    assert not forgotten, collections.Counter(text.partition(" on ")[2] for text in forgotten)
