"""Xception: an Inception whose modules became separable convolutions, with shortcuts around every two or three.

Source: Chollet (2017), figure 5.
"""

from __future__ import annotations

from typing import Any

from keras_front import layers as L

from .application import Application, average_top, define
from .blocks import Blocks, relu
from .imagenet_utils import decode_predictions, preprocessing

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf", __name__)


def _separable(net: Blocks, x: Any, filters: int, name: str) -> Any:
    return net.norm(net.separable(x, filters, 3, name=name), name=f"{name}_bn")


def _smaller(net: Blocks, x: Any, block: int, filters: tuple[int, int]) -> Any:
    """Two separable convolutions, then half as many rows and columns, in both ways."""
    shortcut = net.norm(net.conv(x, filters[1], 1, strides=2))
    for i, width in enumerate(filters, 1):
        name = f"block{block}_sepconv{i}"
        x = x if (block, i) == (2, 1) else relu(x, f"{name}_act")  # the stem ends with a ReLU
        x = _separable(net, x, width, name)
    x = L.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return L.Add()([x, shortcut])


def _middle(net: Blocks, x: Any, block: int) -> Any:
    shortcut = x
    for i in (1, 2, 3):
        name = f"block{block}_sepconv{i}"
        x = _separable(net, relu(x, f"{name}_act"), 728, name)
    return L.Add()([x, shortcut])


def _body(x: Any) -> Any:
    net = Blocks()
    for name, filters, strides in (("block1_conv1", 32, 2), ("block1_conv2", 64, 1)):
        x = net.conv(x, filters, 3, strides=strides, padding="valid", name=name)
        x = relu(net.norm(x, f"{name}_bn"), f"{name}_act")
    for block, filters in enumerate((128, 256, 728), 2):
        x = _smaller(net, x, block, (filters, filters))
    for block in range(5, 13):
        x = _middle(net, x, block)
    x = _smaller(net, x, 13, (728, 1024))
    for i, filters in ((1, 1536), (2, 2048)):
        x = relu(_separable(net, x, filters, f"block14_sepconv{i}"), f"block14_sepconv{i}_act")
    return x


Xception = define(
    Application("Xception", "Xception V1 (Chollet, 2017).", _body, size=299, least=71, top=average_top()), __name__
)
