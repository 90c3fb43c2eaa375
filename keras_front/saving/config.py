"""Model configs: what any Keras wrote becomes a Keras 2 dictionary before the one reader sees it (decision D11).

Three dialects arrive here. Keras 2 (`{"class_name", "config"}`, nodes as lists of names), tf_keras (the
same with `module`, `registered_name` and `build_config` around it), and Keras 3 (dtype policies as objects,
nodes as `{"args", "kwargs"}` with `__keras_tensor__` leaves). The differences are tables; the code only
walks and looks up.

Nothing here makes an object or imports what a config names: `module` is dropped unread.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from keras_front import bytecode
from keras_front.compatibility import legacy_module
from keras_front.dtype_policies import MIXED
from keras_front.errors import ArgumentError, SerializationError
from keras_front.file_form import FileForm
from keras_front.graph import sharing
from keras_front.registry import Registry, get_registered_object

from . import guard, incomplete, input_layers, operations, sizes

__all__ = [
    "is_keras3",
    "read_model_config",
    "to_keras2",
]

Config = dict[str, Any]

# Tables ----------------------------------------------------------------------------------------------

# Class names of later versions that mean a class of Keras 2.
CLASSES = {"Functional": "Model", "ModelFunctional": "Model"}

# What tf.keras 1.13 to 2.0 put around the names of classes that it had twice: 'BatchNormalizationV1', 'UnifiedLSTM'.
INTERNAL = re.compile(r"^Unified|V[12]$")

MODELS = ("Model", "Sequential")

# Arguments that Keras 2 does not know, with the values that say what Keras 2 does anyway. They are dropped
# where the class does not take them; any other value is refused, for it would be ignored silently. None:
# any value will do.
NEUTRAL: dict[str, tuple[Any, ...] | None] = {
    "autocast": None,
    "backward_layer": (None,),
    "build_input_shape": None,
    "data_format": ("channels_last", None),
    "fn": None,  # of a loss that has a class of its own, as tf_keras writes it and passes over it
    "groups": (1,),
    "implementation": None,
    "input_axes": (None,),
    "input_length": None,
    "keepdims": (False,),
    "key_shape": None,  # of the inputs of an attention, with those of `query` and `value`: the calls say them
    "noise_shape": (None,),
    "optional": (False,),
    "output_axes": (None,),
    "output_padding": (None,),
    "quantization_config": (None,),
    "query_shape": None,
    "ragged": (False,),
    "registered_name": None,
    "rms_scaling": (False,),
    "robust_masking": None,  # how masked places are left out: the same unless all are masked
    "score_mode": ("dot",),
    "seed": None,
    "softmax_robust_masking": None,
    "sparse": (False,),
    "synchronized": None,
    "time_major": (False,),
    "trainable": None,
    "use_gpu": None,
    "value_shape": None,
    "zero_output_for_mask": (False,),
}


# Functions whose formula Keras 3 changed, by argument value.
KERAS3_FUNCTIONS = {"hard_sigmoid": "hard_sigmoid_keras3", "hard_sigmoid_keras2": "hard_sigmoid"}
FUNCTION_ARGUMENTS = ("activation", "recurrent_activation")

# What stands in `.h5` files of keras_front for Keras 3 to refuse, where it would take a function for another one:
# `batch_size` is an argument that older Keras take for every layer, and look at where it belongs to a shape alone.
REFUSED_BY_KERAS3 = "batch_size"
HINTS = {
    "hard_sigmoid": "hard_sigmoid is another function in Keras 3: read this file with tf_keras or keras_front.",
}

# Layers whose further inputs (states, constants) Keras 2 lists among the inputs, and later versions as
# keywords.
STATE_KEYWORDS = ("initial_state", "constants")

# Arguments that no object stands for, whatever a config says.
PLAIN = ("name", "trainable", "batch_shape", "batch_input_shape", "input_shape")

# Keys of a layer's entry that carry no meaning for Keras 2.
DROPPED_BESIDE_CONFIG = ("module", "build_config", "compile_config", "shared_object_id")


# Model configs ---------------------------------------------------------------------------------------


def read_model_config(raw: Any, where: str = "The config") -> Config:
    """A model or layer config, from JSON text or a dictionary of any Keras, as a Keras 2 dictionary, guarded.

    Args:
        raw: JSON text, bytes or a dictionary.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError for what the guard refuses, and for more layers than `config.max_model_layers()`;
        SerializationError for what is no config.
    """
    config = guard.parsed(raw, where) if isinstance(raw, str | bytes) else raw
    hooks = legacy_module()
    if hooks is not None and isinstance(config, Mapping) and "class_name" not in config:
        config = hooks.modern_config(config)
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise SerializationError(
            f"{where}: expected a dictionary with 'class_name' and 'config', received {type(config).__name__}."
        )
    guard.check_depth(config, where)
    sizes.check_counts(config, where)
    converted = to_keras2(config)
    if isinstance(config.get("build_config"), Mapping):  # by which a model with a `call` of its own makes its weights
        converted["build_config"] = dict(config["build_config"])
    guard.check_config(converted, where)
    return converted


def is_keras3(config: Any) -> bool:
    """Whether a config was written by Keras 3: by its dtype policies, input layers or nodes.

    Args:
        config: a config, at any depth of which the signs may stand.
    """
    return any(
        item.get("class_name") in ("DTypePolicy", "__keras_tensor__")
        or (item.get("class_name") == "InputLayer" and "batch_shape" in (item.get("config") or ()))
        for item in guard.dictionaries(config)
    )


def to_keras2(config: Mapping[str, Any], keras3: bool | None = None) -> Config:
    """The Keras 2 dictionary that means the same as `config`.

    Args:
        config: a config of any Keras.
        keras3: whether Keras 3 wrote it; by default that is found out.
    """
    return _object(config, is_keras3(config) if keras3 is None else keras3)


def convert(value: Any, keras3: bool) -> Any:
    """A value inside a config; what stands for an object is turned into what Keras 2 wrote for it.

    Args:
        value: anything that a config may hold.
        keras3: whether Keras 3 wrote it.
    """
    if isinstance(value, Mapping):
        if "class_name" in value and "config" in value:
            return _object(value, keras3)
        return {key: convert(item, keras3) for key, item in value.items()}
    if isinstance(value, bytecode.Code):
        return value
    if isinstance(value, list | tuple):
        return [convert(item, keras3) for item in value]
    return value


def _object(item: Mapping[str, Any], keras3: bool) -> Any:
    kind, arguments = class_of(item), item.get("config")
    if kind in SPECIAL:
        return SPECIAL[kind](item, keras3)
    result = {k: v for k, v in item.items() if k not in (*DROPPED_BESIDE_CONFIG, "registered_name")}
    result["class_name"] = kind
    if isinstance(item.get("module"), str) and Registry.find_any(kind) is None and get_registered_object(kind) is None:
        result["module"] = item["module"]  # never imported: an error can say whose class it is
    if kind == "Sequential" and isinstance(arguments, list):  # before Keras 2.2.3 a Sequential's config was a list
        arguments = {"layers": arguments}
    if kind in MODELS:
        incomplete.check_network(kind, arguments)
    if kind == "Sequential" and isinstance(arguments, Mapping):
        arguments = {**arguments, "layers": input_layers.without_input_layer(arguments["layers"])}
    if isinstance(arguments, Mapping) and "layers" in arguments and (kind in MODELS or "input_layers" in arguments):
        result["config"] = _network(arguments, keras3)
    elif isinstance(arguments, Mapping):
        arguments = _with_code_beside(arguments)
        converted = {k: v if k in PLAIN else convert(v, keras3) for k, v in arguments.items()}
        result["config"] = _arguments(kind, converted, keras3)
    return result


def class_of(item: Mapping[str, Any]) -> str:
    """The class an entry means: a registered class of the user's, or a name without any module.

    Args:
        item: `{'class_name', ...}`, perhaps with 'registered_name'.
    """
    registered, name = item.get("registered_name"), item["class_name"]
    if isinstance(registered, str) and get_registered_object(registered) is not None:
        return registered
    if not isinstance(name, str):
        raise SerializationError(f"A config: expected 'class_name' to be the name of a class, received {name!r:.80}.")
    if get_registered_object(name) is not None or Registry.find_any(name) is not None:
        return CLASSES.get(name, name) if get_registered_object(name) is None else name
    plain = CLASSES.get(name, INTERNAL.sub("", name))
    return plain if Registry.find_any(plain) is not None else name


def _with_code_beside(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """A `__lambda__` of Keras 3 as Keras 2 writes code: text in a list, and a type beside it."""
    result = dict(arguments)
    for name, value in arguments.items():
        if isinstance(value, Mapping) and value.get("class_name") == "__lambda__":
            parts = value.get("config") or {}
            result[name] = [parts.get("code"), parts.get("defaults"), parts.get("closure")]
            result[f"{name}_type"] = "lambda"
    return result


def _policy(item: Mapping[str, Any], keras3: bool) -> Any:
    """A policy by its name; a map of policies as a config that has names in it."""
    arguments = item.get("config")
    if not isinstance(arguments, Mapping):
        return arguments
    if item["class_name"] != "DTypePolicyMap":
        return arguments.get("name")
    given = arguments.get("policy_map")
    found = {path: convert(policy, keras3) for path, policy in (given if isinstance(given, Mapping) else {}).items()}
    default = convert(arguments.get("default_policy"), keras3)
    return {"class_name": "DTypePolicyMap", "config": {"default_policy": default, "policy_map": found}}


def _quantized_policy(item: Mapping[str, Any], keras3: bool) -> Any:
    arguments = item.get("config") or {}
    return f"{arguments.get('mode')}_from_{arguments.get('source_name', 'float32')}"


def _value(item: Mapping[str, Any], keras3: bool) -> Any:
    arguments = item.get("config")
    return convert(arguments.get("value") if isinstance(arguments, Mapping) else arguments, keras3)


def _code(item: Mapping[str, Any], keras3: bool) -> Any:
    """Code where no built-in layer would take it, as the loss of a training config."""
    bytecode.check_permitted("The config: a function")
    return list((item.get("config") or {}).values())


# Objects that stand for a plain value.
SPECIAL: dict[str, Callable[[Mapping[str, Any], bool], Any]] = {
    "__lambda__": _code,
    **dict.fromkeys(("DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "PolicyV1"), _policy),
    "Float8QuantizationConfig": lambda item, keras3: None,  # the layer refuses the mode that its dtype names
    "Int4QuantizationConfig": lambda item, keras3: None,
    "Int4DTypePolicy": _quantized_policy,
    "QuantizedDTypePolicy": _quantized_policy,
    "QuantizedFloat8DTypePolicy": _quantized_policy,
    "Policy": _policy,
    "__numpy__": _value,
    "__tensor__": _value,
    "__tuple__": lambda item, keras3: convert(item.get("items", item.get("config")), keras3),
    "builtin": lambda item, keras3: item.get("config"),
    "function": lambda item, keras3: item.get("config"),
}


# Arguments of one object -----------------------------------------------------------------------------


def _arguments(kind: str, arguments: Config, keras3: bool) -> Config:
    renamed = form_of(kind).renamed
    arguments = {renamed.get(k, k): v for k, v in arguments.items()}
    if kind in ("BatchNormalization", "LayerNormalization") and isinstance(arguments.get("axis"), list):
        arguments["axis"] = arguments["axis"][0] if len(arguments["axis"]) == 1 else arguments["axis"]
    if arguments.get(REFUSED_BY_KERAS3) in HINTS.values():
        del arguments[REFUSED_BY_KERAS3]
    if kind in Registry.of("layer"):
        arguments = {**form_of(kind).left_out, **arguments}
    if keras3:
        for name in FUNCTION_ARGUMENTS:
            if isinstance(arguments.get(name), str):
                arguments[name] = KERAS3_FUNCTIONS.get(arguments[name], arguments[name])
    return drop_neutral(kind, arguments, NEUTRAL, accepted_by(kind))


def form_of(kind: str) -> FileForm:
    """How other Keras versions write a class.

    Args:
        kind: name of a class; one that nobody knows is written as here.
    """
    return getattr(Registry.find_any(kind), "file_form", FileForm())


def drop_neutral(
    kind: str, arguments: Config, neutral: Mapping[str, tuple[Any, ...] | None], accepted: set[str] | None
) -> Config:
    """`arguments` without those that `kind` does not take and that change nothing.

    Args:
        kind: class whose arguments they are.
        arguments: arguments by name.
        neutral: arguments that may be left out, with the values that change nothing; None for any.
        accepted: names that the class takes; None if they are not known, and then nothing is left out.

    Raises: SerializationError for one that would change something.
    """
    if accepted is None:
        return arguments
    kept = {}
    for name, value in arguments.items():
        if name in accepted or name not in neutral:
            kept[name] = value
        elif (allowed := neutral[name]) is not None and not any(value is a or value == a for a in allowed):
            raise SerializationError(
                f"{kind} {arguments.get('name', '')!r}: expected {name}={allowed[0]!r}, received "
                f"{name}={value!r}, which this version cannot do.\n  Pass a class that can in custom_objects."
            )
    return kept


def accepted_by(kind: str) -> set[str] | None:
    """Names of the constructor arguments of a known class; None if it is not known or takes anything.

    Args:
        kind: name of a class.
    """
    target = Registry.find_any(kind)
    if not inspect.isclass(target):
        return None
    if hasattr(target, "constructor_arguments"):
        base = getattr(inspect.getmodule(_layer_base(target)), "_BASE_ARGUMENTS", ())
        return {*target.constructor_arguments(), *base, "name"}
    parameters = inspect.signature(target).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters}


def _layer_base(target: type) -> type:
    """The class that takes the arguments every layer has."""
    return next((c for c in target.__mro__ if c.__name__ == "Layer"), target)


# Networks --------------------------------------------------------------------------------------------


def _network(arguments: Mapping[str, Any], keras3: bool) -> Config:
    """Config of a model: layers, and for a functional one the nodes and the ends."""
    shift = node_shifts(arguments["layers"]) if keras3 else {}
    entries = _entries(arguments["layers"], keras3, shift)
    result: Config = {"name": arguments["name"]} if arguments.get("name") else {}
    for key in ("build_input_shape", "build_input_dtype"):  # the dtype is keras_front's own
        if arguments.get(key) is not None:
            result[key] = arguments[key]
    policy = convert(arguments.get("dtype"), keras3)
    if isinstance(policy, str) and policy in MIXED:
        result["dtype"] = policy
    result["layers"] = entries
    if arguments.get("added"):  # keras_front's own: what add_loss put beside a stack
        result["added"] = _entries(arguments["added"], keras3, {})
    if "input_layers" not in arguments:
        return result
    for place, entry in enumerate(entries):
        incomplete.check_name(entry, place, arguments.get("name"))
        if entry["class_name"] != operations.OURS:
            nodes = entry.get("inbound_nodes") or []
            entry["inbound_nodes"] = [_node(node, entry["class_name"], shift) for node in nodes]
    result["input_layers"] = ends_of(arguments["input_layers"], {})
    result["output_layers"] = ends_of(arguments["output_layers"], output_shifts(arguments["layers"]) if keras3 else {})
    return result


def _entries(layers: Any, keras3: bool, shift: Mapping[str, int]) -> list[Config]:
    return [
        operations.read(layer, shift, _op_places) if operations.is_op(layer) else _entry(layer, keras3)
        for layer in layers
    ]


def _entry(layer: Any, keras3: bool) -> Config:
    if not isinstance(layer, Mapping) or "class_name" not in layer:
        raise SerializationError(f"A model's config: expected layers with a 'class_name', received {layer!r:.80}.")
    entry = _object(layer, keras3)
    if isinstance(layer.get(sharing.KEY), int):
        entry[sharing.KEY] = layer[sharing.KEY]
    if isinstance(entry.get("config"), Mapping):
        entry.setdefault("name", layer.get("name") or entry["config"].get("name"))
    if "inbound_nodes" not in layer:
        entry.pop("name", None)
    return entry


def node_shifts(layers: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Keras 2 counts the node that a nested model has from its making; Keras 3 does not.

    Args:
        layers: the entries of a model's config.
    """
    return {str(_name_of(layer)): 1 for layer in layers if _is_model(layer)}


def output_shifts(layers: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """... except among the outputs of a model, where Keras 3 counts it for functional models.

    Args:
        layers: the entries of a model's config.
    """
    return {str(_name_of(layer)): 1 for layer in layers if layer["class_name"] == "Sequential"}


def _name_of(layer: Mapping[str, Any]) -> Any:
    arguments = layer.get("config")
    return layer.get("name") or (arguments.get("name") if isinstance(arguments, Mapping) else None)


def _is_model(layer: Mapping[str, Any]) -> bool:
    arguments = layer.get("config")
    return isinstance(arguments, Mapping) and "layers" in arguments and isinstance(arguments["layers"], list)


def ends_of(ends: Any, shift: Mapping[str, int]) -> Any:
    """Inputs or outputs of a model as a list of [layer, node, tensor], or nested in lists and dicts as they were.

    Args:
        ends: inputs or outputs as any Keras writes them.
        shift: what to add to the number of a call, by layer.
    """
    if isinstance(ends, Mapping):
        return {key: _end(end, shift) for key, end in ends.items()}
    if _is_history(ends):
        ends = [ends]
    if not isinstance(ends, list | tuple):
        raise SerializationError(
            f"A model's config: expected [layer, node, tensor] for each end, received {ends!r:.120}."
        )
    return [_end(end, shift) for end in ends]


def _end(end: Any, shift: Mapping[str, int]) -> Any:
    if not _is_history(end):
        return ends_of(end if isinstance(end, Mapping) or _holds_more(end) else None, shift)
    name, index, tensor = end
    return [name, index + shift.get(name, 0), tensor]


def _holds_more(end: Any) -> bool:
    return isinstance(end, list | tuple) and all(isinstance(part, list | tuple | Mapping) for part in end)


def _is_history(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and isinstance(value[0], str)
        and all(isinstance(i, int) for i in value[1:])
    )


def _node(node: Any, kind: str, shift: Mapping[str, int]) -> Any:
    """A call of a layer as Keras 2 writes it: for each input [layer, node, tensor, keywords]."""
    if not isinstance(node, Mapping):
        return _states_among_inputs(shifted(node, shift) if shift else node)
    args = [_tensors_named(arg, shift) for arg in node.get("args", ())]
    keywords = {k: _tensors_named(v, shift) for k, v in (node.get("kwargs") or {}).items()}
    form = form_of(kind)
    always = (True, False) if form.says_training else (False,)
    keywords = {k: v for k, v in keywords.items() if v is not None and not (k == "training" and v in always)}
    if form.call:
        args, keywords = _listed(form.call, args, keywords)
    names = _call_arguments(kind)
    inputs = args[0] if args else keywords.pop(names[0], None)
    keywords.update(zip(names[1:], args[1:]))
    inputs = [inputs] if _is_history(inputs) else inputs
    if not isinstance(inputs, list) or not all(_is_history(i) for i in inputs):
        raise SerializationError(
            f"A call of {kind} in a model's config: expected tensors as its inputs, received {inputs!r:.120}."
        )
    return _states_among_inputs([[*history, keywords] for history in inputs])


def _listed(names: Sequence[str], args: list[Any], keywords: Config) -> tuple[list[Any], Config]:
    """Arguments of a call with the tensors called `names` as one list."""
    given = {**keywords, **dict(zip(names, args))}
    masks = [given.pop(f"{name}_mask", None) for name in names]
    tensors = [given.pop(name) for name in names if given.get(name) is not None]
    rest = {key: value for key, value in given.items() if key not in names}
    if any(mask is not None for mask in masks):
        rest["mask"] = masks[: len(tensors)]
    return [tensors], rest


def shifted(node: Any, shift: Mapping[str, int]) -> Any:
    """A call in the form of Keras 2 with other numbers for the calls of some layers.

    Args:
        node: a call as Keras 2 writes it.
        shift: what to add to the number of a call, by layer.
    """
    if _is_history(node[:3]) and len(node) in (3, 4):
        return [node[0], node[1] + shift.get(node[0], 0), *node[2:3], *(_shifted_tensors(n, shift) for n in node[3:])]
    return [shifted(entry, shift) for entry in node]


def _shifted_tensors(value: Any, shift: Mapping[str, int]) -> Any:
    if _is_history(value):
        return [value[0], value[1] + shift.get(value[0], 0), value[2]]
    if isinstance(value, Mapping):
        return {k: _shifted_tensors(v, shift) for k, v in value.items()}
    return [_shifted_tensors(v, shift) for v in value] if isinstance(value, list | tuple) else value


def _tensors_named(value: Any, shift: Mapping[str, int]) -> Any:
    """A call's argument with each tensor as [layer, node, tensor]."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            name, index, tensor = value["config"]["keras_history"]
            return [name, index + shift.get(name, 0), tensor]
        return {k: _tensors_named(v, shift) for k, v in _plain_value(value).items()}
    return [_tensors_named(v, shift) for v in value] if isinstance(value, list | tuple) else value


def _op_places(value: Any, shift: Mapping[str, int]) -> Any:
    """An argument of an op with each tensor as [layer, node, tensor]; slices and arrays stay as they are."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return _tensors_named(value, shift)
        return {k: _op_places(v, shift) for k, v in value.items()}
    if _is_history(value):
        return [value[0], value[1] + shift.get(value[0], 0), value[2]]
    return [_op_places(v, shift) for v in value] if isinstance(value, list | tuple) else value


def _plain_value(value: Mapping[str, Any]) -> Any:
    converted = convert(value, True)
    return converted if isinstance(converted, Mapping) else {"value": converted}


def _call_arguments(kind: str) -> list[str]:
    """Names of the arguments of a layer's `call`."""
    try:
        target = Registry.of("layer").lookup(kind)
    except ArgumentError:
        target = None
    call = getattr(target, "call", None)
    return list(inspect.signature(call).parameters)[1:] if call is not None else ["inputs"]


def _states_among_inputs(node: Any) -> Any:
    """Initial states and constants, which later versions pass by keyword, follow the inputs as in Keras 2.

    Source: Keras 2.3.1, `keras/layers/recurrent.py`, `RNN.__call__`.
    """
    if not isinstance(node, list | tuple) or not node or not isinstance(node[0], list | tuple) or len(node[0]) < 4:
        return node
    keywords = dict(node[0][3])
    extra: list[Any] = []
    for name in STATE_KEYWORDS:
        given = keywords.get(name)
        found = [given] if _is_history(given) else given
        if isinstance(found, list) and found and all(_is_history(f) for f in found):
            extra += [[*f, keywords] for f in found]
            del keywords[name]
    if not extra:
        return node
    return [[*node[0][:3], keywords], *([*entry[:3], keywords] for entry in node[1:]), *extra]
