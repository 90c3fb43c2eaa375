"""Hostile HDF5 files: damaged bytes, wrong attributes, links, storage elsewhere, declared sizes, in three layouts."""

from __future__ import annotations

import io
import json
import math
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from hostile import Hostile, harmless, refused
from watch import SECRET, Watch, check_no_secret

from keras_front import layers, models

FLIPS, CUTS, BLOCKS = 40, 20, 8
Reader = Callable[[Any], Any]


def model(trained: bool = False) -> models.Sequential:
    """A small model."""
    built = models.Sequential(
        [layers.Dense(3, input_shape=(4,), name="a"), layers.BatchNormalization(name="b"), layers.Dense(2, name="c")]
    )
    if trained:
        built.compile("adam", "mse")
        built.train_on_batch(np.ones((2, 4)), np.ones((2, 2)))
    return built


def _load_weights(source: Any, **how: Any) -> Any:
    """Into one and the same model, which costs no time to make."""
    if not _MODELS:
        _MODELS.append(model())
    _MODELS[0].load_weights(source, **how)
    return _MODELS[0]


_MODELS: list[models.Sequential] = []


def layouts() -> dict[str, tuple[bytes, Reader]]:
    """Bytes of a good file, and the function that reads it, by layout."""
    found: dict[str, tuple[bytes, Reader]] = {}
    for name, save, read in (
        (".h5", lambda m, f: m.save(f), models.load_model),
        ("weights .h5", lambda m, f: m.save_weights(f), _load_weights),
        (
            "weights by name",
            lambda m, f: m.save_weights(f),
            lambda f: _load_weights(f, by_name=True, skip_mismatch=True),
        ),
        (".weights.h5", lambda m, f: m.save_weights(f, save_format="keras"), _load_weights),
    ):
        buffer = io.BytesIO()
        save(model(trained=True), buffer)
        found[name] = buffer.getvalue(), read
    return found


def cases() -> Iterator[Hostile]:
    """Every kind of damage in every layout."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    for layout, (data, read) in layouts().items():
        for kind, name, damaged in damages(data, seed=len(data)):
            yield Hostile(f"{layout}: {kind}", name, lambda r=read, d=damaged: r(io.BytesIO(d)), harmless)
        yield from _structural(layout, data, read, folder)


def damages(data: bytes, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """Kind, name and bytes of damaged copies of a file."""
    draw = random.Random(seed)
    for number in range(CUTS):
        at = len(data) * number // CUTS
        yield "cut off", f"at {at}", data[:at]
    for _ in range(FLIPS):
        at, bit = draw.randrange(len(data)), draw.randrange(8)
        yield "a bit turned", f"{at}.{bit}", data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
    for at in range(0, 96, 2):  # the header
        yield "header", f"byte {at}", data[:at] + b"\xff" + data[at + 1 :]
    for _ in range(BLOCKS):
        at, size = draw.randrange(len(data)), draw.choice((8, 64, 512))
        for filled, what in ((b"\x00", "zeros"), (b"\xff", "ones"), (draw.randbytes(1), "one byte")):
            yield "a block overwritten", f"{size} at {at}, {what}", data[:at] + filled * size + data[at + size :]
    yield "other bytes", "behind it", data + draw.randbytes(1000)
    yield "other bytes", "before it", draw.randbytes(1000) + data
    yield "other bytes", "none", b""
    yield "other bytes", "noise", draw.randbytes(2000)


# Structure -------------------------------------------------------------------------------------------


def _structural(layout: str, data: bytes, read: Reader, folder: Path) -> Iterator[Hostile]:
    objects, attributes = _objects(data)
    for path in objects:
        for name, change, check in _replacements(path, folder):
            yield _case(f"{layout}: {name}", path, data, read, change, check)
    for path, attribute in attributes:
        for name, value in ATTRIBUTES.items():
            yield _case(
                f"{layout}: attributes",
                f"{path}@{attribute}: {name}",
                data,
                read,
                lambda f, p=path, a=attribute, v=value: _set(f[p].attrs, a, v),
                harmless,
            )


def _objects(data: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    objects: list[str] = []
    with h5py.File(io.BytesIO(data)) as file:
        file.visit(objects.append)
        attributes = [(path, name) for path in ("/", *objects) for name in file[path].attrs]
    return objects, attributes


def _case(kind: str, name: str, data: bytes, read: Reader, change: Callable[[Any], None], check: Any) -> Hostile:
    def run() -> Any:
        buffer = io.BytesIO(data)
        with h5py.File(buffer, "a") as file:
            change(file)
        return read(io.BytesIO(buffer.getvalue()))

    return Hostile(kind, name, run, check)


def _set(attributes: Any, name: str, value: Any) -> None:
    del attributes[name]
    if value is not _MISSING:
        attributes[name] = value() if callable(value) else value


_MISSING = object()
ATTRIBUTES: dict[str, Any] = {
    "missing": _MISSING,
    "a number": 7,
    "minus one": -1,
    "2**62": 2**62,
    "NaN": math.nan,
    "numbers": np.arange(5),
    "many numbers": np.zeros(7000),
    "empty": h5py.Empty("f"),
    "no text": b"",
    "a text": "zzz",
    "JSON": json.dumps({"class_name": "Dense", "config": {}}),
    "a list": json.dumps([1, 2]),
    "unclosed": b'{"class_name": ',
    "deep": b"[" * 30_000,
    "no UTF-8": b"\xff\xfe\x00\xd8",
    "texts": np.asarray([b"a", b"b", b"a"]),
    "paths": np.asarray([b"../../x", b"/etc/passwd", b"."]),
    "many texts": lambda: np.asarray([b"x"] * 60_000),
    "a compound": np.zeros(2, [("a", "i4"), ("b", "S3")]),
    "a reference": lambda: np.asarray([b"layer"] * 3, h5py.string_dtype()),
}


def _replacements(path: str, folder: Path) -> Iterator[tuple[str, Callable[[Any], None], Any]]:
    """What may stand in the place of an object: kind, function that puts it there, check."""

    def put(make: Callable[[Any], Any]) -> Callable[[Any], None]:
        def change(file: Any) -> None:
            shape = getattr(file[path], "shape", (2,))
            del file[path]
            make((file, path, shape))

        return change

    outside = _outside(folder)
    yield (
        "an external link",
        put(lambda at: at[0].__setitem__(at[1], h5py.ExternalLink(str(outside), "/x"))),
        secretless,
    )
    yield "a soft link", put(lambda at: at[0].__setitem__(at[1], h5py.SoftLink("/"))), refused()
    yield "a dangling link", put(lambda at: at[0].__setitem__(at[1], h5py.SoftLink("/none"))), refused()
    yield "a hard link to the root", put(lambda at: at[0].__setitem__(at[1], at[0]["/"])), harmless
    yield "a group in its place", put(lambda at: at[0].create_group(at[1])), harmless
    yield "missing", put(lambda at: None), harmless
    for name, value in DATASETS.items():
        yield f"a dataset of {name}", put(lambda at, v=value: at[0].create_dataset(at[1], data=v)), harmless
    yield "external storage", put(lambda at: _external(*at, folder)), secretless
    yield "a virtual dataset", put(lambda at: _virtual(*at, outside)), secretless
    for name, shape in HOLLOW.items():
        yield (
            f"hollow, {name}",
            put(lambda at, s=shape: at[0].create_dataset(at[1], s, "f4", chunks=(1,) * (len(s) - 1) + (1024,))),
            harmless,
        )
    yield "a compressed bomb", put(lambda at: at[0].create_dataset(at[1], data=_zeros(), compression="gzip")), harmless


DATASETS: dict[str, Any] = {
    "texts": [b"a", b"b"],
    "a number": 3.0,
    "no numbers": np.zeros((0, 3)),
    "complex numbers": np.ones((4, 3), "c8"),
    "NaN": np.full((4, 3), np.nan),
    "64 axes": np.zeros((1,) * 32),
    "booleans": np.ones((4, 3), bool),
    "compounds": np.zeros(3, [("a", "f4")]),
    "objects": np.asarray([b"x"], h5py.string_dtype()),
}
HOLLOW = {"a terabyte": (1 << 19, 1 << 19), "2**62": (1 << 31, 1 << 31), "a gigabyte": (1 << 28,)}


def _zeros() -> Any:
    return np.zeros(1 << 22, "f4")


def _outside(folder: Path) -> Path:
    """A file that nobody may read, with numbers that would be seen."""
    path = folder / "outside.h5"
    if not path.exists():
        with h5py.File(path, "w") as file:
            file["x"] = np.full((4, 3), SECRET, "f4")
        (folder / "outside.bin").write_bytes(np.full(64, SECRET, "f4").tobytes())
    return path


def _external(file: Any, path: str, shape: Any, folder: Path) -> None:
    file.create_dataset(path, shape, "f4", external=[(str(folder / "outside.bin"), 0, 4 * int(np.prod(shape)))])


def _virtual(file: Any, path: str, shape: Any, outside: Path) -> None:
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource(str(outside), "x", (4, 3))
    file.create_virtual_dataset(path, layout)


def secretless(watch: Watch, read: Any) -> None:
    """Refused, or, where nobody reads that object, read without what lies outside."""
    watch.check_harmless()
    if watch.error is None:
        check_no_secret(read)
