"""What a file is, found out without making anything of it: `keras-front inspect FILE`.

No layer is made, no weight is read, no engine is imported. Everything that a reader would refuse is listed, not only
the first of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from keras_front.compatibility import legacy_module
from keras_front.errors import KerasFrontError, SerializationError, WrongKindError
from keras_front.nest import flatten
from keras_front.registry import Registry

from . import (
    config,
    guard,
    heaps,
    keras_zip,
    operations,
    safetensors_files,
    saved_model,
    sizes,
    torch_files,
    training_config,
    yaml,
)
from .tensor_bundle import TensorBundle

__all__ = ["Description", "LayerEntry", "WeightEntry", "describe"]

IN_MEMORY = 1 << 26  # bytes of a member of an archive that are held in memory; more go into a temporary file


class LayerEntry(NamedTuple):
    """A layer in a config.

    Attributes:
        name: what the file calls it.
        class_name: its class.
        depth: 0 for the layers of the model, 1 for those of a model or wrapper in it, and so on.
    """

    name: str
    class_name: str
    depth: int


class WeightEntry(NamedTuple):
    """An array in a file.

    Attributes:
        name: where it stands in the file.
        shape: its shape.
        dtype: the name of its type.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclasses.dataclass
class Description:
    """What a file is.

    Attributes:
        path: the file.
        kind: what kind of file, in words.
        version: the Keras that wrote it, as the file states it.
        backend: the engine that it ran on.
        dialect: whose defaults hold for how it was trained.
        model: class and name of the model.
        layers: its layers.
        weights: the arrays of its weights.
        optimizer: class and settings of the optimizer.
        training: loss, metrics and the like.
        state: the arrays of the optimizer's state.
        refused: what would be refused when it is read, and why.
    """

    path: str
    kind: str = "an unknown file"
    version: str | None = None
    backend: str | None = None
    dialect: str | None = None
    model: str | None = None
    layers: list[LayerEntry] = dataclasses.field(default_factory=list)
    weights: list[WeightEntry] = dataclasses.field(default_factory=list)
    optimizer: str | None = None
    training: dict[str, Any] = dataclasses.field(default_factory=dict)
    state: list[WeightEntry] = dataclasses.field(default_factory=list)
    refused: list[str] = dataclasses.field(default_factory=list)

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2, default=str)

    def __str__(self) -> str:
        return "\n".join(map(_printable, _lines(self)))

    def refuse(self, error: Exception) -> None:
        """Note an error that reading would raise.

        Args:
            error: the error; where it names the file, that is left out.
        """
        text = str(error).removeprefix(f"{self.path}: ").removeprefix(f"{self.path}, ")
        if text not in self.refused:
            self.refused.append(text)


def describe(path: str | os.PathLike[str]) -> Description:
    """What a file is: kind, version, layers, weights, optimizer, and what would be refused.

    Args:
        path: a model or weights of any Keras, a structure as JSON or YAML, arrays of NumPy, or weights of PyTorch.

    Raises: MissingFileError if there is no such file; WrongKindError for what names none.
    """
    if not isinstance(path, str | os.PathLike):
        raise WrongKindError(f"inspect: expected the name of a file, received {path!r:.60}.")
    found = Description(os.fspath(path))
    if os.path.isdir(path):
        with _noting(found):
            _folder(path, found)
        return found
    guard.check_there(path)
    with _noting(found):
        _reader_of(path)(path, found)
    return found


def _folder(path: Any, found: Description) -> None:
    if not saved_model.is_readable(path):
        found.kind = "a folder"
        guard.check_there(path)
    found.kind, found.version = "a SavedModel of TensorFlow", "of tf.keras"
    with _noting(found):
        saved = saved_model.metadata(found.path)
        found.kind = "a whole model as a SavedModel of TensorFlow"
        _config(saved_model.config_in(saved), found)
        if saved.get("training_config"):
            _training(saved["training_config"], found)
    with _noting(found):
        for name, (dtype, shape) in TensorBundle(os.path.join(path, saved_model.WEIGHTS)).described().items():
            kept = found.state if "optimizer" in name.lower() else found.weights
            kept.append(WeightEntry(name.removesuffix(TAIL), shape, dtype))


TAIL = "/.ATTRIBUTES/VARIABLE_VALUE"  # of the names of variables in checkpoints


def _reader_of(path: Any) -> Callable[[Any, Description], None]:
    """What describes a file, by its first bytes, and by its name where they say nothing."""
    with open(path, "rb") as stream:
        start = stream.read(512)
    readers = {b"\x89HDF\r\n\x1a\n": _hdf5, b"\x93NUMPY": _array_file, b"PK\x03\x04": _zip, b"PK\x05\x06": _zip}
    for magic, reader in readers.items():
        if start.startswith(magic):
            return reader
    if start[8:9] == b"{" and len(start) > 8 and struct.unpack("<Q", start[:8])[0] <= guard.CONFIG_BYTES:
        return _safetensors
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json
    return BY_SUFFIX.get(Path(path).suffix.lower(), _unknown)


@contextlib.contextmanager
def _noting(found: Description) -> Iterator[None]:
    """Errors of reading are what the description is to tell, whatever a broken file makes a parser raise."""
    try:
        yield
    except KerasFrontError as error:
        found.refuse(error)
    except Exception as error:
        found.refuse(SerializationError(f"it cannot be read ({type(error).__name__}: {error})."))


# Kinds of files --------------------------------------------------------------------------------------


def _hdf5(path: Any, found: Description) -> None:
    import h5py

    found.kind = "an HDF5 file"
    with h5py.File(path, "r") as root:
        heaps.check_heaps(path, found.path)
        with _noting(found):
            guard.check_tree(root, found.path)
        _hdf5_root(root, found)


def _hdf5_root(root: Any, found: Description) -> None:
    described, training = (_attribute(root, name, found) for name in ("model_config", "training_config"))
    found.kind = _kind_of_hdf5(root, described is not None)
    holder = root["model_weights"] if "model_weights" in root and described is not None else root
    found.version = _text(_attribute(holder, "keras_version", found) or _attribute(root, "keras_version", found))
    found.backend = _text(_attribute(holder, "backend", found) or _attribute(root, "backend", found))
    stated = _text(_attribute(root, training_config.DIALECT, found))
    if described is not None or training is not None:
        found.dialect = training_config.dialect_of_file(stated, found.version)
    if described is not None:
        _config(described, found)
    if training is not None:
        _training(training, found)
    for name, entry in _datasets(root, found):
        (found.state if name.startswith("optimizer") else found.weights).append(entry)


def _kind_of_hdf5(root: Any, whole: bool) -> str:
    if whole:
        return "a whole model in HDF5, in the layout of Keras 1 and 2"
    if "nb_layers" in root.attrs:
        return "weights in HDF5, in the layout of Keras 0.3"
    if {"layer_names", "layer_names0"} & set(root.attrs):
        return "weights in HDF5, in the layout of Keras 2"
    if keras_zip.has_keras3_layout(root):
        return "weights in HDF5, in the layout of Keras 3"
    return "an HDF5 file without a model"


def _attribute(holder: Any, name: str, found: Description) -> Any:
    with _noting(found):
        return guard.attribute(holder, name, found.path)
    return None


def _text(value: Any) -> str | None:
    return None if value is None else guard.as_text(value)


def _datasets(root: Any, found: Description) -> Iterator[tuple[str, WeightEntry]]:
    """Every dataset that can be reached without following a link, by its path."""
    import h5py

    groups = [("", root)]
    while groups:
        prefix, group = groups.pop()
        below = []
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            part = group[name]
            if isinstance(part, h5py.Group):
                below.append((f"{prefix}{name}/", part))
                continue
            with _noting(found):
                guard.dataset(group, name, found.path)
            yield f"{prefix}{name}", WeightEntry(f"{prefix}{name}", tuple(part.shape or ()), str(part.dtype))
        groups += reversed(below)


def _zip(path: Any, found: Description) -> None:
    found.kind = "a zip archive without a model"
    with zipfile.ZipFile(path) as archive:
        with _noting(found):
            guard.check_archive(archive, found.path)
        names = archive.namelist()
        if keras_zip.CONFIG in names:
            _keras_archive(archive, found)
        elif torch_files.is_torch_archive(archive):
            found.kind = "weights of PyTorch, as torch.save writes them"
            found.weights = _entries(torch_files.read(path, values=False))
        elif names and all(name.endswith(".npy") for name in names):
            found.kind = "arrays of NumPy"
            found.weights = [_npy(archive.open(name), name.removesuffix(".npy")) for name in names]


def _keras_archive(archive: zipfile.ZipFile, found: Description) -> None:
    import h5py

    found.kind = "a whole model as an archive of Keras 3"
    with _noting(found):
        saved = guard.parsed(guard.member(archive, keras_zip.METADATA, found.path, guard.CONFIG_BYTES))
        found.version = str(saved.get("keras_version"))
        found.dialect = training_config.dialect_of_file(saved.get(training_config.DIALECT), found.version)
    with _noting(found):
        described = guard.parsed(guard.member(archive, keras_zip.CONFIG, found.path, guard.CONFIG_BYTES))
        _config(described, found)
        if isinstance(described, Mapping) and described.get("compile_config"):
            _training(described["compile_config"], found)
    with _noting(found):
        if keras_zip.WEIGHTS not in archive.namelist():
            guard.member(archive, keras_zip.WEIGHTS, found.path)  # which says so
        with _seekable(archive, keras_zip.WEIGHTS) as stream, h5py.File(stream, "r") as root:  # type: ignore[arg-type]
            heaps.check_heaps(stream, f"{found.path}, {keras_zip.WEIGHTS}")
            guard.check_tree(root, f"{found.path}, {keras_zip.WEIGHTS}")
            for name, entry in _datasets(root, found):
                (found.state if name.startswith("optimizer") else found.weights).append(entry)


def _seekable(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A copy of a member, in memory or in a temporary file: going back in the member itself reads it from its start."""
    copy = tempfile.TemporaryFile() if archive.getinfo(name).file_size > IN_MEMORY else io.BytesIO()
    with archive.open(name) as stream:
        shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return copy


def _array_file(path: Any, found: Description) -> None:
    found.kind = "an array of NumPy"
    with open(path, "rb") as stream:
        found.weights = [_npy(stream, Path(path).stem)]


def _npy(stream: Any, name: str) -> WeightEntry:
    try:
        version = np.lib.format.read_magic(stream)
        reading = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reading(stream)
    except ValueError as error:
        raise SerializationError(f"{name}: expected an array of NumPy ({error}).") from None
    return WeightEntry(name, tuple(shape), str(dtype))


def _entries(arrays: Mapping[str, np.ndarray]) -> list[WeightEntry]:
    return [WeightEntry(name, array.shape, str(array.dtype)) for name, array in arrays.items()]


def _safetensors(path: Any, found: Description) -> None:
    found.kind = "weights as safetensors"
    found.weights = [WeightEntry(name, t.shape, t.dtype) for name, t in safetensors_files.tensors(path).items()]


def _json(path: Any, found: Description) -> None:
    found.kind = "the structure of a model as JSON"
    _config(Path(path).read_bytes(), found)


def _yaml(path: Any, found: Description) -> None:
    found.kind = "the structure of a model as YAML"
    _config(yaml.parse(guard.text_of(Path(path).read_bytes(), found.path), found.path), found)


def _onnx(path: Any, found: Description) -> None:
    found.kind = "an ONNX model"
    raise SerializationError("ONNX is written here and not read.")


def _unknown(path: Any, found: Description) -> None:
    raise SerializationError("expected HDF5, a .keras archive, JSON, YAML, arrays of NumPy or weights of PyTorch.")


BY_SUFFIX: dict[str, Callable[[Any, Description], None]] = {".yaml": _yaml, ".yml": _yaml, ".onnx": _onnx}


# Configs ---------------------------------------------------------------------------------------------


def _config(raw: Any, found: Description) -> None:
    described = guard.parsed(raw, found.path) if isinstance(raw, str | bytes) else raw
    guard.check_depth(described, found.path)
    hooks = legacy_module()
    if hooks is not None and isinstance(described, Mapping) and "class_name" not in described:
        described = hooks.modern_config(described)
    if not isinstance(described, Mapping) or "class_name" not in described:
        raise SerializationError("expected a dictionary with 'class_name' and 'config'.")
    found.version = found.version or _text(described.get("keras_version"))
    found.backend = found.backend or _text(described.get("backend"))
    name = _name(described)
    found.model = f"{described['class_name']}{f' {name!r}' if name else ''}"
    entries = list(_layers(described))
    found.layers = [LayerEntry(_name(item), str(item["class_name"]), depth) for item, depth in entries]
    with _noting(found):
        sizes.check_counts(described, found.path)
    with _noting(found):
        converted = config.to_keras2(described)
        for error in guard.refusals(converted, found.path):
            found.refuse(error)
    keras3 = config.is_keras3(described)
    for item, _ in entries:
        _check_layer(item, keras3, found)


def _name(item: Mapping[str, Any]) -> str:
    arguments = item.get("config")
    return str(item.get("name") or (arguments.get("name") if isinstance(arguments, Mapping) else None) or "")


def _below(item: Mapping[str, Any]) -> Sequence[Any]:
    """The layers of a model, or the layer in a wrapper."""
    arguments = item.get("config")
    if isinstance(arguments, list):
        return arguments
    if not isinstance(arguments, Mapping):
        return ()
    listed = arguments.get("layers")
    return listed if isinstance(listed, list) else [v for k in ("layer", "cell") if (v := arguments.get(k))]


def _layers(item: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[Mapping[str, Any], int]]:
    """The entries of layers, also of those inside of others, with how deep they lie."""
    for part in _below(item):
        if isinstance(part, Mapping) and "class_name" in part:
            yield part, depth
            yield from _layers(part, depth + 1)


def _check_layer(item: Mapping[str, Any], keras3: bool, found: Description) -> None:
    """Note a class that nobody knows, and settings that its class cannot have."""
    if operations.is_op(item):
        return
    kind = config.class_of(item)
    try:
        Registry.of("layer").lookup(kind)
        if not _below(item):
            config.to_keras2(item, keras3)
    except KerasFrontError as error:
        found.refuse(SerializationError(f"layer {_name(item)!r}: {error}"))


def _training(raw: Any, found: Description) -> None:
    training = guard.parsed(raw, found.path) if isinstance(raw, str | bytes) else raw
    if not isinstance(training, Mapping):
        raise SerializationError(f"the training config: expected a dictionary, received {type(training).__name__}.")
    optimizer = training.get("optimizer_config") or training.get("optimizer")
    if isinstance(optimizer, Mapping):
        arguments = optimizer.get("config")
        shown = arguments.items() if isinstance(arguments, Mapping) else ()
        plain = [f"{k}={_plain(v)!r}" for k, v in shown if k != "name" and isinstance(v, int | float | bool | str)]
        found.optimizer = f"{optimizer.get('class_name')}({', '.join(plain)})"
    elif optimizer:
        found.optimizer = str(optimizer)
    wanted = ("loss", "metrics", "weighted_metrics", "loss_weights", "sample_weight_mode")
    found.training = {name: training[name] for name in wanted if flatten(training.get(name) or [])}  # [[]]: none
    for error in guard.refusals(training, f"{found.path}, training config"):
        found.refuse(error)
    if isinstance(optimizer, Mapping):
        with _noting(found):
            Registry.of("optimizer").lookup(config.class_of(optimizer).rpartition(">")[2])


# As text ---------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A setting as somebody wrote it: 0.001, where a file has the nearest number of 32 bits, 0.0010000000474974513."""
    if not isinstance(value, float) or not abs(value) < np.finfo("float32").max:
        return value
    near = np.float32(value)
    return float(str(near)) if float(near) == value else value


def _lines(found: Description) -> Iterator[str]:
    yield f"{found.path}: {found.kind}"
    written = [f"Keras {found.version}" if found.version else "", f"on {found.backend}" if found.backend else ""]
    yield from _row("written by", " ".join(filter(None, written)))
    yield from _row("read as", found.dialect)
    yield from _row("model", found.model)
    yield from _row("layers", str(sum(e.depth == 0 for e in found.layers)) if found.layers else None)
    yield from _columns([("  " * e.depth + e.name, e.class_name) for e in found.layers])
    total = sum(e.size for e in found.weights)
    yield from _row("weights", f"{total:,} numbers in {len(found.weights)} arrays" if found.weights else None)
    yield from _columns([(e.name, e.dtype, str(e.shape)) for e in found.weights])
    yield from _row("optimizer", found.optimizer)
    yield from _row("its state", f"{sum(e.size for e in found.state):,} numbers in {len(found.state)} arrays"
                    if found.state else None)  # fmt: skip
    for name, value in found.training.items():
        yield from _row(name, json.dumps(value, default=str))
    if not found.refused:
        yield "  refused     nothing"
    for text in found.refused:
        yield from _row("refused", text.replace("\n", "\n              "))


def _printable(line: str) -> str:
    """A line without what would steer a terminal: names in a file may hold anything."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in line)


def _row(name: str, value: str | None) -> Iterator[str]:
    if value:
        yield f"  {name:<11} {value}"


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield ("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
