"""JAX: functions of `jax.lax` and `jax.nn`, one jitted step with donated weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Array = jax.Array
NAMES = ("NHWC", "HWIO", "NHWC")
DRAW = np.random.default_rng(0)


def made(*shapes: tuple[int, ...]) -> list[Array]:
    return [jnp.asarray(DRAW.normal(size=shape, scale=0.1), "float32") for shape in shapes]


def conv(x: Array, kernel: Array, groups: int = 1) -> Array:
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=NAMES, feature_group_count=groups)


def lstm_step(z: Array, c: Array) -> tuple[Array, Array]:
    i, f, g, o = jnp.split(z, 4, -1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def lstm(p: Any, x: Array, training: bool, mask: Any = None, reverse: bool = False) -> Array:
    kernel, recurrent, bias = p
    start = jnp.zeros((len(x), len(recurrent)))
    steps = jnp.swapaxes(x @ kernel + bias, 0, 1)

    def cell(carry: Any, z: Any) -> Any:
        h, c = carry
        z, seen = z if mask is not None else (z, None)
        new = lstm_step(z + h @ recurrent, c)
        if seen is not None:
            new = jnp.where(seen, new[0], h), jnp.where(seen, new[1], c)
        return new, new[0]

    xs = steps if mask is None else (steps, jnp.swapaxes(mask, 0, 1)[..., None])
    return jnp.swapaxes(lax.scan(cell, (start, start), xs, reverse=reverse)[1], 0, 1)


def bilstm(p: Any, x: Array, training: bool) -> Array:
    mask = (x != 0).any(-1)
    return jnp.concatenate([lstm(p[:3], x, training, mask), lstm(p[3:], x, training, mask, True)], -1)


def gru(p: Any, x: Array, training: bool) -> Array:
    kernel, recurrent, bias, again = p

    def cell(h: Array, z: Array) -> Any:
        inner = h @ recurrent + again
        u, r = jnp.split(jax.nn.sigmoid(z[:, :128] + inner[:, :128]), 2, -1)
        h = u * h + (1 - u) * jnp.tanh(z[:, 128:] + r * inner[:, 128:])
        return h, h

    steps = jnp.swapaxes(x @ kernel + bias, 0, 1)
    return jnp.swapaxes(lax.scan(cell, jnp.zeros((len(x), 64)), steps)[1], 0, 1)


def convlstm(p: Any, x: Array, training: bool) -> Array:
    kernel, recurrent, bias = p
    batch, steps, *image = x.shape
    z = jnp.swapaxes((conv(x.reshape(-1, *image), kernel) + bias).reshape(batch, steps, *image[:2], -1), 0, 1)
    start = jnp.zeros((batch, *image[:2], 8))

    def cell(carry: Any, z: Array) -> Any:
        h, c = carry
        return lstm_step(z + conv(h, recurrent), c), None

    return lax.scan(cell, (start, start), z)[0][0]


def batch_norm(p: Any, x: Array, training: bool) -> Array:
    scale, shift, mean, variance = p
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) * (lax.rsqrt(variance + 1e-3) * scale) + shift


def transposed(p: Any, x: Array, training: bool) -> Array:
    return lax.conv_transpose(x, p[0], (2, 2), "SAME", dimension_numbers=NAMES) + p[1]


def attention(p: Any, x: Array, training: bool) -> Array:
    q, k, v = ((x @ w + b).reshape(*x.shape[:2], 4, 16) for w, b in zip(p[:3], p[3:6], strict=True))
    return jax.nn.dot_product_attention(q, k, v).reshape(x.shape) @ p[6] + p[7]


LSTM = ((64, 256), (64, 256), (256,))
LAYERS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "lstm": (lstm, LSTM),
    "gru": (gru, ((64, 192), (64, 192), (192,), (192,))),
    "bilstm_masked": (bilstm, LSTM + LSTM),
    "convlstm": (convlstm, ((3, 3, 8, 32), (3, 3, 8, 32), (32,))),
    "batch_norm": (batch_norm, ((16,),) * 4),
    "separable": (
        lambda p, x, training: conv(conv(x, p[0], 32), p[1]) + p[2],
        ((3, 3, 1, 32), (1, 1, 32, 64), (64,)),
    ),
    "transposed": (transposed, ((3, 3, 32, 16), (16,))),
    "attention": (attention, (((64, 64),) * 3 + ((64,),) * 3 + ((64, 64), (64,)))),
}


class Loop:
    def __init__(self, name: str, shape: tuple[int, ...]):
        self.net, shapes = LAYERS[name]
        self.params = made(*shapes)
        if name == "batch_norm":
            self.params = [jnp.abs(p) + 1 for p in self.params]
        self.step = jax.jit(self.stepped, donate_argnums=0)
        self.forward = jax.jit(partial(self.outputs, training=False))

    def outputs(self, params: Any, x: Array, training: bool) -> Array:
        y = self.net(params, x, training=training)
        return y.mean(tuple(range(1, y.ndim - 1)))

    def stepped(self, params: Any, x: Array, y: Array, rows: Array) -> Any:
        def loss(params: Any) -> Array:
            return jnp.square(self.outputs(params, x[rows], training=True) - y[rows]).mean()

        value, grads = jax.value_and_grad(loss)(params)
        return [w - 0.01 * g for w, g in zip(params, grads, strict=True)], value

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> float:
        xs, ys, total = jnp.asarray(x), jnp.asarray(y), 0.0
        for rows in np.random.permutation(len(x)).astype("int32").reshape(-1, batch_size):
            self.params, value = self.step(self.params, xs, ys, rows)
            total += value
        return float(total)

    def predict(self, x: np.ndarray, batch_size: int) -> np.ndarray:
        outputs = [self.forward(self.params, x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        return np.concatenate([np.asarray(o) for o in outputs])
