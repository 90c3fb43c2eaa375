"""K: every op and every switch, under its classic name. Knows tensors, never layers, and imports no engine.

    from keras_front import backend as K
    x = K.placeholder((None, 3))
    f = K.function([x], [K.softmax(K.dot(x, K.ones((3, 2))))])

`symbolic` holds tensors without values, `state` variables and frames, `declare` the mechanism by which an op is
declared, `ops` the declarations, `gradients` the rules, `program` tracing, `lowering` what is written, `function` the
classic `K.function`, `adapter` what a backend provides, `discovery` which one is active.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from keras_front import compatibility
from keras_front.backend import (
    adapter,
    declare,
    discovery,
    forks,
    inspection,
    program,
    seeds,
    state,
    symbolic,
)
from keras_front.backend.choice import (
    in_test_phase,
    in_train_phase,
    switch,
)
from keras_front.backend.creation import (
    arange,
    cast_to_floatx,
    constant,
    convert,
    eye,
    from_dlpack,
    ones,
    placeholder,
    random_normal_variable,
    random_uniform_variable,
    to_numpy,
    variable,
    zeros,
)
from keras_front.backend.discovery import available, backend, device, set_backend, use_backend
from keras_front.backend.function import (
    compile,
    compile_multi_batch,
    compile_multi_step,
    function,
    gradients,
)
from keras_front.backend.function import evaluate as eval
from keras_front.backend.gradients import GRADIENT
from keras_front.backend.gradients.recurrent_layers import (
    conv_lstm_sequence_gradient,
    gru_sequence_gradient,
    lstm_sequence_gradient,
    simple_rnn_sequence_gradient,
)
from keras_front.backend.gradients.value_and_grad import gradients_by_rules, value_and_grad
from keras_front.backend.inspection import (
    count_params,
    dtype,
    int_shape,
    is_keras_tensor,
    is_placeholder,
    is_tensor,
    is_variable,
    ndim,
    shape,
    size,
)
from keras_front.backend.ops import numpy_names
from keras_front.backend.ops.arrangement import (
    batch_flatten,
    broadcast_to,
    concatenate,
    expand_dims,
    flatten,
    flip,
    ones_like,
    pad,
    permute_dimensions,
    repeat,
    repeat_elements,
    reshape,
    reverse,
    slice,
    spatial_2d_padding,
    spatial_3d_padding,
    squeeze,
    stack,
    strided_slice,
    temporal_padding,
    tile,
    transpose,
    zeros_like,
)
from keras_front.backend.ops.attention import dot_product_attention, group_normalization
from keras_front.backend.ops.control_flow import cond, vectorized_map, while_loop
from keras_front.backend.ops.convolution import (
    average_pool,
    average_pool_gradient,
    conv,
    conv1d,
    conv2d,
    conv2d_transpose,
    conv3d,
    conv3d_transpose,
    conv_input_gradient,
    conv_kernel_gradient,
    depthwise_conv2d,
    max_pool,
    max_pool_gradient,
    max_pool_pick,
    pool1d,
    pool2d,
    pool3d,
    separable_conv1d,
    separable_conv2d,
)
from keras_front.backend.ops.ctc import ctc_batch_cost, ctc_beams, ctc_best_path, ctc_decode, ctc_label_dense_to_sparse
from keras_front.backend.ops.custom_gradient import custom_gradient
from keras_front.backend.ops.elementary import (
    arccos,
    arccosh,
    arcsin,
    arctan,
    arctan2,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    cbrt,
    deg2rad,
    divide_no_nan,
    erfc,
    erfinv,
    exp2,
    fmax,
    fmin,
    fmod,
    gcd,
    heaviside,
    hypot,
    i0,
    lcm,
    ldexp,
    left_shift,
    logaddexp2,
    rad2deg,
    right_shift,
    signbit,
    sinc,
)
from keras_front.backend.ops.elementwise import (
    abs,
    add,
    cast,
    ceil,
    clip,
    clip_gradient,
    cos,
    divide,
    elu,
    equal,
    erf,
    exp,
    expm1,
    floor,
    floor_divide,
    gelu,
    greater,
    greater_equal,
    hard_sigmoid,
    host_print,
    identity,
    isfinite,
    isnan,
    leaky_relu,
    less,
    less_equal,
    log,
    log1p,
    log_sigmoid,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    pow,
    power,
    relu,
    relu_gradient,
    round,
    rsqrt,
    sigmoid,
    sign,
    silu,
    sin,
    softplus,
    softsign,
    sqrt,
    square,
    square_root,
    stop_gradient,
    subtract,
    tanh,
    where,
)
from keras_front.backend.ops.folding import foldl, foldr, map_fn
from keras_front.backend.ops.functions import (
    arcsinh,
    arctanh,
    cosh,
    isinf,
    log2,
    log10,
    logaddexp,
    logical_xor,
    mish,
    relu6,
    sinh,
    tan,
    trunc,
)
from keras_front.backend.ops.image import (
    extract_patches,
    local_conv,
    local_conv1d,
    local_conv2d,
    resize,
    resize_images,
    resize_volumes,
)
from keras_front.backend.ops.indexing import gather, in_top_k, one_hot, scatter_add, take_along_axis
from keras_front.backend.ops.linalg import (
    cholesky,
    contract,
    det,
    einsum,
    householder_qr,
    inv,
    norm,
    qr,
    solve,
    svd,
    triangular_solve,
)
from keras_front.backend.ops.linear import batch_dot, dot, linear, matmul
from keras_front.backend.ops.neural import (
    batch_normalization,
    bias_add,
    binary_crossentropy,
    categorical_crossentropy,
    clipped_binary_crossentropy,
    clipped_sigmoid_crossentropy,
    clipped_softmax_crossentropy,
    dropout,
    keep_mask,
    layer_normalization,
    log_softmax,
    moments,
    normalize_batch_in_training,
    sigmoid_crossentropy,
    softmax,
    softmax_crossentropy,
    sparse_categorical_crossentropy,
)
from keras_front.backend.ops.normal_quantile import truncated_normal_quantile
from keras_front.backend.ops.recompute import recompute
from keras_front.backend.ops.recurrence import rnn, scan
from keras_front.backend.ops.recurrent_layers import (
    conv_lstm_sequence,
    gru,
    gru_sequence,
    lstm,
    lstm_sequence,
    simple_rnn,
    simple_rnn_sequence,
)
from keras_front.backend.ops.reduction import (
    all,
    any,
    argmax,
    argmin,
    count_nonzero,
    cumprod,
    cumsum,
    l2_normalize,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from keras_front.backend.ops.replicas import replica_gather, replica_mean
from keras_front.backend.ops.sampling import (
    engine_normal,
    engine_uniform,
    host_noise,
    normal_noise,
    random_binomial,
    random_normal,
    random_uniform,
    truncated_normal,
    uniform_noise,
)
from keras_front.backend.ops.sorting import argsort, sort, top_k
from keras_front.backend.ops.sparse import is_sparse, to_dense
from keras_front.backend.ops.sparse_dot import sparse_dot
from keras_front.backend.ops.spectral import fft, ifft, irfft, rfft
from keras_front.backend.ops.splitting import glu, roll, split
from keras_front.backend.ops.subscript import getitem
from keras_front.backend.ops.updates import adam_update, rmsprop_update, sgd_update
from keras_front.backend.seeds import set_random_seed
from keras_front.backend.session import (
    clear_session,
    control_dependencies,
    get_uid,
    manual_variable_initialization,
    name_scope,
    reset_uids,
)
from keras_front.backend.state import (
    Variable,
    add_loss_to_frame,
    bind,
    eager,
    learning_phase,
    phase,
    set_learning_phase,
)
from keras_front.backend.symbolic import SymbolicTensor, defer, is_symbolic, replay
from keras_front.backend.values import (
    batch_get_value,
    batch_set_value,
    get_value,
    moving_average_update,
    print_tensor,
    set_value,
    update,
    update_add,
    update_sub,
)
from keras_front.config import (
    epsilon,
    floatx,
    image_data_format,
    normalize_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from keras_front.missing_names import missing_in_module as _missing_in_module

get_variable_shape = inspection.int_shape

Backend = adapter.Backend

OLD_NAMES = ["keras_front.legacy.backend"]  # modules with a `find(name)`; imported on demand, and may be missing


def __getattr__(name: str) -> Any:
    """Former names of functions of K, from the modules in `OLD_NAMES`."""
    for module in [] if name.startswith("_") else OLD_NAMES:
        try:
            return import_module(module).find(name)
        except (ModuleNotFoundError, KeyError):
            continue
    raise _missing_in_module(__name__, name)
