"""MobileNet: convolutions of each channel by itself, then of all channels at each place.

Source: Howard et al. (2017), table 1.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front import conventions
from keras_front import layers as L
from keras_front.errors import ArgumentError
from keras_front.layers import DepthwiseConv2D

from .application import Application, Options, define, rows
from .blocks import Blocks
from .imagenet_utils import decode_predictions, preprocessing

__all__ = ["DepthwiseConv2D", "MobileNet", "decode_predictions", "preprocess_input", "relu6"]

preprocess_input = preprocessing("tf", __name__)

# Filters and stride of each block.
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1),
)  # fmt: skip
WIDTHS, ROWS = (0.25, 0.50, 0.75, 1.0), (128, 160, 192, 224)  # of which there are trained weights


def relu6(x: Any) -> Any:
    """ReLU cut off at 6: the activation that Keras up to 2.1 had here.

    Args:
        x: a tensor.
    """
    return K.relu(x, max_value=6)


def _norm_relu(b: Blocks, x: Any, name: str) -> Any:
    return L.ReLU(6.0, name=f"{name}_relu")(b.norm(x, f"{name}_bn"))


def _body(x: Any, alpha: float, depth_multiplier: int, dropout: float) -> Any:
    b = Blocks()
    if conventions.current().applications != "tf.keras":
        x = L.ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad")(x)
        x = b.conv(x, int(32 * alpha), 3, strides=2, padding="valid", name="conv1")
    else:
        x = b.conv(x, int(32 * alpha), 3, strides=2, name="conv1")
    x = _norm_relu(b, x, "conv1")
    for i, (filters, stride) in enumerate(BLOCKS, 1):
        if stride == 2:
            x = L.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
        padding = "same" if stride == 1 else "valid"
        x = b.depthwise(x, 3, stride, f"conv_dw_{i}", padding=padding, depth_multiplier=depth_multiplier)
        x = _norm_relu(b, x, f"conv_dw_{i}")
        x = _norm_relu(b, b.conv(x, int(filters * alpha), 1, name=f"conv_pw_{i}"), f"conv_pw_{i}")
    return x


def _top(x: Any, options: Options, alpha: float, depth_multiplier: int, dropout: float) -> Any:
    channels = int(1024 * alpha)
    if conventions.current().applications != "tf.keras":
        x = L.GlobalAveragePooling2D()(x)
        x = L.Reshape((channels, 1, 1) if Blocks().axis == 1 else (1, 1, channels), name="reshape_1")(x)
    else:
        x = L.GlobalAveragePooling2D(keepdims=True)(x)
    x = L.Dropout(dropout, name="dropout")(x)
    x = L.Conv2D(options.classes, 1, padding="same", name="conv_preds")(x)
    x = L.Reshape((options.classes,), name="reshape_2")(x)
    name = "act_softmax" if conventions.current().applications != "tf.keras" else "predictions"
    return L.Activation(options.classifier_activation or "linear", name=name)(x)


def trained_size(shape: Any, choices: tuple[int, ...] = ROWS) -> int:
    """Rows and columns of the images whose trained weights fit: those of the shape, or 224.

    Args:
        shape: of one image, in the order of `keras_front.config.image_data_format()`; None if it was not given.
        choices: sizes of which there are weights.
    """
    found = None if shape is None or len(shape) != 3 else rows(shape)
    return found if found in choices else 224


def _name(shape: Any, alpha: float, depth_multiplier: int, dropout: float) -> str:
    return f"mobilenet_{alpha:0.2f}_{rows(shape)}"


def check_width(name: str, alpha: float, widths: tuple[float, ...]) -> None:
    """Refuse a width of which there are no trained weights.

    Args:
        name: of the net.
        alpha: the width that was asked for.
        widths: those of which there are weights.

    Raises: ArgumentError.
    """
    if alpha not in widths:
        listed = ", ".join(f"{width:g}" for width in widths)
        raise ArgumentError(f"{name}: with imagenet weights `alpha` can be one of {listed}; received {alpha}.")


def _check(options: Options, shape: Any, alpha: float, depth_multiplier: int, dropout: float) -> None:
    if options.weights == "imagenet":
        check_width("MobileNet", alpha, WIDTHS)
        if depth_multiplier != 1:
            raise ArgumentError("MobileNet: with imagenet weights `depth_multiplier` must be 1.")


def _variant(shape: Any, alpha: float, depth_multiplier: int, dropout: float) -> str:
    return f" {alpha:.2f} {trained_size(shape)}"


MobileNet = define(
    Application(
        "MobileNet",
        "MobileNet V1 (Howard et al., 2017).",
        _body,
        size=lambda input_shape, **own: trained_size(input_shape),
        top=_top,
        model_name=_name,
        own={
            "alpha": (1.0, "the width: by how much the number of filters of each layer is multiplied."),
            "depth_multiplier": (1, "how many outputs a depthwise convolution has for each channel."),
            "dropout": (1e-3, "the share of features that is dropped before the top while training."),
        },
        order="input_shape alpha depth_multiplier dropout include_top weights input_tensor pooling classes "
        "classifier_activation",
        check=_check,
        variant=_variant,
    ),
    __name__,
)
