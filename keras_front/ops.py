"""NumPy's spelling of K's ops: `from keras_front import ops; ops.mean(x, axis=-1)`.

Functions take symbolic tensors, variables, arrays, and tensors of the active backend alike. What NumPy has no name for
keeps the name it has in `keras_front.backend`: `ops.softmax`, `ops.one_hot`, `ops.conv2d`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from keras_front import backend as K
from keras_front.backend.op import OPS
from keras_front.backend.operands import as_symbol_or_tensor as _as_tensor
from keras_front.backend.ops.numpy_names import FUNCTIONS, LINALG

linalg = SimpleNamespace(**LINALG, svd=K.svd)


def _taking_arrays(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` that also takes a list or number as its first argument, as ops do by themselves."""
    if hasattr(function, "op") or name in ("einsum", "concatenate", "concat", "stack", "vstack", "hstack", "where"):
        return function

    def run(first: Any, *args: Any, **kwargs: Any) -> Any:
        return function(first if hasattr(first, "shape") else _as_tensor(first), *args, **kwargs)

    run.__name__, run.__doc__, run.__wrapped__ = name, function.__doc__, function  # type: ignore[attr-defined]
    return run


globals().update({name: _taking_arrays(name, function) for name, function in FUNCTIONS.items()})


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not hasattr(K, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(K, name)


def __dir__() -> list[str]:
    return sorted({*FUNCTIONS, *(name for name in OPS if hasattr(K, name)), "linalg"})
