"""NumPy's error state: functions that do not warn of overflow, invalid values and division by zero, for eager calls.

`np.errstate` as a `with` block costs three times what a small `exp` takes. NumPy keeps that state in one context
variable; setting it to a value made once costs a quarter. Where NumPy has no such variable, `errstate` it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    from numpy._core.umath import _extobj_contextvar as _STATE
except ImportError:  # NumPy 1
    _STATE = None  # type: ignore[assignment]


def without_warnings(function: Callable[..., Any]) -> Any:
    """`function` with warnings of floating point switched off, as a static method.

    Args:
        function: A ufunc, or a function that calls some.
    """
    if _STATE is None:
        return staticmethod(_by_errstate(function))
    with np.errstate(all="ignore"):
        silent = _STATE.get()
    switch, back = _STATE.set, _STATE.reset

    @functools.wraps(function)
    def run(*args: Any, **attrs: Any) -> Any:
        token = switch(silent)
        try:
            return function(*args, **attrs)
        finally:
            back(token)

    return staticmethod(run)


def _by_errstate(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any, **attrs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **attrs)

    return run
