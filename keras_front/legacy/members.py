"""Methods, properties and parameters that classes and functions had once: put on ours when `keras` is imported.

They stand here and not on the classes because nobody who writes `keras_front` needs them. Attributes are computed when
somebody asks; a program may set them, as a layer of one's own does in `self.regularizers = []`.
Source: Keras 1.2.2, `keras/engine/topology.py`, `keras/models.py`, `keras/regularizers.py`; 2.2.4 and 2.3.1,
`keras/engine/sequential.py` and `keras/layers/convolutional_recurrent.py`.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from keras_front import backend as K
from keras_front import config, layers, models, optimizers, regularizers
from keras_front.compatibility import renamed
from keras_front.layers.wrappers import Bidirectional
from keras_front.missing_names import missing_attribute
from keras_front.nest import map_structure
from keras_front.registry import Registry

from .arguments import SIGNATURES
from .engine import graph, saving
from .translation import OldNameWarning


class Former:
    """An attribute that is computed unless the program has set it.

    Args:
        compute: function of the object.
    """

    def __init__(self, compute: Callable[[Any], Any]):
        self.compute, self.__doc__ = compute, compute.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.compute(instance)


class OfCompile:
    """An attribute that models have once they are compiled; until Keras 3 programs ask by it whether they are.

    Args:
        name: its name.
    """

    def __init__(self, name: str):
        self.name, self.__doc__ = name, f"`{name}` of `compile`."

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is not None and config.current_dialect() != "keras3":
            raise missing_attribute(instance, self.name)
        return None


# Layers -------------------------------------------------------------------------------------------------------


def get_output_shape_for(self: Any, *args: Any) -> Any:
    """`compute_output_shape`.

    Args:
        self: the layer.
        args: the shape of the input.
    """
    return self.compute_output_shape(*args)


def create_input_layer(self: Any, batch_input_shape: Any, input_dtype: Any = None, name: str | None = None) -> None:
    """Call the layer on a new input.

    Args:
        self: the layer.
        batch_input_shape: the shape of the input, with the batch axis.
        input_dtype: its dtype.
        name: its name.
    """
    self(layers.Input(batch_shape=batch_input_shape, dtype=input_dtype, name=name or f"{self.name}_input"))


def add_inbound_node(
    self: Any,
    inbound_layers: Any,
    node_indices: Sequence[int] | None = None,
    tensor_indices: Sequence[int] | None = None,
) -> None:
    """Call the layer on outputs of others.

    Args:
        self: the layer.
        inbound_layers: the layers whose outputs are its inputs.
        node_indices: which call of each of them; by default the first.
        tensor_indices: which output of that call; by default the first.
    """
    graph.Node.create_node(self, graph.to_list(inbound_layers), node_indices, tensor_indices)


def compute_output_spec(self: Any, inputs: Any, *further: Any, **named: Any) -> Any:
    """Symbolic tensors of the shapes and the dtype that a call gives.

    Args:
        self: the layer.
        inputs: symbolic tensors, or what has a shape.
        further: arguments of the call beside, which do not count.
        named: likewise, with names.
    """
    shapes = map_structure(K.int_shape, inputs)
    found = self.compute_output_shape(shapes)
    dtype = getattr(self, "compute_dtype", None) or K.floatx()
    if isinstance(found, tuple) and all(size is None or isinstance(size, int) for size in found):
        return K.placeholder(shape=found, dtype=dtype)
    return [K.placeholder(shape=tuple(shape), dtype=dtype) for shape in found]


def _no_regularizers(self: Any) -> list[Any]:
    """An empty list, with a warning: penalties are in `losses` since Keras 1.2."""
    warnings.warn("layer.regularizers is always empty: penalties are in layer.losses.", OldNameWarning, stacklevel=2)
    return []


def _constraints(self: Any) -> dict[Any, Any]:
    """The constraints of weights, by weight."""
    return {weight: weight.constraint for weight in self.weights if getattr(weight, "constraint", None) is not None}


class _Constraints(dict[Any, Any]):
    """Constraints by weight; a weight follows the one that is entered for it."""

    def __setitem__(self, weight: Any, constraint: Any) -> None:
        super().__setitem__(weight, constraint)
        weight.constraint = constraint


class ConstraintsByWeight:
    """The constraints of a layer's weights, by weight: layers of Keras 1 set them in `build`."""

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        return self if layer is None else vars(layer).get("_constraints_by_weight", _constraints(layer))

    def __set__(self, layer: Any, constraints: Any) -> None:
        held = vars(layer)["_constraints_by_weight"] = _Constraints()
        for weight, constraint in dict(constraints or {}).items():
            held[weight] = constraint


# What weights and arguments of layers were called. No attribute of a class of ours is covered by these.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "W": ("kernel", "embeddings"),
    "b": ("bias",),
    "U": ("recurrent_kernel",),
    "output_dim": ("units",),
    "nb_filter": ("filters",),
    "subsample": ("strides",),
    "border_mode": ("padding",),
    "inner_activation": ("recurrent_activation",),
    "init": ("kernel_initializer", "embeddings_initializer"),
    "inner_init": ("recurrent_initializer",),
    "p": ("rate",),
    "sigma": ("stddev",),
}


def _today(name: str) -> Former:
    def value(self: Any) -> Any:
        for today in ATTRIBUTES[name]:
            if hasattr(self, today):
                return getattr(self, today)
        raise missing_attribute(self, name)

    value.__doc__ = f"Today `{ATTRIBUTES[name][0]}`."
    return Former(value)


# Models -------------------------------------------------------------------------------------------------------


def _flattened(self: Any) -> list[Any]:
    """The layers of a stack, with those of the stacks in it."""
    parts = (_flattened(layer) if isinstance(layer, models.Sequential) else [layer] for layer in self.layers)
    return [layer for part in parts for layer in part]


def save_weights_to_hdf5_group(self: Any, f: Any) -> None:
    """Write the weights of all layers.

    Args:
        self: the model.
        f: an HDF5 group.
    """
    saving.save_weights_to_hdf5_group(f, self.layers)


def load_weights_from_hdf5_group(self: Any, f: Any) -> None:
    """Set the weights of all layers, in their order.

    Args:
        self: the model.
        f: an HDF5 group.
    """
    saving.load_weights_from_hdf5_group(f, self.layers)


def load_weights_from_hdf5_group_by_name(self: Any, f: Any) -> None:
    """Set the weights of the layers whose names the group knows.

    Args:
        self: the model.
        f: an HDF5 group.
    """
    saving.load_weights_from_hdf5_group_by_name(f, self.layers)


# Cells and regularizers ---------------------------------------------------------------------------------------


def input_conv(self: Any, x: Any, w: Any, b: Any = None, padding: str = "valid") -> Any:
    """What the convolution of a cell's input gives.

    Args:
        self: the cell.
        x: images.
        w: a kernel.
        b: a bias, or None.
        padding: 'valid' or 'same'.
    """
    made = K.conv2d(x, w, self.strides, padding, self.data_format, self.dilation_rate)
    return made if b is None else K.bias_add(made, b, self.data_format)


def recurrent_conv(self: Any, x: Any, w: Any) -> Any:
    """What the convolution of a cell's state gives.

    Args:
        self: the cell.
        x: the state.
        w: a kernel.
    """
    return K.conv2d(x, w, (1, 1), "same", self.data_format)


def step(self: Any, inputs: Any, states: Any) -> Any:
    """The output of one step and the list of new states, as the cell of the layer computes them.

    Args:
        self: a recurrent layer.
        inputs: tensor (batch, ...) of this step.
        states: list of the states.
    """
    return self.cell.call(inputs, list(states))


def preprocess_input(self: Any, inputs: Any, training: Any = None) -> Any:
    """The inputs: what they contribute is computed by the cell.

    Args:
        self: a recurrent layer.
        inputs: the sequences.
        training: not needed.
    """
    return inputs


def get_constants(self: Any, inputs: Any, training: Any = None) -> list[Any]:
    """No constants: masks of dropout are those of the cell.

    Args:
        self: a recurrent layer.
        inputs: the sequences.
        training: not needed.
    """
    return []


def _strategy(self: Any) -> Any:
    """The strategy of TensorFlow that the model was made in: the one with one replica."""
    return import_module("keras_front.legacy.stand_in.strategies").get_strategy()


def _of_cell(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.cell, name)(*args, **kwargs)

    method.__name__, method.__doc__ = name, f"`{name}` of the cell."
    return method


def _nothing(self: Any, _: Any) -> None:
    """Nothing: a regularizer is called with what it penalizes."""


MEMBERS: dict[type, dict[str, Any]] = {
    layers.Layer: {
        "add_inbound_node": add_inbound_node,
        "compute_output_spec": compute_output_spec,
        "create_input_layer": create_input_layer,
        "get_output_shape_for": get_output_shape_for,
        "constraints": ConstraintsByWeight(),
        "regularizers": Former(_no_regularizers),
        **{name: _today(name) for name in ATTRIBUTES},
    },
    models.Model: {
        "constraints": Former(_constraints),
        "distribute_strategy": Former(_strategy),
        "loss": OfCompile("loss"),
        "load_weights_from_hdf5_group": load_weights_from_hdf5_group,
        "load_weights_from_hdf5_group_by_name": load_weights_from_hdf5_group_by_name,
        "save_weights_to_hdf5_group": save_weights_to_hdf5_group,
    },
    models.Sequential: {
        "flattened_layers": Former(_flattened),
        "model": Former(lambda self: self),
        "training_data": None,
        "validation_data": None,
    },
    layers.RNN: {"get_constants": get_constants, "preprocess_input": preprocess_input, "step": step},
    layers.ConvLSTM2D: {"conv_step": _of_cell("input_conv"), "conv_step_hidden": _of_cell("recurrent_conv")},
    layers.ConvLSTM2DCell: {"input_conv": input_conv, "recurrent_conv": recurrent_conv},
    Bidirectional: {"constraints": Former(_constraints)},
    optimizers.Optimizer: {"updates": Former(lambda self: [])},  # those of `get_updates` are its result
    regularizers.Regularizer: {"set_layer": _nothing, "set_param": _nothing},
}

# Parameters ---------------------------------------------------------------------------------------------------

# Modules in which `get(identifier, kwargs)` made an object with arguments, and the kinds of their registries.
GETTERS = {"constraints": "constraint", "optimizers": "optimizer", "regularizers": "regularizer"}


def getter(get: Callable[[Any], Any], kind: str) -> Callable[..., Any]:
    """`get` of a module, which also takes the arguments of the object.

    Args:
        get: the function.
        kind: kind of registry.
    """

    @functools.wraps(get)
    def with_arguments(identifier: Any, kwargs: dict[str, Any] | None = None) -> Any:
        if not kwargs or not isinstance(identifier, str):
            return get(identifier)
        return Registry.of(kind).lookup(identifier)(**kwargs)

    del with_arguments.__wrapped__  # type: ignore[attr-defined]  # its parameters are seen
    return with_arguments


# Callables that take former names of arguments only when `keras` is imported, by module.
RENAMED: dict[str, tuple[str, ...]] = {
    "callbacks": ("CSVLogger",),
    "preprocessing.text": ("one_hot", "text_to_word_sequence"),
    "utils": ("GeneratorEnqueuer",),
}


def take_former_names(module: ModuleType, path: str) -> None:
    """Let what a module offers take former names of its arguments, and show in its signature that it does.

    Args:
        module: a module of ours.
        path: its path, without the name of the package.
    """
    for name in RENAMED.get(path, ()):
        target = getattr(module, name)
        if inspect.isclass(target):
            setattr(target, "__init__", renamed(target.__init__))  # noqa: B010 - mypy takes no assignment
        else:
            setattr(module, name, renamed(target))
    for name in vars(module).keys() & {*SIGNATURES, *RENAMED.get(path, ())}:
        if callable(target := getattr(module, name)):
            _show_former_names(target)


def _show_former_names(target: Any) -> None:
    shown = inspect.signature(target)
    if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in shown.parameters.values()):
        former = inspect.Parameter("former_names", inspect.Parameter.VAR_KEYWORD)
        shown = shown.replace(parameters=[*shown.parameters.values(), former])
        target.__signature__ = _Shown(target, shown) if inspect.isclass(target) else shown


class _Shown:
    """The signature of one class, which its subclasses do not inherit."""

    def __init__(self, owner: type, signature: inspect.Signature):
        self.owner, self.signature = owner, signature

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if owner is not self.owner or instance is not None:
            raise AttributeError("__signature__")
        return self.signature


def install() -> None:
    """Put all this where it was."""
    for owner, members in MEMBERS.items():
        for name, member in members.items():
            if not hasattr(owner, name) or isinstance(member, OfCompile):
                setattr(owner, name, member)
    for path, kind in GETTERS.items():
        module = import_module(f"keras_front.{path}")
        if "kwargs" not in inspect.signature(module.get).parameters:
            setattr(module, "get", getter(module.get, kind))  # noqa: B010 - mypy takes no assignment
