"""Hostile training configs: names of nothing and of gadgets, and what does not belong there, in both kinds of files."""

from __future__ import annotations

import copy
import functools
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np
from hostile import DICTIONARIES, VALUES, Hostile, at, changed, harmless, places, refused, shown, without

from keras_front import layers, metrics, models

NAMES = (
    "os.system", "eval", "exec", "__import__", "builtins.eval", "keras>evil", "load_model", "get_file",
    "subprocess.Popen",
    "zzz", "mean_squared_error; import os", "../../etc/passwd", "http://127.0.0.1:9/x", "lambda x: x", "<lambda>",
    "Dense", "function", "__class__", "mse\x00", "keras_front.bytecode.permit", "", "_get_loss", "Lambda",
)  # fmt: skip


def compiled() -> models.Sequential:
    """A small model with a bit of everything in its training config."""
    model = models.Sequential([layers.Dense(2, input_shape=(3,), name="d")])
    model.compile("adam", "mse", ["mae", metrics.MeanSquaredError(name="m")], loss_weights=[1.0])
    model.train_on_batch(np.ones((1, 3)), np.ones((1, 2)))
    return model


def as_h5(training: Any) -> Callable[[], io.BytesIO]:
    """A function that makes an .h5 file with this training config."""
    text = json.dumps(training).encode()

    def make() -> io.BytesIO:
        buffer = io.BytesIO(_BASE["h5"])
        with h5py.File(buffer, "a") as file:
            file.attrs["training_config"] = text
        return io.BytesIO(buffer.getvalue())

    return make


def as_keras(training: Any) -> Callable[[], io.BytesIO]:
    """A function that makes an archive with this training config."""

    def make() -> io.BytesIO:
        with zipfile.ZipFile(io.BytesIO(_BASE["keras"])) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        config["compile_config"] = training
        members["config.json"] = json.dumps(config).encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return io.BytesIO(buffer.getvalue())

    return make


_BASE: dict[str, bytes] = {}


@functools.cache
def bases() -> dict[str, tuple[Any, Callable[[Any], Callable[[], io.BytesIO]]]]:
    """For each kind of file a good training config, and what makes a file of one."""
    model = compiled()
    buffer = io.BytesIO()
    model.save(buffer)
    _BASE["h5"] = buffer.getvalue()
    with h5py.File(io.BytesIO(_BASE["h5"])) as file:
        old = json.loads(file.attrs["training_config"])
    buffer = io.BytesIO()
    model.save(buffer, save_format="keras")
    _BASE["keras"] = buffer.getvalue()
    with zipfile.ZipFile(io.BytesIO(_BASE["keras"])) as archive:
        new = json.loads(archive.read("config.json"))["compile_config"]
    return {"training config, .h5": (old, as_h5), "training config, .keras": (new, as_keras)}


FREE = ("module", "registered_name", "dialect", "name")


def cases() -> Iterator[Hostile]:
    """Names and mutations in every place, and texts that are no training config."""
    for kind, (base, pack) in bases().items():
        yield from _names(kind, base, pack)
        for path in places(base):
            if not any(key in FREE for key in path):
                yield from _wrong(kind, base, path, pack)
        for name, value in {**VALUES, **DICTIONARIES}.items():
            yield _case(f"{kind}: no config", name, pack(value), harmless)


def _names(kind: str, base: Any, pack: Any) -> Iterator[Hostile]:
    optimizer = "optimizer_config" if "optimizer_config" in base else "optimizer"
    for name in NAMES:
        wrong = {
            "loss": changed(base, ("loss",), name),
            "metrics": changed(base, ("metrics",), [name]),
            "optimizer": changed(base, (optimizer, "class_name"), name),
            "schedule": changed(base, (optimizer, "config", "learning_rate"), {"class_name": name, "config": {}}),
            "loss with a config": changed(base, ("loss",), {"class_name": name, "config": {"name": "x"}}),
            "metric with a config": changed(base, ("metrics",), [{"class_name": name, "config": {"name": "x"}}]),
            "wrapped function": changed(
                base, ("metrics",), [{"class_name": "MeanMetricWrapper", "config": {"name": "x", "fn": name}}]
            ),
        }
        for place, config in wrong.items():
            if name not in ("Dense", ""):
                yield _case(f"{kind}: hostile names", f"{place}: {name}", pack(config), refused())
        uncompiled = pack(wrong["loss"])
        yield Hostile(
            f"{kind}: compile=False", name, lambda make=uncompiled: models.load_model(make(), compile=False), was_read
        )


def was_read(watch: Any, model: Any) -> None:
    """The model was read without harm."""
    watch.check_harmless()
    assert watch.error is None, f"was refused: {watch.error}"


def _wrong(kind: str, base: Any, path: Any, pack: Any) -> Iterator[Hostile]:
    old = at(base, path)
    for name, value in VALUES.items():
        if value != old:
            yield _case(f"{kind}: another value", f"{shown(path)}: {name}", pack(changed(base, path, value)), harmless)
    if not isinstance(old, dict | list):
        for name, value in DICTIONARIES.items():
            config = pack(changed(base, path, value))
            yield _case(f"{kind}: a dictionary in its place", f"{shown(path)}: {name}", config, refused())
    yield _case(f"{kind}: something missing", shown(path), pack(without(copy.deepcopy(base), path)), harmless)


def _case(kind: str, name: str, make: Callable[[], Any], check: Any) -> Hostile:
    return Hostile(kind, name, lambda: models.load_model(make()), check)
