"""Models and weights in HDF5, in the layout that Keras 2 wrote and every Keras reads.

    /                       attributes: keras_version, backend, model_config, training_config, and in our files dialect
    /model_weights          attribute layer_names
    /model_weights/<layer>  attribute weight_names; a dataset for each name
    /optimizer_weights      attribute weight_names; a dataset for each name

A weights file is `/model_weights` alone. Lists of names too long for one attribute are split: `layer_names0`,
`layer_names1` ... Files are written beside the old one and renamed; what is read passes the guard first.
h5py is imported when a file is opened, so models work without it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from keras_front import bytecode, conventions
from keras_front.backend.guards import replaced
from keras_front.backend.state import Variable
from keras_front.errors import (
    ArgumentError,
    KerasFrontError,
    SerializationError,
    UnknownNameError,
    UnreadableFileError,
    UnsafeFileError,
)
from keras_front.graph.tracking import lazy_weights
from keras_front.registry import Registry, custom_object_scope, name_of, plain
from keras_front.utils.progbar import tracked

from . import (
    atomic,
    config,
    failures,
    guard,
    hdf5_config,
    heaps,
    incomplete,
    libraries,
    older_states,
    operations,
    sizes,
    training_config,
    vocabularies,
    weight_order,
)

__all__ = ["load_model", "load_weights", "opened", "save_model", "save_weights", "write_arrays"]

BACKEND = "tensorflow"  # the engine whose kernel layout: channels last, correlation
HEADER_BYTES = 64512  # an attribute may not be larger: the object header of HDF5 holds 64 KiB

UNCOMPILED = "Pass what is missing in custom_objects, or compile=False for the model alone."

# What turns the arrays of a layer in a file of an older layout into today's is found by entry point:
# function(layer, arrays, keras_version, backend) -> arrays.
CONVERTERS_GROUP = "keras_front.weight_converters"
Converter = Callable[[Any, list[np.ndarray], str, str | None], list[np.ndarray]]


@functools.cache
def converters() -> tuple[Converter, ...]:
    """The converters that installed packages declare; one whose module is gone is left out."""
    found = []
    for point in metadata.entry_points(group=CONVERTERS_GROUP):
        with contextlib.suppress(ModuleNotFoundError):
            found.append(point.load())
    return tuple(found)


# Files -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(source: Any, where: str | None = None) -> Iterator[tuple[Any, str]]:
    """The guarded root of a file to read, and what to call it in messages.

    Args:
        source: path, `h5py.File` or `h5py.Group`, or a binary file object.
        where: what to call the file in messages; by default its path.

    Raises: SerializationError if it is no HDF5 file; UnsafeFileError if it holds links.
    """
    import h5py

    if isinstance(source, h5py.Group):
        where = where or f"HDF5 group {source.name!r}"
        guard.check_tree(source, where)
        yield source, where
        return
    where = where or (os.fspath(source) if atomic.is_path(source) else "The file object")
    if atomic.is_path(source):
        guard.check_there(source)
    try:
        file = h5py.File(source, "r")
    except OSError as error:
        raise UnreadableFileError(f"{where}: expected an HDF5 file, received something else ({error}).") from None
    with file:
        heaps.check_heaps(source, where)
        guard.check_tree(file, where)
        yield file, where


@contextlib.contextmanager
def created(target: Any) -> Iterator[Any]:
    """The root of a file to write: a path is replaced as a whole or not at all.

    Args:
        target: path, `h5py.File` or `h5py.Group`, or a binary file object.

    Raises: UnwritableFileError if it cannot be written; SerializationError for a name that is no text in UTF-8.
    """
    import h5py

    if isinstance(target, h5py.Group):
        yield target
        target.file.flush()
        return
    try:
        with contextlib.ExitStack() as stack:
            path = stack.enter_context(atomic.replacing(target)) if atomic.is_path(target) else target
            yield stack.enter_context(h5py.File(path, "w"))
    except UnicodeEncodeError as error:
        raise SerializationError(f"A file holds text in UTF-8, which has no {error.object!r:.80}: rename it.") from None


def write_texts(holder: Any, name: str, values: Sequence[str]) -> None:
    """Write a list of texts as an attribute, or as several if it is too long for one.

    Args:
        holder: a group or dataset.
        name: name of the attribute.
        values: the texts.

    Raises: SerializationError if a single text is too long.
    """
    data = np.asarray([value.encode("utf-8") for value in values] or np.zeros(0, "S1"))
    longest = max((len(value.encode("utf-8")) for value in values), default=0)
    if longest > HEADER_BYTES:
        raise SerializationError(
            f"The names in {name!r}: expected at most {HEADER_BYTES} bytes each, which is what HDF5 can "
            f"hold, received one of {longest}.\n  Shorten the name of the layer or weight."
        )
    if data.nbytes <= HEADER_BYTES:
        holder.attrs[name] = data
        return
    rows = max(1, HEADER_BYTES // data.dtype.itemsize)
    for chunk, start in enumerate(range(0, len(data), rows)):
        holder.attrs[f"{name}{chunk}"] = data[start : start + rows]


def write_arrays(group: Any, weights: Sequence[Any], names: Sequence[str]) -> None:
    """Write arrays into a group, with the list of their names.

    Args:
        group: the group.
        weights: variables or arrays.
        names: a name for each.
    """
    write_texts(group, "weight_names", names)
    for name, weight in zip(names, weights, strict=True):
        group.create_dataset(name, data=weight.numpy() if isinstance(weight, Variable) else np.asarray(weight))


def _arrays(group: Any, names: Sequence[str], where: str, limit: int) -> list[np.ndarray]:
    return [guard.array(group, name, where, limit) for name in names]


def most_bytes(weights: Sequence[Variable]) -> int:
    """Bytes that a dataset of one of these weights may declare: in double precision, in any older layout.

    Args:
        weights: weights whose arrays are to be read.
    """
    return 16 * sum(math.prod(w.shape) for w in weights) + guard.HOLLOW_BYTES


# Writing ---------------------------------------------------------------------------------------------


def save_model(model: Any, target: Any, include_optimizer: bool = True) -> None:
    """Write structure, weights, and what `compile` was given with the state of the optimizer.

    Args:
        model: the model.
        target: path, `h5py.File` or `h5py.Group`, or a binary file object.
        include_optimizer: write how the model was compiled and the state of its optimizer.
    """
    with created(target) as root:
        write_model(root, model, include_optimizer)


def write_model(root: Any, model: Any, include_optimizer: bool = True) -> None:
    """Write a whole model into an open file.

    Args:
        root: the open file.
        model: the model.
        include_optimizer: write how the model was compiled and the state of its optimizer.
    """
    written = operations.to_tf(json.loads(json.dumps(model_config(model), default=plain)))
    described = json.dumps(hdf5_config.to_hdf5(written))
    training = training_config.training_config_of(model) if include_optimizer else None
    _state_version(root)
    root.attrs["model_config"] = described.encode("utf-8")
    root.attrs[training_config.DIALECT] = training_config.dialect_of_model(model).encode()
    write_weights(root.create_group("model_weights"), model)
    if training is not None:
        training["loss"] = training_config.in_full(training["loss"])
        root.attrs["training_config"] = json.dumps(training, default=plain).encode("utf-8")
        _write_optimizer_weights(root, model)


def _state_version(root: Any) -> None:
    version = conventions.current().file_version  # the Keras whose layout this is
    root.attrs["keras_version"], root.attrs["backend"] = version.encode(), BACKEND.encode()


def model_config(model: Any) -> dict[str, Any]:
    """Class and config of a model.

    Args:
        model: the model.

    Raises: SerializationError for a model that computes in its own `call`.
    """
    try:
        described = {"class_name": name_of(type(model)), "config": model.get_config()}
    except NotImplementedError as error:
        raise SerializationError(f"Cannot write the structure of {model.name!r}: {error}") from error
    if model.inputs and "layers" not in described["config"]:
        shapes = [[None, *x.shape[1:]] for x in model.inputs]
        described["build_config"] = {"input_shape": shapes if len(shapes) > 1 else shapes[0]}
    return described


def write_layer_weights(root: Any, layers: Sequence[Any]) -> None:
    """Write the weights of layers, each into a group of its own.

    Args:
        root: the group that will hold them.
        layers: the layers; a stack may hold one twice.
    """
    _state_version(root)
    layers = weight_order.layers_in_file(layers)
    write_texts(root, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        weights = weight_order.in_file_order(layer)
        write_arrays(root.create_group(layer.name), weights, weight_order.unique_names([w.name for w in weights]))


def write_weights(root: Any, model: Any) -> None:
    """Write the weights of a model into an open file, or a group in one.

    Args:
        root: the file or group.
        model: the model.
    """
    write_layer_weights(root, model.layers)
    own = [*model._trainable_weights, *model._non_trainable_weights]
    if own:
        write_arrays(
            root.create_group("top_level_model_weights"), own, weight_order.unique_names([w.name for w in own])
        )


def _write_optimizer_weights(root: Any, model: Any) -> None:
    optimizer = model.optimizer
    group, inner = root.create_group("optimizer_weights"), getattr(optimizer, "inner_optimizer", None) or optimizer
    weights = inner.weights_of(model.trainable_weights)
    names = weight_order.unique_names([getattr(w, "name", f"param_{i}") for i, w in enumerate(weights)])
    write_arrays(group, weights, names)
    if inner is not optimizer:  # beside the list of names, where tf.keras does not look for them
        for name, variable in zip(training_config.LOSS_SCALE, optimizer.scale_variables):
            group.create_dataset(name, data=variable.numpy())


def save_weights(model: Any, target: Any) -> None:
    """Write the weights alone.

    Args:
        model: the model.
        target: path, `h5py.File` or `h5py.Group`, or a binary file object.
    """
    with created(target) as root:
        write_weights(root, model)


# Reading ---------------------------------------------------------------------------------------------


def load_model(
    source: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    allow_code: bool = False,
) -> Any:
    """The model in a file, compiled as it was if the file says so and `compile` is true.

    Args:
        source: path, `h5py.File` or `h5py.Group`, or a binary file object.
        custom_objects: the user's classes and functions by name, for what is not registered.
        compile: compile the model as it was, and restore the state of its optimizer.
        allow_code: whether Python code in it may run (`Lambda` layers). Only for what you trust; by default it is
            refused.
    """
    with opened(source) as (root, where):
        described = guard.attribute(root, "model_config", where)
        if described is None:
            raise SerializationError(
                f"{where}: No model config found in the file: expected a whole model, found {sorted(root.attrs)} and "
                f"{sorted(root)[:5]}.\n"
                "  Weights alone are read by model.load_weights."
            )
        with bytecode.permit(allow_code or bytecode.permitted()), custom_object_scope(custom_objects):
            with lazy_weights():  # what a config declares takes memory only once the file is found to have it
                model = make(described, where)
            load_weights_into(model, root["model_weights"] if "model_weights" in root else root, where)
            training = guard.attribute(root, "training_config", where)
            if compile and training is not None:
                state = functools.partial(_optimizer_weights, root, where, model)
                compile_from_config(model, training, state, where, _dialect(root, where))
    return model


def make(described: Any, where: str, kind: type[SerializationError] = UnreadableFileError) -> Any:
    """A model from a config of any Keras.

    Args:
        described: JSON text or a dictionary.
        where: what to call the file or config in messages.
        kind: class of the error for what cannot be read.
    """
    with failures.reading(where, "a config of a model", kind):
        read = config.read_model_config(described, where)
    return built(read, where, kind)


def built(read: Any, where: str, kind: type[SerializationError] = UnreadableFileError) -> Any:
    """A model from a config that `config.read_model_config` has read.

    Args:
        read: the config.
        where: what to call the file or config in messages.
        kind: class of the error for what cannot be read.
    """
    with failures.reading(where, "a config of a model", kind, lambda error: incomplete.place_of_error(error, read)):
        try:
            model = Registry.of("layer").deserialize(read)
        except UnknownNameError as error:
            raise UnknownNameError(_explained(error, read, where), error.name) from None
        shape = (read.get("build_config") or {}).get("input_shape")
        if isinstance(shape, list) and shape and not model.built:
            many = isinstance(shape[0], list)
            model.build([(None, *s[1:]) for s in shape] if many else (None, *shape[1:]))
        return model


def _explained(error: UnknownNameError, read: Any, where: str) -> str:
    """What an error about an unknown name says, with its place in the config and the library that has the class."""
    entries = guard.dictionaries(read)
    entry = next((item for item in entries if item.get("class_name") == error.name), {"class_name": error.name})
    place = incomplete.place_of(entry, read)
    further = libraries.hint(error.name, entry.get("module") if isinstance(entry.get("module"), str) else None)
    return f"{where}{place and f', {place}'}: {error}{further and chr(10)}{further}"


def make_with_weights(described: Any, where: str) -> Any:
    """A model with new weights from a config that lies in no file.

    Args:
        described: JSON text or a dictionary.
        where: what to call the config in messages.

    Raises: UnsafeFileError if the weights take more memory than `config.max_model_bytes()`; none is taken then.
    """
    with lazy_weights(reserve=True):
        model = make(described, where, SerializationError)
    held = [*model.weights, *model.state_variables]
    sizes.initialize(held, where)
    return model


def _dialect(root: Any, where: str) -> str:
    """The dialect of the training config: as the file states it, or as follows from its version."""
    stated, version = (guard.attribute(root, key, where) for key in (training_config.DIALECT, "keras_version"))
    return training_config.dialect_of_file(
        None if stated is None else guard.as_text(stated), None if version is None else guard.as_text(version)
    )


def compile_from_config(model: Any, training: Any, state: Callable[[], Any], where: str, dialect: str) -> None:
    """Compile `model` as a training config says and restore its optimizer; warn if its state does not fit.

    Args:
        model: the model.
        training: the training config of any Keras.
        state: function that reads names and arrays of the optimizer's state, or None if there is none; called if
            compiling succeeds.
        where: what to call the file or config in messages.
        dialect: what the names and numbers of the training config mean.

    Raises: KerasFrontError if the training config names what is not known, or makes no sense.
    """
    try:
        with failures.reading(where, "a training config", UnreadableFileError):
            optimizer = training_config.compile_model(model, training, where, dialect)
    except KerasFrontError as error:
        if not isinstance(error, UnsafeFileError):
            text = _explained(error, {}, where) if isinstance(error, UnknownNameError) else error
            error.args = (f"{text}\n  {UNCOMPILED}", *error.args[1:])
        raise
    names, arrays = state() or ((), ())
    if not arrays:
        return
    try:
        training_config.set_optimizer_state(optimizer, model, names, arrays, where)
    except SerializationError as error:
        warnings.warn(f"{error}\n  The model is compiled, and its optimizer begins anew.", stacklevel=4)


def _optimizer_weights(root: Any, where: str, model: Any) -> tuple[list[str], list[np.ndarray]] | None:
    group = guard.group(root, "optimizer_weights", where)
    if group is None:
        return None
    names = guard.texts(group, "weight_names", f"{where}, optimizer_weights")
    names = [*names, *(name for name in training_config.LOSS_SCALE if name in group)]
    arrays = _arrays(group, names, f"{where}, optimizer_weights", most_bytes(model.weights))
    held = root["model_weights"] if "model_weights" in root else root
    origin = _origin(held, where)
    if not origin[0].startswith("1") and origin[1] != "theano":
        return names, arrays
    layers = [(layer, len(_weight_names(held, name, where))) for layer, name in _matched(model.layers, held, where)]
    return older_states.as_today(layers, names, arrays, functools.partial(_as_today, origin=origin))


def load_weights(
    model: Any, source: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Set the weights of `model` from a file of weights or of a whole model.

    Args:
        model: the model whose weights are set.
        source: path, `h5py.File` or `h5py.Group`, or a binary file object.
        by_name: only the layers whose names are in the file.
        skip_mismatch: with `by_name`, leave out layers that do not fit, with a warning.
        reshape: accept arrays of another shape with as many numbers.
    """
    with opened(source) as (root, where):
        if "layer_names" not in root.attrs and "layer_names0" not in root.attrs and "model_weights" in root:
            root = root["model_weights"]
        if by_name:
            load_weights_by_name(root, model.layers, where, skip_mismatch, reshape)
        else:
            load_weights_into(model, root, where, reshape)


def _origin(root: Any, where: str) -> tuple[str, str | None]:
    """Keras version and backend that wrote the weights, which stand beside them or at the root; Keras 1 wrote none."""
    holders = [root if key in root.attrs else root.parent for key in ("keras_version", "backend")]
    version, backend = (guard.attribute(h, key, where) for h, key in zip(holders, ("keras_version", "backend")))
    return guard.as_text(version) if version is not None else "1", None if backend is None else guard.as_text(backend)


def load_weights_into(model: Any, root: Any, where: str, reshape: bool = False) -> None:
    """Set all weights of `model`, layer by layer in order; nothing is set unless everything fits.

    Args:
        model: the model whose weights are set.
        root: the group that holds the weights.
        where: what to call the file or config in messages.
        reshape: accept arrays of another shape with as many numbers.

    Raises: ArgumentError or ShapeError if the file belongs to another model.
    """
    if _groups_with_weights(model.layers, root, where):
        weight_order.check_built(model, where)
    pairs = pairs_in_order(model.layers, root, where, reshape)
    own = [*model._trainable_weights, *model._non_trainable_weights]
    top = guard.group(root, "top_level_model_weights", where)
    if own and top is not None:
        arrays = _arrays(top, guard.texts(top, "weight_names", where), where, most_bytes(own))
        weight_order.check_shapes(model, own, arrays)
        pairs += list(zip(own, arrays, strict=True))
    set_weights(pairs)
    vocabularies.restore_factors(model.layers, root, where)


def pairs_in_order(
    layers: Sequence[Any], root: Any, where: str, reshape: bool = False
) -> list[tuple[Variable, np.ndarray]]:
    """Weights and their arrays, once the layers of the file and of the model are found to correspond.

    Args:
        layers: layers whose weights are meant.
        root: the group that holds the weights.
        where: what to call the file or config in messages.
        reshape: accept arrays of another shape with as many numbers.

    Raises: ArgumentError or ShapeError if the file belongs to another model.
    """
    origin, matched = _origin(root, where), _matched(layers, root, where)
    return [
        pair
        for layer, name in tracked(matched, "Loading weights", len(matched), "layer")
        for pair in _layer_pairs(layer, root, name, origin, where, reshape)
    ]


def _matched(layers: Sequence[Any], root: Any, where: str) -> list[tuple[Any, str]]:
    """Each layer with weights, and the name of its group in the file.

    Raises: ArgumentError for another number of them.
    """
    names = _groups_with_weights(layers, root, where)
    filled = [layer for layer in weight_order.layers_in_file(layers) if layer.weights]
    if len(names) != len(filled):  # or, as keras_front wrote at first, one group for what joins models
        filled = [layer for layer in dict.fromkeys(layers) if layer.weights]
    if len(names) != len(filled):
        raise ArgumentError(
            f"You are trying to load a weight file containing {len(names)} layers into a model with "
            f"{len(filled)} layers. Layer count mismatch when loading weights from file {where}: the model expected "
            f"{len(filled)} layers, found {len(names)} saved layers."
        )
    return list(zip(filled, names, strict=True))


def _groups_with_weights(layers: Sequence[Any], root: Any, where: str) -> list[str]:
    """The groups of layers that hold weights, without those of factors of tokens, which are no weights here."""
    factors = {layer.name for layer in layers if vocabularies.has_factors(layer)}
    names = _layer_names(root, where)
    return [name for name in names if name not in factors and _weight_names(root, name, where)]


def _layer_names(root: Any, where: str) -> list[str]:
    """The names of the groups of layers; Keras 0.3 numbered them."""
    count = guard.attribute(root, "nb_layers", where)
    if count is None or "layer_names" in root.attrs:
        return guard.texts(root, "layer_names", where)
    return [name for name in (f"layer_{number}" for number in range(min(int(count), len(root)))) if name in root]


def numbered_names(group: Any, where: str) -> list[str]:
    """The names of the arrays of a group of Keras 0.3: 'param_0', 'param_1' ...

    Args:
        group: the group.
        where: what to call the file in messages.

    Raises: SerializationError if there are fewer than the group says.
    """
    count = int(guard.attribute(group, "nb_params", where))
    if count > len(group):
        raise SerializationError(f"{where}: expected {count} arrays, as 'nb_params' says, found {len(group)}.")
    return [f"param_{number}" for number in range(count)]


def _weight_names(root: Any, name: str, where: str) -> list[str]:
    group = guard.group(root, name, where)
    if group is None:
        raise SerializationError(f"{where}: expected a group for the layer {name!r}, found {sorted(root)[:10]}.")
    if "nb_params" in group.attrs:
        return numbered_names(group, f"{where}, {name!r}")
    return guard.texts(group, "weight_names", f"{where}, {name!r}")


def _as_today(layer: Any, arrays: list[np.ndarray], origin: tuple[str, str | None]) -> list[np.ndarray]:
    """The arrays of a layer in today's layout."""
    for converter in converters():
        arrays = converter(layer, arrays, *origin)
    return arrays


def _layer_pairs(
    layer: Any, root: Any, name: str, origin: tuple[str, str | None], where: str, reshape: bool
) -> list[tuple[Variable, np.ndarray]]:
    """The weights of one layer with their arrays of the file."""
    names = _weight_names(root, name, where)
    limit = most_bytes(weight_order.in_file_order(layer))
    return pairs_of_layer(layer, names, _arrays(root[name], names, f"{where}, {name!r}", limit), origin, reshape)


def pairs_of_layer(
    layer: Any, names: Sequence[str], arrays: list[np.ndarray], origin: tuple[str, str | None], reshape: bool = False
) -> list[tuple[Variable, np.ndarray]]:
    """The weights of a layer with the arrays that a file has for them, in today's layout.

    Args:
        layer: the layer.
        names: names of the arrays.
        arrays: the arrays in the order of the file.
        origin: version and backend of the Keras that wrote them.
        reshape: accept arrays of another shape with as many numbers.

    Raises: ArgumentError or ShapeError for arrays of another layer.
    """
    weights = weight_order.in_file_order(layer)
    arrays = _as_today(layer, arrays, origin)
    if len(names) == len(arrays):
        if weight_order.is_adapted(layer):
            weights = weight_order.by_names(layer.weights, names) or weights
        elif weight_order.has_models(layer):
            weights = weight_order.by_names(weights, names) or weights
    if reshape and len(weights) == len(arrays):
        arrays = [a.reshape(w.shape) if a.size == np.prod(w.shape) else a for a, w in zip(arrays, weights)]
    weight_order.check_shapes(layer, weights, arrays)
    return list(zip(weights, arrays, strict=True))


def load_weights_by_name(
    root: Any, layers: Sequence[Any], where: str, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Set the weights of the layers whose names the file knows; the others stay.

    Args:
        root: the group that holds the weights.
        layers: layers whose weights are set.
        where: what to call the file or config in messages.
        skip_mismatch: leave out layers that do not fit, with a warning.
        reshape: accept arrays of another shape with as many numbers.

    Raises: ArgumentError or ShapeError if a layer does not fit, unless `skip_mismatch`.
    """
    origin = _origin(root, where)
    known = {name for name in guard.texts(root, "layer_names", where) if _weight_names(root, name, where)}
    pairs = []
    for layer in weight_order.layers_in_file(layers):
        if layer.name not in known:
            continue
        try:
            pairs += _layer_pairs(layer, root, layer.name, origin, where, reshape)
        except ArgumentError as error:
            if not skip_mismatch:
                raise
            warnings.warn(f"Skipping loading of weights for layer {layer.name}: {error}", stacklevel=4)
    set_weights(pairs)


def set_weights(pairs: Sequence[tuple[Variable, np.ndarray]]) -> None:
    """Give weights their values, all at once for whoever reads them in another thread.

    Args:
        pairs: each weight with its array.
    """
    with replaced(weight for weight, _ in pairs):
        for weight, value in pairs:
            weight.set(value)
