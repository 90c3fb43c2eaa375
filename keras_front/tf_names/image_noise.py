"""`tf.image`: images changed by chance, and the changes of colour that chance takes.

The arguments of each function have the names that they have in TensorFlow. Those of `stateless_...` give the same
result for the same seed, but not the one that TensorFlow gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import ops
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.errors import ArgumentError

from .image import adjust_contrast, convert_image_dtype

__all__ = ["FUNCTIONS"]


def _in_floats(change: Callable[[Any], Any], image: Any) -> Any:
    """Images changed as floats; those of integers scaled to 1 before, and back to their range after."""
    image = as_symbol_or_tensor(image)
    dtype = K.dtype(image)
    if "float" in dtype:
        return change(image)
    return convert_image_dtype(change(convert_image_dtype(image, "float32")), dtype, saturate=True)


def adjust_brightness(image: Any, delta: Any) -> Any:
    """Pixels brighter by a part of their range."""
    return _in_floats(lambda x: x + delta, image)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Any:
    """`gain * image ** gamma`."""
    return _in_floats(lambda x: gain * x**gamma, image)


def adjust_saturation(image: Any, saturation_factor: Any) -> Any:
    """Colours farther from gray, or nearer to it."""

    def change(hue: Any, saturation: Any, value: Any) -> list[Any]:
        return [hue, K.clip(saturation * saturation_factor, 0, 1), value]

    return _in_floats(lambda x: _of_hsv(change, x), image)


def adjust_hue(image: Any, delta: Any) -> Any:
    """Colours turned on their circle by a part of it."""

    def change(hue: Any, saturation: Any, value: Any) -> list[Any]:
        turned = hue + delta
        return [turned - K.floor(turned), saturation, value]

    return _in_floats(lambda x: _of_hsv(change, x), image)


def _of_hsv(change: Callable[..., list[Any]], image: Any) -> Any:
    hsv = ops.image.rgb_to_hsv(image, data_format="channels_last")
    parts = change(hsv[..., 0:1], hsv[..., 1:2], hsv[..., 2:3])
    return ops.image.hsv_to_rgb(K.concatenate(parts, -1), data_format="channels_last")


# By chance -----------------------------------------------------------------------------------------------------


def _drawn(name: str, shape: tuple[int, ...], low: float, high: float, seed: Any) -> Any:
    """Uniform numbers; of a seed of two numbers always the same."""
    if not low <= high:
        raise ArgumentError(f"tf.image.{name}: expected bounds in order, received {low} and {high}.")
    if seed is None or isinstance(seed, int):
        return K.random_uniform(shape, low, high, seed=seed)
    made = np.random.default_rng([int(n) for n in np.asarray(seed)]).uniform(low, high, shape)
    return K.constant(made, "float32")


def _symmetric(name: str, bound: float, seed: Any) -> Any:
    if bound < 0:
        raise ArgumentError(f"tf.image.{name}: expected max_delta >= 0, received {bound}.")
    return _drawn(name, (), -bound, bound, seed)


def _random_flip(name: str, axis: int) -> Callable[..., Any]:
    def flip(image: Any, seed: Any = None) -> Any:
        image = as_symbol_or_tensor(image)
        shape = K.shape(image)
        each = (shape[0], 1, 1, 1) if K.ndim(image) == 4 else ()
        drawn = K.random_uniform(each) if seed is None or isinstance(seed, int) else _drawn(name, (), 0, 1, seed)
        return K.where(K.less(drawn, 0.5), K.reverse(image, axis), image)

    return flip


def random_brightness(image: Any, max_delta: float, seed: Any = None) -> Any:
    """Images brighter or darker by up to `max_delta` of their range."""
    return adjust_brightness(image, _symmetric("random_brightness", max_delta, seed))


def random_hue(image: Any, max_delta: float, seed: Any = None) -> Any:
    """Images whose colours are turned by up to `max_delta` of their circle."""
    return adjust_hue(image, _symmetric("random_hue", max_delta, seed))


def random_contrast(image: Any, lower: float, upper: float, seed: Any = None) -> Any:
    """Images of another contrast."""
    factor = _drawn("random_contrast", (), lower, upper, seed)
    return _in_floats(lambda x: adjust_contrast(x, factor), image)


def random_saturation(image: Any, lower: float, upper: float, seed: Any = None) -> Any:
    """Images of another saturation."""
    return adjust_saturation(image, _drawn("random_saturation", (), lower, upper, seed))


def random_crop(value: Any, size: Any, seed: Any = None) -> Any:
    """A part of a tensor, of this size, from anywhere in it.

    Raises: ArgumentError for a size that does not fit.
    """
    value = as_symbol_or_tensor(value)
    size, shape = [int(n) for n in np.asarray(size)], K.int_shape(value)
    if len(size) != len(shape) or any(m is not None and n > m for n, m in zip(size, shape, strict=True)):
        raise ArgumentError(f"tf.image.random_crop: expected a size within {shape}, received {size}.")
    for axis, (wanted, known) in enumerate(zip(size, shape, strict=True)):
        if wanted != known:
            places = K.shape(value)[axis] - wanted + 1
            first = K.cast(K.floor(_drawn("random_crop", (), 0.0, 1.0, seed) * K.cast(places, "float32")), "int32")
            value = ops.take(value, K.arange(wanted) + K.minimum(first, places - 1), axis=axis)
    return value


_RANDOM: dict[str, Callable[..., Any]] = {
    "random_brightness": random_brightness,
    "random_contrast": random_contrast,
    "random_crop": random_crop,
    "random_flip_left_right": _random_flip("random_flip_left_right", -2),
    "random_flip_up_down": _random_flip("random_flip_up_down", -3),
    "random_hue": random_hue,
    "random_saturation": random_saturation,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "adjust_brightness": adjust_brightness,
    "adjust_gamma": adjust_gamma,
    "adjust_hue": adjust_hue,
    "adjust_saturation": adjust_saturation,
    **_RANDOM,
    **{f"stateless_{name}": function for name, function in _RANDOM.items()},
}
