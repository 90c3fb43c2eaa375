"""Arithmetic of integers where XLA leaves the result open, or JAX refuses: as NumPy has it."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax


def floor_divide(x: Any, y: Any) -> Any:
    """The quotient rounded down; of integers by 0 it is 0."""
    if jnp.issubdtype(jnp.result_type(x, y), jnp.floating):
        return jnp.floor_divide(x, y)
    none = jnp.equal(y, 0)
    return jnp.where(none, 0, jnp.floor_divide(x, jnp.where(none, 1, y)))


def power(x: Any, y: Any) -> Any:
    """`x ** y`, of integers by squaring, bit by bit, with products that wrap around.

    JAX itself looks at 6 bits alone. To a negative power 1 and -1 are what they are in fractions, all else is 0.
    """
    kind = jnp.result_type(x, y)
    if not jnp.issubdtype(kind, jnp.integer):
        return jnp.power(x, y)
    base, y = jnp.broadcast_arrays(jnp.asarray(x, kind), jnp.asarray(y, kind))
    odd = jnp.equal(y & 1, 1)

    def square(i: Any, state: Any) -> Any:
        result, base, rest = state
        return jnp.where(jnp.equal(rest & 1, 1), result * base, result), base * base, rest >> 1

    bits = jnp.iinfo(kind).bits - int(jnp.issubdtype(kind, jnp.signedinteger))
    result, _, _ = lax.fori_loop(0, bits, square, (jnp.ones_like(base), base, y))
    inverse = jnp.where(jnp.equal(base, 1), 1, 0)
    if jnp.issubdtype(kind, jnp.signedinteger):
        inverse = jnp.where(jnp.equal(base, -1), jnp.where(odd, -1, 1), inverse)
    return jnp.where(y < 0, inverse.astype(kind), result)
