"""JAX on a GPU: one jitted step with donated state, weights cast where they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from by_hand import gpu


class Run(gpu.Run):
    relu = staticmethod(jax.nn.relu)

    def tensor(self, array: np.ndarray) -> Any:
        return jax.device_put(array, self.place)

    def cast(self, w: Any) -> Any:
        return w.astype(self.dtype)

    def dense(self, x: Any, units: int) -> Any:
        return x @ self.cast(self.weight(x.shape[-1], units)) + self.cast(self.weight(units, fill=0.0))

    def conv(self, x: Any, filters: int, size: int, stride: int = 1, same: bool = False, bias: bool = False) -> Any:
        kernel, pad = self.cast(self.weight(size, size, x.shape[-1], filters)), "SAME" if same else "VALID"
        y = lax.conv_general_dilated(x, kernel, (stride, stride), pad, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + self.cast(self.weight(filters, fill=0.0)) if bias else y

    def max_pool(self, x: Any, size: int, stride: int, same: bool) -> Any:
        window, steps = (1, size, size, 1), (1, stride, stride, 1)
        return lax.reduce_window(x, np.array(-np.inf, x.dtype), lax.max, window, steps, "SAME" if same else "VALID")

    def batch_norm(self, x: Any) -> Any:
        return self.normalized(x, (0, 1, 2))

    def layer_norm(self, x: Any) -> Any:
        return self.normalized(x, (-1,))

    def normalized(self, x: Any, axes: Any) -> Any:
        scale, shift, wide = (
            self.weight(x.shape[-1], fill=1.0),
            self.weight(x.shape[-1], fill=0.0),
            x.astype("float32"),
        )
        mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
        return ((wide - mean) * (lax.rsqrt(var + 1e-3) * scale) + shift).astype(x.dtype)

    def embedding(self, x: Any, words: int, width: int) -> Any:
        return self.cast(self.weight(words, width))[x]

    def heads(self, x: Any, count: int) -> Any:
        return x.reshape(*x.shape[:2], count, -1)

    def attention(self, *heads: Any) -> Any:
        return jax.nn.dot_product_attention(*heads)

    def joined(self, x: Any) -> Any:
        return x.reshape(*x.shape[:2], -1)

    def flat(self, x: Any) -> Any:
        return x.reshape(len(x), -1)

    def mean_of_space(self, x: Any) -> Any:
        return x.mean((1, 2))

    def mean_of_steps(self, x: Any) -> Any:
        return x.mean(1)


class Loop:
    def __init__(self, net: Callable[..., Any], device: str, precision: str):
        self.net, self.place = net, jax.devices("cpu" if device == "cpu" else None)[0]
        self.dtype, self.held = jnp.dtype(precision), None
        self.compiled = jax.jit(self.step, donate_argnums=0)

    def cut(self, x: Any) -> Any:
        return x.astype(self.dtype) if x.dtype == jnp.float32 else x

    def loss(self, params: Any, x: Any, y: Any) -> Any:
        z = self.net(Run(params, self.place, self.dtype), self.cut(x)).astype("float32")
        return -(y * jax.nn.log_softmax(z)).sum(-1).mean()

    def step(self, held: Any, x: Any, y: Any, rows: Any) -> Any:
        params, m, v, t, total = held
        loss, grads = jax.value_and_grad(self.loss)(params, x[rows], y[rows])
        t = t + 1
        pace = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = [a + 0.1 * (g - a) for a, g in zip(m, grads, strict=True)]
        v = [a + 0.001 * (g * g - a) for a, g in zip(v, grads, strict=True)]
        params = [w - pace * a / (jnp.sqrt(b) + 1e-7) for w, a, b in zip(params, m, v, strict=True)]
        return params, m, v, t, total + loss

    def start(self, x: Any) -> Any:
        making = Run(None, self.place, self.dtype)
        self.net(making, self.cut(x))
        slots = [[jnp.zeros_like(w) for w in making.made] for _ in range(2)]
        return making.made, *slots, jnp.zeros((), "int32"), jnp.zeros(())

    def __call__(self, x: np.ndarray, y: np.ndarray, size: int) -> float:
        xs, ys = jax.device_put((x, y), self.place)
        held: Any = self.held or self.start(xs[:2])
        order = np.random.permutation(len(x)).astype("int32")
        for start in range(0, len(x), size):
            held = self.compiled(held, xs, ys, order[start : start + size])
        self.held = held
        return float(held[-1])
