"""What programs ask of TensorFlow about the process: the version, seeds, and switches, which change nothing here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from keras_front.backend import discovery, seeds
from keras_front.legacy.versions import tensorflow_version


def __getattr__(name: str) -> Any:
    if name in ("VERSION", "__version__"):
        return tensorflow_version()
    if name == "GIT_VERSION":
        return "unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def set_random_seed(seed: int) -> None:
    """Start all random numbers from a seed.

    Args:
        seed: an integer from 0 on.
    """
    seeds.set_random_seed(seed)


def get_logger() -> Any:
    """The logger that is called 'tensorflow'."""
    import logging

    return logging.getLogger("tensorflow")


def executing_eagerly() -> bool:
    """Whether calls on values compute at once: they always do, and calls on symbolic tensors never."""
    return True


def _accepted(*args: Any, **kwargs: Any) -> None:
    """A switch for how TensorFlow runs, which changes nothing here."""


enable_eager_execution = disable_eager_execution = _accepted
enable_v2_behavior = disable_v2_behavior = enable_v2_tensorshape = disable_v2_tensorshape = _accepted
enable_resource_variables = disable_resource_variables = enable_control_flow_v2 = disable_control_flow_v2 = _accepted
enable_tensor_equality = disable_tensor_equality = _accepted
no_gradient = NoGradient = NotDifferentiable = _accepted  # of ops of libraries in C++
set_verbosity = trace = _accepted  # of tf.autograph


def function(func: Any = None, **options: Any) -> Any:
    """`tf.function` as a decorator: the function as it is.

    Args:
        func: the function; without one the decorator is returned.
        options: input_signature and the like, which change nothing here.
    """
    return (lambda decorated: decorated) if func is None else func


@contextlib.contextmanager
def device(device_name: Any) -> Iterator[None]:
    """A block whose values are made on a device, such as '/gpu:0', '/device:CPU:0' or 'cpu'.

    Args:
        device_name: the name. None, or a function that chooses, changes nothing.
    """
    if not isinstance(device_name, str) or not device_name.strip():
        yield
        return
    kind, _, number = device_name.lower().replace("/device:", "").strip("/").partition(":")
    kind = {"gpu": "cuda"}.get(kind, kind)
    with discovery.device(f"{kind}:{number}" if number and kind != "cpu" else kind):
        yield


@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A block that changes nothing: what is computed follows from what is asked for.

    Args:
        control_inputs: not used.
    """
    yield


name_scope = variable_scope = contextlib.contextmanager(lambda *args, **kwargs: iter([args[0] if args else None]))


def no_op(name: str | None = None) -> None:
    """Nothing.

    Args:
        name: not used.
    """


def wrap_function(fn: Callable[..., Any], signature: Any = None) -> Callable[..., Any]:
    """The function as it is.

    Args:
        fn: the function.
        signature: not used.
    """
    return fn


def as_bytes(bytes_or_text: str | bytes, encoding: str = "utf-8") -> bytes:
    """Bytes, as Python 2 called texts.

    Args:
        bytes_or_text: either.
        encoding: how a text is written.
    """
    return bytes_or_text.encode(encoding) if isinstance(bytes_or_text, str) else bytes(bytes_or_text)


def as_text(bytes_or_text: str | bytes, encoding: str = "utf-8") -> str:
    """A text.

    Args:
        bytes_or_text: either.
        encoding: how bytes are read.
    """
    return bytes_or_text.decode(encoding) if isinstance(bytes_or_text, bytes) else str(bytes_or_text)


as_str = as_str_any = as_text
