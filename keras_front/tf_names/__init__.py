"""TensorFlow's spelling of K's ops: what files of tf.keras call between layers, and what old programs call as `tf.*`.

`find("math.squared_difference")` is the function that TensorFlow exports under this name, written in K and
`keras_front.ops`, with TensorFlow's names and order of arguments but for `name`. The functions take symbols and values
alike. Nothing here imports TensorFlow; what has no function here is not found.
Source: the signatures of TensorFlow 1.15 to 2.21, and `tf.compat.v1`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["find"]

# Modules whose functions share one table, as many stand in several.
_SHARED = ("", "math", "nn", "linalg", "__operators__", "dtypes", "debugging", "bitwise", "signal")


@functools.cache
def _functions() -> dict[str, Callable[..., Any]]:
    """The functions by their names; the modules are imported when the first is looked for."""
    from . import arrays, by_values, image, image_noise, linear, mathematics, networks, noise

    return {
        **mathematics.FUNCTIONS,
        **arrays.FUNCTIONS,
        **linear.FUNCTIONS,
        **by_values.FUNCTIONS,
        **networks.FUNCTIONS,
        **{f"image.{name}": function for name, function in (image.FUNCTIONS | image_noise.FUNCTIONS).items()},
        "extract_image_patches": image.FUNCTIONS["extract_image_patches"],
        **{f"random.{name}": function for name, function in noise.FUNCTIONS.items()},
    }


def find(name: str) -> Callable[..., Any] | None:
    """The function that TensorFlow calls `tf.<name>`, or None.

    Args:
        name: its name without `tf.`, such as 'nn.moments' or 'compat.v1.nn.conv2d'.
    """
    path = name.removeprefix("compat.v1.").removeprefix("compat.v2.").removeprefix("experimental.numpy.")
    module, _, last = path.rpartition(".")
    return _functions().get(last if module in _SHARED else path)
