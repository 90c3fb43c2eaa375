"""Hostile zip archives: damaged bytes, names that lead out, links, bombs, and members that are something else."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import h5py
from hostile import Hostile, harmless, refused
from hostile_hdf5 import damages, model

from keras_front import models


def archive_bytes() -> bytes:
    """A good archive."""
    buffer = io.BytesIO()
    model(trained=True).save(buffer, save_format="keras")
    return buffer.getvalue()


def cases() -> Iterator[Hostile]:
    """Damage of the bytes, then of what they mean."""
    data = archive_bytes()
    for kind, name, damaged in damages(data, seed=len(data)):
        yield _case(f".keras: {kind}", name, damaged, harmless)
    for name in NAMES:
        yield _case(".keras: names that lead out", name, changed(data, add={name: b"x"}), refused())
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        yield _case(".keras: missing", name, changed(data, without=(name,)), harmless)
        yield _case(".keras: a name twice", name, changed(data, add={name: b"{}"}), refused())
        yield _case(".keras: a folder", name, changed(data, without=(name,), add={name + "/": b""}), harmless)
        yield _case(
            ".keras: a link", name, changed(data, without=(name,), add={name: b"/etc/passwd"}, link=name), refused()
        )
        for what, content in CONTENTS.items():
            yield _case(f".keras: {name} is no such thing", what, changed(data, {name: content}, (name,)), harmless)
        for method in (8, 12, 14):
            bomb = changed(data, {name: bytes(1 << 25)}, (name,), method)
            yield _case(".keras: a bomb", f"{name}, method {method}", bomb, refused())
    for name, content in _made(data).items():
        yield _case(".keras: the archive itself", name, content, harmless)


def _case(kind: str, name: str, data: bytes, check: Any) -> Hostile:
    return Hostile(kind, name, lambda: models.load_model(io.BytesIO(data)), check)


def changed(
    data: bytes,
    add: dict[str, bytes] | None = None,
    without: tuple[str, ...] = (),
    method: int = 0,
    link: str = "",
) -> bytes:
    """A copy of an archive without some members, and with others behind."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            if info.filename not in without:
                new.writestr(info, old.read(info))
        for name, content in (add or {}).items():
            made = zipfile.ZipInfo(name)
            made.compress_type = method
            if name == link:
                made.external_attr = (stat.S_IFLNK | 0o777) << 16
            new.writestr(made, content)
    return buffer.getvalue()


NAMES = (
    "../x", "../../../../tmp/x", "/etc/x", "a/../../x", "..\\x", "C:\\x", "c:x", "\\\\server\\x", "a/../../../x",
    "assets/../../x", "..", "/", "//etc/x", "./../x",
)  # fmt: skip


def _linked() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers"] = h5py.ExternalLink("/etc/passwd", "/")
    return buffer.getvalue()


CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "a list": b"[]",
    "a number": b"7",
    "a text": b'"x"',
    "null": b"null",
    "an empty dictionary": b"{}",
    "unclosed": b'{"a": ',
    "deep": b"[" * 100_000,
    "no UTF-8": b"\xff\xfe{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a long number": b"9" * 100_000,
    "NaN": b"NaN",
    "another class": b'{"class_name": "Dense", "config": {"units": 2}}',
    "no class": b'{"class_name": 7, "config": []}',
    "a class of its own": b'{"class_name": "Sequential", "config": {"layers": {}}}',
    "layers of nothing": b'{"class_name": "Sequential", "config": {"name": "s", "layers": [null, 1, "x"]}}',
    "compiled with a list": b'{"class_name": "Sequential", "config": {"layers": []}, "compile_config": []}',
    "a link inside": _linked(),
    "noise": bytes(range(256)) * 4,
}


def _made(data: bytes) -> dict[str, bytes]:
    """Archives that lie about themselves."""
    nested = changed(data, {"config.json": data}, ("config.json",))
    flagged, end = bytearray(data), data.rfind(b"PK\x05\x06")
    first = data.find(b"PK\x01\x02")
    flagged[first + 8] |= 1
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(3000):
            archive.writestr(f"m{number}", b"")
    big, wrong_crc, method, count = (bytearray(data) for _ in range(4))
    big[first + 24 : first + 28] = struct.pack("<I", 0xFFFFFFF0)
    wrong_crc[first + 16 : first + 20] = b"\x01\x02\x03\x04"
    method[first + 10 : first + 12] = struct.pack("<H", 99)
    count[end + 10 : end + 12] = struct.pack("<H", 60000)
    overlapping = bytearray(data)  # the second entry points to the data of the first
    second = data.find(b"PK\x01\x02", first + 1)
    overlapping[second + 42 : second + 46] = data[first + 42 : first + 46]
    return {
        "an archive in the place of its config": nested,
        "an encrypted member": bytes(flagged),
        "3000 members": many.getvalue(),
        "a size of 4 GB": bytes(big),
        "a wrong checksum": bytes(wrong_crc),
        "an unknown compression": bytes(method),
        "60000 entries that are not there": bytes(count),
        "entries that overlap": bytes(overlapping),
        "no members": changed(b"PK\x05\x06" + bytes(18)),
        "the end alone": data[end:],
        "a comment that hides another end": data + b"PK\x05\x06" + bytes(18),
        "tripled": data * 3,
        "JSON of an HDF5 file": json.dumps({"a": 1}).encode(),
    }


Reader = Callable[[Any], Any]
