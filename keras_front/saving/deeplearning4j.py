"""The rules of Deeplearning4j's importer for `.h5` files of Keras, and a checker that holds a file against them.

`problems(path)` says what `KerasModelImport.importKerasModelAndWeights` would not take. The importer itself, which is
Java, is not run, and the rules were not checked against a run of it: a file that passes is likely to be taken.
Source: Deeplearning4j 1.0.0-M2, module `deeplearning4j-modelimport`, package
`org.deeplearning4j.nn.modelimport.keras`: `KerasModelBuilder` (attributes), `KerasSequentialModel` and `KerasModel`
(configs), `utils.KerasLayerUtils` (classes), `utils.KerasModelUtils` (weights), `utils.KerasActivationUtils`,
`layers.recurrent.KerasLSTM`, `layers.core.KerasMerge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import guard, hdf5

__all__ = ["LAYERS", "problems"]

# Classes that it makes layers of. GRU, convolutional recurrent layers, cells, attention, and what came after Keras 2.3
# are not among them; Lambda is, if the Java program registers a layer for it.
LAYERS = frozenset(
    """
    Activation AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
    Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Cropping1D Cropping2D Cropping3D Dense DepthwiseConv2D Dropout
    Embedding Add Flatten GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
    GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D InputLayer LSTM LeakyReLU
    LocallyConnected1D LocallyConnected2D Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Multiply PReLU Permute
    ReLU RepeatVector Reshape SeparableConv2D SimpleRNN Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D
    Subtract ThresholdedReLU TimeDistributed UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
    ZeroPadding3D
    """.split()
)
ACTIVATIONS = frozenset("softmax softplus softsign relu relu6 tanh sigmoid hard_sigmoid linear elu selu swish".split())

# The parameters by which it looks weights up, whatever scope stands before them.
PARAMETERS = frozenset(
    """
    kernel bias recurrent_kernel gamma beta moving_mean moving_variance embeddings depthwise_kernel pointwise_kernel
    alpha
    """.split()
)
WRITERS = frozenset({"tensorflow", "theano"})  # the engines of Keras whose orders of kernels it knows
DIMENSIONS = range(1, 5)  # of an input, without the batch

# Values of arguments that it refuses: whether a value is one, and what to say.
REFUSED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "recurrent_dropout": (lambda value: bool(value), "dropout on recurrent connections"),
    "activation": (lambda value: isinstance(value, str) and value not in ACTIVATIONS, "this activation"),
    "recurrent_activation": (lambda value: isinstance(value, str) and value not in ACTIVATIONS, "this activation"),
    "groups": (lambda value: value not in (None, 1), "convolution in groups"),
    "beta_constraint": (lambda value: value is not None, "constraints of normalization"),
    "gamma_constraint": (lambda value: value is not None, "constraints of normalization"),
    "beta_regularizer": (lambda value: value is not None, "regularizers of normalization"),
    "gamma_regularizer": (lambda value: value is not None, "regularizers of normalization"),
}


def problems(path: Any) -> list[str]:
    """What the importer would not take of a file, in sentences; nothing if it takes all.

    Args:
        path: an `.h5` file with a whole model.

    Raises: SerializationError if it is no HDF5 file.
    """
    with hdf5.opened(path) as (root, where):
        found = list(_attribute_problems(root))
        if found:
            return found
        config = guard.parsed(guard.attribute(root, "model_config", where), where)
        found += _config_problems(config)
        found += _weight_problems(root, config, where)
    return found


def _attribute_problems(root: Any) -> Iterator[str]:
    """It reads texts of variable length at the root, the version by its first five characters."""
    import h5py

    for name in ("model_config", "keras_version", "backend"):
        if name not in root.attrs:
            yield f"expected the attribute {name!r} at the root of the file, found none."
            continue
        held = h5py.check_string_dtype(root.attrs.get_id(name).dtype)
        if held is None or held.length is not None:
            yield f"expected the attribute {name!r} to be a text of variable length."
        elif name == "keras_version" and (len(_text(root, name)) < 5 or _text(root, name)[0] not in "12"):
            yield f"expected a version of Keras 1 or 2 with five characters, found {_text(root, name)!r}."
        elif name == "backend" and _text(root, name) not in WRITERS:
            yield f"expected the backend 'tensorflow' or 'theano', found {_text(root, name)!r}."


def _text(root: Any, name: str) -> str:
    return guard.as_text(root.attrs[name])


# Configs ---------------------------------------------------------------------------------------------


def _config_problems(config: Mapping[str, Any]) -> Iterator[str]:
    if config["class_name"] not in ("Sequential", "Model", "Functional"):
        yield f"expected a Sequential or a Model, found a {config['class_name']}."
        return
    layers = _layers_of(config)
    if not any("batch_input_shape" in layer["config"] for layer in layers):
        yield "expected the shape of the input as 'batch_input_shape' of a layer, found none."
    for layer in layers:
        yield from _layer_problems(layer)


def _layers_of(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    held = config["config"]
    return list(held if isinstance(held, list) else held["layers"])


def _layer_problems(layer: Mapping[str, Any]) -> Iterator[str]:
    kind, arguments = layer["class_name"], layer["config"]
    where = f"layer {arguments.get('name')!r} ({kind})"
    if kind not in LAYERS:
        yield f"{where}: it has no such layer."
        return
    if len(layer.get("inbound_nodes") or ()) > 1:
        yield f"{where}: it is called more than once."
    shape = arguments.get("batch_input_shape")
    if shape is not None and len(shape) - 1 not in DIMENSIONS:
        yield f"{where}: inputs of {len(shape) - 1} dimensions."
    for name, (refused, what) in REFUSED.items():
        if name in arguments and refused(arguments[name]):
            yield f"{where}: {what}, {name}={arguments[name]!r}."
    inner = arguments.get("layer")
    if isinstance(inner, Mapping):
        yield from _inner_problems(kind, inner, where)


def _inner_problems(kind: str, inner: Mapping[str, Any], where: str) -> Iterator[str]:
    if kind == "Bidirectional" and inner["class_name"] not in ("LSTM", "SimpleRNN"):
        yield f"{where}: both ways of a {inner['class_name']}; it knows LSTM and SimpleRNN there."
    else:
        yield from (f"{where}, {text}" for text in _layer_problems(inner))


# Weights ---------------------------------------------------------------------------------------------


def _weight_problems(root: Any, config: Mapping[str, Any], where: str) -> Iterator[str]:
    """Groups below 'model_weights' by the names of layers; in each the parameters, below at most one more scope."""
    weights = guard.group(root, "model_weights", where)
    if weights is None:
        yield "expected a group 'model_weights', found none."
        return
    known = {layer["config"]["name"]: layer["class_name"] for layer in _layers_of(config)}
    for name in weights:
        names = guard.texts(weights[name], "weight_names", where) if "weight_names" in weights[name].attrs else []
        if names and name not in known:
            yield f"found weights for a layer that the model does not have, {name!r}."
        elif known.get(name) in LAYERS:
            yield from (f"layer {name!r}: {text}" for text in _parameter_problems(names, known[name]))


def _parameter_problems(names: list[str], kind: str) -> Iterator[str]:
    scopes = {name.rpartition("/")[0] for name in names}
    if len(scopes) > (2 if kind == "Bidirectional" else 1):
        yield f"expected its weights in one group, found {', '.join(sorted(scopes))}."
    for name in names:
        parameter = name.rpartition("/")[2]
        if parameter.partition(":")[0] not in PARAMETERS or not parameter.endswith(":0"):
            yield f"expected a parameter such as 'kernel:0', found {parameter!r}."
