"""`tf.random`: random numbers from the seed of the process."""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.backend.seeds import set_random_seed

from .functions import as_eager

set_seed = set_random_seed


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Normally distributed numbers.

    Args:
        shape: their shape.
        mean: their mean.
        stddev: their standard deviation.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    return as_eager(K.random_normal(shape, mean, stddev, str(dtype), seed))


def uniform(
    shape: Any, minval: float = 0, maxval: float = 1, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Numbers that are all equally likely.

    Args:
        shape: their shape.
        minval: the smallest.
        maxval: the end, which is not among them.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    made = K.random_uniform(shape, minval, maxval, seed=seed)
    if str(dtype) != "float32":
        made = K.cast(K.floor(made) if "int" in str(dtype) else made, str(dtype))
    return as_eager(made)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Normally distributed numbers, none farther than two standard deviations from the mean.

    Args:
        shape: their shape.
        mean: their mean.
        stddev: their standard deviation.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    return as_eager(K.truncated_normal(shape, mean, stddev, str(dtype), seed))


random_normal, random_uniform = normal, uniform
