"""The one guard before every format: what a file may not ask for, and how much memory it may claim (decision D12).

A model file is data from a stranger. Reading one must never run code, open another file, follow a link, or
take memory that neither the file nor the model accounts for. Every reader here goes through these
functions, whatever the format:

    configs        text_of, parsed, check_config
    HDF5           check_tree, group, array, texts
    zip archives   check_archive, member

How many layers and how much memory a config may ask for is counted in `sizes`.
Classes are not this module's business: names are looked up in registries, which are allow-lists, and a
module path in a file is never imported. Nothing in a file can loosen the guard; only the caller can
(`allow_code=True`).
"""

from __future__ import annotations

import itertools
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from keras_front import bytecode
from keras_front.backend import dtypes
from keras_front.errors import MissingFileError, SerializationError, UnreadableFileError, UnsafeFileError
from keras_front.file_form import FileForm
from keras_front.registry import Registry, get_registered_object
from keras_front.utils.unpacking import most_unpacked

__all__ = [
    "array",
    "check_archive",
    "check_config",
    "check_depth",
    "check_tree",
    "group",
    "member",
    "parsed",
    "text_of",
    "texts",
    "unsafe",
]

MEGABYTE = 1 << 20

# What a config may claim. The largest published models stay below a tenth of each.
CONFIG_BYTES = 32 * MEGABYTE
CONFIG_DEPTH = 200

# Deflate cannot pack more than 1032 to 1, so a dataset beyond that ratio was declared, not stored.
PACKED = 1100
HOLLOW_BYTES = MEGABYTE  # ... and files below this size are not checked
LINKS = 1_000_000
FILTERS = {1, 2, 3, 4, 5, 6, 32000}  # gzip, shuffle, fletcher32, szip, nbit, scale-offset, lzf: no plug-ins

MEMBERS = 100_000

# Arguments of layers of other libraries that name a file or an address to be opened. Built-in layers say it themselves,
# see `FileForm.places`. A config may give the words themselves, no place.
PLACES = {
    "TFSMLayer": ("filepath",),
    "SavedModelLayer": ("filepath",),
    "Hub": ("handle",),
    "KerasLayer": ("handle",),
}

# Arguments that hold regular expressions. One that a stranger wrote may take longer than the machine lasts.
PATTERNS = {"DTypePolicyMap": "policy_map", "Muon": "exclude_layers"}
REPEATS = 4  # `*`, `+` and `{` in a pattern: as many powers of a path's length is what it may take
SLOW = re.compile(r"\)[*+{]|\\[1-9]|\(\?[^:i]")  # repeated groups, references to groups, assertions

# Classes of other libraries and versions that carry programs.
CODE_CLASSES = {
    "TorchModuleWrapper": "a pickled module",
    "JaxLayer": "code",
    "FlaxLayer": "code",
}


def check_there(path: str | os.PathLike[str]) -> None:
    """Raise unless `path` is a file; a folder of tf.keras, with a `saved_model.pb`, has a reader of its own.

    Args:
        path: the file.

    Raises: MissingFileError (a FileNotFoundError); UnreadableFileError (an OSError) for a folder.
    """
    if os.path.isdir(path):
        raise UnreadableFileError(
            f"{os.fspath(path)}: expected an .h5 or .keras file, found a folder.\n"
            "  A SavedModel of tf.keras holds a file saved_model.pb; there is none here."
        )
    if os.path.exists(path) and not os.path.isfile(path):
        raise UnreadableFileError(f"{os.fspath(path)}: expected a file, found a device or a pipe.")
    if not os.path.exists(path):
        raise MissingFileError(f"No file or directory found at {os.fspath(path)}: expected a file, found none.")


def unsafe(where: str, expected: str, received: str, remedy: str) -> UnsafeFileError:
    """The error for what a file may not ask for.

    Args:
        where: what to call the file or config, or a place in it.
        expected: what may stand there.
        received: what stands there.
        remedy: what to do, or why nothing can be done.
    """
    return UnsafeFileError(f"{where}: expected {expected}, received {received}.\n  {remedy}")


# Configs ---------------------------------------------------------------------------------------------


def text_of(raw: Any, where: str = "The config") -> str:
    """A config's text, from bytes or text, once its size is known to be sane.

    Args:
        raw: text, or bytes in UTF-8.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError if it is too long; SerializationError if it is no text.
    """
    if not isinstance(raw, str | bytes):
        raise SerializationError(f"{where}: expected JSON text, received {type(raw).__name__}.")
    if len(raw) > CONFIG_BYTES:
        raise unsafe(
            where,
            f"at most {CONFIG_BYTES // MEGABYTE} MiB of JSON",
            f"{len(raw) // MEGABYTE} MiB",
            "A config describes layers; weights do not belong there.",
        )
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SerializationError(f"{where}: expected UTF-8 text, received other bytes ({error}).") from None


def parsed(raw: Any, where: str = "The config") -> Any:
    """What a JSON text says.

    Args:
        raw: JSON, as text or bytes.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError for a text that is too long or too deep; SerializationError for one that is no
    JSON.
    """
    text = text_of(raw, where)
    try:
        value = json.loads(text)
    except RecursionError:
        raise _too_deep(where) from None
    except ValueError as error:
        raise SerializationError(f"{where}: expected JSON, received text that is not ({error}).") from None
    check_depth(value, where)
    return value


def _too_deep(where: str) -> UnsafeFileError:
    return unsafe(
        where,
        f"at most {CONFIG_DEPTH} levels of nesting",
        "more",
        "No model is nested that deep; the file was made to exhaust its reader.",
    )


_LEAVES = frozenset((str, int, float, bool, type(None)))  # asked first: most of a config, and no `Mapping`


def _children(value: Any) -> Sequence[Any]:
    if type(value) in _LEAVES:
        return ()
    return list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()


def check_depth(value: Any, where: str) -> None:
    """Refuse a value that is nested deeper than any model.

    Args:
        value: anything that a config may hold.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError.
    """
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > CONFIG_DEPTH:
            raise _too_deep(where)
        level = [child for item in level for child in _children(item) if _children(child)]


def check_config(config: Any, where: str = "The config") -> None:
    """Refuse code, unless the caller permits it, and places to read from anywhere in a config.

    To be called before anything is made from it.

    Args:
        config: a config as Keras 2 writes it.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError.
    """
    check_depth(config, where)
    for error in refusals(config, where):
        raise error


def refusals(config: Any, where: str) -> Iterator[UnsafeFileError]:
    """Everything in a config that `check_config` refuses, in its order.

    Args:
        config: a config as Keras 2 writes it, which passed `check_depth`.
        where: what to call the file or config in messages.
    """
    for item in dictionaries(config):
        for check in (_check_code, _check_places, _check_patterns):
            try:
                check(item, where)
            except UnsafeFileError as error:
                yield error


def dictionaries(config: Any) -> Iterator[Mapping[str, Any]]:
    """Every dictionary in a config, at any depth.

    Args:
        config: anything that a config may hold.
    """
    stack = [config]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            yield item
        stack.extend(child for child in _children(item) if type(child) not in _LEAVES)


def _name_in(item: Mapping[str, Any]) -> str:
    arguments = item.get("config")
    name = arguments.get("name") if isinstance(arguments, Mapping) else None
    return f"{item.get('class_name')} layer {name!r}" if name else str(item.get("class_name"))


def _check_code(item: Mapping[str, Any], where: str) -> None:
    """Bytecode stands beside a `function_type: lambda`; `__lambda__` objects of Keras 3 are turned into that first."""
    kind = item.get("class_name")
    if isinstance(kind, str) and CODE_CLASSES.get(kind):
        raise unsafe(
            where, "layers made of tensors", f"a {kind}: {CODE_CLASSES[kind]}", "It is never read from a file."
        )
    arguments = item.get("config")
    if not isinstance(arguments, Mapping) or get_registered_object(str(arguments.get("name"))) is not None:
        return  # the user's own function takes the place of the code
    if any(map(_is_foreign_code, _codes(arguments))):
        bytecode.check_permitted(f"{where}: the {_name_in(item)}")


def _codes(arguments: Mapping[str, Any]) -> list[Any]:
    """The values beside which a type says that they are code."""
    said = [key for key in arguments if isinstance(key, str) and key.endswith("_type") and arguments[key] == "lambda"]
    return [arguments.get(key.removesuffix("_type")) for key in said]


def _is_foreign_code(value: Any) -> bool:
    """Whether code comes from a file, and no function of the user of the same name takes its place."""
    if isinstance(value, bytecode.Code) or bytecode.is_own(value):  # the function itself, which never left this process
        return False
    name = bytecode.name_in(value)
    return name is None or get_registered_object(name) is None


def _check_places(item: Mapping[str, Any], where: str) -> None:
    arguments, kind = item.get("config"), item.get("class_name")
    if not isinstance(arguments, Mapping) or not isinstance(kind, str):
        return
    for argument in _places(kind):
        if isinstance(arguments.get(argument), str):
            raise unsafe(
                f"{where}: the {_name_in(item)}",
                f"its {argument!r} written out",
                f"a place to read it from, {arguments[argument]!r}",
                "A config may not open files or addresses; set it on the layer after loading.",
            )


def _check_patterns(item: Mapping[str, Any], where: str) -> None:
    arguments, argument = item.get("config"), PATTERNS.get(str(item.get("class_name")))
    found = arguments.get(argument) if isinstance(arguments, Mapping) and argument else None
    for pattern in found if isinstance(found, Mapping | list) else ():
        if not isinstance(pattern, str) or SLOW.search(pattern) or len(re.findall("[*+{]", pattern)) > REPEATS:
            raise unsafe(
                f"{where}: the {_name_in(item)}",
                f"patterns in {argument!r} with at most {REPEATS} repetitions, none of a group",
                f"{pattern!r:.100}",
                "It may take for ever to compare with a name; set it after loading.",
            )


def _places(kind: str) -> set[str]:
    """Arguments that may name a place: of the user's, the built-in and other libraries' classes of that name."""
    bare = kind.rpartition(">")[2]
    classes = (get_registered_object(kind), Registry.of("layer").find(bare))
    forms = [getattr(cls, "file_form", FileForm()) for cls in classes]
    return {*PLACES.get(bare, ()), *(name for form in forms for name in form.places)}


# HDF5 ------------------------------------------------------------------------------------------------


def check_tree(root: Any, where: str) -> None:
    """Refuse a file in which any link is not a plain one.

    Soft, external and user-defined links lead elsewhere.

    Args:
        root: an open file, or a group in one.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError.
    """
    from h5py import h5l

    kinds = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
    count = itertools.count(1)

    def look(name: bytes, info: Any) -> Any:  # raising here would confuse h5py; what is returned ends the visit
        if info.type != h5l.TYPE_HARD:
            return name.decode("utf-8", "replace"), kinds.get(info.type, "a link of an unknown kind")
        return True if next(count) > LINKS else None

    found = root.id.links.visit(look, info=True)
    if found is True:
        raise unsafe(where, f"at most {LINKS} objects", "more", "No model has that many weights.")
    if found is not None:
        raise unsafe(
            f"{where}, {found[0]!r}",
            "a group or dataset",
            found[1],
            "Model files hold no links; this one was made to read something else.",
        )


def group(parent: Any, name: str, where: str) -> Any:
    """The group `name` of `parent`; None if there is none.

    Args:
        parent: an open file, or a group in one.
        name: name of the group.
        where: what to call the file or config in messages.

    Raises: SerializationError if it is a dataset.
    """
    import h5py

    found = parent.get(name) if name in parent else None
    if found is not None and not isinstance(found, h5py.Group):
        raise SerializationError(f"{where}: expected {name!r} to be a group, received a dataset.")
    return found


def array(parent: Any, name: str, where: str, limit: int | None = None) -> np.ndarray:
    """The numbers in dataset `name` of `parent`, once their declared size is known to be honest.

    Args:
        parent: an open file, or a group in one.
        name: name of the dataset.
        where: what to call the file or config in messages.
        limit: most bytes that the caller can use.

    Raises:
        UnsafeFileError: for storage outside the file, or a size that the file or the model does not account
        for. SerializationError: if there is no such dataset, or it holds no numbers.
    """
    data = dataset(parent, name, where)
    declared = data.size * data.dtype.itemsize
    if limit is not None and declared > limit:
        raise unsafe(
            f"{where}, {name!r}",
            f"at most the {limit} bytes that the model has room for",
            f"a dataset that declares {declared} bytes",
            "The file does not belong to this model, or was made to exhaust memory.",
        )
    values = np.asarray(data[()])
    return dtypes.from_bfloat16(values.view("<u2")) if values.dtype == "V2" else values  # as Keras 3 writes bfloat16


def dataset(parent: Any, name: str, where: str) -> Any:
    """Dataset `name` of `parent`, checked but not read.

    Args:
        parent: an open file, or a group in one.
        name: name of the dataset.
        where: what to call the file or config in messages.
    """
    import h5py

    data = parent.get(name) if name in parent else None
    if not isinstance(data, h5py.Dataset):
        raise SerializationError(f"{where}: expected a dataset {name!r}, found {'a group' if data else 'none'}.")
    _check_storage(data, f"{where}, {name!r}")
    return data


def _check_storage(data: Any, where: str) -> None:
    from h5py import h5d

    plan = data.id.get_create_plist()
    if plan.get_layout() == h5d.VIRTUAL or plan.get_external_count():
        raise unsafe(
            where,
            "numbers stored here",
            "a dataset whose numbers lie in another file",
            "It would read foreign files.",
        )
    if any(plan.get_filter(i)[0] not in FILTERS for i in range(plan.get_nfilters())):
        raise unsafe(where, "gzip, lzf or no compression", "an unknown filter", "Filters are plug-ins, that is, code.")
    if data.dtype.kind not in "biufV" or data.dtype.hasobject or data.dtype.names:
        raise SerializationError(f"{where}: expected numbers, received {data.dtype}.")
    declared, stored = data.size * data.dtype.itemsize, data.id.get_storage_size()
    if declared > HOLLOW_BYTES and declared > PACKED * stored:
        raise unsafe(
            where,
            "a size that the file accounts for",
            f"{declared} bytes declared, {stored} stored",
            "The dataset is hollow: reading it would take memory for nothing.",
        )


def attribute(holder: Any, name: str, where: str) -> Any:
    """The attribute `name`, or None; refused if it is larger than a config may be.

    Args:
        holder: a group or dataset.
        name: name of the attribute.
        where: what to call the file or config in messages.
    """
    if name not in holder.attrs:
        return None
    held = holder.attrs.get_id(name)
    size = int(np.prod(held.shape, dtype=np.int64)) * held.dtype.itemsize
    if size > CONFIG_BYTES:
        raise unsafe(
            where,
            f"attributes of at most {CONFIG_BYTES // MEGABYTE} MiB",
            f"{size // MEGABYTE} MiB in {name!r}",
            "The file was made to exhaust memory.",
        )
    return holder.attrs[name]


def texts(holder: Any, name: str, where: str) -> list[str]:
    """The list of texts in the attribute `name`, which long lists split over `name0`, `name1` ...

    Args:
        holder: a group or dataset.
        name: name of the attribute.
        where: what to call the file or config in messages.

    Raises: SerializationError if there is no such attribute.
    """
    whole = attribute(holder, name, where)
    if whole is not None:
        return [as_text(item) for item in np.atleast_1d(whole)]
    found: list[str] = []
    for chunk in range(LINKS):
        part = attribute(holder, f"{name}{chunk}", where)
        if part is None:
            break
        found += [as_text(item) for item in np.atleast_1d(part)]
    else:  # pragma: no cover - a file of that many attributes
        raise unsafe(where, f"at most {LINKS} attributes", "more", "The file was made to exhaust its reader.")
    if not chunk:
        raise SerializationError(f"{where}: expected the attribute {name!r}, found {sorted(holder.attrs)}.")
    return found


def as_text(item: Any) -> str:
    """Text of an attribute, however it was stored.

    Args:
        item: text, or bytes in UTF-8.
    """
    return item.decode("utf-8") if isinstance(item, bytes) else str(item)


# Zip archives ----------------------------------------------------------------------------------------


def check_archive(archive: Any, where: str) -> None:
    """Refuse member names that leave the archive, links, encryption, repeated names and bombs.

    Args:
        archive: an open zip archive.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError.
    """
    members = archive.infolist()
    if len(members) > MEMBERS:
        raise unsafe(where, f"at most {MEMBERS} members", str(len(members)), "A model has a handful.")
    names = [info.filename for info in members]
    if len(set(names)) != len(names):
        raise unsafe(where, "each name once", "a repeated one", "Two readers would see two different models.")
    for info in members:
        _check_member(info, f"{where}, {info.filename!r}")


def _check_member(info: Any, where: str) -> None:
    path = PurePosixPath(info.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
        raise unsafe(where, "a path inside the archive", "one that leads out of it", "It would touch other files.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise unsafe(where, "a file", "a link", "Model files hold no links.")
    if info.flag_bits & 1:
        raise unsafe(where, "a plain member", "an encrypted one", "Keras writes none.")
    if info.file_size > most_unpacked(info.compress_size):
        raise unsafe(
            where,
            "a size that the archive accounts for",
            f"{info.compress_size} bytes that unpack to {info.file_size}",
            "Weights do not compress like that: it is a bomb.",
        )


def member(archive: Any, name: str, where: str, limit: int | None = None) -> bytes:
    """The bytes of a member; never more than it declares, nor than `limit`.

    Args:
        archive: an open zip archive that has passed `check_archive`.
        name: name of the member.
        where: what to call the file or config in messages.
        limit: most bytes that the caller can use.

    Raises: SerializationError if there is no such member; UnsafeFileError if it is too large.
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise SerializationError(f"{where}: expected a member {name!r}, found {archive.namelist()[:10]}.") from None
    allowed = info.file_size if limit is None else min(info.file_size, limit)
    with archive.open(info) as stream:
        data = stream.read(allowed + 1)
    if len(data) > allowed:
        raise unsafe(
            f"{where}, {name!r}",
            f"at most {allowed} bytes",
            "more",
            "The archive was made to exhaust memory.",
        )
    return data
