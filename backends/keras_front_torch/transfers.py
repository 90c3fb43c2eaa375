"""Between the host and torch's device: how arrays come there, and where the noise of a step comes from.

A step on a GPU copies nothing between the two. What has to go over goes once, through memory that is locked in place
(`pin_memory`), so that the host need not wait for it, and by a stream of its own, so that the next batch comes while
the device computes with the present one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

HOST = torch.device("cpu")
PINNED = 1 << 26  # bytes: larger arrays go over by themselves, as locked memory is taken from everybody
AHEAD = 1 << 16  # bytes: smaller arrays go over in less time than it takes to change the stream
BLOCK = 1 << 26  # bytes of host arrays that lie on the device at once while batches are taken from them


def placed(value: np.ndarray, dtype: Any, device: torch.device) -> torch.Tensor:
    """A tensor in memory of its own from an array; on its way to a GPU the array is copied once on the host.

    Args:
        value: the array; whatever its dtype, byte order and strides are.
        dtype: the dtype of the tensor, as NumPy has it.
        device: where to.
    """
    if device.type == "cpu":
        return torch.from_numpy(np.array(value, dtype, order="C"))
    if device.type == "cuda" and value.size * dtype.itemsize <= PINNED:
        room = torch.empty(value.shape, dtype=torch.from_numpy(np.empty(0, dtype)).dtype, pin_memory=True)
        np.copyto(room.numpy(), value, casting="unsafe")
        return _sent(room, device)
    return seen(np.asarray(value, dtype, order="C")).to(device)


def _sent(room: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of locked memory on its way to the device, which has not to come to an end with anything before."""
    if room.nbytes < AHEAD or torch.cuda.is_current_stream_capturing():
        return room.to(device, non_blocking=True)
    present = torch.cuda.current_stream(device)
    if (side := _SIDES.found.get(present)) is None:
        side = _SIDES.found[present] = torch.cuda.Stream(present.device)
    with torch.cuda.stream(side):
        there = room.to(device, non_blocking=True)
    present.wait_stream(side)  # what follows, not what came before
    there.record_stream(present)
    return there


def seen(array: np.ndarray) -> torch.Tensor:
    """A tensor in the memory of an array, which must be in C order and in the machine's byte order."""
    return torch.from_numpy(array) if array.flags.writeable else torch.from_dlpack(array)


def blocks(
    arrays: Sequence[np.ndarray], size: int, place: Callable[[np.ndarray], torch.Tensor], whole: bool
) -> Iterator[Sequence[Any]]:
    """Host arrays in batches of consecutive rows.

    Args:
        arrays: the arrays, with as many rows each.
        size: the rows of a batch; the last one may be shorter.
        place: brings an array to the device.
        whole: whether that takes no memory, so that all rows may go at once.
    """
    rows = len(arrays[0])
    each = max(1, sum(array.nbytes for array in arrays) * size // max(1, rows))
    many = max(rows, 1) if whole else size * max(1, BLOCK // each)
    for start in range(0, rows, many):
        yield from zip(*(place(array[start : start + many]).split(size) for array in arrays))


class _Kept(threading.local):
    """What a thread makes once: generators, of which making one takes longer than a small dropout, and streams."""

    def __init__(self) -> None:
        self.found: dict[Any, Any] = {}


_SOURCES, _SIDES = _Kept(), _Kept()


def source(device: torch.device, seed: int) -> torch.Generator:
    """A generator that starts at a seed, for use at once: the next call in this thread may give the same one anew.

    Args:
        device: where it draws.
        seed: from 0 to 2**63 - 1.
    """
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", torch.cuda.current_device())  # which the process may change
    found = _SOURCES.found.get(device)
    if found is None:
        found = _SOURCES.found[device] = torch.Generator(device)
    return found.manual_seed(seed)
