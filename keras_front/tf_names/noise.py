"""`tf.random`: random numbers from the seed of the process; the shape may be that of another tensor.

The arguments of each function have the names that they have in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import backend as K

from .dtypes import dtype_name

__all__ = ["FUNCTIONS"]


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normally distributed numbers."""
    return K.random_normal(shape, mean, stddev, dtype_name(dtype, "float32"), seed)


def uniform(shape: Any, minval: float = 0, maxval: float | None = None, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers that are all equally likely."""
    made = K.random_uniform(shape, minval, 1 if maxval is None else maxval, seed=seed)
    name = dtype_name(dtype, "float32")
    return made if name == "float32" else K.cast(K.floor(made) if "int" in name else made, name)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normally distributed numbers, none farther than two standard deviations from the mean."""
    return K.truncated_normal(shape, mean, stddev, dtype_name(dtype, "float32"), seed)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "normal": normal, "uniform": uniform, "truncated_normal": truncated_normal, "stateless_normal": normal,
    "stateless_uniform": uniform,
}  # fmt: skip
