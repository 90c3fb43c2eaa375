"""One process for each device, connected by the collectives of `tf.distribute.MultiWorkerMirroredStrategy`.

State stays plain tensors: the strategy is used for its collectives alone, and no `tf.Variable` is made under it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context

from keras_front.backend import replicas
from keras_front.backend.adapter import Backend
from keras_front.backend.placement import Placement, names_lost, timeout
from keras_front.errors import DistributionError

_ROLL_CALL = 5000  # milliseconds that processes have to answer when one is lost
_LOST = (tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError, tf.errors.CancelledError,
         tf.errors.InternalError)  # fmt: skip


class _Run:
    """The run that this process has joined."""

    strategy: Any = None
    rank = 0
    size = 1
    failures = 0


def initialize(addresses: str | None = None, processes: int | None = None, process: int | None = None) -> None:
    """Join the run that `TF_CONFIG` describes, or the one that is named; see `Backend.initialize_processes`."""
    if _Run.strategy is not None:
        return
    workers = [address.strip() for address in (addresses or "").split(",") if address.strip()]
    if workers and process is not None:
        cluster = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": process}}
        os.environ["TF_CONFIG"] = json.dumps(cluster)
    config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    workers = config.get("cluster", {}).get("worker", [])
    if not workers or (processes is not None and len(workers) != processes):
        raise DistributionError(
            "The tensorflow backend does not know the run that this process belongs to: expected the addresses of "
            f"{processes or 'all'} processes, found {workers or 'none'}. Start the program with `keras-front launch`, "
            "set TF_CONFIG, or pass the addresses with commas between, and the number of this process."
        )
    kinds = tf.distribute.experimental.CommunicationImplementation
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=kinds.AUTO if tf.config.list_physical_devices("GPU") else kinds.RING, timeout_seconds=timeout()
    )
    try:
        _Run.strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except (RuntimeError, tf.errors.OpError) as error:
        raise DistributionError(
            f"The processes of this run did not find each other: {error} TensorFlow takes part only if it has not "
            "computed anything yet: call keras_front.distribution.initialize() first of all."
        ) from error
    _Run.rank, _Run.size = int(config["task"]["index"]), len(workers)


def devices(device_type: str | None = None) -> list[str]:
    """A device for each process of the run; without one those of this machine."""
    if _Run.strategy is None and os.environ.get("TF_CONFIG"):
        initialize()
    cards = len(tf.config.list_physical_devices("GPU"))
    found = "gpu" if cards else "cpu"
    number = _Run.size if _Run.strategy is not None else max(cards, 1)
    return [f"{found}:{i}" for i in range(number)] if device_type in (None, found) else []


def _missing() -> list[int]:
    """The ranks that do not answer at the service of the cluster; rank 0, which has it, where that is gone."""
    _Run.failures += 1
    cluster, key, lost, wait = context.context(), f"roll call {_Run.failures}: ", [], _ROLL_CALL
    try:
        cluster.set_config_key_value(f"{key}{_Run.rank}", "here")
    except tf.errors.OpError:
        return [0]
    for rank in range(_Run.size):
        try:
            cluster.get_config_key_value(f"{key}{rank}", wait)
        except tf.errors.OpError:
            lost.append(rank)
            wait = 500
    return lost


def _lost(error: Exception) -> list[int]:
    named = {int(rank) for rank in re.findall(r"task:(\d+)", str(error))} - {_Run.rank}
    return sorted(named) or _missing()


_names_lost = names_lost(_LOST, _lost, lambda: _Run.size)


def _sum(flat: Any) -> Any:
    """A tensor added up over all processes; gradients end here, a tape would differentiate outside of the strategy."""
    flat = tf.stop_gradient(flat)
    return _compiled_sum(flat) if tf.executing_eagerly() else _sum_in_graph(flat)


def _sum_in_graph(flat: Any) -> Any:
    def reduce(t: Any) -> Any:
        here = tf.identity(t)  # on the device of this replica, which the strategy asks for
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, here)

    return _Run.strategy.run(reduce, (flat,))


_compiled_sum = tf.function(_sum_in_graph, autograph=False, reduce_retracing=True)


@tf.custom_gradient
def _gathered(x: Any) -> Any:
    """The tensors of all processes. Each of these has a loss of its own, and what is gathered counts in all of them."""
    rows, after = x.shape[0], [[0, 0]] * (x.shape.rank - 1)
    sent = tf.cast(x, tf.int32) if x.dtype in (tf.bool, tf.int8, tf.uint8, tf.int16) else x
    spread = tf.pad(sent, [[_Run.rank * rows, (_Run.size - 1 - _Run.rank) * rows], *after])

    def back(g: Any) -> Any:
        return _sum(g)[_Run.rank * rows : (_Run.rank + 1) * rows]

    return tf.cast(_sum(spread), x.dtype), back


class ProcessPlacement(Placement):
    """The state lies whole in every process, and each takes its rows of a batch; see `Placement`."""

    def __init__(self, distribution: Any):
        super().__init__(distribution)
        self.rank, self.processes = _Run.rank, _Run.size

    def put_state(self, variable: Any, value: Any) -> Any:
        """The value, which has memory of its own; of a slot that another process keeps, an empty tensor."""
        return value if self.keeper(variable) in (None, self.rank) else tf.zeros((0,), value.dtype)

    def put_batch(self, arrays: Sequence[Any]) -> list[Any]:
        """The rows of this rank."""
        size = len(arrays[0]) // self.shares(len(arrays[0]))
        start = self.rank * size if size < len(arrays[0]) else 0
        return [array[start : start + size] for array in arrays]

    @_names_lost
    def gather(self, tensor: Any) -> Any:
        """The rows of all ranks, one behind the other."""
        return _gathered(tensor)

    @_names_lost
    def reduce(self, tensors: Sequence[Any], shares: int) -> list[Any]:
        """Averages, in one flat buffer for each dtype."""
        return list(tensors) if shares == 1 else _in_buffers(tensors, lambda flat: _sum(flat / shares))

    @_names_lost
    def from_first(self, tensors: Sequence[Any]) -> list[Any]:
        """The values of rank 0."""
        return _in_buffers(tensors, lambda flat: _sum(flat if _Run.rank == 0 else tf.zeros_like(flat)))

    @_names_lost
    def of_keeper(self, variable: Any, value: Any) -> Any:
        """The value of a slot that one process keeps, in all of them."""
        keeper = self.keeper(variable)
        if keeper is None:
            return value
        own = value if keeper == self.rank else tf.zeros(tuple(variable.shape), value.dtype)
        return tf.reshape(_sum(tf.reshape(own, (-1,))), own.shape)

    def wait_for_all(self) -> None:
        """Return when every process has come here."""
        self.from_first([tf.zeros((1,))])


def _in_buffers(tensors: Sequence[Any], exchange: Callable[[Any], Any]) -> list[Any]:
    """What becomes of tensors that go through an exchange, those of each dtype in one buffer."""
    places: dict[Any, list[int]] = {}
    for i, tensor in enumerate(tensors):
        places.setdefault(tensor.dtype, []).append(i)
    results: list[Any] = [None] * len(tensors)
    for dtype, some in places.items():
        flat = tf.concat([tf.reshape(tensors[i], [-1]) for i in some], 0)
        flat = exchange(tf.cast(flat, tf.int32)) if dtype == tf.bool else exchange(flat)
        sizes = [tensors[i].shape.num_elements() for i in some]
        for i, piece in zip(some, tf.split(tf.cast(flat, dtype), sizes), strict=True):
            results[i] = tf.reshape(piece, tensors[i].shape)
    return results


class Processes(Backend):
    """What `TensorflowBackend` is more in one of several processes that train a model together.

    Args:
        plain: the adapter for which this one stands.
        distribution: a `DataParallel`.

    Raises: DistributionError for another distribution, or one of another number of devices than there are processes.
    """

    placement: ProcessPlacement
    shares_programs = False

    def __init__(self, plain: Backend, distribution: Any):
        super().__init__()
        initialize()
        self.undistributed, self.placement = plain, ProcessPlacement(distribution)
        self.placement.check_one_for_each(self.name)
        replicas.share_seeds(self)

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

    def supports_multi_step(self, program: Any) -> bool:
        """How many steps go in one dispatch is found by time, which is another in each process."""
        return False

    def compile_program(self, program: Any) -> Callable[..., Any]:
        """The function of the program, whose calls say which process is lost. XLA has no such collectives on CPUs."""
        function = super().compile_program(program)
        function.late = False
        call = _names_lost(function)
        return call
