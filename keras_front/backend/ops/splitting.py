"""Ops that cut tensors apart along an axis, and what is made of the parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.declare import Axis, Tensor, composite
from keras_front.backend.ops.arrangement import (
    _size,
    _sizes,
    concatenate,
    reshape,
    strided_slice,
)
from keras_front.backend.ops.elementwise import (
    mod,
    multiply,
    sigmoid,
    subtract,
)
from keras_front.backend.ops.subscript import getitem
from keras_front.errors import ShapeError
from keras_front.failures import explains_failures


@explains_failures
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`x` cut along `axis` into equal parts, or at given places.

    Args:
        x: a tensor.
        indices_or_sections: the number of parts, or the indices at which parts begin.
        axis: the axis that is cut.

    Returns: a list of tensors.

    Raises:
        ShapeError: the parts cannot be equal.

    Example:
        >>> import numpy as np
        >>> [part.tolist() for part in split(np.array([1.0, 2.0, 3.0]), [1])]
        [[1.0], [2.0, 3.0]]
    """
    place = shapes.normalize_axis(axis, len(x.shape))
    size = x.shape[place]
    if isinstance(indices_or_sections, int | np.integer):
        parts = int(indices_or_sections)
        if size is None or parts < 1 or size % parts:
            raise ShapeError(f"split: axis {axis} of shape {tuple(x.shape)} cannot be cut into {parts} equal parts.")
        edges: list[Any] = [int(size) // parts * i for i in range(1, parts)]
    else:
        edges = [int(i) for i in indices_or_sections]
    rank = len(x.shape)

    def part(start: Any, stop: Any) -> Any:
        head, tail = ([end if i == place else None for i in range(rank)] for end in (start, stop))
        return strided_slice(x, tuple(head), tuple(tail), (1,) * rank)

    return [part(a, b) for a, b in zip([None, *edges], [*edges, None], strict=True)]


@composite
def roll(x: Tensor, shift, axis=None):
    """Elements moved along `axis`, those that fall out coming in at the other end.

    Args:
        x: a tensor.
        shift: by how many places, toward the end; one number, or one for each axis.
        axis: an axis or several; None moves them in the order of all elements.

    Returns: a tensor of the shape of x.

    Example:
        >>> K.roll(np.array([1.0, 2.0, 3.0]), 1).tolist()
        [3.0, 1.0, 2.0]
    """
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, axis=0), tuple(_sizes(x)))
    places = [axis] if isinstance(axis, int) else list(axis)
    shifts = [shift] * len(places) if isinstance(shift, int) else list(shift)
    for place, step in zip(places, shifts, strict=True):
        axis = shapes.normalize_axis(place, len(x.shape))
        size = _size(x, axis)
        if not isinstance(size, int) or (size and step % size):
            cut = size - step % size if isinstance(size, int) else subtract(size, mod(step, size))
            parts = [getitem(x, (*(slice(None),) * axis, span)) for span in (slice(cut, None), slice(cut))]
            x = concatenate(parts, axis=axis)
    return x


@composite(floats=True)
def glu(x: Tensor, axis: Axis = -1):
    """The gated linear unit: the first half along `axis` times the sigmoid of the second.

    Args:
        x: a tensor; integers become floats first.
        axis: the axis that is cut in halves; its size is even.

    Returns: a float tensor of half the size along `axis`.

    Raises:
        ShapeError: the size is odd or unknown.

    Source: Dauphin et al. (2017).

    Example:
        >>> print(np.asarray(K.glu(np.array([[2.0, 0.0]]))).round(3))
        [[1.]]
    """
    first, second = split(x, 2, axis=axis)
    return multiply(first, sigmoid(second))
