"""Private names of `keras.initializers` that other libraries import."""

from __future__ import annotations

from collections.abc import Sequence

from keras_front import initializers


def _compute_fans(shape: Sequence[int], data_format: str = "channels_last") -> tuple[float, float]:
    """How many numbers go into and come out of a unit of a kernel.

    Args:
        shape: the shape of the kernel, with inputs and outputs last.
        data_format: not used: kernels are channels last.
    """
    return initializers.fans(tuple(shape))
