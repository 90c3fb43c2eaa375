"""`tf.debugging`, `tf.print` and small things that programs say beside their computing.

Source: TensorFlow 2.15.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import nest
from keras_front.errors import ArgumentError
from keras_front.utils.dataset_elements import TensorSpec  # noqa: F401 - a name of the stand-in


class UnconnectedGradients:
    """What gradients are for what nothing depends on."""

    NONE, ZERO = "none", "zero"


class do_not_convert:  # noqa: N801 - TensorFlow's name
    """A decorator that changes nothing.

    Args:
        func: the function.
    """

    def __new__(cls, func: Any = None, *args: Any, **options: Any) -> Any:
        return func if func is not None else (lambda decorated: decorated)


def print(*inputs: Any, output_stream: Any = None, sep: str = " ", end: str = "\n", **options: Any) -> None:
    """Write values to standard error, as TensorFlow does; symbols as they are.

    Args:
        inputs: tensors and anything else.
        output_stream: a stream of Python.
        sep: what stands between them.
        end: what ends the line.
        options: not used.
    """
    shown = [nest.map_structure(lambda x: K.to_numpy(x) if hasattr(x, "numpy") and not K.is_symbolic(x) else x, item)
             for item in inputs]  # fmt: skip
    stream = output_stream if hasattr(output_stream, "write") else sys.stderr
    stream.write(sep.join(map(str, shown)) + end)


def timestamp(name: str | None = None) -> Any:
    """Seconds since 1970.

    Args:
        name: not used.
    """
    return np.float64(time.time())


def check_numerics(tensor: Any, message: str = "", name: str | None = None) -> Any:
    """The tensor, which has to be finite where its values are known.

    Args:
        tensor: the tensor.
        message: what the error says.
        name: not used.

    Raises: ArgumentError where a value is NaN or infinite.
    """
    if not K.is_symbolic(tensor) and not np.isfinite(K.to_numpy(tensor)).all():
        raise ArgumentError(f"{message}: the tensor has NaN or infinite values.")
    return tensor


def _comparing(word: str, holds: Any) -> Any:
    def check(x: Any, y: Any, message: str | None = None, *args: Any, **options: Any) -> None:
        known = not any(map(K.is_symbolic, (x, y)))
        if known and not np.all(holds(np.asarray(K.to_numpy(x)), np.asarray(K.to_numpy(y)))):
            raise ArgumentError(f"{message or 'tf.debugging'}: expected x {word} y, received {x!r:.80} and {y!r:.80}.")

    check.__doc__ = f"Raise ArgumentError unless x {word} y in all places, where both are known."
    return check


assert_equal, assert_none_equal = _comparing("==", np.equal), _comparing("!=", np.not_equal)
assert_less, assert_less_equal = _comparing("<", np.less), _comparing("<=", np.less_equal)
assert_greater, assert_greater_equal = _comparing(">", np.greater), _comparing(">=", np.greater_equal)
assert_near = _comparing("near", np.isclose)


def assert_all_finite(x: Any, message: str = "", name: str | None = None) -> Any:
    """As `check_numerics`.

    Args:
        x: the tensor.
        message: what the error says.
        name: not used.
    """
    return check_numerics(x, message)


assert_rank = assert_type = assert_shapes = enable_check_numerics = disable_check_numerics = lambda *a, **k: None
