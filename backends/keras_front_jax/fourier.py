"""Fourier transforms of JAX: in single precision where halves are given, for which there are no complex numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax


def transformed(transform: Callable[..., Any], real: Any, imag: Any, axis: int) -> tuple[Any, Any]:
    """`transform` of complex numbers along an axis: (real, imag) in the dtype of `real`."""
    z = transform(lax.complex(_wide(real), _wide(imag)), axis=axis)
    return z.real.astype(real.dtype), z.imag.astype(real.dtype)


def of_real(x: Any, axis: int) -> tuple[Any, Any]:
    """The first half of the transform of real numbers: (real, imag)."""
    z = jnp.fft.rfft(_wide(x), axis=axis)
    return z.real.astype(x.dtype), z.imag.astype(x.dtype)


def _wide(x: Any) -> Any:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
