"""Random numbers that are a function of (seed, stream, counter).

A stream has a generator that can jump, made anew when the seed is not that of the draw before. Draw number `counter`
starts 2**40 words after the one before it, so a step may draw that many numbers and a run may take 2**88 steps before
anything meets. Dropout compares 16 random bits with a threshold: a quarter of the random words that floats would cost.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

_STRIDE = 1 << 40
_PERIOD = 1 << 128
_NONE: Any = (None, None, None, None)


class Noise:
    """Draws for one stream."""

    def __init__(self, stream: int):
        self.stream = stream
        self._here = threading.local()

    def at(self, counter: Any, seed: Any) -> np.random.Generator:
        """A generator at the start of the draw `counter` of a seed."""
        here, seed = self._here, int(seed)
        bits, generator, origin, known = getattr(here, "source", _NONE)
        if known != seed:
            bits = np.random.PCG64DXSM([seed, self.stream])
            generator, origin = np.random.Generator(bits), bits.state
            here.source = bits, generator, origin, seed
        bits.state = origin
        bits.advance((int(counter) * _STRIDE) % _PERIOD)
        return generator

    def uniform(self, counter: Any, seed: Any, out: np.ndarray) -> np.ndarray:
        """Floats in [0, 1), into a contiguous float32 or float64 array."""
        self.at(counter, seed).random(None, out.dtype, out)
        return out

    def normal(self, counter: Any, seed: Any, out: np.ndarray) -> np.ndarray:
        """Normal floats, into a contiguous float32 or float64 array."""
        self.at(counter, seed).standard_normal(None, out.dtype, out)
        return out

    def words(self, counter: Any, seed: Any, count: int) -> np.ndarray:
        """`count` random 16-bit numbers."""
        raw = self.at(counter, seed).bit_generator.random_raw(-(-count // 4))
        return raw.view(np.uint16)[:count]


def plan_keep_mask(shape: tuple[int, ...], rate: float, dtype: Any, stream: int) -> Any:
    """`run(counter, seed, out)`: 0 with probability `rate`, else 1 / (probability to keep), to 16 bits."""
    noise = Noise(stream)
    dropped = min(round(rate * 65536), 65535)
    threshold, scale = np.array(dropped, np.uint16), np.array(65536 / (65536 - dropped), dtype)
    kept = np.empty(shape, bool)
    count = kept.size

    def run(counter: Any, seed: Any, out: np.ndarray) -> np.ndarray:
        np.greater_equal(noise.words(counter, seed, count).reshape(shape), threshold, kept)
        np.multiply(kept, scale, out)
        return out

    return run
