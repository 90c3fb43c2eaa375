"""ResNet V2: normalization and activation come before each convolution, so that shortcuts stay untouched."""

from __future__ import annotations

from .imagenet_utils import decode_predictions, preprocessing
from .resnet import resnet_v2

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf", __name__)

ResNet50V2, ResNet101V2, ResNet152V2 = (resnet_v2(depth, __name__) for depth in (50, 101, 152))
