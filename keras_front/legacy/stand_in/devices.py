"""`tf.config`, `tf.test` and `device_lib`: which devices there are, and settings of memory, which change nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras_front.backend import discovery


class PhysicalDevice(NamedTuple):
    """A device of the active backend.

    Args:
        name: such as '/physical_device:GPU:0'.
        device_type: 'CPU' or 'GPU'.
    """

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device of the active backend.

    Args:
        name: such as '/device:GPU:0'.
        device_type: 'CPU' or 'GPU'.
        physical_device_desc: a text for people.
        memory_limit: not known.
    """

    name: str
    device_type: str
    physical_device_desc: str = ""
    memory_limit: int = 0


def _kinds(device_type: str | None) -> list[tuple[str, int]]:
    """Kind and number of each device, processors first."""
    found = [name.lower() for name in discovery.active().devices()]
    gpus = [name for name in found if not name.startswith(("cpu", "host"))]
    every = [("CPU", 0), *(("GPU", number) for number in range(len(gpus)))]
    return [(kind, number) for kind, number in every if device_type in (None, kind)]


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of the active backend.

    Args:
        device_type: 'CPU' or 'GPU', or None for both.
    """
    return [PhysicalDevice(f"/physical_device:{kind}:{n}", kind) for kind, n in _kinds(device_type)]


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices of the active backend.

    Args:
        device_type: 'CPU' or 'GPU', or None for both.
    """
    return [LogicalDevice(f"/device:{kind}:{n}", kind) for kind, n in _kinds(device_type)]


def list_local_devices(session_config: Any = None) -> list[LogicalDevice]:
    """The devices of the active backend.

    Args:
        session_config: not used.
    """
    return list_logical_devices()


get_visible_devices = list_physical_devices


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether the active backend has a GPU.

    Args:
        cuda_only: not used.
        min_cuda_compute_capability: not used.
    """
    return bool(_kinds("GPU"))


def gpu_device_name() -> str:
    """The name of the first GPU, or an empty text."""
    return "/device:GPU:0" if _kinds("GPU") else ""


is_built_with_cuda = is_built_with_gpu_support = is_gpu_available


def get_build_info() -> dict[str, Any]:
    """What TensorFlow would have been built with."""
    return {"is_cuda_build": is_gpu_available(), "is_rocm_build": False}


def get_memory_growth(device: Any) -> bool:
    """Whether memory of a device is taken as needed: the engine decides.

    Args:
        device: not used.
    """
    return True


def get_synchronous_execution() -> bool:
    """Whether ops run one after the other: yes, as far as a program can see."""
    return True


def functions_run_eagerly() -> bool:
    """Whether functions are called without being compiled: compiling is the business of the model."""
    return False


def is_op_determinism_enabled() -> bool:
    """Whether ops were asked to give the same bits in each run: that is for the engine to be told."""
    return False


def _accepted(*args: Any, **kwargs: Any) -> None:
    """A setting for TensorFlow's devices, which changes nothing here."""


set_visible_devices = set_memory_growth = set_virtual_device_configuration = set_logical_device_configuration = (
    _accepted
)
run_functions_eagerly = experimental_run_functions_eagerly = set_soft_device_placement = _accepted
set_inter_op_parallelism_threads = set_intra_op_parallelism_threads = set_synchronous_execution = _accepted
disable_op_determinism = set_jit = set_experimental_options = enable_tensor_float_32_execution = (
    enable_op_determinism
) = _accepted


class LogicalDeviceConfiguration:
    """Limits for the memory of a device, which change nothing here.

    Args:
        memory_limit: megabytes.
        options: further ones.
    """

    def __init__(self, memory_limit: int | None = None, **options: Any) -> None:
        self.memory_limit = memory_limit


VirtualDeviceConfiguration = LogicalDeviceConfiguration
