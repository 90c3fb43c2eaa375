"""Names that Python and NumPy had when programs for Keras 1 and 2 were written, and have no more.

They are put back when `keras` is answered by us, each as what it was said to be replaced by, and never over a name that
is there. Without them a program of 2018 stops at `from collections import Iterable` before it reaches Keras.
Source: What's New in Python 3.3, 3.8, 3.10 and 3.11; the release notes of NumPy 1.20, 1.24, 1.25, 2.0 and 2.3.
"""

from __future__ import annotations

import collections
import collections.abc
import inspect
import time
import warnings
from types import ModuleType
from typing import Any

import numpy as np


def getargspec(func: Any) -> Any:
    """Names and defaults of a function's arguments.

    Args:
        func: the function.
    """
    spec = inspect.getfullargspec(func)
    return ArgSpec(spec.args, spec.varargs, spec.varkw, spec.defaults)


def binary_fromstring(string: str | bytes, dtype: Any = float, count: int = -1, *, sep: str = "", **kwargs: Any) -> Any:
    """`numpy.fromstring` that reads bytes as well, which NumPy's own refuses since 2.3.

    Args:
        string: numbers as text with `sep`, or their bytes.
        dtype: dtype of the numbers.
        count: how many; -1 for all.
        sep: what stands between them in a text; '' for bytes.
        kwargs: passed on.
    """
    if sep:
        return _fromstring(string, dtype, count, sep=sep, **kwargs)
    data = string.encode("latin1") if isinstance(string, str) else string
    return np.frombuffer(data, dtype, count).copy()


_fromstring: Any = np.fromstring
ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")

NAMES: dict[ModuleType, dict[str, Any]] = {
    collections: {name: getattr(collections.abc, name) for name in collections.abc.__all__},
    inspect: {"ArgSpec": ArgSpec, "getargspec": getargspec},
    time: {"clock": time.perf_counter},
    np: {
        "Inf": np.inf, "Infinity": np.inf, "NINF": -np.inf, "NaN": np.nan, "PINF": np.inf, "alltrue": np.all,
        "asfarray": lambda a, dtype=np.float64: np.asarray(a, dtype), "asscalar": lambda a: a.item(), "bool": bool,
        "bool8": np.bool_, "cfloat": np.complex128, "complex": complex, "complex_": np.complex128,
        "cumproduct": np.cumprod, "float": float, "float_": np.float64, "in1d": np.isin, "infty": np.inf, "int": int,
        "int0": np.intp, "long": int, "longfloat": np.longdouble, "mat": np.asmatrix, "msort": lambda a: np.sort(a, 0),
        "object": object, "object0": np.object_, "product": np.prod, "round_": np.round, "row_stack": np.vstack,
        "singlecomplex": np.complex64, "sometrue": np.any, "str": str, "str0": np.str_, "string_": np.bytes_,
        "trapz": getattr(np, "trapezoid", None), "uint0": np.uintp, "unicode": str,
        "unicode_": np.str_,
    },
}  # fmt: skip


def restore() -> None:
    """Put every name back that is not there."""
    if _refuses_bytes():
        setattr(np, "fromstring", binary_fromstring)  # noqa: B010 - mypy takes no assignment
    for module, names in NAMES.items():
        for name, value in names.items():
            if name not in vars(module) and not _is_there(module, name):
                setattr(module, name, value)


def _refuses_bytes() -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _fromstring(b"1", "int8")
    except ValueError:
        return True
    return False


def _is_there(module: ModuleType, name: str) -> bool:
    with warnings.catch_warnings():  # what is still there, but will go
        warnings.simplefilter("ignore")
        return hasattr(module, name)
