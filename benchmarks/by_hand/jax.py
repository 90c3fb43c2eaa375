"""JAX: one jitted step with donated state over data on the device; short steps are chained with `lax.scan`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from by_hand.weights import BLOCKS, weights

Array = jax.Array
CHAIN = {"tiny": 16, "mlp": 16}  # steps in one dispatch; longer steps gain nothing


class Run:
    """One pass through a net: hands out weights, batch statistics and random keys in order."""

    def __init__(self, params: list[Array], state: list[Array], key: Any):
        self.params, self.state, self.key = iter(params), iter(state), key
        self.training, self.after = key is not None, list[Array]()

    def dense(self, x: Array) -> Array:
        return x @ next(self.params) + next(self.params)

    def conv(self, x: Array, stride: int = 1, padding: str = "SAME") -> Array:
        kernel, bias = next(self.params), next(self.params)
        names = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=names) + bias

    def dropout(self, x: Array, rate: float) -> Array:
        if not self.training:
            return x
        self.key, key = jax.random.split(self.key)
        return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)

    def batch_norm(self, x: Array) -> Array:
        scale, shift = next(self.params), next(self.params)
        old_mean, old_variance = next(self.state), next(self.state)
        mean, variance = old_mean, old_variance
        if self.training:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
            self.after += [0.99 * old_mean + 0.01 * mean, 0.99 * old_variance + 0.01 * variance]
        return (x - mean) * (lax.rsqrt(variance + 1e-3) * scale) + shift

    def layer_norm(self, x: Array) -> Array:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * lax.rsqrt(variance + 1e-3) * next(self.params) + next(self.params)

    def lstm(self, x: Array) -> Array:
        kernel, recurrent, bias = (next(self.params) for _ in range(3))
        start = jnp.zeros((len(x), 64))

        def cell(carry: tuple[Array, Array], z: Array) -> tuple[tuple[Array, Array], None]:
            h, c = carry
            i, f, g, o = jnp.split(z + h @ recurrent, 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        return lax.scan(cell, (start, start), jnp.swapaxes(x @ kernel + bias, 0, 1))[0][0]


def tiny(run: Run, x: Array) -> Array:
    return run.dense(jax.nn.relu(run.dense(x)))


def mlp(run: Run, x: Array) -> Array:
    x = run.dropout(jax.nn.relu(run.dense(x)), 0.2)
    return run.dense(run.dropout(jax.nn.relu(run.dense(x)), 0.2))


def cnn(run: Run, x: Array) -> Array:
    x = jax.nn.relu(run.conv(jax.nn.relu(run.conv(x, padding="VALID")), padding="VALID"))
    rows, height, width, channels = x.shape
    x = x.reshape(rows, height // 2, 2, width // 2, 2, channels).max((2, 4))  # XLA's own pooling scatters
    x = run.dropout(x, 0.25).reshape(rows, -1)
    return run.dense(run.dropout(jax.nn.relu(run.dense(x)), 0.5))


def lstm(run: Run, x: Array) -> Array:
    return run.dense(run.lstm(next(run.params)[x]))


def resnet(run: Run, x: Array) -> Array:
    x = jax.nn.relu(run.batch_norm(run.conv(x)))
    for _, _, stride in BLOCKS:
        short = x if stride == 1 else run.conv(x, stride)
        x = jax.nn.relu(run.batch_norm(run.conv(x, stride)))
        x = jax.nn.relu(run.batch_norm(run.conv(x)) + short)
    return run.dense(x.mean((1, 2)))


def attn(run: Run, x: Array) -> Array:
    x = next(run.params)[x]
    n = run.layer_norm(x)
    query, key, value = run.dense(n), run.dense(n), run.dense(n)
    x = x + run.dense(jax.nn.softmax(query @ key.swapaxes(1, 2), -1) @ value)
    x = x + run.dense(jax.nn.relu(run.dense(run.layer_norm(x))))
    return run.dense(x.mean(1))


NETS: dict[str, Callable[[Run, Array], Array]]
NETS = {"tiny": tiny, "mlp": mlp, "mlp_wide": mlp, "cnn": cnn, "lstm": lstm, "resnet": resnet, "attn": attn}


def batches(samples: int, size: int) -> Iterator[slice]:
    return (slice(i, min(i + size, samples)) for i in range(0, samples, size))


class Loop:
    def __init__(self, workload: Any):
        params, state = weights(workload.name)
        self.net, self.binary, self.sgd = NETS[workload.name], workload.binary, workload.sgd
        self.chain = CHAIN.get(workload.name, 1)
        slots = [] if self.sgd else [jnp.zeros_like(w) for w in params]
        self.held: Any = (
            [jnp.array(w) for w in params],
            [jnp.array(w) for w in state],
            slots,
            [jnp.zeros_like(w) for w in slots],
            jnp.zeros((), "int32"),
            jax.random.PRNGKey(0),
        )
        self.one = jax.jit(self.step, donate_argnums=(0, 1))
        self.rows = jax.jit(
            lambda held, sums, x, y, rows: self.step(held, sums, x[rows], y[rows]), donate_argnums=(0, 1)
        )
        self.many = jax.jit(self.steps, donate_argnums=(0, 1))
        self.tested = jax.jit(self.test, donate_argnums=(2,))
        self.predicted = jax.jit(self.outputs)

    def loss(self, params: Any, state: Any, key: Any, x: Array, y: Array) -> Any:
        run = Run(params, state, key)
        z = self.net(run, x)
        if self.binary:
            loss = (jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))).mean()
            right = ((z > 0) == (y > 0.5)).sum()
        else:
            loss = -(y * jax.nn.log_softmax(z)).sum(-1).mean()
            right = (z.argmax(1) == y.argmax(1)).sum()
        return loss, (right, run.after or state)

    def step(self, held: Any, sums: Any, x: Array, y: Array) -> Any:
        params, state, m, v, t, key = held
        key, used = jax.random.split(key)
        (loss, (right, state)), grads = jax.value_and_grad(self.loss, has_aux=True)(params, state, used, x, y)
        t = t + 1
        if self.sgd:
            params = [w - 0.01 * g for w, g in zip(params, grads, strict=True)]
        else:
            rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            m = [a + 0.1 * (g - a) for a, g in zip(m, grads, strict=True)]
            v = [a + 0.001 * (g * g - a) for a, g in zip(v, grads, strict=True)]
            params = [w - rate * a / (jnp.sqrt(b) + 1e-7) for w, a, b in zip(params, m, v, strict=True)]
        return (params, state, m, v, t, key), (sums[0] + loss * len(x), sums[1] + right)

    def steps(self, held: Any, sums: Any, x: Array, y: Array, rows: Array) -> Any:
        def body(carry: Any, rows: Array) -> Any:
            return self.step(*carry, x[rows], y[rows]), None

        return lax.scan(body, (held, sums), rows)[0]

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int) -> list[float]:
        xs, ys, samples, losses = jnp.asarray(x), jnp.asarray(y), len(x), []
        size = self.chain * batch_size
        for _ in range(epochs):
            order = np.random.permutation(samples).astype("int32")
            held, sums, done = self.held, (jnp.zeros(()), jnp.zeros((), "int32")), 0
            while self.chain > 1 and done + size <= samples:
                held, sums = self.many(held, sums, xs, ys, order[done : done + size].reshape(self.chain, -1))
                done += size
            for part in batches(samples - done, batch_size):
                held, sums = self.rows(held, sums, xs, ys, order[done:][part])
            self.held = held
            losses.append(float(sums[0]) / samples)
            float(sums[1])
        return losses

    def train_on_batch(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        self.held, sums = self.one(self.held, (np.float32(0), np.int32(0)), x, y)
        return float(sums[0]) / len(x), float(sums[1]) / len(x)

    def test(self, params: Any, state: Any, sums: Any, x: Array, y: Array) -> Any:
        loss, (right, _) = self.loss(params, state, None, x, y)
        return sums[0] + loss * len(x), sums[1] + right

    def evaluate(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> tuple[float, float]:
        params, state = self.held[:2]
        sums: Any = (jnp.zeros(()), jnp.zeros((), "int32"))
        for part in batches(len(x), batch_size):
            sums = self.tested(params, state, sums, x[part], y[part])
        return float(sums[0]) / len(x), float(sums[1]) / len(x)

    def outputs(self, params: Any, state: Any, x: Array) -> Array:
        z = self.net(Run(params, state, None), x)
        return jax.nn.sigmoid(z) if self.binary else jax.nn.softmax(z, -1)

    def predict(self, x: np.ndarray, batch_size: int = 32) -> np.ndarray:
        predicted = partial(self.predicted, *self.held[:2])
        return np.concatenate([np.asarray(o) for o in [predicted(x[part]) for part in batches(len(x), batch_size)]])
