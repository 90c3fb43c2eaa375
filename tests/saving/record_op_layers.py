"""Writes `op_layers.json`: models with ops between layers, as tf.keras and Keras 3 describe them, and their numbers.

Run it where both are installed: `KERAS_BACKEND=jax python record_op_layers.py` (Keras 3.15.1, tf_keras 2.21.0).
Each case is a function of two inputs of shape (4,), or (4, 3) where its name begins with "3d"; no layer has weights.
"""

from __future__ import annotations

import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from keras import ops
from tf_keras import backend as tfk

HERE = os.path.dirname(os.path.abspath(__file__))
ONES = np.ones((4, 2), "float32")

TF = {
    "operators": lambda a, b: (2 - a * 3) / (b + 2) - (-a) ** 2 + abs(b) // 0.3 + a % 0.4,
    "comparisons": lambda a, b: tf.where((a > b) & (a < 0.9), a, tf.cast(a >= b, "float32")),
    "slices": lambda a, b: tf.concat([a[:, 1:3], b[..., ::2], a[:, 0, None]], axis=1),
    "arrays": lambda a, b: a + np.arange(4, dtype="float32") * b,
    "reductions": lambda a, b: tf.stack(
        [tf.reduce_mean(a, 1), tf.reduce_max(b, -1), tf.reduce_sum(a * b, [1]), tf.math.reduce_std(a, axis=1)], axis=1
    ),
    "shape": lambda a, b: tf.reshape(a, [tf.shape(b)[0], 2, 2]),
    "activations": lambda a, b: tf.nn.relu(a - 0.5) + tf.nn.softmax(b) + tf.nn.elu(-a) + tf.nn.leaky_relu(b - 1),
    "elementwise": lambda a, b: tf.exp(a) + tf.math.log(b + 1) + tf.sqrt(a) + tf.square(b) + tf.sigmoid(a) + tf.tanh(b),
    "k": lambda a, b: tfk.concatenate([tfk.mean(a, 1, keepdims=True), tfk.clip(b, 0.2, 0.6), tfk.l2_normalize(a, 1)]),
    "k dot": lambda a, b: tfk.dot(a, tfk.constant(ONES)) + tfk.batch_dot(a, b, axes=1),
    "moving axes": lambda a, b: tf.transpose(tf.tile(tf.expand_dims(a, -1), [1, 1, 3]), [0, 2, 1]),
    "split": lambda a, b: tf.split(a, 2, axis=1)[1] + tf.split(b, 2, axis=-1)[0],
    "3d matmul": lambda a, b: tf.matmul(a, tf.transpose(b, [0, 2, 1])),
    "3d pad": lambda a, b: tf.pad(tf.reverse(a, axis=[1]), [[0, 0], [1, 1], [0, 0]]) + 1.0,
    "3d squeeze": lambda a, b: tf.squeeze(tf.expand_dims(a, 1) * tf.expand_dims(b, 1), axis=1),
    "gather": lambda a, b: tf.gather(a, [2, 0], axis=1) + tf.one_hot(tf.argmax(b, axis=1), 2),
    "argsort": lambda a, b: tf.cast(tf.argsort(a), "float32") + tf.sort(b) + tf.cumsum(a, axis=1),
}  # fmt: skip

KERAS3 = {
    "operators": lambda a, b: (2 - a * 3) / (b + 2) - (-a) ** 2 + abs(b) // 0.3 + a % 0.4,
    "comparisons": lambda a, b: ops.where((a > b) & (a < 0.9), a, ops.cast(a >= b, "float32")),
    "slices": lambda a, b: ops.concatenate([a[:, 1:3], b[..., ::2], a[:, 0, None]], axis=1),
    "arrays": lambda a, b: a + b * np.arange(4, dtype="float32"),
    "reductions": lambda a, b: ops.stack(
        [ops.mean(a, 1), ops.max(b, -1), ops.sum(a * b, [1]), ops.std(a, axis=1), ops.logsumexp(b, axis=1)], axis=1
    ),
    "activations": lambda a, b: keras.activations.relu(a - 0.5) + ops.softmax(b) + ops.elu(-a) + ops.leaky_relu(b),
    "elementwise": lambda a, b: ops.exp(a) + ops.log(b + 1) + ops.sqrt(a) + ops.square(b) + ops.tanh(b),
    "clip": lambda a, b: ops.concatenate([ops.clip(b, 0.2, 0.6), ops.mean(a, 1, keepdims=True), ops.normalize(a)], -1),
    "dot": lambda a, b: ops.dot(a, ONES) + ops.tensordot(b, ONES, axes=1),
    "moving axes": lambda a, b: ops.transpose(ops.tile(ops.expand_dims(a, -1), [1, 1, 3]), [0, 2, 1]),
    "split": lambda a, b: ops.split(a, 2, axis=1)[1] + ops.split(b, [1, 3], axis=-1)[1],
    "3d matmul": lambda a, b: ops.matmul(a, ops.transpose(b, [0, 2, 1])),
    "3d pad": lambda a, b: ops.pad(ops.flip(a, axis=1), ((0, 0), (1, 1), (0, 0))) + 1.0,
    "3d squeeze": lambda a, b: ops.squeeze(ops.expand_dims(a, 1) * ops.expand_dims(b, 1), axis=1),
    "take": lambda a, b: ops.take(a, [2, 0], axis=1) + ops.one_hot(ops.argmax(b, axis=1), 2),
    "argsort": lambda a, b: ops.cast(ops.argsort(a), "float32") + ops.sort(b) + ops.cumsum(a, axis=1),
    "reshape": lambda a, b: ops.reshape(a, (-1, 2, 2)) + ops.swapaxes(ops.reshape(b, (-1, 2, 2)), 1, 2),
    "moments": lambda a, b: ops.moments(b, axes=[1], keepdims=True)[1] + a,
    "einsum": lambda a, b: ops.einsum("bi,bj->bij", a, b),
    "top_k": lambda a, b: ops.top_k(a, 2)[0],
}  # fmt: skip


def inputs(name):
    random = np.random.RandomState(3)
    shape = (3, 4, 3) if name.startswith("3d") else (3, 4)
    return [random.rand(*shape).astype("float32") for _ in range(2)]


def case(library, name, function):
    library.backend.clear_session()
    data = inputs(name)
    tensors = [library.layers.Input(x.shape[1:]) for x in data]
    model = library.Model(tensors, function(*tensors))
    expected = np.asarray(model.predict(data, verbose=0))
    config = json.loads(model.to_json())
    return {"config": config, "x": [x.tolist() for x in data], "y": expected.tolist()}


def main():
    cases = {}
    for library, source, functions in ((tf_keras, "tf_keras", TF), (keras, "keras", KERAS3)):
        for name, function in functions.items():
            try:
                cases[f"{source}: {name}"] = case(library, name, function)
            except Exception as error:
                print(f"{source}: {name}: {type(error).__name__} {error!s:.150}")
    with open(os.path.join(HERE, "op_layers.json"), "w") as file:
        json.dump(cases, file, indent=None, separators=(",", ":"))


if __name__ == "__main__":
    main()
