"""What Keras 3 writes in several files: an archive that is not packed, and weights in parts, joined in memory.

    model.save(folder, zipped=False)          a folder with the members of a `.keras` archive
    model.save_weights("m.weights.json", ...) which groups of the weights are in which `.weights.h5` beside it

Nothing is opened but files of these names in that folder; what is joined passes the guard as any archive does.
Source: Keras 3.15, `keras/src/saving/saving_lib.py`.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_front import config
from keras_front.errors import UnreadableFileError

from . import atomic, guard, hdf5, tensor_bundle

__all__ = ["is_apart", "joined"]

CONFIG, WEIGHTS, ASSETS = "config.json", "model.weights.h5", "assets"
MEMBERS = (CONFIG, "metadata.json", WEIGHTS)
PARTS = ".weights.json"
MOST = 10_000  # entries of the map, and files of the assets


class Joined(io.BytesIO):
    """The files as one, with the path that they were read from as its name.

    Args:
        name: what to call it in messages.
    """

    def __init__(self, name: str):
        super().__init__()
        self.name = name


def is_apart(path: Any) -> bool:
    """Whether a path is a folder with the members of an archive, or a map of weights in parts.

    Args:
        path: path; anything else is none.
    """
    if not atomic.is_path(path):
        return False
    return os.path.isfile(Path(path, CONFIG)) or (os.fspath(path).endswith(PARTS) and os.path.isfile(path))


def joined(path: Any) -> Joined:
    """The archive of a folder, or the HDF5 file of weights in parts.

    Args:
        path: for which `is_apart` is true.

    Raises: UnreadableFileError for a map that is none, or a part that is missing; UnsafeFileError for links, and names
        that lead elsewhere.
    """
    result = Joined(os.fspath(path))
    (_pack if os.path.isdir(path) else _join)(Path(path), result)
    result.seek(0)
    return result


def _pack(folder: Path, result: Joined) -> None:
    with zipfile.ZipFile(result, "w") as archive:
        for name in _members(folder):
            limit = guard.CONFIG_BYTES if name in MEMBERS and name != WEIGHTS else config.max_model_bytes()
            archive.writestr(name, tensor_bundle.content(str(_plain(folder / name)), limit))


def _members(folder: Path) -> Iterator[str]:
    yield from (name for name in MEMBERS if (folder / name).exists())
    for count, path in enumerate(sorted((folder / ASSETS).rglob("*"))):
        if count == MOST:
            raise guard.unsafe(str(folder), f"at most {MOST} assets", "more", "A model has a handful.")
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()


def _plain(path: Path) -> Path:
    if path.is_symlink() or not path.is_file():
        raise guard.unsafe(str(path), "a file", "a link, or none", "The parts of a model are files in its folder.")
    return path


def _join(path: Path, result: Joined) -> None:
    import h5py

    told = guard.parsed(tensor_bundle.content(str(_plain(path)), guard.CONFIG_BYTES), str(path))
    held = told.get("weight_map") if isinstance(told, Mapping) else None
    if not isinstance(held, Mapping) or len(held) > MOST:
        raise UnreadableFileError(f"{path}: expected a 'weight_map' of up to {MOST} groups, found none.")
    groups: dict[str, list[str]] = {}
    for group, names in held.items():
        for name in [names] if isinstance(names, str) else names if isinstance(names, list) else [None]:
            groups.setdefault(_part(path, name), []).append(group)
    with h5py.File(result, "w") as target:
        for name, wanted in groups.items():
            with hdf5.opened(_plain(path.with_name(name))) as (source, where):
                for group in wanted:
                    _copy(source, target, group.strip("/"), where)


def _part(path: Path, name: Any) -> str:
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".h5"):
        raise guard.unsafe(str(path), "names of .h5 files in its folder", repr(name)[:80], "It would read other files.")
    if not path.with_name(name).exists():
        raise UnreadableFileError(f"{path}: expected the part {name!r} beside it, found no such file.")
    return name


def _copy(source: Any, target: Any, group: str, where: str) -> None:
    """The arrays of one group; another part may hold more of them."""
    if group not in source:
        raise UnreadableFileError(f"{where}: expected the group {group!r} of the map, found {sorted(source)[:10]}.")
    held = target.require_group(group)
    for name in source[group]:
        if name not in held:
            source.copy(f"{group}/{name}", held, name)
