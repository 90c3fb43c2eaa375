"""Calls with the argument names and defaults of another Keras version.

No old name stands here. Constructors and functions that are wrapped here compare the names that they are given
with those that they know, and pass others to one module, imported by name: see `docs/decisions/0010-*.md`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from keras_front import config, failures
from keras_front.errors import ArgumentError, UninitializedError, UnknownArgumentError
from keras_front.missing_names import missing_attribute
from keras_front.tracebacks import hide_internal_frames, mark_boundary

__all__ = [
    "RenamedKeys",
    "accept_legacy_arguments",
    "legacy_attribute",
    "accept_legacy_constructor_arguments",
    "argument_names",
    "legacy_object",
]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

# The module with the former names of arguments, functions and classes. It is imported by name when an unknown name is
# met, so code with current names does not pay for it, and `keras_front/legacy` may be deleted. Its functions are
# `translate_call` for a call with unknown arguments, `translate_positional` for positional arguments in a former
# order, `translate_config` and `as_config` for the configs of a file, `find` for an unknown name, `attribute` for an
# unknown attribute, and for dialects other than the native one `apply_dialect`, `dialect_object` and `conventions`;
# `dialect_of_version` says which dialect a file has.
LEGACY = "keras_front.legacy.hooks"


_OF_EVERY_LAYER = frozenset("dtype dtype_policy inputs name outputs recompute".split())  # as its constructor sets them


@functools.cache
def legacy_module() -> ModuleType | None:
    """The module `LEGACY`, imported when it is first needed; None if it does not exist."""
    try:
        return import_module(LEGACY)
    except ModuleNotFoundError:
        return None


def legacy_object(kind: str, name: str) -> Any:
    """The class or function that had this name once, or None.

    Args:
        kind: kind of registry: 'layer', 'regularizer'.
        name: a name that the registry does not know.
    """
    hooks = legacy_module()
    return None if hooks is None else hooks.find(kind, name)


def legacy_attribute(owner: Any, name: str) -> Any:
    """An attribute that objects of older Keras had, for `__getattr__`.

    Args:
        owner: a layer or a model.
        name: an attribute that it does not have.

    Raises: AttributeError if there never was one; UninitializedError, which is one, for what every layer has as soon as
        the constructor of its base has run.
    """
    if hasattr(type(owner), name):
        return object.__getattribute__(owner, name)  # a property whose own code met an AttributeError tells that
    hooks = None if name.startswith("__") else legacy_module()
    if "name" not in vars(owner) and (name in _OF_EVERY_LAYER or (name[0] == "_" and not name.startswith("__"))):
        raise UninitializedError.of(type(owner).__name__)
    try:
        if hooks is not None:
            return hooks.attribute(owner, name)
    except AttributeError as error:
        if str(error) != name:
            raise
    raise missing_attribute(owner, name)


def accept_legacy_arguments(
    function: Callable[..., T], defaults: bool = True, legacy_order: Callable[[Any, Any], bool] | None = None
) -> Callable[..., T]:
    """`function`, which also takes the names that its arguments had once, if `keras_front/legacy` has them.

    Args:
        function: the function or method.
        defaults: whether a dialect may have other defaults for it.
        legacy_order: whether positional arguments are in a former order, decided from `args` and `kwargs`.
    """
    names = tuple(inspect.signature(function).parameters)
    known, owners = frozenset(names), function.__qualname__.split(".")[::-1]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        try:
            if kwargs and not known.issuperset(kwargs) and (hooks := legacy_module()) is not None:
                args, kwargs = hooks.translate_call(owners, 0, known, args, kwargs, function)
            if legacy_order is not None and legacy_order(args, kwargs) and (hooks := legacy_module()) is not None:
                args, kwargs = (), hooks.translate_positional(owners[0], args, kwargs, function)
            if defaults and (dialect := config.current_dialect()) != config.NATIVE:
                args, kwargs = dialect_module(dialect).apply_dialect(dialect, owners, 0, names, args, kwargs, function)
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                UnknownArgumentError.check(error, function)
                raise
        except Exception as error:
            hide_internal_frames(error)
            raise

    return mark_boundary(call)


class RenamedKeys(dict[str, Any]):
    """A dictionary that also finds values under the names that their keys had once, if `keras_front/legacy` knows them.

    It lists the names of today only.
    """

    def other_name(self, key: Any) -> Any:
        """The other name of a key, or None.

        Args:
            key: a key that the dictionary does not have.
        """
        hooks = legacy_module()
        return None if hooks is None else hooks.today_key(key)

    def __missing__(self, key: str) -> Any:
        other = self.other_name(key)
        if other not in self:
            raise KeyError(key)
        return self[other]

    def get(self, key: str, default: Any = None) -> Any:
        """The value under a name of today or of once; `default` if there is none.

        Args:
            key: the name.
            default: what to return for a name that nobody knows.
        """
        try:
            return self[key]
        except KeyError:
            return default


def renamed(function: F) -> F:
    """`function`, which also takes the names that its arguments had once; no dialect has other defaults for it."""
    return accept_legacy_arguments(function, defaults=False)  # type: ignore[return-value]


def reject_unknown(where: str, kwargs: dict[str, Any], known: Iterable[str] | Callable[..., Any]) -> None:
    """For functions that take any keyword, as they did in Keras: an error for those that nobody knows.

    Args:
        where: the function, for the message.
        kwargs: what it did not know.
        known: the function itself, or names of its arguments that may have been meant.

    Raises: UnknownArgumentError, which is a TypeError as well.
    """
    for name in kwargs:
        names = inspect.signature(known).parameters if callable(known) else known
        raise UnknownArgumentError.of(where, name, names)


def accept_legacy_constructor_arguments(
    owner: type, init: Callable[..., None], prepare: Callable[[Callable[..., None]], Callable[..., None]]
) -> Callable[..., None]:
    """The `__init__` of a class, which also takes the names that arguments of the class and its bases had once.

    Where an argument is not given it has the default of the dialect.

    Args:
        owner: the class.
        init: its own `__init__`.
        prepare: makes of it what is called. Signatures are looked at when the first object is made: hundreds of classes
            are defined at import.
    """
    names: tuple[str, ...] = ()
    known: frozenset[str] | None = None
    run = init

    @functools.wraps(init)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal known, names, run
        try:
            if known is None:
                names, run = tuple(inspect.signature(init).parameters)[1:], prepare(init)
                known = frozenset(argument_names(owner)) | owner._further_arguments  # type: ignore[attr-defined]
            if kwargs and not known.issuperset(kwargs) and (hooks := legacy_module()) is not None:
                args, kwargs = hooks.translate_call(*_owners(self, owner), known, args, kwargs, self)
            if (dialect := config.current_dialect()) != config.NATIVE:
                args, kwargs = dialect_module(dialect).apply_dialect(
                    dialect, *_owners(self, owner), names, args, kwargs, self
                )
            _run_constructor(run, init, self, args, kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise

    return mark_boundary(construct)


def _run_constructor(
    run: Callable[..., None], init: Callable[..., None], owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Call `run`, what was made of the constructor `init`; what its arguments cause is an error of ours."""
    try:
        run(owner, *args, **kwargs)
    except TypeError as error:
        check_constructor(error, type(owner), init, kwargs)
        raise failures.of_constructor(init, owner, args, kwargs, error) from error.__cause__
    except (ValueError, AttributeError, LookupError, ArithmeticError) as error:
        raise failures.of_constructor(init, owner, args, kwargs, error) from error.__cause__


def checked_constructor(init: Callable[..., None]) -> Callable[..., None]:
    """An `__init__` that says the nearest name if it is called with a keyword that the class does not have.

    Args:
        init: the constructor of a class that is no `Configurable`.
    """

    @functools.wraps(init)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            _run_constructor(init, init, self, args, kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise

    return mark_boundary(construct)


def check_constructor(
    error: TypeError, cls: type, init: Callable[..., None], given: Mapping[str, Any] | None = None
) -> None:
    """Raise an error that says the nearest name, if a constructor was called with a keyword that it does not have.

    Args:
        error: what rose, in the `except` clause that caught it.
        cls: the class of the object under construction.
        init: the constructor that was called: that of the class, or of a base of it.
        given: what it was called with by name.

    Raises: UnknownArgumentError, which is a TypeError as well.
    """
    further = getattr(cls, "_further_arguments", ())
    UnknownArgumentError.check(error, init, cls.__name__, lambda: [*argument_names(cls), *further], given)


def _owners(self: Any, owner: type) -> tuple[list[str], int]:
    """The names of a class and its bases, former names first; and which of them has the constructor."""
    bases = type(self).__mro__
    return [c.__dict__.get("_legacy_name") or c.__name__ for c in bases], bases.index(owner)


def dialect_module(dialect: str) -> ModuleType:
    """The module `LEGACY`, which a dialect other than the native one needs. Raises: ArgumentError if it does not exist.

    Args:
        dialect: the dialect that is wanted, for the message.
    """
    hooks = legacy_module()
    if hooks is None:
        raise ArgumentError(f"dialect: expected {config.NATIVE!r} without {LEGACY}, received {dialect!r}.")
    return hooks


def argument_names(cls: type) -> Iterator[str]:
    """Names of the arguments of a class and, where it passes on any others, of its bases.

    Args:
        cls: the class.
    """
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or base is object:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        yield from (p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return
