"""Files for a certain Keras: which classes and arguments each generation has, and what it cannot be told.

The table `generations.json` was recorded from the sources of Keras 1.2.2, Keras 2.2.4, tf_keras 2.21 and Keras 3.15.1.
What Keras 1 called things is the business of `keras_front/legacy`, which is asked where it is there.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from keras_front.compatibility import dialect_module
from keras_front.errors import ArgumentError, SerializationError
from keras_front.registry import Registry, plain

from . import hdf5, keras3, older_states, operations, weight_order
from .config import NEUTRAL, Config, form_of

__all__ = ["BEFORE_KERAS3", "NAMES", "check", "check_archive", "restricted", "rewrite", "structure"]

# What each is called in messages, and the version that its files state.
NAMES = {"keras1": "Keras 1.2.2", "keras2.2": "Keras 2.2.4", "tf_keras": "tf_keras 2.21", "keras3": "Keras 3.15"}
VERSIONS = {"keras1": "1.2.2", "keras2.2": "2.2.4"}
BEFORE_KERAS3 = ("keras1", "keras2.2")  # they read HDF5 and know the layout of Keras 2 or an older one

# The functions by name that a generation has, of those that say what a model computes.
ACTIVATIONS = {
    "keras1": "softmax elu softplus softsign relu tanh sigmoid hard_sigmoid linear",
    "keras2.2": "softmax elu selu softplus softsign relu tanh sigmoid hard_sigmoid exponential linear",
}
# Functions whose formula is another one there, or that it does not have, where it has all others.
OTHER_ACTIVATIONS = {"tf_keras": ("hard_sigmoid_keras3",), "keras3": ("hard_sigmoid",)}
ACTIVATION_ARGUMENTS = ("activation", "recurrent_activation")

# Arguments that change nothing in what a trained model computes.
HARMLESS = frozenset({"seed", "implementation", "autocast", "name", "dtype", "trainable", "batch_size"})

# ... but here they say which weights there are.
SHAPING = {("LocallyConnected1D", "implementation"), ("LocallyConnected2D", "implementation")}
MODULES = ("module", "output_shape_module", "output_mask_module")  # of functions of a Lambda

# Classes of initializers that older Keras wrote as one class with arguments.
SCALED = {
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
}
PENALTIES = ("L1", "L2")


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """For each generation 'absent', classes that it does not have, and 'lacks', arguments of the others."""
    text = resources.files("keras_front.saving").joinpath("generations.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


# Configs ---------------------------------------------------------------------------------------------


def restricted(config: Any, to: str) -> tuple[Any, list[str]]:
    """A Keras 2 config with what a generation has, and what could not be said in it.

    Args:
        config: a config as Keras 2 writes it; not changed.
        to: name of the generation.

    Raises: SerializationError that lists what would compute something else there.
    """
    walk = _Walk(to)
    result = walk.value(config)
    if walk.problems:
        raise SerializationError(f"{NAMES[to]} cannot express this model:\n  " + "\n  ".join(walk.problems))
    return result, list(dict.fromkeys(walk.notes))


class _Walk:
    """Walks a config and collects what a generation lacks.

    Args:
        to: name of the generation.
    """

    def __init__(self, to: str):
        self.to, self.problems, self.notes = to, list[str](), list[str]()
        self.absent, self.lacks = set(table()[to]["absent"]), table()[to]["lacks"]
        known = ACTIVATIONS.get(to)
        self.activations = set(known.split()) if known else None
        self.other = OTHER_ACTIVATIONS.get(to, ())

    def value(self, value: Any, owner: str = "") -> Any:
        """A value of the config, without what the generation lacks.

        Args:
            value: the value.
            owner: the layer that it belongs to, for messages.
        """
        if isinstance(value, Mapping):
            if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), Mapping):
                return self._object(value, owner)
            return {key: self.value(item, owner) for key, item in value.items()}
        return [self.value(item, owner) for item in value] if isinstance(value, list | tuple) else value

    def _object(self, item: Mapping[str, Any], owner: str) -> Config:
        kind, arguments = str(item["class_name"]), dict(item["config"])
        owner = f"layer {arguments['name']!r}" if "name" in arguments else owner or "the model"
        if kind in self.absent:
            kind, arguments = self._replaced(kind, arguments, owner)
        elif not _is_ours(kind):
            self.notes.append(f"{owner}: the class {kind} is not of Keras; whoever reads the file must have it.")
        for name in self.lacks.get(kind, ()):
            self._drop(kind, name, arguments, owner)
        self._check_values(kind, arguments, owner)
        return {**item, "class_name": kind, "config": self.value(arguments, owner)}

    def _replaced(self, kind: str, arguments: Config, owner: str) -> tuple[str, Config]:
        if kind in SCALED and "VarianceScaling" not in self.absent:
            scale, mode, distribution = SCALED[kind]
            scaled = {"scale": scale, "mode": mode, "distribution": distribution, "seed": arguments.get("seed")}
            return "VarianceScaling", scaled
        if kind in PENALTIES and "L1L2" not in self.absent:
            return "L1L2", {"l1": 0.0, "l2": 0.0, **arguments}
        if self.to != "keras1" or not dialect_module("keras1").written_by_keras1(kind, "name" in arguments):
            shown = arguments.get("op", kind) if kind == operations.OURS else kind
            self.problems.append(f"{owner}: it has no {shown}.")
        return kind, arguments

    def _drop(self, kind: str, name: str, arguments: Config, owner: str) -> None:
        form = form_of(kind)
        if name not in arguments or (self.to == "keras3" and name in (*form.renamed.values(), *form.omitted)):
            return
        value = arguments[name]
        neutral = NEUTRAL.get(name, ())
        harmless = name in HARMLESS or name.endswith("_initializer") or neutral is None
        neutral = neutral or ()
        if (harmless and (kind, name) not in SHAPING) or _equals_one(value, (*neutral, _default(kind, name))):
            del arguments[name]
        elif name.endswith(("_constraint", "_regularizer")) or name in TRAINING:
            del arguments[name]
            self.notes.append(f"{owner}: its {name} is left out; it matters for training alone.")
        else:
            self.problems.append(f"{owner}: {kind} has no {name} there, which is {value!r} here.")

    def _check_values(self, kind: str, arguments: Config, owner: str) -> None:
        if kind == "Lambda" and self.to in BEFORE_KERAS3:
            for name in MODULES:
                arguments.pop(name, None)
        if kind == "Lambda" and arguments.get("function_type") == "lambda":
            self.notes.append(f"{owner}: its code runs on the Python that wrote it, and on no other.")
        refused = dialect_module("keras1").refused_by_keras1(kind, arguments) if self.to == "keras1" else None
        if refused:
            self.problems.append(f"{owner}: it has no {refused}.")
        for name in ACTIVATION_ARGUMENTS:
            self._check_activation(arguments.get(name), owner)

    def _check_activation(self, value: Any, owner: str) -> None:
        if not isinstance(value, str):
            return
        if value in self.other:
            self.problems.append(f"{owner}: it has no activation with the formula of {value!r}.")
        elif self.activations is not None and value not in self.activations:
            self.problems.append(f"{owner}: it has no activation {value!r}.")


# Arguments that say how a model is trained.
TRAINING = frozenset(
    {
        "center_weight", "clipnorm", "clipvalue", "ema_momentum", "ema_overwrite_frequency", "global_clipnorm",
        "use_ema", "weight_decay", "amsgrad", "initial_accumulator_value", "momentum", "centered", "schedule_decay",
        "decay",
    }
)  # fmt: skip


def _is_ours(kind: str) -> bool:
    found = Registry.find_any(kind)
    return found is not None and str(getattr(found, "__module__", "")).startswith("keras_front.")


def _equals_one(value: Any, known: Sequence[Any]) -> bool:
    """Whether a value is one of these, or says one of them for each axis."""
    return value in known or (isinstance(value, list) and bool(value) and all(part in known for part in value))


def _default(kind: str, name: str) -> Any:
    """The default of an argument of a class here; a value that equals nothing if it has none."""
    parameter = inspect.signature(Registry.find_any(kind)).parameters.get(name)
    return inspect.Parameter.empty if parameter is None else parameter.default


def structure(model: Any, to: str | None) -> tuple[Config, list[str]]:
    """The config of a model for a generation, and what could not be carried.

    Args:
        model: the model.
        to: name of the generation; None for what tf_keras, Keras 3 and this package read.
    """
    described = json.loads(json.dumps(hdf5.model_config(model), default=plain))
    notes = [] if to is None else check(model, to)
    if to == "keras3":
        return keras3.to_keras3(described), notes
    if to in BEFORE_KERAS3:
        return _older(described, to), notes
    return operations.to_tf(described), notes


def _older(described: Config, to: str) -> Config:
    result, _ = restricted(described, to)
    return dialect_module("keras1").config_of_keras1(result) if to == "keras1" else result


def check(model: Any, to: str | None) -> list[str]:
    """What a generation would not take from a model, in sentences.

    Args:
        model: the model.
        to: name of the generation; None for none in particular.

    Raises: SerializationError for a layer that it does not have.
    """
    if to is None:
        return []
    described = json.loads(json.dumps(hdf5.model_config(model), default=plain))
    if to in ("tf_keras", "keras3"):
        described = _without_ops(described)
    return restricted(described, to)[1]


def _without_ops(described: Any) -> Any:
    """A config without ops between layers, which later Keras know in a form of their own."""
    if isinstance(described, Mapping):
        return {k: _without_ops(v) for k, v in described.items() if k != "added"}
    if isinstance(described, list):
        kept = [v for v in described if not (isinstance(v, Mapping) and v.get("class_name") == operations.OURS)]
        return [_without_ops(v) for v in kept]
    return described


def check_archive(target: Any, to: str | None) -> None:
    """Raise unless a generation reads `.keras` archives.

    Args:
        target: the path.
        to: name of the generation.

    Raises: ArgumentError.
    """
    if to in BEFORE_KERAS3:
        raise ArgumentError(f"{os.fspath(target)}: {NAMES[to]} reads no archives; expected a target that ends in .h5.")


# HDF5 ------------------------------------------------------------------------------------------------


def rewrite(root: Any, model: Any, to: str | None) -> list[str]:
    """Turn what was written of a model into HDF5 into what a generation reads.

    Args:
        root: the open file, with a whole model or weights.
        model: the model.
        to: name of the generation; None leaves it as it is.

    Returns: what could not be carried.
    """
    notes = check(model, to)
    if to == "keras3" and "model_config" in root.attrs:
        root.attrs["model_config"] = json.dumps(structure(model, to)[0]).encode("utf-8")
        if "optimizer_weights" in root:
            del root["optimizer_weights"]
            notes.append("The state of the optimizer is left out: Keras 3 goes on training from .keras alone.")
    if to not in BEFORE_KERAS3:
        return notes
    weights = root.get("model_weights", root)
    for holder in (root, weights):
        holder.attrs["keras_version"] = VERSIONS[to].encode()
    if "model_config" in root.attrs:
        root.attrs["model_config"] = json.dumps(structure(model, to)[0]).encode("utf-8")
        notes += _rewrite_training(root, model, to)
    if to == "keras1":
        _rewrite_weights(weights, model)
    return notes


def _rewrite_training(root: Any, model: Any, to: str) -> list[str]:
    if "training_config" not in root.attrs:
        return []
    training = json.loads(root.attrs["training_config"])
    optimizer = dict(training["optimizer_config"])
    try:
        optimizer, notes = restricted(optimizer, to)
    except SerializationError as error:
        return [f"The model is not compiled in the target: {error}", *_drop_training(root)]
    optimizer["config"] = {"lr" if k == "learning_rate" else k: v for k, v in optimizer["config"].items()}
    root.attrs["training_config"] = json.dumps({**training, "optimizer_config": optimizer}).encode("utf-8")
    if "optimizer_weights" in root:
        state = _older_state(model, to)
        del root["optimizer_weights"]
        if state is None:
            return [*notes, f"The state of the optimizer is left out: {NAMES[to]} has no such state."]
        hdf5.write_arrays(root.create_group("optimizer_weights"), state, [f"param_{n}" for n in range(len(state))])
    return notes


def _older_state(model: Any, to: str) -> list[np.ndarray] | None:
    """The state of the model's optimizer as an older Keras kept it; None if it cannot be said there."""
    optimizer, params = model.optimizer, model.trainable_weights
    counters = [variable.numpy() for variable in optimizer.counters]
    arrays = [variable.numpy() for variable in optimizer.weights_of(params)][len(counters) :]
    slots, weights = older_states.split_slots(arrays, len(params)), [weight.numpy() for weight in params]
    if slots is None:
        return None
    if to == "keras1":
        layers, convert = weight_order.layers_in_file(model.layers), dialect_module("keras1").arrays_of_keras1
        if [id(w) for layer in layers for w in layer.trainable_weights] != [id(w) for w in params]:
            return None  # a weight in several layers
        weights, *slots = (older_states.of_layers(layers, given, convert) for given in (weights, *slots))
    return older_states.as_before(type(optimizer).__name__, counters, slots, weights, stubs=to != "keras1")


def _drop_training(root: Any) -> Iterator[str]:
    del root.attrs["training_config"]
    if "optimizer_weights" in root:
        del root["optimizer_weights"]
    yield from ()


def _rewrite_weights(root: Any, model: Any) -> None:
    """The arrays of each layer as Keras 1 kept them."""
    hooks = dialect_module("keras1")
    for layer in dict.fromkeys(model.layers):
        group = root[layer.name]
        names = [name.decode("utf-8") for name in group.attrs["weight_names"]]
        arrays = [group[name][()] for name in names]
        written = hooks.arrays_of_keras1(layer, arrays)
        if written is arrays:
            continue
        for name in names:
            del group[name]
        names = [f"{layer.name}_param_{place}" for place in range(len(written))]
        hdf5.write_texts(group, "weight_names", names)
        for name, array in zip(names, written, strict=True):
            group.create_dataset(name, data=array)
