"""RegNet X and Y: bottlenecks with grouped convolutions whose widths lie on a line; Y has squeeze-and-excitation.

Source: Radosavovic et al. (2020), appendix D. Names: tf_keras 2.21, by the layers of its models.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras_front import backend as K
from keras_front import layers as L
from keras_front.models import Model

from .application import Application, Options, define
from .blocks import Blocks
from .imagenet_utils import decode_predictions, preprocessing

preprocess_input = preprocessing(None, __name__)


class Size(NamedTuple):
    """A net of the family.

    Args:
        counts: number of blocks of each stage.
        filters: number of output channels of each stage.
        group: number of channels in a group.
    """

    counts: tuple[int, ...]
    filters: tuple[int, ...]
    group: int


SIZES: dict[str, Size] = {
    "X002": Size((1, 1, 4, 7), (24, 56, 152, 368), 8),
    "X004": Size((1, 2, 7, 12), (32, 64, 160, 384), 16),
    "X006": Size((1, 3, 5, 7), (48, 96, 240, 528), 24),
    "X008": Size((1, 3, 7, 5), (64, 128, 288, 672), 16),
    "X016": Size((2, 4, 10, 2), (72, 168, 408, 912), 24),
    "X032": Size((2, 6, 15, 2), (96, 192, 432, 1008), 48),
    "X040": Size((2, 5, 14, 2), (80, 240, 560, 1360), 40),
    "X064": Size((2, 4, 10, 1), (168, 392, 784, 1624), 56),
    "X080": Size((2, 5, 15, 1), (80, 240, 720, 1920), 120),
    "X120": Size((2, 5, 11, 1), (224, 448, 896, 2240), 112),
    "X160": Size((2, 6, 13, 1), (256, 512, 896, 2048), 128),
    "X320": Size((2, 7, 13, 1), (336, 672, 1344, 2520), 168),
    "Y002": Size((1, 1, 4, 7), (24, 56, 152, 368), 8),
    "Y004": Size((1, 3, 6, 6), (48, 104, 208, 440), 8),
    "Y006": Size((1, 3, 7, 4), (48, 112, 256, 608), 16),
    "Y008": Size((1, 3, 8, 2), (64, 128, 320, 768), 16),
    "Y016": Size((2, 6, 17, 2), (48, 120, 336, 888), 24),
    "Y032": Size((2, 5, 13, 1), (72, 216, 576, 1512), 24),
    "Y040": Size((2, 6, 12, 2), (128, 192, 512, 1088), 64),
    "Y064": Size((2, 7, 14, 2), (144, 288, 576, 1296), 72),
    "Y080": Size((2, 4, 10, 1), (168, 448, 896, 2016), 56),
    "Y120": Size((2, 5, 11, 1), (224, 448, 896, 2240), 112),
    "Y160": Size((2, 4, 11, 1), (224, 448, 1232, 3024), 112),
    "Y320": Size((2, 5, 12, 1), (232, 696, 1392, 3712), 232),
}

__all__ = ["decode_predictions", "preprocess_input", *(f"RegNet{size}" for size in SIZES)]


def _block(b: Blocks, x: Any, filters: int, group: int, stride: int, squeeze: bool, name: str) -> Any:
    channels, shortcut = b.channels(x), x
    if channels != filters or stride != 1:
        shortcut = b.conv(x, filters, 1, stride, f"{name}_skip_1x1")
        shortcut = b.norm(shortcut, f"{name}_skip_bn")
    x = b.norm(b.conv(x, filters, 1, name=f"{name}_conv_1x1_1"), f"{name}_conv_1x1_1_bn")
    x = L.ReLU(name=f"{name}_conv_1x1_1_relu")(x)
    groups = max(1, filters // group)
    x = b.conv(x, filters, 3, stride, f"{name}_conv_3x3", groups=groups, padding="same")
    x = L.ReLU(name=f"{name}_conv_3x3_relu")(b.norm(x, f"{name}_conv_3x3_bn"))
    x = _squeezed(b, x, int(channels * 0.25), f"{name}_squeeze_and_excite") if squeeze else x
    x = b.norm(b.conv(x, filters, 1, name=f"{name}_conv_1x1_2"), f"{name}_conv_1x1_2_bn")
    return L.ReLU(name=f"{name}_exit_relu")(x + shortcut)


def _squeezed(b: Blocks, x: Any, filters: int, name: str) -> Any:
    """Each channel multiplied by a number between 0 and 1 that depends on the averages of all channels."""
    y = L.GlobalAveragePooling2D(keepdims=True, name=f"{name}_gap")(x)
    y = b.conv(y, filters, 1, use_bias=True, activation="relu", name=f"{name}_squeeze")
    return b.conv(y, b.channels(x), 1, use_bias=True, activation="sigmoid", name=f"{name}_excite") * x


def _of_size(kind: str, size: Size) -> Callable[..., Any]:
    def body(x: Any, model_name: str, include_preprocessing: bool) -> Any:
        b = Blocks(epsilon=1e-5, momentum=0.9, initializer="he_normal", padding="valid")
        if include_preprocessing:
            x = L.Rescaling(scale=1.0 / 255.0, name=f"{model_name}_prestem_rescaling")(x)
        x = b.conv(x, 32, 3, strides=2, padding="same", name=f"{model_name}_stem_conv")
        x = L.ReLU(name=f"{model_name}_stem_relu")(b.norm(x, f"{model_name}_stem_bn"))
        for stage, (count, filters) in enumerate(zip(size.counts, size.filters, strict=True)):
            for i in range(count):
                name = f"{model_name}_Stage_{stage}_{kind}Block_{i}"
                x = _block(b, x, filters, size.group, 2 if i == 0 else 1, kind == "Y", name)
        return x

    return body


def _top(x: Any, options: Options, **own: Any) -> Any:
    """Average and `Dense`. As in tf_keras the classifier gives logits: `classifier_activation` is checked, not used."""
    number = K.get_uid("head")
    x = L.GlobalAveragePooling2D(name=f"{number}_head_gap")(x)
    return L.Dense(options.classes, name=f"{number}head_dense")(x)


def own_arguments(model_name: str) -> dict[str, tuple[Any, str]]:
    """Arguments of families whose layers bear the name of the model.

    Args:
        model_name: the default.
    """
    return {
        "model_name": (model_name, "the name of the model, with which the names of its layers begin."),
        "include_preprocessing": (True, "whether the net scales images from 0..255 itself."),
    }


def named_model(shape: Any, model_name: str, **rest: Any) -> str:
    """The argument `model_name`.

    Args:
        shape: not needed.
        model_name: the name.
        rest: not needed.
    """
    return model_name


NAMED_ORDER = "model_name include_top include_preprocessing weights input_tensor input_shape pooling classes "
NAMED_ORDER += "classifier_activation"


def _net(size: str) -> Callable[..., Model]:
    net = Application(
        f"RegNet{size}",
        f"RegNet{size} (Radosavovic et al., 2020). It scales images from 0..255 itself, and its top gives logits.",
        _of_size(size[0], SIZES[size]),
        top=_top,
        model_name=named_model,
        own=own_arguments(f"regnet{size.lower()}"),
        order=NAMED_ORDER,
    )
    return define(net, __name__)


globals().update({f"RegNet{size}": _net(size) for size in SIZES})
