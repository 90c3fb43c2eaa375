"""Convolution of one to three spatial dimensions as products of matrices, a cache-sized block at a time.

The windows of some images are copied into a scratch matrix that stays in the second-level cache, and
multiplied with the kernel there: as fast as the product alone, while one matrix for the whole batch costs
more in memory traffic than it saves in calls. `docs/decisions/0004-numpy-planner-and-convolution.md` has the
candidates and their times.

Data is (batch, spatial..., channels), kernels are (spatial..., channels / groups, filters). Each function that makes a
kernel takes:

- `x_shape`, `kernel_shape`: the shapes of data and kernel;
- `strides`, `dilation`: for each spatial axis the steps between windows, and between the places of a window;
- `padding`: for each spatial axis how many zeros stand before and behind;
- `groups`: into how many groups channels and filters are divided; as many as channels is depthwise convolution;
- `dtype`: that of all arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from . import depthwise
from .space import Pairs, out_space

BLOCK_BYTES = 1 << 20


class Windows:
    """The windows of images as rows of a matrix; `blocks` of it are cut one after the other into the same scratch.

    A block is some images, or a band of one image (along the first spatial axis of the result) where one is large.
    """

    def __init__(
        self, shape: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Pairs,
        dilation: Sequence[int], groups: int, dtype: Any,
    ):  # fmt: skip
        self.shape, self.window, self.strides, self.dilation = (
            tuple(shape),
            tuple(window),
            tuple(strides),
            tuple(dilation),
        )
        self.padding, self.groups = tuple(padding), groups
        batch, *space, channels = shape
        self.out = out_space(space, window, strides, padding, dilation)
        self.width = math.prod(window) * channels // groups
        image = math.prod(self.out) * self.width * groups * np.dtype(dtype).itemsize
        self.images = max(1, min(batch, BLOCK_BYTES // max(image, 1)))
        bands = 1 if self.images > 1 or not self.out[0] else min(self.out[0], -(-image // (4 * BLOCK_BYTES)))
        self.band = -(-self.out[0] // bands) if bands else 0
        self.padded = any(p != (0, 0) for p in padding)
        self.plain = not self.padded and set(self.window) == {1} == set(self.strides) and groups == 1
        if self.padded:
            padded = [n + lo + hi for n, (lo, hi) in zip(space, padding, strict=True)]
            self.frame = np.zeros((self.images, *padded, channels), dtype)
        if not self.plain:
            rows = (self.images, self.band, *self.out[1:])
            self.columns = np.empty((groups, *rows, *window, channels // groups), dtype)

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """(images, band) of each block."""
        if 0 in self.out:
            return
        for i in range(0, self.shape[0], self.images):
            images = slice(i, min(i + self.images, self.shape[0]))
            for r in range(0, self.out[0], self.band):
                yield images, slice(r, min(r + self.band, self.out[0]))

    def view(self, x: np.ndarray) -> np.ndarray:
        """All windows of `x` as an overlapping view (groups, images, out..., window..., channels / groups)."""
        n = len(self.window)
        batch, space, depth = x.strides[0], x.strides[1 : n + 1], x.strides[n + 1]
        steps = (s * t for s, t in zip(space, self.strides, strict=True))
        gaps = (s * d for s, d in zip(space, self.dilation, strict=True))
        size = x.shape[-1] // self.groups
        shape = (self.groups, x.shape[0], *self.out, *self.window, size)
        return as_strided(x, shape, (depth * size, batch, *steps, *gaps, depth))

    def matrices(self, x: np.ndarray) -> Iterator[tuple[np.ndarray, slice, slice]]:
        """(matrix, images, band): the windows of each block as (groups, rows, width); the memory is used again."""
        source = None if self.padded else self.view(x)
        last = None
        for images, band in self.blocks():
            if self.padded and images != last:
                source, last = self.view(self._framed(x[images])), images
            cut = source[:, :, band] if self.padded else source[:, images, band]  # type: ignore[index]
            if self.plain:
                matrix = x[images, band].reshape(1, -1, self.width)
            else:
                held = self.columns[:, : cut.shape[1], : cut.shape[2]]
                np.copyto(held, cut)
                matrix = held.reshape(self.groups, -1, self.width)
            yield matrix, images, band

    def _framed(self, x: np.ndarray) -> np.ndarray:
        frame = self.frame[: x.shape[0]]
        np.copyto(self.inside(frame), x)
        return frame

    def inside(self, frame: np.ndarray) -> np.ndarray:
        """The part of a padded block that is no padding."""
        return frame[(slice(None), *(slice(lo, size - hi) for size, (lo, hi) in zip(frame.shape[1:-1], self.padding)))]


def _rows(y: np.ndarray, images: slice, band: slice, groups: int) -> np.ndarray:
    """A block of the result as (groups, rows, filters / groups), sharing memory."""
    block = y[images, band] if y.ndim > 2 else y[images]
    return block.reshape(-1, groups, y.shape[-1] // groups).transpose(1, 0, 2)


def plan_forward(
    x_shape: Sequence[int], kernel_shape: Sequence[int], strides: Sequence[int], padding: Pairs,
    dilation: Sequence[int], groups: int = 1, dtype: Any = "float32", tail: Sequence[str] = (),
) -> Callable[..., None]:  # fmt: skip
    """`run(x, kernel, *vectors, out)`: the convolution; `out` is (batch, out_space(...), filters), contiguous.

    Args:
        x_shape, kernel_shape, strides, padding, dilation, groups, dtype: As the module says.
        tail: What happens to each block of the result while it is in the cache: 'add' and 'multiply', which take a
            vector (filters,) each, and 'relu'.
    """
    finish = _plan_tail(tail)
    if groups > 1 and groups == x_shape[-1]:
        return depthwise.plan_forward(finish, x_shape, kernel_shape, strides, padding, dilation, dtype)
    windows = Windows(x_shape, kernel_shape[:-2], strides, padding, dilation, groups, dtype)

    def run(x: np.ndarray, kernel: np.ndarray, *rest: np.ndarray) -> None:
        *vectors, out = rest
        matrix = _by_group(kernel, groups)
        for rows, images, band in windows.matrices(x):
            np.matmul(rows, matrix, _rows(out, images, band, groups))
            if tail:
                finish(out[images, band], vectors)

    return run


def _plan_tail(tail: Sequence[str]) -> Callable[[np.ndarray, Sequence[np.ndarray]], None]:
    def finish(block: np.ndarray, vectors: Sequence[np.ndarray]) -> None:
        left = iter(vectors)
        for op in tail:
            if op == "add":
                np.add(block, next(left), block)
            elif op == "multiply":
                np.multiply(block, next(left), block)
            else:
                np.maximum(block, 0, out=block)

    return finish


def _by_group(kernel: np.ndarray, groups: int) -> np.ndarray:
    """A kernel as (groups, width, filters / groups)."""
    return kernel.reshape(-1, groups, kernel.shape[-1] // groups).transpose(1, 0, 2)


def plan_kernel_gradient(
    x_shape: Sequence[int], kernel_shape: Sequence[int], strides: Sequence[int], padding: Pairs,
    dilation: Sequence[int], groups: int = 1, dtype: Any = "float32",
) -> Callable[..., None]:  # fmt: skip
    """`run(x, g, out)`: the gradient for the kernel. The windows are cut again: that costs less than keeping them."""
    if groups > 1 and groups == x_shape[-1]:
        return depthwise.plan_kernel_gradient(x_shape, kernel_shape, strides, padding, dilation, dtype)
    windows = Windows(x_shape, kernel_shape[:-2], strides, padding, dilation, groups, dtype)
    part = np.empty((groups, windows.width, kernel_shape[-1] // groups), dtype)
    total = np.empty_like(part)

    def run(x: np.ndarray, g: np.ndarray, out: np.ndarray) -> None:
        total.fill(0)
        for rows, images, band in windows.matrices(x):
            np.matmul(rows.transpose(0, 2, 1), _rows(g, images, band, groups), part)
            np.add(total, part, total)
        np.copyto(_by_group(out, groups), total)

    return run


def plan_input_gradient(
    x_shape: Sequence[int], kernel_shape: Sequence[int], strides: Sequence[int], padding: Pairs,
    dilation: Sequence[int], groups: int = 1, dtype: Any = "float32",
) -> Callable[..., None]:  # fmt: skip
    """`run(g, kernel, out)`: the gradient for the input, `out` of shape `x_shape`.

    With strides of 1 it is the convolution of the padded gradient with the mirrored kernel; otherwise each window is
    multiplied back and added where it came from.
    """
    window = kernel_shape[:-2]
    if groups > 1 and groups == x_shape[-1]:
        return depthwise.plan_input_gradient(x_shape, kernel_shape, strides, padding, dilation, dtype)
    mirrored = [(d * (w - 1) - lo, d * (w - 1) - hi) for w, d, (lo, hi) in zip(window, dilation, padding, strict=True)]
    spills = min((v for pair in mirrored for v in pair), default=0) < 0
    if set(strides) == {1} and not spills and kernel_shape[-2] > 1:
        return _plan_mirrored(x_shape, kernel_shape, padding, mirrored, dilation, groups, dtype)
    return _plan_scatter(x_shape, kernel_shape, strides, padding, dilation, groups, dtype)


def _plan_mirrored(
    x_shape: Sequence[int], kernel_shape: Sequence[int], padding: Pairs, mirrored: Pairs, dilation: Sequence[int],
    groups: int, dtype: Any,
) -> Callable[..., None]:  # fmt: skip
    *window, depth, filters = kernel_shape
    ones = (1,) * len(window)
    g_shape = (x_shape[0], *out_space(x_shape[1:-1], window, ones, padding, dilation), filters)
    windows = Windows(g_shape, window, ones, mirrored, dilation, groups, dtype)
    turned = np.empty((groups, *window, filters // groups, depth), dtype)
    backwards = (slice(None, None, -1),) * len(window)
    n = len(window)

    def run(g: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> None:
        split = kernel[backwards].reshape(*window, depth, groups, filters // groups)
        np.copyto(turned, split.transpose(n + 1, *range(n), n + 2, n))
        matrix = turned.reshape(groups, -1, depth)
        for rows, images, band in windows.matrices(g):
            np.matmul(rows, matrix, _rows(out, images, band, groups))

    return run


def _plan_scatter(
    x_shape: Sequence[int], kernel_shape: Sequence[int], strides: Sequence[int], padding: Pairs,
    dilation: Sequence[int], groups: int, dtype: Any,
) -> Callable[..., None]:  # fmt: skip
    window = kernel_shape[:-2]
    windows = Windows(x_shape, window, strides, padding, dilation, groups, dtype)
    places = list(np.ndindex(*window))
    depth = kernel_shape[-2]
    rows_shape = (groups, windows.images, windows.band, *windows.out[1:], *window, depth)
    columns = np.empty(rows_shape, dtype)

    def run(g: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> None:
        matrix = _by_group(kernel, groups).transpose(0, 2, 1)
        out.fill(0)
        last: Any = None
        frame: Any = None
        for images, band in windows.blocks():
            if windows.padded and images != last:
                if last is not None:
                    np.copyto(out[last], windows.inside(frame))
                frame, last = windows.frame[: images.stop - images.start], images
                frame.fill(0)
            target = windows.view(frame if windows.padded else out[images])[:, :, band]  # type: ignore[arg-type]
            back = columns[:, : target.shape[1], : target.shape[2]]
            np.matmul(_rows(g, images, band, groups), matrix, back.reshape(groups, -1, windows.width))
            for place in places:
                at = (..., *place, slice(None))
                np.add(target[at], back[at], target[at])
        if last is not None:
            np.copyto(out[last], windows.inside(frame))

    return run
