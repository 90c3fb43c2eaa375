"""JAX: one jitted step with donated state, batches taken on the host, `lax.scan` over time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from programs_by_hand import BATCH, Arrays

Array = jax.Array
Params = list[Array]
_draw = np.random.default_rng(3)


def dense_weights(*widths: int) -> Params:
    """Kernels and biases of dense layers, one after the other."""
    pairs = itertools.pairwise(widths)
    return [w for n, m in pairs for w in (matrix(n, m), jnp.zeros(m))]


def matrix(rows: int, columns: int) -> Array:
    return jnp.asarray(_draw.uniform(-1, 1, (rows, columns)) * np.sqrt(6 / (rows + columns)), "float32")


def table(rows: int, columns: int) -> Array:
    return jnp.asarray(_draw.uniform(-0.05, 0.05, (rows, columns)), "float32")


def perceptron(params: Params, x: Array, last: Callable[[Array], Array] = lambda x: x) -> Array:
    """Dense layers with relu between, and `last` behind."""
    for i in range(0, len(params) - 2, 2):
        x = jax.nn.relu(x @ params[i] + params[i + 1])
    return last(x @ params[-2] + params[-1])


def binary(logits: Array, target: Array) -> Array:
    return jnp.mean(jnp.maximum(logits, 0) - logits * target + jnp.log1p(jnp.exp(-jnp.abs(logits))))


def categorical(logits: Array, target: Array) -> Array:
    return -jnp.mean(jnp.sum(target * jax.nn.log_softmax(logits), -1))


State = tuple[Params, Params, Params, Any]


def adam_state(params: Params) -> State:
    return params, [jnp.zeros_like(w) for w in params], [jnp.zeros_like(w) for w in params], np.int32(0)


def adam(state: State, grads: Params) -> State:
    params, means, squares, t = state
    t = t + 1
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    means = [0.9 * m + 0.1 * g for m, g in zip(means, grads, strict=True)]
    squares = [0.999 * v + 0.001 * g * g for v, g in zip(squares, grads, strict=True)]
    params = [w - rate * m / (jnp.sqrt(v) + 1e-7) for w, m, v in zip(params, means, squares, strict=True)]
    return params, means, squares, t


def sgd(params: Params, grads: Params) -> Params:
    return [w - 0.01 * g for w, g in zip(params, grads, strict=True)]


def trained(step: Callable[..., Any], state: Any, batches: Callable[[], Iterator[Any]]) -> Callable[[], float]:
    """One epoch over batches of inputs and, last, the target."""
    held = [state]

    def epoch() -> float:
        total, count = jnp.zeros(()), 0
        for batch in batches():
            held[0], total = step(held[0], total, *batch)
            count += 1
        return float(total) / count

    return epoch


def adam_step(loss: Callable[..., Array]) -> Callable[..., Any]:
    @partial(jax.jit, donate_argnums=(0, 1))
    def step(state: State, total: Array, *batch: Array) -> tuple[State, Array]:
        value, grads = jax.value_and_grad(loss)(state[0], *batch)
        return adam(state, grads), total + value

    return step


@partial(jax.jit, donate_argnums=(0, 1))
def classified(params: Params, total: Array, x: Array, y: Array) -> tuple[Params, Array]:
    value, grads = jax.value_and_grad(lambda params: categorical(perceptron(params, x), y))(params)
    return sgd(params, grads), total + value


def shuffled(data: Arrays) -> Callable[[], Iterator[Any]]:
    def batches() -> Iterator[Any]:
        order = np.random.default_rng().permutation(len(data[0]))
        for i in range(0, len(order), BATCH):
            yield [np.take(array, order[i : i + BATCH], 0) for array in data]

    return batches


def lstm(x: Array, weights: Params, start: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
    """All outputs, and the last state."""
    kernel, recurrent, bias = weights

    def cell(carry: tuple[Array, Array], z: Array) -> tuple[tuple[Array, Array], Array]:
        h, c = carry
        i, f, g, o = jnp.split(z + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    last, outputs = lax.scan(cell, start, jnp.swapaxes(x @ kernel + bias, 0, 1))
    return jnp.swapaxes(outputs, 0, 1), last


def seq2seq(data: Arrays) -> Callable[[], float]:
    def loss(params: Params, source: Array, fed: Array, target: Array) -> Array:
        words, fed_words, *weights = params
        zeros = jnp.zeros((len(source), 64))
        states, last = lstm(words[source], weights[:3], (zeros, zeros))
        x, _ = lstm(fed_words[fed], weights[3:6], last)
        seen = jax.nn.softmax(x @ jnp.swapaxes(states, 1, 2)) @ states
        logits = perceptron(weights[6:], jnp.concatenate([x, seen], -1))
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits), target[..., None], -1)
        return -jnp.mean(picked)

    cells = [w for _ in range(2) for w in (matrix(64, 256), matrix(64, 256), jnp.zeros(256))]
    params = [table(1000, 64), table(1000, 64), *cells, *dense_weights(128, 1000)]
    return trained(adam_step(loss), adam_state(params), shuffled(data))


def wide_deep(data: Arrays) -> Callable[[], float]:
    def loss(params: Params, wide: Array, categories: Array, numbers: Array, target: Array) -> Array:
        x = jnp.concatenate([params[0][categories].reshape(len(wide), -1), numbers], 1)
        x = perceptron(params[1:5], x, jax.nn.relu)
        return binary(perceptron(params[5:], jnp.concatenate([wide, x], 1)), target)

    params = [table(500, 8), *dense_weights(80, 64, 32), *dense_weights(232, 1)]
    return trained(adam_step(loss), adam_state(params), shuffled(data))


def loader(data: Arrays) -> Callable[[], float]:
    import torch

    held = torch.utils.data.TensorDataset(*map(torch.from_numpy, data))
    batches = torch.utils.data.DataLoader(held, batch_size=BATCH, shuffle=True)
    return trained(classified, dense_weights(784, 128, 10), lambda: ([t.numpy() for t in batch] for batch in batches))


def generator(data: Arrays) -> Callable[[], float]:
    x, y = data
    starts = range(0, len(x), BATCH)
    return trained(
        classified, dense_weights(784, 128, 10), lambda: ((x[i : i + BATCH], y[i : i + BATCH]) for i in starts)
    )


def gan(data: Arrays) -> Callable[[], None]:
    """The judge learns from the maker's pictures without their gradients; then the maker through the judge."""
    real, noise = data
    ones = np.ones((BATCH, 1), "float32")
    labels = np.concatenate([ones, 0 * ones])
    made = jax.jit(partial(perceptron, last=jnp.tanh))

    @partial(jax.jit, donate_argnums=0)
    def of_judge(state: State, x: Array, y: Array) -> tuple[State, Array]:
        value, grads = jax.value_and_grad(lambda params: binary(perceptron(params, x), y))(state[0])
        return adam(state, grads), value

    @partial(jax.jit, donate_argnums=0)
    def of_maker(state: State, judge: Params, z: Array, y: Array) -> tuple[State, Array]:
        def loss(params: Params) -> Array:
            return binary(perceptron(judge, perceptron(params, z, jnp.tanh)), y)

        value, grads = jax.value_and_grad(loss)(state[0])
        return adam(state, grads), value

    states = {"maker": adam_state(dense_weights(32, 128, 784)), "judge": adam_state(dense_weights(784, 128, 1))}

    def epoch() -> None:
        for i in range(0, len(real), BATCH):
            z = noise[i : i + BATCH]
            x = np.concatenate([real[i : i + BATCH], made(states["maker"][0], z)])
            states["judge"], judged = of_judge(states["judge"], x, labels)
            float(judged)
            states["maker"], fooled = of_maker(states["maker"], states["judge"][0], z, ones)
            float(fooled)

    return epoch


PROGRAMS = {f.__name__: f for f in (seq2seq, gan, wide_deep, loader, generator)}
