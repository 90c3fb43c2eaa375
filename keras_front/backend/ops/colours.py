"""Colours: red, green and blue as hue, saturation and value, and back, and as gray."""

from __future__ import annotations

from typing import Any

from keras_front.backend import dtypes
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    clip,
    divide,
    greater,
    greater_equal,
    logical_and,
    maximum,
    minimum,
    mod,
    multiply,
    subtract,
    where,
)

GRAY = (0.2989, 0.587, 0.114)  # of red, green and blue in the luma of Rec. 601


def gray_of(colours: Any) -> Any:
    """The luma of red, green and blue.

    Args:
        colours: the three channels.
    """
    red, green, blue = (multiply(c, weight) for c, weight in zip(colours, GRAY, strict=True))
    return add(add(red, green), blue)


def hsv_of(colours: Any) -> tuple[Any, Any, Any]:
    """Hue from 0 to 1, saturation and value.

    Args:
        colours: red, green and blue.

    Source: Smith (1978).
    """
    red, green, blue = colours
    value = maximum(maximum(red, green), blue)
    span = subtract(value, minimum(minimum(red, green), blue))
    coloured = greater(span, 0)
    some = where(coloured, span, 1)
    # The channels are compared with each other: a compiler may compute `value` and `red` with other roundings.
    reddest = logical_and(greater_equal(red, green), greater_equal(red, blue))
    greens, blues = add(divide(subtract(blue, red), some), 2), add(divide(subtract(red, green), some), 4)
    hue = where(reddest, divide(subtract(green, blue), some), where(greater_equal(green, blue), greens, blues))
    saturation = divide(span, where(greater(value, 0), value, 1))
    return multiply(mod(divide(hue, 6), 1), cast(coloured, dtypes.canonical(red.dtype))), saturation, value


def rgb_of(hue: Any, saturation: Any, value: Any) -> list[Any]:
    """Red, green and blue.

    Args:
        hue: from 0 to 1.
        saturation: from 0 to 1.
        value: the largest of the three.
    """
    parts = []
    for start in (5.0, 3.0, 1.0):
        k = mod(add(multiply(hue, 6), start), 6)
        share = clip(minimum(k, subtract(4, k)), 0.0, 1.0)
        parts.append(subtract(value, multiply(multiply(value, saturation), share)))
    return parts
