"""Hostile archives of `get_file`: names and links that lead out, devices, bombs, damage; and names and origins."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostile import Check, Hostile, harmless, refused
from hostile_archives import NAMES, changed
from hostile_hdf5 import damages
from watch import Watch

from keras_front.utils.archives import extract
from keras_front.utils.file_cache import get_file

PACKERS = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}
LINKS = ("/etc/passwd", "../../outside", "../outside", "inside", ".", "/")


def cases() -> Iterator[Hostile]:
    """Every archive through `extract` and through `get_file`, then names and origins."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    (folder / "outside").mkdir()
    for kind, name, data, end, check in archives():
        yield _unpacked(kind, name, data, folder, end, check)
    for name in FNAMES:
        for how in ({}, {"extract": True}, {"untar": True}):
            yield _fetched("names in the cache", f"{name!r}, {[*how]}", folder, fname=name, **how)
    for origin in ORIGINS:
        yield _fetched("origins", origin, folder, origin=origin)


def good() -> dict[str, bytes]:
    """An archive with one file for each suffix."""
    return {**{end: packer(_tar({"a/b": b"x" * 999})) for end, packer in PACKERS.items()}, "zip": _zip()}


def archives() -> Iterator[tuple[str, str, bytes, str, Check]]:
    """Kind, name, bytes, suffix, and what must follow."""
    for end, packer in PACKERS.items():
        yield from ((f".{end}: what it holds", name, packer(data), end, refused()) for name, data in tars().items())
    yield from ((".zip: what it holds", name, data, "zip", refused()) for name, data in zips().items())
    yield from (("bombs", name, data, name.split()[0], refused()) for name, data in bombs().items())
    for end, data in good().items():
        for kind, name, damaged in damages(data, seed=len(data)):
            yield f".{end}: {kind}", name, damaged, end, harmless


def _stays_inside(folder: Path, check: Check) -> Check:
    def stays(watch: Watch, read: Any) -> None:
        check(watch, read)
        left = [path.name for path in (folder / "outside").iterdir()]
        for name in left:
            (folder / "outside" / name).unlink()
        assert not left, f"{left} was written outside"
        links = [path for path in (folder / "in").rglob("*") if path.is_symlink()] if (folder / "in").exists() else []
        assert not links, f"{links[0]} is a link"

    return stays


def _unpacked(kind: str, name: str, data: bytes, folder: Path, end: str, check: Check) -> Hostile:
    def run() -> Any:
        (folder / f"a.{end}").write_bytes(data)
        extract(folder / f"a.{end}", folder / "in")

    return Hostile(kind, name, run, _stays_inside(folder, check), (str(folder / "in"), str(folder / f"a.{end}")))


# Tar -------------------------------------------------------------------------------------------------


def _tar(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in others:
            archive.addfile(info)
    return buffer.getvalue()


def _special(name: str, kind: bytes, target: str = "", **attributes: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


def tars() -> dict[str, bytes]:
    """Archives whose members lead out, or are no files."""
    made = {f"a member {name}": _tar({name: b"x"}) for name in NAMES if name not in ("..", "/")}
    for target in LINKS:
        for kind, what in ((tarfile.SYMTYPE, "a link"), (tarfile.LNKTYPE, "a hard link")):
            made[f"{what} to {target}"] = _tar({}, _special("x", kind, target))
            made[f"a file through {what} to {target}"] = _tar({}, _special("x", kind, target)) + _tar({"x/y": b"x"})
    for name, kind in {"a device": tarfile.CHRTYPE, "a disk": tarfile.BLKTYPE, "a pipe": tarfile.FIFOTYPE}.items():
        made[name] = _tar({}, _special("x", kind, devmajor=1, devminor=3))
    made["a folder that leads out"] = _tar({}, _special("../outside/x", tarfile.DIRTYPE))
    made["a file in the place of a folder"] = _tar({"a": b"x", "a/b": b"x"})
    made["a name of 10000 letters"] = _tar({"a" * 10_000: b"x"})
    made["10000 folders in each other"] = _tar({"a/" * 10_000 + "b": b"x"})
    return made


# Zip -------------------------------------------------------------------------------------------------


def _zip() -> bytes:
    return changed(b"PK\x05\x06" + bytes(18), add={"a/b": b"x" * 999})


def zips() -> dict[str, bytes]:
    """The same as zip archives."""
    empty = b"PK\x05\x06" + bytes(18)
    made = {f"a member {name}": changed(empty, add={name: b"x"}) for name in NAMES if name not in ("..", "/")}
    made |= {f"a link to {target}": changed(empty, add={"x": target.encode()}, link="x") for target in LINKS}
    made["a file in the place of a folder"] = changed(empty, add={"a": b"x", "a/b": b"x"})
    made["a name of 10000 letters"] = changed(empty, add={"a" * 10_000: b"x"})
    encrypted = bytearray(_zip())
    encrypted[6] |= 1
    encrypted[bytes(encrypted).find(b"PK\x01\x02") + 8] |= 1
    made["an encrypted member"] = bytes(encrypted)
    return made


def bombs() -> dict[str, bytes]:
    """Archives of half a gigabyte that are small."""
    zeros = bytes(1 << 29)
    tar = _tar({"x": zeros})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x", zeros)
    lying = bytearray(packed.getvalue())
    at = bytes(lying).find(b"PK\x01\x02")
    lying[at + 24 : at + 28] = (10).to_bytes(4, "little")
    header = bytearray(_tar({"x": b"x" * 512}))
    header[124:136] = b"77777777777\0"
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:512]))
    return {
        "tar.gz": gzip.compress(tar, 1),
        "tar.bz2": bz2.compress(tar, 1),
        "zip": packed.getvalue(),
        "zip that says that it is small": bytes(lying),
        "tar that says that it is 8 GB": bytes(header),
    }


# Names and origins -----------------------------------------------------------------------------------

FNAMES = (
    "../outside/x",
    "../../outside/x",
    "a/../../outside/x",
    "..",
    ".",
    "a\0b",
    "a" * 10_000,
    "{0.__class__}",
    "a\nb",
)
ORIGINS = (
    "javascript:alert(1)", "data:text/plain,x", "gopher://127.0.0.1/x", "jar:file:///etc/passwd!/x", "x", "", "//x/y",
    "http://", "http:///x", "http://[::1/x", "http://127.0.0.1:99999/x", "ftp://", "file:", "file://", "file:///",
    "file:///no/such/file", "file:///dev", "FILE:///no/such/file", "local_file:///etc/passwd", "http://127.0.0.1:9/a\r\nb",
    "http://127.0.0.1:9/ a", "unix:///x", "mailto:x", "http://" + "a" * 70_000, "http://xn--\ud800/x",
)  # fmt: skip


EVENTS = ("socket.connect", "socket.getaddrinfo", "urllib.Request")


def _fetched(kind: str, name: str, folder: Path, **arguments: Any) -> Hostile:
    """`get_file` with a name or an address that a file or a stranger gave."""

    def run() -> Any:
        (folder / "source").write_bytes(b"x")
        given = {"fname": "x", "origin": f"file://{folder}/source", "cache_dir": str(folder / "in"), **arguments}
        return get_file(force_download=True, **given)

    return Hostile(
        kind, name, run, _stays_inside(folder, _no_harm), (str(folder), "/", "/dev", "/etc/mime.types"), EVENTS
    )


def _no_harm(watch: Watch, read: Any) -> None:
    watch.check_harmless()
    if watch.error is None:
        assert os.path.exists(read), "the result is not there"
