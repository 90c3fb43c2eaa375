"""EfficientNet V2: as EfficientNet, with blocks whose first convolution sees all channels in the early stages.

Source: Tan & Le (2021), table 4 and appendix; B0 to B3 scale one net as in the first paper. Names: tf_keras 2.21, by
the layers of its models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras_front import layers as L
from keras_front.models import Model

from .application import ORDER, Application, average_top, define
from .blocks import Blocks
from .efficientnet import CLASSIFIER, KEPT, KERNELS, drop_and_add, squeeze_and_excite, swish
from .imagenet_utils import TORCH_DEVIATIONS, TORCH_MEANS, decode_predictions, preprocessing

__all__ = [
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "L", "M", "S")),
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = preprocessing(None, __name__)


class Stage(NamedTuple):
    """Blocks of one kind.

    Args:
        blocks: how many.
        filters: number of output channels.
        expansion: by how much the channels grow inside.
        stride: of the first block.
        fused: whether one convolution widens and looks around; otherwise two do, and there is squeeze-and-excitation.
    """

    blocks: int
    filters: int
    expansion: int
    stride: int
    fused: bool


def _stages(*rows: tuple[int, int, int, int]) -> list[Stage]:
    return [Stage(*row, fused=i < 3) for i, row in enumerate(rows)]


BASE = _stages((1, 16, 1, 1), (2, 32, 4, 2), (2, 48, 4, 2), (3, 96, 4, 2), (5, 112, 6, 1), (8, 192, 6, 2))
SMALL = _stages((2, 24, 1, 1), (4, 48, 4, 2), (4, 64, 4, 2), (6, 128, 4, 2), (9, 160, 6, 1), (15, 256, 6, 2))
MEDIUM = _stages(
    (3, 24, 1, 1), (5, 48, 4, 2), (5, 80, 4, 2), (7, 160, 4, 2), (14, 176, 6, 1), (18, 304, 6, 2), (5, 512, 6, 1)
)
LARGE = _stages(
    (4, 32, 1, 1), (7, 64, 4, 2), (7, 96, 4, 2), (10, 192, 4, 2), (19, 224, 6, 1), (25, 384, 6, 2), (7, 640, 6, 1)
)
# Stages, width, depth, rows and columns of images, filters of the first convolution.
NETS: dict[str, tuple[list[Stage], float, float, int, int]] = {
    "B0": (BASE, 1.0, 1.0, 224, 32),
    "B1": (BASE, 1.0, 1.1, 240, 32),
    "B2": (BASE, 1.1, 1.2, 260, 32),
    "B3": (BASE, 1.2, 1.4, 300, 32),
    "S": (SMALL, 1.0, 1.0, 384, 24),
    "M": (MEDIUM, 1.0, 1.0, 480, 24),
    "L": (LARGE, 1.0, 1.0, 480, 32),
}


def _multiple_of_8(size: float) -> int:
    return max(8, int(size + 4) // 8 * 8)


def _fused(b: Blocks, x: Any, filters: int, expansion: int, stride: int, name: str) -> Any:
    if expansion > 1:
        x = b.conv(x, b.channels(x) * expansion, 3, stride, f"{name}expand_conv")
        x = swish(b.norm(x, f"{name}expand_bn"), f"{name}expand_activation")
        return b.norm(b.conv(x, filters, 1, name=f"{name}project_conv"), f"{name}project_bn")
    x = b.norm(b.conv(x, filters, 3, stride, f"{name}project_conv"), f"{name}project_bn")
    return swish(x, f"{name}project_activation")


def _unfused(b: Blocks, x: Any, filters: int, expansion: int, stride: int, name: str) -> Any:
    channels = b.channels(x)
    x = b.norm(b.conv(x, channels * expansion, 1, name=f"{name}expand_conv"), f"{name}expand_bn")
    x = b.depthwise(swish(x, f"{name}expand_activation"), 3, stride, f"{name}dwconv2")
    x = swish(b.norm(x, f"{name}bn"), f"{name}activation")
    x = squeeze_and_excite(b, x, max(1, channels // 4), name)
    return b.norm(b.conv(x, filters, 1, name=f"{name}project_conv"), f"{name}project_bn")


def _blocks(b: Blocks, x: Any, stages: Sequence[Stage], width: float, depth: float) -> Any:
    counts = [math.ceil(depth * stage.blocks) for stage in stages]
    total = sum(stage.blocks for stage in stages)  # also where there are more of them: tf_keras 2.21
    done = 0
    for i, stage in enumerate(stages):
        build, filters = _fused if stage.fused else _unfused, _multiple_of_8(stage.filters * width)
        for j in range(counts[i]):
            name, stride, inputs = f"block{i + 1}{chr(97 + j)}_", stage.stride if j == 0 else 1, x
            x = build(b, x, filters, stage.expansion, stride, name)
            if stride == 1 and b.channels(inputs) == filters:
                x = drop_and_add(x, inputs, KEPT * done / total, name)
            done += 1
    return x


def scaled_by_deviation(b: Blocks, x: Any) -> Any:
    """Images from 0..255 with mean 0 and deviation 1 over ImageNet; other than three channels from 0..1.

    Args:
        b: the layers of the net.
        x: symbolic tensor of images.
    """
    x = L.Rescaling(scale=1.0 / 255)(x)
    if b.channels(x) != 3:
        return x
    variances = [deviation**2 for deviation in TORCH_DEVIATIONS]
    return L.Normalization(mean=list(TORCH_MEANS), variance=variances, axis=b.axis)(x)


def _scaled(b: Blocks, x: Any, small: bool) -> Any:
    """Images from 0..255 as the net was trained on them."""
    if small and b.channels(x) == 3:
        return scaled_by_deviation(b, x)
    return L.Rescaling(scale=1.0 / 128.0, offset=-1)(x)


def _net(size: str) -> Callable[..., Model]:
    stages, width, depth, rows, first = NETS[size]

    def body(x: Any, include_preprocessing: bool) -> Any:
        b = Blocks(momentum=0.9, initializer=KERNELS)
        x = _scaled(b, x, small=size.startswith("B")) if include_preprocessing else x
        x = b.norm(b.conv(x, _multiple_of_8(first * width), 3, strides=2, name="stem_conv"), "stem_bn")
        x = _blocks(b, swish(x, "stem_activation"), stages, width, depth)
        x = b.norm(b.conv(x, _multiple_of_8(1280 * width), 1, name="top_conv"), "top_bn")
        return swish(x, "top_activation")

    net = Application(
        f"EfficientNetV2{size}",
        f"EfficientNetV2-{size} (Tan & Le, 2021). It scales images from 0..255 itself.",
        body,
        size=rows,
        top=average_top("avg_pool", dropout=0.2, kernel_initializer=CLASSIFIER),
        model_name=f"efficientnetv2-{size.lower()}",
        pooling_names=("avg_pool", "max_pool"),
        own={"include_preprocessing": (True, "whether the net scales images from 0..255 itself.")},
        order=f"{ORDER} include_preprocessing",
    )
    return define(net, __name__)


EfficientNetV2B0, EfficientNetV2B1, EfficientNetV2B2, EfficientNetV2B3 = (_net(f"B{i}") for i in range(4))
EfficientNetV2S, EfficientNetV2M, EfficientNetV2L = (_net(size) for size in "SML")
