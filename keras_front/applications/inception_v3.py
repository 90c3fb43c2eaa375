"""Inception V3: blocks of branches with windows of several sizes, side by side.

The InceptionV3 of Keras 1 has other sizes here and there, and activations before its normalizations. It is built in the
dialect of Keras 1, or where `weights` is a file of that time.

Source: Szegedy et al. (2016), table 1 and figures 5 to 7, 10; Keras 1.2.2, `keras/applications/inception_v3.py`, by the
layers of its model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras_front import conventions
from keras_front import layers as L

from . import weight_files
from .application import Application, Options, average_top, define, flat_top
from .blocks import Blocks, relu
from .imagenet_utils import decode_predictions, preprocessing

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf", __name__)


# A chain of convolutions: filters, rows and columns of each window.
Chain = Sequence[tuple[int, int, int]]
REDUCE = {"strides": (2, 2), "padding": "valid"}


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

    In the dialect of Keras 1 it is a convolution with bias and ReLU, then normalization with scale.

    Args:
        x: symbolic tensor of images.
        filters: number of output channels. Keras 1 called it `nb_filter`.
        num_row: rows of the window. Keras 1: `nb_row`.
        num_col: columns of the window. Keras 1: `nb_col`.
        padding: 'same' or 'valid'. Keras 1: `border_mode`.
        strides: of the window. Keras 1: `subsample`.
        name: of the activation; the others are called `<name>_conv` and `<name>_bn`.
        old: `border_mode` and `subsample`.
    """
    padding, strides = old.get("border_mode", padding), old.get("subsample", strides)
    conv = _conv_of_keras1 if conventions.current().applications == "Keras 1" else _conv
    return conv(x, filters, num_row, num_col, padding, strides, name)


def _conv(
    x: Any, filters: int, rows: int, columns: int, padding: str = "same", strides: Any = 1, name: str | None = None
) -> Any:
    b = Blocks(scale=False)
    x = b.conv(x, filters, (rows, columns), strides, name and f"{name}_conv", padding=padding)
    return relu(b.norm(x, name and f"{name}_bn"), name)


def _conv_of_keras1(
    x: Any, filters: int, rows: int, columns: int, padding: str = "same", strides: Any = 1, name: str | None = None
) -> Any:
    b = Blocks(bias=True)
    name_of_conv = name and f"{name}_conv"
    x = b.conv(x, filters, (rows, columns), strides, name_of_conv, padding=padding, activation="relu")
    return b.norm(x, name and f"{name}_bn")


class Branches(NamedTuple):
    """What the branches of an Inception are made of.

    Args:
        conv: convolution, normalization and activation.
    """

    conv: Callable[..., Any] = _conv

    def chain(self, x: Any, convolutions: Chain, last: dict[str, Any] | None = None) -> Any:
        """Convolutions one after the other.

        Args:
            x: symbolic tensor of images.
            convolutions: filters, rows and columns of each.
            last: arguments of the last one.
        """
        for i, sizes in enumerate(convolutions, 1):
            x = self.conv(x, *sizes, **(last or {} if i == len(convolutions) else {}))
        return x

    def stem(self, x: Any) -> Any:
        """The first layers, which are those of Inception-ResNet V2 too: from 299 by 299 pixels to 35 by 35.

        Args:
            x: symbolic tensor of images.
        """
        x = self.conv(x, 32, 3, 3, strides=(2, 2), padding="valid")
        x = self.conv(x, 32, 3, 3, padding="valid")
        x = L.MaxPooling2D(3, strides=2)(self.conv(x, 64, 3, 3))
        x = self.conv(self.conv(x, 80, 1, 1, padding="valid"), 192, 3, 3, padding="valid")
        return L.MaxPooling2D(3, strides=2)(x)

    def around(self, x: Any, filters: int) -> Any:
        """The branch that averages its surroundings.

        Args:
            x: symbolic tensor of images.
            filters: number of output channels.
        """
        return self.conv(L.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


class Sizes(NamedTuple):
    """Where the first InceptionV3 of Keras differs.

    Args:
        around: filters of the averaging branch of the first three blocks.
        double: filters of the longest branch of the last block of 17 by 17 pixels.
        reduce: the layer that makes 8 by 8 pixels of them.
    """

    around: tuple[int, int, int] = (32, 64, 64)
    double: int = 192
    reduce: Any = L.MaxPooling2D


def _wide(branches: Branches, x: Any, width: int, double: int) -> list[Any]:
    """Branches of 17 by 17 pixels: windows of 7 rows or columns."""
    rows = [(width, 1, 1), (width, 1, 7), (192, 7, 1)]
    twice = [(double, 1, 1), (width, 7, 1), (width, 1, 7), (width, 7, 1), (192, 1, 7)]
    parts = [branches.chain(x, chain) for chain in ([(192, 1, 1)], rows, twice)]
    return [*parts, branches.around(x, 192)]


def _last(b: Blocks, branches: Branches, x: Any, number: int) -> Any:
    """A block of 8 by 8 pixels, in which branches split into rows and columns."""

    def split(y: Any, name: str | None) -> Any:
        return b.concatenate([branches.conv(y, 384, 1, 3), branches.conv(y, 384, 3, 1)], name)

    narrow = branches.chain(x, [(320, 1, 1)])
    short = split(branches.chain(x, [(384, 1, 1)]), f"mixed9_{number}")
    long = split(branches.chain(x, [(448, 1, 1), (384, 3, 3)]), None)
    return b.concatenate([narrow, short, long, branches.around(x, 192)], f"mixed{9 + number}")


def _of_sizes(branches: Branches, sizes: Sizes) -> Callable[..., Any]:
    def body(x: Any) -> Any:
        b, chain = Blocks(), branches.chain
        x = branches.stem(x)
        for i, filters in enumerate(sizes.around):  # 35 by 35
            chains = [[(64, 1, 1)], [(48, 1, 1), (64, 5, 5)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)]]
            x = b.concatenate([*(chain(x, c) for c in chains), branches.around(x, filters)], f"mixed{i}")
        smaller = [chain(x, [(384, 3, 3)], REDUCE), chain(x, [(64, 1, 1), (96, 3, 3), (96, 3, 3)], REDUCE)]
        x = b.concatenate([*smaller, L.MaxPooling2D(3, strides=2)(x)], "mixed3")
        for i, width in enumerate((128, 160, 160, 192), 4):  # 17 by 17
            x = b.concatenate(_wide(branches, x, width, sizes.double if i == 7 else width), f"mixed{i}")
        chains = [[(192, 1, 1), (320, 3, 3)], [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)]]
        smaller = [chain(x, c, REDUCE) for c in chains]
        x = b.concatenate([*smaller, sizes.reduce(3, strides=2)(x)], "mixed8")
        return _last(b, branches, _last(b, branches, x, 0), 1)

    return body


NET = Application(
    "InceptionV3",
    "Inception V3 (Szegedy et al., 2016).",
    _of_sizes(Branches(), Sizes()),
    size=299,
    least=75,
    top=average_top(),
    model_name="inception_v3",
)
KERAS1 = NET._replace(
    body=_of_sizes(Branches(_conv_of_keras1), Sizes((32, 32, 32), 160, L.AveragePooling2D)),
    least=139,
    top=flat_top("predictions", pool=8, flatten="flatten"),
    variant=lambda shape: " classic",
)


def _choose(options: Options) -> Application | None:
    """The net of Keras 1 in its dialect, and for its files, where layers are called as then."""
    old_file = weight_files.has_layer(options.weights, "convolution2d_1")
    return KERAS1 if old_file or conventions.current().applications == "Keras 1" else None


InceptionV3 = define(NET._replace(choose=_choose), __name__)
