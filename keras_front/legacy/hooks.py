"""The functions that `keras_front.compatibility` calls: translation of calls, configs and names of older Keras.

The tables are in `arguments.py` and `dialects.py`, what applies them in `translation.py`, the layers that are gone in
`layers.py`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_front.config import NATIVE

from .arguments import NAMES, PARAMETERS, SIGNATURES
from .dialects import CONVENTIONS, DEFAULTS, ROWS_AND_COLUMNS, VERSIONS
from .dialects import NAMES as MEANINGS
from .translation import (
    Arguments,
    ClassChoice,
    OldNameWarning,
    as_config,
    forget,
    means_otherwise,
    renamed,
    rows_and_columns,
    signature,
    sized,
    translate,
    translate_positional,
)

PACKAGE = __name__.partition(".")[0]

__all__ = [
    "OldNameWarning",
    "apply_dialect",
    "arrays_of_keras1",
    "as_config",
    "attribute",
    "config_of_keras1",
    "conventions",
    "dialect_object",
    "dialect_of_version",
    "find",
    "forget",
    "modern_config",
    "refused_by_keras1",
    "sized",
    "today_key",
    "translate_call",
    "translate_config",
    "translate_positional",
    "written_by_keras1",
]


# Called by the registry ------------------------------------------------------------------------------


def translate_call(
    owners: Sequence[str], here: int, known: Iterable[str], args: tuple[Any, ...], kwargs: Arguments, target: Any
) -> tuple[tuple[Any, ...], Arguments]:
    """Arguments of a call, as today's signature wants them.

    Args:
        owners: names of the class and its bases, or of the function.
        here: which of them has the constructor that is called. If it is somebody's subclass of a class that we know,
            arguments without names and those that it knows are its own.
        known: names of arguments that are understood without us.
        args: arguments without names.
        kwargs: arguments with names.
        target: the object under construction, or the function.

    Raises: DtypeError (a TypeError) if an argument is given under two names.
    """
    old = signature(owners)
    unknown = [name for name in kwargs if name in old and name not in known]
    if not unknown:
        return args, kwargs
    if not any(name in SIGNATURES for name in owners[: here + 1]):
        others = len(args) > 1 or len(kwargs) > len(unknown)
        translated = translate(owners, old, (), {name: kwargs[name] for name in unknown}, target, others)
        return args, {name: value for name, value in kwargs.items() if name not in unknown} | translated
    return (), translate(owners, old, args, kwargs, target)


def translate_config(name: str, target: Any, arguments: Arguments) -> tuple[Any, Arguments]:
    """A class and the arguments that a file has for it, with current names.

    Args:
        name: the class as the file names it.
        target: the class of today.
        arguments: its config.
    """
    owners = [name, *(c.__name__ for c in target.__mro__)]
    choice = ClassChoice(target.__mro__[1] if "_legacy_name" in target.__dict__ else target)
    translated = renamed(owners, dict(arguments), choice)
    return choice.kind, translated


def find(kind: str, name: str) -> Any:
    """The class or function that was called `name`, or None.

    Args:
        kind: kind of registry.
        name: the name.
    """
    if kind == "layer":
        from . import layers

        if name == "Graph":
            from . import graph_model

            return graph_model.Graph
        return layers.find(name)
    if kind == "metric":
        from . import batch_metrics

        if name in batch_metrics.__all__:
            return getattr(batch_metrics, name)
    today_name = NAMES.get(kind, {}).get(name)
    if today_name is None:
        return None
    from keras_front.registry import Registry

    return Registry.of(kind).lookup(today_name)


def today_key(key: str) -> str | None:
    """What a parameter of callbacks is called today, or None.

    Args:
        key: what it was called.
    """
    return PARAMETERS.get(key)


def attribute(owner: Any, name: str) -> Any:
    """An attribute that objects of older Keras had. Raises: AttributeError if they had none.

    Args:
        owner: a layer or a model.
        name: the attribute.
    """
    from . import protocol

    return protocol.attribute(owner, name)


def modern_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A model's config with its class beside its arguments; what Keras 0.3 did not write is left as it is.

    Args:
        config: a dictionary without 'class_name'.
    """
    if config.get("name") not in ("Graph", "Sequential"):
        return config
    from . import graph_model

    return graph_model.modern_config(config)


def written_by_keras1(kind: str, is_layer: bool) -> bool:
    """Whether Keras 1 says a class of today in another way.

    Args:
        kind: name of the class.
        is_layer: whether it is the class of a layer.
    """
    from . import writing

    return writing.written_by_keras1(kind, is_layer)


def refused_by_keras1(kind: str, arguments: Mapping[str, Any]) -> str | None:
    """What Keras 1 did not do with an argument that it had, in words; None if it did.

    Args:
        kind: name of a class of today.
        arguments: its arguments.
    """
    from . import writing

    return writing.refused_by_keras1(kind, arguments)


def config_of_keras1(config: Mapping[str, Any]) -> dict[str, Any]:
    """A model as Keras 1.2.2 wrote it.

    Args:
        config: a config as Keras 2 writes it.
    """
    from . import writing

    return writing.config_of_keras1(config)


def arrays_of_keras1(layer: Any, arrays: list[Any]) -> list[Any]:
    """The arrays of a layer as Keras 1 kept them.

    Args:
        layer: the layer.
        arrays: its arrays in the order of Keras 2.
    """
    from . import writing

    return writing.arrays_of_keras1(layer, arrays)


# Dialects --------------------------------------------------------------------------------------------


def apply_dialect(
    dialect: str, owners: Sequence[str], here: int, names: Sequence[str], args: tuple[Any, ...], kwargs: Arguments,
    target: Any,
) -> tuple[tuple[Any, ...], Arguments]:  # fmt: skip
    """Arguments of a call with the defaults that the dialect has for what is not given.

    Args:
        dialect: name of the dialect.
        owners: names of the class and its bases, or of the function.
        here: which of them has the constructor that is called.
        names: the arguments of the constructor or function in their order.
        args: arguments without names.
        kwargs: arguments with names.
        target: the object under construction, or the function.
    """
    old = signature(owners[: here + 1])
    rows = dialect in ROWS_AND_COLUMNS and "nb_row" in old and rows_and_columns(args)
    if rows or (dialect == "keras1" and means_otherwise(_whose(owners, here, target), names, args, kwargs)):
        args, kwargs = (), translate(owners, old, args, kwargs, target)
    part = _part(target if inspect.isfunction(target) else type(target).__mro__[here])
    defaults = DEFAULTS.get(dialect, {}).get(part, {}).get(owners[here], {})
    given = {*names[: len(args)], *kwargs}
    return args, {name: value for name, value in defaults.items() if name not in given} | kwargs


def _part(owner: Any) -> str:
    """The part of keras_front in which a class or function stands, such as "losses"; of others' the empty name."""
    package, _, place = owner.__module__.partition(".")
    return place.partition(".")[0] if package == PACKAGE else ""


def _whose(owners: Sequence[str], here: int, target: Any) -> str:
    """The class whose constructor a caller sees: one that inherits it goes by its own name."""
    own = [i for i, kind in enumerate(type(target).__mro__[:here]) if "__init__" in vars(kind)]
    return next((name for name in owners[own[-1] + 1 if own else 0 : here + 1] if name in SIGNATURES), owners[here])


def dialect_object(dialect: str, registry: Any, name: str) -> Any:
    """What a name means in a dialect; None if it means what it means here.

    Args:
        dialect: name of the dialect.
        registry: the registry that was asked.
        name: the name.
    """
    meant = MEANINGS.get(dialect, {}).get(registry.kind, {}).get(name)
    if meant is None:
        return None
    kind, arguments = meant if isinstance(meant, tuple) else (meant, None)
    place, _, kind = kind.rpartition("/")
    found = (type(registry).by_kind[place] if place else registry).lookup(kind)
    return found if arguments is None else found(**arguments)


def conventions(dialect: str) -> dict[str, Any]:
    """Fields of `keras_front.conventions.Conventions` in which a dialect differs from the native one.

    Args:
        dialect: name of the dialect.
    """
    return CONVENTIONS.get(dialect, {})


def dialect_of_version(version: str | None) -> str:
    """The dialect of the Keras that wrote a file.

    Args:
        version: what the file states; None if it states none.

    Returns: the native dialect for the versions of tf.keras, of Keras 2.4 and later, and for what is no version.
    """
    numbers = re.match(r"(\d+)(?:\.(\d+))?(?!.*-tf)", "1" if version is None else version)
    generation = numbers and (int(numbers[1]), int(numbers[2] or 0))
    return next((name for first, name in reversed(VERSIONS) if generation and generation >= first), NATIVE)
