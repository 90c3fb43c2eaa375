"""ResNet50 in the module that Keras has had since 1.2, and its layers as they were up to 2.3.1.

The ResNet50 of Keras 1 to 2.3.1 adds its branches in another order than that of tf.keras, normalizes with another
epsilon and calls its layers otherwise, and its files of weights fit no other. It is built where a dialect of that time
is set (`keras_front.set_dialect('keras2.3')`), or where `weights` is such a file.

Source: He et al. (2015), table 1; Keras-Applications 1.0.8, `resnet50.py`, by the layers of its model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import conventions
from keras_front import layers as L

from . import resnet, weight_files
from .application import Application, Options, average_top, flat_top
from .blocks import Blocks, relu
from .imagenet_utils import decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]


def _net() -> Blocks:
    return Blocks(bias=True, padding="valid", initializer="he_normal")


def _branch(b: Blocks, x: Any, filters: int, size: int, place: str, strides: Any = 1) -> Any:
    padding = "same" if size > 1 else "valid"
    return b.norm(b.conv(x, filters, size, strides, f"res{place}", padding=padding), f"bn{place}")


def _bottleneck(x: Any, size: int, filters: Sequence[int], place: str, strides: Any) -> Any:
    b = _net()
    x = relu(_branch(b, x, filters[0], 1, f"{place}_branch2a", strides))
    x = relu(_branch(b, x, filters[1], size, f"{place}_branch2b"))
    return _branch(b, x, filters[2], 1, f"{place}_branch2c")


def identity_block(input_tensor: Any, kernel_size: int, filters: Sequence[int], stage: int, block: str) -> Any:
    """A bottleneck, added to what came in.

    Args:
        input_tensor: symbolic tensor of images.
        kernel_size: of the convolution in the middle.
        filters: of the three convolutions.
        stage: number of the stage, for the names of the layers.
        block: letter of the block, for the names of the layers.
    """
    x = _bottleneck(input_tensor, kernel_size, filters, f"{stage}{block}", 1)
    return relu(L.Add()([x, input_tensor]))


def conv_block(
    input_tensor: Any, kernel_size: int, filters: Sequence[int], stage: int, block: str, strides: Any = (2, 2)
) -> Any:
    """A bottleneck, added to a convolution of what came in.

    Args:
        input_tensor: symbolic tensor of images.
        kernel_size: of the convolution in the middle.
        filters: of the three convolutions.
        stage: number of the stage, for the names of the layers.
        block: letter of the block, for the names of the layers.
        strides: of the first convolution and of the shortcut.
    """
    x = _bottleneck(input_tensor, kernel_size, filters, f"{stage}{block}", strides)
    shortcut = _branch(_net(), input_tensor, filters[2], 1, f"{stage}{block}_branch1", strides)
    return relu(L.Add()([x, shortcut]))


def _stages(x: Any) -> Any:
    x = L.MaxPooling2D(3, strides=2)(x)
    for stage, (width, count) in enumerate(zip(resnet.FILTERS, resnet.COUNTS[50], strict=True), 2):
        filters = (width, width, 4 * width)
        x = conv_block(x, 3, filters, stage, "a", strides=1 if stage == 2 else 2)
        for block in "bcdef"[: count - 1]:
            x = identity_block(x, 3, filters, stage, block)
    return x


def _body(x: Any) -> Any:
    b = _net()
    x = L.ZeroPadding2D((3, 3), name="conv1_pad")(x)
    x = relu(b.norm(b.conv(x, 64, 7, 2, "conv1"), "bn_conv1"))
    return _stages(L.ZeroPadding2D((1, 1), name="pool1_pad")(x))


def _body_of_keras1(x: Any) -> Any:
    """The first window of the maximum sees no padding, and the average belongs to the features."""
    b = _net()
    x = relu(b.norm(b.conv(L.ZeroPadding2D((3, 3))(x), 64, 7, 2, "conv1"), "bn_conv1"))
    return L.AveragePooling2D(7, name="avg_pool")(_stages(x))


CLASSIC = Application(
    "ResNet50",
    "ResNet with 50 layers (He et al., 2015).",
    _body,
    top=average_top("avg_pool", classic="fc1000", modern="fc1000"),
    variant=lambda shape: " classic",
)
KERAS1 = CLASSIC._replace(body=_body_of_keras1, top=flat_top("fc1000"), least=197)


def _choose(options: Options) -> Application | None:
    time = conventions.current().applications
    if time == "tf.keras" and not weight_files.has_layer(options.weights, "res2a_branch2a"):
        return None
    return KERAS1 if time == "Keras 1" else CLASSIC


ResNet50 = resnet.resnet(50, __name__, choose=_choose)
