"""Unpacking archives that somebody else made.

Nothing of an archive lands outside the folder that it is unpacked into: names with `..`, absolute names, links and
devices are errors, before anything is in its place. The archive is unpacked into a temporary folder and moved when all
is there, so an interruption leaves no half of a data set behind.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from keras_front.errors import ArgumentError, UnreadableFileError, UnsafeFileError
from keras_front.utils.unpacking import most_unpacked

if TYPE_CHECKING:
    import tarfile
    import zipfile

__all__ = ["extract"]

FORMATS = ("tar", "zip")


class _Member(NamedTuple):
    """A folder (no stream) or a file of an archive."""

    name: str
    size: int
    stream: IO[bytes] | None


def extract(file: str | os.PathLike[str], folder: str | os.PathLike[str], archive_format: object = "auto") -> bool:
    """Unpack an archive into a folder; whether `file` is an archive of such a format.

    Args:
        file: the archive: tar, plain or compressed by gzip, bzip2 or xz, or zip.
        folder: where its files go; made if it is not there. Files of the same names are replaced.
        archive_format: 'tar', 'zip', a list of these, 'auto' for both, or None for none.

    Raises: UnsafeFileError if the archive has links, devices or names outside the folder, or more bytes than the disk;
        UnreadableFileError if it is damaged; ArgumentError for another format.
    """
    names = _formats(archive_format)
    with _reading(os.fspath(file)):
        members = _members(Path(file), names)
        if members is not None:
            _unpack(members, os.fspath(file), Path(folder))
    return members is not None


def _unpack(members: Iterator[_Member], file: str, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".extracting-", dir=target))
    try:
        free, most = shutil.disk_usage(temporary).free, most_unpacked(os.path.getsize(file))
        for member in members:
            free, most = free - member.size, most - member.size
            if free < 0:
                raise UnsafeFileError(f"{file}: its files need more bytes than the disk has free.")
            if most < 0:
                raise UnsafeFileError(f"{file}: its files need far more bytes than it has: it is a bomb.")
            _write(member, temporary, file)
        _move(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _reading(file: str) -> Iterator[None]:
    """A context in which what is wrong with the archive, not with the disk, becomes one error."""
    try:
        yield
    except _damage() as error:
        if isinstance(error, OSError) and error.errno not in (None, *_OF_NAMES):
            raise
        raise UnreadableFileError(
            f"{file}: expected an archive, received one that is damaged or incomplete: {error!s:.200}. Delete it to "
            "get it again."
        ) from error


# What the system says of names that an archive should not have, in a folder that was empty.
_OF_NAMES = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ)


def _damage() -> tuple[type[Exception], ...]:
    """What reading a damaged archive raises; decompressors also raise OSErrors without a number."""
    import lzma
    import tarfile
    import zipfile
    import zlib

    own = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
    return (*own, EOFError, OSError, NotImplementedError, RuntimeError)


def _formats(archive_format: object) -> tuple[str, ...]:
    if archive_format is None:
        return ()
    names = (archive_format,) if isinstance(archive_format, str) else tuple(archive_format)  # type: ignore[arg-type]
    names = FORMATS if names == ("auto",) else names
    for name in names:
        if name not in FORMATS:
            raise ArgumentError(f"archive_format: expected 'auto', 'tar', 'zip' or None, received {name!r}.")
    return names


def _members(file: Path, formats: tuple[str, ...]) -> Iterator[_Member] | None:
    """What is in the archive; None if the file is none of these formats."""
    import tarfile
    import zipfile

    if "tar" in formats and tarfile.is_tarfile(file):
        return _tar_members(file)
    if "zip" in formats and zipfile.is_zipfile(file):
        return _zip_members(file)
    return None


def _tar_members(file: Path) -> Iterator[_Member]:
    import tarfile

    with tarfile.open(file) as archive:
        for info in archive:
            if not (info.isreg() or info.isdir()):
                raise UnsafeFileError(f"{file}: expected files and folders, received {_kind(info)} {info.name!r}.")
            yield _Member(info.name, info.size if info.isreg() else 0, archive.extractfile(info))


def _kind(info: tarfile.TarInfo) -> str:
    return "the link" if info.issym() or info.islnk() else "the device or special file"


def _zip_members(file: Path) -> Iterator[_Member]:
    import zipfile

    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            _check_zip_kind(info, file)
            if info.is_dir():
                yield _Member(info.filename, 0, None)
            else:
                with archive.open(info) as stream:
                    yield _Member(info.filename, info.file_size, stream)


def _check_zip_kind(info: zipfile.ZipInfo, file: Path) -> None:
    kind = info.external_attr >> 28  # the file type of Unix; 0 where the archive was made elsewhere
    if kind not in (0, 0o4, 0o10):
        raise UnsafeFileError(f"{file}: expected files and folders, received the link or device {info.filename!r}.")


def _write(member: _Member, folder: Path, where: str) -> None:
    """Write one member, unless its name leads elsewhere. Permissions are those of new files."""
    parts = [part for part in re.split(r"[/\\]", member.name) if part not in ("", ".")]
    if ".." in parts or member.name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", member.name):
        raise UnsafeFileError(f"{where}: the name {member.name!r} leads outside the folder; nothing was unpacked.")
    if not parts:
        return
    path = folder.joinpath(*parts)
    if member.stream is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        _copy(member, out)


def _copy(member: _Member, out: IO[bytes]) -> None:
    """Copy as many bytes as the archive announced, and no more."""
    left = member.size
    while left and (chunk := member.stream.read(min(left, 1 << 20))):  # type: ignore[union-attr]
        out.write(chunk)
        left -= len(chunk)
    if left:
        raise EOFError(f"{member.name} ends too early")


def _move(source: Path, target: Path) -> None:
    """Move everything in one folder into another one, whose folders are joined and files replaced.

    A link in the place of a folder is replaced as well: nothing is written through it.
    """
    for path in list(source.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir() and not place.is_symlink():
            _move(path, place)
            continue
        if place.is_dir() and not place.is_symlink():
            raise ArgumentError(f"{place}: expected room for a file, there is a folder; move it away.")
        if path.is_dir() and (place.is_symlink() or place.exists()):
            place.unlink()
        os.replace(path, place)
