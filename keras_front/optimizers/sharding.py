"""Slots that processes divide among them (ZeRO, stage 1), where each process has a device of its own.

Each weight belongs to one process, which alone keeps its slots and computes its update; then all are given the new
weights, in one exchange for each dtype. Gradients are averaged before, as always, so that norms of all gradients are
known to all. Whole weights are divided, not slices of them: so it holds for every formula, also those that look at a
weight as a whole.

With a global view (JAX) slots are divided by their layout, and nothing here is used.

Source: Rajbhandari et al. (2020), arXiv:1910.02054; `torch.distributed.optim.ZeroRedundancyOptimizer` divides likewise.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from math import prod
from typing import Any
from weakref import WeakKeyDictionary, ref

from keras_front import backend as K
from keras_front.backend import replicas
from keras_front.backend.placement import Placement
from keras_front.backend.state import Variable
from keras_front.errors import DistributionError

Update = Callable[[list[Variable], list[Any]], None]


class Keepers:
    """Which process keeps the slots of which weight: the largest weight first, each goes to whoever has least so far.

    A weight that comes later does not move those that are there.

    Args:
        slots: the slots of an optimizer by weight.
    """

    def __init__(self, slots: MutableMapping[Variable, dict[str, Variable]]):
        self._slots = slots
        self._ranks: dict[int, WeakKeyDictionary[Variable, int]] = {}

    def of(self, param: Variable) -> Callable[[int], int]:
        """A function of the number of processes, which gives the rank of the one that keeps the slots of a weight.

        Args:
            param: the weight.
        """
        held, ranks = ref(param), self._ranks_for

        def keeper(processes: int) -> int:
            return ranks(processes)[held()]  # type: ignore[index]

        return keeper

    def _ranks_for(self, processes: int) -> Any:
        ranks = self._ranks.setdefault(processes, WeakKeyDictionary())
        new = [param for param in self._slots if param not in ranks]
        if not new:
            return ranks
        loads = [(0, rank) for rank in range(processes)]
        for param, rank in ranks.items():
            loads[rank] = (loads[rank][0] + prod(param.shape), rank)
        for param in sorted(new, key=lambda param: -prod(param.shape)):
            load, rank = min(loads)
            loads[rank] = (load + prod(param.shape) + 1, rank)
            ranks[param] = rank
        return ranks


def keeper_of(variable: Variable) -> int | None:
    """The rank of the process that keeps a slot for all; None where every process has it.

    Args:
        variable: the slot.
    """
    group = replicas.group()
    return None if group is None else group.keeper(variable)


def update(
    params: list[Variable], grads: list[Any], slots: MutableMapping[Variable, dict[str, Variable]], change: Update
) -> None:
    """Change weights by their gradients; where processes divide the slots, each changes its own and is given the rest.

    Args:
        params: the weights.
        grads: their gradients, those of the whole batch.
        slots: the slots of the optimizer by weight.
        change: assigns weights and their slots.

    Raises: DistributionError if there are fewer weights than processes.
    """
    group = replicas.group()
    if group is None or group.processes == 1 or not group.distribution.shard_optimizer_state:
        change(params, grads)
        return
    ranks = [_rank(group, slots.get(param, {})) for param in params]
    divided = [(p, r) for p, r in zip(params, ranks, strict=True) if r is not None]
    if divided and len({r for _, r in divided}) < group.processes:
        raise DistributionError(
            f"shard_optimizer_state=True: expected at least one weight with slots for each of {group.processes} "
            f"processes, received {len(divided)} weights: {', '.join(p.name for p, _ in divided)}."
        )
    own = [i for i, rank in enumerate(ranks) if rank in (None, group.rank)]
    change([params[i] for i in own], [grads[i] for i in own])
    for dtype in dict.fromkeys(str(p.dtype) for p, _ in divided):
        _share([(p, r) for p, r in divided if str(p.dtype) == dtype], group)


def _rank(group: Placement, slots: dict[str, Variable]) -> int | None:
    """The process that keeps the slots of a weight; None for a weight without slots, or with some that all keep."""
    return next((rank for slot in slots.values() if (rank := group.keeper(slot)) is not None), None)


def _share(pairs: Sequence[tuple[Variable, int]], group: Placement) -> None:
    """Assign weights of one dtype, each as the process with its rank has it."""
    kept: list[list[Variable]] = [[p for p, rank in pairs if rank == r] for r in range(group.processes)]
    sizes = [sum(prod(p.shape) for p in some) for some in kept]
    longest, own = max(sizes), kept[group.rank]
    parts = [K.reshape(K.convert(p), (-1,)) for p in own]
    missing = longest - sizes[group.rank]
    rest = [K.zeros((missing,), own[0].dtype if own else pairs[0][0].dtype)] if missing else []
    flat = K.concatenate([*parts, *rest], axis=0) if len(parts) + len(rest) > 1 else [*parts, *rest][0]
    together = K.replica_gather(flat, shares=group.processes, rank=group.rank)
    for rank, some in enumerate(kept):
        start = rank * longest
        for param in some:
            end = start + prod(param.shape)
            if rank != group.rank:
                param.assign(K.reshape(together[start:end], tuple(param.shape)))
            start = end
