"""ResNeXt, of Keras-Applications 1.0.7 and 1.0.8."""

from __future__ import annotations

from .imagenet_utils import decode_predictions, preprocessing
from .resnet import resnext

__all__ = ["ResNeXt50", "ResNeXt101", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("torch", __name__)

ResNeXt50, ResNeXt101 = (resnext(depth, __name__) for depth in (50, 101))
