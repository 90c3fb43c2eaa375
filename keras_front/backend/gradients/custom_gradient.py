"""Gradient rule of functions that bring their own."""

from __future__ import annotations

from keras_front.backend.gradients.table import GRADIENT
from keras_front.backend.ops.custom_gradient import CUSTOM_GRADIENT

GRADIENT["custom_gradient"] = CUSTOM_GRADIENT.by_rule
