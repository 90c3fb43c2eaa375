"""Random numbers that are a function of (seed, stream, counter).

Each (seed, stream) has a generator that can jump; draw number `counter` starts 2**40 words after the one
before it, so a step may draw that many numbers and a run may take 2**88 steps before anything meets. Dropout
compares 16 random bits with a threshold: a quarter of the random words that floats would cost.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

_STRIDE = 1 << 40
_PERIOD = 1 << 128


class Noise:
    """Draws for one (seed, stream)."""

    def __init__(self, seed: int, stream: int):
        self.seed, self.stream = seed, stream
        self._here = threading.local()

    def at(self, counter: Any) -> np.random.Generator:
        """A generator at the start of the draw `counter`."""
        here = self._here
        try:
            bits, generator, origin = here.source
        except AttributeError:
            bits = np.random.PCG64DXSM([self.seed, self.stream])
            generator, origin = np.random.Generator(bits), bits.state
            here.source = bits, generator, origin
        bits.state = origin
        bits.advance((int(counter) * _STRIDE) % _PERIOD)
        return generator

    def uniform(self, counter: Any, out: np.ndarray) -> np.ndarray:
        """Floats in [0, 1), into a contiguous float32 or float64 array."""
        self.at(counter).random(None, out.dtype, out)
        return out

    def normal(self, counter: Any, out: np.ndarray) -> np.ndarray:
        """Normal floats, into a contiguous float32 or float64 array."""
        self.at(counter).standard_normal(None, out.dtype, out)
        return out

    def words(self, counter: Any, count: int) -> np.ndarray:
        """`count` random 16-bit numbers."""
        raw = self.at(counter).bit_generator.random_raw(-(-count // 4))
        return raw.view(np.uint16)[:count]


def plan_keep_mask(shape: tuple[int, ...], rate: float, dtype: Any, seed: int, stream: int) -> Any:
    """`run(counter, out)`: 0 with probability `rate`, else 1 / (probability to keep), to 16 bits."""
    noise = Noise(seed, stream)
    dropped = min(round(rate * 65536), 65535)
    threshold, scale = np.array(dropped, np.uint16), np.array(65536 / (65536 - dropped), dtype)
    kept = np.empty(shape, bool)
    count = kept.size

    def run(counter: Any, out: np.ndarray) -> np.ndarray:
        np.greater_equal(noise.words(counter, count).reshape(shape), threshold, kept)
        np.multiply(kept, scale, out)
        return out

    return run
