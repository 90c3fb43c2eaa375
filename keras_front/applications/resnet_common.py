"""All residual nets and their blocks, in the module of Keras-Applications 1.0.7 and 1.0.8."""

from __future__ import annotations

from typing import Any

from keras_front.models import Model

from .application import Application, average_top, define
from .imagenet_utils import decode_predictions
from .resnet import (
    ResNet50,
    ResNet101,
    ResNet152,
    block1,
    block2,
    block3,
    residual_body,
    stack1,
    stack2,
    stack3,
)
from .resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from .resnext import ResNeXt50, ResNeXt101

__all__ = [
    "ResNeXt50",
    "ResNeXt101",
    "ResNet",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "block1",
    "block2",
    "block3",
    "decode_predictions",
    "stack1",
    "stack2",
    "stack3",
]


def ResNet(stack_fn: Any, preact: bool, use_bias: bool, model_name: str = "resnet", *args: Any, **kwargs: Any) -> Model:
    """A residual net of any stages.

    Args:
        stack_fn: from the features of the stem to those of the last stage.
        preact: whether normalization comes before convolution, as in V2.
        use_bias: whether the first convolution has a bias.
        model_name: of the model; 'imagenet' weights are those of the net of this name.
        args: as of `ResNet50`, by position.
        kwargs: as of `ResNet50`.
    """
    body = residual_body(stack_fn, preact, use_bias)
    top = average_top("avg_pool", classic="probs")
    net = Application(model_name, "", body, top=top, model_name=model_name, pooling_names=("avg_pool", "max_pool"))
    return define(net, __name__)(*args, **kwargs)
