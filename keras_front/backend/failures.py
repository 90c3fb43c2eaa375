"""What is wrong with a call of an op that failed: one kind of error on every engine, in the words of K.

Engines find wrong arguments by themselves, each with errors and words of its own. Asking the rule of the op before each
call would cost time, so it is asked afterwards: where it finds the call wrong its error takes the place of the
engine's. What no rule explains is an error of the arguments all the same, if it is of the kinds that wrong arguments
cause and did not rise in the user's own code. Everything else (memory, code that needs values) stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import failures
from keras_front.backend import discovery, untraceable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import KerasFrontError
from keras_front.tracebacks import passed_user_code


def explained(op: Any, error: Exception, args: Sequence[Any], attrs: dict[str, Any]) -> Exception:
    """The error to raise for a call that failed: one that says what was wrong with it, or the error itself.

    Args:
        op: the op.
        error: what rose.
        args: the tensors it was given.
        attrs: its other arguments, by name.
    """
    if isinstance(error, KerasFrontError):
        return failures.located(error, op.name)
    if untraceable.needs_values(error) or passed_user_code(error):
        return error
    found = _fault(op, args, attrs)
    if found is None:
        return failures.explained(f"K.{op.name}", _given(op, args, attrs), error, of_engine=_of_the_engine(error))
    found.__cause__ = error
    return found


def _of_the_engine(error: Exception) -> bool:
    """Whether the active engine says by this error that the arguments of a call do not fit."""
    backend: Any = discovery.present()
    return backend is not None and backend.is_argument_error(error)


def _fault(op: Any, args: Sequence[Any], attrs: dict[str, Any]) -> KerasFrontError | None:
    """What the rules of the op, or those of the ops in its body, have to say about a call; None if they take it."""
    try:
        op.record([_symbols(arg) for arg in args], attrs)
        if op.check_values is not None and not any(isinstance(arg, SymbolicTensor) for arg in args):
            op.check_values(*args, **attrs)
    except KerasFrontError as fault:
        return failures.located(fault, op.name)
    except Exception:  # the rule met the same as the engine
        return None
    return None


def _symbols(arg: Any) -> Any:
    """A symbol for each tensor or number, also in lists; None stays."""
    if arg is None or isinstance(arg, SymbolicTensor):
        return arg
    if isinstance(arg, list | tuple) and any(hasattr(item, "shape") for item in arg):
        return [_symbols(item) for item in arg]
    value = arg if hasattr(arg, "shape") and hasattr(arg, "dtype") else np.asarray(arg)
    name = getattr(value.dtype, "name", None) or str(value.dtype).rpartition(".")[2]
    return SymbolicTensor(tuple(value.shape), name)


def _given(op: Any, args: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name; those that have their defaults are left out."""
    tensors = {name: arg for (name, _), arg in zip(op.arrays, args, strict=False) if arg is not None}
    parameters = op.signature.parameters
    return tensors | {name: v for name, v in attrs.items() if not _same(v, parameters[name].default)}


def _same(value: Any, default: Any) -> bool:
    return value is default or (
        type(value) is type(default) and isinstance(value, str | int | float) and value == default
    )
