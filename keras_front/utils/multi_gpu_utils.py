"""`multi_gpu_model`: a model that is data parallel from now on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from keras_front.backend import discovery
from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures
from keras_front.tracebacks import warn_user

__all__ = ["multi_gpu_model"]

M = TypeVar("M")


def _get_available_devices() -> list[str]:
    """The devices that a model could be divided among: tests of the time ask."""
    return ["/cpu:0"]


def _normalize_device_name(name: str) -> str:
    return "/" + ":".join(name.lower().replace("/", "").split(":")[-2:])


@explains_failures
def multi_gpu_model(
    model: M, gpus: int | Sequence[int] | None = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> M:
    """The same model, which is data parallel from now on: each batch is divided over several devices.

    Where the active backend has one device only, the model runs on that, with a warning.

    Args:
        model: a model.
        gpus: number of devices, or their numbers; at least two. None: all that there are.
        cpu_merge: accepted because Keras has it; nothing is merged.
        cpu_relocation: accepted because Keras has it; weights stay where they are.

    Raises: ArgumentError for fewer than two devices, as in Keras.
    Source: Keras 2.3.1, `keras/utils/multi_gpu_utils.py`.
    Example:
        >>> parallel = multi_gpu_model(model, gpus=2)  # doctest: +SKIP
        >>> parallel.compile("sgd", "mse")  # doctest: +SKIP
    """
    count = len(set(gpus)) if isinstance(gpus, Sequence) else gpus
    if count is not None and count < 2:
        raise ArgumentError(f"multi_gpu_model: expected at least two devices, received gpus={gpus!r}.")
    engine = discovery.undistributed(getattr(model, "_engine", None) or discovery.active())
    devices = engine.distribution_devices()
    chosen = devices[:count] if not isinstance(gpus, Sequence) else [devices[i] for i in gpus if i < len(devices)]
    if len(chosen) < (count or 2):
        warn_user(f"multi_gpu_model: {gpus} devices were asked for, there are {len(devices)}: {_places(chosen)}.")
    return _data_parallel(model, engine, chosen) if len(chosen) > 1 else model


def _places(devices: Sequence[str]) -> str:
    return "the model runs on one device" if len(devices) < 2 else f"the model runs on {', '.join(devices)}"


def _data_parallel(model: M, engine: Any, devices: Sequence[str]) -> M:
    from keras_front.distribution import DataParallel

    model.to_backend(DataParallel(devices=devices).adapter_of(engine))  # type: ignore[attr-defined]
    return model
