"""ResNet-RS: ResNets with a deeper stem, averaging shortcuts and squeeze-and-excitation, in seven depths.

Source: Bello et al. (2021), table 5 and section 6. Names: tf_keras 2.21, by the layers of its models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import layers as L
from keras_front.models import Model

from .application import Application, average_top, define
from .blocks import Blocks, relu
from .efficientnet import KERNELS, squeeze_and_excite
from .efficientnet_v2 import scaled_by_deviation
from .imagenet_utils import decode_predictions, preprocessing
from .resnet import FILTERS

preprocess_input = preprocessing(None, __name__)

# Number of blocks of each stage, how often the last block is left out while training, dropout before the classifier.
DEPTHS: dict[int, tuple[tuple[int, ...], float, float]] = {
    50: ((3, 4, 6, 3), 0.0, 0.25),
    101: ((3, 4, 23, 3), 0.0, 0.25),
    152: ((3, 8, 36, 3), 0.0, 0.25),
    200: ((3, 24, 36, 3), 0.1, 0.25),
    270: ((4, 29, 53, 4), 0.1, 0.25),
    350: ((4, 36, 72, 4), 0.1, 0.4),
    420: ((4, 44, 87, 4), 0.1, 0.4),
}

__all__ = ["decode_predictions", "preprocess_input", *(f"ResNetRS{depth}" for depth in DEPTHS)]


def _conv(b: Blocks, x: Any, filters: int, size: int, strides: int, name: str) -> Any:
    """A convolution whose padding does not depend on the size of the image."""
    if strides > 1:
        x = L.ZeroPadding2D(((size // 2, size // 2), (size // 2, size // 2)))(x)
    return b.conv(x, filters, size, strides, name, padding="valid" if strides > 1 else "same")


def _shortcut(b: Blocks, x: Any, filters: int, strides: int, name: str) -> Any:
    if strides > 1:
        x = L.AveragePooling2D(2, strides=2, padding="same", name=f"{name}_projection_pooling")(x)
    x = b.conv(x, filters, 1, name=f"{name}_projection_conv")
    return b.norm(x, f"{name}_projection_batch_norm")


def _block(b: Blocks, x: Any, filters: int, strides: int, project: bool, rate: float, name: str) -> Any:
    shortcut = _shortcut(b, x, 4 * filters, strides, name) if project else x
    x = b.norm(b.conv(x, filters, 1, name=f"{name}_conv_1"), f"{name}batch_norm_1")
    x = _conv(b, relu(x, f"{name}_act_1"), filters, 3, strides, f"{name}_conv_2")
    x = relu(b.norm(x, f"{name}_batch_norm_2"), f"{name}_act_2")
    x = b.norm(b.conv(x, 4 * filters, 1, name=f"{name}_conv_3"), f"{name}_batch_norm_3")
    x = squeeze_and_excite(b, x, filters, f"{name}_se_", activation="relu")
    x = L.Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x) if rate > 0 else x
    return relu(L.Add()([x, shortcut]), f"{name}_output_act")


def _stem(b: Blocks, x: Any) -> Any:
    for i, (filters, strides) in enumerate(((32, 2), (32, 1), (64, 1), (64, 2)), 1):
        x = b.norm(_conv(b, x, filters, 3, strides, f"stem_1_stem_conv_{i}"), f"stem_1_stem_batch_norm_{i}")
        x = relu(x, f"stem_1_stem_act_{i}")
    return x


def _of_counts(counts: Sequence[int], left_out: float) -> Callable[..., Any]:
    def body(x: Any, include_preprocessing: bool) -> Any:
        b = Blocks(epsilon=1e-5, momentum=0.0, initializer=KERNELS)
        x = _stem(b, scaled_by_deviation(b, x) if include_preprocessing else x)
        for i, (filters, count) in enumerate(zip(FILTERS, counts, strict=True)):
            rate = left_out * (i + 2) / (len(counts) + 1)
            for j in range(count):
                name, strides = f"BlockGroup{i + 2}__block_{j}_", 2 if i > 0 and j == 0 else 1
                x = _block(b, x, filters, strides, j == 0, rate, name)
        return x

    return body


def _net(depth: int) -> Callable[..., Model]:
    counts, left_out, dropout = DEPTHS[depth]
    net = Application(
        f"ResNetRS{depth}",
        f"ResNet-RS with {depth} layers (Bello et al., 2021). It scales images from 0..255 itself.",
        _of_counts(counts, left_out),
        top=average_top("avg_pool", dropout=dropout),
        model_name=f"resnet-rs-{depth}",
        pooling_names=("avg_pool", "max_pool"),
        own={"include_preprocessing": (True, "whether the net scales images from 0..255 itself.")},
        order="include_top weights classes input_shape input_tensor pooling classifier_activation "
        "include_preprocessing",
    )
    return define(net, __name__)


(
    ResNetRS50,
    ResNetRS101,
    ResNetRS152,
    ResNetRS200,
    ResNetRS270,
    ResNetRS350,
    ResNetRS420,
) = (_net(depth) for depth in DEPTHS)
