"""JAX's 64-bit types, switched on for our own calls and traces and for nothing else.

JAX has one switch for 64-bit types in a process (`jax_enable_x64`), and a scope that overrules it in one thread. K has
these types on every backend, so the adapter calls JAX in that scope only: an application that uses JAX
for itself finds its setting as it left it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp

from keras_front.backend import declare
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
    """`function`, run where JAX has 64-bit types."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with _scope(True):
            return function(*args, **kwargs)

    return run


def _wide_on_demand(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors alone whose result has their type, so that tensors of 32 bits need no scope."""

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        for arg in args:
            if arg.dtype in _WIDE:
                with _scope(True):
                    return function(*args)
        return function(*args)

    return run


def wide_methods(cls: type) -> type:
    """The class with its ops, and its methods that make or run something of JAX's, run where JAX has 64-bit types."""
    own = cls.__mro__[: cls.__mro__.index(Backend)]
    for name, value in {name: value for base in reversed(own) for name, value in vars(base).items()}.items():
        op = declare.OPS.get(name)
        if op is None and name not in _METHODS:
            continue
        is_static = isinstance(value, staticmethod)
        plain = value.__func__ if is_static else value
        narrow = is_static and op is not None and op.facts.elementwise and not op.attrs
        wrapped = _wide_on_demand(plain) if narrow else wide(plain)
        setattr(cls, name, staticmethod(wrapped) if is_static else wrapped)
    return cls
