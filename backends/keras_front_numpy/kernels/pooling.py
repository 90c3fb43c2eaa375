"""Maximum and average pooling: one operation of whole arrays for each place of the window, some images at a time.

A window is a set of strided views of the (padded) images; so a forward pass is a chain of maxima or sums,
first along one axis and then along the next, and a gradient is written through the same views. Of equal
maxima the first in row-major order receives the gradient; padding neither wins a maximum nor counts in a
mean.

Each function that makes a kernel takes `shape`, that of the data (batch, spatial..., channels); `window` and
`strides`, a number for each spatial axis; `padding`, for each how many places stand before and behind; and `dtype`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .space import Pairs, out_space

BLOCK_BYTES = 1 << 19


class Frame:
    """Blocks of padded images, and the strided views of them that are the places of a window."""

    def __init__(self, shape: Sequence[int], window: Any, strides: Any, padding: Pairs, dtype: Any, fill: float):
        batch, *space, channels = shape
        self.shape, self.window, self.strides = tuple(shape), tuple(window), tuple(strides)
        self.out = out_space(space, window, strides, padding, (1,) * len(space))
        self.dtype, self.fill, self.padding = np.dtype(dtype), fill, tuple(padding)
        padded = [n + lo + hi for n, (lo, hi) in zip(space, padding, strict=True)]
        size = math.prod(padded) * channels * self.dtype.itemsize
        self.images = max(1, min(batch, BLOCK_BYTES // max(size, 1)))
        self.padded = any(p != (0, 0) for p in padding)
        if self.padded:
            self.block = np.full((self.images, *padded, channels), fill, dtype)
            cut = (slice(lo, n - hi) for n, (lo, hi) in zip(padded, padding, strict=True))
            self.inside = (slice(None), *cut)
        self.places = [self._place(p) for p in itertools.product(*map(range, self.window))]

    def _place(self, place: Sequence[int]) -> tuple[slice, ...]:
        spans = (slice(p, p + (n - 1) * s + 1, s) for p, n, s in zip(place, self.out, self.strides, strict=True))
        return (slice(None), *spans)

    def blocks(self) -> list[slice]:
        """The images of each block."""
        if 0 in self.out:
            return []
        return [slice(i, min(i + self.images, self.shape[0])) for i in range(0, self.shape[0], self.images)]

    def load(self, x: np.ndarray) -> np.ndarray:
        """A block with its padding."""
        if not self.padded:
            return x
        block = self.block[: len(x)]
        np.copyto(block[self.inside], x)
        return block


def _lowest(dtype: Any) -> Any:
    dtype = np.dtype(dtype)
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _plan_along(frame: Frame, join: Callable[..., Any]) -> Callable[[np.ndarray, np.ndarray], None]:
    """`run(block, out)`: the window joined axis by axis."""
    dims = [frame.images, *(n + lo + hi for n, (lo, hi) in zip(frame.shape[1:-1], frame.padding)), frame.shape[-1]]
    last = len(frame.window) - 1
    steps = []
    for axis, (w, s, n) in enumerate(zip(frame.window, frame.strides, frame.out, strict=True)):
        dims[axis + 1] = n
        lead = (slice(None),) * (axis + 1)
        views = [(*lead, slice(p, p + (n - 1) * s + 1, s)) for p in range(w)]
        steps.append((views, None if axis == last else np.empty(dims, frame.dtype)))

    def run(block: np.ndarray, out: np.ndarray) -> None:
        for views, scratch in steps:
            target = out if scratch is None else scratch[: len(block)]
            if len(views) == 1:
                np.copyto(target, block[views[0]])
            else:
                join(block[views[0]], block[views[1]], out=target)
            for view in views[2:]:
                join(target, block[view], out=target)
            block = target

    return run


def plan_max_pool(
    shape: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Pairs, dtype: Any = "float32"
) -> Callable[..., None]:
    """`run(x, out)`."""
    frame = Frame(shape, window, strides, padding, dtype, _lowest(dtype))
    join = _plan_along(frame, np.maximum)

    def run(x: np.ndarray, out: np.ndarray) -> None:
        for images in frame.blocks():
            join(frame.load(x[images]), out[images])

    return run


def _windows_cover(frame: Frame) -> bool:
    """Whether every element lies in exactly one window."""
    fits = all(n % w == 0 for n, w in zip(frame.shape[1:-1], frame.window, strict=True))
    return fits and not frame.padded and tuple(frame.strides) == tuple(frame.window)


def _bits(array: np.ndarray) -> np.ndarray:
    """The array as integers: times 0 and 1 as an integer an infinity becomes 0, not NaN."""
    return array.view(np.dtype(f"i{array.itemsize}"))


def _spread_to_windows_apart(
    frame: Frame, block: np.ndarray, top: np.ndarray, target: np.ndarray, hit: np.ndarray, rest: np.ndarray, _: Any
) -> None:
    """Write `rest` to the first place of each window where `block` equals `top`, and 0 to the others."""
    whole, rest = _bits(target), _bits(rest)
    for place in frame.places:
        np.equal(block[place], top, hit)
        np.multiply(rest, hit, whole[place])
        np.subtract(rest, whole[place], rest)


def _spread_to_overlapping_windows(
    frame: Frame,
    block: np.ndarray,
    top: np.ndarray,
    target: np.ndarray,
    hit: np.ndarray,
    rest: np.ndarray,
    share: np.ndarray,
) -> None:
    """Add `rest` to the first place of each window where `block` equals `top`."""
    rest, part = _bits(rest), _bits(share)
    for place in frame.places:
        np.equal(block[place], top, hit)
        np.multiply(rest, hit, part)
        np.subtract(rest, part, rest)
        np.add(target[place], share, target[place])


def plan_max_pool_gradient(
    shape: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Pairs, dtype: Any = "float32"
) -> Callable[..., None]:
    """`run(x, y, g, out)`, where `y` is the pooled x: what is left of g goes to the first place that equals y."""
    frame = Frame(shape, window, strides, padding, dtype, _lowest(dtype))
    apart = all(s >= w for w, s in zip(window, strides, strict=True))
    covers = _windows_cover(frame)
    small = (frame.images, *frame.out, shape[-1])
    hit, rest, share = np.empty(small, bool), np.empty(small, dtype), np.empty(small, dtype)
    back = np.empty_like(frame.block) if frame.padded else None
    spread = _spread_to_windows_apart if apart else _spread_to_overlapping_windows

    def run(x: np.ndarray, y: np.ndarray, g: np.ndarray, out: np.ndarray) -> None:
        if 0 in frame.out:
            out.fill(0)
        for images in frame.blocks():
            block, top, n = frame.load(x[images]), y[images], images.stop - images.start
            target = out[images] if back is None else back[:n]
            if not covers:
                target.fill(0)
            np.copyto(rest[:n], g[images])
            spread(frame, block, top, target, hit[:n], rest[:n], share[:n])
            if back is not None:
                np.copyto(out[images], target[frame.inside])

    return run


def plan_max_pool_pick(
    shape: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Pairs, dtype: Any = "float32"
) -> Callable[..., None]:
    """`run(x, y, values, out)`: the elements of `values`, shaped as x, from where x has its maxima y."""
    frame = Frame(shape, window, strides, padding, dtype, _lowest(dtype))
    other = Frame(shape, window, strides, padding, dtype, 0)
    small = (frame.images, *frame.out, shape[-1])
    hit, free = np.empty(small, bool), np.empty(small, bool)

    def run(x: np.ndarray, y: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
        for images in frame.blocks():
            block, source, n = frame.load(x[images]), other.load(values[images]), images.stop - images.start
            h, f, target = hit[:n], free[:n], out[images]
            f.fill(True)
            target.fill(0)
            for place in frame.places:
                np.equal(block[place], y[images], h)
                np.logical_and(h, f, h)
                np.copyto(target, source[place], where=h)
                np.logical_xor(f, h, f)

    return run


def _inverse_counts(frame: Frame) -> np.ndarray:
    """1 / (elements of each window that are no padding), shaped (out..., 1)."""
    counts = np.ones((), "float64")
    sizes = zip(frame.shape[1:-1], frame.out, frame.window, frame.strides, frame.padding, strict=True)
    for size, out, window, stride, (low, _) in sizes:
        start = np.arange(out) * stride - low
        inside = np.minimum(start + window, size) - np.maximum(start, 0)
        counts = np.multiply.outer(counts, inside)
    return (1.0 / np.maximum(counts, 1)).astype(frame.dtype)[..., None]


def plan_average_pool(
    shape: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Pairs, dtype: Any = "float32"
) -> Callable[..., None]:
    """`run(x, out)`."""
    frame = Frame(shape, window, strides, padding, dtype, 0)
    join, scale = _plan_along(frame, np.add), _inverse_counts(frame)

    def run(x: np.ndarray, out: np.ndarray) -> None:
        for images in frame.blocks():
            target = out[images]
            join(frame.load(x[images]), target)
            np.multiply(target, scale, target)

    return run


def plan_average_pool_gradient(
    shape: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Pairs, dtype: Any = "float32"
) -> Callable[..., None]:
    """`run(g, out)`; `shape` and `out` are the input's."""
    frame = Frame(shape, window, strides, padding, dtype, 0)
    scale = _inverse_counts(frame)
    share = np.empty((frame.images, *frame.out, shape[-1]), dtype)

    def run(g: np.ndarray, out: np.ndarray) -> None:
        if 0 in frame.out:
            out.fill(0)
        for images in frame.blocks():
            n = images.stop - images.start
            target, s = (frame.block[:n] if frame.padded else out[images]), share[:n]
            target.fill(0)
            np.multiply(g[images], scale, s)
            for place in frame.places:
                view = target[place]
                np.add(view, s, view)
            if frame.padded:
                np.copyto(out[images], target[frame.inside])

    return run
