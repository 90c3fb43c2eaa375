"""Adam by TensorFlow's kernel for it, which goes once through memory where a formula goes a dozen times.

The kernel changes variables, of which a program has none: they are made for the time of the call. It copies what it
changes unless nobody else holds it. So large tensors of a state come into a function as variables already, see `Held`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextvars import ContextVar, Token
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record

from keras_front.backend.op import OPS

FOR_XLA: ContextVar[bool] = ContextVar("for_xla", default=False)  # XLA fuses the formula, and knows no such variables
_LARGE = 1 << 14  # elements of a weight from which the kernel is worth its variables
_OWN = "cd2c89b7-88b7-44c8-ad83-06c2a9158347"  # TensorFlow's name for a variable that no other call shares
_TYPES = (tf.float32, tf.float64)
_HELD_TYPES = (*_TYPES, tf.float16, tf.bfloat16, "float32", "float64", "float16", "bfloat16")


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
        with tf.control_dependencies(_so_far() if HELD.get() else []):
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
    held = HELD.get()
    own = [None if held is None else held.handle_of(x) for x in (p, m, v)]
    handles = [variable_of(x) if handle is None else handle for x, handle in zip((p, m, v), own, strict=True)]
    time = tf.cast(t, p.dtype)
    one, two, tiny = (tf.constant(number, p.dtype) for number in (beta_1, beta_2, epsilon))
    tf.raw_ops.ResourceApplyAdam(
        var=handles[0], m=handles[1], v=handles[2], beta1_power=one**time, beta2_power=two**time,
        lr=tf.cast(lr, p.dtype), beta1=one, beta2=two, epsilon=tiny, grad=g,
    )  # fmt: skip
    found = [tf.raw_ops.ReadVariableOp(resource=h, dtype=p.dtype) for h in handles]
    with tf.control_dependencies(found):
        for handle, is_own in zip(handles, own, strict=True):
            if is_own is None:
                tf.raw_ops.DestroyResourceOp(resource=handle)
    for x, old, handle in zip(found, (p, m, v), own, strict=True):
        x.set_shape(old.shape)
        if held is not None and handle is not None:
            held.changed(x, handle)
    return found


def variable_of(x: Any) -> Any:
    """A variable that has the memory of a tensor, as its handle; it ends with the handle.

    Args:
        x: the tensor.
    """
    with tf.device(x.device):
        handle = tf.raw_ops.VarHandleOp(dtype=x.dtype, shape=x.shape, shared_name=_OWN)
        tf.raw_ops.AssignVariableOp(resource=handle, value=x)
    return handle


# A state that changes where it lies -------------------------------------------------------------------------

HELD_FROM = 1 << 18  # elements of a tensor from which less memory is worth some microseconds a step


def is_held(x: Any) -> bool:
    """Whether a tensor of a state is given to a function as a variable.

    Args:
        x: the tensor, of TensorFlow or symbolic.
    """
    return x.dtype in _HELD_TYPES and math.prod(x.shape) >= HELD_FROM


class Held:
    """Tensors of a state that a function reads from variables, and that have their new values in these in the end.

    Outside of a function a state is plain tensors. For a call the memory of a large one belongs to a variable, so that
    it can be changed in place, and afterwards to a tensor again. Whoever has kept the old tensor has kept its value:
    TensorFlow copies what others hold before it changes it. What can fail in the function comes before all changes.
    """

    def __init__(self) -> None:
        self._handles: dict[int, tuple[Any, Any]] = {}  # by the id of a tensor that was read from it, and the tensor
        self._current: dict[int, Any] = {}  # the last one that was read, by the id of the handle
        self._token: Token[Any] | None = None

    def __enter__(self) -> None:
        self._token = HELD.set(self if self._handles else None)

    def __exit__(self, *error: Any) -> None:
        HELD.reset(self._token)  # type: ignore[arg-type]

    def read(self, handle: Any, dtype: Any, shape: Any) -> Any:
        """The value of a variable.

        Args:
            handle: its handle.
            dtype: what its elements are.
            shape: its shape.
        """
        value = tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)
        value.set_shape(shape)
        self._handles[id(value)] = value, handle
        self._current[id(handle)] = value
        return value

    def handle_of(self, x: Any) -> Any:
        """The handle of the variable that a tensor was read from, if it has that value still; None otherwise.

        Args:
            x: the tensor.
        """
        _, handle = self._handles.get(id(x), (None, None))
        return handle if handle is not None and self._current[id(handle)] is x else None

    def changed(self, x: Any, handle: Any) -> None:
        """Know that a variable has the value of a tensor now.

        Args:
            x: the tensor.
            handle: its handle.
        """
        self._current[id(handle)] = x

    def assign(self, results: Any, places: Sequence[int]) -> None:
        """Give all variables their new values, and take these out of what the function returns.

        Args:
            results: what it returns; the first of it is the state.
            places: the places of the variables in the state.
        """
        state = results[0]
        new = {place: state[place] for place in places}
        for place in places:
            state[place] = None
        handles = [handle for _, handle in self._handles.values()]
        rows = [(handle, new[place]) for handle, place in zip(handles, places, strict=True)]
        with tf.control_dependencies(leaves(results) + _so_far()):
            for handle, value in rows:
                if self._current[id(handle)] is not value:
                    tf.raw_ops.AssignVariableOp(resource=handle, value=value)


HELD: ContextVar[Held | None] = ContextVar("held", default=None)


def _so_far() -> list[Any]:
    """The operations of a function that nothing follows from yet."""
    operations = tf.compat.v1.get_default_graph().get_operations()
    return [o for o in operations if o.type != "Placeholder" and not any(out.consumers() for out in o.outputs)]


def leaves(structure: Any) -> list[Any]:
    """The tensors in nested lists and tuples.

    Args:
        structure: the structure; None counts as nothing.
    """
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in leaves(item)]
    return [] if structure is None else [structure]
