"""Constructor arguments that say in their annotation how they are read.

    class Dense(Layer):
        def __init__(self, units: Positive, activation: Activation = None, use_bias: Flag = True, **kwargs):
            super().__init__(**kwargs)

`Positive` is an ordinary type to a type checker, an int, that carries a `Reader`. Before the body of the constructor
runs, each such argument is read (checked, and made what it stands for) and stored under its own name; `get_config`
finds it there. What is wrong raises an error that names the class, the argument, what was expected and what came.

A constructor need not hand on to its base class what it has read itself: `super().__init__(**kwargs)` is enough, the
base takes what it does not receive from what is stored. Classes without such annotations are left as they are.
This module must not know layers, tensors or registries.
"""

from __future__ import annotations

import functools
import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import numpy as np

from keras_front.errors import ArgumentError, KerasFrontError

__all__ = [
    "CHOICE",
    "Axes",
    "Count",
    "Flag",
    "Fraction",
    "Function",
    "Integer",
    "Kept",
    "NotNegative",
    "Number",
    "OneOf",
    "Part",
    "Path",
    "Positive",
    "Reader",
    "Scalars",
    "Seed",
    "Text",
    "Verbosity",
    "Within",
    "read_integer",
    "read_number",
    "readers_of",
    "reading",
]


class Reader:
    """How a constructor argument is read; stands in `Annotated[type, Reader(...)]`.

    Args:
        read: function of the value and of the object under construction; returns what is stored. A TypeError or
            ValueError of its own means that the value is not what was expected.
        expected: what a message says was expected, or a function of the object that says it. None for a function that
            explains its errors itself; they are then preceded by the names of the class and the argument.
    """

    def __init__(self, read: Callable[[Any, Any], Any], expected: str | Callable[[Any], str] | None = None):
        self.read, self.expected = read, expected

    def for_type(self, kind: Any) -> Reader:
        """The reader for an argument of that type; some take what they accept from it.

        Args:
            kind: the type that the reader annotates, such as `Literal["up", "down"]`.
        """
        return self

    def or_none(self) -> Reader:
        """A reader that leaves None as it is, for `Positive | None`."""
        expected = self.expected
        if expected is None:
            return Reader(lambda value, owner: None if value is None else self.read(value, owner))
        return Reader(
            lambda value, owner: None if value is None else self.read(value, owner),
            lambda owner: f"{expected if isinstance(expected, str) else expected(owner)}, or None",
        )

    def failure(self, owner: Any, name: str, value: Any, error: Exception) -> Exception:
        """The error for a value that cannot be read.

        Args:
            owner: the object under construction.
            name: name of the argument.
            value: what the caller passed, or the default.
            error: what reading it raised.

        Returns: an ArgumentError; or `error` itself, if it explains what is wrong.
        """
        where = type(owner).__name__
        if isinstance(error, KerasFrontError):
            said = str(error).removeprefix(f"{name}: ")
            error.args = (f"{where}: {name}: {said}",)
        if isinstance(error, KerasFrontError) or self.expected is None:
            return error
        expected = self.expected if isinstance(self.expected, str) else self.expected(owner)
        return ArgumentError(
            f"{where}: expected {name} to be {expected}, received {value!r}.{_of_keras(name, value, owner)}"
        )


def _of_keras(name: str, value: Any, owner: Any) -> str:
    """What later Keras versions say of the arguments that their tests and programs ask about most.

    Source: tf.keras 2.15, `layers/core/dense.py` and `layers/convolutional/base_conv.py`.
    """
    if name == "units":
        return f" (Received an invalid value for `units`, expected a positive integer. Received: units={value!r})"
    if name == "filters":
        return (
            f" (Invalid value for argument `filters`. Expected a strictly positive value. Received filters={value!r}.)"
        )
    rank = getattr(owner, "_rank", None)
    if name in _WINDOWS and rank is not None:
        return f" (The `{name}` argument must be a tuple of {rank} integers. Received: {value!r})"
    return ""


_WINDOWS = frozenset({"kernel_size", "strides", "dilation_rate", "pool_size"})


class OneOf(Reader):
    """Reads one of some values.

    Args:
        choices: the values.
        renamed: other spellings of these, as old files have them.
    """

    def __init__(self, choices: Iterable[Any] = (), renamed: Mapping[Any, Any] | None = None):
        self.choices, self.renamed = tuple(choices), dict(renamed or {})
        super().__init__(self._chosen, f"one of {', '.join(map(repr, self.choices))}")

    def for_type(self, kind: Any) -> Reader:
        """Without choices of its own it accepts those of the `Literal` that it annotates.

        Args:
            kind: the type that it annotates.
        """
        return self if self.choices else OneOf(get_args(kind), self.renamed)

    def _chosen(self, value: Any, owner: Any) -> Any:
        value = self.renamed.get(value, value) if isinstance(value, str) else value
        if isinstance(value, bool) and not any(choice is value for choice in self.choices):
            raise ValueError  # True equals 1, and is not meant
        return self.choices[self.choices.index(value)]


class Within(Reader):
    """Reads a number within bounds. NaN is in none.

    Args:
        least, most: the bounds.
        below: whether `most` itself is too much.
        above: whether `least` itself is too little.
    """

    def __init__(self, least: float = -math.inf, most: float = math.inf, below: bool = False, above: bool = False):
        super().__init__(self._within, _phrase(least, most, below, above))
        self.least, self.most, self.below, self.above = least, most, below, above

    def _within(self, value: Any, owner: Any) -> float:
        number = read_number(value)
        if not self.least <= number <= self.most:
            raise ValueError
        if (self.below and number == self.most) or (self.above and number == self.least):
            raise ValueError
        return number


def _phrase(least: float, most: float, below: bool, above: bool) -> str:
    if most == math.inf:
        return "a number" if least == -math.inf else f"a number {'above' if above else 'of at least'} {least:g}"
    if least == -math.inf:
        return f"a number {'below' if below else 'of at most'} {most:g}"
    if not (below or above):
        return f"a number between {least:g} and {most:g}"
    ends = [f"not including {end:g}" for end, left in ((least, above), (most, below)) if left]
    return f"a number between {least:g} and {most:g}, {' and '.join(ends)}"


def _positive(value: Any, owner: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer | float) or int(value) != value or value < 1:
        raise ValueError
    return int(value)


def read_number(value: Any, owner: Any = None) -> float:
    """A number; also one of NumPy's as Keras 2.0 wrote it to configs.

    Args:
        value: what was passed.
        owner: the object under construction; not used.

    Raises: TypeError or ValueError for what is no number.
    """
    if isinstance(value, dict) and value.get("type") == "ndarray":
        value = value["value"]
    if isinstance(value, bool | str) or (number := float(value)) != number:
        raise ValueError
    return number


def read_integer(value: Any, owner: Any = None) -> int:
    """An integer; also a float without a fraction.

    Args:
        value: what was passed.
        owner: the object under construction; not used.

    Raises: TypeError or ValueError for anything else.
    """
    if isinstance(value, bool | str) or int(value) != value:
        raise ValueError
    return int(value)


def _count(value: Any, owner: Any) -> int:
    if read_integer(value) < 0:
        raise ValueError
    return int(value)


def _seed(value: Any, owner: Any) -> Any:
    if isinstance(value, str | bytes | Mapping | Sequence) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return value


def _axes(value: Any, owner: Any) -> Any:
    if isinstance(value, str):
        raise ValueError
    return [int(axis) for axis in value] if isinstance(value, Sequence) else int(value)


def _text(value: Any, owner: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _path(value: Any, owner: Any) -> Any:
    os.fsencode(value)  # refuses a text that no file can be called
    return os.fspath(value)


def _scalars(value: Any, owner: Any) -> Any:
    if np.asarray(value).dtype.kind not in "biuf":
        raise ValueError
    return value


def _function(value: Any, owner: Any) -> Any:
    if not callable(value):
        raise ValueError
    return value


def _flag(value: Any, owner: Any) -> bool:
    if value is not None and not isinstance(value, int | np.bool_ | np.integer):
        raise ValueError
    return bool(value)


# The types of arguments that any class may have. `CHOICE` annotates a Literal: Annotated[Literal["a", "b"], CHOICE].
CHOICE = OneOf()
Kept = Annotated[Any, Reader(lambda value, owner: value)]
Flag = Annotated[bool, Reader(_flag, "True or False")]
Positive = Annotated[int, Reader(_positive, "a positive integer")]
Number = Annotated[float, Reader(read_number, "a number")]
NotNegative = Annotated[float, Within(0)]
Fraction = Annotated[float, Within(0, 1)]
Part = Annotated[float, Within(0, 1, below=True)]
Integer = Annotated[int, Reader(read_integer, "an integer")]
Count = Annotated[int, Reader(_count, "an integer of at least 0")]
Seed = Annotated[int | None, Reader(_seed, "an integer or None")]
Verbosity = Annotated[
    int, Reader(lambda value, owner: int(value) if value is True else read_integer(value or 0), "0, 1 or 2")
]
Axes = Annotated[int | Sequence[int], Reader(_axes, "an integer or a list of integers")]
Scalars = Annotated[Any, Reader(_scalars, "a number or an array of numbers")]
Text = Annotated[str, Reader(_text, "a text")]
Path = Annotated[str | os.PathLike[str], Reader(_path, "the path of a file or folder")]
Function = Annotated[Callable[..., Any], Reader(_function, "a function")]


# Finding readers in signatures ------------------------------------------------------------------------


def readers_of(function: Callable[..., Any]) -> dict[str, Reader]:
    """The readers of a function's arguments, by name; arguments without one are left out.

    Args:
        function: a constructor, also a decorated one. Its annotations may be strings, as
            `from __future__ import annotations` makes them; they mean what they mean where it was written.
    """
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    found = {name: _reader(kind, namespace) for name, kind in getattr(function, "__annotations__", {}).items()}
    return {name: reader for name, reader in found.items() if reader is not None}


def _reader(annotation: Any, namespace: dict[str, Any]) -> Reader | None:
    """The reader that an annotation carries, also in a union with None."""
    if isinstance(annotation, str):
        annotation = _meaning(annotation, namespace)
    if get_origin(annotation) in (Union, UnionType):
        parts = [reader for part in get_args(annotation) if (reader := _reader(part, namespace)) is not None]
        return parts[0].or_none() if parts else None
    for item in getattr(annotation, "__metadata__", ()):
        if isinstance(item, Reader):
            return item.for_type(annotation.__origin__)
    return None


def _meaning(annotation: str, namespace: dict[str, Any]) -> Any:
    """What an annotation written as a string means in its module; None if that cannot be found out."""
    if annotation.isidentifier():
        return namespace.get(annotation)
    try:
        return eval(annotation, namespace)
    except Exception:  # a name that only type checkers see
        return None


# Reading ----------------------------------------------------------------------------------------------

_MISSING = object()


class _Signature(NamedTuple):
    """What a constructor takes: names in their order, defaults, and for arguments with a reader how they are read."""

    names: list[str]
    defaults: dict[str, Any]
    readers: list[tuple[str, Callable[[Any, Any], Any], Reader]]


_READ = "_being_read"  # in an object under construction: what its constructors have read so far


def reading(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor that reads and stores its annotated arguments before its body runs.

    Args:
        init: an `__init__`. Without annotated arguments, with `*args`, or if it reads them already, perhaps below
            another decorator, it is returned as it is.
    """
    readers = {} if getattr(init, "_reads_arguments", False) else readers_of(init)
    parameters = list(inspect.signature(init).parameters.values())[1:] if readers else []
    if not readers or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return init
    signature = _Signature(
        [p.name for p in parameters if p.kind is not p.VAR_KEYWORD],
        {p.name: p.default for p in parameters if p.default is not p.empty},
        [(name, reader.read, reader) for name, reader in readers.items()],
    )

    @functools.wraps(init)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) > len(signature.names):
            init(self, *args, **kwargs)  # which says so
        held = self.__dict__
        first = _READ not in held
        known = held.setdefault(_READ, {})
        try:
            _complete(self, signature, args, kwargs, known)
            _read(self, signature, kwargs, known)
            init(self, **kwargs)
        finally:
            if first:
                del held[_READ]

    construct._reads_arguments = True  # type: ignore[attr-defined]
    return construct


def _complete(
    owner: Any, signature: _Signature, args: tuple[Any, ...], kwargs: dict[str, Any], known: dict[str, Any]
) -> None:
    """Put into `kwargs` what was passed in order, what a subclass has read, and defaults."""
    for name, value in zip(signature.names, args, strict=False):
        if name in kwargs:
            raise TypeError(f"{type(owner).__name__}: received two values for the argument {name!r}.")
        kwargs[name] = value
    if known:
        for name in signature.names:
            if name in known and name not in kwargs:
                kwargs[name] = known[name]
    for name, default in signature.defaults.items():  # for what is missing without one the constructor raises
        kwargs.setdefault(name, default)


def _read(owner: Any, signature: _Signature, kwargs: dict[str, Any], known: dict[str, Any]) -> None:
    """Read and store the arguments in `kwargs`, but for those that a subclass has read."""
    for name, read, reader in signature.readers:
        value = kwargs.get(name, _MISSING)
        if value is _MISSING or known.get(name, _MISSING) is value:
            continue
        try:
            kwargs[name] = known[name] = value = read(value, owner)
        except (KerasFrontError, TypeError, ValueError, OverflowError) as error:
            raise reader.failure(owner, name, value, error) from error.__cause__
        setattr(owner, name, value)
