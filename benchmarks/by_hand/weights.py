"""Initial weights of the workloads as lists of NumPy arrays, in the order in which the nets use them.

Kernels are (in, out) and (height, width, in, out), gates i, f, c, o; each engine turns them as it likes.
"""

from __future__ import annotations

import math

import numpy as np

Arrays = list[np.ndarray]
BLOCKS = ((16, 16, 1), (16, 32, 2), (32, 64, 2))  # channels in, channels out, stride


class Maker:
    def __init__(self) -> None:
        self.draw = np.random.default_rng(0)
        self.params: Arrays = []
        self.state: Arrays = []

    def kernel(self, *shape: int) -> None:
        area = math.prod(shape[:-2])
        limit = math.sqrt(6 / (area * (shape[-2] + shape[-1])))
        self.params.append(self.draw.uniform(-limit, limit, shape).astype("float32"))

    def constant(self, size: int, value: float = 0.0) -> None:
        self.params.append(np.full(size, value, "float32"))

    def affine(self, *shape: int) -> None:
        self.kernel(*shape)
        self.constant(shape[-1])

    def scale_and_shift(self, size: int) -> None:
        self.constant(size, 1.0)
        self.constant(size)

    def normalized(self, size: int) -> None:
        self.scale_and_shift(size)
        self.state += [np.zeros(size, "float32"), np.ones(size, "float32")]

    def embedding(self, words: int, width: int) -> None:
        self.params.append(self.draw.uniform(-0.05, 0.05, (words, width)).astype("float32"))


def tiny(make: Maker) -> None:
    make.affine(16, 8)
    make.affine(8, 1)


def mlp(make: Maker, width: int = 128) -> None:
    make.affine(784, width)
    make.affine(width, width)
    make.affine(width, 10)


def mlp_wide(make: Maker) -> None:
    mlp(make, 1024)


def cnn(make: Maker) -> None:
    make.affine(3, 3, 1, 32)
    make.affine(3, 3, 32, 64)
    make.affine(9216, 128)
    make.affine(128, 10)


def lstm(make: Maker) -> None:
    make.embedding(20000, 128)
    make.kernel(128, 256)
    make.kernel(64, 256)
    make.constant(256)
    make.params[-1][64:128] = 1  # the forget gate starts open
    make.affine(64, 1)


def resnet(make: Maker) -> None:
    make.affine(3, 3, 3, 16)
    make.normalized(16)
    for before, after, stride in BLOCKS:
        if stride > 1:
            make.affine(1, 1, before, after)
        make.affine(3, 3, before, after)
        make.normalized(after)
        make.affine(3, 3, after, after)
        make.normalized(after)
    make.affine(64, 10)


def attn(make: Maker) -> None:
    make.embedding(2000, 64)
    make.scale_and_shift(64)
    for _ in range(4):  # query, key, value, and the way out
        make.affine(64, 64)
    make.scale_and_shift(64)
    make.affine(64, 256)
    make.affine(256, 64)
    make.affine(64, 1)


def weights(name: str) -> tuple[Arrays, Arrays]:
    """(trainable weights, moving means and variances) of the workload `name`."""
    make = Maker()
    {f.__name__: f for f in (tiny, mlp, mlp_wide, cnn, lstm, resnet, attn)}[name](make)
    return make.params, make.state
