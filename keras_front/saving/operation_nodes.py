"""`TensorFlowOpLayer`: an operation of TensorFlow's graph as a layer, as tf.keras 2.0 to 2.3 wrote ops between layers.

Its config holds the definition of the operation with its attributes, and the inputs that are constants. An operation is
an op of K where K has one that does all that its attributes say, else a function of `keras_front.tf_names`.
Source: TensorFlow 2.21, `tensorflow/python/ops/gen_*_ops.py`; tf_keras 2.21, `tf_keras/src/engine/base_layer.py`.
"""

from __future__ import annotations

import base64
import binascii
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_front import tf_names
from keras_front.errors import SerializationError
from keras_front.graph.arguments import is_tensor
from keras_front.graph.functions import named
from keras_front.tf_names.dtypes import dtype_name

__all__ = ["Call", "read", "unknown"]

Config = dict[str, Any]
Call = tuple[Any, list[Any], Config]  # the first argument, the further positional ones, and those by keyword

# The ops of `TensorFlowOpLayer`, by the name of the operation: our op, and the arguments that its inputs are, in order.
AS_OPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Add": ("add", ("x", "y")), "AddV2": ("add", ("x", "y")), "Sub": ("subtract", ("x", "y")),
    "Mul": ("multiply", ("x", "y")), "RealDiv": ("divide", ("x", "y")), "Div": ("divide", ("x", "y")),
    "FloorDiv": ("floor_divide", ("x", "y")), "FloorMod": ("mod", ("x", "y")), "Pow": ("power", ("x", "y")),
    "Maximum": ("maximum", ("x", "y")), "Minimum": ("minimum", ("x", "y")), "Equal": ("equal", ("x", "y")),
    "NotEqual": ("not_equal", ("x", "y")), "Less": ("less", ("x", "y")), "LessEqual": ("less_equal", ("x", "y")),
    "Greater": ("greater", ("x", "y")), "GreaterEqual": ("greater_equal", ("x", "y")),
    "LogicalAnd": ("logical_and", ("x", "y")), "LogicalOr": ("logical_or", ("x", "y")),
    "MatMul": ("matmul", ("x", "y")), "BatchMatMul": ("matmul", ("x", "y")), "BatchMatMulV2": ("matmul", ("x", "y")),
    "Select": ("where", ("condition", "x", "y")),
    "SelectV2": ("where", ("condition", "x", "y")), "Sum": ("sum", ("x", "axis")), "Mean": ("mean", ("x", "axis")),
    "Max": ("max", ("x", "axis")), "Min": ("min", ("x", "axis")), "Prod": ("prod", ("x", "axis")),
    "Any": ("any", ("x", "axis")), "All": ("all", ("x", "axis")), "ArgMax": ("argmax", ("x", "axis")),
    "ArgMin": ("argmin", ("x", "axis")), "Reshape": ("reshape", ("x", "shape")),
    "Transpose": ("permute_dimensions", ("x", "pattern")), "ExpandDims": ("expand_dims", ("x", "axis")),
    "Tile": ("tile", ("x", "n")), "ReverseV2": ("reverse", ("x", "axes")),
    "BroadcastTo": ("broadcast_to", ("x", "shape")),
    "GatherV2": ("gather", ("reference", "indices", "axis")), "Cast": ("cast", ("x",)), "Squeeze": ("squeeze", ("x",)),
    "Pack": ("stack", ("*",)), "ConcatV2": ("concatenate", ("*", "axis")), "Shape": ("symbolic_shape", ("x",)),
    "StridedSlice": ("getitem", ("x", "begin", "end", "strides")), "Softmax": ("softmax", ("x",)),
    "LogSoftmax": ("log_softmax", ("x",)), "Relu": ("relu", ("x",)), "Relu6": ("relu6", ("x",)), "Elu": ("elu", ("x",)),
    "Abs": ("abs", ("x",)), "Neg": ("negative", ("x",)), "Exp": ("exp", ("x",)), "Expm1": ("expm1", ("x",)),
    "Log": ("log", ("x",)), "Log1p": ("log1p", ("x",)), "Sqrt": ("square_root", ("x",)), "Rsqrt": ("rsqrt", ("x",)),
    "Square": ("square", ("x",)), "Sigmoid": ("sigmoid", ("x",)), "Tanh": ("tanh", ("x",)), "Sin": ("sin", ("x",)),
    "Cos": ("cos", ("x",)), "Floor": ("floor", ("x",)), "Ceil": ("ceil", ("x",)), "Round": ("round", ("x",)),
    "Sign": ("sign", ("x",)), "Softplus": ("softplus", ("x",)), "Softsign": ("softsign", ("x",)),
    "Erf": ("erf", ("x",)), "LogicalNot": ("logical_not", ("x",)), "IsNan": ("isnan", ("x",)),
    "IsInf": ("isinf", ("x",)),
    "StopGradient": ("stop_gradient", ("variables",)), "Identity": ("identity", ("x",)),
    "OnesLike": ("ones_like", ("x",)), "ZerosLike": ("zeros_like", ("x",)), "Reciprocal": ("ops.reciprocal", ("x",)),

}  # fmt: skip

# The operations that no op of K does whole, where their name is not that of the function of TensorFlow, or their inputs
# are not its first arguments: the function, and its arguments that the inputs are.
AS_FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "AddN": ("add_n", ("*",)), "ArgMax": ("argmax", ("input", "axis")), "ArgMin": ("argmin", ("input", "axis")),
    "AvgPool": ("avg_pool", ("input",)), "AvgPool3D": ("avg_pool3d", ("input",)),
    "BatchMatMul": ("matmul", ("a", "b")), "BatchMatMulV2": ("matmul", ("a", "b")),
    "BatchToSpaceND": ("batch_to_space_nd", ("input", "block_shape", "crops")),
    "Conv2D": ("conv2d", ("input", "filters")), "Conv3D": ("conv3d", ("input", "filters")),
    "Conv2DBackpropInput": ("conv2d_transpose", ("output_shape", "filters", "input")),
    "DepthwiseConv2dNative": ("depthwise_conv2d", ("input", "filter")), "DivNoNan": ("divide_no_nan", ("x", "y")),
    "Einsum": ("contract", ("*",)),
    "FusedBatchNorm": ("batch_normalization", ("x", "scale", "offset", "mean", "variance")),
    "FusedBatchNormV3": ("batch_normalization", ("x", "scale", "offset", "mean", "variance")),
    "GatherNd": ("gather_nd", ("params", "indices")), "InTopKV2": ("in_top_k", ("predictions", "targets", "k")),
    "InvertPermutation": ("invert_permutation", ("x",)), "LRN": ("lrn", ("input",)),
    "LinSpace": ("linspace", ("start", "stop", "num")), "MatMul": ("matmul", ("a", "b")),
    "MatrixBandPart": ("band_part", ("input", "num_lower", "num_upper")),
    "MatrixDiagPartV3": ("diag_part", ("input", "k", "padding_value")),
    "MatrixDiagV3": ("diag", ("diagonal", "k", "num_rows", "num_cols", "padding_value")),
    "MaxPool": ("max_pool", ("input",)), "MaxPool3D": ("max_pool3d", ("input",)),
    "MirrorPad": ("pad", ("tensor", "paddings")), "Mod": ("truncatemod", ("x", "y")),
    "PadV2": ("pad", ("tensor", "paddings", "constant_values")),
    "ResizeBilinear": ("image.resize_bilinear", ("images", "size")),
    "ResizeNearestNeighbor": ("image.resize_nearest_neighbor", ("images", "size")),
    "SoftmaxCrossEntropyWithLogits": ("softmax_cross_entropy_with_logits", ("logits", "labels")),
    "SparseSoftmaxCrossEntropyWithLogits": ("sparse_softmax_cross_entropy_with_logits", ("logits", "labels")),
    "SpaceToBatchND": ("space_to_batch_nd", ("input", "block_shape", "paddings")),
    "Split": ("split", ("axis", "value")), "SplitV": ("split", ("value", "num_or_size_splits", "axis")),
    "TopKV2": ("top_k", ("input", "k")), "TruncateMod": ("truncatemod", ("x", "y")),
    "TruncateDiv": ("truncatediv", ("x", "y")), "Unpack": ("unstack", ("value",)),
}  # fmt: skip

# Attributes that are arguments under another name, and those that say nothing of the numbers.
RENAMED = {
    "DstT": "dtype", "adj_x": "transpose_a", "adj_y": "transpose_b", "epsilon": "variance_epsilon",
    "keep_dims": "keepdims", "num_split": "num_or_size_splits", "squeeze_dims": "axis",
}  # fmt: skip
SILENT = {"N", "bad_indices_policy", "exponential_avg_factor", "message", "seed", "seed2", "use_cudnn_on_gpu", "sorted"}
# Arguments that K's op takes of those that are attributes, beside the ones that its row in the tables names.
ATTRIBUTES_OF_OPS = {"cast": ("dtype",), "squeeze": ("axis",), "stack": ("axis",)}
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "any", "all")


def read(entry: Mapping[str, Any], call: Call) -> tuple[str, Any, Config]:
    """The function, first argument and keywords that an operation means.

    Args:
        entry: class, config and nodes of the layer.
        call: the inputs of a call that are tensors.

    Raises: SerializationError for an operation that is not known, or an attribute that it cannot have here.
    """
    described = entry["config"].get("node_def")
    if not isinstance(described, Mapping):
        raise unknown(entry, "in binary form")
    operation, inputs = str(described.get("op")), _inputs(entry, call[0])
    given = _attributes(described.get("attr") or {})
    row = AS_OPS.get(operation)
    if row is not None and (operation == "StridedSlice" or _does(row[0], given)):
        return _as_op(*row, inputs, given)
    return _as_function(entry, operation, inputs, given)


def _inputs(entry: Mapping[str, Any], tensors: Any) -> list[Any]:
    """All inputs in order: the tensors of the call, and the constants of the config in their places."""
    inputs = (
        [] if tensors is None else list(tensors) if isinstance(tensors, list) and not is_tensor(tensors) else [tensors]
    )
    for index, value in sorted((int(i), v) for i, v in (entry["config"].get("constants") or {}).items()):
        inputs.insert(index, _plain(value))
    return inputs


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain((value.get("config") or {}).get("value", value))
    return value.tolist() if hasattr(value, "tolist") else value


# Attributes ------------------------------------------------------------------------------------------


def _attributes(attributes: Mapping[str, Any]) -> Config:
    """Attributes by the names of arguments, without those that say nothing, or what is meant anyway."""
    found = {RENAMED.get(key, key): _value(value) for key, value in attributes.items() if not key.startswith("_")}
    types = {"dtype", "output_type", "out_type"}
    return {
        key: value
        for key, value in found.items()
        if key not in SILENT and value not in (None, False, [], "") and (key in types or not _is_type(value))
    }


class _Type(str):
    """The name of a dtype, as the value of an attribute."""


def _is_type(value: Any) -> bool:
    return isinstance(value, _Type)


def _value(value: Any) -> Any:
    """An attribute in the JSON of protocol buffers: numbers as texts, texts in base 64, dtypes as 'DT_INT32'."""
    if not isinstance(value, Mapping):
        return value
    for kind, found in value.items():
        if kind == "list":
            return [int(item) for item in found.get("i", ())] if isinstance(found, Mapping) else None
        if kind in READERS:
            return READERS[kind](found)
    return None


def _text(value: Any) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return str(value)


READERS: dict[str, Callable[[Any], Any]] = {
    "i": int, "f": float, "b": bool, "s": _text, "type": lambda value: _Type(dtype_name(value, "float32")),
}  # fmt: skip


# The functions ---------------------------------------------------------------------------------------


def _does(function: str, given: Config) -> bool:
    """Whether an op of K can do what these attributes say."""
    taken = ATTRIBUTES_OF_OPS.get(function, ("keepdims",) if function in REDUCTIONS else ())
    return all(key in taken or ALWAYS.get(key) == value for key, value in given.items())


ALWAYS = {"output_type": "int64", "out_type": "int32"}  # what argmax and shape give anyway


def _as_op(function: str, names: tuple[str, ...], inputs: list[Any], given: Config) -> tuple[str, Any, Config]:
    """An op of K, with the names of its arguments that the inputs are."""
    keywords = {key: value for key, value in given.items() if ALWAYS.get(key) != value}
    if function == "squeeze" and isinstance(keywords.get("axis"), list):
        keywords["axis"] = keywords["axis"][0] if len(keywords["axis"]) == 1 else keywords["axis"]
    if "*" in names:
        count = len(inputs) - len(names) + 1
        keywords.update(zip(names[1:], inputs[count:], strict=True))
        return function, inputs[:count], keywords
    keywords.update(zip(names[1:], inputs[1:], strict=False))
    if function == "getitem":
        masks = {key: value for key, value in given.items() if key.endswith("_mask")}
        return "tf.strided_slice", inputs[0], {"begin": inputs[1], "end": inputs[2], "strides": inputs[3], **masks}
    return function, inputs[0], keywords


def _as_function(entry: Mapping[str, Any], operation: str, inputs: list[Any], given: Config) -> tuple[str, Any, Config]:
    """A function of TensorFlow: the one in the table, or of the name of the operation, with its first arguments."""
    name, names = AS_FUNCTIONS.get(operation, (_snake_case(operation), ()))
    function = named(name) if name == "contract" else tf_names.find(name)
    if function is None:
        raise unknown(entry, operation)
    if name == "contract":
        return name, inputs, {"equation": given["equation"]}
    parameters = inspect.signature(function).parameters
    accepted = list(parameters)
    if any(key not in accepted for key in given) and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        wrong = next(key for key in given if key not in accepted)
        raise unknown(entry, f"{operation} with {wrong}={given[wrong]!r}")
    if names == ("*",):
        return f"tf.{name}", inputs, given
    keywords = {**given, **dict(zip(names or accepted, inputs, strict=False))}
    return f"tf.{name}", keywords.pop(_first(accepted, names)), keywords


def _first(accepted: Sequence[str], names: Sequence[str]) -> str:
    """The argument that comes first in a call; where it has no name there, the first of the inputs."""
    return accepted[0] if not names or accepted[0] in names else names[0]


def _snake_case(operation: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", operation)
    return re.sub(r"V\d$", "", words).lower()


def unknown(entry: Mapping[str, Any], function: Any) -> SerializationError:
    """The error for an op between layers that nothing here does.

    Args:
        entry: class, config and nodes of the layer.
        function: what it is called.
    """
    return SerializationError(
        f"The layer {entry.get('name')!r} is the op {function!r} ({entry['class_name']}): expected one that K has.\n"
        "  Pass a layer that does the same under its class name in custom_objects."
    )
