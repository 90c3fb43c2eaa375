"""TensorFlow: ops of `tf.nn` in one `tf.function`, with XLA for recurrence, where it wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any
DRAW = np.random.default_rng(0)
XLA = {"lstm", "gru", "bilstm_masked"}


def lstm_step(z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = tf.split(z, 4, -1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def looped(cell: Callable[..., Any], xs: list[Tensor], start: tuple[Tensor, ...], reverse: bool = False) -> Tensor:
    """The first state after each step, (batch, time, units); `xs` are (time, batch, ...)."""
    steps = xs[0].shape[0]
    arrays = [tf.TensorArray(x.dtype, steps).unstack(x) for x in xs]
    out = tf.TensorArray(tf.float32, steps)

    def body(n: Tensor, out: Any, *state: Tensor) -> Any:
        t = steps - 1 - n if reverse else n
        state = cell([a.read(t) for a in arrays], *state)
        return n + 1, out.write(t, state[0]), *state

    out = tf.while_loop(lambda n, *_: n < steps, body, (0, out, *start), maximum_iterations=steps)[1]
    return tf.transpose(out.stack(), (1, 0, 2))


def timed(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """x @ kernel + bias for all steps, time first."""
    steps, width = x.shape[1:]
    flat = tf.reshape(tf.transpose(x, (1, 0, 2)), (-1, width))
    return tf.reshape(tf.nn.bias_add(tf.matmul(flat, kernel), bias), (steps, -1, kernel.shape[1]))


def lstm(p: Any, x: Tensor, training: bool, mask: Any = None, reverse: bool = False) -> Tensor:
    kernel, recurrent, bias = (tf.convert_to_tensor(w) for w in p)
    start = tf.zeros((tf.shape(x)[0], 64))

    def cell(now: list[Tensor], h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        new = lstm_step(now[0] + tf.matmul(h, recurrent), c)
        return new if mask is None else (tf.where(now[1], new[0], h), tf.where(now[1], new[1], c))

    xs = [timed(x, kernel, bias)]
    if mask is not None:
        xs.append(tf.transpose(mask, (1, 0))[..., None])
    return looped(cell, xs, (start, start), reverse)


def bilstm(p: Any, x: Tensor, training: bool) -> Tensor:
    mask = tf.reduce_any(tf.not_equal(x, 0), -1)
    return tf.concat([lstm(p[:3], x, training, mask), lstm(p[3:], x, training, mask, True)], -1)


def gru(p: Any, x: Tensor, training: bool) -> Tensor:
    kernel, recurrent, bias, again = (tf.convert_to_tensor(w) for w in p)

    def cell(now: list[Tensor], h: Tensor) -> tuple[Tensor]:
        z, inner = now[0], tf.matmul(h, recurrent) + again
        u, r = tf.split(tf.sigmoid(z[:, :128] + inner[:, :128]), 2, -1)
        return (u * h + (1 - u) * tf.tanh(z[:, 128:] + r * inner[:, 128:]),)

    return looped(cell, [timed(x, kernel, bias)], (tf.zeros((tf.shape(x)[0], 64)),))


def convlstm(p: Any, x: Tensor, training: bool) -> Tensor:
    kernel, recurrent, bias = (tf.convert_to_tensor(w) for w in p)
    steps, image = x.shape[1], x.shape[2:]
    z = tf.nn.bias_add(tf.nn.conv2d(tf.reshape(x, (-1, *image)), kernel, 1, "SAME"), bias)
    z = tf.reshape(z, (-1, steps, *image[:2], 32))
    h = c = tf.zeros_like(z[:, 0, ..., :8])
    for t in range(steps):
        h, c = lstm_step(z[:, t] + tf.nn.conv2d(h, recurrent, 1, "SAME"), c)
    return h


def batch_norm(p: Any, x: Tensor, training: bool) -> Tensor:
    scale, shift, mean, variance = p
    fused = tf.compat.v1.nn.fused_batch_norm
    if not training:
        return fused(x, scale, shift, mean, variance, 1e-3, is_training=False)[0]
    y, new_mean, new_variance = fused(x, scale, shift, epsilon=1e-3)
    mean.assign_sub(0.01 * (mean - new_mean))
    variance.assign_sub(0.01 * (variance - new_variance))
    return y


def separable(p: Any, x: Tensor, training: bool) -> Tensor:
    return tf.nn.bias_add(tf.nn.separable_conv2d(x, p[0], p[1], (1, 1, 1, 1), "SAME"), p[2])


def transposed(p: Any, x: Tensor, training: bool) -> Tensor:
    shape = (tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], 16)
    return tf.nn.bias_add(tf.nn.conv2d_transpose(x, p[0], shape, 2, "SAME"), p[1])


def attention(p: Any, x: Tensor, training: bool) -> Tensor:
    def projected(kernel: Tensor, bias: Tensor) -> Tensor:
        flat = tf.nn.bias_add(tf.matmul(tf.reshape(x, (-1, 64)), kernel), bias)
        return tf.transpose(tf.reshape(flat, (-1, x.shape[1], 4, 16)), (0, 2, 1, 3))

    q, k, v = (projected(w, b) for w, b in zip(p[:3], p[3:6], strict=True))
    found = tf.matmul(tf.nn.softmax(tf.matmul(q * 0.25, k, transpose_b=True)), v)
    flat = tf.reshape(tf.transpose(found, (0, 2, 1, 3)), (-1, 64))
    return tf.reshape(tf.nn.bias_add(tf.matmul(flat, p[6]), p[7]), (-1, x.shape[1], 64))


LSTM = ((64, 256), (64, 256), (256,))
LAYERS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "lstm": (lstm, LSTM),
    "gru": (gru, ((64, 192), (64, 192), (192,), (192,))),
    "bilstm_masked": (bilstm, LSTM + LSTM),
    "convlstm": (convlstm, ((3, 3, 8, 32), (3, 3, 8, 32), (32,))),
    "batch_norm": (batch_norm, ((16,),) * 4),
    "separable": (separable, ((3, 3, 32, 1), (1, 1, 32, 64), (64,))),
    "transposed": (transposed, ((3, 3, 16, 32), (16,))),
    "attention": (attention, (((64, 64),) * 3 + ((64,),) * 3 + ((64, 64), (64,)))),
}


class Loop:
    def __init__(self, name: str, shape: tuple[int, ...]):
        self.net, shapes = LAYERS[name]
        arrays = [DRAW.normal(size=shape, scale=0.1).astype("float32") for shape in shapes]
        if name == "batch_norm":
            arrays = [np.abs(a) + 1 for a in arrays]
        self.params = [tf.Variable(a) for a in arrays]
        self.trained = self.params[:2] if name == "batch_norm" else self.params
        xla = name in XLA or None
        self.step = tf.function(self.stepped, autograph=False, jit_compile=xla)
        self.forward = tf.function(lambda x: self.outputs(x, False), autograph=False, jit_compile=xla)

    def outputs(self, x: Tensor, training: bool) -> Tensor:
        y = self.net(self.params, x, training)
        return tf.reduce_mean(y, tuple(range(1, len(y.shape) - 1)))

    def stepped(self, x: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.trained)
            difference = self.outputs(tf.gather(x, rows), True) - tf.gather(y, rows)
            loss = tf.reduce_mean(difference * difference)
        for w, g in zip(self.trained, tape.gradient(loss, self.trained), strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(var=w.handle, alpha=0.01, delta=g)
        return loss

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> float:
        xs, ys, total = tf.constant(x), tf.constant(y), 0.0
        for rows in np.random.permutation(len(x)).astype("int32").reshape(-1, batch_size):
            total += self.step(xs, ys, tf.constant(rows))
        return float(total)

    def predict(self, x: np.ndarray, batch_size: int) -> np.ndarray:
        outputs = [self.forward(tf.constant(x[i : i + batch_size])) for i in range(0, len(x), batch_size)]
        return np.concatenate([o.numpy() for o in outputs])
