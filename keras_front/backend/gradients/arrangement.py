"""Rules of ops that arrange elements anew or pick some."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.gradients.table import GRADIENT, gradient_of
from keras_front.backend.ops import arrangement, indexing
from keras_front.backend.ops.arrangement import flip, pad, permute_dimensions, reshape, strided_slice
from keras_front.backend.ops.elementwise import multiply
from keras_front.backend.ops.reduction import sum

GRADIENT.update(
    reshape=lambda g, out, x, shape: (reshape(g, x.shape),),
    broadcast_to=lambda g, out, x, shape: (g,),
    permute_dimensions=lambda g, out, x, pattern: (
        permute_dimensions(g, tuple(int(i) for i in np.argsort([p % len(pattern) for p in pattern]))),
    ),
    flip=lambda g, out, x, axes: (flip(g, axes),),
)


@gradient_of("concatenate")
def _(g: Any, out: Any, xs: Any, axis: int = -1) -> Any:
    place, start, grads = shapes.normalize_axis(axis, len(out.shape)), 0, []
    for x in xs:
        low = tuple(start if i == place else None for i in range(len(out.shape)))
        high = tuple(start + x.shape[place] if i == place else None for i in range(len(out.shape)))
        grads.append(strided_slice(g, low, high, (1,) * len(out.shape)))
        start += x.shape[place]
    return (grads,)


@gradient_of("pad")
def _(g: Any, out: Any, x: Any, padding: Any, interior: Any = None, value: float = 0.0) -> Any:
    step = tuple(1 + k for k in (interior or (0,) * len(padding)))
    start = tuple(lo for lo, _ in padding)
    stop = tuple(lo + (d - 1) * s + 1 if d else lo for (lo, _), d, s in zip(padding, x.shape, step, strict=True))
    return (strided_slice(g, start, stop, step),)


@gradient_of("strided_slice")
def _(g: Any, out: Any, x: Any, start: Any, stop: Any, step: Any) -> Any:
    padding = []
    for d, a, b, s in zip(x.shape, start, stop, step, strict=True):
        places = range(*slice(a, b, s).indices(d))
        covered = (len(places) - 1) * s + 1 if len(places) else 0
        low = places.start if len(places) else 0
        padding.append((low, d - low - covered))
    gaps = tuple(s - 1 for s in step)
    return (pad(g, tuple(padding), gaps if any(gaps) else None),)


@gradient_of("gather")
def _(g: Any, out: Any, reference: Any, indices: Any, axis: int = 0) -> Any:
    return indexing.scatter_add(g, indices, reference.shape[axis], axis % len(reference.shape)), None


@gradient_of("scatter_add")
def _(g: Any, out: Any, updates: Any, indices: Any, size: int, axis: int = 0) -> Any:
    return indexing.gather(g, indices, axis=axis), None


@gradient_of("take_along_axis")
def _(g: Any, out: Any, x: Any, indices: Any, axis: int = -1) -> Any:
    """The picks of each index, as vectors of zeros and a one, weighted by their gradients."""
    place, ndim = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    to_last = (*(i for i in range(ndim) if i != place), place)
    back = tuple(int(i) for i in np.argsort(to_last))
    g, indices = permute_dimensions(g, to_last), permute_dimensions(indices, to_last)
    hot = indexing.one_hot(indices, x.shape[place], g.dtype)
    return permute_dimensions(sum(multiply(hot, arrangement.expand_dims(g, -1)), axis=-2), back), None
