"""Inception-ResNet V2: blocks of branches whose scaled sum is added to what came in.

Source: Szegedy et al. (2017), figures 3 and 16 to 19; filters of the branches: Keras-Applications 1.0.8 by its layers.
"""

from __future__ import annotations

from typing import Any

from keras_front import conventions
from keras_front import layers as L
from keras_front.errors import ArgumentError

from .application import Application, average_top, define
from .blocks import Blocks
from .imagenet_utils import decode_predictions, preprocessing
from .inception_v3 import REDUCE, Branches, Chain
from .layers import CustomScaleLayer

__all__ = ["CustomScaleLayer", "InceptionResNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf", __name__)

# Branches of each kind of block.
BRANCH = Branches()
BRANCHES: dict[str, tuple[Chain, ...]] = {
    "block35": (((32, 1, 1),), ((32, 1, 1), (32, 3, 3)), ((32, 1, 1), (48, 3, 3), (64, 3, 3))),
    "block17": (((192, 1, 1),), ((128, 1, 1), (160, 1, 7), (192, 7, 1))),
    "block8": (((192, 1, 1),), ((192, 1, 1), (224, 1, 3), (256, 3, 1))),
}


def _scaled_sum(inputs: Any, scale: float) -> Any:
    return inputs[0] + inputs[1] * scale


def conv2d_bn(
    x: Any,
    filters: int,
    kernel_size: Any,
    strides: int = 1,
    padding: str = "same",
    activation: str | None = "relu",
    use_bias: bool = False,
    name: str | None = None,
) -> Any:
    """Convolution, normalization without scale if there is no bias, activation.

    Args:
        x: symbolic tensor of images.
        filters: number of output channels.
        kernel_size: of the window.
        strides: of the window.
        padding: 'same' or 'valid'.
        activation: name of the activation; None for none.
        use_bias: whether there is a bias, and then no normalization.
        name: of the convolution; the others are called `<name>_bn` and `<name>_ac`.
    """
    b = Blocks(scale=False)
    x = b.conv(x, filters, kernel_size, strides, name, padding=padding, use_bias=use_bias)
    x = x if use_bias else b.norm(x, name and f"{name}_bn")
    return x if activation is None else L.Activation(activation, name=name and f"{name}_ac")(x)


def inception_resnet_block(
    x: Any, scale: float, block_type: str, block_idx: int, activation: str | None = "relu"
) -> Any:
    """Branches, joined by a convolution to as many channels as came in, scaled, and added to what came in.

    Args:
        x: symbolic tensor of images.
        scale: of what is added.
        block_type: 'block35', 'block17' or 'block8'.
        block_idx: number of the block, for its name.
        activation: of the sum; None for none.

    Raises: ArgumentError for another type.
    """
    if block_type not in BRANCHES:
        raise ArgumentError(
            f'Unknown Inception-ResNet block type. Expects "block35", "block17" or "block8", but got: {block_type}'
        )
    b, name = Blocks(), f"{block_type}_{block_idx}"
    mixed = b.concatenate([BRANCH.chain(x, branch) for branch in BRANCHES[block_type]], f"{name}_mixed")
    up = b.conv(mixed, b.channels(x), 1, use_bias=True, name=f"{name}_conv")
    if conventions.current().applications != "tf.keras":
        x = L.Lambda(_scaled_sum, arguments={"scale": scale}, name=name)([x, up])
    else:
        x = CustomScaleLayer(scale)([x, up])
    return x if activation is None else L.Activation(activation, name=f"{name}_ac")(x)


def _stem(b: Blocks, x: Any) -> Any:
    x = BRANCH.stem(x)
    branches = [
        BRANCH.chain(x, [(96, 1, 1)]),
        BRANCH.chain(x, [(48, 1, 1), (64, 5, 5)]),
        BRANCH.chain(x, [(64, 1, 1), (96, 3, 3), (96, 3, 3)]),
    ]
    return b.concatenate([*branches, BRANCH.around(x, 64)], "mixed_5b")


def _reduced(b: Blocks, x: Any, branches: list[Chain], name: str) -> Any:
    parts = [BRANCH.chain(x, branch, REDUCE) for branch in branches]
    return b.concatenate([*parts, L.MaxPooling2D(3, strides=2)(x)], name)


def _body(x: Any) -> Any:
    b = Blocks()
    x = _stem(b, x)
    for i in range(1, 11):
        x = inception_resnet_block(x, 0.17, "block35", i)
    x = _reduced(b, x, [[(384, 3, 3)], [(256, 1, 1), (256, 3, 3), (384, 3, 3)]], "mixed_6a")
    for i in range(1, 21):
        x = inception_resnet_block(x, 0.1, "block17", i)
    branches: list[Chain] = [
        [(256, 1, 1), (384, 3, 3)], [(256, 1, 1), (288, 3, 3)], [(256, 1, 1), (288, 3, 3), (320, 3, 3)],
    ]  # fmt: skip
    x = _reduced(b, x, branches, "mixed_7a")
    for i in range(1, 10):
        x = inception_resnet_block(x, 0.2, "block8", i)
    x = inception_resnet_block(x, 1.0, "block8", 10, activation=None)
    return conv2d_bn(x, 1536, 1, name="conv_7b")


InceptionResNetV2 = define(
    Application(
        "InceptionResNetV2",
        "Inception-ResNet V2 (Szegedy et al., 2017).",
        _body,
        size=299,
        least=75,
        top=average_top(),
        model_name="inception_resnet_v2",
    ),
    __name__,
)
