"""MobileNet V3: bottlenecks of MobileNet V2 with squeeze-and-excitation, and activations that are cheap.

Source: Howard et al. (2019), tables 1 and 2. Names: tf_keras 2.21, by the layers of its models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras_front import layers as L
from keras_front.errors import ArgumentError
from keras_front.models import Model

from .application import Application, Options, define
from .blocks import Blocks
from .imagenet_utils import decode_predictions, preprocessing
from .mobilenet import check_width
from .mobilenet_v2 import divisible

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing(None, __name__)


class Bottleneck(NamedTuple):
    """A row of the tables in the paper.

    Args:
        expansion: by how much the channels grow inside.
        filters: number of output channels.
        size: of the depthwise window.
        stride: of the depthwise window.
        squeeze: whether there is squeeze-and-excitation.
        hard: whether the activation is hard swish, not ReLU.
    """

    expansion: float
    filters: int
    size: int
    stride: int
    squeeze: bool
    hard: bool


RELU, RELU_SE, HARD, HARD_SE = (False, False), (True, False), (False, True), (True, True)
SMALL = [
    Bottleneck(1, 16, 3, 2, *RELU_SE), Bottleneck(72 / 16, 24, 3, 2, *RELU), Bottleneck(88 / 24, 24, 3, 1, *RELU),
    Bottleneck(4, 40, 5, 2, *HARD_SE), *[Bottleneck(6, 40, 5, 1, *HARD_SE)] * 2,
    *[Bottleneck(3, 48, 5, 1, *HARD_SE)] * 2,
    Bottleneck(6, 96, 5, 2, *HARD_SE), *[Bottleneck(6, 96, 5, 1, *HARD_SE)] * 2,
]  # fmt: skip
LARGE = [
    Bottleneck(1, 16, 3, 1, *RELU), Bottleneck(4, 24, 3, 2, *RELU), Bottleneck(3, 24, 3, 1, *RELU),
    Bottleneck(3, 40, 5, 2, *RELU_SE), *[Bottleneck(3, 40, 5, 1, *RELU_SE)] * 2,
    Bottleneck(6, 80, 3, 2, *HARD), Bottleneck(2.5, 80, 3, 1, *HARD), *[Bottleneck(2.3, 80, 3, 1, *HARD)] * 2,
    *[Bottleneck(6, 112, 3, 1, *HARD_SE)] * 2,
    Bottleneck(6, 160, 5, 2, *HARD_SE), *[Bottleneck(6, 160, 5, 1, *HARD_SE)] * 2,
]  # fmt: skip
WIDTHS = (0.75, 1.0)  # of which there are trained weights


def _hard_sigmoid(x: Any) -> Any:
    return L.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)


def _activation(x: Any, hard: bool) -> Any:
    return L.Multiply()([x, _hard_sigmoid(x)]) if hard else L.ReLU()(x)


def _squeezed(b: Blocks, x: Any, name: str) -> Any:
    """Each channel multiplied by a number between 0 and 1 that depends on the averages of all channels."""
    channels, name = b.channels(x), f"{name}squeeze_excite/"
    y = L.GlobalAveragePooling2D(keepdims=True, name=f"{name}AvgPool")(x)
    y = b.conv(y, divisible(channels * 0.25), 1, use_bias=True, name=f"{name}Conv")
    y = b.conv(L.ReLU(name=f"{name}Relu")(y), channels, 1, use_bias=True, name=f"{name}Conv_1")
    return L.Multiply(name=f"{name}Mul")([x, _hard_sigmoid(y)])


def _bottleneck(b: Blocks, x: Any, row: Bottleneck, filters: int, name: str) -> Any:
    inputs, channels = x, b.channels(x)
    if name != "expanded_conv/":  # the first one does not widen
        x = b.conv(x, divisible(channels * row.expansion), 1, name=f"{name}expand")
        x = _activation(b.norm(x, f"{name}expand/BatchNorm"), row.hard)
    if row.stride == 2:
        x = L.ZeroPadding2D(b.padding_before_stride(x, row.size), name=f"{name}depthwise/pad")(x)
    padding = "same" if row.stride == 1 else "valid"
    x = b.depthwise(x, row.size, row.stride, f"{name}depthwise", padding=padding)
    x = _activation(b.norm(x, f"{name}depthwise/BatchNorm"), row.hard)
    x = _squeezed(b, x, name) if row.squeeze else x
    x = b.norm(b.conv(x, filters, 1, name=f"{name}project"), f"{name}project/BatchNorm")
    return L.Add(name=f"{name}Add")([inputs, x]) if row.stride == 1 and channels == filters else x


def _of_rows(rows: Sequence[Bottleneck], last: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Body and top of a net; `last` is the number of filters before its classifier."""

    def body(x: Any, alpha: float, minimalistic: bool, dropout_rate: float, include_preprocessing: bool) -> Any:
        b = Blocks(momentum=0.999)
        x = L.Rescaling(scale=1.0 / 127.5, offset=-1.0)(x) if include_preprocessing else x
        hard = not minimalistic
        x = _activation(b.norm(b.conv(x, 16, 3, strides=2, name="Conv"), "Conv/BatchNorm"), hard)
        for i, row in enumerate(rows):
            if minimalistic:
                row = row._replace(size=3, squeeze=False, hard=False)
            x = _bottleneck(b, x, row, divisible(row.filters * alpha), f"expanded_conv_{i}/" if i else "expanded_conv/")
        x = b.conv(x, divisible(b.channels(x) * 6), 1, name="Conv_1")
        return _activation(b.norm(x, "Conv_1/BatchNorm"), hard)

    def top(x: Any, options: Options, alpha: float, minimalistic: bool, dropout_rate: float, **rest: Any) -> Any:
        b = Blocks(bias=True)
        x = L.GlobalAveragePooling2D(keepdims=True)(x)
        x = b.conv(x, divisible(last * alpha) if alpha > 1 else last, 1, name="Conv_2")
        x = _activation(x, not minimalistic)
        x = L.Dropout(dropout_rate)(x) if dropout_rate > 0 else x
        x = L.Flatten()(b.conv(x, options.classes, 1, name="Logits"))
        return L.Activation(options.classifier_activation or "linear", name="Predictions")(x)

    return body, top


def _check(options: Options, shape: Any, alpha: float, minimalistic: bool, **rest: Any) -> None:
    if options.weights == "imagenet":
        check_width("MobileNetV3", alpha, WIDTHS)
        if minimalistic and alpha != 1.0:
            raise ArgumentError("MobileNetV3: with imagenet weights `alpha` must be 1.0 if the net is minimalistic.")


def _variant(shape: Any, alpha: float, minimalistic: bool, **rest: Any) -> str:
    return f"{' minimalistic' if minimalistic else ''} {alpha:.2f}"


def _net(kind: str, rows: Sequence[Bottleneck], last: int) -> Callable[..., Model]:
    body, top = _of_rows(rows, last)
    net = Application(
        f"MobileNetV3{kind}",
        f"MobileNet V3, the {kind.lower()} one (Howard et al., 2019). It scales images from 0..255 itself.",
        body,
        top=top,
        model_name=f"MobilenetV3{kind.lower()}",
        pooling_names=("avg_pool", "max_pool"),
        own={
            "alpha": (1.0, "the width: by how much the number of filters of each layer is multiplied."),
            "minimalistic": (False, "whether without squeeze-and-excitation, hard swish and windows of 5 by 5."),
            "dropout_rate": (0.2, "the share of features that is dropped before the classifier while training."),
            "include_preprocessing": (True, "whether the net scales images from 0..255 itself."),
        },
        order="input_shape alpha minimalistic include_top weights input_tensor classes pooling dropout_rate "
        "classifier_activation include_preprocessing",
        check=_check,
        variant=_variant,
        fixed_size=False,
    )
    return define(net, __name__)


MobileNetV3Small = _net("Small", SMALL, 1024)
MobileNetV3Large = _net("Large", LARGE, 1280)
