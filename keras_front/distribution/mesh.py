"""Devices: which there are in all processes together, a mesh of them, and how processes find each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from keras_front.backend import discovery
from keras_front.backend.adapter import Backend
from keras_front.errors import ArgumentError

# What `initialize` reads where it is not told; the launcher of the processes sets them. The names are those of Keras 3.
ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
PROCESSES = "KERAS_DISTRIBUTION_NUM_PROCESSES"
PROCESS = "KERAS_DISTRIBUTION_PROCESS_ID"


def _engine() -> Backend:
    return cast(Backend, discovery.active())


def list_devices(device_type: str | None = None) -> list[str]:
    """The devices that the active backend can distribute over, those of all processes.

    Args:
        device_type: 'cpu', 'gpu' or 'tpu'; None: those that the engine prefers. Kinds are never mixed.

    Returns: names such as 'gpu:1'.

    Example:
        >>> list_devices()
        ['cpu:0']
    """
    return _engine().distribution_devices(None if device_type is None else device_type.lower())


def get_device_count(device_type: str | None = None) -> int:
    """The number of devices that `list_devices` names.

    Args:
        device_type: as for `list_devices`.

    Example:
        >>> get_device_count("cpu") >= 1
        True
    """
    return len(list_devices(device_type))


def initialize(
    job_addresses: str | None = None, num_processes: int | None = None, process_id: int | None = None
) -> None:
    """Let the processes of a run find each other. Every process calls it once, before it computes anything.

    What is not given is read from the environment, where a launcher writes it. Where nothing is given and nothing is
    there, the engine's own launcher may have left what it needs (torchrun, `TF_CONFIG`, a TPU pod).

    Args:
        job_addresses: 'host:port' of process 0, or those of all processes with commas between;
            `KERAS_DISTRIBUTION_JOB_ADDRESSES` in the environment.
        num_processes: how many processes there are; `KERAS_DISTRIBUTION_NUM_PROCESSES`.
        process_id: the number of this one, from 0; `KERAS_DISTRIBUTION_PROCESS_ID`.

    Raises: DistributionError if the active backend knows no processes, or if they do not find each other.
    Source: Keras 3.15, `keras.distribution.initialize`.

    Example:
        >>> initialize("10.0.0.1:1234", num_processes=2, process_id=0)  # doctest: +SKIP
    """
    addresses = job_addresses or os.environ.get(ADDRESSES) or None
    count = _number("num_processes", num_processes, PROCESSES)
    number = _number("process_id", process_id, PROCESS)
    if count is not None and number is not None and not 0 <= number < count:
        raise ArgumentError(
            f"initialize: expected process_id from 0 to {count - 1} for {count} processes, received {number}."
        )
    _engine().initialize_processes(addresses, count, number)


def _number(name: str, given: int | None, variable: str) -> int | None:
    text = os.environ.get(variable) if given is None else given
    if text is None or text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise ArgumentError(f"initialize: expected an integer as {name} ({variable}), received {text!r}.") from None


class DeviceMesh:
    """Devices in rows and columns (or more): each axis has a name, by which layouts divide tensors along it.

    Args:
        shape: the number of devices along each axis: `(8,)` for data parallelism alone, `(2, 4)` for two replicas of a
            model that each lie on four devices.
        axis_names: a name for each axis, such as `["batch", "model"]`.
        devices: names of devices, as `list_devices` gives them, in the order of the mesh; by default these.

    Attributes: `shape`, a tuple; `axis_names`, a list; `devices`, an array of names of that shape.
    Raises: ArgumentError where these do not fit together.
    Source: Keras 3.15, `keras.distribution.DeviceMesh`.

    Example:
        >>> DeviceMesh((2, 4), ["batch", "model"], [f"cpu:{i}" for i in range(8)])
        <DeviceMesh shape=(2, 4), axis_names=['batch', 'model']>
    """

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str], devices: Any = None):
        if not shape or not axis_names:
            raise ArgumentError(
                f"DeviceMesh: expected a shape and axis names, received shape={shape!r}, axis_names={axis_names!r}."
            )
        if len(shape) != len(axis_names) or len(set(axis_names)) != len(axis_names):
            raise ArgumentError(
                f"DeviceMesh: expected one name of its own for each axis, received shape={tuple(shape)}, "
                f"axis_names={list(axis_names)}."
            )
        found = np.array(list_devices() if devices is None else devices).ravel()
        if len(found) != int(np.prod(shape)):
            raise ArgumentError(
                f"DeviceMesh: expected {int(np.prod(shape))} devices for the shape {tuple(shape)}, received "
                f"{len(found)}: {', '.join(map(str, found))}."
            )
        self.shape, self.axis_names = tuple(map(int, shape)), list(axis_names)
        self.devices = found.reshape(self.shape)

    @property
    def backend_mesh(self) -> Any:
        """The mesh as the active backend has it, `jax.sharding.Mesh` or torch's `DeviceMesh`.

        Raises: DistributionError on a backend that has none.
        """
        return _engine().engine_mesh(self)

    def size(self, axis: str) -> int:
        """The number of devices along an axis.

        Args:
            axis: its name.
        """
        return self.shape[self.axis_names.index(axis)]

    def __repr__(self) -> str:
        return f"<DeviceMesh shape={self.shape}, axis_names={self.axis_names}>"
