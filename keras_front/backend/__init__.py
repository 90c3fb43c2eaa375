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
    classic,
    declare,
    discovery,
    program,
    seeds,
    state,
    symbolic,
)
from keras_front.backend.classic import *
from keras_front.backend.discovery import available, backend, device, set_backend, use_backend
from keras_front.backend.function import evaluate as eval
from keras_front.backend.gradients import GRADIENT
from keras_front.backend.gradients.value_and_grad import gradients_by_rules, value_and_grad
from keras_front.backend.ops import (
    arrangement,
    convolution,
    ctc,
    elementwise,
    image,
    indexing,
    linalg,
    linear,
    modern,
    neural,
    numpy_names,
    recurrence,
    recurrent_layers,
    reduction,
    sampling,
    sparse,
    special,
    spectral,
    updates,
)
from keras_front.backend.ops.ctc import ctc_decode, ctc_label_dense_to_sparse
from keras_front.backend.ops.custom_gradient import custom_gradient
from keras_front.backend.ops.folding import foldl, foldr, map_fn
from keras_front.backend.ops.linalg import einsum
from keras_front.backend.ops.modern import cond, split, vectorized_map, while_loop
from keras_front.backend.ops.neural import dropout
from keras_front.backend.ops.recurrence import rnn, scan
from keras_front.backend.ops.sampling import random_binomial, random_normal, random_uniform, truncated_normal
from keras_front.backend.ops.sparse import is_sparse, to_dense
from keras_front.backend.ops.subscript import getitem
from keras_front.backend.seeds import set_random_seed
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
from keras_front.config import (
    epsilon,
    floatx,
    image_data_format,
    normalize_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)

get_variable_shape = classic.int_shape
# Functions whose arguments had other names once.
for _name in (
    "conv1d", "conv2d", "conv3d", "expand_dims", "one_hot", "pool2d", "pool3d", "resize_images", "resize_volumes",
    "separable_conv2d", "spatial_2d_padding", "spatial_3d_padding",
):  # fmt: skip
    declare.OPS[_name].function = compatibility.accept_legacy_arguments(declare.OPS[_name].function, False)  # type: ignore[attr-defined]
globals().update({name: op.function for name, op in declare.OPS.items() if hasattr(op, "function")})
for _name in ("batch_get_value", "moving_average_update", "random_normal", "random_uniform"):
    globals()[_name] = compatibility.accept_legacy_arguments(globals()[_name], False)

Backend = adapter.Backend

OLD_NAMES = ["keras_front.legacy.backend"]  # modules with a `find(name)`, asked by name so that none is needed


def __getattr__(name: str) -> Any:
    """What K has under no name of its own: the old names, if somebody knows them."""
    for door in [] if name.startswith("_") else OLD_NAMES:
        try:
            return import_module(door).find(name)
        except (ModuleNotFoundError, KeyError):
            continue
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
