"""What ops are called in the files of tf.keras and Keras 3, where each is a layer of its own.

One row for each op of K: its name in TensorFlow (for `TFOpLambda`), its class in Keras 3, and which of its arguments
have another name there. A row is written and read; the tables of aliases are only read.
Sources: TensorFlow 2.21, the exported names of its Python functions; tf_keras 2.21,
`tf_keras/src/layers/core/tf_op_layer.py`; Keras 3.15, `keras/src/ops/`.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Row(NamedTuple):
    """An op in three spellings.

    Attributes:
        function: its name in K.
        tf: the function of TensorFlow; None: the function of `keras.backend` with the name that K has.
        keras3: module and class of Keras 3, such as 'numpy.Add'; None if it has none.
        call: our names of the arguments that Keras 3 passes in the call, after the first.
        config: those that are attributes of its class: the name in K -> the name there.
        renamed: arguments that TensorFlow calls otherwise: the name in K -> the name there.
        fixed: arguments that a reader may leave out because only this value is meant.
    """

    function: str
    tf: str | None
    keras3: str | None = None
    call: tuple[str, ...] = ()
    config: dict[str, str] = {}
    renamed: dict[str, str] = {}
    fixed: dict[str, tuple[Any, ...]] = {}


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _unary() -> list[Row]:
    """Ops of one tensor: K's name, TensorFlow's, the class of Keras 3."""
    rows = """
        abs math.abs numpy.Absolute|ceil math.ceil numpy.Ceil|cos math.cos numpy.Cos|cosh math.cosh numpy.Cosh
        erf math.erf math.Erf|exp math.exp numpy.Exp|expm1 math.expm1 numpy.Expm1|floor math.floor numpy.Floor
        arcsinh math.asinh numpy.Arcsinh|arctanh math.atanh numpy.Arctanh
        isfinite math.is_finite numpy.Isfinite|isinf math.is_inf numpy.Isinf|isnan math.is_nan numpy.Isnan
        log math.log numpy.Log|log1p math.log1p numpy.Log1p|log_sigmoid math.log_sigmoid nn.LogSigmoid
        logical_not math.logical_not numpy.LogicalNot|negative math.negative numpy.Negative|relu6 nn.relu6 nn.Relu6
        round math.round numpy.Round|rsqrt math.rsqrt math.Rsqrt|sigmoid math.sigmoid nn.Sigmoid
        sign math.sign numpy.Sign
        silu nn.silu nn.Silu|sin math.sin numpy.Sin|sinh math.sinh numpy.Sinh|softplus math.softplus nn.Softplus
        softsign nn.softsign nn.Softsign|square_root math.sqrt numpy.Sqrt|square math.square numpy.Square
        stop_gradient stop_gradient core.StopGradient|tan math.tan numpy.Tan|tanh math.tanh numpy.Tanh
        zeros_like zeros_like numpy.ZerosLike|ones_like ones_like numpy.OnesLike
        identity identity -|trunc - numpy.Trunc|log2 - numpy.Log2|log10 - numpy.Log10
        inv linalg.inv linalg.Inv|det linalg.det linalg.Det|cholesky linalg.cholesky linalg.Cholesky
        flatten keras.backend.flatten numpy.Ravel
    """
    entries = [entry.split() for line in rows.split("\n") for entry in line.split("|") if entry.strip()]
    return [Row(name, None if tf == "-" else tf, None if k3 == "-" else k3) for name, tf, k3 in entries]


def _binary() -> list[Row]:
    rows = """
        add __operators__.add numpy.Add|subtract math.subtract numpy.Subtract|multiply math.multiply numpy.Multiply
        divide math.truediv numpy.TrueDivide|floor_divide math.floordiv numpy.FloorDivide|mod math.floormod numpy.Mod
        power math.pow numpy.Power|maximum math.maximum numpy.Maximum|minimum math.minimum numpy.Minimum
        equal math.equal numpy.Equal|not_equal math.not_equal numpy.NotEqual|less math.less numpy.Less
        less_equal math.less_equal numpy.LessEqual|greater math.greater numpy.Greater
        greater_equal math.greater_equal numpy.GreaterEqual|logical_and math.logical_and numpy.LogicalAnd
        logical_or math.logical_or numpy.LogicalOr|logical_xor math.logical_xor numpy.LogicalXor
        dot - -|logaddexp - numpy.Logaddexp
    """
    entries = [entry.split() for line in rows.split("\n") for entry in line.split("|") if entry.strip()]
    return [Row(name, None if t == "-" else t, None if k == "-" else k, ("y",)) for name, t, k in entries]


def _reductions() -> list[Row]:
    rows = """
        sum math.reduce_sum numpy.Sum|mean math.reduce_mean numpy.Mean|max math.reduce_max numpy.Max
        min math.reduce_min numpy.Min|prod math.reduce_prod numpy.Prod|any math.reduce_any numpy.Any
        all math.reduce_all numpy.All|var math.reduce_variance numpy.Var|std math.reduce_std numpy.Std
        logsumexp math.reduce_logsumexp math.Logsumexp|count_nonzero math.count_nonzero -
    """
    fixed: dict[str, tuple[Any, ...]] = {"initial": (None,), "dtype": (None, "int64")}
    entries = [entry.split() for line in rows.split("\n") for entry in line.split("|") if entry.strip()]
    return [Row(name, tf, None if k == "-" else k, (), _same("axis", "keepdims"), {}, fixed) for name, tf, k in entries]


_ARG: dict[str, tuple[Any, ...]] = {"keepdims": (False,), "output_type": ("int64",)}
_SORT: dict[str, tuple[Any, ...]] = {"direction": ("ASCENDING",), "stable": (True, False)}
_SCAN: dict[str, tuple[Any, ...]] = {"exclusive": (False,), "reverse": (False,), "dtype": (None,)}

ROWS = [
    *_unary(), *_binary(), *_reductions(),
    Row("pow", "math.pow", "numpy.Power", ("a",), {}, {"a": "y"}),
    Row("matmul", "linalg.matmul", "numpy.Matmul", ("y",), {}, {"y": "b"}),
    Row("contract", None, "numpy.Einsum", (), {"equation": "subscripts"}),
    Row("batch_dot", None), Row("bias_add", None), Row("batch_flatten", None),
    Row("argmax", "math.argmax", "numpy.Argmax", (), _same("axis"), {}, _ARG),
    Row("argmin", "math.argmin", "numpy.Argmin", (), _same("axis"), {}, _ARG),
    Row("argsort", "argsort", "numpy.Argsort", (), _same("axis"), {}, _SORT),
    Row("sort", "sort", "numpy.Sort", (), _same("axis"), {}, _SORT),
    Row("cumsum", "math.cumsum", "numpy.Cumsum", (), _same("axis"), {}, _SCAN),
    Row("cumprod", "math.cumprod", "numpy.Cumprod", (), _same("axis"), {}, _SCAN),
    Row("cast", "cast", "core.Cast", (), _same("dtype")),
    Row("clip", "clip_by_value", "numpy.Clip", (), {"min_value": "x_min", "max_value": "x_max"},
        {"min_value": "clip_value_min", "max_value": "clip_value_max"}),
    Row("concatenate", "concat", "numpy.Concatenate", (), _same("axis")),
    Row("stack", "stack", "numpy.Stack", (), _same("axis")),
    Row("reshape", "reshape", "numpy.Reshape", (), {"shape": "newshape"}),
    Row("permute_dimensions", "transpose", "numpy.Transpose", (), {"pattern": "axes"}, {"pattern": "perm"},
        {"conjugate": (False,)}),
    Row("transpose", "transpose", "numpy.Transpose"),
    Row("expand_dims", "expand_dims", "numpy.ExpandDims", (), _same("axis")),
    Row("squeeze", "squeeze", "numpy.Squeeze", (), _same("axis")),
    Row("tile", "tile", "numpy.Tile", (), {"n": "repeats"}, {"n": "multiples"}),
    Row("reverse", "reverse", "numpy.Flip", (), {"axes": "axis"}, {"axes": "axis"}),
    Row("roll", "roll", "numpy.Roll", (), _same("shift", "axis")),
    Row("broadcast_to", "broadcast_to", "numpy.BroadcastTo", (), _same("shape")),
    Row("where", "where", "numpy.Where", ("x", "y")),
    Row("gather", "gather", "numpy.Take", ("indices",), _same("axis"), {}, {"batch_dims": (0,)}),
    Row("take_along_axis", "experimental.numpy.take_along_axis", "numpy.TakeAlongAxis", ("indices",), _same("axis")),
    Row("one_hot", "one_hot", "nn.OneHot", (), _same("num_classes", "dtype"), {"num_classes": "depth"},
        {"axis": (-1,), "on_value": (1, 1.0), "off_value": (0, 0.0), "sparse": (False,)}),
    Row("softmax", "nn.softmax", "nn.Softmax", (), _same("axis")),
    Row("log_softmax", "nn.log_softmax", "nn.LogSoftmax", (), _same("axis")),
    Row("relu", "keras.activations.relu", "activations.ReLU", (),
        {"alpha": "negative_slope", "max_value": "max_value", "threshold": "threshold"}),
    Row("elu", "keras.activations.elu", "nn.Elu", (), _same("alpha"), {}, {}),
    Row("leaky_relu", "nn.leaky_relu", "nn.LeakyRelu", (), {"alpha": "negative_slope"}),
    Row("gelu", "nn.gelu", "nn.Gelu", (), _same("approximate")),
    Row("hard_sigmoid", "keras.backend.hard_sigmoid", None),
    Row("l2_normalize", "math.l2_normalize", "nn.Normalize", (), _same("axis"), {},
        {"order": (2,), "epsilon": (None, 1e-12)}),
    Row("moments", "nn.moments", "nn.Moments", (), _same("axes", "keepdims"), {},
        {"synchronized": (False,), "shift": (None,)}),
    Row("top_k", "math.top_k", "math.TopK", (), _same("k"), {}, {"sorted": (True,), "index_type": ("int32",)}),
    Row("norm", "linalg.norm", "linalg.Norm", (), _same("ord", "axis", "keepdims")),
    Row("symbolic_shape", "shape", None, (), {}, {}, {"out_type": ("int32",)}),
    Row("getitem", "__operators__.getitem", "numpy.GetItem", ("key",), {}, {"key": "slice_spec"}),
    Row("repeat_elements", None), Row("resize_images", None),
    Row("in_top_k", None, "math.InTopK", ("targets",), _same("k")),
    Row("binary_crossentropy", None), Row("categorical_crossentropy", None),
    Row("sparse_categorical_crossentropy", None),
    Row("random_normal", "random.normal", None, (), {}, {}, {}), Row("random_uniform", "random.uniform", None),
    Row("conv1d", None), Row("conv2d", None), Row("conv3d", None), Row("depthwise_conv2d", None), Row("pool2d", None),
    Row("ops.split", "split", "numpy.Split", (), _same("indices_or_sections", "axis"),
        {"indices_or_sections": "num_or_size_splits"}, {"num": (None,)}),
    Row("ops.pad", "pad", "numpy.Pad", ("constant_values",), _same("pad_width", "mode"), {"pad_width": "paddings"}),
    Row("ops.repeat", "repeat", "numpy.Repeat", (), _same("repeats", "axis")),
    Row("ops.tensordot", "tensordot", "numpy.Tensordot", ("b",), _same("axes")),
    Row("ops.swapaxes", None, "numpy.Swapaxes", (), _same("axis1", "axis2")),
    Row("ops.moveaxis", None, "numpy.Moveaxis", (), _same("source", "destination")),
    Row("ops.outer", None, "numpy.Outer", ("b",)), Row("ops.inner", None, "numpy.Inner", ("b",)),
    Row("ops.vdot", None, "numpy.Vdot", ("b",)),
    Row("ops.dot", "keras.backend.dot", "numpy.Dot", ("b",), {}, {"b": "y"}),
    Row("ops.hstack", None, "numpy.Hstack"), Row("ops.vstack", None, "numpy.Vstack"),
    Row("ops.reciprocal", "math.reciprocal", "numpy.Reciprocal"),
    Row("ops.diff", None, "numpy.Diff", (), _same("n", "axis")),
    Row("ops.tril", None, "numpy.Tril", (), _same("k")), Row("ops.triu", None, "numpy.Triu", (), _same("k")),
    Row("ops.ptp", None, "numpy.Ptp", (), _same("axis", "keepdims")),
    Row("ops.isclose", None, "numpy.Isclose", ("x2", "rtol", "atol")),
    Row("ops.full_like", None, "numpy.FullLike", ("fill_value",), _same("dtype")),
    Row("ops.nan_to_num", None, "numpy.NanToNum", (), _same("nan", "posinf", "neginf")),
    Row("ops.round", None, "numpy.Round", (), _same("decimals")),
    Row("ops.average", None, "numpy.Average", ("weights",), _same("axis")),
]  # fmt: skip

# Other names of the same functions of TensorFlow.
TF_ALIASES = {
    "abs": "math.abs", "add": "__operators__.add", "cos": "math.cos", "divide": "math.truediv", "equal": "math.equal",
    "exp": "math.exp", "floor": "math.floor", "greater": "math.greater", "greater_equal": "math.greater_equal",
    "less": "math.less", "less_equal": "math.less_equal", "logical_and": "math.logical_and",
    "logical_not": "math.logical_not", "logical_or": "math.logical_or", "matmul": "linalg.matmul",
    "maximum": "math.maximum", "minimum": "math.minimum", "multiply": "math.multiply", "negative": "math.negative",
    "not_equal": "math.not_equal", "pow": "math.pow", "reduce_all": "math.reduce_all", "reduce_any": "math.reduce_any",
    "reduce_logsumexp": "math.reduce_logsumexp", "reduce_max": "math.reduce_max", "reduce_mean": "math.reduce_mean",
    "reduce_min": "math.reduce_min", "reduce_prod": "math.reduce_prod", "reduce_sum": "math.reduce_sum",
    "round": "math.round", "sigmoid": "math.sigmoid", "sign": "math.sign", "sin": "math.sin", "sqrt": "math.sqrt",
    "square": "math.square", "subtract": "math.subtract", "tanh": "math.tanh", "truediv": "math.truediv",
    "math.add": "__operators__.add", "math.divide": "math.truediv",
    "compat.v1.floor_div": "math.floordiv", "floordiv": "math.floordiv", "math.mod": "math.floormod",
    "compat.v1.transpose": "transpose", "compat.v1.squeeze": "squeeze", "compat.v1.shape": "shape",
    "compat.v1.pad": "pad", "compat.v1.gather": "gather", "compat.v1.where": "where", "nn.sigmoid": "math.sigmoid",
    "nn.tanh": "math.tanh", "nn.softplus": "math.softplus", "nn.swish": "nn.silu",
    "nn.l2_normalize": "math.l2_normalize",
    "linalg.l2_normalize": "math.l2_normalize", "nn.top_k": "math.top_k", "cumsum": "math.cumsum",
    "argmax": "math.argmax", "argmin": "math.argmin", "norm": "linalg.norm", "where_v2": "where",
    "compat.v1.where_v2": "where", "math.softmax": "nn.softmax", "math.log_softmax": "nn.log_softmax",
    "nn.log_sigmoid": "math.log_sigmoid", "linalg.transpose": "transpose", "keras.activations.softmax": "nn.softmax",
    "keras.activations.sigmoid": "math.sigmoid", "keras.activations.tanh": "math.tanh",
    "math.inv": "linalg.inv", "nn.elu": "keras.activations.elu", "linalg.tensordot": "tensordot",
}  # fmt: skip

# Other class names of Keras 3 for the same ops.
KERAS3_ALIASES = {
    "Abs": "Absolute", "Divide": "TrueDivide", "Amax": "Max", "Amin": "Min", "Concat": "Concatenate",
}  # fmt: skip
KERAS3_AS: dict[str, str] = {"Relu": "relu", "Flip": "reverse"}

BY_FUNCTION = {row.function: row for row in ROWS}
BY_FUNCTION["sqrt"] = BY_FUNCTION["square_root"]  # but for negative numbers, of which K.sqrt makes 0
BY_TF = {row.tf: row for row in reversed(ROWS) if row.tf is not None}
BY_KERAS3 = {row.keras3.rpartition(".")[2]: row for row in reversed(ROWS) if row.keras3 is not None}
