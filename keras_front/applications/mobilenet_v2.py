"""MobileNet V2: bottlenecks that widen, look at each channel by itself, and narrow again, with shortcuts between.

Source: Sandler et al. (2018), table 2.
"""

from __future__ import annotations

from typing import Any

from keras_front import conventions
from keras_front import layers as L

from .application import Application, Options, average_top, define, rows
from .blocks import Blocks
from .imagenet_utils import decode_predictions, preprocessing
from .mobilenet import check_width, trained_size

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf", __name__)

# Expansion, filters, number of blocks, stride of the first.
STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
WIDTHS, ROWS = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4), (96, 128, 160, 192, 224)  # of which there are trained weights


def divisible(size: float, divisor: int = 8) -> int:
    """The multiple of `divisor` next to a size, and not less than nine tenths of it.

    Args:
        size: number of filters.
        divisor: what the result is a multiple of.

    Example:
        >>> divisible(11.2), divisible(44.8), divisible(3)
        (16, 48, 8)
    """
    nearest = max(divisor, int(size + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * size else nearest


def _norm_relu(b: Blocks, x: Any, norm: str, name: str) -> Any:
    return L.ReLU(6.0, name=name)(b.norm(x, norm))


def _bottleneck(b: Blocks, x: Any, expansion: int, filters: int, stride: int, name: str) -> Any:
    inputs, channels = x, b.channels(x)
    if expansion > 1:
        x = b.conv(x, expansion * channels, 1, name=f"{name}_expand")
        x = _norm_relu(b, x, f"{name}_expand_BN", f"{name}_expand_relu")
    if stride == 2:
        x = L.ZeroPadding2D(b.padding_before_stride(x, 3), name=f"{name}_pad")(x)
    x = b.depthwise(x, 3, stride, f"{name}_depthwise", padding="same" if stride == 1 else "valid")
    x = _norm_relu(b, x, f"{name}_depthwise_BN", f"{name}_depthwise_relu")
    x = b.norm(b.conv(x, filters, 1, name=f"{name}_project"), f"{name}_project_BN")
    return L.Add(name=f"{name}_add")([inputs, x]) if stride == 1 and channels == filters else x


def _body(x: Any, alpha: float) -> Any:
    b = Blocks(momentum=0.999)
    first = divisible(32 * alpha)
    if conventions.current().applications != "tf.keras":
        x = L.ZeroPadding2D(b.padding_before_stride(x, 3), name="Conv1_pad")(x)
        x = b.conv(x, first, 3, strides=2, padding="valid", name="Conv1")
    else:
        x = b.conv(x, first, 3, strides=2, name="Conv1")
    x = _norm_relu(b, x, "bn_Conv1", "Conv1_relu")
    block = 0
    for expansion, filters, count, stride in STAGES:
        for i in range(count):
            name = f"block_{block}" if block else "expanded_conv"
            x = _bottleneck(b, x, expansion, divisible(int(filters * alpha)), stride if i == 0 else 1, name)
            block += 1
    last = divisible(1280 * alpha) if alpha > 1 else 1280
    return _norm_relu(b, b.conv(x, last, 1, padding="valid", name="Conv_1"), "Conv_1_bn", "out_relu")


def _name(shape: Any, alpha: float) -> str:
    return f"mobilenetv2_{alpha:0.2f}_{rows(shape)}"


def _check(options: Options, shape: Any, alpha: float) -> None:
    if options.weights == "imagenet":
        check_width("MobileNetV2", alpha, WIDTHS)


def _variant(shape: Any, alpha: float) -> str:
    return f" {alpha:.2f} {trained_size(shape, ROWS)}"


MobileNetV2 = define(
    Application(
        "MobileNetV2",
        "MobileNet V2 (Sandler et al., 2018).",
        _body,
        size=lambda input_shape, alpha: trained_size(input_shape, ROWS),
        top=average_top(None, classic="Logits"),
        model_name=_name,
        own={"alpha": (1.0, "the width: by how much the number of filters of each layer is multiplied.")},
        order="input_shape alpha include_top weights input_tensor pooling classes classifier_activation",
        check=_check,
        variant=_variant,
    ),
    __name__,
)
