"""Programs that use libraries of the time, each in a process of its own: `make test-libraries`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name)
OPTIONS = {  # these know two engines and refuse a third
    "vis_program": ["--speak-as", "theano"],
    "explanations": ["--speak-as", "tensorflow"],
}


@pytest.mark.parametrize("engine", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_runs(program, engine, tmp_path):
    command = [sys.executable, "-m", "keras_front", "run", "--backend", engine, *OPTIONS.get(program.stem, [])]
    environment = {**os.environ, "KERAS_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [*command, str(program)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
