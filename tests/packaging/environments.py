"""Environments of their own for what is checked: made, filled, asked. Nothing of this checkout is on their path."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


class FailedError(Exception):
    """A command did not end with 0; what it printed is the message."""


class Environment:
    """A virtual environment in a folder.

    Args:
        folder: where it is made.
        python: the interpreter that makes it.
    """

    def __init__(self, folder: Path, python: str = sys.executable):
        run([python, "-m", "venv", "--clear", str(folder)])
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")

    def install(self, *words: str) -> None:
        """`pip install` of the words."""
        self.pip("install", "--quiet", "--disable-pip-version-check", *words)

    def add_module(self, path: Path) -> None:
        """A module that every process of the environment can import, whatever its `PYTHONPATH` is."""
        shutil.copy(path, self.python("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())

    def pip(self, *words: str) -> str:
        """What pip prints."""
        return self.python("-m", "pip", *words)

    def python(self, *words: str, **variables: str) -> str:
        """What its Python prints, with more variables in its surroundings."""
        return run([str(self.bin / "python"), *words], **variables)

    def versions(self, *names: str) -> str:
        """Which versions of distributions it has."""
        code = "import sys; from importlib.metadata import version; print(*(f'{n} {version(n)}' for n in sys.argv[1:]))"
        return self.python("-c", code, *names).strip()


def run(command: list[str], folder: Path | None = None, **variables: str) -> str:
    """What a command prints; FailedError with its output if it fails. This checkout is not on its path."""
    surroundings = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "KERAS_FRONT_BACKEND")}
    surroundings |= {"PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3", **ONE_THREAD, **variables}
    done = subprocess.run(command, cwd=folder, env=surroundings, text=True, capture_output=True)
    if done.returncode:
        raise FailedError(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-6000:]}")
    return done.stdout


def requirement(text: str) -> tuple[str, str | None]:
    """The name of a requirement such as `jax>=0.4.30`, and the oldest version that it allows, if it says."""
    found = re.match(r"([\w-]+)(?:\[.*?\])?(?:[>=]=([\w.]+))?", text)
    return found[1].lower(), found[2]


def oldest(*extras: str) -> list[str]:
    """The declared requirements of the package and of extras, each pinned to the oldest version that it allows."""
    texts = [*PROJECT["dependencies"], *(t for extra in extras for t in PROJECT["optional-dependencies"][extra])]
    return [f"{name}=={version}" if version else name for name, version in map(requirement, texts)]


def pins() -> list[str]:
    """What the extra `test` pins: the versions of engines that the suite runs with."""
    return [text for text in PROJECT["optional-dependencies"]["test"] if "==" in text]


def interpreters(wanted: tuple[str, ...]) -> dict[str, str]:
    """The Pythons of these versions that there are: on the path, or among those of pyenv."""
    home = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    found = {}
    for version in wanted:
        name = f"python{version}"
        places = [shutil.which(name), *sorted(glob.glob(f"{home}/versions/{version}.*/bin/{name}"), reverse=True)]
        working = (place for place in places if place and _works(place))
        if place := next(working, None):
            found[version] = place
    return found


def _works(python: str) -> bool:
    return subprocess.run([python, "-c", "import venv, ctypes"], capture_output=True).returncode == 0
