"""NumPy's and Keras 3's spelling of K's ops: `from keras_front import ops; ops.mean(x, axis=-1)`.

Functions take symbolic tensors, variables, arrays, and tensors of the active backend alike, and arguments by the names
of NumPy or of Keras 3. What neither has a name for keeps the name it has in `keras_front.backend`: `ops.softmax`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from keras_front import backend as K
from keras_front.backend.op import OPS
from keras_front.backend.operands import as_symbol_or_tensor as _as_tensor
from keras_front.backend.ops.numpy_names import FUNCTIONS
from keras_front.missing_names import missing_in_module as _missing_in_module

from . import arrays, core, image, linalg, nn, numpy, reductions, signals, statistics  # noqa: F401 - as `ops.image`

_OWN = (arrays, statistics, reductions, core, nn, signals, linalg)
_HELPERS = {
    "on_host",
    "average_windows",
    "largest_of_windows",
    "as_symbol_or_tensor",
    "full_precision",
    "window_factors",
}
# What Keras 3 calls arguments that have another name here; see `_renamed`.
_FIRST, _SECOND = ("x", "x1", "xs", "inputs", "variable", "subscripts", "f", "abs_"), ("x2",)
_ARGUMENTS = {
    "clip": {"x_min": "a_min", "x_max": "a_max"},
    "reshape": {"newshape": "shape"},
    "tile": {"repeats": "reps"},
    "leaky_relu": {"negative_slope": "alpha"},
    "where": {"x1": "x", "x2": "y"},
}


def _renamed(name: str, parameters: list[str]) -> dict[str, str]:
    """For the names of Keras 3 those of a function's parameters."""
    others = {old: new for old, new in _ARGUMENTS.get(name, {}).items() if old not in parameters}
    for place, names in enumerate((_FIRST, _SECOND)):
        if place < len(parameters):
            others = {**{n: parameters[place] for n in names if n not in parameters}, **others}
    return others


def _taking_arrays(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` that also takes a list or number as its first argument, and its arguments by Keras 3's names."""
    parameters = [p.name for p in inspect.signature(function).parameters.values() if p.kind != p.VAR_KEYWORD]
    others = _renamed(name, parameters)
    as_they_are = hasattr(function, "op") or name in (
        "einsum", "concatenate", "concat", "stack", "vstack", "hstack", "where"
    )  # fmt: skip

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not others.keys().isdisjoint(kwargs):
            kwargs = {others.get(key, key): value for key, value in kwargs.items()}
        if args and not (as_they_are or hasattr(args[0], "shape")):
            args = (_as_tensor(args[0]), *args[1:])
        return function(*args, **kwargs)

    run.__name__ = name
    return run


def _own_functions() -> Iterator[tuple[str, Any]]:
    """What the modules of this package define or offer."""
    for module in _OWN:
        for name, value in vars(module).items():
            if not name.startswith("_") and inspect.isfunction(value) and name not in _HELPERS:
                yield name, value


globals().update({name: _taking_arrays(name, function) for name, function in FUNCTIONS.items()})
globals().update(_own_functions())
conjugate = arrays.conj


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not hasattr(K, name) or isinstance(getattr(K, name), ModuleType):
        raise _missing_in_module(__name__, name)
    value = getattr(K, name)
    return _taking_arrays(name, value) if hasattr(value, "op") else value


def __dir__() -> list[str]:
    return sorted(
        {*(n for n in globals() if not n.startswith("_")), *FUNCTIONS, *(name for name in OPS if hasattr(K, name))}
    )
