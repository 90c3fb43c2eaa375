"""VGG16, and what VGG19 shares with it: five blocks of convolutions of 3 by 3 pixels, then three dense layers.

Source: Simonyan & Zisserman (2015), table 1, columns D and E.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import layers as L
from keras_front.models import Model

from .application import Application, Options, define
from .imagenet_utils import decode_predictions, preprocess_input

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

FILTERS = (64, 128, 256, 512, 512)


def _body(counts: Sequence[int]) -> Callable[..., Any]:
    def body(x: Any) -> Any:
        for block, (filters, count) in enumerate(zip(FILTERS, counts, strict=True), 1):
            for i in range(1, count + 1):
                x = L.Conv2D(filters, 3, activation="relu", padding="same", name=f"block{block}_conv{i}")(x)
            x = L.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        return x

    return body


def _top(x: Any, options: Options) -> Any:
    x = L.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = L.Dense(4096, activation="relu", name=name)(x)
    return L.Dense(options.classes, activation=options.classifier_activation, name="predictions")(x)


def vgg(depth: int, counts: Sequence[int], module: str) -> Callable[..., Model]:
    """The function that builds a net of this family.

    Args:
        depth: number of layers with weights, for its name.
        counts: how many convolutions each block has.
        module: where users find it.
    """
    summary = f"VGG with {depth} layers that have weights (Simonyan & Zisserman, 2015)."
    return define(Application(f"VGG{depth}", summary, _body(counts), top=_top), module)


VGG16 = vgg(16, (2, 2, 3, 3, 3), __name__)
