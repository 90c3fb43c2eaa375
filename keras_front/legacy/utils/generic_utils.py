"""Private names of `keras.utils.generic_utils` that other libraries import."""

from __future__ import annotations

from keras_front.custom_objects import get_custom_objects

_GLOBAL_CUSTOM_OBJECTS = _custom_objects = get_custom_objects()
