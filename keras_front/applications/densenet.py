"""DenseNet: within a block every layer sees the channels of all layers before it.

Source: Huang et al. (2017), table 1, with a growth of 32 and a compression of one half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import layers as L
from keras_front.models import Model

from .application import ORDER, Application, average_top, define
from .blocks import Blocks, relu
from .imagenet_utils import decode_predictions, preprocessing

__all__ = ["DenseNet", "DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("torch", __name__)

GROWTH = 32
BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}


def _net() -> Blocks:
    return Blocks(epsilon=1.001e-5, padding="valid")


def conv_block(x: Any, growth_rate: int, name: str) -> Any:
    """A bottleneck whose output is put beside its input.

    Args:
        x: symbolic tensor of images.
        growth_rate: by how many channels the tensor grows.
        name: begins the names of the layers.
    """
    b = _net()
    y = relu(b.norm(x, f"{name}_0_bn"), f"{name}_0_relu")
    y = b.norm(b.conv(y, 4 * growth_rate, 1, name=f"{name}_1_conv"), f"{name}_1_bn")
    y = b.conv(relu(y, f"{name}_1_relu"), growth_rate, 3, padding="same", name=f"{name}_2_conv")
    return b.concatenate([x, y], f"{name}_concat")


def dense_block(x: Any, blocks: int, name: str) -> Any:
    """Bottlenecks, each of which sees what all before it gave.

    Args:
        x: symbolic tensor of images.
        blocks: how many.
        name: begins the names of the layers.
    """
    for i in range(1, blocks + 1):
        x = conv_block(x, GROWTH, f"{name}_block{i}")
    return x


def transition_block(x: Any, reduction: float, name: str) -> Any:
    """Fewer channels, then half as many rows and columns.

    Args:
        x: symbolic tensor of images.
        reduction: the share of channels that stay.
        name: begins the names of the layers.
    """
    b = _net()
    x = relu(b.norm(x, f"{name}_bn"), f"{name}_relu")
    x = b.conv(x, int(b.channels(x) * reduction), 1, name=f"{name}_conv")
    return L.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _body(x: Any, blocks: Sequence[int]) -> Any:
    b = _net()
    x = L.ZeroPadding2D(((3, 3), (3, 3)))(x)
    x = relu(b.norm(b.conv(x, 64, 7, strides=2, name="conv1/conv"), "conv1/bn"), "conv1/relu")
    x = L.ZeroPadding2D(((1, 1), (1, 1)))(x)
    x = L.MaxPooling2D(3, strides=2, name="pool1")(x)
    for i, count in enumerate(blocks, 2):
        x = dense_block(x, count, f"conv{i}")
        if i <= len(blocks):
            x = transition_block(x, 0.5, f"pool{i}")
    return relu(b.norm(x, "bn"), "relu")


def _densenet(name: str, summary: str, body: Callable[..., Any], **more: Any) -> Callable[..., Model]:
    top = average_top("avg_pool", classic="fc1000")
    return define(Application(name, summary, body, top=top, pooling_names=("avg_pool", "max_pool"), **more), __name__)


def _of_depth(depth: int) -> Callable[..., Model]:
    def body(x: Any) -> Any:
        return _body(x, BLOCKS[depth])

    return _densenet(f"DenseNet{depth}", f"DenseNet with {depth} layers (Huang et al., 2017).", body)


def _name(shape: Any, blocks: Sequence[int]) -> str:
    return {counts: f"densenet{depth}" for depth, counts in BLOCKS.items()}.get(tuple(blocks), "densenet")  # type: ignore[arg-type]


DenseNet121, DenseNet169, DenseNet201 = (_of_depth(depth) for depth in BLOCKS)
DenseNet = _densenet(
    "DenseNet",
    "DenseNet with blocks of any size (Huang et al., 2017).",
    _body,
    own={"blocks": (BLOCKS[121], "how many bottlenecks each of the four blocks has.")},
    order=f"blocks {ORDER}",
    example="blocks=(2, 2), ",
    model_name=_name,
)
