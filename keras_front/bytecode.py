"""Python code inside configs: how a `Lambda` layer writes its function, and when it may be run again.

A config that carries code is a program by the author of the file. So reading one needs the consent of the caller,
`load_model(..., allow_code=True)` or `with bytecode.permit():`, and nothing in a file or config can give that word
(docs/decisions/0006). It fails closed: `Lambda.from_config` and `model_from_json` ask here as well. A function that
never left the process is no file: its config holds the function itself beside the code, so `clone_model`, copies and
`from_config(get_config())` use it without asking.

The form is that of Keras 2: marshalled code as base64 text, defaults, closure. Behind the code, where readers of Keras
do not look, stand the name of the function and the defaults of its keyword-only arguments.
This module must not know layers, files or backends.
Source: Keras 2.3.1, `keras/utils/generic_utils.py`, `func_dump` and `func_load`.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import copy
import hashlib
import importlib
import json
import marshal
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from keras_front import config
from keras_front.errors import SerializationError, UnsafeFileError

__all__ = ["Closure", "Code", "check_permitted", "dump", "is_own", "load", "name_in", "permit", "permitted"]

_PERMITTED: ContextVar[bool] = ContextVar("keras_front_code_permitted", default=False)
_MARK = b"\x00\x00keras_front:"  # what follows it behind the code is JSON


def permitted() -> bool:
    """Whether the caller allowed code from configs to be run."""
    return _PERMITTED.get()


@contextmanager
def permit(allow: bool = True) -> Iterator[None]:
    """Context in which code in configs may run.

    Args:
        allow: False takes the permission back.
    """
    token = _PERMITTED.set(bool(allow))
    try:
        yield
    finally:
        _PERMITTED.reset(token)


def check_permitted(where: str) -> None:
    """Raise unless code may run.

    Args:
        where: where the code was found, for the message.

    Raises: UnsafeFileError.
    """
    if not permitted():
        raise UnsafeFileError(
            f"{where} carries Python code: expected the permission to run it, received none.\n"
            "  If you trust its author, pass allow_code=True. Otherwise hand the function over by "
            "name, through custom_objects."
        )


# By digests of what functions of this process were taken apart into, where its programs cannot ask for permission, the
# names that these functions find: reading that again runs nothing foreign, whatever module a file names beside it.
_WRITTEN: dict[bytes, dict[str, Any]] = {}
_serves_old_programs = False


def serve_old_programs() -> None:
    """Remember from now on what functions are taken apart into: programs of another Keras run in this process."""
    global _serves_old_programs
    _serves_old_programs = True


def _digest(parts: Any) -> bytes | None:
    try:
        return hashlib.sha256(json.dumps(list(parts), default=_refuse).encode()).digest()
    except (AttributeError, SerializationError, TypeError, ValueError):  # what cannot be written is not read
        return None


def is_own(parts: Any) -> bool:
    """Whether code, defaults and closure are those of a function that this process has taken apart itself.

    In the dialect of another Keras, or where `import keras` means this package, no program could ask for permission,
    and such code needs none: a program saves a model and loads it again.

    Args:
        parts: a list of the three, as it stands in a config.
    """
    return _own_names(parts) is not None


def _own_names(parts: Any) -> dict[str, Any] | None:
    """The names that the function of such code finds; None unless it is this process's own."""
    if not _WRITTEN or not isinstance(parts, list | tuple):
        return None
    return _WRITTEN.get(_digest(parts) or b"")


# Writing ---------------------------------------------------------------------------------------------


class Code(list):  # type: ignore[type-arg]
    """A function as a config holds it: `[code, defaults, closure]`, and the function itself while it is in its process.

    Args:
        function: a Python function.

    Raises: SerializationError where JSON has no words for the closure or a default, when it is written to a file;
        copies in the process do not ask.
    """

    def __init__(self, function: Callable[..., Any]):
        super().__init__(dump(function))
        self.function = function
        remembers = _serves_old_programs or config.current_dialect() != config.NATIVE
        digest = _digest(self) if remembers else None
        if digest is not None:
            _WRITTEN[digest] = getattr(function, "__globals__", {})

    def __deepcopy__(self, memo: Any) -> Code:
        return self

    def __reduce__(self) -> Any:
        function = self.function
        if _is_importable(function):
            return Code, (function,)
        return _unpickled, (json.loads(json.dumps(list(self), default=_refuse)), function.__module__)


def _unpickled(parts: list[Any], module: str) -> Code:
    """The code in a pickle: unpickling allows code already."""
    with permit():
        return Code(load(parts, module=module))


class Closure:
    """A function in the state of a copy: what it closes over is copied with the rest, so that layers stay together.

    A `Lambda` or a loss may use a layer of its model; that of a copy must use the layer of the copy.

    Args:
        function: a Python function.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __deepcopy__(self, memo: Any) -> Closure:
        return Closure(_copied(self.function, memo))

    def __reduce__(self) -> Any:
        function = self.function
        if _is_importable(function):
            return Closure, (function,)
        cells = [_carried(function, cell.cell_contents) for cell in function.__closure__ or ()]
        values = [_carried(function, value) for value in function.__defaults__ or ()]
        named = {key: _carried(function, value) for key, value in (function.__kwdefaults__ or {}).items()}
        code = marshal.dumps(function.__code__)
        return _closed, (code, function.__module__, function.__name__, cells, values, named)


_SELF = "the function itself"


def _is_importable(function: Callable[..., Any]) -> bool:
    return getattr(sys.modules.get(function.__module__), function.__qualname__, None) is function


def _carried(function: Any, value: Any) -> Any:
    """A value that a function uses, as a pickle takes it."""
    if value is function:
        return (_SELF,)
    if isinstance(value, types.ModuleType):
        return (types.ModuleType, value.__name__)
    return Closure(value) if isinstance(value, types.FunctionType) else value


def _closed(code: bytes, module: str, name: str, cells: list[Any], values: list[Any], named: dict[str, Any]) -> Closure:
    """The function of a pickle: unpickling allows code already."""
    scope = vars(sys.modules[module]) if module in sys.modules else {"np": np, "__builtins__": builtins}
    held = tuple(types.CellType() for _ in cells)
    function = types.FunctionType(marshal.loads(code), scope, name, None, held)

    def uncarried(value: Any) -> Any:
        if isinstance(value, tuple) and value[:1] == (_SELF,):
            return function
        if isinstance(value, tuple) and value[:1] == (types.ModuleType,):
            return importlib.import_module(value[1])
        return value.function if isinstance(value, Closure) else value

    function.__defaults__ = tuple(map(uncarried, values)) or None
    function.__kwdefaults__ = {key: uncarried(value) for key, value in named.items()} or None
    function.__module__ = module
    for cell, value in zip(held, cells, strict=True):
        cell.cell_contents = uncarried(value)
    return Closure(function)


def _copied(function: Any, memo: dict[int, Any]) -> Any:
    """The function with copies of what it closes over; what cannot be copied is shared."""
    if not function.__closure__:
        return function
    if id(function) in memo:
        return memo[id(function)]
    cells = tuple(types.CellType() for _ in function.__closure__)
    twin = types.FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, cells)
    twin.__kwdefaults__, twin.__module__ = function.__kwdefaults__, function.__module__
    twin.__qualname__, memo[id(function)] = function.__qualname__, twin
    for cell, old in zip(cells, function.__closure__, strict=True):
        cell.cell_contents = _copied_value(old.cell_contents, memo)
    return twin


def _copied_value(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, types.FunctionType):
        return _copied(value, memo)
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # a module, a lock, a session: shared, as functions of the module share them
        return value


class _Unwritable:
    """A part of a function for which JSON has no words; the message comes when it is written."""

    def __init__(self, function: Callable[..., Any], value: Any):
        self._names = function.__name__, type(value).__name__

    def get_config(self) -> Any:
        """Raises: SerializationError, as it is asked when a file is written."""
        raise SerializationError(
            "Cannot write the function {!r} to a file: its closure or a default holds a {}. Make it a layer of your "
            "own, or pass the value in `arguments`.".format(*self._names)
        )


def _refuse(value: Any) -> Any:
    return value.get_config()


def dump(function: Callable[..., Any]) -> tuple[str, Any, Any]:
    """Code, defaults and closure of a Python function.

    Args:
        function: a lambda or a `def`; functions in its closure are taken along.

    Returns: base64 text, a list of values or None, a list of values or None.
    """
    beside: dict[str, Any] = {"name": function.__name__}
    if function.__kwdefaults__:
        beside["kwdefaults"] = {k: _encoded(function, v) for k, v in function.__kwdefaults__.items()}
    raw = marshal.dumps(function.__code__)
    try:
        raw += _MARK + json.dumps(beside).encode()
    except TypeError:  # a default that JSON has no words for: only copies in the process need it
        raw += _MARK + json.dumps({"name": function.__name__}).encode()
    defaults = function.__defaults__
    closure = function.__closure__
    return (
        base64.b64encode(raw).decode("ascii"),
        None if defaults is None else tuple(_encoded(function, value) for value in defaults),
        tuple(_encoded(function, cell.cell_contents) for cell in closure) if closure else None,
    )


def _encoded(function: Callable[..., Any], value: Any) -> Any:
    """A value of a closure or a default in words of JSON; other things as a `kind` and a `config`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if value is function:
        return {"kind": "__self__", "config": None}
    if isinstance(value, np.ndarray | np.generic):
        return {"kind": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if isinstance(value, list | tuple):
        return type(value)(_encoded(function, item) for item in value) if type(value) in (list, tuple) else list(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _encoded(function, item) for key, item in value.items()}
    if isinstance(value, types.ModuleType):
        return {"kind": "__module__", "config": value.__name__}
    if isinstance(value, types.FunctionType):
        code, defaults, closure = dump(value)
        parts = {"code": code, "defaults": defaults, "closure": closure}
        return {"kind": "__lambda__", "config": parts}
    return _Unwritable(function, value)


# Reading ---------------------------------------------------------------------------------------------


def load(
    code: Any,
    defaults: Any = None,
    closure: Any = None,
    names: Mapping[str, Any] | None = None,
    where: str = "A config",
    module: Any = None,
) -> Callable[..., Any]:
    """The function that `dump` took apart.

    Args:
        code: base64 text, or a list of code, defaults and closure; a `Code` is the function that it holds.
        defaults: values of the last arguments.
        closure: values of the free variables.
        names: what the function finds besides the built-in functions.
        where: where the code was found, for messages.
        module: name of the module whose names the function finds too, if it is loaded; it is never imported.

    Raises:
        UnsafeFileError: without permission.
        SerializationError: for code of another Python version, or no code at all.
    """
    if isinstance(code, Code):
        return code.function
    found = _own_names(code)
    if found is None:
        check_permitted(where)
        found = vars(sys.modules[module]) if isinstance(module, str) and module in sys.modules else {}
    if isinstance(code, Sequence) and not isinstance(code, str | bytes):
        code, defaults, closure = (*code, None, None)[:3]
    scope = {"np": np, **found, "__builtins__": builtins, **(names or {})}
    try:
        return _assembled(_decoded(code), defaults, closure, scope)
    except (ValueError, EOFError, TypeError, KeyError, ImportError, binascii.Error) as error:
        raise SerializationError(
            f"{where} carries code that this Python cannot read ({error}): expected code of the same Python "
            "version.\n  Hand the function over by name, through custom_objects."
        ) from error


def _assembled(raw: bytes, defaults: Any, closure: Any, scope: dict[str, Any]) -> Callable[..., Any]:
    beside = _beside(raw)
    cells = tuple(types.CellType() for _ in closure) if closure else None
    body = marshal.loads(raw)
    function = types.FunctionType(body, scope, str(beside.get("name", "lambda")), _defaults(defaults, scope), cells)
    if beside.get("kwdefaults"):
        function.__kwdefaults__ = {k: _read(v, scope, function) for k, v in beside["kwdefaults"].items()}
    for cell, value in zip(cells or (), closure or (), strict=True):
        cell.cell_contents = _read(value, scope, function)
    return function


def _defaults(values: Any, scope: dict[str, Any]) -> Any:
    """Default values; JSON made lists of tuples, as Keras 2 expects."""
    if values is None:
        return None
    found = [_read(value, scope, None) for value in values]
    return tuple(tuple(value) if isinstance(value, list) else value for value in found)


def _read(value: Any, scope: dict[str, Any], function: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_read(item, scope, function) for item in value)
    if not isinstance(value, Mapping):
        return value
    kind, config = value.get("kind"), value.get("config")
    if kind == "__self__":
        return function
    if kind == "__numpy__":
        return np.asarray(config["value"], config["dtype"])  # type: ignore[index]
    if kind == "__module__":
        return importlib.import_module(str(config))
    if kind == "__lambda__":
        return _assembled(_decoded(config["code"]), config["defaults"], config["closure"], scope)  # type: ignore[index]
    return {key: _read(item, scope, function) for key, item in value.items()}


def name_in(code: Any) -> str | None:
    """The name of the function in a config's code, read without looking at the code itself; None if there is none.

    Args:
        code: base64 text, or a list that begins with it.
    """
    if isinstance(code, Sequence) and not isinstance(code, str | bytes):
        code = code[0] if code else None
    if not isinstance(code, str | bytes):
        return None
    name = _beside(_decoded(code)).get("name")
    return name if isinstance(name, str) and name != "<lambda>" else None


def _beside(raw: bytes) -> dict[str, Any]:
    """What stands behind the code."""
    place = raw.rfind(_MARK)
    try:
        found = json.loads(raw[place + len(_MARK) :]) if place >= 0 else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _decoded(code: str | bytes) -> bytes:
    """Base64 text as bytes; the oldest files hold the bytes themselves, one character each."""
    if isinstance(code, bytes):
        return code
    try:
        return base64.b64decode(code.encode("ascii"), validate=False)
    except (UnicodeEncodeError, binascii.Error):
        return code.encode("raw_unicode_escape")
