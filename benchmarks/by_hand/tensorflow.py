"""TensorFlow: a step in a `tf.function` over data that lies in constants; short steps loop inside of it.

XLA where it wins (recurrence, and steps of microseconds) and not where it loses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from by_hand.weights import BLOCKS, weights

Tensor = Any
CHAIN = {"tiny": 16, "mlp": 16, "lstm": 8}  # steps in one call
XLA = {"tiny", "lstm"}


class Run:
    """One pass through a net: hands out weights and batch statistics in order."""

    def __init__(self, params: list[Any], state: list[Any], training: bool):
        self.params, self.state, self.training = iter(params), iter(state), training

    def dense(self, x: Tensor) -> Tensor:
        return tf.nn.bias_add(tf.matmul(x, next(self.params)), next(self.params))

    def time_dense(self, x: Tensor) -> Tensor:
        kernel, bias = next(self.params), next(self.params)
        flat = tf.nn.bias_add(tf.matmul(tf.reshape(x, (-1, x.shape[-1])), kernel), bias)
        return tf.reshape(flat, (-1, x.shape[1], kernel.shape[1]))

    def conv(self, x: Tensor, stride: int = 1, padding: str = "SAME") -> Tensor:
        return tf.nn.bias_add(tf.nn.conv2d(x, next(self.params), stride, padding), next(self.params))

    def dropout(self, x: Tensor, rate: float) -> Tensor:
        return tf.nn.dropout(x, rate) if self.training else x

    def batch_norm(self, x: Tensor) -> Tensor:
        scale, shift, mean, variance = *(next(self.params) for _ in range(2)), *(next(self.state) for _ in range(2))
        if not self.training:
            return tf.compat.v1.nn.fused_batch_norm(x, scale, shift, mean, variance, 1e-3, is_training=False)[0]
        x, new_mean, new_variance = tf.compat.v1.nn.fused_batch_norm(x, scale, shift, epsilon=1e-3)
        mean.assign_sub(0.01 * (mean - new_mean))
        variance.assign_sub(0.01 * (variance - new_variance))
        return x

    def layer_norm(self, x: Tensor) -> Tensor:
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        scale, shift = next(self.params), next(self.params)
        return tf.nn.batch_normalization(x, mean, variance, shift, scale, 1e-3)

    def lstm(self, x: Tensor) -> Tensor:
        kernel, recurrent, bias = (tf.convert_to_tensor(next(self.params)) for _ in range(3))
        steps, width = x.shape[1:]
        z = tf.nn.bias_add(tf.matmul(tf.reshape(tf.transpose(x, (1, 0, 2)), (-1, width)), kernel), bias)
        z = tf.TensorArray(tf.float32, steps).unstack(tf.reshape(z, (steps, -1, 256)))
        start = tf.zeros((tf.shape(x)[0], 64))

        def cell(t: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            i, f, g, o = tf.split(z.read(t) + tf.matmul(h, recurrent), 4, -1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            return t + 1, tf.sigmoid(o) * tf.tanh(c), c

        return tf.while_loop(lambda t, h, c: t < steps, cell, (0, start, start), maximum_iterations=steps)[1]


def tiny(run: Run, x: Tensor) -> Tensor:
    return run.dense(tf.nn.relu(run.dense(x)))


def mlp(run: Run, x: Tensor) -> Tensor:
    x = run.dropout(tf.nn.relu(run.dense(x)), 0.2)
    return run.dense(run.dropout(tf.nn.relu(run.dense(x)), 0.2))


def cnn(run: Run, x: Tensor) -> Tensor:
    x = tf.nn.relu(run.conv(tf.nn.relu(run.conv(x, padding="VALID")), padding="VALID"))
    x = run.dropout(tf.nn.max_pool2d(x, 2, 2, "VALID"), 0.25)
    return run.dense(run.dropout(tf.nn.relu(run.dense(tf.reshape(x, (-1, 9216)))), 0.5))


def lstm(run: Run, x: Tensor) -> Tensor:
    return run.dense(run.lstm(tf.gather(next(run.params), x)))


def resnet(run: Run, x: Tensor) -> Tensor:
    x = tf.nn.relu(run.batch_norm(run.conv(x)))
    for _, _, stride in BLOCKS:
        short = x if stride == 1 else run.conv(x, stride)
        x = tf.nn.relu(run.batch_norm(run.conv(x, stride)))
        x = tf.nn.relu(run.batch_norm(run.conv(x)) + short)
    return run.dense(tf.reduce_mean(x, (1, 2)))


def attn(run: Run, x: Tensor) -> Tensor:
    x = tf.gather(next(run.params), x)
    n = run.layer_norm(x)
    query, key, value = run.time_dense(n), run.time_dense(n), run.time_dense(n)
    x = x + run.time_dense(tf.matmul(tf.nn.softmax(tf.matmul(query, key, transpose_b=True)), value))
    x = x + run.time_dense(tf.nn.relu(run.time_dense(run.layer_norm(x))))
    return run.dense(tf.reduce_mean(x, 1))


NETS: dict[str, Callable[[Run, Tensor], Tensor]]
NETS = {"tiny": tiny, "mlp": mlp, "mlp_wide": mlp, "cnn": cnn, "lstm": lstm, "resnet": resnet, "attn": attn}


def batches(samples: int, size: int) -> Iterator[slice]:
    return (slice(i, min(i + size, samples)) for i in range(0, samples, size))


class Loop:
    def __init__(self, workload: Any):
        params, state = weights(workload.name)
        self.net, self.binary, self.sgd = NETS[workload.name], workload.binary, workload.sgd
        self.chain = CHAIN.get(workload.name, 1)
        self.params, self.state = [tf.Variable(w) for w in params], [tf.Variable(w) for w in state]
        self.m = [] if self.sgd else [tf.Variable(tf.zeros_like(w)) for w in params]
        self.v = [tf.Variable(w) for w in self.m]
        self.t = tf.Variable(0, dtype=tf.int64)
        self.total, self.right = tf.Variable(0.0), tf.Variable(0, dtype=tf.int64)

        def compiled(function: Callable[..., Any]) -> Any:
            return tf.function(function, jit_compile=workload.name in XLA or None, autograph=False)

        self.one, self.rows, self.many = compiled(self.step), compiled(self.step_rows), compiled(self.steps)
        self.tested, self.predicted = compiled(self.test), compiled(self.outputs)

    def logits(self, x: Tensor, training: bool) -> Tensor:
        return self.net(Run(self.params, self.state, training), x)

    def measured(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if self.binary:
            loss, hits = tf.nn.sigmoid_cross_entropy_with_logits(y, z), tf.equal(z > 0, y > 0.5)
        else:
            loss = tf.nn.softmax_cross_entropy_with_logits(y, z)
            hits = tf.equal(tf.argmax(z, 1), tf.argmax(y, 1))
        return tf.reduce_mean(loss), tf.reduce_sum(tf.cast(hits, tf.int64))

    def count(self, loss: Tensor, right: Tensor, x: Tensor) -> None:
        self.total.assign_add(loss * x.shape[0])
        self.right.assign_add(right)

    def step(self, x: Tensor, y: Tensor) -> None:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.params)
            loss, right = self.measured(self.logits(x, True), y)
        self.update(tape.gradient(loss, self.params))
        self.count(loss, right, x)

    def update(self, grads: list[Tensor]) -> None:
        grads = [tf.convert_to_tensor(g) for g in grads]
        if self.sgd:
            for w, g in zip(self.params, grads, strict=True):
                tf.raw_ops.ResourceApplyGradientDescent(var=w.handle, alpha=0.01, delta=g)
            return
        t = tf.cast(self.t.assign_add(1), tf.float32)
        for w, m, v, g in zip(self.params, self.m, self.v, grads, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=w.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=0.9**t,
                beta2_power=0.999**t,
                lr=1e-3,
                beta1=0.9,
                beta2=0.999,
                epsilon=1e-7,
                grad=g,
            )

    def step_rows(self, x: Tensor, y: Tensor, rows: Tensor) -> None:
        self.step(tf.gather(x, rows), tf.gather(y, rows))

    def steps(self, x: Tensor, y: Tensor, rows: Tensor) -> None:
        def body(i: Tensor) -> Tensor:
            self.step_rows(x, y, rows[i])
            return i + 1

        tf.while_loop(lambda i: i < rows.shape[0], body, [0], parallel_iterations=1)

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int) -> list[float]:
        xs, ys, samples, losses = tf.constant(x), tf.constant(y), len(x), []
        size = self.chain * batch_size
        for _ in range(epochs):
            order, done = np.random.permutation(samples).astype("int32"), 0
            self.start()
            while self.chain > 1 and done + size <= samples:
                self.many(xs, ys, tf.constant(order[done : done + size].reshape(self.chain, -1)))
                done += size
            for part in batches(samples - done, batch_size):
                self.rows(xs, ys, tf.constant(order[done:][part]))
            losses.append(self.means(samples)[0])
        return losses

    def start(self) -> None:
        self.total.assign(0.0)
        self.right.assign(0)

    def means(self, samples: int) -> tuple[float, float]:
        return float(self.total) / samples, float(self.right) / samples

    def train_on_batch(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        self.start()
        self.one(tf.constant(x), tf.constant(y))
        return self.means(len(x))

    def test(self, x: Tensor, y: Tensor) -> None:
        self.count(*self.measured(self.logits(x, False), y), x)

    def evaluate(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> tuple[float, float]:
        self.start()
        for part in batches(len(x), batch_size):
            self.tested(tf.constant(x[part]), tf.constant(y[part]))
        return self.means(len(x))

    def outputs(self, x: Tensor) -> Tensor:
        z = self.logits(x, False)
        return tf.sigmoid(z) if self.binary else tf.nn.softmax(z)

    def predict(self, x: np.ndarray, batch_size: int = 32) -> np.ndarray:
        outputs = [self.predicted(tf.constant(x[part])) for part in batches(len(x), batch_size)]
        return np.concatenate([o.numpy() for o in outputs])
