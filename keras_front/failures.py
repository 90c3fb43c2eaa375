"""What went wrong in a call with arguments that do not fit, where Python or a package says it in words of its own.

A function that would have to check each of its arguments to say clearly what is wrong may let what it calls find out,
and explain afterwards: the error then names the function and its arguments as they came, and keeps the words of whoever
found the fault. Errors of the user's own code, of memory or of files stay as they are. A call that succeeds pays for a
`try`, which costs nothing.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from keras_front.errors import ArgumentError, KerasFrontError, UnknownArgumentError, WrongKindError, WrongPlaceError
from keras_front.tracebacks import hide_internal_frames, mark_boundary, passed_user_code

__all__ = [
    "described",
    "explained",
    "explains_failures",
    "located",
    "methods_explain_failures",
    "of_arguments",
    "no_tensor",
]

_NAME = re.compile(r"^K\.(\w+): ")

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

# What Python and NumPy raise for wrong arguments: exactly these, as engines derive errors of other meanings from them.
_KINDS: dict[type[Exception], type[ArgumentError]] = {
    TypeError: WrongKindError,
    AttributeError: WrongKindError,
    ValueError: ArgumentError,
    ZeroDivisionError: ArgumentError,
    OverflowError: ArgumentError,
    KeyError: ArgumentError,
    UnicodeEncodeError: ArgumentError,
    IndexError: WrongPlaceError,
    np.exceptions.AxisError: WrongPlaceError,
}


def explained(
    where: str, arguments: Mapping[str, Any], error: Exception, text: str = "", of_engine: bool = False
) -> Exception:
    """The error for a call that failed: one that names the arguments, or the error itself if they are not the reason.

    Args:
        where: what was called, for the message.
        arguments: what it was given, by name; those that have their defaults may be left out.
        error: what rose, in the `except` clause that caught it.
        text: said in place of what the error says.
        of_engine: whether the error is of a class with which the engine in use refuses arguments.
    """
    kind = _KINDS.get(type(error), WrongKindError if of_engine or _of_ufunc(error) else None)
    if kind is None or "SymbolicTensor" in str(error) or passed_user_code(error):
        return error  # a function that was handed a symbol needs values: the arguments may be right
    given = ", ".join(f"{name}={described(value)}" for name, value in arguments.items())
    found = kind(
        f"{where}: expected arguments that go together, received {given or 'none'}.\n"
        f"  {text or str(error).rstrip('.')}. help({where}) explains each argument."
    )
    found.__cause__ = error
    return found


def _of_ufunc(error: Exception) -> bool:
    """Whether a function of NumPy knows no such kind of array; its class of error has no public name."""
    return isinstance(error, TypeError) and type(error).__module__.startswith("numpy.")


def located(error: KerasFrontError, name: str) -> KerasFrontError:
    """The error, whose message begins with the op that was called, and names the op within it that found the fault.

    Args:
        error: what an op, or one within it, raised.
        name: the op that was called.
    """
    message = str(error)
    found = _NAME.match(message)
    if found is None:
        short = message.removeprefix(f"{name}: ")
        error.args = (f"K.{name}: {short}", *error.args[1:])
    elif found[1] != name:
        rest = message[found.end() :]
        within = rest if rest.startswith("in K.") else f"in K.{found[1]}: {rest}"
        error.args = (f"K.{name}: {within}", *error.args[1:])
    return error


def described(value: Any) -> str:
    """A value for a message, in a few words, the same for tensors of all engines: by dtype and shape.

    Args:
        value: anything.

    Example:
        >>> described(np.zeros((2, 3))), described("a")
        ('float64 array of shape (2, 3)', "'a'")
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) or (shape is not None and hasattr(value, "dtype") and hasattr(shape, "__iter__")):
        dtype = getattr(value, "dtype", type(value).__name__)
        return f"{getattr(dtype, 'name', None) or str(dtype).rpartition('.')[2]} array of shape {tuple(shape)}"
    if isinstance(value, list | tuple) and any(hasattr(item, "shape") for item in value):
        return f"[{', '.join(map(described, value[:4]))}{', ...' if len(value) > 4 else ''}]"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def no_tensor(value: Any) -> str:
    """What a message says of a value that stands where a tensor is expected.

    Args:
        value: anything.
    """
    hint = " A layer gives a tensor when it is called: layer(inputs)." if hasattr(value, "_inbound_nodes") else ""
    return f"Expected a tensor, an array or a number, received {value!r:.60} ({type(value).__name__}).{hint}"


def of_arguments(where: str, arguments: Mapping[str, Any], error: Exception) -> Exception:
    """The error for a call that does much beside reading its arguments, such as `fit`; see `explained`.

    What is missing somewhere within is then more likely a fault of the library, and is shown as it is.

    Args:
        where: what was called, for the message.
        arguments: what it was given, by name.
        error: what rose, in the `except` clause that caught it.
    """
    return error if isinstance(error, LookupError | AttributeError) else explained(where, arguments, error)


def explains_failures(function: Callable[P, R], where: str = "") -> Callable[P, R]:
    """`function`, whose failures name its arguments; its errors leave it without the frames of this package.

    Args:
        function: a function that users call, and whose failures come from its arguments.
        where: what messages call a method of a model, see `of_arguments`; by default a function has its name, behind
            that of its class.
    """
    inside = function.__module__.startswith("keras_front.backend")
    explain = of_arguments if where else explained
    where = where or (f"K.{function.__name__}" if inside else function.__qualname__.removesuffix(".__init__"))

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                raise _clear(where, function, args, kwargs, error, explain) from error.__cause__
        except Exception as error:
            hide_internal_frames(error)
            raise

    return mark_boundary(call)


def of_constructor(
    init: Callable[..., None], owner: Any, args: Sequence[Any], kwargs: Mapping[str, Any], error: Exception
) -> Exception:
    """The error for an object that could not be made; see `explained`.

    Args:
        init: the constructor.
        owner: the object under construction.
        args: what it was given in order.
        kwargs: what it was given by name.
        error: what rose.
    """
    if isinstance(error, KerasFrontError):
        return error
    return _clear(type(owner).__name__, init, (owner, *args), kwargs, error)


def methods_explain_failures(*names: str) -> Callable[[C], C]:
    """Decorator of a class of which these methods, its own ones and those that it inherits, explain their failures.

    Args:
        names: names of the methods.
    """

    def decorate(cls: C) -> C:
        for name in names:
            setattr(cls, name, explains_failures(getattr(cls, name), name))
        return cls

    return decorate


def _clear(
    where: str,
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    error: Exception,
    explain: Callable[..., Exception] = explained,
) -> Exception:
    if isinstance(error, KerasFrontError):
        return located(error, function.__name__) if where.startswith("K.") else error
    try:
        given = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except TypeError:  # the call itself is wrong, and Python says it well, but for the name that was meant
        if isinstance(error, TypeError):
            UnknownArgumentError.check(error, function, where if where.startswith("K.") else where.rpartition(".")[2])
        return error
    given.pop("self", None)
    given.pop("cls", None)
    return explain(where, given, error)
