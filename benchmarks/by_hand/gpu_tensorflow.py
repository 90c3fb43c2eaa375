"""TensorFlow on a GPU: one tf.function a step, variables updated by its own kernel for Adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from by_hand import gpu


class Run(gpu.Run):
    relu = staticmethod(tf.nn.relu)

    def tensor(self, array: np.ndarray) -> Any:
        return tf.Variable(array)

    def cast(self, w: Any) -> Any:
        return tf.cast(w, self.dtype)

    def dense(self, x: Any, units: int) -> Any:
        w, b = self.cast(self.weight(x.shape[-1], units)), self.cast(self.weight(units, fill=0.0))
        return tf.tensordot(x, w, 1) + b

    def conv(self, x: Any, filters: int, size: int, stride: int = 1, same: bool = False, bias: bool = False) -> Any:
        kernel = self.cast(self.weight(size, size, x.shape[-1], filters))
        y = tf.nn.conv2d(x, kernel, stride, "SAME" if same else "VALID")
        return y + self.cast(self.weight(filters, fill=0.0)) if bias else y

    def max_pool(self, x: Any, size: int, stride: int, same: bool) -> Any:
        return tf.nn.max_pool2d(x, size, stride, "SAME" if same else "VALID")

    def batch_norm(self, x: Any) -> Any:
        scale, shift = self.weight(x.shape[-1], fill=1.0), self.weight(x.shape[-1], fill=0.0)
        wide = tf.cast(x, tf.float32)
        return tf.cast(tf.compat.v1.nn.fused_batch_norm(wide, scale, shift, epsilon=1e-3)[0], x.dtype)

    def layer_norm(self, x: Any) -> Any:
        scale, shift = self.weight(x.shape[-1], fill=1.0), self.weight(x.shape[-1], fill=0.0)
        wide = tf.cast(x, tf.float32)
        mean, var = tf.nn.moments(wide, [-1], keepdims=True)
        return tf.cast(tf.nn.batch_normalization(wide, mean, var, shift, scale, 1e-3), x.dtype)

    def embedding(self, x: Any, words: int, width: int) -> Any:
        return self.cast(tf.gather(self.weight(words, width), x))

    def heads(self, x: Any, count: int) -> Any:
        return tf.transpose(tf.reshape(x, (*x.shape[:2], count, -1)), (0, 2, 1, 3))

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        scores = tf.matmul(q, k, transpose_b=True) * q.dtype.as_numpy_dtype(q.shape[-1] ** -0.5)
        return tf.matmul(tf.nn.softmax(scores), v)

    def joined(self, x: Any) -> Any:
        x = tf.transpose(x, (0, 2, 1, 3))
        return tf.reshape(x, (*x.shape[:2], -1))

    def flat(self, x: Any) -> Any:
        return tf.reshape(x, (x.shape[0], -1))

    def mean_of_space(self, x: Any) -> Any:
        return tf.reduce_mean(x, (1, 2))

    def mean_of_steps(self, x: Any) -> Any:
        return tf.reduce_mean(x, 1)


class Loop:
    def __init__(self, net: Callable[..., Any], device: str, precision: str):
        self.net, self.place = net, "CPU:0" if device == "cpu" else "GPU:0"
        self.dtype, self.params, self.slots = tf.dtypes.as_dtype(precision), list[Any](), list[Any]()
        self.count, self.total = tf.Variable(0.0), tf.Variable(0.0)
        self.compiled = tf.function(self.step, autograph=False)

    def cut(self, x: Any) -> Any:
        return tf.cast(x, self.dtype) if x.dtype == tf.float32 else x

    def step(self, x: Any, y: Any, rows: Any) -> None:
        with tf.GradientTape() as tape:
            z = tf.cast(self.net(Run(self.params, self.place, self.dtype), self.cut(tf.gather(x, rows))), tf.float32)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(tf.gather(y, rows), z))
        self.total.assign_add(loss)
        t = self.count.assign_add(1.0)
        for w, g, (m, v) in zip(self.params, tape.gradient(loss, self.params), self.slots, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=w.handle, m=m.handle, v=v.handle, beta1_power=0.9**t, beta2_power=0.999**t, lr=1e-3, beta1=0.9,
                beta2=0.999, epsilon=1e-7, grad=tf.convert_to_tensor(g),
            )  # fmt: skip

    def start(self, x: Any) -> None:
        making = Run(None, self.place, self.dtype)
        self.net(making, self.cut(x))
        self.params = making.made
        self.slots = [[tf.Variable(tf.zeros_like(w)) for _ in range(2)] for w in self.params]

    def __call__(self, x: np.ndarray, y: np.ndarray, size: int) -> float:
        with tf.device(self.place):
            xs, ys = tf.constant(x), tf.constant(y)
            if not self.params:
                self.start(xs[:2])
            order = np.random.permutation(len(x)).astype("int32")
            for start in range(0, len(x), size):
                self.compiled(xs, ys, tf.constant(order[start : start + size]))
            return float(self.total)
