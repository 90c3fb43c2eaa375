"""Distributions on JAX: values are placed on a mesh of devices, and the compiler divides the step accordingly.

A step stays the function that it is on one device (*global view*, see `keras_front.backend.placement`). What is decided
here is where its arguments lie: batches in parts along one axis of the mesh, variables as the distribution says, all
else whole on every device; and that the new state lies where the old one did. In several processes JAX's arrays have
parts that other processes hold; every process runs the same calls in the same order.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from keras_front.backend import codegen, replicas
from keras_front.backend.placement import Placement
from keras_front.errors import DistributionError
from keras_front_jax.x64 import wide

_TALK = re.compile("gloo|nccl|all-reduce|coordination", re.IGNORECASE)  # in errors of what connects processes


class MeshPlacement(Placement):
    """Where values lie on the mesh of a distribution; methods as in `Placement`.

    Args:
        distribution: the distribution.

    Attributes:
        mesh: JAX's mesh.
        whole: the placement of what every device has whole.
    """

    global_view = True

    def __init__(self, distribution: Any):
        super().__init__(distribution)
        self.rank, self.processes = jax.process_index(), jax.process_count()
        self.mesh = _mesh(distribution.device_mesh)
        self.whole = NamedSharding(self.mesh, PartitionSpec())
        self._batch = NamedSharding(self.mesh, PartitionSpec(distribution.batch_dim_name))
        self._gathered = self.naming_the_lost(jax.jit(lambda x: x, out_shardings=self.whole))
        self._first = self.naming_the_lost(wide(multihost_utils.broadcast_one_to_all))

    @property
    def local_device(self) -> Any:
        """A device of the mesh that this process has."""
        return self.mesh.local_devices[0]

    def put(self, array: Any, sharding: Any) -> Any:
        """An array of the host as a tensor; every process has the whole array, and puts its parts on its devices."""
        if self.processes == 1:
            return jax.device_put(array, sharding)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

    def of_batch(self, samples: int) -> Any:
        """The placement of what has so many rows: in parts if they can be divided, else whole on every device."""
        return self._batch if samples and samples % self.replicas == 0 else self.whole

    def of_variable(self, variable: Any) -> Any:
        """The placement of a variable.

        Raises: ArgumentError if its layout does not fit its shape.
        """
        return NamedSharding(self.mesh, PartitionSpec(*self.distribution.axes_that_fit(variable)))

    def put_state(self, variable: Any, value: Any) -> Any:
        first = value if self.processes == 1 else self._first(value)  # each may have its own
        return self.put(np.array(first), self.of_variable(variable))

    def put_batch(self, arrays: Sequence[Any]) -> list[Any]:
        return [self.put(array, self.of_batch(len(array))) for array in arrays]

    def put_own(self, arrays: Sequence[Any]) -> list[Any]:
        """As `put_batch`, of arrays that are this process's own part of the batch."""
        return [jax.make_array_from_process_local_data(self._batch, array) for array in arrays]

    def gather(self, tensor: Any) -> Any:
        return self._gathered(tensor)

    def from_first(self, tensors: Sequence[Any]) -> list[Any]:
        if self.processes == 1:
            return list(tensors)
        return [self.put(np.asarray(array), self.whole) for array in self._first([np.asarray(x) for x in tensors])]

    def wait_for_all(self) -> None:
        if self.processes > 1:
            self.naming_the_lost(multihost_utils.sync_global_devices)("keras_front")

    def naming_the_lost(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, whose errors of communication say which processes may be lost.

        On CPUs it has ended when it returns. Gloo pairs messages in the order in which they come, so two calls may not
        talk at once; and JAX puts a call off whose arguments are still being copied, whatever it is told of dispatch.
        """
        if self.processes == 1:
            return function
        waits = self.local_device.platform == "cpu"

        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                found = function(*args, **kwargs)
                return jax.block_until_ready(found) if waits else found
            except (ValueError, RuntimeError) as error:
                if not _TALK.search(str(error)):
                    raise
                raise self._lost(error) from error

        return run

    def _lost(self, error: Exception) -> DistributionError:
        others = [str(rank) for rank in range(self.processes) if rank != self.rank]
        which = f"Process {others[0]}" if len(others) == 1 else f"One of the processes {', '.join(others)}"
        why = str(error).splitlines()[0]
        return DistributionError(
            f"{which} of {self.processes} (counted from 0) is lost, or runs another program: process {self.rank} "
            f"cannot talk to it ({why}). The run cannot go on without it. Look for its own error, and start the run "
            "again, with BackupAndRestore from where it ended."
        )

    def constrained(self, tensors: Sequence[Any]) -> list[Any]:
        """Rows of a batch, within a function that is compiled, divided as `put_batch` would."""
        return [lax.with_sharding_constraint(x, self.of_batch(x.shape[0])) for x in tensors]


class OnMesh:
    """What an adapter does otherwise whose tensors lie on a mesh. A mixin before `JaxBackend`.

    Args:
        plain: the adapter for one device.
        distribution: the distribution.
    """

    placement: MeshPlacement
    shares_programs = False  # where tensors lie is no part of a program

    def __init__(self, plain: Any, distribution: Any):
        self.placement = MeshPlacement(distribution)
        self.undistributed = plain
        super().__init__()
        if self.placement.processes > 1:
            replicas.share_seeds(self)

    def _device(self) -> Any:
        return self.placement.local_device

    def _put(self, array: np.ndarray) -> Any:
        return self.placement.put(array, self.placement.whole)

    def to_numpy(self, x: Any) -> np.ndarray:
        if isinstance(x, jax.Array) and not (x.is_fully_addressable or x.is_fully_replicated):
            x = wide(self.placement.gather)(x)
        return super().to_numpy(x)  # type: ignore[misc]

    @wide
    def import_variable(self, value: Any, source: Any, variable: Any) -> Any:
        array = value if source is None else source.to_numpy(value)
        return self.placement.put_state(variable, np.asarray(array).astype(jnp.dtype(variable.dtype), copy=False))

    @wide
    def put_batch(self, arrays: Sequence[Any], own: bool = False) -> list[Any]:
        put = self.placement.put_own if own else self.placement.put_batch
        return put([np.array(array) for array in arrays])  # whose memory may be used again

    def argument(self, array: np.ndarray) -> Any:
        return self.put_batch([array])[0]

    def arguments_like(self, arrays: Sequence[np.ndarray]) -> Any:
        return lambda arrays: [self.argument(array) for array in arrays]

    def batches(self, arrays: Sequence[np.ndarray], size: int) -> Any:
        return (self.put_batch([a[i : i + size] for a in arrays]) for i in range(0, len(arrays[0]), size))

    @wide
    def rows(self, data: Sequence[Any], rows: np.ndarray) -> list[Any]:
        sharding = self.placement.of_batch(len(rows))
        return [_taker(sharding)(array, rows) for array in data]

    def _parts(self, batch: Sequence[Any]) -> Sequence[Any]:
        return self.placement.constrained(batch)

    def compile_program(self, program: Any) -> Callable[..., Any]:
        return wide(self._jit(codegen.function_of(program), program.donate))

    def _jit(self, fn: Callable[..., Any], donate: Sequence[int] = (), **options: Any) -> Callable[..., Any]:
        """A compiled function that gives the state which it was given, in the places where that lay."""
        if not donate:
            return self.placement.naming_the_lost(super()._jit(fn, donate, **options))  # type: ignore[misc]
        compiled: list[Callable[..., Any]] = []

        def call(*args: Any) -> Any:
            if not compiled:
                places = self._places(fn, args, donate[0], options.get("static_argnums", ()))
                compiled.append(jax.jit(fn, donate_argnums=tuple(donate), out_shardings=places, **options))
            return compiled[0](*args)

        return self.placement.naming_the_lost(call)

    def _places(self, fn: Callable[..., Any], args: Sequence[Any], place: int, static: Sequence[int]) -> Any:
        """Where the results of a step go: None where the compiler decides."""
        fixed = {i: args[i] for i in static}
        given = [arg for i, arg in enumerate(args) if i not in fixed]

        def called(*some: Any) -> Any:
            rest = iter(some)
            return fn(*(fixed[i] if i in fixed else next(rest) for i in range(len(args))))

        results = jax.eval_shape(called, *given)
        others = self.placement.whole if self.placement.processes > 1 else None
        state = args[place]
        if not (isinstance(results, tuple) and len(results) == 2 and isinstance(results[0], list)):
            return others
        return ([x.sharding for x in state] if len(results[0]) == len(state) else others), others


@functools.lru_cache(maxsize=64)
def _taker(sharding: Any) -> Callable[..., Any]:
    """Takes rows of an array that every device has whole, so that they lie as a batch does."""
    return jax.jit(lambda array, rows: jnp.take(array, rows, 0, mode="clip"), out_shardings=sharding)


# Devices and processes -----------------------------------------------------------------------------------------


def device_names(device_type: str | None) -> list[str]:
    """The devices of all processes as 'gpu:1'."""
    try:
        found = jax.devices() if device_type is None else jax.devices(device_type)
    except RuntimeError:
        return []
    return [_name(device) for device in found]


def _name(device: Any) -> str:
    return f"{device.platform}:{device.id}"


def _mesh(mesh: Any) -> Mesh:
    kinds = {str(name).partition(":")[0] for name in mesh.devices.ravel()}
    known = {_name(d): d for kind in kinds for d in _devices(kind)}
    missing = [name for name in mesh.devices.ravel() if str(name) not in known]
    if missing:
        raise DistributionError(
            f"The jax backend has no device {', '.join(missing)}; there are {', '.join(device_names(None))}. "
            "On a CPU, XLA_FLAGS=--xla_force_host_platform_device_count=8 in the environment makes eight of it."
        )
    devices = np.array([known[str(name)] for name in mesh.devices.ravel()], dtype=object)
    return Mesh(devices.reshape(mesh.shape), tuple(mesh.axis_names))


def _devices(kind: str) -> list[Any]:
    try:
        return list(jax.devices(kind))
    except RuntimeError:
        return []


def engine_mesh(mesh: Any, axes: Any = None) -> Any:
    """JAX's word for a `DeviceMesh`, or with axes for a `TensorLayout`."""
    found = _mesh(mesh)
    return found if axes is None else NamedSharding(found, PartitionSpec(*axes))


def join_processes(addresses: str | None, processes: int | None, process: int | None) -> None:
    """`jax.distributed.initialize`; on CPUs the processes talk by gloo.

    Raises: DistributionError if JAX has begun to compute, or if the processes do not find each other.
    """
    if jax.config.jax_cpu_collectives_implementation in (None, "none"):
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # steps that wait for others would take all threads
    coordinator = None if addresses is None else addresses.split(",")[0]
    try:
        jax.distributed.initialize(coordinator, processes, process)
    except (RuntimeError, ValueError) as error:
        raise DistributionError(
            f"initialize: JAX cannot join process {process} of {processes} at {coordinator}: {error}\n"
            "  Call keras_front.distribution.initialize() first, in every process, with the same address."
        ) from error
