"""Depthwise convolution: each channel with its own kernels, so no product of matrices but sums over window places.

One `einsum` over an overlapping view of some images multiplies and adds in one pass; an operation of whole arrays for
each place of the window takes two, and three times as long. The last spatial axis and the channels are one axis of
the view where the stride allows it: its inner loop is then as long as a row of the image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .space import Pairs, out_space

BLOCK_BYTES = 1 << 19
_WINDOW, _PLACES = "abc", "xyzk"


class Taps:
    """Images of `shape`, their windows, and the taps of a kernel with `filters` channels laid out beside a row.

    Images with fewer channels than filters have each channel repeated.
    """

    def __init__(
        self, shape: Sequence[int], window: Sequence[int], filters: int, strides: Sequence[int], padding: Pairs,
        dilation: Sequence[int], dtype: Any,
    ):  # fmt: skip
        batch, *space, channels = shape
        self.window, self.strides, self.dilation, self.filters = tuple(window), tuple(strides), dilation, filters
        self.padding, self.batch, self.times, self.dtype = tuple(padding), batch, filters // channels, np.dtype(dtype)
        self.out = out_space(space, window, strides, padding, dilation)
        self.padded = tuple(n + lo + hi for n, (lo, hi) in zip(space, padding, strict=True))
        image = math.prod(self.padded) * filters * self.dtype.itemsize
        self.images = max(1, min(batch, BLOCK_BYTES // max(image, 1)))
        self.merged = self.strides[-1] == 1
        row = (self.out[-1], filters) if self.merged else (filters,)
        self.taps = np.empty((*window, *row), dtype)
        self.row = (math.prod(row),)
        n = len(window)
        self.places = "n" + (_PLACES[: n - 1] if self.merged else _PLACES[:n]) + "k"
        self.spots = _WINDOW[:n]
        self._frame: Any = None

    def blocks(self) -> Iterator[slice]:
        """The images of each block."""
        if 0 in self.out:
            return
        for i in range(0, self.batch, self.images):
            yield slice(i, min(i + self.images, self.batch))

    def lay(self, kernel: np.ndarray) -> np.ndarray:
        """The taps of a kernel (window..., depth, filters / depth) as (window..., row)."""
        taps = kernel.reshape(*self.window, self.filters)
        np.copyto(self.taps, taps[..., None, :] if self.merged else taps)
        return self.taps.reshape(*self.window, *self.row)

    @property
    def frame(self) -> np.ndarray:
        """Memory for some padded images; the padding is 0."""
        if self._frame is None:
            self._frame = np.zeros((self.images, *self.padded, self.filters), self.dtype)
        return self._frame

    def inside(self, frame: np.ndarray) -> np.ndarray:
        """The part of padded images that is no padding."""
        return frame[(slice(None), *(slice(lo, n - hi) for n, (lo, hi) in zip(self.padded, self.padding)))]

    def load(self, x: np.ndarray) -> np.ndarray:
        """Images with padding and with as many channels as there are filters, contiguous."""
        if self.times == 1 and x.flags.c_contiguous and not any(map(any, self.padding)):
            return x
        frame = self.frame[: len(x)]
        inside = self.inside(frame)
        if self.times == 1:
            np.copyto(inside, x)
        else:
            np.copyto(_split(inside, self.times), x[..., None])
        return frame

    def view(self, frame: np.ndarray, apart: bool = False) -> np.ndarray:
        """All windows (images, out..., row, window...), sharing memory; `apart` keeps columns and channels apart."""
        n = len(self.window)
        batch, space, item = frame.strides[0], frame.strides[1 : n + 1], frame.strides[-1]
        steps = [s * t for s, t in zip(space, self.strides, strict=True)]
        gaps = [s * d for s, d in zip(space, self.dilation, strict=True)]
        if self.merged and not apart:
            shape = (len(frame), *self.out[:-1], *self.row, *self.window)
            return as_strided(frame, shape, (batch, *steps[:-1], item, *gaps))
        shape = (len(frame), *self.out, self.filters, *self.window)
        return as_strided(frame, shape, (batch, *steps, item, *gaps))

    def rows(self, y: np.ndarray) -> np.ndarray:
        """Some results (images, out..., filters) with the axes that `view` has, sharing memory."""
        return y.reshape(len(y), *(self.out[:-1] if self.merged else self.out), *self.row)


def plan_forward(
    finish: Callable[..., None], x_shape: Any, kernel_shape: Any, strides: Any, padding: Any, dilation: Any, dtype: Any
) -> Callable[..., None]:
    """`run(x, kernel, *vectors, out)`; `finish(block, vectors)` is called for some images of the result at a time."""
    taps = Taps(x_shape, kernel_shape[:-2], kernel_shape[-1], strides, padding, dilation, dtype)
    joined = f"{taps.places}{taps.spots},{taps.spots}k->{taps.places}"

    def run(x: np.ndarray, kernel: np.ndarray, *rest: np.ndarray) -> None:
        *vectors, out = rest
        beside = taps.lay(kernel)
        for images in taps.blocks():
            np.einsum(joined, taps.view(taps.load(x[images])), beside, out=taps.rows(out[images]))
            finish(out[images], vectors)

    return run


def plan_kernel_gradient(
    x_shape: Any, kernel_shape: Any, strides: Any, padding: Any, dilation: Any, dtype: Any
) -> Callable[..., None]:
    """`run(x, g, out)`."""
    taps = Taps(x_shape, kernel_shape[:-2], kernel_shape[-1], strides, padding, dilation, dtype)
    joined, places = f"{taps.places},{taps.places}->k", list(np.ndindex(*taps.window))
    part, total = np.empty(taps.row, dtype), np.empty((*taps.window, *taps.row), dtype)

    def run(x: np.ndarray, g: np.ndarray, out: np.ndarray) -> None:
        total.fill(0)
        for images in taps.blocks():
            view, seen = taps.view(taps.load(x[images])), taps.rows(g[images])
            for place in places:
                np.einsum(joined, view[(..., *place)], seen, out=part)
                np.add(total[place], part, total[place])
        columns = total.reshape(*taps.window, -1, taps.filters)
        np.add.reduce(columns, -2, None, out.reshape(*taps.window, taps.filters))  # type: ignore[call-overload]

    return run


def plan_input_gradient(
    x_shape: Any, kernel_shape: Any, strides: Any, padding: Any, dilation: Any, dtype: Any
) -> Callable[..., None]:
    """`run(g, kernel, out)`, `out` of shape `x_shape`: with strides of 1 the mirrored kernel on the padded gradient."""
    window = kernel_shape[:-2]
    mirrored = [(d * (w - 1) - lo, d * (w - 1) - hi) for w, d, (lo, hi) in zip(window, dilation, padding, strict=True)]
    if set(strides) == {1} and min(v for pair in mirrored for v in pair) >= 0:
        return _plan_mirrored(x_shape, kernel_shape, padding, mirrored, dilation, dtype)
    return _plan_scatter(x_shape, kernel_shape, strides, padding, dilation, dtype)


def _plan_mirrored(
    x_shape: Any, kernel_shape: Any, padding: Any, mirrored: Any, dilation: Any, dtype: Any
) -> Callable[..., None]:
    *window, _, filters = kernel_shape
    ones, times = (1,) * len(window), filters // x_shape[-1]
    space = out_space(x_shape[1:-1], window, ones, padding, dilation)
    taps = Taps((x_shape[0], *space, filters), window, filters, ones, mirrored, dilation, dtype)
    joined = f"{taps.places}{taps.spots},{taps.spots}k->{taps.places}"
    backwards = (slice(None, None, -1),) * len(window)
    wide = np.empty((taps.images, *x_shape[1:-1], filters), dtype) if times > 1 else None

    def run(g: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> None:
        if 0 in space:
            out.fill(0)
            return
        beside = taps.lay(kernel[backwards])
        for images in taps.blocks():
            target = out[images] if wide is None else wide[: images.stop - images.start]
            np.einsum(joined, taps.view(taps.load(g[images])), beside, out=taps.rows(target))
            if wide is not None:
                _sum_copies(target, out[images])

    return run


def _sum_copies(wide: np.ndarray, out: np.ndarray) -> None:
    """The channels of `wide` that were repeated, added up."""
    copies = wide.reshape(*out.shape, wide.shape[-1] // max(out.shape[-1], 1))
    np.add.reduce(copies, -1, None, out)  # type: ignore[call-overload]


def _plan_scatter(
    x_shape: Any, kernel_shape: Any, strides: Any, padding: Any, dilation: Any, dtype: Any
) -> Callable[..., None]:
    """Each place of the window multiplied back and added where it came from."""
    taps = Taps(x_shape, kernel_shape[:-2], kernel_shape[-1], strides, padding, dilation, dtype)
    places, plain = list(np.ndindex(*taps.window)), taps.times == 1 and not any(map(any, padding))
    product = np.empty((taps.images, *taps.out, taps.filters), dtype)

    def run(g: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> None:
        if 0 in taps.out:
            out.fill(0)
        flat = kernel.reshape(*taps.window, taps.filters)
        for images in taps.blocks():
            part = product[: images.stop - images.start]
            frame = out[images] if plain else taps.frame[: len(part)]
            frame.fill(0)
            view = taps.view(frame, apart=True)
            for place in places:
                np.multiply(g[images], flat[place], part)
                np.add(view[(..., *place)], part, view[(..., *place)])
            if not plain:
                _unframe(taps, frame, out[images])

    return run


def _unframe(taps: Taps, frame: np.ndarray, out: np.ndarray) -> None:
    """The inside of padded images, their repeated channels added up; the padding is 0 again afterwards."""
    inside = taps.inside(frame)
    if taps.times == 1:
        np.copyto(out, inside)
    else:
        np.add.reduce(inside.reshape(*out.shape, taps.times), -1, None, out)  # type: ignore[call-overload]
    frame.fill(0)


def _split(wide: np.ndarray, times: int) -> np.ndarray:
    """A view with the copies of each channel in an axis of their own."""
    shape = (*wide.shape[:-1], wide.shape[-1] // times, times)
    return as_strided(wide, shape, (*wide.strides[:-1], wide.strides[-1] * times, wide.strides[-1]))
