"""Variables that are read in another dtype than they are kept in: what a mixed precision policy does to weights.

`with autocast("float16"):` puts a frame in front of those that hold values. It holds none itself: it casts what they
give, once for each value, so that gradients reach the variable through the cast, a loop takes the cast from outside,
and where no such block is open nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_front.backend import dtypes, scopes
from keras_front.backend.op import OPS
from keras_front.backend.scopes import CASTING, Frame

__all__ = ["autocast", "autocast_dtype"]


class _CastValues(dict[Any, Any]):
    """The table of a frame that casts: empty for all but `get`, so that nothing is assigned or kept here."""

    __slots__ = ("cast", "frame")

    frame: Any  # whose table it is

    def __init__(self) -> None:
        self.cast: dict[Any, tuple[Any, Any]] = {}

    def get(self, variable: Any, default: Any = None) -> Any:
        dtype = self.frame.dtype
        value = scopes.uncast_value(variable, self.frame.parent)
        if dtype is None or variable.dtype == dtype or not (variable.autocast and variable.dtype in dtypes.FLOATS):
            return value if value is not None or dtype is not None else _own_value(variable)
        if value is None:
            value = _own_value(variable)
        known = self.cast.get(variable)
        if known is None or known[0] is not value:
            known = self.cast[variable] = value, OPS["cast"].function(value, dtype)
        return known[1]


def _own_value(variable: Any) -> Any:
    """What a variable is where no frame binds it."""
    return variable.current() if scopes.computes_now() else variable.symbol


class Casting(Frame):
    """A frame that gives the values of the frames around it in another dtype.

    Args:
        dtype: that dtype; None for the variables' own.
    """

    __slots__ = ("dtype",)
    casts = True

    def __init__(self, dtype: str | None):
        table = _CastValues()
        super().__init__(table, None, False, False)
        self.dtype, table.frame = dtype, self

    def above(self, frame: Frame) -> Casting:
        """Such a frame in front of another one.

        Args:
            frame: the other one.
        """
        found = Casting(self.dtype)
        found.parent = frame
        return found


def autocast_dtype() -> str | None:
    """The dtype in which variables of floats are read here; None: their own."""
    casting = CASTING.get()
    return None if casting is None else casting.dtype


@contextmanager
def autocast(dtype: str | None) -> Iterator[None]:
    """A context in which variables of floats are read in a dtype; they are kept, and assigned, in their own.

    Args:
        dtype: the name of the dtype; None for the variables' own.

    Example:
        >>> weight = K.variable([1.0])
        >>> with autocast("float16"):
        ...     K.dtype(weight + 1.0)
        'float16'
    """
    frame = Casting(dtype)
    token = CASTING.set(None if dtype is None else frame)
    try:
        with scopes.frame_scope(frame):
            yield
    finally:
        CASTING.reset(token)
