"""How many windows fit into images."""

from __future__ import annotations

from collections.abc import Sequence

Pairs = Sequence[tuple[int, int]]


def out_space(
    space: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Pairs, dilation: Sequence[int]
) -> tuple[int, ...]:
    """How many windows fit along each spatial axis."""
    return tuple(
        max(0, (n + lo + hi - d * (w - 1) - 1) // s + 1)
        for n, w, s, (lo, hi), d in zip(space, window, strides, padding, dilation, strict=True)
    )
