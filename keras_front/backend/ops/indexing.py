"""Ops that pick and place elements by index.

Indices outside the range are an error where the engine can tell, and never read other memory (decision D9): the NumPy
and torch backends raise, compiled JAX and TensorFlow programs clip.
"""

from __future__ import annotations

import numpy as np

from keras_front.backend import dtypes, shapes
from keras_front.backend.declare import DType, Tensor, composite, primitive
from keras_front.backend.ops.arrangement import expand_dims
from keras_front.backend.ops.elementwise import cast, equal


@primitive(shapes.gather, promote=())
def gather(reference: Tensor, indices: Tensor, axis=0):
    """Slices of `reference` along `axis`, at integer `indices` of any shape, which replaces that axis."""


@primitive(shapes.scatter_add, promote=(), accumulates=True)
def scatter_add(updates: Tensor, indices: Tensor, size, axis=0):
    """The gradient of `gather`: zeros with `size` slices along `axis`, to which `updates` are added at `indices`."""


@primitive(shapes.take_along_axis, promote=())
def take_along_axis(x: Tensor, indices: Tensor, axis=-1):
    """Elements of `x` along `axis` at `indices`, a tensor of as many dimensions as x."""


@composite(promote=(), fresh=True)
def one_hot(indices: Tensor, num_classes, dtype: DType = "float32"):
    """Vectors of zeros with a one at `indices`, in a new last axis. An index outside gives zeros alone.

    Shape: (...) -> (..., num_classes).
    """
    classes = np.arange(num_classes, dtype=dtypes.canonical(indices.dtype))
    return cast(equal(expand_dims(indices, axis=-1), classes), dtype)


@composite(promote=())
def in_top_k(predictions: Tensor, targets: Tensor, k):
    """Whether the class `targets` (batch) is among the `k` largest `predictions` (batch, classes).

    Classes that tie with the target's count as below it.
    """
    from keras_front.backend.ops.arrangement import squeeze
    from keras_front.backend.ops.elementwise import greater, isfinite, less, logical_and
    from keras_front.backend.ops.reduction import sum

    chosen = take_along_axis(predictions, expand_dims(cast(targets, "int64"), axis=-1), axis=-1)
    above = sum(cast(greater(predictions, chosen), "int32"), axis=-1)
    return logical_and(less(above, k), isfinite(squeeze(chosen, axis=-1)))
