"""Hostile `keras.json`: shared with every program of the user, so that anything may stand in it."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostile import DICTIONARIES, VALUES, Hostile, changed, harmless, places, shown
from hostile_archives import CONTENTS
from hostile_hdf5 import damages

from keras_front import config
from keras_front.setting_kinds import KINDS

SHARED = {"floatx": "float32", "epsilon": 1e-07, "backend": "numpy", "image_data_format": "channels_last"}
BACKENDS = ("../x", "os", "os.system", "keras_front_canary", " Torch ", "torch\0", "\ud800", "x" * 10_000,
            "builtins", "antigravity", "keras_front", "keras_front.bytecode", "-m", "C:\\x", "numpy.numpy",
            "/etc/passwd")  # fmt: skip


def cases() -> Iterator[Hostile]:
    """Damage, then every value in every place."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    base = {**SHARED, "keras_front": {name: kind.default for name, kind in KINDS.items()}}
    good = json.dumps(base).encode()
    for kind, name, damaged in damages(good, seed=len(good)):
        yield _case(f"keras.json: {kind}", name, damaged, folder)
    for name, data in {**CONTENTS, "deep dictionaries": b'{"keras_front":' * 100_000}.items():
        yield _case("keras.json: no such thing", name, data, folder)
    for path in places(base):
        for name, value in {**VALUES, **DICTIONARIES}.items():
            text = json.dumps(changed(base, path, value)).encode()
            yield _case("keras.json: another value", f"{shown(path)}: {name}", text, folder)
    for name in BACKENDS:
        for where in ({"backend": name}, {"keras_front": {"backend": name}}):
            yield _case("keras.json: backends", json.dumps(where)[:80], json.dumps(where).encode(), folder)
    for name, make in {"a pipe": os.mkfifo, "a folder": os.mkdir, "a link to itself": lambda p: os.symlink(p, p),
                       "a device": lambda p: os.symlink("/dev/zero", p)}.items():  # fmt: skip
        yield _case("keras.json: no file", name, make, folder)


def _case(kind: str, name: str, data: Any, folder: Path) -> Hostile:
    def run() -> Any:
        path = folder / "keras.json"
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        data(path) if callable(data) else path.write_bytes(data)
        before = os.environ.get("KERAS_HOME")
        os.environ["KERAS_HOME"] = str(folder)
        try:
            return _read()
        finally:
            path.rmdir() if path.is_dir() else path.unlink()
            os.environ.pop("KERAS_HOME")
            if before is not None:
                os.environ["KERAS_HOME"] = before
            config.reload()

    return Hostile(kind, name, run, harmless, (str(folder),), ("os.symlink",))


def _read() -> Any:
    """Ask for every setting as the first use of a process does; what cannot be used is our error, each by itself."""
    config.reload()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [config.setting(name) for name in KINDS]
