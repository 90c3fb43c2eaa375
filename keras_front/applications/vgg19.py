"""VGG19: VGG16 with three more convolutions."""

from __future__ import annotations

from .imagenet_utils import decode_predictions, preprocess_input
from .vgg16 import vgg

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = vgg(19, (2, 2, 4, 4, 4), __name__)
