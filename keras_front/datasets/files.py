"""Where the files of data sets are: in the cache of Keras, or at their canonical address.

A file that is in the cache is used, whoever put it there, and under whichever of the names that versions of Keras gave
it. If it is not the original, a warning says so, since a file of one's own may be what was wanted. Only what is not
there is fetched, and what was fetched must have the original's hash.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_front.errors import ArgumentError, SerializationError, UnsafeFileError
from keras_front.tracebacks import warn_user
from keras_front.utils.file_cache import cache_folder
from keras_front.utils.hashes import validate_file
from keras_front.utils.unpacking import read_unpacked

__all__ = ["ORIGIN", "Source", "cached_file", "read_arrays", "split", "unpacked_folder"]

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

Split = tuple[np.ndarray, np.ndarray]


class Source(NamedTuple):
    """Where a file of a data set comes from.

    Args:
        origin: its address.
        hashes: hashes of the original, as versions of Keras know it; the first is asked of a download.
        other_names: names in the cache under which other versions of Keras keep it, or by which it is offered.
        subdir: folder in the cache.
    """

    origin: str
    hashes: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    subdir: str = "datasets"


def cached_file(path: str, source: Source, get_file: Callable[..., str]) -> Path:
    """The file of a data set, which is fetched if it is not in the cache.

    Args:
        path: name in the cache, or an absolute path.
        source: where it comes from.
        get_file: what fetches it: that of the module of the data set, where a program may have put another one.

    Raises: DownloadError if it is not there and cannot be fetched; it says which file to put where.
    """
    folder = cache_folder() / source.subdir
    for name in (path, *source.other_names):
        if (folder / name).is_file():
            if name == path and source.hashes:
                _warn_unless_original(folder / name, source)
            return folder / name
    # A name that only older versions gave (`mnist.pkl.gz`) stands for a file of another format.
    name = source.origin.rpartition("/")[2] if path in source.other_names else path
    expected = source.hashes[0] if source.hashes else None
    return Path(get_file(name, source.origin, file_hash=expected, cache_subdir=source.subdir))


def _warn_unless_original(file: Path, source: Source) -> None:
    if not any(validate_file(file, known) for known in source.hashes):
        warn_user(
            f"{file} is not the original from {source.origin}: its hash is another one. It is used as it is; "
            "delete it to have the original fetched."
        )


def unpacked_folder(name: str, source: Source, get_file: Callable[..., str]) -> Path:
    """The folder of a data set that is distributed as an archive, which is fetched and unpacked where that is needed.

    Args:
        name: the folder, in the archive as in the cache.
        source: where the archive comes from. Its `other_names` are other names of the archive.
        get_file: see `cached_file`.
    """
    base = cache_folder() / source.subdir
    for folder in (base / name, base / f"{name}-target" / name):  # Keras 3 unpacks into a folder of its own
        if folder.is_dir():
            return folder
    archive = cached_file(f"{name}.tar.gz", source, get_file)
    from keras_front.utils.archives import extract

    extract(archive, archive.parent)
    if not (archive.parent / name).is_dir():
        raise SerializationError(f"{archive}: expected a tar archive with a folder {name!r}.")
    return archive.parent / name


def read_arrays(file: Path, *names: str) -> list[Any]:
    """Arrays of a data set by name: from an `.npz` file, or from a pickle of Keras 1, where they have an order only.

    Args:
        file: the file.
        names: of the arrays, in the order of the pickle.

    Raises: SerializationError if the file holds something else, or is incomplete.
    """
    try:
        found = _arrays(file, names)
    except UnsafeFileError:
        raise
    except SerializationError as error:
        raise SerializationError(f"{error} Delete the file to have the original fetched.") from error
    if found is None:
        raise SerializationError(f"{file}: expected the arrays {', '.join(names)}; it holds others.")
    return found


def _arrays(file: Path, names: tuple[str, ...]) -> list[Any] | None:
    from keras_front.utils.pickles import load_npz, load_pickle

    with open(file, "rb") as stream:
        start = stream.read(2)
    if start == b"PK" or file.suffix == ".npz":
        arrays = load_npz(file)
        return [arrays[name] for name in names] if set(names) <= arrays.keys() else None
    parts = load_pickle(_content(file, start), str(file))
    if isinstance(parts, tuple | list) and len(names) == 4:
        parts = [array for pair in parts[:2] if isinstance(pair, tuple | list) for array in pair]
    return list(parts) if isinstance(parts, tuple | list) and len(parts) == len(names) else None


def _content(file: Path, start: bytes) -> bytes:
    import gzip
    import zlib

    if start != b"\x1f\x8b":
        return file.read_bytes()
    try:
        with gzip.open(file) as stream:
            return read_unpacked(stream, file.stat().st_size, str(file))
    except (OSError, EOFError, zlib.error) as error:
        raise SerializationError(f"{file}: expected data packed by gzip, received others ({error}).") from error


def split(x: Any, y: Any, test_split: float, seed: int | None) -> tuple[Split, Split]:
    """Rows in the random order that the seed gives, and the last of them kept for testing.

    Args:
        x: inputs.
        y: targets.
        test_split: which part is for testing, from 0 to below 1.
        seed: of the order, which is the same as in every version of Keras.

    Raises: ArgumentError for another `test_split`.
    """
    if not 0 <= test_split < 1:
        raise ArgumentError(f"load_data: expected test_split from 0 to below 1, received {test_split!r}.")
    order = np.random.RandomState(seed).permutation(len(x))
    x, y, train = x[order], y[order], int(len(x) * (1 - test_split))
    return (x[:train], y[:train]), (x[train:], y[train:])
