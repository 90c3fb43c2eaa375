"""Gradient rules of ops that arrange elements anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.gradients.table import GRADIENT, gradient_of
from keras_front.backend.ops.arrangement import flip, pad, permute_dimensions, reshape, strided_slice

GRADIENT.update(
    reshape=lambda g, out, x, shape: (reshape(g, x.shape),),
    broadcast_to=lambda g, out, x, shape: (g,),
    permute_dimensions=lambda g, out, x, pattern: (
        permute_dimensions(g, tuple(int(i) for i in np.argsort([p % len(pattern) for p in pattern]))),
    ),
    flip=lambda g, out, x, axes: (flip(g, axes),),
)


@gradient_of("concatenate")
def concatenate_vjp(g: Any, out: Any, xs: Any, axis: int = -1) -> Any:
    place, start, grads = shapes.normalize_axis(axis, len(out.shape)), 0, []
    for x in xs:
        low = tuple(start if i == place else None for i in range(len(out.shape)))
        high = tuple(start + x.shape[place] if i == place else None for i in range(len(out.shape)))
        grads.append(strided_slice(g, low, high, (1,) * len(out.shape)))
        start += x.shape[place]
    return (grads,)


@gradient_of("pad")
def pad_vjp(g: Any, out: Any, x: Any, padding: Any, interior: Any = None, value: float = 0.0) -> Any:
    step = tuple(1 + k for k in (interior or (0,) * len(padding)))
    start = tuple(lo for lo, _ in padding)
    stop = tuple(lo + (d - 1) * s + 1 if d else lo for (lo, _), d, s in zip(padding, x.shape, step, strict=True))
    return (strided_slice(g, start, stop, step),)


@gradient_of("strided_slice")
def strided_slice_vjp(g: Any, out: Any, x: Any, start: Any, stop: Any, step: Any) -> Any:
    padding = []
    for d, a, b, s in zip(x.shape, start, stop, step, strict=True):
        places = range(*slice(a, b, s).indices(d))
        covered = (len(places) - 1) * s + 1 if len(places) else 0
        low = places.start if len(places) else 0
        padding.append((low, d - low - covered))
    gaps = tuple(s - 1 for s in step)
    return (pad(g, tuple(padding), gaps if any(gaps) else None),)
