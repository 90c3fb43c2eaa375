"""Processes that train one model together, connected by `torch.distributed`: gloo for the CPU, NCCL for CUDA.

Where one of them is lost, the others meet once more at the store of the run, and say who is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any

import torch

from keras_front.errors import BackendError, LostProcessError

_ROLL_CALL = 5.0  # seconds that processes have to answer when one is lost


class _Run:
    """The run that this process belongs to."""

    store: Any = None
    rank = 0
    size = 1
    timeout = 0.0
    failures = 0


def _names_lost(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the adapter that talks to other processes; it says which of them are lost."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except RuntimeError as error:
            if _Run.store is None or not isinstance(error, torch.distributed.DistError | RuntimeError):
                raise
            raise LostProcessError.of(_missing(), _Run.size, _Run.timeout) from error

    return call


def _missing() -> list[int]:
    """The ranks that do not answer; rank 0 if the store is gone, which it holds."""
    _Run.failures += 1
    key = f"alive/{_Run.failures}/"
    lost, wait = [], _ROLL_CALL
    try:
        _Run.store.set(f"{key}{_Run.rank}", "1")
        for rank in range(_Run.size):
            try:
                _Run.store.wait([f"{key}{rank}"], timedelta(seconds=wait))
            except torch.distributed.DistStoreError:
                lost.append(rank)
                wait = 0.1
    except RuntimeError:
        return [0]
    return lost


class Processes:
    """What `TorchBackend` has for processes that share a batch."""

    def join_processes(self, timeout: float, **settings: Any) -> tuple[int, int]:
        """Join the run that torchrun has started, or the one that `address`, `size` and `rank` name."""
        import torch.distributed as dist

        wait = timedelta(seconds=timeout)
        if not dist.is_initialized():
            _set_environment(**settings)
            _Run.store, rank, size = next(dist.rendezvous("env://", timeout=wait))
            device = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            dist.init_process_group(device, store=_Run.store, rank=rank, world_size=size, timeout=wait)
        _Run.rank, _Run.size, _Run.timeout = dist.get_rank(), dist.get_world_size(), timeout
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", _Run.rank)) % torch.cuda.device_count())
        return _Run.size, _Run.rank

    @_names_lost
    def replica_mean(self, tensors: Sequence[Any], *, shares: int) -> list[Any]:
        if shares == 1:
            return list(tensors)
        results: list[Any] = [None] * len(tensors)
        for places in _by_kind(tensors).values():
            flat = torch.cat([tensors[i].detach().reshape(-1) for i in places])
            small = flat.element_size() < 4  # a sum of halves could overflow
            if small:
                flat.div_(shares)
            torch.distributed.all_reduce(flat)
            if not small:
                flat.div_(shares)
            pieces = flat.split([tensors[i].numel() for i in places])
            for i, piece in zip(places, pieces, strict=True):
                own = piece.clone() if piece.numel() * 16 < flat.numel() else piece  # state does not keep the whole
                results[i] = own.view(tensors[i].shape)
        return results

    def replica_gather(self, x: Any, *, shares: int, rank: int) -> Any:
        return x if shares == 1 else _Gather.apply(x, shares, rank)

    @_names_lost
    def from_first(self, values: Sequence[Any]) -> list[Any]:
        results: list[Any] = [None] * len(values)
        for places in _by_kind(values).values():
            flat = torch.cat([values[i].detach().reshape(-1) for i in places])
            torch.distributed.broadcast(flat, 0)
            pieces = flat.split([values[i].numel() for i in places])
            for i, piece in zip(places, pieces, strict=True):
                results[i] = piece.view(values[i].shape).clone(memory_format=torch.contiguous_format)
        return results

    @_names_lost
    def wait_for_all(self) -> None:
        torch.distributed.barrier()


class _Gather(torch.autograd.Function):
    """The tensors of all processes; each process has a loss of its own, and gradients flow from all of them."""

    @staticmethod
    @_names_lost
    def forward(ctx: Any, x: Any, shares: int, rank: int) -> Any:
        ctx.rows = slice(rank * x.shape[0], (rank + 1) * x.shape[0])
        parts = x.new_empty((x.shape[0] * shares, *x.shape[1:]))
        as_bytes = torch.uint8 if x.dtype == torch.bool else x.dtype
        torch.distributed.all_gather_into_tensor(parts.view(as_bytes), x.detach().contiguous().view(as_bytes))
        return parts

    @staticmethod
    @_names_lost
    def backward(ctx: Any, g: Any) -> Any:
        g = g.contiguous().clone()
        torch.distributed.all_reduce(g)
        return g[ctx.rows], None, None


def _by_kind(tensors: Sequence[Any]) -> dict[Any, list[int]]:
    """The places of tensors that can lie in one buffer."""
    places: dict[Any, list[int]] = {}
    for i, tensor in enumerate(tensors):
        places.setdefault((tensor.dtype, tensor.device), []).append(i)
    return places


def _set_environment(address: str | None = None, size: int | None = None, rank: int | None = None) -> None:
    """Write what was given where torchrun would have written it."""
    host, _, port = (address or "").partition(":")
    given = {"MASTER_ADDR": host, "MASTER_PORT": port, "WORLD_SIZE": size, "RANK": rank}
    os.environ.update({name: str(value) for name, value in given.items() if value not in (None, "")})
    missing = [name for name in given if name not in os.environ]
    if missing:
        raise BackendError(
            f"The torch backend does not know the run that this process belongs to: {', '.join(missing)} not set. "
            "Start the program with `keras-front launch` or `torchrun`, or pass the address of the first process, how "
            "many there are, and the rank of this one to `keras_front.distribution.initialize`."
        )
