"""ConvNeXt: a ResNet changed step by step into what a vision transformer does, with convolutions of 7 by 7 pixels.

Source: Liu et al. (2022), figure 4 and table 9. Names: tf_keras 2.21, by the layers of its models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import config
from keras_front import layers as L
from keras_front.errors import ArgumentError
from keras_front.models import Model, Sequential

from .application import Application, Options, define
from .imagenet_utils import TORCH_DEVIATIONS, TORCH_MEANS, decode_predictions, preprocessing
from .layers import LayerScale, StochasticDepth
from .regnet import NAMED_ORDER, named_model, own_arguments

preprocess_input = preprocessing(None, __name__)

EPSILON = 1e-6  # of layer normalization
# Number of blocks, and number of channels, of each stage.
SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "Tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
    "Small": ((3, 3, 27, 3), (96, 192, 384, 768)),
    "Base": ((3, 3, 27, 3), (128, 256, 512, 1024)),
    "Large": ((3, 3, 27, 3), (192, 384, 768, 1536)),
    "XLarge": ((3, 3, 27, 3), (256, 512, 1024, 2048)),
}

__all__ = ["LayerScale", "StochasticDepth", "decode_predictions", "preprocess_input", *(f"ConvNeXt{s}" for s in SIZES)]


def _norm(name: str | None = None) -> Any:
    return L.LayerNormalization(epsilon=EPSILON, name=name)


def _block(x: Any, channels: int, name: str) -> Any:
    inputs = x
    x = L.Conv2D(channels, 7, padding="same", groups=channels, name=f"{name}_depthwise_conv")(x)
    x = _norm(f"{name}_layernorm")(x)
    x = L.Dense(4 * channels, name=f"{name}_pointwise_conv_1")(x)
    x = L.Dense(channels, name=f"{name}_pointwise_conv_2")(L.Activation("gelu", name=f"{name}_gelu")(x))
    x = LayerScale(1e-6, channels, name=f"{name}_layer_scale")(x)
    return inputs + L.Activation("linear", name=f"{name}_identity")(x)


def _smaller(channels: int, name: str, place: int) -> Sequential:
    parts = [
        _norm(f"{name}_downsampling_layernorm_{place}"),
        L.Conv2D(channels, 2, strides=2, name=f"{name}_downsampling_conv_{place}"),
    ]
    return Sequential(parts, name=f"{name}_downsampling_block_{place}")


def _of_size(depths: Sequence[int], channels: Sequence[int]) -> Callable[..., Any]:
    def body(x: Any, model_name: str, include_preprocessing: bool) -> Any:
        if include_preprocessing and x.shape[-1] == 3:
            mean, variance = [255 * m for m in TORCH_MEANS], [(255 * d) ** 2 for d in TORCH_DEVIATIONS]
            x = L.Normalization(mean=mean, variance=variance, name=f"{model_name}_prestem_normalization")(x)
        stem = [
            L.Conv2D(channels[0], 4, strides=4, name=f"{model_name}_stem_conv"),
            _norm(f"{model_name}_stem_layernorm"),
        ]
        x = Sequential(stem, name=f"{model_name}_stem")(x)
        for stage, (depth, width) in enumerate(zip(depths, channels, strict=True)):
            if stage:
                x = _smaller(width, model_name, stage - 1)(x)
            for i in range(depth):
                x = _block(x, width, f"{model_name}_stage_{stage}_block_{i}")
        return x

    return body


def _top(x: Any, options: Options, model_name: str, **rest: Any) -> Any:
    x = _norm(f"{model_name}_head_layernorm")(L.GlobalAveragePooling2D(name=f"{model_name}_head_gap")(x))
    return L.Dense(options.classes, activation=options.classifier_activation, name=f"{model_name}_head_dense")(x)


def _check(options: Options, shape: Any, **own: Any) -> None:
    if config.image_data_format() == "channels_first":
        raise ArgumentError(
            "ConvNeXt normalizes the last axis and has no form for 'channels_first', in tf.keras neither. Build it "
            "under `keras_front.config.set_image_data_format('channels_last')`."
        )


def _net(size: str) -> Callable[..., Model]:
    net = Application(
        f"ConvNeXt{size}",
        f"ConvNeXt-{size} (Liu et al., 2022). It scales images from 0..255 itself.",
        _of_size(*SIZES[size]),
        top=_top,
        after_pooling=_norm,
        model_name=named_model,
        own=own_arguments(f"convnext_{size.lower()}"),
        order=NAMED_ORDER,
        check=_check,
    )
    return define(net, __name__)


ConvNeXtTiny, ConvNeXtSmall, ConvNeXtBase, ConvNeXtLarge, ConvNeXtXLarge = (_net(size) for size in SIZES)
