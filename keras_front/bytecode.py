"""Python code inside configs: how a `Lambda` layer writes its function, and when it may be run again.

A config that carries code is a program from whoever wrote the file. So reading one needs the word of the
caller, `load_model(..., allow_code=True)` or `with bytecode.permit():`, and nothing in a file or config can
give that word (decision D12). It fails closed: `Lambda.from_config`, `model_from_json` and `clone_model` ask
here as well. This module must not know layers, files or backends.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import marshal
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from keras_front.errors import SerializationError, UnsafeFileError

__all__ = ["check_permitted", "dump", "load", "permit", "permitted"]

_PERMITTED: ContextVar[bool] = ContextVar("keras_front_code_permitted", default=False)


def permitted() -> bool:
    """Whether the caller allowed code from configs to be run."""
    return _PERMITTED.get()


@contextmanager
def permit(allow: bool = True) -> Iterator[None]:
    """Context in which code in configs may run; `permit(False)` takes the permission back."""
    token = _PERMITTED.set(bool(allow))
    try:
        yield
    finally:
        _PERMITTED.reset(token)


def check_permitted(where: str) -> None:
    """Raise unless code may run.

    Raises: UnsafeFileError, which names `where` the code was found.
    """
    if not permitted():
        raise UnsafeFileError(
            f"{where} carries Python code: expected the permission to run it, received none.\n"
            "  If you trust whoever wrote it, pass allow_code=True. Otherwise hand the function over by "
            "name, through custom_objects."
        )


def dump(function: Callable[..., Any]) -> tuple[str, Any, Any]:
    """Code (base64 text), defaults and closure of a Python function, as Keras 2 writes them.

    Source: Keras 2.3.1, `keras/utils/generic_utils.py`, `func_dump`.
    """
    code = base64.b64encode(marshal.dumps(function.__code__)).decode("ascii")
    closure = function.__closure__
    return code, function.__defaults__, tuple(cell.cell_contents for cell in closure) if closure else None


def load(
    code: Any,
    defaults: Any = None,
    closure: Any = None,
    names: dict[str, Any] | None = None,
    where: str = "A config",
) -> Callable[..., Any]:
    """The function that `dump` took apart; `names` are what it finds besides the built-in functions.

    Raises:
        UnsafeFileError: without permission.
        SerializationError: for code of another Python version, or no code at all.
    """
    check_permitted(where)
    if isinstance(code, Sequence) and not isinstance(code, str | bytes):
        code, defaults, closure = (*code, None, None)[:3]
    if isinstance(defaults, list):
        defaults = tuple(tuple(d) if isinstance(d, list) else d for d in defaults)
    cells = tuple(types.CellType(value) for value in closure) if closure else None
    scope = {"__builtins__": builtins, **(names or {})}
    try:
        return types.FunctionType(marshal.loads(_decoded(code)), scope, "lambda", defaults, cells)
    except (ValueError, EOFError, TypeError, binascii.Error) as error:
        raise SerializationError(
            f"{where} carries code that this Python cannot read ({error}): expected code of the same Python "
            "version.\n  Hand the function over by name, through custom_objects."
        ) from error


def _decoded(code: str | bytes) -> bytes:
    """Base64 text as bytes; the oldest files hold the bytes themselves, one character each."""
    if isinstance(code, bytes):
        return code
    try:
        return base64.b64decode(code.encode("ascii"), validate=False)
    except (UnicodeEncodeError, binascii.Error):
        return code.encode("raw_unicode_escape")
