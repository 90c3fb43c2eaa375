"""Which cases and checks run: all of them, or fewer where an engine compiles each new program.

JAX and TensorFlow spend tenths of a second to compile what NumPy and torch just run. So by default such an engine is
asked what depends on it, on cases that are evenly chosen; what K does before any engine is used (configs, files,
gradient rules) is checked where it is quick. With `KERAS_FRONT_TEST_ALL=1` in the environment everything runs on every
backend; with `KERAS_FRONT_TEST_QUICK=1` every backend is asked as if it compiled.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from keras_front.backend import declare, discovery

T = TypeVar("T")
VARIABLE = "KERAS_FRONT_TEST_ALL"
QUICK = "KERAS_FRONT_TEST_QUICK"


def everything() -> bool:
    """Whether all cases and checks were asked for."""
    return os.environ.get(VARIABLE, "0") not in ("", "0")


def quick() -> bool:
    """Whether a choice was asked for that runs between two edits."""
    return os.environ.get(QUICK, "0") not in ("", "0") and not everything()


def has_compiler() -> bool:
    """Whether the active engine has a compiler of its own, so that every new program costs time."""
    return discovery.active().compiles


def reduced() -> bool:
    """Whether only a choice of cases runs on the active backend."""
    return quick() or (has_compiler() and not everything())


def of_the_engine(op: str) -> bool:
    """Whether the active adapter brings the op itself, rather than the ops that the body of the op calls."""
    return declare.OPS[op].kind == "primitive" or discovery.active().overrides(op)


def evenly(cases: Sequence[T], most: int) -> list[T]:
    """At most `most` of the cases, evenly chosen."""
    if len(cases) <= most:
        return list(cases)
    return [cases[i] for i in np.linspace(0, len(cases) - 1, most).astype(int)]


def some(cases: Sequence[T], most: int) -> list[T]:
    """All cases, or `most` evenly chosen ones where the choice is reduced."""
    return evenly(cases, most) if reduced() else list(cases)
