"""Adam by TensorFlow's kernel for it, which goes once through memory where a formula goes a dozen times.

The kernel changes variables, of which a program has none: they are made for the time of the call. It copies what it
changes unless nobody else holds it.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record

from keras_front.backend.op import OPS

FOR_XLA: ContextVar[bool] = ContextVar("for_xla", default=False)  # XLA fuses the formula, and knows no such variables
_LARGE = 1 << 14  # elements of a weight from which the kernel is worth its variables
_OWN = "cd2c89b7-88b7-44c8-ad83-06c2a9158347"  # TensorFlow's name for a variable that no other call shares
_TYPES = (tf.float32, tf.float64)


class Updates:
    """The method; `TensorflowBackend` inherits it."""

    def adam_update(
        self, params: Any, grads: Any, ms: Any, vs: Any, vhats: Any, lr: Any, t: Any, *, beta_1: float, beta_2: float,
        epsilon: float,
    ) -> Any:  # fmt: skip
        betas = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
        if vhats or FOR_XLA.get() or tf.executing_eagerly() or record.could_possibly_record():
            return OPS["adam_update"].body(params, grads, ms, vs, vhats, lr, t, **betas)
        rows = list(zip(params, grads, ms, vs, strict=True))
        found = [
            _by_kernel(*row, lr, t, **betas) if _is_large(row[0]) else _plain(*row, lr, t, **betas) for row in rows
        ]
        return *([row[i] for row in found] for i in range(3)), []


def _is_large(param: Any) -> bool:
    return param.dtype in _TYPES and math.prod(param.shape) >= _LARGE


def _plain(p: Any, g: Any, m: Any, v: Any, lr: Any, t: Any, **betas: float) -> list[Any]:
    return [xs[0] for xs in OPS["adam_update"].body([p], [g], [m], [v], [], lr, t, **betas)[:3]]


def _by_kernel(
    p: Any, g: Any, m: Any, v: Any, lr: Any, t: Any, *, beta_1: float, beta_2: float, epsilon: float
) -> list[Any]:
    handles = [_variable(x) for x in (p, m, v)]
    time = tf.cast(t, p.dtype)
    one, two, tiny = (tf.constant(number, p.dtype) for number in (beta_1, beta_2, epsilon))
    tf.raw_ops.ResourceApplyAdam(
        var=handles[0], m=handles[1], v=handles[2], beta1_power=one**time, beta2_power=two**time,
        lr=tf.cast(lr, p.dtype), beta1=one, beta2=two, epsilon=tiny, grad=g,
    )  # fmt: skip
    found = [tf.raw_ops.ReadVariableOp(resource=h, dtype=p.dtype) for h in handles]
    with tf.control_dependencies(found):
        for handle in handles:
            tf.raw_ops.DestroyResourceOp(resource=handle)
    for x, old in zip(found, (p, m, v), strict=True):
        x.set_shape(old.shape)
    return found


def _variable(x: Any) -> Any:
    handle = tf.raw_ops.VarHandleOp(dtype=x.dtype, shape=x.shape, shared_name=_OWN)
    tf.raw_ops.AssignVariableOp(resource=handle, value=x)
    return handle
