"""Placement: where the values of a model lie on several devices, and what the processes of a run do together.

A distribution (`keras_front.distribution`) says what is wanted; it knows no engine. `Backend.distributed(distribution)`
answers with another adapter of the same engine, which has a `placement`. That adapter is the active backend as long as
the distribution is set, so nothing looks for a distribution while a step runs, and without one nothing is different:
variables move to it, and back, as they move between any two backends.

There are two kinds, because engines differ in what a tensor is.

*Global view* (JAX): a tensor is the whole, wherever its parts lie. The step is that of one device, and the compiler
divides it by the placement of its arguments. `shares` is 1: a batch is never divided by hand.

*One process a device* (torch, TensorFlow): a tensor is what this process has. Every process holds the whole state and
takes the rows of a batch that belong to its rank; what a step computed from its part is averaged, once, before the
optimizer (`reduce`). `shares` says over how many ranks a batch is divided; 1 for one that cannot be, which then every
rank computes whole.

Who calls what, and when:

| when | who | what |
|---|---|---|
| a variable is first used, or is assigned | `Variable`, by `Backend.import_variable` | `put_state` |
| before a step is traced | `training` | `shares`, for the number of samples of the batch |
| before each step | `training`, by `Backend.rows`, `batches`, `argument`, `put_batch` | `put_batch` |
| in a step, between `K.value_and_grad` and `Optimizer.apply`, if `shares` > 1 | `K.replica_mean` | `reduce` |
| when results are read | `Backend.to_numpy`, `joined` | `gather` |
| when a file is to be written | `saving`, callbacks, by `path_to_write` | `rank`: 0 writes; see there |

After each step every process holds the same state. So callbacks run in every process, decide alike, and need not ask.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

from keras_front.backend import discovery
from keras_front.errors import DistributionError

TIMEOUT = "KERAS_FRONT_DISTRIBUTION_TIMEOUT"  # seconds that a process may be silent before the others give up


def timeout() -> float:
    """Seconds that a process may be silent before the others give up."""
    return float(os.environ.get(TIMEOUT, 600))


def names_lost(
    errors: type[Exception] | tuple[type[Exception], ...],
    lost: Callable[[Exception], list[int]],
    size: Callable[[], int],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator of functions that talk to the other processes: they say which of them are lost.

    Args:
        errors: what the engine raises where a process does not answer.
        lost: the ranks of those that are lost, asked for with that error.
        size: how many processes there are.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except errors as error:
                raise DistributionError.lost(lost(error), size(), timeout()) from error

        return call

    return decorate


class Placement:
    """Where values lie under one distribution on one engine; adapters derive from it. See the module.

    Args:
        distribution: a `keras_front.distribution.Distribution`.

    Attributes:
        distribution: the same.
        global_view: whether a tensor is the whole, not the part of this process.
        rank: the number of this process, from 0.
        processes: how many processes there are.
        replicas: over how many devices a batch is divided, in all processes together.
    """

    global_view = False

    def __init__(self, distribution: Any):
        self.distribution = distribution
        self.rank, self.processes = 0, 1
        self.replicas: int = distribution.num_model_replicas

    def shares(self, samples: int) -> int:
        """Over how many ranks a batch is divided by hand: 1 where the engine does it, or where it cannot be divided.

        Args:
            samples: the number of samples of the batch, in all processes together.
        """
        return 1 if self.global_view or samples % self.replicas else self.replicas

    def put_state(self, variable: Any, value: Any) -> Any:
        """The value of a variable as the tensor, or tensors, that a step takes.

        Args:
            variable: the `Variable`; its name and shape say how it lies on the devices.
            value: an array of the host, or a tensor of the engine.

        Returns: a tensor of the engine in memory of its own. Every process gives the same value.
        """
        raise NotImplementedError

    def put_batch(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays of a batch, as a step takes them.

        Args:
            arrays: arrays of the host (batch, ...), the whole batch in every process; tensors stay as they are.

        Returns: a tensor for each: the whole batch, its rows on all devices (global view), or the rows of this rank.
            A batch whose rows cannot be divided evenly goes whole to every device.
        """
        raise NotImplementedError

    def gather(self, tensor: Any) -> Any:
        """A tensor of whatever placement as one tensor that this process can read; every process calls it.

        Args:
            tensor: in global view any tensor; otherwise the rows of this rank, and the result has those of all ranks.
        """
        raise NotImplementedError

    def reduce(self, tensors: Sequence[Any], shares: int) -> list[Any]:
        """Each tensor averaged over the processes that share a batch; every process calls it, in the same order.

        Args:
            tensors: tensors of this process, of any float dtypes; they travel together, in one flat buffer for each
                dtype.
            shares: as from `shares`; with 1 the tensors are returned as they are, as they are in global view.
        """
        return list(tensors)

    def from_first(self, tensors: Sequence[Any]) -> list[Any]:
        """Tensors with the values that they have in the first process; every process calls it.

        Args:
            tensors: tensors of the engine, of the same shapes and dtypes in every process.
        """
        return list(tensors)

    def wait_for_all(self) -> None:
        """Return when every process has come here."""

    def keeper(self, variable: Any) -> int | None:
        """The rank that keeps a slot of the optimizer for all; None for what every process holds.

        Args:
            variable: a `Variable`.
        """
        keeper = variable.keeper if self.distribution.shard_optimizer_state and not self.global_view else None
        return None if keeper is None else keeper(self.processes)

    def check_one_for_each(self, backend: str) -> None:
        """Raise DistributionError unless batches are divided over as many devices as there are processes.

        Args:
            backend: the name of the backend, for the message.
        """
        wanted, mesh = self.distribution, self.distribution.device_mesh
        if hasattr(wanted, "layout_map"):
            raise DistributionError(
                f"The {backend} backend divides batches, not weights: expected a DataParallel, received {wanted}. With "
                "shard_optimizer_state=True the slots of the optimizer are divided; what its engine lacks to divide "
                "weights is in docs/distribution.md. The backends jax and torch have ModelParallel."
            )
        if mesh.devices.size != self.processes or self.replicas != self.processes:
            raise DistributionError(
                f"The {backend} backend runs one process for each device, and divides batches among them: expected a "
                f"DataParallel over {self.processes} devices, one for each process, received {wanted}."
            )


def active_placement() -> Placement | None:
    """The placement of the active backend; None without a distribution. No backend is chosen or loaded."""
    return getattr(discovery.present(), "placement", None)


def writes_files() -> bool:
    """Whether this process writes files, and prints: rank 0 does, and any process without a distribution."""
    placement = active_placement()
    return placement is None or placement.rank == 0


def path_to_write(path: str | os.PathLike[str]) -> str:
    """Where this process writes a file or a folder: `path`, or beyond rank 0 a place that is deleted at exit.

    Every rank computes what goes into a file, because to read a value that lies on all devices takes all processes. So
    all run the same code, and whoever writes asks here for the place.

    Args:
        path: where rank 0 writes.
    """
    if writes_files():
        return os.fspath(path)
    return os.path.join(_scratch_folder().name, os.path.basename(os.path.normpath(path)))


@functools.cache
def _scratch_folder() -> Any:
    import tempfile

    return tempfile.TemporaryDirectory(prefix="keras_front-")
