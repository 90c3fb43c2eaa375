"""`multi_gpu_model`: models on several devices, which so far is the model itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

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
    """The same model, with a warning that it runs on one device.

    Args:
        model: a model.
        gpus: number of devices, or their numbers; at least two.
        cpu_merge: accepted because Keras has it; nothing is merged.
        cpu_relocation: accepted because Keras has it; weights stay where they are.

    Raises: ArgumentError for fewer than two devices, as in Keras.
    Source: Keras 2.3.1, `keras/utils/multi_gpu_utils.py`.
    """
    count = len(set(gpus)) if isinstance(gpus, Sequence) else gpus
    if count is not None and count < 2:
        raise ArgumentError(f"multi_gpu_model: expected at least two devices, received gpus={gpus!r}.")
    warn_user("multi_gpu_model: the model runs on one device; it is returned as it is.")
    return model
