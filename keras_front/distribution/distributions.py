"""Distributions: over which axis of a mesh the batch is divided, and how each variable lies on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from keras_front.backend import discovery
from keras_front.distribution.layouts import Axes, LayoutMap, TensorLayout
from keras_front.distribution.mesh import DeviceMesh, list_devices
from keras_front.errors import ArgumentError


class Distribution:
    """What is divided over which devices; see `DataParallel` and `ModelParallel`.

    Args:
        device_mesh: the devices.
        batch_dim_name: the axis of the mesh along which batches are divided; None: its first.
        auto_shard_dataset: whether every process is given the same data, of which it takes its part. False: the data
            of each process are its own, and its batches are parts of the whole batch.
        sync_batch_statistics: whether normalization uses the mean and variance of the whole batch, not of the part that
            one process has. With a global view it always does.
        shard_optimizer_state: whether the slots of the optimizer are divided over the devices too (as ZeRO does, stage
            1), where one of their axes can be divided evenly. It saves memory: Adam keeps twice the size of the
            weights. The price is that the new weights are gathered after each step.

    Source: Keras 3.15, `keras.distribution.Distribution`; the last two arguments are ours. ZeRO: Rajbhandari et al.
        (2020), arXiv:1910.02054.
    Example:
        >>> from keras_front.distribution import DataParallel, set_distribution
        >>> set_distribution(DataParallel())  # doctest: +SKIP
    """

    def __init__(
        self,
        device_mesh: DeviceMesh,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        sync_batch_statistics: bool = True,
        shard_optimizer_state: bool = False,
    ):
        if not isinstance(device_mesh, DeviceMesh):
            raise ArgumentError(f"{type(self).__name__}: expected a DeviceMesh, received {device_mesh!r}.")
        name = device_mesh.axis_names[0] if batch_dim_name is None else batch_dim_name
        if name not in device_mesh.axis_names:
            raise ArgumentError(
                f"{type(self).__name__}: expected batch_dim_name to be one of {device_mesh.axis_names}, "
                f"received {batch_dim_name!r}."
            )
        self.device_mesh, self.batch_dim_name = device_mesh, name
        self.auto_shard_dataset = bool(auto_shard_dataset)
        self.sync_batch_statistics = bool(sync_batch_statistics)
        self.shard_optimizer_state = bool(shard_optimizer_state)
        self._adapters: dict[Any, Any] = {}

    @property
    def num_model_replicas(self) -> int:
        """Over how many devices, or groups of devices, a batch is divided."""
        return self.device_mesh.size(self.batch_dim_name)

    @property
    def num_processes(self) -> int:
        """How many processes take part."""
        return 1 if (placement := self._placement()) is None else placement.processes

    @property
    def data_shard_id(self) -> int:
        """The number of this process, whose part of the data it takes."""
        return 0 if (placement := self._placement()) is None else placement.rank

    def _placement(self) -> Any:
        return getattr(self.adapter_of(discovery.undistributed(discovery.active())), "placement", None)

    def adapter_of(self, backend: Any) -> Any:
        """The adapter that stands for `backend` as long as this distribution is set; made once.

        Args:
            backend: an adapter.

        Raises: DistributionError if that backend has no distribution of this kind.
        """
        if backend not in self._adapters:
            self._adapters[backend] = backend.distributed(self)
        return self._adapters[backend]

    def get_data_layout(self, data_shape: Sequence[int | None]) -> TensorLayout:
        """The layout of a batch: its first axis is divided.

        Args:
            data_shape: the shape of the batch.
        """
        return TensorLayout((self.batch_dim_name, *(None,) * (len(data_shape) - 1)), self.device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """The layout of a variable; all of its axes None where it lies whole on every device.

        Args:
            variable: a `Variable`.
        """
        return TensorLayout(self._axes_of(variable), self.device_mesh)

    def axes_that_fit(self, variable: Any) -> Axes:
        """The axes of a variable's layout, which divide its shape evenly.

        Args:
            variable: a `Variable`.

        Raises: ArgumentError if they do not.
        """
        axes, mesh = self.get_variable_layout(variable).axes, self.device_mesh
        sizes = [1 if axis is None else mesh.size(axis) for axis in axes]
        if len(axes) > len(variable.shape) or any(d % n for d, n in zip(variable.shape, sizes)):
            raise ArgumentError(
                f"{variable.name}: expected a shape that the layout {axes} divides evenly on {mesh}, "
                f"received {variable.shape}. Change the layout in the LayoutMap, or the size of the layer."
            )
        return axes

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of what a layer gives: None, which leaves it to the engine.

        Args:
            path: a path of a layer.
        """
        return None

    def distribute_dataset(self, dataset: Any) -> Any:
        """The data as it is: what reads it gives each process its rows of every batch.

        Args:
            dataset: a stream of batches.
        """
        return dataset

    def _axes_of(self, variable: Any) -> Axes:
        axes = self._axes_of_weight(getattr(variable, "slot_of", None) or variable.path, variable.shape)
        if self.shard_optimizer_state and variable.slot_of and not any(axes):
            return self._divided(variable.shape)
        return axes

    def _axes_of_weight(self, path: str, shape: Sequence[int]) -> Axes:
        return (None,) * len(shape)

    def _divided(self, shape: Sequence[int]) -> Axes:
        """The first axis that can be divided evenly along the axis of the batch, if there is one."""
        chosen = next((i for i, size in enumerate(shape) if size and size % self.num_model_replicas == 0), None)
        return tuple(self.batch_dim_name if i == chosen else None for i in range(len(shape)))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """A context in which models are distributed in this way.

        Raises: DistributionError if the active backend has no distribution of this kind.

        Example:
            >>> with DataParallel(devices=["cpu:0"]).scope():
            ...     print(distribution())
            Traceback (most recent call last):
            keras_front.errors.DistributionError: ...
        """
        with discovery.use_distribution(self):
            yield

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Every device holds the whole model and computes a part of each batch.

    Args:
        device_mesh: the devices; if it has several axes, batches are divided along the first.
        devices: names of devices, in place of a mesh. Neither: all that `list_devices` gives.
        auto_shard_dataset, sync_batch_statistics, shard_optimizer_state: see `Distribution`.

    Raises: ArgumentError if both a mesh and devices are given.
    Source: Keras 3.15, `keras.distribution.DataParallel`.

    Example:
        >>> DataParallel(devices=["cpu:0", "cpu:1"]).num_model_replicas
        2
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Sequence[str] | None = None,
        auto_shard_dataset: bool = True,
        sync_batch_statistics: bool = True,
        shard_optimizer_state: bool = False,
    ):
        if device_mesh is not None and devices is not None:
            raise ArgumentError("DataParallel: expected device_mesh or devices, received both.")
        if device_mesh is None:
            found = list(list_devices() if devices is None else devices)
            device_mesh = DeviceMesh((len(found),), ["batch"], found)
        super().__init__(device_mesh, None, auto_shard_dataset, sync_batch_statistics, shard_optimizer_state)


class ModelParallel(Distribution):
    """Weights are divided over devices by a `LayoutMap`, and batches over another axis of the mesh.

    Args:
        layout_map: which weights are divided along which axes; its mesh is that of the distribution.
        batch_dim_name: the axis of the mesh along which batches are divided; None: its first.
        auto_shard_dataset, sync_batch_statistics, shard_optimizer_state: see `Distribution`.
        device_mesh: accepted for programs of Keras 3.0 to 3.4; it has to be that of `layout_map`.

    Raises: ArgumentError without a layout map.
    Source: Keras 3.15, `keras.distribution.ModelParallel`.

    Example:
        >>> mesh = DeviceMesh((2, 4), ["batch", "model"], [f"cpu:{i}" for i in range(8)])
        >>> layouts = LayoutMap(mesh)
        >>> layouts[".*kernel"] = (None, "model")
        >>> ModelParallel(layout_map=layouts, batch_dim_name="batch").num_model_replicas
        2
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        sync_batch_statistics: bool = True,
        shard_optimizer_state: bool = False,
        device_mesh: DeviceMesh | None = None,
    ):
        if not isinstance(layout_map, LayoutMap):
            raise ArgumentError(f"ModelParallel: expected layout_map to be a LayoutMap, received {layout_map!r}.")
        if device_mesh is not None and device_mesh is not layout_map.device_mesh:
            raise ArgumentError("ModelParallel: expected the mesh of layout_map, received another as device_mesh.")
        super().__init__(
            layout_map.device_mesh, batch_dim_name, auto_shard_dataset, sync_batch_statistics, shard_optimizer_state
        )
        self.layout_map = layout_map

    def _axes_of_weight(self, path: str, shape: Sequence[int]) -> Axes:
        layout = self.layout_map[path]
        return (None,) * len(shape) if layout is None else layout.axes

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of a path in the map, or None. Those of what layers give are left to the compiler.

        Args:
            path: the path of a variable, or of a layer followed by '/output'.
        """
        return self.layout_map[path]


def distribution(value: Distribution | None = None) -> Any:
    """The distribution that is set here, by `set_distribution` or by a block; None if there is none.

    Args:
        value: a distribution; then the result is a block in which it is set, as `value.scope()`.

    Example:
        >>> distribution() is None
        True
    """
    return discovery.distribution() if value is None else value.scope()


def set_distribution(value: Distribution | None) -> None:
    """Distribute all models in this way from now on.

    Args:
        value: a distribution; None: none any more.

    Raises: DistributionError if the active backend has no distribution of this kind.

    Example:
        >>> set_distribution(None)  # as it is without one
    """
    if value is not None and not isinstance(value, Distribution):
        raise ArgumentError(f"set_distribution: expected a Distribution or None, received {value!r}.")
    discovery.set_distribution(value)
