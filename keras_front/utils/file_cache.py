"""`get_file`: files from the network, kept in the cache of Keras."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from keras_front import config, conventions
from keras_front.errors import ArgumentError, StateError
from keras_front.failures import explains_failures
from keras_front.tracebacks import warn_user
from keras_front.utils.hashes import validate_file
from keras_front.utils.messages import print_msg

__all__ = ["cache_folder", "get_file"]


class _Places(NamedTuple):
    """Where things go: the file, the folder that it is unpacked into (or None), and what `get_file` returns."""

    file: Path
    folder: Path | None
    result: Path


@explains_failures
def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file in the cache, which is fetched if it is not there.

    A file that is there is used, whoever put it there: other versions of Keras, or somebody by hand. If a hash is given
    and the file has another one, it is fetched again. An interrupted download goes on where it stopped, and the file
    is in its place only when it is whole.

    Args:
        fname: name of the file in the cache; by default that in `origin`. An absolute path is used as it is, one that
            leads out of the cache by '..' is refused.
        origin: address of the file.
        untar: the file is a tar archive that holds a folder `fname`: it is kept as `fname.tar.gz` and unpacked, and the
            result is that folder. Nothing is fetched if the folder is there.
        md5_hash: older name of `file_hash`, for MD5.
        file_hash: hash of the file; None takes it as it is.
        cache_subdir: folder in the cache; 'datasets' by tradition. An absolute path is used as it is.
        hash_algorithm: 'md5', 'sha256', or 'auto', which tells them by their length.
        extract: unpack the file, a tar or zip archive, into its folder. The result is the path of the archive; in the
            dialect 'keras3' it is a folder of its own that the archive was unpacked into.
        archive_format: what to try for `extract`: 'auto', 'tar', 'zip', a list of these, or None for nothing.
        cache_dir: the cache; by default the environment variable KERAS_HOME, or `~/.keras`.
        force_download: fetch the file even if it is there.

    Raises: DownloadError (an OSError) if the file cannot be fetched: it says which file to put where. ArgumentError if
        what comes has another hash. UnsafeFileError if an archive has links, devices, or names outside its folder.
    Source: Keras 2.3.1, `keras/utils/data_utils.py`; 3.15, `keras/src/utils/file_utils.py`, for `force_download` and
        where the dialect 'keras3' unpacks to.

    Example:
        >>> get_file("flowers.tgz", "https://example.org/flowers.tgz", extract=True)  # doctest: +SKIP
    """
    if origin is None:
        raise ArgumentError('get_file: please specify the "origin" argument, the address of the file.')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = cache_folder(cache_dir) / cache_subdir
    places = _places(folder, fname, origin, untar, extract)
    unpacked = untar and os.path.isdir(places.result) and not conventions.current().own_extraction_folder
    if unpacked and not force_download:
        return str(places.result)
    from keras_front.utils import archives, downloads  # here, because they import much

    if force_download or not _is_cached(places.file, file_hash, hash_algorithm):
        places = _writable(places, cache_subdir)
        if force_download or not _is_cached(places.file, file_hash, hash_algorithm, silent=True):
            downloads.download(origin, places.file, file_hash, hash_algorithm)
    if places.folder is not None and not archives.extract(
        places.file, places.folder, "tar" if untar else archive_format
    ):
        warn_user(f"get_file: {places.file} is no archive that can be unpacked.")
    return str(places.result)


def cache_folder(cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """The folder of cached files.

    Args:
        cache_dir: a folder, which may begin with `~`; by default KERAS_HOME from the environment, or `~/.keras`.
    """
    return config.path().parent if cache_dir is None else Path(cache_dir).expanduser()


def _places(folder: Path, fname: str | os.PathLike[str] | None, origin: str, untar: bool, extract: bool) -> _Places:
    import urllib.parse

    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ArgumentError(f"get_file: {origin!r:.200} does not end in the name of a file; give one as `fname`.")
    inside = os.path.normpath(name)
    if "\0" in name or inside == "." or inside.partition(os.sep)[0] == "..":
        raise ArgumentError(
            f"get_file: expected fname to name a file inside the cache, received {name!r:.200}.\n"
            "  A place outside is given by an absolute path, or as cache_dir."
        )
    if not (untar or extract):
        return _Places(folder / name, None, folder / name)
    if conventions.current().own_extraction_folder:
        return _places_with_own_folder(folder, name, bool(fname))
    if untar:
        stem = name.removesuffix(".tar.gz")
        return _Places(folder / f"{stem}.tar.gz", folder, folder / stem)
    return _Places(folder / name, folder, folder / name)


def _places_with_own_folder(folder: Path, name: str, given: bool) -> _Places:
    """As Keras 3 names them."""
    if given and "." in name:
        unpacked = folder / f"{name[: name.find('.')]}_extracted"
        return _Places(folder / name, unpacked, unpacked)
    return _Places(folder / f"{name}_archive", folder / name, folder / name)


def _is_cached(file: Path, file_hash: str | None, algorithm: str, silent: bool = False) -> bool:
    if not os.path.exists(file):
        return False
    if file_hash is None or validate_file(file, file_hash, algorithm):
        return True
    if not silent:
        print_msg(
            f"A local file was found, but it seems to be incomplete or outdated because the {algorithm} file hash does "
            f"not match the original value of {file_hash} so we will re-download the data."
        )
    return False


def _writable(places: _Places, cache_subdir: str) -> _Places:
    """The same places, or if nothing can be written there, places in a folder for temporary files."""
    try:
        places.file.parent.mkdir(parents=True, exist_ok=True)
        if os.access(places.file.parent, os.W_OK):
            return places
    except OSError:
        pass
    other = _temporary_cache() / ("" if os.path.isabs(cache_subdir) else cache_subdir)
    other.mkdir(parents=True, exist_ok=True)
    base = places.file.parent
    return _Places(*(None if place is None else other / os.path.relpath(place, base) for place in places))  # type: ignore[arg-type]


def _temporary_cache() -> Path:
    """`.keras` in the system's folder for temporary files, as in Keras, if nobody else can write to it."""
    import tempfile

    folder = Path(tempfile.gettempdir()) / ".keras"
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and (folder.is_symlink() or folder.stat().st_uid != os.getuid()):
        raise StateError(
            f"get_file: the cache cannot be written, and {folder} belongs to somebody else.\n"
            "  Set KERAS_HOME, or pass cache_dir, to a folder of yours."
        )
    return folder
