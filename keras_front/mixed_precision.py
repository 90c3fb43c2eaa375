"""`keras_front.mixed_precision`: computing in 16 bits with weights in 32.

    from keras_front import mixed_precision
    mixed_precision.set_global_policy("mixed_bfloat16")

`dtype_policies` says what a policy is; `docs/precision.md` says what it does, on which backend, and what it costs.
Source: TensorFlow 2.15, `keras/mixed_precision`; Keras 3.15, `keras/src/dtype_policies`.
"""

from __future__ import annotations

from keras_front.dtype_policies import (
    DTypePolicy,
    DTypePolicyMap,
    FloatDTypePolicy,
    Policy,
    deserialize,
    dtype_policy,
    get,
    serialize,
    set_dtype_policy,
)
from keras_front.optimizers.loss_scale import LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "deserialize",
    "dtype_policy",
    "get",
    "global_policy",
    "serialize",
    "set_dtype_policy",
    "set_global_policy",
]

global_policy, set_global_policy = dtype_policy, set_dtype_policy
