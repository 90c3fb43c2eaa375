"""Names for objects, and objects for names: how configs and files name classes and functions.

A `Registry` is an allow-list. Reading a config looks names up, here and among the objects that the caller handed over
(`custom_objects.py`); which modules are imported for that is fixed here, so a hostile file can at worst name a class
of this package.

Lookup order: the `custom_objects` argument, the enclosing `custom_object_scope`, `get_custom_objects()`, the registry.
This module must not know any backend, layer or file format.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeVar
from weakref import WeakSet

import numpy as np

from keras_front import config as settings
from keras_front.arguments import readers_of, reading
from keras_front.compatibility import (
    accept_legacy_arguments,
    accept_legacy_constructor_arguments,
    argument_names,
    dialect_module,
    legacy_module,
    legacy_object,
)
from keras_front.custom_objects import (
    NAMES,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    name_of,
    register_keras_serializable,
)
from keras_front.docstrings import Documented
from keras_front.errors import (
    ArgumentError,
    IncompleteConfigError,
    SerializationError,
    UnknownArgumentError,
    UnknownNameError,
)
from keras_front.file_form import FileForm

__all__ = [
    "Configurable",
    "Registry",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "name_of",
    "plain",
    "register_keras_serializable",
    "serialize_keras_object",
]

T = TypeVar("T")
Config = dict[str, Any]

_MAKERS: WeakSet[Any] = WeakSet()  # functions that make an object of their kind rather than being one


# Registries ---------------------------------------------------------------------------------------

# The modules whose import fills the registry of a kind, in the order in which kinds are searched. A registry that does
# not know a name imports its own modules and looks again, so that reading a file does not depend on what happens to be
# imported. The table is fixed: what a file says neither adds to it nor chooses from it.
HOMES: dict[str, tuple[str, ...]] = {
    "activation": ("keras_front.activations",),
    "initializer": ("keras_front.initializers",),
    "regularizer": ("keras_front.regularizers",),
    "constraint": ("keras_front.constraints",),
    "layer": (
        "keras_front.layers",
        "keras_front.models",
        "keras_front.applications.layers",
        "keras_front.feature_space",
    ),
    "loss": ("keras_front.losses",),
    "metric": ("keras_front.metrics",),
    "optimizer": ("keras_front.optimizers",),
    "learning rate schedule": ("keras_front.optimizers.schedules",),
    "quantizer": ("keras_front.quantizers",),
}


def _of_a_number(identifier: Any) -> str:
    """For those who write Dense(4, 8), as PyTorch wants it."""
    if not isinstance(identifier, int | float):
        return ""
    return " If it is a size: a layer takes that of its output alone, Dense(8), and sees that of its input in the data."


def _shown(kind: str) -> str:
    """What messages call a kind, in the words of Keras."""
    return f"{kind} function" if kind in ("activation", "loss", "metric") else kind


class Registry:
    """Two-way table between names and the classes or functions of one kind.

    Args:
        kind: what the entries are, in words for error messages: "activation", "layer". The modules that `HOMES` names
            for it are imported when a name is not found at first.
        fold_case: find 'ADAM' for 'Adam'.
        also: kinds whose registries are searched when this one does not know a name.
    """

    by_kind: dict[str, Registry] = {}

    def __init__(self, kind: str, fold_case: bool = False, also: tuple[str, ...] = ()):
        self.kind = kind
        self.also = also
        self._fold: Callable[[str], str] = str.lower if fold_case else str
        self._objects: dict[str, Any] = {}
        self._canonical: list[str] = []
        Registry.by_kind[kind] = self

    @classmethod
    def of(cls, kind: str) -> Registry:
        """The registry of a kind; the module that makes it is imported if need be.

        Args:
            kind: one of the kinds in `HOMES`, or that of a registry which exists.

        Raises: ArgumentError for any other kind.
        """
        for home in HOMES.get(kind, ()) if kind not in cls.by_kind else ():
            import_module(home)
        if kind not in cls.by_kind:
            raise ArgumentError(f"Registry: expected one of the kinds {', '.join(HOMES)}; received {kind!r}.")
        return cls.by_kind[kind]

    @classmethod
    def all(cls) -> Iterator[Registry]:
        """Every registry: those of `HOMES` in that order, whatever was imported first, then any others."""
        for kind in dict.fromkeys([*HOMES, *cls.by_kind]):
            yield cls.of(kind)

    @classmethod
    def find_any(cls, name: str) -> Any:
        """The class or function called `name`: the user's, or the first that a registry has; None if there is none.

        Args:
            name: the name.
        """
        found = get_registered_object(name)
        if found is None:
            found = next((registry.find(name) for registry in cls.all() if name in registry), None)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def find(self, name: str) -> Any:
        """The entry called `name`, or None; custom objects are not looked at.

        Args:
            name: the name. Where it is not known, the modules at home here are imported before giving up.
        """
        key = self._fold(name)
        if key not in self._objects:
            self._load()
        return self._objects.get(key)

    def _load(self) -> None:
        for home in HOMES.get(self.kind, ()):
            import_module(home)

    def __repr__(self) -> str:
        return f"<Registry of {len(self._canonical)} {self.kind} names>"

    def register(self, *names: str, maker: bool = False) -> Callable[[T], T]:
        """Decorator that enters a class or function under `names`.

        Args:
            names: names by which it is found, by default its own one; configs use the first.
            maker: a function that makes the object (`l2(0.01)`) rather than being it (`relu`).

        Raises: ArgumentError if a name is taken by something else.
        """

        def decorate(target: Any) -> Any:
            given = names or (target.__name__,)
            for name in given:
                self._enter(name, target)
            self._canonical.append(given[0])
            NAMES.setdefault(target, given[0])
            if maker:
                _MAKERS.add(target)
            return target

        return decorate

    def _enter(self, name: str, target: Any) -> None:
        key = self._fold(name)
        taken = self._objects.setdefault(key, target)
        if taken is target:
            return
        if (taken.__module__, taken.__qualname__) != (target.__module__, target.__qualname__):
            raise ArgumentError(
                f"{self.kind} {name!r}: expected a free name, received one that belongs to {taken!r}.\n"
                "  Choose another name, or hand your object over through custom_object_scope."
            )
        self._objects[key] = target  # a module that was reloaded, a notebook cell that ran again

    def names(self) -> list[str]:
        """Canonical names, sorted."""
        self._load()
        return sorted(set(self._canonical))

    def lookup(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The class or function called `name`.

        Args:
            name: the name.
            custom_objects: the user's classes and functions by name; they come before the registered ones.

        Raises: ArgumentError with the names that come close.
        """
        found = get_registered_object(name, custom_objects)
        if found is None and (dialect := settings.current_dialect()) != settings.NATIVE:
            found = dialect_module(dialect).dialect_object(dialect, self, name)
        for registry in self._search():
            if found is not None:
                return found
            found = registry.find(name)
        found = legacy_object(self.kind, name) if found is None else found
        if found is None:
            raise UnknownNameError(self._unknown(name), name)
        return found

    def _search(self) -> Iterator[Registry]:
        yield self
        yield from map(Registry.of, self.also)

    def _unknown(self, name: str) -> str:
        import difflib

        from keras_front.missing_names import OF_IDENTIFIERS

        near = difflib.get_close_matches(self._fold(str(name)), list(self._objects), n=3)
        hint = f"Did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
        here = OF_IDENTIFIERS.get(str(name).lower())
        hint = f"Here it is {here}. " if here is not None else hint
        return (
            f"Unknown {_shown(self.kind)} {name!r}: expected a known name.\n"
            f"  {hint}Your own {self.kind} is found by name when you pass custom_objects={{{name!r}: ...}}, "
            "or inside a custom_object_scope."
        )

    def get(self, identifier: Any) -> Any:
        """The object that an argument stands for.

        None stays None; a name gives the function of that name or a new instance of the class; a config is
        deserialized; a class is instantiated; anything callable or configurable is itself.

        Args:
            identifier: None, a name, a config, a class, or what is callable or configurable.

        Raises: ArgumentError for anything else.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str | Mapping):
            return self.deserialize(identifier)
        found = identifier() if inspect.isclass(identifier) else identifier
        if callable(found) or hasattr(found, "get_config"):
            return found
        raise ArgumentError(
            f"Could not interpret {_shown(self.kind)} identifier: {identifier!r}. Expected a name, a config, a "
            f"function or an object, received {type(identifier).__name__}.{_of_a_number(identifier)}"
        )

    def serialize(self, obj: Any) -> Any:
        """Name or `{'class_name', 'config'}` from which `deserialize` makes an equal object.

        Args:
            obj: a function, or an object with `get_config`.
        """
        return serialize_keras_object(obj)

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object that a name or a `{'class_name', 'config'}` describes.

        Args:
            config: a name, or `{'class_name', 'config'}`.
            custom_objects: the user's classes and functions by name; they come before the registered ones.

        Raises:
            ArgumentError: for an unknown name.
            SerializationError: for something that is neither name nor config, or that holds itself.
        """
        try:
            return self._deserialized(config, custom_objects)
        except RecursionError:
            raise SerializationError(
                f"{_shown(self.kind)} config: expected a few levels of nesting, received one that is too deep, or that "
                "holds itself."
            ) from None

    def _deserialized(self, config: Any, custom_objects: Mapping[str, Any] | None) -> Any:
        name, arguments = _read(config, self.kind)
        target = self.lookup(name, custom_objects)
        if arguments is None and not inspect.isclass(target) and not _makes(target):
            return target
        if arguments is None or settings.current_dialect() == settings.NATIVE:
            return _build(target, arguments or {}, custom_objects, name)
        with settings.dialect(settings.NATIVE):  # what a file leaves out has the native default
            return _build(target, arguments, custom_objects, name)


def _makes(target: Any) -> bool:
    return callable(target) and target in _MAKERS


def _read(config: Any, kind: str) -> tuple[str, Config | None]:
    """Split what a config says into a name and constructor arguments (None for a bare function name)."""
    if isinstance(config, str):
        return config, None
    config = _with_class_name(config, kind)
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise SerializationError(
            f"Could not interpret {_shown(kind)} identifier: {config!r:.120}. Expected a name, or a dictionary with "
            f"'class_name' and 'config', received {type(config).__name__}."
        )
    arguments = config.get("config")
    if isinstance(arguments, str):  # Keras 3 writes a function as class 'function', its name as the config
        return arguments, None
    name = config.get("registered_name") or config["class_name"]
    if get_registered_object(str(name)) is None:
        name = config["class_name"]
    if arguments is not None and not isinstance(arguments, Mapping):
        raise IncompleteConfigError(
            f"{name}: expected its config to be a dictionary of arguments, received {arguments!r:.60}.", config
        )
    return str(name), dict(arguments) if arguments else None


def _with_class_name(config: Any, kind: str) -> Any:
    """A config of Keras 1, which has the class of a regularizer or constraint among its arguments, as of today."""
    if not isinstance(config, Mapping) or "class_name" in config:
        return config
    hooks = legacy_module()
    return config if hooks is None else hooks.as_config(config, kind)


def _build(target: Any, arguments: Config, custom_objects: Mapping[str, Any] | None, name: str = "") -> Any:
    """Make the object, by `from_config` where there is one, with the custom objects in scope."""
    if not callable(target):
        return target
    target, arguments = _as_today(name, target, arguments)
    with custom_object_scope(custom_objects) as known:
        try:
            if not hasattr(target, "from_config"):
                return target(**arguments)
            if _takes_custom_objects(getattr(target.from_config, "__func__", target.from_config)):
                return target.from_config(arguments, custom_objects=known)
            return target.from_config(arguments)
        except UnknownArgumentError as error:
            raise IncompleteConfigError(str(error), {"class_name": name, "config": arguments}) from None
        except Exception as error:
            found = error if isinstance(error, SerializationError) else _misfit(error, name, target, arguments)
            if getattr(found, "described", None) is None:  # the innermost object is the one that is meant
                with contextlib.suppress(AttributeError):  # a class of the user's may have slots
                    found.described = {"class_name": name, "config": arguments}  # type: ignore[attr-defined]
            if found is error:
                raise
            raise found from None


def _misfit(error: Exception, name: str, target: Any, arguments: Config) -> Exception:
    """The error that names the argument which is missing or too many; `error` itself if it is about something else."""
    if not isinstance(error, TypeError | KeyError):
        return error
    parameters = [p for p in _parameters(target) if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in arguments]
    missing = [argument for argument in missing if repr(argument) in str(error)]
    surplus = [argument for argument in arguments if f"unexpected keyword argument {argument!r}" in str(error)]
    if not missing and not surplus:
        return error
    named = f" {arguments['name']!r}" if isinstance(arguments.get("name"), str) else ""
    listed = ", ".join(map(repr, missing or [p.name for p in parameters]))
    wrong = (
        f"expected {listed} in its config" if missing else f"expected no {surplus[0]!r} in its config, only {listed}"
    )
    given = ", ".join(map(repr, arguments)) or "none"
    return IncompleteConfigError(
        f"{name}{named}: {wrong}; received the arguments {given}.", {"class_name": name, "config": arguments}
    )


def _parameters(target: Any) -> Iterator[inspect.Parameter]:
    """The parameters of a function, or of a class and, where it passes on any others, of its bases."""
    constructors = [c.__dict__.get("__init__") for c in target.__mro__[:-1]] if inspect.isclass(target) else [target]
    for function in filter(None, constructors):
        found = list(inspect.signature(function).parameters.values())
        yield from found[inspect.isclass(target) :]
        if not any(p.kind is p.VAR_KEYWORD for p in found):
            return


@functools.lru_cache(maxsize=1024)
def _takes_custom_objects(from_config: Callable[..., Any]) -> bool:
    return "custom_objects" in inspect.signature(from_config).parameters


def _as_today(name: str, target: Any, arguments: Config) -> tuple[Any, Config]:
    """A class and its config, where arguments that it does not know are called by today's names."""
    if not (inspect.isclass(target) and issubclass(target, Configurable)):
        return target, arguments
    known = target._further_arguments.union(target.constructor_arguments())
    hooks = None if known.issuperset(arguments) and "_legacy_name" not in target.__dict__ else legacy_module()
    return (target, arguments) if hooks is None else hooks.translate_config(name, target, arguments)


# Objects of any kind ------------------------------------------------------------------------------


def serialize_keras_object(obj: Any) -> Any:
    """Name of a function, or class name and config of an object.

    A lambda is written as '<lambda>', as Keras 2 does: saving never fails for it, and
    `custom_objects={'<lambda>': function}` reads it back.

    Args:
        obj: None, a name, a function, or an object with `get_config`.

    Example:
        >>> from keras_front.layers import Dense
        >>> serialize_keras_object(Dense(3))["class_name"]
        'Dense'
    """
    if obj is None or isinstance(obj, str):
        return obj
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return {"class_name": name_of(type(obj)), "config": obj.get_config()}
    if callable(obj):
        return name_of(obj)
    raise SerializationError(
        f"Cannot write {obj!r} to a config: expected a function or an object with get_config, "
        f"received {type(obj).__name__}."
    )


@accept_legacy_arguments
def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a name or config describes, among `module_objects` or every registry.

    Args:
        identifier: a name, or `{'class_name', 'config'}`.
        module_objects: names that are known; `globals()` in old code.
        custom_objects: the user's classes and functions by name; they come before the registered ones.
        printable_module_name: what the object is, in words for error messages.

    Source: Keras 2.3.1, `keras/utils/generic_utils.py`.

    Example:
        >>> from keras_front import activations
        >>> deserialize_keras_object("relu", vars(activations)) is activations.relu
        True
    """
    known = {**(module_objects or {}), **(custom_objects or {})}
    name, arguments = _read(identifier, printable_module_name)
    if get_registered_object(name, known) is None:
        for registry in Registry.all():
            if name in registry:
                return registry.deserialize(identifier, known)
        raise ArgumentError(f"Unknown {printable_module_name} {name!r}: pass it in custom_objects.")
    target = get_registered_object(name, known)
    if arguments is None and not inspect.isclass(target):
        return target
    return _build(target, arguments or {}, known)


def plain(value: Any) -> Any:
    """What a config may hold in place of `value`: numbers, strings, lists, dictionaries.

    Args:
        value: an argument of a constructor: numbers, texts, arrays, functions, objects with `get_config`, and lists,
            tuples and dictionaries of them.
    """
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else list(map(plain, value))
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if hasattr(value, "get_config") or (callable(value) and hasattr(value, "__name__")):
        return serialize_keras_object(value)
    return plain(value.numpy()) if hasattr(value, "numpy") else value


class Configurable(Documented):
    """Mixin: the constructor's signature is the configuration.

    Each constructor argument must be stored under its own name; objects among them are written as configs.
    Where a constructor takes `**kwargs` it passes them on, so its base class's arguments join the config.
    An argument whose annotation says how it is read is read and stored before the body of the constructor runs, see
    `keras_front.arguments`. Constructors take the older names of arguments as well, see `keras_front.compatibility`.
    Source: the convention of scikit-learn's estimators.
    """

    file_form = FileForm()  # what later Keras versions write differently
    _further_arguments: frozenset[str] = frozenset()  # what the `**kwargs` of the last constructor may hold

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = accept_legacy_constructor_arguments(cls, cls.__init__, reading)  # type: ignore[method-assign]

    @classmethod
    def read_arguments(cls) -> frozenset[str]:
        """Names of the constructor's arguments, bases included, that are read as their annotations say."""
        if "_read_arguments" not in cls.__dict__:
            inits = (inspect.unwrap(base.__dict__["__init__"]) for base in cls.__mro__ if "__init__" in base.__dict__)
            cls._read_arguments = frozenset(name for init in inits for name in readers_of(init))  # type: ignore[attr-defined]
        return cls._read_arguments  # type: ignore[attr-defined]

    @classmethod
    def constructor_arguments(cls) -> tuple[str, ...]:
        """Names of the constructor's arguments, base classes last."""
        if "_constructor_arguments" not in cls.__dict__:
            cls._constructor_arguments = tuple(dict.fromkeys(argument_names(cls)))  # type: ignore[attr-defined]
        return cls._constructor_arguments  # type: ignore[attr-defined]

    def get_config(self) -> Config:
        """Constructor arguments from which `from_config` makes an equal object."""
        return {name: plain(self._stored(name)) for name in self.constructor_arguments()}

    def _stored(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except AttributeError:
            raise SerializationError(
                f"{type(self).__name__}.get_config: expected the constructor argument {name!r} as attribute "
                f"self.{name}, received an object without it.\n"
                "  Store each argument under its own name, or write get_config yourself."
            ) from None

    @classmethod
    def from_config(cls, config: Config) -> Any:
        """New object from what `get_config` returned.

        Args:
            config: constructor arguments by name.
        """
        return cls(**config)
