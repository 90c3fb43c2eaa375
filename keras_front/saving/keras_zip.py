"""The `.keras` archive and the `.weights.h5` file of Keras 3 and tf_keras 2.13+.

    config.json         the model, and how it was compiled
    metadata.json       who wrote it; in our files also the dialect
    model.weights.h5    the weights, also a file of its own:
        layers/<class name>_<n>/vars/0, 1 ...     for a layer of a model, counted per class
        <layer>/cell/vars/0, forward_layer/...    for a layer inside a layer, by its attribute
        optimizer/vars/0, 1 ...                   counter, rate, slots
        optimizer/counters/vars/0, 1 ...          further counters, of optimizers that have any

Weights are found by position here, not by name: which layer 'dense_1' is depends on the order of the layers
when the file was written, so a whole model is read in the order of its config.
"""

from __future__ import annotations

import functools
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import bytecode
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, UnreadableFileError
from keras_front.graph.own_variables import OwnVariables
from keras_front.graph.tracking import lazy_weights
from keras_front.registry import custom_object_scope, name_of, plain
from keras_front.utils.progbar import tracked

from . import atomic, config, guard, hdf5, hdf5_config, keras3, operations, training_config, vocabularies, weight_order

__all__ = ["is_archive", "has_keras3_layout", "load_model", "load_weights", "save_model", "save_weights"]

VERSION = "3.0.0"  # the Keras whose layout this is
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LOSS_SCALE = training_config.LOSS_SCALE
INNER = training_config.INNER[0]  # the part of a `LossScaleOptimizer`'s group that belongs to the one within
COUNTERS = "counters"  # a part of the optimizer's group that Keras 3 does not have
OVERHEAD = 1 << 16  # bytes of HDF5 around each dataset and group, generously

# Groups below a layer in the order of the layer's weights, for layers that keep here what others keep in a
# cell.
INNER_GROUPS = ("forward_layer", "backward_layer", "layer", "cell", "cells")

# Class names in paths, where they differ from those of Keras 2.
PATH_CLASSES = {"GroupQueryAttention": "GroupedQueryAttention", "Model": "Functional"}


# Kinds of files --------------------------------------------------------------------------------------


def is_archive(source: Any) -> bool:
    """Whether a path or file object holds a zip archive.

    Args:
        source: path or binary file object.
    """
    return zipfile.is_zipfile(source)


def has_keras3_layout(root: Any) -> bool:
    """Whether an open HDF5 file has the layout of Keras 3, not that of Keras 2.

    Args:
        root: the open file.
    """
    attributes = {"layer_names", "layer_names0", "model_config"}
    return not attributes & set(root.attrs) and any(
        name in root for name in ("layers", "vars", "_layer_checkpoint_dependencies")
    )


# Paths of layers -------------------------------------------------------------------------------------


def paths_of(layers: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """For (class name, anything) in order: the name of its group, such as 'dense_1', and the thing.

    Args:
        layers: pairs of a class name and anything.
    """
    seen: dict[str, int] = {}
    for kind, thing in layers:
        name = snake_case(PATH_CLASSES.get(kind, kind))
        count = seen[name] = seen.get(name, -1) + 1
        yield (f"{name}_{count}" if count else name), thing


def snake_case(name: str) -> str:
    """A class name as Keras 3 writes it in paths: 'conv_lstm2d' where Keras 2 names a layer 'conv_lst_m2d'.

    Args:
        name: name of a class; the package under which it is registered ('package>Name') is no part of a path.
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name.rpartition(">")[2]))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def children(layer: Any, order: Sequence[Mapping[str, Any]] | None = None) -> Iterator[tuple[str, Any, Any]]:
    """The layers below a layer: path, layer, and the config entries of its own layers if known.

    Args:
        layer: a layer or model.
        order: the entries of a model's config, in the order of the file.
    """
    if hasattr(layer, "layers") and not getattr(layer, "paths_by_attribute", False):
        yield from _children_of_model(layer, order)
        return
    for attribute, below in layers_by_attribute(layer):
        if isinstance(below, list):
            for name, part in paths_of([(type(part).__name__, part) for part in below]):
                yield f"{attribute}/{name}", part, None
        else:
            yield attribute, below, None


def _children_of_model(model: Any, order: Sequence[Mapping[str, Any]] | None) -> Iterator[tuple[str, Any, Any]]:
    by_name = {layer.name: layer for layer in model.layers}
    entries = [(e, by_name.get(e["config"].get("name"))) for e in order or ()]
    if not entries or any(layer is None and e["class_name"] != "InputLayer" for e, layer in entries):
        entries = [({"class_name": name_of(type(layer)), "config": {}}, layer) for layer in model.layers]
    for path, (entry, layer) in paths_of([(e["class_name"], (e, layer)) for e, layer in entries]):
        if layer is not None:
            yield f"layers/{path}", layer, entry["config"].get("layers")


def layers_by_attribute(layer: Any) -> Iterator[tuple[str, Any]]:
    """Attributes that are layers, or lists, tuples or dicts of them; each layer once, under a public name if possible.

    Args:
        layer: a layer whose parts are its attributes.
    """
    below = {id(part) for part in layer.sublayers()}
    for name, value in sorted(vars(layer).items(), key=lambda item: item[0].startswith("_")):
        several = isinstance(value, list | tuple | dict)
        parts = list(value.values() if isinstance(value, dict) else value) if several else [value]
        if parts and all(id(part) in below for part in parts):
            below -= {id(part) for part in parts}
            yield name, parts if several else value


def own_weights(layer: Any) -> list[Variable]:
    """The weights that belong to the layer itself, not to one below it.

    Args:
        layer: a layer or model.
    """
    learned, others = layer.stored_weights()
    return [*learned, *others]


# Reading ---------------------------------------------------------------------------------------------


def load_model(
    source: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    allow_code: bool = False,
) -> Any:
    """The model in an archive, compiled as it was if the archive says so and `compile` is true.

    Args:
        source: path or binary file object.
        custom_objects: the user's classes and functions by name, for what is not registered.
        compile: compile the model as it was, and restore the state of its optimizer.
        allow_code: whether Python code in it may run (`Lambda` layers). Only for what you trust; by default it is
            refused.
    """
    where = str(source) if atomic.is_path(source) else "The archive"
    with (
        _archive(source, where) as archive,
        bytecode.permit(allow_code or bytecode.permitted()),
        custom_object_scope(custom_objects),
    ):
        saved = guard.parsed(guard.member(archive, CONFIG, where, guard.CONFIG_BYTES), f"{where}, {CONFIG}")
        described = config.read_model_config(saved, f"{where}, {CONFIG}")
        vocabularies.add_vocabularies(described["config"], archive, where, paths_of)
        with lazy_weights():
            model = hdf5.built(described, f"{where}, {CONFIG}")
        with hdf5.opened(io.BytesIO(_weights_member(archive, model, where)), f"{where}, {WEIGHTS}") as (
            root,
            place,
        ):
            order = described["config"].get("layers")
            load_weights_into(model, root, place, order)
            vocabularies.restore_idf_weights(children(model, order), root, place, guard.CONFIG_BYTES)
            training = saved.get("compile_config")
            if compile and training and overrides_compile_config(model):
                model.compile_from_config(training)
            elif compile and training and training.get("optimizer"):
                state = functools.partial(_optimizer_vars, root, place, model)
                training = _with_loss_scale(training, state() or ((), ()))
                hdf5.compile_from_config(model, training, state, place, _dialect(archive, where))
    return model


def _with_loss_scale(training: Mapping[str, Any], state: Any) -> Mapping[str, Any]:
    """A training config that names the loss scale of which the file has a state; Keras 3 wraps without saying so."""
    given = training["optimizer"]
    if LOSS_SCALE[1] not in state[0] or (isinstance(given, Mapping) and INNER in (given.get("config") or ())):
        return training
    return {**training, "optimizer": {"class_name": "LossScaleOptimizer", "config": {INNER: given}}}


def _archive(source: Any, where: str) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(f"{where}: expected a .keras archive, received something else ({error}).") from None
    try:
        guard.check_archive(archive, where)
    except Exception:
        archive.close()
        raise
    return archive


def _dialect(archive: zipfile.ZipFile, where: str) -> str:
    """The dialect that an archive of keras_front states; those of Keras are in the native one."""
    saved: Any = None
    if METADATA in archive.namelist():
        saved = guard.parsed(guard.member(archive, METADATA, where, guard.CONFIG_BYTES), f"{where}, {METADATA}")
    stated = saved.get(training_config.DIALECT) if isinstance(saved, Mapping) else None
    return training_config.dialect_of_file(stated, VERSION)


def _weights_member(archive: zipfile.ZipFile, model: Any, where: str) -> bytes:
    """The weights' file, no larger than weights and an optimizer's state can be."""
    objects = 16 + len(model.all_layers()) + len(model.weights)
    room = 2 * sum(hdf5.most_bytes([w]) for w in model.weights) + OVERHEAD * objects  # slots may stand there twice
    return guard.member(archive, WEIGHTS, where, room)


def _optimizer_vars(root: Any, where: str, model: Any) -> tuple[list[str], list[np.ndarray]] | None:
    group = guard.group(root, "optimizer", where)
    held = guard.group(group, "vars", where) if group is not None else None
    if held is None:
        return None
    below = guard.group(group, COUNTERS, where)
    further = guard.group(below, "vars", where) if below is not None else None
    found: dict[str, np.ndarray] = {}
    within = guard.group(group, INNER, where)
    inner = guard.group(within, "vars", where) if within is not None else None
    if inner is not None:
        if len(held) == len(inner) + 2 + len(LOSS_SCALE):
            found = {name: guard.array(held, str(2 + i), where, 64) for i, name in enumerate(LOSS_SCALE)}
        held = inner
    for prefix, part in (("", held), (f"{COUNTERS}/", further)):
        for name in sorted((name for name in part or () if name.isdigit()), key=int):
            found[prefix + name] = guard.array(part, name, f"{where}, optimizer", hdf5.most_bytes(model.weights))
    return list(found), list(found.values())


def load_weights(model: Any, source: Any) -> None:
    """Set the weights of `model` from an archive or a `.weights.h5` file.

    Args:
        model: the model whose weights are set.
        source: path, `h5py.File` or `h5py.Group`, or a binary file object.
    """
    if is_archive(source):
        where = str(source) if atomic.is_path(source) else "The archive"
        with _archive(source, where) as archive:
            data = io.BytesIO(_weights_member(archive, model, where))
            with hdf5.opened(data, f"{where}, {WEIGHTS}") as (root, place):
                load_weights_into(model, root, place, _order_in(archive, where))
        return
    with hdf5.opened(source) as (root, where):
        load_weights_into(model, root, where)


def _order_in(archive: zipfile.ZipFile, where: str) -> Any:
    saved = guard.parsed(guard.member(archive, CONFIG, where, guard.CONFIG_BYTES), f"{where}, {CONFIG}")
    return config.to_keras2(saved).get("config", {}).get("layers")


def load_weights_into(model: Any, root: Any, where: str, order: Any = None) -> None:
    """Set all weights of `model`; nothing is set unless everything fits.

    Args:
        model: the model whose weights are set.
        root: the group that holds the weights.
        where: what to call the file or config in messages.
        order: the entries of the model's config in the order of the file; by default the model's own order.

    Raises: ArgumentError or ShapeError if the file belongs to another model.
    """
    pairs = list(tracked(_pairs(model, root, where, order, set()), "Loading weights", len(model.weights), "weight"))
    hdf5.set_weights([(variable, array) for variable, array in pairs if not isinstance(array, dict)])
    for layer, store in pairs:
        if isinstance(store, dict):
            layer.load_own_variables(store)


def _pairs(layer: Any, group: Any, where: str, order: Any, seen: set[int]) -> Iterator[tuple[Any, Any]]:
    """Pairs of a variable and its array; of a layer that loads by itself and a dict of all that it wrote."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    own, names = own_weights(layer), _vars(group, where)
    usual = OwnVariables.load_own_variables
    if getattr(type(layer), "load_own_variables", usual) is not usual:
        held, room = guard.group(group, "vars", where) or {}, 2 * hdf5.most_bytes(own) + OVERHEAD
        yield layer, {name: guard.array(held, name, f"{where}, 'vars'", room) for name in held}
        own, names = [], []
    if own and not names and not hasattr(layer, "layers"):
        yield from _inner_pairs(layer, group, where)
        return
    arrays = [guard.array(group["vars"], name, f"{where}, 'vars'", hdf5.most_bytes(own)) for name in names]
    weight_order.check_shapes(layer, own, arrays)
    yield from zip(own, arrays, strict=True)
    # tf_keras has the layers of a `call` of one's own there, too, but for attributes that come later in the alphabet.
    elsewhere = (
        {id(part): path for path, part, _ in _children_of_model(layer, None)} if hasattr(layer, "layers") else {}
    )
    for path, part, below in children(layer, order):
        found = _at(group, path, where)
        if found is None and id(part) in elsewhere:
            found = _at(group, elsewhere[id(part)], where)
        if found is not None:
            yield from _pairs(part, found, f"{where}, {path!r}", below, seen)
        elif part.weights and not all(id(inner) in seen for inner in part.all_layers() if own_weights(inner)):
            raise ArgumentError(
                f"{where}: expected the weights of {part.name!r} at {path!r}, found {sorted(group)[:10]}.\n"
                "  The file belongs to another model."
            )


def _vars(group: Any, where: str) -> list[str]:
    held = guard.group(group, "vars", where)
    return sorted((name for name in held if name.isdigit()), key=int) if held is not None else []


def _at(group: Any, path: str, where: str) -> Any:
    """The group at a path; tf_keras calls some by private names, such as the `_query_dense` of an attention."""
    for name in path.split("/"):
        if group is not None:
            found = guard.group(group, name, where)
            group = guard.group(group, f"_{name}", where) if found is None else found
    return group


def _inner_pairs(layer: Any, group: Any, where: str) -> Iterator[tuple[Variable, np.ndarray]]:
    """Weights of a layer without parts, which the writer kept in a cell or an inner layer."""
    weights, arrays = layer.weights, list(_inner_arrays(group, where, hdf5.most_bytes(layer.weights), 0))
    weight_order.check_shapes(layer, weights, arrays)
    yield from zip(weights, arrays, strict=True)


def _inner_arrays(group: Any, where: str, limit: int, depth: int) -> Iterator[np.ndarray]:
    for name in _vars(group, where):
        yield guard.array(group["vars"], name, where, limit)
    first = {name: place for place, name in enumerate(INNER_GROUPS)}
    for name in sorted(set(group) - {"vars"}, key=lambda n: (first.get(n, len(first)), n)):
        part = guard.group(group, name, where)
        if part is not None and depth < guard.CONFIG_DEPTH:
            yield from _inner_arrays(part, where, limit, depth + 1)


# Writing ---------------------------------------------------------------------------------------------


def overrides_compile_config(model: Any) -> bool:
    """Whether the class of a model says itself how it is compiled from a config."""
    own = getattr(type(model), "compile_from_config", None)
    return own is not None and own.__module__ != f"{__package__}.model_methods"


def compile_config_of(model: Any) -> dict[str, Any]:
    """How a model was compiled, as Keras 3 writes it; empty for one that was not.

    Args:
        model: the model.
    """
    training = training_config.training_config_of(model)
    if training is None:
        return {}
    compiled = json.loads(json.dumps(training, default=plain))
    optimizer = training_config.with_global_clipnorm(compiled.pop("optimizer_config"))
    compiled = {"optimizer": optimizer, **compiled}
    return {k: keras3.to_keras3_value(k, v) for k, v in compiled.items() if v is not None}


def save_model(model: Any, target: Any, include_optimizer: bool = True, for_tf_keras: bool = False) -> None:
    """Write an archive that Keras 3 reads as well, or tf_keras.

    Args:
        model: the model.
        target: path or binary file object.
        include_optimizer: write how the model was compiled and the state of its optimizer.
        for_tf_keras: describe the layers as tf_keras does, which names some arguments otherwise than Keras 3.
    """
    written = json.loads(json.dumps(hdf5.model_config(model), default=plain))
    described = hdf5_config.to_tf_keras(operations.to_tf(written)) if for_tf_keras else keras3.to_keras3(written)
    training = model.get_compile_config() if include_optimizer and hasattr(model, "get_compile_config") else None
    dialect = training_config.dialect_of_model(model)
    if training:
        described["compile_config"] = training
    weights = io.BytesIO()
    with hdf5.created(weights) as root:
        _write_layer(model, root, described["config"].get("layers"), set())
        if training:
            _write_optimizer(root, model, for_tf_keras)
    if not atomic.is_path(target):
        _write_members(target, described, weights, dialect)
        return
    with atomic.replacing(target) as path:
        _write_members(path, described, weights, dialect)


def _write_members(target: Any, described: Any, weights: io.BytesIO, dialect: str) -> None:
    saved = {"keras_version": VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    saved[training_config.DIALECT] = dialect
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(METADATA, json.dumps(saved))
        archive.writestr(CONFIG, json.dumps(described))
        archive.writestr(WEIGHTS, weights.getbuffer())


class _Store(MutableMapping[str, Any]):
    """The arrays of a layer in an open file, by name, for `save_own_variables`."""

    def __init__(self, group: Any):
        self.group = group

    def __setitem__(self, name: str, value: Any) -> None:
        del self[name]
        self.group.create_dataset(name, data=np.asarray(K.to_numpy(value) if K.is_tensor(value) else value))

    def __getitem__(self, name: str) -> Any:
        return self.group[name]

    def __delitem__(self, name: str) -> None:
        if name in self.group:
            del self.group[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.group)

    def __len__(self) -> int:
        return len(self.group)


def _write_layer(layer: Any, group: Any, order: Any, seen: set[int]) -> None:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    held = group.create_group("vars")
    layer.save_own_variables(_Store(held))
    if getattr(layer, "output_mode", None) == "tf_idf" and getattr(layer, "idf_weights", None):
        held.create_dataset("idf_weights", data=np.asarray(layer.idf_weights, "float32"))
    for path, part, below in children(layer, order):
        _write_layer(part, group.require_group(path), below, seen)


def _write_optimizer(root: Any, model: Any, for_tf_keras: bool) -> None:
    """Counter, rate and slots as Keras 3 numbers them; counters that it does not have stand beside these.

    tf_keras numbers them alike, without the rate.
    """
    optimizer = model.optimizer
    inner = getattr(optimizer, INNER, None) or optimizer
    numbered, further = training_config.in_keras3_order(inner, model.trainable_weights)
    if for_tf_keras and not inner.is_scheduled:
        del numbered[1]
    group, parts = root.create_group("optimizer"), [("vars", numbered), (f"{COUNTERS}/vars", further)]
    if inner is not optimizer:
        around = [numbered[0], np.zeros((), "float32"), *(v.numpy() for v in optimizer.scale_variables)]
        parts += [(f"{INNER}/vars", numbered)]
        parts[0] = ("vars", [*around, *numbered] if optimizer.dynamic else numbered)
    for name, values in parts:
        for index, value in enumerate(values):
            group.require_group(name).create_dataset(str(index), data=value)


def save_weights(model: Any, target: Any) -> None:
    """Write a `.weights.h5` file in the layout of Keras 3.

    Args:
        model: the model.
        target: path, `h5py.File` or `h5py.Group`, or a binary file object.
    """
    with hdf5.created(target) as root:
        _write_layer(model, root, None, set())
