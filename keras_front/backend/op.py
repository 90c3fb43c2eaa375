"""What an op is: a name, what is known about it, and how a call of it is made again. All ops stand in one registry.

Most ops are declared by `declare.primitive` and `declare.composite`. Those that take more than tensors and attributes
(a Python function, a key, a shape that is not known yet) are classes of their own, and stand in the same registry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np


class Facts(NamedTuple):
    """What programs and adapters may rely on about an op. Declared with the op, so that no list elsewhere repeats it.

    Attributes:
        pure: its result depends on its arguments alone, and nothing else happens; it may be computed ahead of time.
        elementwise: each element of the result comes from the elements at the same place of the (broadcast) arguments.
        fresh: the result never shares memory with an argument. Where that depends on attributes, a function of them.
        keeps_elements: its result has the elements of the first argument, at most in another shape or dtype; where both
            stay, it is that argument.
        neutral: of each argument the number with which the result is the other argument; None where there is none.
        light: forwards and backwards it is some passes over its operands, or one product of matrices. On small tensors
            an engine's tape costs more than such an op.
        warns: on floats it may overflow, divide by zero or leave its domain, of which some engines warn.
        accumulates: it adds up many elements; for floats of 16 bits that is done in float32.
        convolves: it multiplies every window of an image, which some compilers do far slower inside of a loop.
        has_body: its attributes hold recorded functions (a loop, a function with a gradient of its own).
        of_nothing: what a reduction of no elements is in a record for known values (see `scopes.Trace.values`), where a
            mask may leave nothing; elsewhere it is an error. None if there is no such number.
        replaces: the names of the lists of arguments that its results take the place of, in the order of the results.
    """

    pure: bool = True
    elementwise: bool = False
    fresh: bool | Callable[[dict[str, Any]], bool] = False
    keeps_elements: bool = False
    neutral: tuple[float | None, ...] = ()
    light: bool = False
    warns: bool = False
    accumulates: bool = False
    convolves: bool = False
    has_body: bool = False
    of_nothing: float | None = None
    replaces: tuple[str, ...] = ()

    def is_fresh(self, attrs: dict[str, Any]) -> bool:
        """Whether a call with these attributes gives memory of its own."""
        return self.fresh(attrs) if callable(self.fresh) else self.fresh


def over_some_axis(attrs: dict[str, Any]) -> bool:
    """Whether a reduction joins anything: over an empty tuple of axes it may return its argument."""
    return attrs.get("axis") != ()


class Operation:
    """The base of all ops.

    Attributes:
        name: under which it stands in `OPS`, and in programs.
        kind: 'primitive' (every adapter brings it), 'composite' (it has a body in other ops), 'host' (its result is no
            tensor of an engine once shapes are known) or 'deferred' (a Python function that runs again).
        facts: what is known about it.
        arrays: (name, how many) of the tensor arguments.
        attrs: names of the other arguments.
        on_host: what a result of a program still goes through as an array, where its shape depends on its values.
    """

    name: str = ""
    kind: str = ""
    facts: Facts = Facts()
    arrays: Sequence[tuple[str, str]] = ()
    attrs: Sequence[str] = ()
    on_host: Callable[[np.ndarray], np.ndarray] | None = None

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        """The results of the same call on other arguments, as a flat list without Nones."""
        raise NotImplementedError(f"{type(self).__name__}.again")

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


OPS: dict[str, Any] = {}  # every op by its name; filled by the declarations
_O = TypeVar("_O", bound=Operation)
_F = TypeVar("_F", bound=Callable[..., Any])


def register(op: _O) -> _O:
    """Put an op in the registry. Raises: TypeError if its name is taken."""
    if op.name in OPS:
        raise TypeError(f"The op {op.name!r} is declared twice.")
    OPS[op.name] = op
    return op


# Functions that tensors call for Python and NumPy and that are no ops: evaluation, and NumPy's two protocols.
functions: dict[str, Callable[..., Any]] = {}


def provides(name: str) -> Callable[[_F], _F]:
    """A decorator for the one function that `functions[name]` is.

    Args:
        name: 'eval', 'backward', 'array_ufunc', 'array_function' or 'made_by_phase'.
    """

    def note(function: _F) -> _F:
        functions[name] = function
        return function

    return note


def primitives() -> list[str]:
    """Names of the ops that an adapter must bring."""
    return sorted(name for name, op in OPS.items() if op.kind == "primitive")


def composites() -> list[str]:
    """Names of the ops that have a body in K and that an adapter may override."""
    return sorted(name for name, op in OPS.items() if op.kind == "composite")
