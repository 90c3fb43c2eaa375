"""What the suite allows: units in the last place, and the ops that lack something, each with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.testing.case import Case

# Ops that the table cannot hold, and where they are tested instead.
ELSEWHERE = {
    "engine_uniform": "noise has no reference; `noise` below",
    "engine_normal": "noise has no reference; `noise` below",
    "host_noise": "noise has no reference; `noise` below",
    "keep_mask": "noise has no reference; `noise` below",
    "uniform_noise": "one of engine_uniform and host_noise",
    "normal_noise": "one of engine_normal and host_noise",
    "value_and_grad": "takes a function; tested with gradients",
    "getitem": "takes slices, which are no attributes: tests/backend/test_numpy_names.py",
    "symbolic_shape": "the shape as a tensor: tests/backend/test_program.py",
    "shape_only": "a shape without values: tests/export/test_onnx.py",
    "gradients": "the rules, one by one: tests/backend/test_gradients.py",
    "scan": "takes a function; under lstm, rnn and map_fn",
    "recompute": "takes a function; tested with gradients",
    "barrier": "takes what must be there before; tested with recompute",
    "custom_gradient": "takes a function; tested with gradients",
    "lstm_sequence_gradient": "the gradient of lstm_sequence",
    "conv_lstm_sequence_gradient": "the gradient of conv_lstm_sequence",
    "gru_sequence_gradient": "the gradient of gru_sequence",
    "simple_rnn_sequence_gradient": "the gradient of simple_rnn_sequence",
    "ctc_beams": "under ctc_decode",
    "cut_padding": "under ctc_decode",
}

# Ops that must know a dimension: the shape of their result depends on it, or a constant of that size enters.
NEED_DIMENSIONS = {"fft", "ifft", "rfft", "irfft", "contract", "glu"}

# Ops without float16 and bfloat16.
_FACTORS = "no engine factors matrices of 16 bits"
_FFT = "no engine transforms 16 bits"
NO_HALF = {
    **dict.fromkeys(("cholesky", "solve", "det", "inv", "qr", "householder_qr", "svd", "triangular_solve"), _FACTORS),
    **dict.fromkeys(("fft", "ifft", "rfft", "irfft"), _FFT),
    "norm": "the nuclear norm needs singular values, which no engine has in 16 bits",
}

# Ops that answer in float32 when they are given 16 bits, because sums of logarithms need the range.
IN_SINGLE = {"ctc_batch_cost"}

# Precision -----------------------------------------------------------------------------------------------------
# Four classes, by what is allowed between float64, rounded, and the result in float32, float16 or bfloat16:
#   moved     0 ulps: values are moved, chosen or compared
#   rounded   one ulp: one operation, rounded once; compilers divide by multiplying with the reciprocal
#   curve     ulps of the result itself: elementwise functions
#   tail      as curve, where the small values of one side are differences of large ones
#   whole     ulps of the largest result: sums cancel, so that a small result has the errors of the large terms

_ROUNDED = "add subtract multiply divide sqrt square_root square bias_add mod".split()
_CURVES = (
    "exp expm1 log log1p sin cos tan tanh erf power pow rsqrt cosh sinh arcsinh arctanh log2 log10 softplus"
    " log_sigmoid softsign elu hard_sigmoid mish relu clip relu6 leaky_relu logaddexp"
).split()
_MOVED = (
    "abs negative sign floor ceil round trunc maximum minimum where identity stop_gradient relu_gradient cast"
    " floor_divide equal not_equal less less_equal greater greater_equal isnan isinf isfinite logical_and"
    " logical_or logical_not logical_xor max min any all argmax argmin argsort sort top_k in_top_k count_nonzero"
    " reshape permute_dimensions transpose broadcast_to expand_dims squeeze flatten batch_flatten stack"
    " concatenate repeat repeat_elements tile reverse flip slice strided_slice roll pad temporal_padding"
    " spatial_2d_padding spatial_3d_padding gather take_along_axis zeros_like ones_like one_hot max_pool"
    " max_pool_pick extract_patches resize_images resize_volumes"
).split()

CLASSES = {
    "moved": (0.0, False),
    "rounded": (1.0, False),
    "curve": (4.0, False),
    "tail": (32.0, True),
    "whole": (16.0, True),
}
CLASS_OF = {
    **dict.fromkeys(_MOVED, "moved"),
    **dict.fromkeys(_ROUNDED, "rounded"),
    **dict.fromkeys(_CURVES, "curve"),
    **dict.fromkeys(("sigmoid", "gelu", "silu"), "tail"),
}
# Ops that choose: each result is one of the elements, or some slope of it.
CHOOSES = frozenset((*_MOVED, *"relu clip relu6 leaky_relu elu hard_sigmoid cumsum".split()))
_EPSILON = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
_LARGEST = {"float32": 3.4028234663852886e38, "float16": 65504.0, "bfloat16": 3.3895313892515355e38}
_SMALLEST = {"float32": 2.0**-126, "float16": 2.0**-14, "bfloat16": 2.0**-126}  # of the normal numbers
_FLUSHED = {"float32": 2.0**-126, "float16": 0.0, "bfloat16": 2.0**-126}  # what lies below some engines take for 0


def class_of(op: str) -> str:
    """The class of precision of an op."""
    return CLASS_OF.get(op, "whole")


def ulps(op: str) -> tuple[float, bool]:
    """How many ulps are allowed, and whether they are those of the largest result."""
    return CLASSES[class_of(op)]


def result_dtype(op: str, case: Case, want: np.ndarray, dtype: str) -> str:
    """The dtype of a result when the float64 arguments of a case come in `dtype`."""
    if want.dtype != np.float64 or case.attrs.get("dtype") is not None:
        return want.dtype.name
    return "float32" if op in IN_SINGLE else dtype


def distance(got: Any, want: Any, dtype: str, of_largest: bool) -> float:
    """The largest difference in units of the last place of `dtype`, at `want` or at the largest finite one."""
    got, want = (_in_range(np.asarray(x, "float64"), dtype) for x in (got, want))
    if not want.size:
        return 0.0
    size = np.where(np.isfinite(want), np.abs(want), 0.0)
    size = np.maximum(size.max() if of_largest else size, _SMALLEST[dtype])
    with np.errstate(invalid="ignore"):
        apart = np.abs(got - want)
        same = (got == want) | (np.isnan(got) & np.isnan(want)) | (apart < _FLUSHED[dtype])
        found = np.where(same, 0.0, apart / (_EPSILON[dtype] * 2.0 ** np.floor(np.log2(size))))
    return float(np.where(np.isnan(found), np.inf, found).max())


def _in_range(x: np.ndarray, dtype: str) -> np.ndarray:
    return np.where(np.abs(x) > _LARGEST[dtype], np.copysign(np.inf, x), x)


# Second gradients ----------------------------------------------------------------------------------------------
# Ops whose first gradient cannot be differentiated. (Where it can and is zero, as for `relu`, it is checked to be.)
NO_SECOND: dict[str, str] = {}

# Arguments -----------------------------------------------------------------------------------------------------
# Arguments that take any value: a wrong one cannot be told.
# Attributes of primitives that real tensors bring unchecked: the functions that people call have checked them.
_ON_IMAGES = ("conv", "max_pool", "average_pool", "max_pool_pick", "conv_lstm_sequence")
UNCHECKED_EAGERLY = {(op, "data_format") for op in _ON_IMAGES}
_LOW = "written by gradient rules alone, from arguments of ops that were checked"
_WINDOWS = ("input_shape", "kernel_shape", "pool_size", "strides", "padding", "dilation", "groups", "data_format")
ANY_VALUE: dict[tuple[str, str], str] = {
    **{(f"conv_{of}_gradient", name): _LOW for of in ("input", "kernel") for name in _WINDOWS},
    **{(f"{of}_pool_gradient", name): _LOW for of in ("max", "average") for name in _WINDOWS},
    ("conv2d_transpose", "output_shape"): "of other sizes than the kernel can give, it is cut or filled as in Keras 2",
    ("conv3d_transpose", "output_shape"): "as conv2d_transpose",
    ("contract", "equation"): "a step of einsum, which reads and checks the equation",
    ("in_top_k", "k"): "beyond the number of classes every target is in",
    **{
        (f"{cell}_sequence", name): "the loop of the op of that name, which has checked it"
        for cell in ("lstm", "gru", "simple_rnn", "conv_lstm")
        for name in ("activation", "recurrent_activation")
    },
}

# Gradients -----------------------------------------------------------------------------------------------------
# Ops without a gradient in the table, and so without a second one.
_STEPS = "constant between jumps, or an answer of yes and no"
_PLACES = "answers with places, which do not move"
_STATE = "an optimizer's step, which nobody differentiates"
_SIGNS = "the signs of its factors are open, and with them the difference; products of its factors are tested elsewhere"
NO_GRADIENT = {
    **dict.fromkeys("sign floor ceil round floor_divide isnan isinf isfinite any all count_nonzero".split(), _STEPS),
    **dict.fromkeys("equal not_equal less less_equal greater greater_equal in_top_k".split(), _STEPS),
    **dict.fromkeys("logical_and logical_or logical_not logical_xor heaviside signbit".split(), _STEPS),
    **dict.fromkeys("gcd lcm bitwise_and bitwise_or bitwise_xor bitwise_not left_shift right_shift".split(), _STEPS),
    **dict.fromkeys("argmax argmin argsort one_hot ctc_best_path".split(), _PLACES),
    **dict.fromkeys("adam_update rmsprop_update sgd_update".split(), _STATE),
    **dict.fromkeys("householder_qr svd".split(), _SIGNS),
    "cholesky": "its gradient is that of symmetric matrices; a difference moves one entry",
    "stop_gradient": "what it is for",
    "replica_mean": "it averages gradients, and comes after them",
    "zeros_like": "a constant",
    "ones_like": "a constant",
}
