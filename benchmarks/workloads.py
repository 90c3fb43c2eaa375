"""The workloads, each built once in the part of the API that keras_front and Keras 3 share.

`build(k)` takes the module that plays Keras and returns a compiled model; `data(samples)` returns (x, y) drawn
from a seeded teacher, so that a loss can go down. The loops in `by_hand` train the same nets on the same data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Workload:
    """What to build and to feed, and how much of it makes a measurement.

    `samples` and `quick` are whole batches; `epochs` are timed together; `warm` is the least number of steps
    before anything is measured, as some code is compiled late; `small` marks the models whose steps take less
    time than a frontend may waste; `binary` and `sgd` tell the loops by hand about loss and optimizer.
    """

    name: str
    build: Callable[[Any], Any]
    data: Callable[[int], Arrays]
    batch: int
    samples: int
    quick: int
    epochs: int = 1
    warm: int = 1
    small: bool = False
    binary: bool = False
    sgd: bool = False


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype="float32")[labels]


def vectors(samples: int, width: int = 784, classes: int = 10) -> Arrays:
    """Normal vectors, labelled by a random linear map."""
    draw = np.random.default_rng(1)
    x = draw.standard_normal((samples, width), dtype="float32")
    return x, one_hot((x @ draw.standard_normal((width, classes), dtype="float32")).argmax(1), classes)


def halves(samples: int, width: int = 16) -> Arrays:
    """Normal vectors; is the sum of the first half positive?"""
    x = np.random.default_rng(2).standard_normal((samples, width), dtype="float32")
    return x, (x[:, : width // 2].sum(1, keepdims=True) > 0).astype("float32")


def images(samples: int, shape: tuple[int, int, int], classes: int = 10) -> Arrays:
    """One random picture for each class, under noise."""
    draw = np.random.default_rng(3)
    labels = draw.integers(0, classes, samples)
    pictures = draw.random((classes, *shape), dtype="float32")
    return (pictures[labels] + draw.random((samples, *shape), dtype="float32")) / 2, one_hot(labels, classes)


def sentences(samples: int, length: int, words: int) -> Arrays:
    """Zipf-distributed words; are more of them odd than in the median sentence?"""
    x = (np.random.default_rng(4).zipf(1.3, (samples, length)) % words).astype("int32")
    odd = (x % 2).mean(1, keepdims=True)
    return x, (odd > np.median(odd)).astype("float32")


def tiny(k: Any) -> Any:
    layers = k.layers
    model = k.models.Sequential(
        [layers.Dense(8, activation="relu", input_shape=(16,)), layers.Dense(1, activation="sigmoid")]
    )
    model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
    return model


def perceptron(k: Any, width: int, optimizer: str) -> Any:
    layers = k.layers
    model = k.models.Sequential(
        [
            layers.Dense(width, activation="relu", input_shape=(784,)),
            layers.Dropout(0.2),
            layers.Dense(width, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def cnn(k: Any) -> Any:
    layers = k.layers
    model = k.models.Sequential(
        [
            layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def lstm(k: Any) -> Any:
    layers = k.layers
    words = layers.Input(shape=(80,), dtype="int32")
    last = layers.LSTM(64)(layers.Embedding(20000, 128)(words))
    model = k.models.Model(words, layers.Dense(1, activation="sigmoid")(last))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def resnet(k: Any) -> Any:
    """A stem and three residual blocks of 16, 32 and 64 filters: 9 convolutions, 7 batch normalizations."""
    layers = k.layers

    def convolved(x: Any, filters: int, size: int = 3, stride: int = 1) -> Any:
        return layers.Conv2D(filters, (size, size), strides=(stride, stride), padding="same")(x)

    def normalized(x: Any) -> Any:
        return layers.BatchNormalization()(x)

    def relu(x: Any) -> Any:
        return layers.Activation("relu")(x)

    image = layers.Input(shape=(32, 32, 3))
    x = relu(normalized(convolved(image, 16)))
    for filters, stride in BLOCKS:
        short = x if stride == 1 else convolved(x, filters, 1, stride)
        x = relu(normalized(convolved(x, filters, 3, stride)))
        x = relu(layers.Add()([normalized(convolved(x, filters)), short]))
    x = layers.GlobalAveragePooling2D()(x)
    model = k.models.Model(image, layers.Dense(10, activation="softmax")(x))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


BLOCKS = ((16, 1), (32, 2), (64, 2))  # filters and stride of the residual blocks


def attn(k: Any) -> Any:
    """One block of self-attention with a single head, no scaling, and layer normalization before each part."""
    layers = k.layers
    words = layers.Input(shape=(64,), dtype="int32")
    x = layers.Embedding(2000, 64)(words)
    n = layers.LayerNormalization()(x)
    query, key, value = (layers.Dense(64)(n) for _ in range(3))
    weights = layers.Activation("softmax")(layers.Dot(axes=(2, 2))([query, key]))
    x = layers.Add()([x, layers.Dense(64)(layers.Dot(axes=(2, 1))([weights, value]))])
    n = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.Dense(64)(layers.Dense(256, activation="relu")(n))])
    x = layers.GlobalAveragePooling1D()(x)
    model = k.models.Model(words, layers.Dense(1, activation="sigmoid")(x))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tiny", tiny, halves, 32, 8192, 4096, epochs=2, warm=2000, small=True, binary=True, sgd=True),
        Workload(
            "mlp", lambda k: perceptron(k, 128, "sgd"), vectors, 128, 12800, 6400, warm=1000, small=True, sgd=True
        ),
        Workload("mlp_wide", lambda k: perceptron(k, 1024, "adam"), vectors, 128, 2560, 1280),
        Workload("cnn", cnn, lambda n: images(n, (28, 28, 1)), 64, 640, 256),
        Workload("lstm", lstm, lambda n: sentences(n, 80, 20000), 32, 640, 320, warm=80, binary=True),
        Workload("resnet", resnet, lambda n: images(n, (32, 32, 3)), 32, 320, 160),
        Workload("attn", attn, lambda n: sentences(n, 64, 2000), 32, 640, 320, binary=True),
    )
}
QUICK = ("tiny", "mlp", "cnn", "lstm")
