"""Streams of random numbers: the one source of randomness (one seed, one run, on every backend).

What is drawn before a step (initial weights, shuffles, splits) is drawn here, on the host, so that it does
not depend on the engine. What is drawn inside a step comes from the engine, keyed by (seed, stream, step
counter); with `set_random_seed(seed, reproducible=True)` it is drawn here too (`noise`), at the price of a
copy to the device.

Every stream is counter-based (Philox; Salmon et al., 2011): its numbers follow from its key alone, not from
how many were drawn elsewhere before. The key of a generator is (seed, purpose, how many generators that
purpose has had).

If nobody sets a seed, one is drawn from NumPy's global state, once, at first use: `np.random.seed(1)` at the
top of an old script keeps its meaning. The children of a fork have that state too, and must not draw the same
numbers: the seed of the n-th child follows from that of its parent and from n. A seed that was set is that of all
children; set another one in each, if they shall differ.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet
from zlib import crc32

import numpy as np

from keras_front import config
from keras_front.errors import ArgumentError
from keras_front.tracebacks import api_boundary

_lock = threading.Lock()
_root: int | None = None
_reproducible = False
_used: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)
_followers: WeakSet[Any] = WeakSet()  # variables whose value is the seed
_drawn = False  # whether the seed was drawn, because nobody had set one
_children = 0  # how many processes were forked from this one
_descent: tuple[int, ...] = ()  # what number this process has among the children of its parent, and that one, and so on
_inherited: Any = None  # the seed that the parent had drawn, and NumPy's state, when this process was forked


@api_boundary
def set_random_seed(seed: int, reproducible: bool = False) -> None:
    """Start every stream of random numbers anew from `seed`.

    Initial weights, shuffles and splits then are the same on every backend. With `reproducible=True` so is
    the noise inside a step (dropout masks, for one), which is drawn on the host then and costs a copy to the
    device. Python's and NumPy's own generators are seeded too, for the script's data preparation.

    The noise inside the steps of a model follows from the seed and from how many steps that model has made: a seed that
    is set between two steps reaches the next one, which is compiled already, and the count goes on. For the same run
    again, make the model again.

    Args:
        seed: an integer from 0 to 2**63 - 1.
        reproducible: whether noise inside a step is the same on every backend too.

    Raises: ArgumentError unless `seed` is an integer from 0 to 2**63 - 1.
    Example:
        >>> set_random_seed(7)
        >>> a = generator("weights").normal(size=3)
        >>> set_random_seed(7)
        >>> bool((generator("weights").normal(size=3) == a).all())
        True
    """
    global _root, _reproducible, _drawn
    number = _checked_seed(seed)
    with _lock:
        _root, _reproducible, _drawn = number, bool(reproducible), False
        _used.clear()
    config.revise()
    _tell_followers()
    random.seed(number)
    np.random.seed(number % 2**32)  # NumPy's old generator takes 32 bits


def start_from(seed: int) -> None:
    """Make `seed` the seed of the run, unless it is that already; other generators and settings stay as they are.

    Args:
        seed: an integer from 0 to 2**63 - 1.
    """
    global _root
    if _root != seed:
        with _lock:
            _root = _checked_seed(seed)
            _used.clear()
        _tell_followers()


@contextmanager
def temporary_seed(seed: int) -> Iterator[None]:
    """A block with streams that start from a seed; after it those from before go on where they were.

    Python's and NumPy's own generators are left alone. Like the seed itself it counts for all threads.

    Args:
        seed: an integer from 0 to 2**63 - 1.

    Raises: ArgumentError unless `seed` is an integer from 0 to 2**63 - 1.
    """
    global _root, _used
    number = _checked_seed(seed)
    with _lock:
        before = _root, _used
        _root, _used = number, defaultdict(itertools.count)
    _tell_followers()
    try:
        yield
    finally:
        with _lock:
            _root, _used = before
        _tell_followers()


def root_seed() -> int:
    """The seed that all streams follow from; drawn now if there is none yet."""
    global _root, _drawn
    if _root is None:
        with _lock:
            if _root is None:
                chosen = config.setting("seed").value
                _drawn = chosen is None
                _root = chosen if chosen is not None else _draw_root()
    return _root


def _draw_root() -> int:
    """A seed from NumPy's state; in a child of a fork that has not seeded it, one that its siblings do not draw."""
    if _inherited is not None:
        root, key = _inherited
        if np.array_equal(_numpy_key(), key):
            source = int(np.random.randint(2**31 - 1)) if root is None else root
            return int(np.random.SeedSequence([source, *_descent]).generate_state(1)[0] >> 1)
    return int(np.random.randint(2**31 - 1))


def _numpy_key() -> Any:
    """What `np.random.seed` changes in NumPy's state, and a few draws do not."""
    return np.random.get_state()[1]  # type: ignore[index]


def before_fork() -> None:
    """Count the children that are forked from this process."""
    global _children
    _children += 1


def after_fork() -> None:
    """In a child process: draw another seed than the parent and its other children, if nobody has set one."""
    global _lock, _root, _children, _descent, _inherited
    _lock = threading.Lock()  # a thread that is not here may have held it
    _descent, _children = (_children, *_descent), 0
    if _root is None or _drawn:
        _inherited = _root, _numpy_key()
        _root = None
        for variable in list(_followers):
            variable.begin_anew(lambda: np.asarray(root_seed(), "int64"))


def reproducible() -> bool:
    """Whether the noise inside a step is drawn on the host, so that it is the same on every backend."""
    return _reproducible


def trace_key() -> tuple[Any, ...]:
    """What of this module becomes part of a program when a function is traced.

    Returns: where noise is drawn. The seed is an argument of programs.
    """
    return (_reproducible,)


def _tell_followers() -> None:
    for variable in list(_followers):
        variable.set(np.asarray(root_seed(), "int64"))


def follow(variable: Any) -> Any:
    """Make a variable hold the run's seed from now on, and return it.

    Args:
        variable: an integer `Variable` of shape (). Whoever holds it drops it when it is needed no more.
    """
    _followers.add(variable)
    return variable


def generator(purpose: str, seed: int | None = None) -> np.random.Generator:
    """A new generator of NumPy's for a purpose.

    Args:
        purpose: 'weights', 'shuffle', 'split', ...: each has numbers of its own.
        seed: with one, the numbers depend on it and the purpose alone; otherwise on the seed of the run and on how many
            generators the purpose has had.

    Raises: ArgumentError unless `seed` is an integer from 0 to 2**63 - 1.

    Example:
        >>> int(generator("shuffle", seed=1).integers(100)) == int(generator("shuffle", seed=1).integers(100))
        True
    """
    if seed is not None:
        return _philox(_checked_seed(seed), crc32(purpose.encode()), 0)
    root = root_seed()  # before the count: it may have to be drawn
    return _philox(root, crc32(purpose.encode()), next_stream(purpose))


def next_stream(purpose: str = "op") -> int:
    """The next number of a purpose, counted from 0 since the seed was set.

    An op without a seed of its own takes one.
    """
    with _lock:
        return next(_used[purpose])


def next_step() -> int:
    """A number that no draw of noise has been keyed with since the seed was set."""
    return next_stream("step")


def noise(
    seed: int,
    stream: int,
    counter: int,
    shape: tuple[int, ...],
    kind: str = "uniform",
    dtype: str = "float32",
) -> np.ndarray:
    """Noise drawn on the host: a function of its arguments and of nothing else.

    'uniform' lies in [0, 1), 'normal' has mean 0 and deviation 1, 'truncated_normal' is drawn again beyond 2
    deviations.

    Args:
        seed: the seed of the run.
        stream: the number of the stream.
        counter: the number of the step.
        shape: the shape of the result.
        kind: the distribution.
        dtype: the name of the result's dtype.

    Shape: `shape`, in `dtype` ('float32' or 'float64'; other types are rounded from 'float32').
    Raises: ArgumentError for an unknown kind.
    """
    if kind not in _KINDS:
        raise ArgumentError(f"noise: expected one of {', '.join(_KINDS)}, received {kind!r}.")
    drawn = _KINDS[kind](_philox(seed, stream, counter), shape, "float64" if dtype == "float64" else "float32")
    return np.asarray(drawn, dtype)


def _philox(seed: int, stream: int, counter: int) -> np.random.Generator:
    key = np.array([seed, stream], dtype="uint64")
    start = np.array([0, 0, 0, counter], dtype="uint64")  # the last word: streams of 2**192 numbers do not meet
    return np.random.Generator(np.random.Philox(key=key, counter=start))


def _uniform(source: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return source.random(shape, dtype=dtype)  # type: ignore[call-overload]


def _normal(source: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return source.standard_normal(shape, dtype=dtype)  # type: ignore[call-overload]


def _truncated_normal(source: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    drawn = np.asarray(_normal(source, shape, dtype))
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = _normal(source, (int(outside.sum()),), dtype)
    return drawn


_KINDS: dict[str, Callable[..., np.ndarray]] = {
    "uniform": _uniform,
    "normal": _normal,
    "truncated_normal": _truncated_normal,
}


def _checked_seed(seed: int) -> int:
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= int(seed) < 2**63:
        raise ArgumentError(f"seed: expected an integer from 0 to 2**63 - 1, received {seed!r}.")
    return int(seed)
