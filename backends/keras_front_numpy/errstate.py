"""NumPy's error state: code that does not warn of overflow, invalid values and division by zero.

`np.errstate` as a `with` block costs three times what a small `exp` takes. NumPy keeps that state in one context
variable; setting it to a value made once costs a fifth. Where NumPy has no such variable, `errstate` it is.

`token = set_errstate(IGNORE)` switches warnings off, `reset_errstate(token)` brings back what was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

IGNORE: Any
set_errstate: Callable[[Any], Any]
reset_errstate: Callable[[Any], None]

try:
    from numpy._core.umath import _extobj_contextvar as _state
except ImportError:  # NumPy 1
    IGNORE = None

    def set_errstate(value: Any) -> Any:
        """Switch warnings off; gives what `reset_errstate` takes."""
        context = np.errstate(all="ignore")
        context.__enter__()
        return context

    def reset_errstate(token: Any) -> None:
        """Bring back the state that was before `set_errstate`."""
        token.__exit__(None, None, None)

else:
    with np.errstate(all="ignore"):
        IGNORE = _state.get()
    set_errstate, reset_errstate = _state.set, _state.reset


def without_warnings(function: Callable[..., Any]) -> Any:
    """`function` with warnings of floating point switched off, as a static method.

    Args:
        function: A ufunc, or a function that calls some.
    """
    switch, back, ignore = set_errstate, reset_errstate, IGNORE

    @functools.wraps(function)
    def run(*args: Any, **attrs: Any) -> Any:
        token = switch(ignore)
        try:
            return function(*args, **attrs)
        finally:
            back(token)

    return staticmethod(run)
