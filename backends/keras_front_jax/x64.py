"""JAX's 64-bit types, switched on for our own calls and traces and for nothing else.

JAX has one switch for 64-bit types in a process (`jax_enable_x64`), and a scope that overrules it in one thread. K has
these types on every backend, so the adapter calls JAX in that scope only: an application that uses JAX
for itself finds its setting as it left it.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp

from keras_front.backend import declare, shapes
from keras_front.backend.adapter import Backend

_scope = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64  # its place until JAX 0.8
_WIDE = frozenset(map(jnp.dtype, ("float64", "int64", "uint64", "complex128")))

# Methods beside the ops that make or run something of JAX's, each within one call.
_METHODS = (
    "asarray", "copy", "distribute_tensor", "import_tensor", "share", "literal", "rows", "joined", "put_dataset",
    "from_host",
)  # fmt: skip


def wide_scope() -> AbstractContextManager[Any]:
    """A context in which JAX has 64-bit types."""
    return _scope(True)


def wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, run where JAX has 64-bit types; in a trace of the user's with those that it has."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if not jax.config.jax_enable_x64 and _is_traced(args):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Explicitly requested dtype")
                return function(*args, **kwargs)
        with _scope(True):
            return function(*args, **kwargs)

    return run


def _is_traced(args: tuple[Any, ...]) -> bool:
    """Whether a `jax.jit` or `jax.grad` of the user's traces a call: types that it does not have would not compile."""
    return any(
        isinstance(x, jax.core.Tracer)
        or (isinstance(x, list | tuple) and any(isinstance(y, jax.core.Tracer) for y in x))
        for x in args
    )


def _wide_on_demand(function: Callable[..., Any], op: Any, is_static: bool) -> Callable[..., Any]:
    """A function whose results have the type of its tensors, so that those of 32 bits need no scope.

    Written out for the arguments of its op: it stands in every eager call, and `*args` would cost more than the test.
    """
    tensors = [name for name, _ in op.arrays]
    owner = [] if is_static else ["self"]
    head = ", ".join([*owner, *tensors, *(["*", *op.attrs] if op.attrs else [])])
    call = f"_call({', '.join([*owner, *tensors, *(f'{name}={name}' for name in op.attrs)])})"
    agree = sorted(op.promoted)[1:]  # K gives these the dtype of the first of them
    is_wide = " or ".join(f"{name}.dtype in _wide" for i, name in enumerate(tensors) if i not in agree)
    text = f"def {op.name}({head}):\n if {is_wide}:\n  with _scope(True):\n   return {call}\n return {call}"
    names: dict[str, Any] = {"_call": function, "_wide": _WIDE, "_scope": _scope}
    exec(compile(text, f"<wide {op.name}>", "exec"), names)
    return functools.wraps(function)(names[op.name])


def _keeps_width(op: Any) -> bool:
    """Whether an op makes nothing of 64 bits of tensors of 32."""
    if not isinstance(op, declare.Op) or any(kind != "one" for _, kind in op.arrays):
        return False
    return op.rule in shapes.KEEPS_DTYPE or (op.facts.elementwise and not op.attrs)


def wide_methods(cls: type) -> type:
    """The class with its ops, and its methods that make or run something of JAX's, run where JAX has 64-bit types."""
    own = cls.__mro__[: cls.__mro__.index(Backend)]
    for name, value in {name: value for base in reversed(own) for name, value in vars(base).items()}.items():
        op = declare.OPS.get(name)
        if op is None and name not in _METHODS:
            continue
        is_static = isinstance(value, staticmethod)
        plain = value.__func__ if is_static else value
        if _keeps_width(op):
            wrapped = _wide_on_demand(plain, op, is_static)
        else:
            wrapped = wide(plain)
        setattr(cls, name, staticmethod(wrapped) if is_static else wrapped)
    return cls
