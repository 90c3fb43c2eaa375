"""Sizes that symbols stand for, as far as they are known before there are values.

`K.zeros(K.shape(x))` and `K.stack([K.shape(x)[0], 3])` take sizes from a tensor that knows all but its batch. What is
computed from such sizes alone is computed here at once, with NaN for what is not known, which NumPy carries along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend.symbolic import SymbolicTensor

_SAME_IN_NUMPY = (
    "add", "subtract", "multiply", "divide", "floor_divide", "maximum", "minimum",
    "stack", "concatenate", "reshape", "expand_dims", "squeeze", "sum", "prod", "max", "min", "flip",
)  # fmt: skip


def _cast(sizes: np.ndarray, dtype: str) -> np.ndarray:
    return np.trunc(sizes) if "int" in dtype else sizes


# How ops compute sizes: arrays by position, attributes by keyword, as in records.
_OPS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in _SAME_IN_NUMPY},
    "cast": _cast,
    "getitem": lambda sizes, key: sizes[key],
    "identity": lambda sizes: sizes,
}


def known_sizes(tensor: SymbolicTensor) -> np.ndarray:
    """The values of a symbolic tensor of sizes: floats, NaN for each that depends on what is not known.

    Args:
        tensor: an integer of shape (), or a vector of them.

    Returns: an array of the tensor's shape.

    Example:
        >>> x = K.placeholder((None, 4, 3))
        >>> known_sizes(K.stack([K.shape(x)[0], K.shape(x)[1] * 2]))
        array([nan,  8.])
    """
    with np.errstate(all="ignore"):
        found = _value(tensor)
    return np.full([size or 0 for size in tensor.shape], np.nan) if found is None else found


def _value(item: Any) -> Any:
    """The sizes that an argument of an op holds; None if they come from elsewhere."""
    if isinstance(item, list | tuple):
        parts = [_value(part) for part in item]
        return None if any(part is None for part in parts) else parts
    if not isinstance(item, SymbolicTensor):
        return np.asarray(item, float) if isinstance(item, int | float | np.ndarray | np.generic) else None
    if item.constant is not None:
        return np.asarray(item.constant, float) if isinstance(item.constant, np.ndarray | np.generic) else None
    return None if item.origin is None else _computed(item.origin)


def _computed(origin: Any) -> Any:
    if origin.op.name == "symbolic_shape":
        return np.array([np.nan if size is None else size for size in origin.args[0].shape], float)
    compute = _OPS.get(origin.op.name)
    arrays = None if compute is None else _value(list(origin.args))
    if compute is None or arrays is None or any(isinstance(v, SymbolicTensor) for v in origin.attrs.values()):
        return None
    try:
        return np.asarray(compute(*arrays, **origin.attrs), float)
    except (TypeError, ValueError, IndexError):  # an attribute that NumPy knows not
        return None
