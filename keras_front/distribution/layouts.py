"""Layouts: along which axes of a mesh a tensor is divided, and which layout belongs to which variable."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any, cast

from keras_front.backend import discovery, symbolic
from keras_front.backend.adapter import Backend
from keras_front.distribution.mesh import DeviceMesh
from keras_front.errors import ArgumentError

Axes = tuple[str | None, ...]


class TensorLayout:
    """How a tensor lies on a mesh: for each of its axes the axis of the mesh along which it is divided.

    Args:
        axes: names of axes of the mesh, None for an axis of the tensor that is not divided.
        device_mesh: the mesh; None in a `LayoutMap`, which knows it.

    Raises: ArgumentError for a name that the mesh does not have, or that stands twice.
    Source: Keras 3.15, `keras.distribution.TensorLayout`.

    Example:
        >>> TensorLayout((None, "model"))
        <TensorLayout axes=(None, 'model'), device_mesh=None>
    """

    def __init__(self, axes: Sequence[str | None], device_mesh: DeviceMesh | None = None):
        self.axes: Axes = tuple(axes)
        self._device_mesh = device_mesh
        self._check()

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh. It may be set where it is None."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ArgumentError(f"TensorLayout: the mesh is {self._device_mesh} already; make another layout.")
        self._device_mesh = mesh
        self._check()

    @property
    def backend_layout(self) -> Any:
        """The layout as the active backend has it: JAX's `NamedSharding` or the placements of torch.

        Raises: ArgumentError without a mesh; DistributionError on a backend that has no layouts.
        """
        if self._device_mesh is None:
            raise ArgumentError(f"TensorLayout: expected a mesh, received {self}; set device_mesh first.")
        return cast(Backend, discovery.active()).engine_mesh(self._device_mesh, self.axes)

    def _check(self) -> None:
        named = [axis for axis in self.axes if axis is not None]
        known = named if self._device_mesh is None else self._device_mesh.axis_names
        if set(named) - set(known) or len(set(named)) < len(named):
            raise ArgumentError(
                f"TensorLayout: expected axes of the mesh, each at most once, of {known}, received {self.axes}."
            )

    def __repr__(self) -> str:
        return f"<TensorLayout axes={self.axes}, device_mesh={self.device_mesh}>"


class LayoutMap(MutableMapping[str, TensorLayout]):
    """Layouts by the paths of variables: a dict whose keys are regular expressions that match a whole path.

    The path of a variable is its name without the ':0' of Keras 2, such as 'dense_1/kernel'. Keras 3 writes the name of
    a `Sequential` in front, 'sequential/dense_1/kernel': of a key with more names than the path, the last count, where
    nothing else matches. A variable that no key matches lies whole on every device. The slots of an optimizer lie as
    their weights do.

    Args:
        device_mesh: the mesh of the layouts.

    Source: Keras 3.15, `keras.distribution.LayoutMap`.

    Example:
        >>> mesh = DeviceMesh((2, 4), ["batch", "model"], [f"cpu:{i}" for i in range(8)])
        >>> layouts = LayoutMap(mesh)
        >>> layouts[".*dense.*kernel"] = (None, "model")
        >>> layouts["dense_1/kernel"].axes, layouts["dense_1/bias"]
        ((None, 'model'), None)
    """

    def __init__(self, device_mesh: DeviceMesh):
        self.device_mesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}

    def __getitem__(self, key: str) -> TensorLayout:
        """The layout of a path; None if no key matches it.

        Raises: ArgumentError if several keys match.
        """
        found = self._layouts.get(key)
        if found is not None:
            return found
        matching = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        matching = matching or [pattern for pattern in self._layouts if _matches_at_its_end(pattern, key)]
        if len(matching) > 1:
            raise ArgumentError(
                f"LayoutMap: the path {key!r} matches several keys: {', '.join(map(repr, matching))}. "
                "Let each path match one key at most."
            )
        return self._layouts[matching[0]] if matching else cast(TensorLayout, None)

    def get(self, key: str, default: Any = None) -> Any:
        """The layout of a path.

        Args:
            key: the path.
            default: what is returned if no key matches.
        """
        found = self[key]
        return default if found is None else found

    def __setitem__(self, key: str, layout: Any) -> None:
        if key in self._layouts:
            raise ArgumentError(f"LayoutMap: {key!r} has a layout already, {self._layouts[key]}; delete it first.")
        if isinstance(layout, tuple | list):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ArgumentError(
                f"LayoutMap: expected a tuple of axes or a TensorLayout for {key!r}, received {layout!r}."
            )
        if layout.device_mesh is None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __contains__(self, key: object) -> bool:
        return key in self._layouts

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    def __len__(self) -> int:
        return len(self._layouts)


def _matches_at_its_end(pattern: str, path: str) -> bool:
    """Whether as many names at the end of a pattern as a path has match it: those in front are names of models."""
    last = pattern.split("/")[-1 - path.count("/") :]
    if "/" not in path or len(last) == pattern.count("/") + 1:
        return False
    try:
        return re.fullmatch("/".join(last), path) is not None
    except re.error:  # a group that began in what was left out
        return False


def distribute_tensor(tensor: Any, layout: TensorLayout) -> Any:
    """A tensor that lies on the devices as a layout says.

    Args:
        tensor: a tensor or an array. A symbolic one, within a step that is traced, is returned as it is: there the
            compiler decides, from where weights and batches lie.
        layout: a layout with a mesh.

    Returns: a tensor of the same values.

    Raises: DistributionError on a backend whose tensors lie on one device.
    Source: Keras 3.15, `keras.distribution.distribute_tensor`.

    Example:
        >>> distribute_tensor(x, TensorLayout(["batch", None], mesh))  # doctest: +SKIP
    """
    if layout.device_mesh is None:
        raise ArgumentError(f"distribute_tensor: expected a layout with a mesh, received {layout}.")
    if symbolic.is_symbolic(tensor):
        return tensor
    return cast(Backend, discovery.active()).distribute_tensor(tensor, layout)
