"""`keras_front/legacy` can be deleted: what is left passes its own tests (decision D11)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Tests of each part that stands above the folder: graph, training, files, registries, and the pieces of a model.
TESTS = """
    tests/graph/test_sequential.py tests/saving/test_saving.py tests/test_activations.py tests/test_config.py
    tests/test_initializers.py tests/test_losses.py tests/test_regularizers.py tests/test_registry.py
    tests/training/test_fit.py
""".split()


@pytest.mark.slow
def test_what_is_left_passes_its_own_tests(tmp_path):
    for name in ("keras_front", "backends", "tests"):
        ignored = shutil.ignore_patterns("legacy", "__pycache__", "*.npz" if name == "tests" else "")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "keras.json.example", "examples"):
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    assert not (tmp_path / "keras_front" / "legacy").exists()
    there = [name for name in TESTS if (tmp_path / name).exists()]
    assert len(there) >= 8
    environment = {**os.environ, "KERAS_FRONT_TEST_BACKENDS": "numpy",
                   "PYTHONPATH": os.pathsep.join(str(tmp_path / name) for name in ("", "backends"))}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *there],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    assert "passed" in done.stdout
