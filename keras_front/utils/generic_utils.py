"""Small things that old scripts import from `keras.utils.generic_utils`: functions as data, helpers for lists."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from keras_front import registry
from keras_front.custom_objects import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from keras_front.errors import ArgumentError, UnknownArgumentError
from keras_front.failures import explains_failures
from keras_front.registry import deserialize_keras_object
from keras_front.utils.messages import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
    print_msg,
)
from keras_front.utils.progbar import Progbar

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "check_for_unexpected_keys",
    "custom_object_scope",
    "default",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "func_dump",
    "func_load",
    "get_custom_objects",
    "get_from_module",
    "get_registered_name",
    "get_registered_object",
    "getargspec",
    "has_arg",
    "is_all_none",
    "is_default",
    "is_interactive_logging_enabled",
    "make_tuple",
    "object_list_uid",
    "print_msg",
    "register_keras_serializable",
    "serialize_keras_object",
    "slice_arrays",
    "to_list",
    "to_snake_case",
    "transpose_shape",
    "unpack_singleton",
    "validate_kwargs",
]

CustomObjectScope = custom_object_scope


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """A thing as a list.

    Args:
        x: a list, which is itself, or anything else, which becomes the only element.
        allow_tuple: whether a tuple becomes the list of its elements.

    Example:
        >>> to_list(1), to_list([1])
        ([1], [1])
    """
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Any) -> Any:
    """The only element of a list or tuple of one.

    Args:
        x: the list or tuple; anything else, or one of another length, is itself.

    Example:
        >>> unpack_singleton([1])
        1
    """
    return x[0] if isinstance(x, list | tuple) and len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """The identities of some objects as one text.

    Args:
        object_list: the objects, or one of them.
    """
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether there is nothing but None.

    Args:
        iterable_or_element: a list or tuple, of which every element must be None, or one thing.

    Example:
        >>> is_all_none([None, None])
        True
    """
    elements = iterable_or_element if isinstance(iterable_or_element, list | tuple) else [iterable_or_element]
    return all(x is None for x in elements)


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Some rows of an array, or of each array in a list.

    Args:
        arrays: an array, or a list of arrays and None.
        start: the first row, or a list of rows.
        stop: the row after the last one.

    Raises: ArgumentError if rows are listed and `stop` is given as well.
    Example:
        >>> slice_arrays([[1, 2, 3], None], 1, 3)
        [[2, 3], None]
    """
    if arrays is None:
        return [None]
    if hasattr(start, "__len__") and stop is not None:
        raise ArgumentError("slice_arrays: expected either a list of rows or `start` and `stop`, received both.")
    rows = start if hasattr(start, "__len__") else slice(start, stop)
    if isinstance(arrays, list):
        return [None if x is None else x[rows] for x in arrays]
    return arrays[rows] if hasattr(arrays, "__getitem__") else [None]


def transpose_shape(shape: Sequence[Any], target_format: str, spatial_axes: Iterable[int]) -> tuple[Any, ...]:
    """A channels-last shape put in another layout.

    Args:
        shape: list or tuple, with channels last.
        target_format: 'channels_last' or 'channels_first'.
        spatial_axes: numbers of the axes between the batch and the channels.

    Raises: ArgumentError for another format.
    Example:
        >>> transpose_shape((None, 8, 9, 3), "channels_first", (1, 2))
        (None, 3, 8, 9)
    """
    if target_format == "channels_last":
        return tuple(shape)
    if target_format == "channels_first":
        return (
            *shape[: min(spatial_axes := list(spatial_axes))],
            shape[-1],
            *(shape[i] for i in spatial_axes),
        )
    raise ArgumentError(f"transpose_shape: expected 'channels_first' or 'channels_last', received {target_format!r}.")


def check_for_unexpected_keys(name: str, input_dict: dict[str, Any], expected_values: Iterable[str]) -> None:
    """Raise unless a dict has known keys only.

    Args:
        name: what the dict is, for the message.
        input_dict: the dict.
        expected_values: the keys that it may have.

    Raises: ArgumentError for another key.
    """
    unknown = sorted(set(input_dict) - set(expected_values))
    if unknown:
        raise ArgumentError(f"{name}: expected the keys {list(expected_values)}, received also {unknown}.")


class ArgSpec(NamedTuple):
    """Arguments of a function, as `inspect.ArgSpec` was until Python 3.11: names, `*args`, `**kwargs`, defaults."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def getargspec(fn: Callable[..., Any]) -> ArgSpec:
    """The argument names and defaults of a function.

    Args:
        fn: the function.
    """
    return ArgSpec(*inspect.getfullargspec(fn)[:4])


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a function can be called with a keyword.

    Args:
        fn: the function.
        name: the keyword.
        accept_all: whether `**kwargs` counts.

    Example:
        >>> has_arg(lambda x, **rest: x, "y"), has_arg(lambda x, **rest: x, "y", accept_all=True)
        (False, True)
    """
    parameters = inspect.signature(fn).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()) and accept_all:
        return True
    found = parameters.get(name)
    return found is not None and found.kind in (found.POSITIONAL_OR_KEYWORD, found.KEYWORD_ONLY)


# Functions as data, and objects by name ----------------------------------------------------------------------


def func_dump(func: Callable[..., Any]) -> tuple[str, tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """Code (base64 text), defaults and contents of the closure of a Python function.

    Args:
        func: the function.

    Source: Keras 2.3.1, `keras/utils/generic_utils.py`. Configs of `Lambda` are written by `keras_front.bytecode`.
    """
    import base64
    import marshal

    cells = func.__closure__
    code = base64.encodebytes(marshal.dumps(func.__code__)).decode("ascii")
    return code, func.__defaults__, tuple(cell.cell_contents for cell in cells) if cells else None


def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Callable[..., Any]:
    """The function that `func_dump` took apart. Whoever calls this runs what is in the code; reading files asks first.

    Args:
        code: the code as text, or all that `func_dump` returned; that of Keras before 2.1.2 is understood.
        defaults: values of the last arguments.
        closure: values of the free variables, or cells that hold them.
        globs: names that the function finds; by default `np` and the built-in functions.
    """
    import builtins
    import marshal

    import numpy as np

    if isinstance(code, tuple | list):
        code, defaults, closure = code
    body = marshal.loads(_raw_code(code))
    cells = None if closure is None else tuple(map(_cell, closure))
    scope = {"np": np, "__builtins__": builtins} if globs is None else globs
    return types.FunctionType(body, scope, body.co_name, None if defaults is None else tuple(defaults), cells)


def _raw_code(code: str) -> bytes:
    import base64
    import binascii

    try:
        return base64.b64decode("".join(code.split()).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return code.encode("raw_unicode_escape")


def _cell(value: Any) -> types.CellType:
    return value if isinstance(value, types.CellType) else types.CellType(value)


@explains_failures
def serialize_keras_object(instance: Any) -> Any:
    """Name of a function, or class name and config of an object; `keras_front.registry` has the same.

    Args:
        instance: None, a name, a function, or an object with `get_config`.

    Example:
        >>> from keras_front.regularizers import L2
        >>> serialize_keras_object(L2(0.5))
        {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    return registry.serialize_keras_object(instance)


def get_from_module(
    identifier: Any, module_params: Mapping[str, Any], module_name: str, instantiate: bool = False, kwargs: Any = None
) -> Any:
    """A function or class by its name among the members of a module, the user's own first.

    Args:
        identifier: a name; a dict with `name` and arguments, of which an object is made; anything else is itself.
        module_params: names that are known; `globals()` in old code.
        module_name: what the object is, for the message.
        instantiate: whether to call what was found.
        kwargs: arguments for that call.

    Raises: ArgumentError if nothing has that name.
    Source: Keras 1.2.2, `keras/utils/generic_utils.py`.
    """
    if not isinstance(identifier, str | dict):
        return identifier
    arguments = dict(identifier) if isinstance(identifier, dict) else dict(kwargs or {})
    name = arguments.pop("name", None) if isinstance(identifier, dict) else identifier
    found = get_custom_objects().get(name) or module_params.get(name)
    if found is None:
        raise ArgumentError(f"Invalid {module_name}: {identifier}")
    return found(**arguments) if instantiate or isinstance(identifier, dict) else found


def make_tuple(*args: Any) -> tuple[Any, ...]:
    """The arguments as a tuple.

    Args:
        *args: anything.
    """
    return args


def to_snake_case(name: str) -> str:
    """The name of a class as that of a function.

    Args:
        name: the name.

    Example:
        >>> to_snake_case("MaxPooling2D")
        'max_pooling2d'
    """
    parts = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()
    return "private" + parts if parts.startswith("_") else parts


def default(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator that marks a method as one that subclasses need not have overridden; see `is_default`.

    Args:
        method: the method.
    """
    method._is_default = True  # type: ignore[attr-defined]
    return method


def is_default(method: Callable[..., Any]) -> bool:
    """Whether a method is one that `default` marked.

    Args:
        method: the method.
    """
    return getattr(method, "_is_default", False)


def validate_kwargs(
    kwargs: Iterable[str], allowed_kwargs: Iterable[str], error_message: str = "Keyword argument not understood:"
) -> None:
    """Raise unless all keywords are allowed.

    Args:
        kwargs: the keywords that were given.
        allowed_kwargs: those that there are.
        error_message: what the message begins with.

    Raises: UnknownArgumentError, which is a TypeError.
    """
    for name in kwargs:
        if name not in allowed_kwargs:
            raise UnknownArgumentError(f"{error_message} {name}")
