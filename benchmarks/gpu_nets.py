"""The nets of `gpu.py`: built in the part of the API that every Keras has, with data of noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Net:
    """`build(k, quick)` gives a compiled model, `data(samples, quick)` what it is trained on."""

    build: Callable[..., Any]
    data: Callable[[int, bool], Arrays]
    batch: int


def compiled(model: Any) -> Any:
    model.compile(loss="categorical_crossentropy", optimizer="adam")
    return model


def head(k: Any, classes: int = 10) -> Any:
    """The last layer computes in float32, as usual in mixed precision."""
    return k.layers.Dense(classes, activation="softmax", dtype="float32")


def mlp(k: Any, quick: bool) -> Any:
    width = 64 if quick else 4096
    hidden = k.layers.Dense(width, activation="relu", input_shape=(784,)), k.layers.Dense(width, activation="relu")
    return compiled(k.models.Sequential([*hidden, head(k)]))


def cnn(k: Any, quick: bool) -> Any:
    layers, filters = k.layers, 4 if quick else 64
    body = [
        layers.Conv2D(filters, (3, 3), activation="relu", input_shape=(28, 28, 1)),
        layers.Conv2D(filters * 2, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
    ]
    return compiled(k.models.Sequential([*body, head(k)]))


def resnet50(k: Any, quick: bool) -> Any:
    """ResNet50 for images of 64 by 64; quick: two of its blocks."""
    layers = k.layers

    def normalized(x: Any) -> Any:
        return layers.BatchNormalization()(x)

    def block(x: Any, filters: int, stride: int, widens: bool) -> Any:
        short = normalized(layers.Conv2D(4 * filters, 1, strides=stride, use_bias=False)(x)) if widens else x
        y = layers.Activation("relu")(normalized(layers.Conv2D(filters, 1, strides=stride, use_bias=False)(x)))
        y = layers.Activation("relu")(normalized(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)))
        y = normalized(layers.Conv2D(4 * filters, 1, use_bias=False)(y))
        return layers.Activation("relu")(layers.Add()([y, short]))

    image = layers.Input(shape=(64, 64, 3))
    x = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False)(image)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.Activation("relu")(normalized(x)))
    for stage, (filters, depth) in enumerate(RESNET[:1] if quick else RESNET):
        for i in range(2 if quick else depth):
            x = block(x, filters, 2 if stage and not i else 1, not i)
    return compiled(k.models.Model(image, head(k)(layers.GlobalAveragePooling2D()(x))))


RESNET = ((64, 3), (128, 4), (256, 6), (512, 3))  # filters and blocks of the stages


def transformer(k: Any, quick: bool, width: int = 512) -> Any:
    """Four blocks of attention with 8 heads and of two dense layers, normalized before each; quick: one, narrow."""
    layers, width = k.layers, 32 if quick else width
    words = layers.Input(shape=(128,), dtype="int32")
    x = layers.Embedding(8000, width)(words)
    for _ in range(1 if quick else 4):
        n = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(8, width // 8)(n, n)])
        n = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.Dense(width)(layers.Dense(4 * width, activation="relu")(n))])
    return compiled(k.models.Model(words, head(k)(layers.GlobalAveragePooling1D()(x))))


def noise(*shape: int) -> Callable[[int, bool], Arrays]:
    def data(samples: int, quick: bool) -> Arrays:
        draw = np.random.default_rng(0)
        return draw.standard_normal((samples, *shape), dtype="float32"), labels(draw, samples)

    return data


def words(samples: int, quick: bool) -> Arrays:
    draw = np.random.default_rng(0)
    return draw.integers(0, 8000, (samples, 128)).astype("int32"), labels(draw, samples)


def labels(draw: Any, samples: int) -> np.ndarray:
    return np.eye(10, dtype="float32")[draw.integers(0, 10, samples)]


NETS = {
    "mlp": Net(mlp, noise(784), 256),
    "cnn": Net(cnn, noise(28, 28, 1), 128),
    "resnet50": Net(resnet50, noise(64, 64, 3), 32),
    "transformer": Net(transformer, words, 32),
}
