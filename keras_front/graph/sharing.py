"""Layers that a network shares with networks in it, or stacks twice: numbered in configs, made once by readers.

tf_keras and Keras 3 write `shared_object_id` beside the config of such an object; Keras 2 passes over it.
Source: tf_keras 2.21, `tf_keras/src/saving/legacy/serialization.py`, `SharedObjectSavingScope`; Keras 3,
`keras/src/saving/serialization_lib.py`, `ObjectSharingScope`.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .inputs import InputLayer
from .operation import OpLayer

KEY = "shared_object_id"

_NUMBERS: ContextVar[dict[int, int] | None] = ContextVar("numbers_of_shared_layers", default=None)
_MADE: ContextVar[dict[int, Any] | None] = ContextVar("shared_layers_made", default=None)


@contextmanager
def writing(network: Any) -> Iterator[None]:
    """A block in which the config of a network is written; the outermost one numbers what is shared in it."""
    with _first_of(_NUMBERS, lambda: _numbered(network)):
        yield


@contextmanager
def reading() -> Iterator[None]:
    """A block in which a config is read; what the outermost one holds is made once."""
    with _first_of(_MADE, dict):
        yield


@contextmanager
def _first_of(variable: ContextVar[Any], make: Callable[[], Any]) -> Iterator[None]:
    if variable.get() is not None:
        yield
        return
    token = variable.set(make())
    try:
        yield
    finally:
        variable.reset(token)


def _numbered(network: Any) -> dict[int, int]:
    """A number for each layer that is in several networks of the tree; inputs and ops have nothing to share."""
    counts = Counter(id(layer) for part in network.all_layers() for layer in _written(part) if _has_identity(layer))
    return {key: number for number, key in enumerate(key for key, count in counts.items() if count > 1)}


def _written(layer: Any) -> list[Any]:
    """The layers that the config of a network lists, as often as it lists them; none for another layer."""
    stack = vars(layer).get("_stack")
    if stack is not None:
        return stack
    graph = layer._graph if hasattr(type(layer), "_graph") else None
    return [] if graph is None else graph.layers


def _has_identity(layer: Any) -> bool:
    return not isinstance(layer, InputLayer | OpLayer)


def number_of(layer: Any) -> dict[str, int]:
    """`{"shared_object_id": n}` for a layer that is shared, else nothing."""
    number = (_NUMBERS.get() or {}).get(id(layer))
    return {} if number is None else {KEY: number}


def made(entry: Mapping[str, Any], make: Callable[[], Any]) -> Any:
    """The layer of an entry: the one made before, if an entry of the same number, class and config was met."""
    known, number = _MADE.get(), entry.get(KEY)
    if known is None or not isinstance(number, int):
        return make()
    described = (entry["class_name"], _described(entry)["config"])
    if number in known and known[number][0] == described:
        return known[number][1]
    layer = make()
    known.setdefault(number, (described, layer))
    return layer


def _described(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says of its layer; the shape of the input stands at the first call alone."""
    arguments = entry.get("config")
    if isinstance(arguments, Mapping):
        arguments = {key: value for key, value in arguments.items() if key != "batch_input_shape"}
    return {**entry, "config": arguments}


def made_once(entries: Iterable[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], Any]) -> Iterator[Any]:
    """The layers of a list of entries; entries that are equal, name included, are one layer that stands there twice."""
    named: dict[Any, tuple[Any, Any]] = {}
    for entry in entries:
        arguments = entry.get("config")
        name = arguments.get("name") if isinstance(arguments, Mapping) else None
        known, layer = named.get(name, (None, None))
        if name is None or known != _described(entry):
            layer = made(entry, functools.partial(make, entry))
            named[name] = (_described(entry), layer)
        yield layer
