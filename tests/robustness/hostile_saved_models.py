"""Hostile SavedModel folders of TensorFlow: damage of each file, lies of the index, links, and sizes."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile import Check, Hostile, harmless, refused
from hostile_code import lambdas
from hostile_hdf5 import damages
from watch import ROOT

from keras_front import models
from keras_front.saving import inspection

FILES = ("keras_metadata.pb", "variables/variables.index", "variables/variables.data-00000-of-00001", "saved_model.pb")
Change = Callable[[Path], None]


def cases() -> Iterator[Hostile]:
    """Each file damaged, replaced, missing; then folders that are made of something else."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    with zipfile.ZipFile(Path(ROOT, "tests", "saving", "saved_models.zip")) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("stack/")])
    good = folder / "stack" / "model"
    model = models.load_model(good, compile=False)
    doors: dict[str, Callable[[Path], Any]] = {
        "load_model": models.load_model,
        "load_weights": lambda path: model.load_weights(path),
        "inspect": lambda path: str(inspection.describe(path)),
    }
    for door, read in doors.items():
        for kind, name, change, check in changes(good, folder):
            check = harmless if door == "inspect" or (door == "load_weights" and "metadata" in name) else check
            yield _case(f"SavedModel, {door}: {kind}", name, good, change, read, folder, check)


def _case(kind: str, name: str, good: Path, change: Change, read: Any, folder: Path, check: Check) -> Hostile:
    def run() -> Any:
        own = folder / "own"
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(good, own)
        change(own)
        return read(own)

    return Hostile(kind, name, run, check, (str(folder),), ("os.symlink", "os.link"))


def changes(good: Path, folder: Path) -> Iterator[tuple[str, str, Change, Check]]:
    """Kind, name, what is done to a copy of the folder, and what must follow."""
    (folder / "outside").write_bytes(bytes(10_000))
    for file in FILES:
        data = (good / file).read_bytes()
        for kind, name, damaged in damages(data, seed=len(data)) if data else ():
            yield f"{file}: {kind}", name, _written(file, damaged), harmless
        needed = refused() if data else harmless
        yield "missing", file, lambda own, f=file: (own / f).unlink(), needed
        yield "a link", file, lambda own, f=file: _linked(own / f, folder / "outside"), needed
        yield "a link to a device", file, lambda own, f=file: _linked(own / f, Path("/dev/zero")), refused()
        yield "a pipe", file, lambda own, f=file: ((own / f).unlink(), os.mkfifo(own / f)), refused()
        yield "a folder", file, lambda own, f=file: ((own / f).unlink(), (own / f).mkdir()), refused()
        yield "a terabyte of nothing", file, lambda own, f=file: os.truncate(own / f, 1 << 40), harmless
    for name, message in messages().items():
        yield "messages", f"metadata: {name}", _written(FILES[0], message), harmless
        yield "messages", f"program: {name}", _program(message), harmless
    for name, config in lambdas():
        yield "code", name, _written(FILES[0], _metadata(config)), harmless
    for name, table in tables((good / FILES[1]).read_bytes()).items():
        yield "the index", name, _written(FILES[1], table), refused()


def _written(file: str, data: bytes) -> Change:
    def change(own: Path) -> None:
        (own / file).write_bytes(data)

    return change


def _program(data: bytes) -> Change:
    """The config in the program, as up to tf.keras 2.4."""

    def change(own: Path) -> None:
        (own / FILES[0]).unlink()
        (own / FILES[3]).write_bytes(data)

    return change


def _linked(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


# Messages --------------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _metadata(config: Any) -> bytes:
    import json

    root = json.dumps({**config, "model_config": config}).encode()
    return _field(1, _field(3, b"root") + _field(5, root))


def messages() -> dict[str, bytes]:
    """Messages of protocol buffers that are none, or hold too much."""
    deep = b""
    for _ in range(5000):
        deep = _field(1, deep)
    return {
        "nothing": b"",
        "a number without end": b"\xff" * 100,
        "a length of 2**63": b"\x0a" + _varint(1 << 63) + b"x",
        "a group": b"\x0b\x0c",
        "field 0": b"\x02\x00",
        "a million fields": b"\x08\x01" * 1_000_000,
        "a million messages": b"\x0a\x00" * 1_000_000,
        "messages in each other": deep,
        "a number where a message belongs": b"\x08\x01",
        "no JSON": _field(1, _field(3, b"root") + _field(5, b"{")),
        "deep JSON": _field(1, _field(3, b"root") + _field(5, b"[" * 100_000)),
        "a list": _field(1, _field(3, b"root") + _field(5, b"[]")),
        "no UTF-8": _field(1, _field(3, b"root") + _field(5, b'{"config": "\xff"}')),
        "no root": _field(1, _field(3, b"rooted") + _field(5, b"{}")),
        "a config of a list": _metadata({"class_name": "Sequential", "config": []}),
        "a config of nothing": _metadata({"class_name": "Sequential", "config": {"layers": [None, 1]}}),
    }


def tables(good: bytes) -> dict[str, bytes]:
    """Indices whose blocks or entries lie."""
    footer = bytearray(good[-48:])
    magic = bytes(footer[-8:])

    def table(blocks: bytes, index: bytes, handle: tuple[int, int] | None = None) -> bytes:
        at = handle or (len(blocks), len(index))
        end = _varint(0) + _varint(0) + _varint(at[0]) + _varint(at[1])
        return blocks + index + b"\0" * 5 + end.ljust(40, b"\0") + magic

    def block(*entries: tuple[bytes, bytes]) -> bytes:
        body = b"".join(b"\0" + _varint(len(k)) + _varint(len(v)) + k + v for k, v in entries)
        return body + bytes(4) + b"\1\0\0\0"

    def of(*entries: tuple[bytes, bytes], kind: int = 0) -> bytes:
        first = block(*entries) if kind == 0 else entries[0][1]
        return table(first + bytes([kind]) + bytes(4), block((b"z", _varint(0) + _varint(len(first)))))

    def entry(dtype: int, sizes: tuple[int, ...], offset: int = 0, size: int = 16, shard: int = 0) -> bytes:
        shape = b"".join(_field(2, b"\x08" + _varint(n & (1 << 64) - 1)) for n in sizes)
        return (
            b"\x08" + _varint(dtype) + _field(2, shape) + b"\x18" + _varint(shard) + b"\x20" + _varint(offset)
            + b"\x28" + _varint(size)
        )  # fmt: skip

    graph, header = b"_CHECKPOINTABLE_OBJECT_GRAPH", (b"", b"\x08\x01")
    made = {
        "no blocks": bytes(40) + magic,
        "an index block behind the file": table(b"", b"", (1 << 40, 1 << 40)),
        "a block that is its own index": table(b"", block((b"z", _varint(0) + _varint(30)))),
        "a block of an unknown kind": of((b"", b"xx"), kind=7),
        "a packed block of 2**62": of((b"", _varint(1 << 62) + b"\0x"), kind=1),
        "a packed block that copies nothing": of((b"", _varint(10) + b"\x05\x00"), kind=1),
        "a packed bomb": of((b"", _varint(1 << 26) + b"\0x" + b"\xfe\x01\x00" * (1 << 20)), kind=1),
        "10 million shards": of((b"", b"\x08" + _varint(10**7)), (graph, entry(7, ()))),
        "an entry of a negative size": of(header, (graph, entry(7, (), size=(1 << 64) - 1))),
        "a negative offset": of(header, (graph, entry(7, (), offset=(1 << 64) - 1))),
        "another shard": of(header, (graph, entry(7, (), shard=9))),
        "no objects": of(header, (b"a", entry(1, (2, 2)))),
        "objects of numbers": of(header, (graph, entry(1, (2, 2)))),
        "many texts": of(header, (graph, entry(7, (1 << 40,)))),
        "a key of no UTF-8": of(header, (b"\xff\xfe", entry(1, (2,)))),
    }
    return made
