"""One process for each device, connected by `torch.distributed`: gloo for the CPU, NCCL for CUDA.

Where a process is lost, the others meet once more at the store of the run, and say who is missing.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from keras_front.backend import replicas, seeds
from keras_front.backend.adapter import Backend
from keras_front.backend.placement import Placement, names_lost, timeout
from keras_front.errors import DistributionError

_ROLL_CALL = 5.0  # seconds that processes have to answer when one is lost
_ENVIRONMENT = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK")  # what torchrun writes


class _Run:
    """The run that this process has joined."""

    store: Any = None
    failures = 0


def is_launched() -> bool:
    """Whether a launcher has left what a process needs to join its run."""
    return all(name in os.environ for name in _ENVIRONMENT)


def initialize(addresses: str | None = None, processes: int | None = None, process: int | None = None) -> None:
    """Join the run that torchrun has started, or the one that is named; see `Backend.initialize_processes`."""
    if dist.is_initialized():
        return
    host, _, port = (addresses or "").partition(",")[0].partition(":")
    given = dict(zip(_ENVIRONMENT, (host, port, processes, process), strict=True))
    os.environ.update({name: str(value) for name, value in given.items() if value not in (None, "")})
    missing = [name for name in _ENVIRONMENT if name not in os.environ]
    if missing:
        raise DistributionError(
            f"The torch backend does not know the run that this process belongs to: {', '.join(missing)} not set. "
            "Start the program with `keras-front launch` or `torchrun`, or pass the address of the first process, how "
            "many there are, and the number of this one."
        )
    cuda, wait = torch.cuda.is_available(), timedelta(seconds=timeout())
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
    try:
        _Run.store, rank, size = next(dist.rendezvous("env://", timeout=wait))
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if cuda else "gloo", store=_Run.store, rank=rank, world_size=size, timeout=wait
        )
    except RuntimeError as error:
        raise DistributionError(f"The processes of this run did not find each other: {error}") from error
    atexit.register(_leave)


def _leave() -> None:
    """End the threads that talk to other processes before the interpreter ends, which aborts if one still runs."""
    if dist.is_initialized() and not _Run.failures:
        dist.destroy_process_group()
    _Run.store = None


def devices(device_type: str | None = None) -> list[str]:
    """A device for each process of the run; without one those of this machine."""
    if not dist.is_initialized() and is_launched():
        initialize()
    found = "gpu" if torch.cuda.is_available() else "cpu"
    if dist.is_initialized():
        number = dist.get_world_size()
    else:
        number = torch.cuda.device_count() if found == "gpu" else 1
    return [f"{found}:{i}" for i in range(number)] if device_type in (None, found) else []


def _missing() -> list[int]:
    """The ranks that do not answer; rank 0 where the store is gone, which it holds."""
    if _Run.store is None:
        return []
    _Run.failures += 1
    lost, wait, key = [], _ROLL_CALL, f"roll call {_Run.failures}: "
    try:
        _Run.store.set(f"{key}{dist.get_rank()}", "here")
        for rank in range(dist.get_world_size()):
            try:
                _Run.store.wait([f"{key}{rank}"], timedelta(seconds=wait))
            except dist.DistStoreError:
                lost.append(rank)
                wait = 0.5
    except RuntimeError:
        return [0]
    return lost


names_missing = names_lost(RuntimeError, lambda _: _missing(), lambda: dist.get_world_size())


class Connected(Placement):
    """What connects processes, whatever lies in which of them; see `Placement`."""

    def __init__(self, distribution: Any):
        super().__init__(distribution)
        self.rank, self.processes = dist.get_rank(), dist.get_world_size()

    @names_missing
    def from_first(self, tensors: Sequence[Any]) -> list[Any]:
        """The values of rank 0."""
        results: list[Any] = [None] * len(tensors)
        for places, flat in _buffers(tensors):
            dist.broadcast(flat, 0)
            for i, piece in zip(places, _pieces(flat, tensors, places), strict=True):
                results[i] = piece.clone()
        return results

    @names_missing
    def wait_for_all(self) -> None:
        """Return when every process has come here."""
        dist.barrier()


class ProcessPlacement(Connected):
    """The state lies whole in every process, and each takes its rows of a batch; see `Placement`."""

    def put_state(self, variable: Any, value: Any) -> Any:
        """The value, which has memory of its own; of a slot that another process keeps, an empty tensor."""
        return value if self.keeper(variable) in (None, self.rank) else value.new_empty((0,))

    def put_batch(self, arrays: Sequence[Any]) -> list[Any]:
        """The rows of this rank."""
        size = len(arrays[0]) // self.shares(len(arrays[0]))
        start = self.rank * size if size < len(arrays[0]) else 0
        return [array[start : start + size] for array in arrays]

    def gather(self, tensor: Any) -> Any:
        """The rows of all ranks, one behind the other."""
        return _Gather.apply(tensor, self.processes, self.rank)

    @names_missing
    def reduce(self, tensors: Sequence[Any], shares: int) -> list[Any]:
        """Averages, in one flat buffer for each dtype."""
        if shares == 1:
            return list(tensors)
        results: list[Any] = [None] * len(tensors)
        for places, flat in _buffers(tensors):
            halves = flat.element_size() < 4  # whose sum could overflow
            flat = flat.div_(shares) if halves else flat
            dist.all_reduce(flat)
            flat = flat if halves else flat.div_(shares)
            for i, piece in zip(places, _pieces(flat, tensors, places), strict=True):
                results[i] = (
                    piece.clone() if piece.numel() * 16 < flat.numel() else piece
                )  # a small one keeps no big one
        return results

    @names_missing
    def of_keeper(self, variable: Any, value: Any) -> Any:
        """The value of a slot that one process keeps, in all of them."""
        keeper = self.keeper(variable)
        if keeper is None:
            return value
        whole = value if keeper == self.rank else value.new_empty(tuple(variable.shape))
        whole = whole.contiguous().clone()
        dist.broadcast(whole, keeper)
        return whole


def _buffers(tensors: Sequence[Any]) -> list[tuple[list[int], Any]]:
    """The places of tensors that can lie in one buffer, and this buffer."""
    places: dict[Any, list[int]] = {}
    for i, tensor in enumerate(tensors):
        places.setdefault((tensor.dtype, tensor.device), []).append(i)
    return [(some, torch.cat([tensors[i].detach().reshape(-1) for i in some])) for some in places.values()]


def _pieces(flat: Any, tensors: Sequence[Any], places: Sequence[int]) -> list[Any]:
    cut = flat.split([tensors[i].numel() for i in places])
    return [piece.view(tensors[i].shape) for i, piece in zip(places, cut, strict=True)]


class _Gather(torch.autograd.Function):
    """The tensors of all processes. Each of these has a loss of its own, and what is gathered counts in all of them."""

    @staticmethod
    @names_missing
    def forward(ctx: Any, x: Any, shares: int, rank: int) -> Any:
        ctx.rows = slice(rank * x.shape[0], (rank + 1) * x.shape[0])
        parts = x.new_empty((x.shape[0] * shares, *x.shape[1:]))
        sent = torch.uint8 if x.dtype == torch.bool else x.dtype
        dist.all_gather(list(parts.view(sent).chunk(shares)), x.detach().contiguous().view(sent))
        return parts

    @staticmethod
    @names_missing
    def backward(ctx: Any, g: Any) -> Any:
        g = g.contiguous().clone()
        dist.all_reduce(g)
        return g[ctx.rows], None, None


class Processes(Backend):
    """What `TorchBackend` is more in one of several processes that train a model together.

    Args:
        plain: the adapter for which this one stands.
        distribution: a `DataParallel`.

    Raises: DistributionError for another distribution, or one of another number of devices than there are processes.
    """

    placement: ProcessPlacement

    def __init__(self, plain: Backend, distribution: Any):
        super().__init__()
        if not dist.is_initialized():
            initialize()
        self.undistributed, self.placement = plain, ProcessPlacement(distribution)
        self.placement.check_one_for_each(self.name)
        replicas.share_seeds(self)

    def keeps(self, call: Any) -> bool:
        """Masks that are drawn for the whole batch are written from their body, which cuts out a part."""
        return super().keeps(call) and not (call.op.name == "keep_mask" and seeds.reproducible())

    def import_variable(self, value: Any, source: Backend | None, variable: Any) -> Any:
        """See `Backend.import_variable`: slots that another process keeps are not kept here."""
        return self.placement.put_state(variable, super().import_variable(value, source, variable))

    def whole_variable(self, value: Any, variable: Any) -> Any:
        """See `Backend.whole_variable`."""
        return self.placement.of_keeper(variable, value)

    def replica_mean(self, tensors: Sequence[Any], *, shares: int) -> list[Any]:
        """See `K.replica_mean`."""
        return self.placement.reduce(tensors, shares)

    def replica_gather(self, x: Any, *, shares: int = 1, rank: int = 0) -> Any:
        """See `K.replica_gather`."""
        return super().replica_gather(x) if shares == 1 else self.placement.gather(x)
