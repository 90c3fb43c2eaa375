"""Inception V3: blocks of branches with windows of several sizes, side by side.

Source: Szegedy et al. (2016), table 1 and figures 5 to 7, 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import layers as L

from .application import Application, average_top, define
from .blocks import Blocks, relu
from .imagenet_utils import decode_predictions, preprocessing

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf", __name__)


def conv2d_bn(
    x: Any,
    filters: int,
    num_row: int,
    num_col: int,
    padding: str = "same",
    strides: Any = (1, 1),
    name: str | None = None,
    **old: Any,
) -> Any:
    """Convolution, normalization without scale, ReLU.

    Args:
        x: symbolic tensor of images.
        filters: number of output channels.
        num_row: rows of the window.
        num_col: columns of the window.
        padding: 'same' or 'valid'.
        strides: of the window.
        name: of the activation; the others are called `<name>_conv` and `<name>_bn`.
        old: names of Keras 1 for these: `nb_filter`, `nb_row`, `nb_col`, `border_mode`, `subsample`.
    """
    padding, strides = old.get("border_mode", padding), old.get("subsample", strides)
    b = Blocks(scale=False)
    x = b.conv(x, filters, (num_row, num_col), strides, name and f"{name}_conv", padding=padding)
    return relu(b.norm(x, name and f"{name}_bn"), name)


# A chain of convolutions: filters, rows and columns of each window.
Chain = Sequence[tuple[int, int, int]]


def chain(x: Any, convolutions: Chain, last: dict[str, Any] | None = None) -> Any:
    """Convolutions one after the other.

    Args:
        x: symbolic tensor of images.
        convolutions: filters, rows and columns of each.
        last: arguments of the last one.
    """
    for i, sizes in enumerate(convolutions, 1):
        x = conv2d_bn(x, *sizes, **(last or {} if i == len(convolutions) else {}))
    return x


REDUCE = {"strides": (2, 2), "padding": "valid"}


def stem(x: Any) -> Any:
    """The first layers, which are those of Inception-ResNet V2 too: from 299 by 299 pixels to 35 by 35.

    Args:
        x: symbolic tensor of images.
    """
    x = conv2d_bn(x, 32, 3, 3, strides=(2, 2), padding="valid")
    x = conv2d_bn(x, 32, 3, 3, padding="valid")
    x = L.MaxPooling2D(3, strides=2)(conv2d_bn(x, 64, 3, 3))
    x = conv2d_bn(conv2d_bn(x, 80, 1, 1, padding="valid"), 192, 3, 3, padding="valid")
    return L.MaxPooling2D(3, strides=2)(x)


def pooled(x: Any, filters: int) -> Any:
    """The branch that averages its surroundings.

    Args:
        x: symbolic tensor of images.
        filters: number of output channels.
    """
    return conv2d_bn(L.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def _wide(x: Any, width: int) -> list[Any]:
    """Branches of 17 by 17 pixels: windows of 7 rows or columns."""
    row, column = (width, 1, 7), (width, 7, 1)
    branches = [
        chain(x, [(192, 1, 1)]),
        chain(x, [(width, 1, 1), row, (192, 7, 1)]),
        chain(x, [(width, 1, 1), column, row, column, (192, 1, 7)]),
    ]
    return [*branches, pooled(x, 192)]


def _split(b: Blocks, x: Any, name: str | None) -> Any:
    return b.concatenate([conv2d_bn(x, 384, 1, 3), conv2d_bn(x, 384, 3, 1)], name)


def _body(x: Any) -> Any:
    b = Blocks()
    x = stem(x)
    for i, filters in enumerate((32, 64, 64)):  # 35 by 35
        x = b.concatenate(
            [
                chain(x, [(64, 1, 1)]),
                chain(x, [(48, 1, 1), (64, 5, 5)]),
                chain(x, [(64, 1, 1), (96, 3, 3), (96, 3, 3)]),
                pooled(x, filters),
            ],
            f"mixed{i}",
        )
    smaller = [chain(x, [(384, 3, 3)], REDUCE), chain(x, [(64, 1, 1), (96, 3, 3), (96, 3, 3)], REDUCE)]
    x = b.concatenate([*smaller, L.MaxPooling2D(3, strides=2)(x)], "mixed3")
    for i, width in enumerate((128, 160, 160, 192), 4):  # 17 by 17
        x = b.concatenate(_wide(x, width), f"mixed{i}")
    smaller = [
        chain(x, [(192, 1, 1), (320, 3, 3)], REDUCE),
        chain(x, [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)], REDUCE),
    ]
    x = b.concatenate([*smaller, L.MaxPooling2D(3, strides=2)(x)], "mixed8")
    for i in range(2):  # 8 by 8
        narrow = chain(x, [(320, 1, 1)])
        split = _split(b, chain(x, [(384, 1, 1)]), f"mixed9_{i}")
        double = _split(b, chain(x, [(448, 1, 1), (384, 3, 3)]), None)
        x = b.concatenate([narrow, split, double, pooled(x, 192)], f"mixed{9 + i}")
    return x


InceptionV3 = define(
    Application(
        "InceptionV3",
        "Inception V3 (Szegedy et al., 2016).",
        _body,
        size=299,
        least=75,
        top=average_top(),
        model_name="inception_v3",
    ),
    __name__,
)
