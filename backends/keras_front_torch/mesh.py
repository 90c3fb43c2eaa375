"""Weights divided over processes: `ModelParallel` on torch, by its DTensor.

A tensor is the whole, wherever its parts lie (*global view*, see `keras_front.backend.placement`): what a `LayoutMap`
divides is a DTensor, and so are the rows of a batch where the mesh has several replicas. All else is a plain tensor,
the same in every process, and DTensor takes it for one that lies whole everywhere.

DTensor knows for most functions of torch how the result of divided tensors is divided, and which processes have to
talk for it. Where it does not, the op is computed by every process from whole tensors. So every op has an answer here,
and gradients are computed by the rules of K, whose ops are the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor.experimental import implicit_replication

from keras_front.backend import op, replicas
from keras_front.backend.adapter import Backend, accumulates_in_single
from keras_front.errors import DistributionError
from keras_front.nest import flatten, map_structure
from keras_front_torch.processes import Connected, initialize, names_missing


class MeshPlacement(Connected):
    """Where values lie on the mesh of a distribution; methods as in `Placement`.

    Args:
        distribution: a `ModelParallel`.

    Raises: DistributionError unless the mesh has one device for each process.
    """

    global_view = True

    def __init__(self, distribution: Any):
        super().__init__(distribution)
        mesh = distribution.device_mesh
        ranks = [int(str(name).rpartition(":")[2]) for name in mesh.devices.ravel()]
        if sorted(ranks) != list(range(self.processes)):
            raise DistributionError(
                f"The torch backend runs one process for each device: expected a mesh of {self.processes} devices, one "
                f"for each process, received {mesh}. Start as many processes, with `keras-front launch -n` or torchrun."
            )
        kind = "cuda" if torch.cuda.is_available() else "cpu"
        self.mesh = DeviceMesh(kind, torch.tensor(ranks).reshape(mesh.shape), mesh_dim_names=tuple(mesh.axis_names))
        self._axes = {name: place for place, name in enumerate(mesh.axis_names)}

    def placements_of(self, axes: Sequence[str | None]) -> list[Any]:
        """DTensor's word for a layout: for each axis of the mesh the axis of the tensor that is divided along it."""
        found: list[Any] = [Replicate()] * len(self._axes)
        for place, name in enumerate(axes):
            if name is not None:
                found[self._axes[name]] = Shard(place)
        return found

    def everywhere(self, value: Any) -> Any:
        """A plain tensor as one that lies whole in every process; anything else as it is."""
        if not isinstance(value, torch.Tensor) or isinstance(value, DTensor):
            return value
        return DTensor.from_local(value, self.mesh, [Replicate()] * len(self._axes), run_check=False)

    def placed(self, tensor: Any, placements: Sequence[Any]) -> Any:
        """A tensor as these placements say; one that is divided nowhere is a plain one."""
        if isinstance(tensor, DTensor):
            tensor = tensor.redistribute(placements=placements)
        elif all(p.is_replicate() for p in placements):
            return tensor
        else:
            tensor = self.everywhere(tensor).redistribute(placements=placements)
        return tensor.to_local() if all(p.is_replicate() for p in placements) else tensor

    def put_state(self, variable: Any, value: Any) -> Any:
        """The value of the first process, in memory of its own, divided as the layout says."""
        placements = self.placements_of(self.distribution.axes_that_fit(variable))
        first = self.from_first([value])[0] if value.is_floating_point() else value  # counters are the same anyhow
        found = self.placed(first, placements)
        if not isinstance(found, DTensor):
            return found
        own = found.to_local().clone()  # not a view of the whole
        return DTensor.from_local(own, self.mesh, placements, run_check=False, shape=found.shape, stride=found.stride())

    def put_batch(self, arrays: Sequence[Any]) -> list[Any]:
        """Rows divided over the replicas, where they can be."""
        divided = self.placements_of([self.distribution.batch_dim_name])
        return [self.placed(x, divided) if self._divides(x) else x for x in arrays]

    def _divides(self, x: Any) -> bool:
        return self.replicas > 1 and bool(x.ndim) and x.shape[0] > 0 and x.shape[0] % self.replicas == 0

    @names_missing
    def gather(self, tensor: Any) -> Any:
        """The whole of a tensor."""
        return whole(tensor)


def whole(value: Any) -> Any:
    """A tensor that this process has all of; anything else as it is."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def _plain(value: Any) -> Any:
    """A tensor that lies whole everywhere as a plain one, which costs less."""
    if isinstance(value, DTensor) and all(p.is_replicate() for p in value.placements):
        return value.to_local()
    return value


# Ops --------------------------------------------------------------------------------------------------------------

# Beside the elementwise ones, ops whose functions in torch DTensor divides, and divides right; not so others
# (`index_add` and the statistics of a batch came out wrong without an error, with torch 2.13).
_DIVIDED = frozenset(
    ("reshape", "permute_dimensions", "broadcast_to", "expand_dims", "concatenate", "stack", "strided_slice", "flip")
    + ("gather", "sum", "mean", "max", "min", "any", "all", "matmul", "softmax", "log_softmax", "logsumexp")
)
# Composites that are written as K has them, in ops of these kinds, and what needs no gradients of torch.
_AS_IN_K = frozenset(
    ("linear", "softmax_crossentropy", "clipped_softmax_crossentropy", "batch_normalization", "layer_normalization")
    + ("normalize_batch_in_training", "dot_product_attention", "sgd_update", "rmsprop_update", "adam_update")
    + ("custom_gradient", "recompute", "scan", "value_and_grad")
)


def _op_on_mesh(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The method of an op for divided tensors: as DTensor does it, and where it does not, on whole tensors."""
    divided = op.OPS[name].facts.elementwise or name in _DIVIDED

    def call(self: Any, *args: Any, **attrs: Any) -> Any:
        if not any(isinstance(x, DTensor) for x in flatten(list(args))):
            return function(*args, **attrs)
        found = _by_dtensor(self.placement, function, args, attrs) if divided else None
        return function(*map_structure(whole, list(args)), **attrs) if found is None else found

    return accumulates_in_single(call) if hasattr(function, "_accumulates_in_single") else call


def _by_dtensor(placement: MeshPlacement, function: Callable[..., Any], args: Any, attrs: Any) -> Any:
    """The result of an op as DTensor divides it; None where it has no way, which it says before anybody talks."""
    try:
        return map_structure(_plain, function(*map_structure(placement.everywhere, list(args)), **attrs))
    except dist.DistError:
        raise
    except Exception:  # it has many kinds for what it does not know
        return None


class OnMesh(Backend):
    """What `TorchBackend` does otherwise where weights are divided over processes. A mixin before it.

    Args:
        plain: the adapter for which this one stands.
        distribution: a `ModelParallel`.
    """

    placement: MeshPlacement
    differentiates = False  # but by the rules of K, whose ops are those of below
    fusions = ()
    rewritten = Backend.rewritten

    def __init__(self, plain: Backend, distribution: Any):
        super().__init__()
        if not dist.is_initialized():
            initialize()
        self.undistributed, self.placement = plain, MeshPlacement(distribution)
        self.native.add(DTensor)
        self._mixing = implicit_replication()  # in functions of torch that K does not know
        self._mixing.__enter__()
        replicas.share_seeds(self)

    def import_variable(self, value: Any, source: Backend | None, variable: Any) -> Any:
        """See `Backend.import_variable`: the parts that belong here."""
        return self.placement.put_state(variable, super().import_variable(value, source, variable))

    def whole_variable(self, value: Any, variable: Any) -> Any:
        """See `Backend.whole_variable`."""
        return self.placement.gather(value)

    def to_numpy(self, x: Any) -> np.ndarray:
        """See `Backend.to_numpy`."""
        return super().to_numpy(self.placement.gather(x))

    def joined(self, tensors: Sequence[Any]) -> np.ndarray:
        """See `Backend.joined`."""
        return super().joined([self.placement.gather(x) for x in tensors])

    def put_batch(self, arrays: Sequence[Any], own: bool = False) -> list[Any]:
        """See `Backend.put_batch`."""
        if own:
            raise DistributionError(
                "The torch backend with ModelParallel needs the whole batch in every process: expected "
                "auto_shard_dataset=True, received False."
            )
        return self.placement.put_batch(super().put_batch(arrays))

    def put_dataset(self, array: np.ndarray) -> Any:
        """See `Backend.put_dataset`: all rows, in every process."""
        return self.undistributed.put_dataset(array)  # type: ignore[union-attr]

    def argument(self, array: np.ndarray) -> Any:
        """See `Backend.argument`."""
        return self.placement.put_batch([super().argument(array)])[0]

    def rows(self, data: Sequence[Any], rows: Any) -> list[Any]:
        """See `Backend.rows`."""
        return self.placement.put_batch(super().rows(data, rows))

    def batches(self, arrays: Sequence[np.ndarray], size: int) -> Iterator[Sequence[Any]]:
        """See `Backend.batches`."""
        return (self.put_batch([a[i : i + size] for a in arrays]) for i in range(0, len(arrays[0]), size))

    def engine_mesh(self, mesh: Any, axes: Any = None) -> Any:
        """See `Backend.engine_mesh`; it has to be the mesh of the distribution."""
        return self.placement.mesh if axes is None else self.placement.placements_of(axes)

    def distribute_tensor(self, tensor: Any, layout: Any) -> Any:
        """See `Backend.distribute_tensor`; the layout has to be on the mesh of the distribution."""
        return self.placement.placed(self.convert(tensor), self.placement.placements_of(layout.axes))

    def compile_program(self, program: Any) -> Callable[..., Any] | None:
        """See `Backend.compile_program`: the new state of a step lies where the old one did."""
        run = super().compile_program(program)
        if run is None or 0 not in program.donate:
            return run

        def step(*args: Any) -> Any:
            before = [x.placements if isinstance(x, DTensor) else None for x in args[0]]
            return self._in_their_places(run(*args), before)

        return step

    def _in_their_places(self, results: Any, before: Sequence[Any]) -> Any:
        paired = isinstance(results, tuple) and len(results) == 2 and isinstance(results[0], list)
        if not paired or len(results[0]) != len(before):
            return results
        state = [whole(x) if at is None else self.placement.placed(x, at) for x, at in zip(results[0], before)]
        return state, results[1]


def on_mesh(plain: Backend, distribution: Any) -> Backend:
    """The adapter of torch for weights that are divided over processes.

    Args:
        plain: the adapter for one process.
        distribution: a `ModelParallel`.

    Raises: DistributionError unless there is a process for each device of the mesh.
    """
    names = [name for name in op.OPS if getattr(type(plain), name, None) is not getattr(Backend, name, None)]
    ops = {name: _op_on_mesh(name, getattr(plain, name)) for name in names if name not in _AS_IN_K}
    kept = {name: vars(Backend)[name] for name in _AS_IN_K}
    return type("TorchOnMesh", (OnMesh, type(plain)), {**ops, **kept})(plain, distribution)
