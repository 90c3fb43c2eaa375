"""Gradient rules of ops that pick and place elements by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops import arrangement, indexing
from keras_front.backend.ops.arrangement import permute_dimensions
from keras_front.backend.ops.elementwise import where
from keras_front.backend.ops.reduction import sum


@gradient_of("gather")
def gather_vjp(g: Any, out: Any, reference: Any, indices: Any, axis: int = 0) -> Any:
    return indexing.scatter_add(g, indices, reference.shape[axis], axis % len(reference.shape)), None


@gradient_of("scatter_add")
def scatter_add_vjp(g: Any, out: Any, updates: Any, indices: Any, size: int, axis: int = 0) -> Any:
    return indexing.gather(g, indices, axis=axis), None


@gradient_of("take_along_axis")
def take_along_axis_vjp(g: Any, out: Any, x: Any, indices: Any, axis: int = -1) -> Any:
    """The gradients of the picks of each index, added up where that index was picked."""
    place, ndim = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    to_last = (*(i for i in range(ndim) if i != place), place)
    back = tuple(int(i) for i in np.argsort(to_last))
    g, indices = permute_dimensions(g, to_last), permute_dimensions(indices, to_last)
    picked = indexing.one_hot(indices, x.shape[place], "bool")
    return permute_dimensions(sum(where(picked, arrangement.expand_dims(g, -1), 0), axis=-2), back), None
