"""EfficientNet: one net of inverted bottlenecks, in eight sizes that scale depth, width and images together.

Source: Tan & Le (2019), table 1 and equation 3. Names: tf_keras 2.21, by the layers of its models.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import config
from keras_front import layers as L
from keras_front.initializers import VarianceScaling
from keras_front.models import Model

from .application import Application, Options, average_top, define
from .blocks import Blocks
from .imagenet_utils import TORCH_DEVIATIONS, decode_predictions, preprocessing
from .mobilenet_v2 import divisible

__all__ = [
    *(f"EfficientNetB{i}" for i in range(8)),
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = preprocessing(None, __name__)

# Window, number of blocks, filters, expansion, stride of the first, of each stage of B0.
STAGES = (
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1),
)  # fmt: skip
# Width, depth, rows and columns of images, dropout.
SCALES = (
    (1.0, 1.0, 224, 0.2), (1.0, 1.1, 240, 0.2), (1.1, 1.2, 260, 0.3), (1.2, 1.4, 300, 0.3),
    (1.4, 1.8, 380, 0.4), (1.6, 2.2, 456, 0.4), (1.8, 2.6, 528, 0.5), (2.0, 3.1, 600, 0.5),
)  # fmt: skip
KEPT = 0.2  # how often the last block is left out while training; the first never
KERNELS = VarianceScaling(2.0, "fan_out", "truncated_normal")
CLASSIFIER = VarianceScaling(1.0 / 3.0, "fan_out", "uniform")


def swish(x: Any, name: str) -> Any:
    """The layer `Activation('swish')`.

    Args:
        x: symbolic tensor.
        name: of the layer.
    """
    return L.Activation("swish", name=name)(x)


def squeeze_and_excite(b: Blocks, x: Any, filters: int, name: str, activation: str = "swish") -> Any:
    """Each channel multiplied by a number between 0 and 1 that depends on the averages of all channels.

    Args:
        b: the layers of the net.
        x: symbolic tensor of images.
        filters: of the convolution in the middle.
        name: begins the names of the layers.
        activation: after the convolution in the middle.
    """
    channels = b.channels(x)
    y = L.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    y = L.Reshape((channels, 1, 1) if b.axis == 1 else (1, 1, channels), name=f"{name}se_reshape")(y)
    y = b.conv(y, filters, 1, use_bias=True, activation=activation, name=f"{name}se_reduce")
    y = b.conv(y, channels, 1, use_bias=True, activation="sigmoid", name=f"{name}se_expand")
    return L.Multiply(name=f"{name}se_excite")([x, y])


def drop_and_add(x: Any, shortcut: Any, rate: float, name: str) -> Any:
    """The sum with a shortcut; while training `x` is left out for some samples.

    Args:
        x: symbolic tensor of images.
        shortcut: symbolic tensor of the same shape.
        rate: the share of samples.
        name: begins the names of the layers.
    """
    x = L.Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x) if rate > 0 else x
    return L.Add(name=f"{name}add")([x, shortcut])


def _block(b: Blocks, x: Any, size: int, filters: int, expansion: int, stride: int, rate: float, name: str) -> Any:
    inputs, channels = x, b.channels(x)
    if expansion > 1:
        x = b.norm(b.conv(x, channels * expansion, 1, name=f"{name}expand_conv"), f"{name}expand_bn")
        x = swish(x, f"{name}expand_activation")
    if stride == 2:
        x = L.ZeroPadding2D(b.padding_before_stride(x, size), name=f"{name}dwconv_pad")(x)
    x = b.depthwise(x, size, stride, f"{name}dwconv", padding="same" if stride == 1 else "valid")
    x = swish(b.norm(x, f"{name}bn"), f"{name}activation")
    x = squeeze_and_excite(b, x, max(1, channels // 4), name)
    x = b.norm(b.conv(x, filters, 1, name=f"{name}project_conv"), f"{name}project_bn")
    return drop_and_add(x, inputs, rate, name) if stride == 1 and filters == channels else x


def _body(width: float, depth: float, trained: bool) -> Callable[..., Any]:
    def body(x: Any) -> Any:
        b = Blocks(initializer=KERNELS)
        x = _scaled(b, x, trained)
        x = L.ZeroPadding2D(b.padding_before_stride(x, 3), name="stem_conv_pad")(x)
        x = b.conv(x, divisible(32 * width), 3, strides=2, padding="valid", name="stem_conv")
        x = swish(b.norm(x, "stem_bn"), "stem_activation")
        counts = [math.ceil(depth * stage[1]) for stage in STAGES]
        done = 0
        for i, (size, _, filters, expansion, stride) in enumerate(STAGES):
            for j in range(counts[i]):
                first, rate = stride if j == 0 else 1, KEPT * done / sum(counts)
                name = f"block{i + 1}{chr(97 + j)}_"
                x = _block(b, x, size, divisible(filters * width), expansion, first, rate, name)
                done += 1
        x = b.norm(b.conv(x, divisible(1280 * width), 1, name="top_conv"), "top_bn")
        return swish(x, "top_activation")

    return body


def _scaled(b: Blocks, x: Any, trained: bool) -> Any:
    """Images from 0..255 as the net was trained on them.

    Mean and variance lie in the files of weights. These hold deviations in place of variances: with the weights
    'imagenet' a further scaling makes up for it.
    """
    x = L.Normalization(axis=b.axis)(L.Rescaling(1.0 / 255.0)(x))
    if not trained:
        return x
    factors = np.array([1 / math.sqrt(deviation) for deviation in TORCH_DEVIATIONS], config.floatx())
    return x * factors.reshape((1, 3, 1, 1) if b.axis == 1 else (1, 1, 1, 3))


def _net(index: int) -> Callable[..., Model]:
    width, depth, size, dropout = SCALES[index]
    net = Application(
        f"EfficientNetB{index}",
        f"EfficientNet-B{index} (Tan & Le, 2019). It scales images from 0..255 itself.",
        _body(width, depth, trained=False),
        size=size,
        top=average_top("avg_pool", dropout=dropout, kernel_initializer=CLASSIFIER),
        pooling_names=("avg_pool", "max_pool"),
    )

    def choose(options: Options) -> Application | None:
        return net._replace(body=_body(width, depth, trained=True)) if options.weights == "imagenet" else None

    return define(net._replace(choose=choose), __name__)


(
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
) = (_net(i) for i in range(8))
