"""Ops as layers, in the spellings of tf.keras and Keras 3: read into the entries of `OpLayer`, and written from them.

    tf.keras 2.4+   TFOpLambda, SlicingOpLambda: the function of TensorFlow in the config, arguments in the node
    tf.keras 2.0+   TensorFlowOpLayer: the operation of a graph, with its constants
    Keras 3         one class for each op, its attributes in the config

A row of `operation_tables` says what an op is called in each. What has no name there keeps the entry of keras_front,
which only this library reads. The module in an entry of Keras 3 tells an op from a layer of the same name; it is never
imported.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_front import tf_names
from keras_front.errors import ArgumentError, SerializationError, UnsafeFileError
from keras_front.graph.arguments import is_tensor
from keras_front.graph.functions import named
from keras_front.graph.network_config import CONSTANT
from keras_front.tf_names.dtypes import dtype_name

from . import guard, operation_nodes
from .operation_nodes import Call, unknown
from .operation_tables import BY_FUNCTION, BY_KERAS3, BY_TF, KERAS3_ALIASES, KERAS3_AS, TF_ALIASES, Row

Config = dict[str, Any]
OURS = "OpLayer"
SIZES = {
    "length",
    "num_classes",
    "n",
    "repeats",
    "rep",
    "reps",
    "shape",
    "size",
    "height_factor",
    "width_factor",
    "pad_width",
}
LARGEST = 10_000_000
UNSAID = ("image", "linalg")  # modules of ops whose names `keras.ops` itself does not have; HDF5 files leave them out
KERAS3_MODULES = ("keras.src.ops.", "keras.src.activations.activations", "keras.ops")


# Reading ---------------------------------------------------------------------------------------------


def is_op(entry: Any) -> bool:
    """Whether a layer's entry of any Keras is an op.

    Args:
        entry: an element of the `layers` of a model's config.

    Keras 3 says it by the module, which its HDF5 files leave out; there an op is known by the form of its calls, and by
    not having what the config of every layer has.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        return False
    if entry.get("class_name") in _READERS:
        return True
    if "trainable" in entry["config"]:
        return False
    if entry.get("module"):
        return str(entry["module"]).startswith(KERAS3_MODULES)
    kind, nodes = str(entry.get("class_name")), entry.get("inbound_nodes") or []
    if not nodes or not isinstance(nodes[0], Mapping):
        return False
    listed = kind in BY_KERAS3 or kind in KERAS3_ALIASES or kind in KERAS3_AS
    return listed or any(map(_is_function, _names_of(entry)))


def read(entry: Mapping[str, Any], shift: Mapping[str, int], tensors: Callable[[Any, Any], Any]) -> Config:
    """The entry of an `OpLayer` that means the same.

    Args:
        entry: class, config and nodes as some Keras wrote them.
        shift: what to add to the numbers of calls of some layers.
        tensors: makes plain places of the tensors of Keras 3 in a value, with the shift.

    Raises: SerializationError for an op that is not known, or an argument that changes what it does.
    """
    if entry["class_name"] == OURS and "results" in entry["config"]:
        return _recorded(entry, lambda value: tensors(value, shift))
    reader = _READERS.get(str(entry["class_name"]), _read_keras3)
    name = entry.get("name") or entry["config"].get("name")
    nodes = entry.get("inbound_nodes") or []
    function, made = None, []
    for node in nodes:
        function, first, keywords = reader(entry, _as_call(node, lambda value: tensors(value, shift)))
        _check_sizes(name, keywords)
        made.append(_as_node(first, keywords))
    if function is None:
        raise SerializationError(f"The op {name!r} in a model's config: expected at least one call of it.")
    config = {"name": name, "trainable": bool(entry["config"].get("trainable", True)), "function": function}
    if isinstance(entry["config"].get("dtype"), str):
        config["dtype"] = entry["config"]["dtype"]
    return {"name": name, "class_name": OURS, "config": config, "inbound_nodes": made}


def _recorded(entry: Mapping[str, Any], places: Callable[[Any], Any]) -> Config:
    """The entry of a loop or gradient of ours: the arguments of its calls are kept as they are."""
    name, nodes = entry.get("name") or entry["config"].get("name"), entry.get("inbound_nodes") or []
    if not all(isinstance(node, Mapping) and isinstance(node.get("args"), list) for node in nodes):
        raise SerializationError(f"The op {name!r} in a model's config: expected its calls with 'args' and 'kwargs'.")
    for part in guard.dictionaries(nodes):
        _check_sizes(name, part)
    made = [{"args": places(node["args"]), "kwargs": places(node.get("kwargs") or {})} for node in nodes]
    return {"name": name, "class_name": OURS, "config": dict(entry["config"]), "inbound_nodes": made}


def _check_sizes(name: Any, keywords: Mapping[str, Any]) -> None:
    """Refuse sizes for which memory would be taken at once and that no model has.

    Raises: UnsafeFileError.
    """
    for key in SIZES & set(keywords):
        for size in np.ravel(np.asarray(keywords[key], object)):
            if isinstance(size, int) and size > LARGEST:
                raise UnsafeFileError(
                    f"The op {name!r} in a model's config: expected {key} up to {LARGEST:,}, received {size:,}.\n"
                    "  If you trust whoever wrote it, make this part of the model yourself."
                )


def _as_call(node: Any, places: Callable[[Any], Any]) -> Call:
    if isinstance(node, Mapping):
        args = [places(arg) for arg in node.get("args", ())]
        keywords = {key: places(value) for key, value in (node.get("kwargs") or {}).items()}
        return (args[0] if args else None), args[1:], keywords
    first, keywords = _structure(node, places)
    return first, [], {key: places(value) for key, value in keywords.items()}


def _structure(node: Any, places: Callable[[Any], Any]) -> tuple[Any, Config]:
    """The first argument of a call in the form of Keras 2, nested as it was, and the arguments that stand beside it."""
    if node and isinstance(node[0], str):
        keywords = dict(node[3]) if len(node) > 3 else {}
        return (node[2] if node[0] == CONSTANT else places([*node[:3]])), keywords
    parts = [_structure(item, places) for item in node]
    return [first for first, _ in parts], next((keywords for _, keywords in reversed(parts) if keywords), {})


def _as_node(first: Any, keywords: Config) -> Any:
    def entry(item: Any) -> list[Any]:
        return [*item, keywords] if is_tensor(item) else [CONSTANT, -1, item, keywords]

    several = isinstance(first, list) and not is_tensor(first) and any(is_tensor(item) for item in first)
    return [entry(item) for item in first] if several else entry(first)


def _read_ours(entry: Mapping[str, Any], call: Call) -> tuple[str, Any, Config]:
    return entry["config"]["function"], call[0], call[2]


def _read_tf(entry: Mapping[str, Any], call: Call) -> tuple[str, Any, Config]:
    """A `TFOpLambda`, or another call of a function: the arguments of a function of TensorFlow under the names of K."""
    function = str(entry["config"].get("function"))
    name = TF_ALIASES.get(function, function)
    first, _, keywords = call
    if name == "nn.relu":
        return "relu", first, {}
    if name.startswith("keras.backend."):
        return name.rpartition(".")[2], first, _given(keywords)
    row = BY_TF.get(name)
    if (row is None or not _fits(row, _given(keywords))) and tf_names.find(function) is not None:
        return _complete(entry, f"tf.{function}", first, _given(keywords))
    if row is None:
        raise unknown(entry, function)
    theirs = {their: our for our, their in row.renamed.items()}
    found = {theirs.get(key, key): value for key, value in _given(keywords).items()}
    if row.function == "ops.split" and isinstance(found["indices_or_sections"], list):  # sizes, where NumPy has places
        found["indices_or_sections"] = np.cumsum(found["indices_or_sections"])[:-1].tolist()
    kept = {key: value for key, value in found.items() if not _neutral(row, entry, key, value)}
    return _complete(entry, *_adapted(row, first, kept))


def _complete(entry: Mapping[str, Any], function: str, first: Any, keywords: Config) -> tuple[str, Any, Config]:
    """The same, once all arguments that the function needs are there.

    Raises: SerializationError where tf.keras has not written one: of `a == b` and of functions of any number of tensors
        it writes the first alone, and cannot read that either.
    """
    missing = [name for name in _needed(function) if name not in keywords]
    if missing:
        raise SerializationError(
            f"The op {entry.get('name')!r} ({entry['config'].get('function')}) in a model's config: expected "
            f"{missing[0]!r} beside the first argument, which is not in the file: tf.keras does not write it.\n"
            "  Make this part of the model yourself, and load the weights."
        )
    return function, first, keywords


def _needed(function: str) -> list[str]:
    """Names of the arguments without a default, after the first."""
    op = named(function)
    parameters = list((_declared(function) or inspect.signature(op).parameters).values())
    lost = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL and p.name in ("args", "inputs")]
    return [p.name for p in parameters[1:] if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD] + lost


def _declared(function: str) -> Mapping[str, inspect.Parameter]:
    """The parameters of an op of K; of a function that is none, nothing."""
    op = named(function)
    return op.signature.parameters if hasattr(op, "signature") else {}


def _fits(row: Row, given: Config) -> bool:
    """Whether an op of K can do all that these arguments of a function of TensorFlow say."""
    known = {*_declared(row.function), *row.call, *row.config, *row.renamed.values(), *row.fixed}
    pairs = given.items()
    return all(key in known and value in row.fixed.get(key, (value,)) for key, value in pairs) and not (
        row.function == "ops.repeat" and isinstance(given.get("repeats"), list)
    )


def _given(keywords: Config) -> Config:
    return {key: value for key, value in keywords.items() if key != "name" and value is not None}


def _neutral(row: Row, entry: Mapping[str, Any], key: str, value: Any) -> bool:
    """Whether an argument says what is done anyway.

    Raises: SerializationError if it says something else.
    """
    if key not in row.fixed:
        return False
    if value not in row.fixed[key]:
        raise SerializationError(
            f"The op {entry.get('name')!r} ({row.function}): expected {key}={row.fixed[key][0]!r}, received {value!r}, "
            "which this version cannot do.\n  Write this part of the model as a layer of your own."
        )
    return True


def _adapted(row: Row, first: Any, keywords: Config) -> tuple[str, Any, Config]:
    """Where one function of TensorFlow or Keras 3 is two of K, or an argument has another form."""
    function = row.function
    keywords = {key: _as_array(value) if key in row.call else value for key, value in keywords.items()}
    first = _as_array(first)
    if "dtype" in keywords:
        keywords = {**keywords, "dtype": dtype_name(keywords["dtype"], "float32")}
    if function == "concatenate" and isinstance(first, list):
        first = [part for part in first if part != []]  # which TensorFlow joins as well
    if function in ("permute_dimensions", "transpose"):
        pattern = keywords.pop("pattern", keywords.pop("axes", None))
        return ("transpose", first, {}) if pattern is None else ("permute_dimensions", first, {"pattern": pattern})
    if function == "ops.pad":
        keywords = {**keywords, "mode": str(keywords.get("mode", "constant")).lower()}
    if function in ("reverse", "flip"):
        keywords = {"axes": keywords.get("axes", keywords.get("axis"))}
        keywords["axes"] = keywords["axes"] if isinstance(keywords["axes"], list) else [keywords["axes"]]
        return "reverse", first, keywords
    if function == "leaky_relu":
        keywords = {"alpha": 0.2, **keywords}  # the default of TensorFlow and Keras 3
    if function == "norm" and keywords.get("ord") == "euclidean":
        keywords = {key: value for key, value in keywords.items() if key != "ord"}
    return function, first, keywords


def _as_array(value: Any) -> Any:
    """Numbers in lists as an array, where the argument is a tensor."""
    if not isinstance(value, list) or is_tensor(value) or _has_place(value):
        return value
    kind = np.asarray(value).dtype.kind
    dtype = {"f": "float32", "b": "bool"}.get(kind, "int64")
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": dtype}} if kind in "fbiu" else value


def _has_place(value: Any) -> bool:
    return is_tensor(value) or (isinstance(value, list) and any(map(_has_place, value))) or isinstance(value, Mapping)


def _read_slice(entry: Mapping[str, Any], call: Call) -> tuple[str, Any, Config]:
    if "slice_spec" not in call[2]:
        return _read_tf(entry, call)
    return _indexed(call[0], _plain_key(call[2]["slice_spec"]))


def _indexed(first: Any, key: Any) -> tuple[str, Any, Config]:
    """`first[key]`; slices that begin or end at a tensor are written apart: no argument holds a tensor in a slice."""
    listed = key if isinstance(key, list) and not is_tensor(key) else [key]
    if not any(isinstance(part, Mapping) and _has_tensor(list(part.values())) for part in listed):
        return "getitem", first, {"key": key}
    slices = [part if isinstance(part, Mapping) else {"start": part, "stop": None, "step": None} for part in listed]
    begin, end = ([part[name] for part in slices] for name in ("start", "stop"))
    masks = {
        "begin_mask": [b is None for b in begin],
        "end_mask": [e is None for e in end],
        "ellipsis_mask": [part == "Ellipsis" for part in listed],
        "new_axis_mask": [part is None for part in listed],
        "shrink_axis_mask": [part is not None and part != "Ellipsis" and part not in slices for part in listed],
    }
    bits = {name: sum(1 << place for place, held in enumerate(flags) if held) for name, flags in masks.items()}
    steps = [1 if part["step"] is None else part["step"] for part in slices]
    return "tf.strided_slice", first, {"begin": begin, "end": end, "strides": steps, **bits}


def _has_tensor(value: Any) -> bool:
    return is_tensor(value) or (isinstance(value, list) and any(map(_has_tensor, value)))


def _read_keras3(entry: Mapping[str, Any], call: Call) -> tuple[str, Any, Config]:
    """An op of Keras 3: its attributes and the arguments of its call under the names of K."""
    kind = str(entry["class_name"])
    first, rest, keywords = call
    if kind == "Einsum":
        return "contract", [first, *rest], {"equation": entry["config"]["subscripts"]}
    if kind == "InTopK":  # K has the predictions first
        first, rest = rest[0], [first]
    row = BY_FUNCTION[KERAS3_AS[kind]] if kind in KERAS3_AS else BY_KERAS3.get(KERAS3_ALIASES.get(kind, kind))
    attributes = {key: value for key, value in entry["config"].items() if key not in BESIDE}
    if row is None or row.function.startswith("ops.") or not _fits_keras3(row, {**attributes, **keywords}):
        return _op_of_its_name(entry, first, rest, {**attributes, **keywords})
    ours = {their: our for our, their in row.config.items()}
    named_ = _given(dict(zip(row.call, rest, strict=False)))
    found = {**{ours.get(key, key): value for key, value in _given({**attributes, **keywords}).items()}, **named_}
    found = {key: _plain_key(value) for key, value in found.items() if key not in row.fixed}
    if row.function == "getitem":
        return _indexed(first, found["key"])
    return _adapted(row, _plain_key(first), found)


BESIDE = ("name", "dtype_policy")  # in the config of an op of Keras 3 that are no arguments


def _fits_keras3(row: Row, given: Config) -> bool:
    """Whether an op of K can do all that attributes of Keras 3 say, and means the same where they are None."""
    ours = {their: our for our, their in row.config.items()}
    parameters = _declared(row.function)
    for key, value in given.items():
        name = ours.get(key, key)
        known = name in parameters or key in ours or name in row.call
        if key in row.fixed and value not in row.fixed[key]:
            return False
        if value is None and name in parameters and parameters[name].default is not None:
            return False
        if value is not None and not known and key not in row.fixed:
            return False
    return True


def _op_of_its_name(entry: Mapping[str, Any], first: Any, rest: list[Any], given: Config) -> tuple[str, Any, Config]:
    """The function of `keras_front.ops` that has the name of a class of Keras 3, and so its arguments."""
    name = next((name for name in _names_of(entry) if _is_function(name)), None)
    if name is None:
        raise unknown(entry, entry["class_name"])
    parameters = list(inspect.signature(named(name)).parameters.values())
    if rest and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        raise unknown(entry, f"{entry['class_name']} of several tensors")
    free = [p.name for p in parameters[1:] if p.name not in given]
    found = {**given, **dict(zip(free, rest, strict=False))}
    known = {p.name for p in parameters}
    accepted = {k: _plain_key(v) for k, v in found.items() if v is not None and (k in known or v is not False)}
    return _complete(entry, name, _plain_key(first), accepted)


def _names_of(entry: Mapping[str, Any]) -> list[str]:
    """What a class of Keras 3 may be called in `keras_front.ops`: 'ops.image.resize' of `Resize` in `ops.image`."""
    kind = str(entry["class_name"])
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
    module = str(entry.get("module") or "").rpartition(".")[2]
    plain = [words, kind.lower(), words.removesuffix("_norm") + "_normalization"]
    within = [f"ops.{part}.{name}" for part in ([module] if module else UNSAID) for name in plain]
    return [*within, *(f"ops.{name}" for name in plain)]


def _is_function(name: str) -> bool:
    """Whether a config may name this function."""
    try:
        return named(name) is not None
    except ArgumentError:
        return False


def _plain_key(value: Any) -> Any:
    """Slices and the ellipsis as Keras 3 writes them."""
    if isinstance(value, Mapping) and value.get("class_name") == "__slice__":
        return {key: value["config"].get(key) for key in ("start", "stop", "step")}
    if isinstance(value, Mapping) and value.get("class_name") == "__ellipsis__":
        return "Ellipsis"
    if isinstance(value, Mapping) and value.get("class_name") == "__tensor__":
        return {**value, "class_name": "__numpy__"}
    if isinstance(value, list):
        return value if is_tensor(value) else [_plain_key(item) for item in value]
    return value


_READERS: dict[str, Callable[[Mapping[str, Any], Call], tuple[str, Any, Config]]] = {
    OURS: _read_ours,
    "TFOpLambda": _read_tf,
    "SlicingOpLambda": _read_slice,
    "TensorFlowOpLayer": operation_nodes.read,
}


# Writing ---------------------------------------------------------------------------------------------


def to_tf(config: Any) -> Any:
    """A config, JSON values all through, with the ops among its layers as tf.keras writes them."""
    if isinstance(config, Mapping):
        if config.get("class_name") == OURS and "inbound_nodes" in config:
            return _tf_entry(config)
        return {key: to_tf(value) for key, value in config.items()}
    return [to_tf(item) for item in config] if isinstance(config, list) else config


def _tf_entry(entry: Mapping[str, Any]) -> Any:
    function = str(entry["config"]["function"])
    row = BY_FUNCTION.get(function)
    if function.startswith("tf.") and not _refers(entry["inbound_nodes"]):
        return _tf_entry_as_it_is(entry, function.removeprefix("tf."))
    if row is None or _refers(entry["inbound_nodes"]):
        return dict(entry)
    name = row.tf or (None if "." in function else f"keras.backend.{function}")
    if name is None or function == "contract":
        return dict(entry)
    nodes = []
    for node in entry["inbound_nodes"]:
        first, _, keywords = _as_call(node, lambda value: value)
        if row.tf is not None:
            rest = _without_defaults(function, keywords, {*row.call, *row.config, *row.renamed})
            if rest is None:
                return dict(entry)
            keywords = rest
        if function == "ops.split" and isinstance(keywords["indices_or_sections"], list):
            places = [0, *keywords["indices_or_sections"]]
            keywords = {**keywords, "indices_or_sections": [*np.diff(places).tolist(), -1]}
        keywords = {row.renamed.get(key, key): _listed(value) for key, value in keywords.items()}
        nodes.append(_as_node(_listed(first), keywords))
    kind = "SlicingOpLambda" if function == "getitem" else "TFOpLambda"
    return {**entry, "class_name": kind, "config": {**entry["config"], "function": name}, "inbound_nodes": nodes}


def _tf_entry_as_it_is(entry: Mapping[str, Any], function: str) -> Any:
    """The entry of a function of TensorFlow, whose arguments have their names already."""
    calls = [_as_call(node, lambda value: value) for node in entry["inbound_nodes"]]
    nodes = [_as_node(_listed(first), {k: _listed(v) for k, v in keywords.items()}) for first, _, keywords in calls]
    config = {**entry["config"], "function": function}
    return {**entry, "class_name": "TFOpLambda", "config": config, "inbound_nodes": nodes}


def _without_defaults(function: str, keywords: Config, known: set[str]) -> Config | None:
    """The arguments that a foreign op takes, without others that say what is done anyway; None if one says more."""
    given = {key: value for key, value in keywords.items() if key not in known}
    parameters = _declared(function)
    if all(key in parameters and value == parameters[key].default for key, value in given.items()):
        return {key: value for key, value in keywords.items() if key in known}
    return None


def _refers(value: Any) -> bool:
    """Whether arguments hold what only our own reader knows: weights and symbols, arrays of unusual dtypes."""
    if isinstance(value, Mapping):
        kind, config = value.get("class_name"), value.get("config")
        if kind == "__numpy__" and isinstance(config, Mapping):
            return config.get("dtype") not in ("float32", "int32", "int64", "bool")
        return kind in ("__weight__", "__symbol__") or any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))


def _listed(value: Any) -> Any:
    """Arrays as lists, and the ellipsis as JSON of tf.keras has it."""
    if value == "Ellipsis":
        return {"class_name": "__ellipsis__"}
    if isinstance(value, Mapping):
        if value.get("class_name") == "__numpy__":
            return value["config"]["value"]
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list) else value


def to_keras3(entry: Mapping[str, Any], shift: Mapping[str, int]) -> Any:
    """The entry of an `OpLayer` as Keras 3 writes it; where it has no such op, that of keras_front."""
    function = str(entry["config"]["function"])
    if "results" in entry["config"]:
        return {**entry, "inbound_nodes": [_moved(node, shift) for node in entry["inbound_nodes"]]}
    row = BY_FUNCTION.get(function)
    calls = [_as_call(node, lambda value: _moved(value, shift)) for node in entry["inbound_nodes"]]
    if row is None or row.keras3 is None or len(calls) != 1 or _refers_own(entry["inbound_nodes"]):
        nodes = [_as_node(first, keywords) for first, _, keywords in calls]
        return {**entry, "inbound_nodes": nodes}
    module, _, kind = row.keras3.rpartition(".")
    first, _, keywords = calls[0]
    rest = _without_defaults(function, keywords, {*row.call, *row.config})
    if rest is None or any(_has_place(rest[our]) for our in row.config if our in rest):
        return {**entry, "inbound_nodes": [_as_node(first, keywords)]}
    keywords = rest
    args = [_keras3_value(first), *(_keras3_value(keywords.get(name)) for name in row.call)]
    args = args[0] if kind == "Einsum" else args[::-1] if kind == "InTopK" else args  # which has the predictions last
    attributes = {their: _keras3_value(keywords[our]) for our, their in row.config.items() if our in keywords}
    home = "keras.src.activations.activations" if module == "activations" else f"keras.src.ops.{module}"
    return {
        "module": home,
        "class_name": kind,
        "config": {"name": entry["name"], **attributes},
        "registered_name": kind,
        "name": entry["name"],
        "inbound_nodes": [{"args": args, "kwargs": {}}],
    }


def _refers_own(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get("class_name") in ("__weight__", "__symbol__") or any(map(_refers_own, value.values()))
    return isinstance(value, list) and any(map(_refers_own, value))


def _moved(value: Any, shift: Mapping[str, int]) -> Any:
    """A value with other numbers for the calls of some layers."""
    if is_tensor(value):
        return [value[0], value[1] + shift.get(value[0], 0), value[2]]
    if isinstance(value, Mapping):
        return {key: _moved(item, shift) for key, item in value.items()}
    return [_moved(item, shift) for item in value] if isinstance(value, list) else value


def _keras3_value(value: Any) -> Any:
    """A value with tensors, slices and the ellipsis as Keras 3 writes them."""
    if is_tensor(value):
        history = {"shape": [], "dtype": "float32", "keras_history": value}
        return {"class_name": "__keras_tensor__", "config": history}
    if value == "Ellipsis":
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, Mapping) and set(value) == {"start", "stop", "step"}:
        return {"class_name": "__slice__", "config": dict(value)}
    return [_keras3_value(item) for item in value] if isinstance(value, list) else value
