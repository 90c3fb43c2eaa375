"""The batch that processes share, one for each device: how it is divided, while a step on a part of it is traced.

Each process (a replica; its number is its rank) holds the whole state and computes a part of each batch. What an engine
needs for that are two ops, `K.replica_mean` and `K.replica_gather`; what is said here decides who uses them. Nothing
here is true, and nothing costs, while no distribution of this kind is set; see `placement`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_front.backend import seeds
from keras_front.backend.placement import Placement, active_placement


def group() -> Placement | None:
    """The placement of the active backend, if processes divide batches among them; otherwise None."""
    placement = active_placement()
    return None if placement is None or placement.global_view else placement


def together() -> Placement | None:
    """The placement of the active backend, of either kind, if it connects several processes; otherwise None."""
    placement = active_placement()
    return None if placement is None or placement.processes == 1 else placement


@dataclass
class Division:
    """How the batch of a step is divided.

    Attributes:
        group: the placement that connects the processes.
        shares: over how many of them the batch is divided: all, or 1 if each computes the whole batch.
        rows: samples in the part of this process.
        settled: whether gradients need not be averaged any more.
    """

    group: Placement
    shares: int
    rows: int
    settled: bool = False

    def has_part_of(self, shape: Sequence[int | None]) -> bool:
        """Whether a tensor of this shape is a part of one for the whole batch, as far as its first axis tells."""
        first = shape[0] if len(shape) else None
        return self.shares > 1 and isinstance(first, int) and first > 0 and first % self.rows == 0


_DIVISION: ContextVar[Division | None] = ContextVar("keras_front_division", default=None)


def division() -> Division | None:
    """How the batch of the step that runs is divided; None without a group."""
    return _DIVISION.get()


@contextmanager
def divided(shares: int, rows: int) -> Iterator[Division | None]:
    """A context for a step on a part of a batch.

    Args:
        shares: over how many processes the batch is divided, 1 if each computes all of it.
        rows: samples in the part of this process.
    """
    own = group()
    token = _DIVISION.set(None if own is None else Division(own, shares, rows))
    try:
        yield _DIVISION.get()
    finally:
        _DIVISION.reset(token)


@contextmanager
def with_rows(rows: int) -> Iterator[None]:
    """A context for a part of this process's part of the batch.

    Args:
        rows: samples in it.
    """
    own = _DIVISION.get()
    token = _DIVISION.set(None if own is None else replace(own, rows=rows))
    try:
        yield
    finally:
        _DIVISION.reset(token)


@contextmanager
def settled() -> Iterator[None]:
    """A context in which gradients are those of the whole batch already."""
    own = _DIVISION.get()
    before = own is not None and own.settled
    if own is not None:
        own.settled = True
    try:
        yield
    finally:
        if own is not None:
            own.settled = before


def shares() -> int:
    """Over how many processes the batch of the step that runs is divided; 1 outside of such a step."""
    own = _DIVISION.get()
    return 1 if own is None else own.shares


# At the beginning of a run ----------------------------------------------------------------------------------------


def share_seeds(engine: Any) -> None:
    """Give every process the random numbers of the first one: NumPy's, Python's, and the seed of the run.

    Args:
        engine: an adapter with a placement; every process calls this.
    """
    name, keys, place, *_ = np.random.get_state()
    version, numbers, _ = random.getstate()
    root, count = seeds.root_seed(), len(keys)
    own = np.concatenate([keys, numbers, [place, root >> 31, root & (2**31 - 1)]]).astype("float64")
    (shared,) = engine.placement.from_first([engine.convert(own)])
    first = [int(v) for v in engine.to_numpy(shared)]
    np.random.set_state((name, np.asarray(first[:count], "uint32"), first[-3], 0, 0.0))
    random.setstate((version, tuple(first[count:-3]), None))
    seeds.start_from((first[-2] << 31) + first[-1])
