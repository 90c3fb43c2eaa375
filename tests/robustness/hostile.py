"""What a hostile file is: how it is made and read, and what must happen."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from watch import Watch

Check = Callable[[Watch, Any], None]


class Hostile(NamedTuple):
    """A hostile file: its kind, its name, a function that reads it and returns what it read, and a check of both.

    Attributes:
        kind: a row of the table.
        name: what is wrong with this one.
        read: makes and reads it.
        check: function of the watch and of what was read; raises AssertionError.
        allowed: paths that the reader may open.
        events: forbidden events that the trial makes itself.
    """

    kind: str
    name: str
    read: Callable[[], Any]
    check: Check
    allowed: tuple[Any, ...] = ()
    events: tuple[str, ...] = ()


def refused(*texts: str) -> Check:
    """Reading ends with one of our errors, whose message holds these texts."""
    return lambda watch, model: watch.check_refused(*texts)


def harmless(watch: Watch, model: Any) -> None:
    """Reading ends with one of our errors or with a model, in time and without harm."""
    watch.check_harmless()


# Mutations -------------------------------------------------------------------------------------------

DICTIONARIES: dict[str, Any] = {
    "a dictionary": {"junk": 1},
    "a class": {"class_name": "Dense", "config": {"units": 3}},
    "a gadget": {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": "os>system"},
    "a function object": {"class_name": "function", "config": "eval", "module": "builtins"},
    "an unknown value": {"class_name": "__ellipsis__", "config": {}},
}
VALUES: dict[str, Any] = {
    "None": None,
    "True": True,
    "-1": -1,
    "0": 0,
    "7": 7,
    "0.5": 0.5,
    "-1.5": -1.5,
    "1e300": 1e300,
    "2**63": 2**63,
    "10**30": 10**30,
    "NaN": math.nan,
    "infinity": math.inf,
    "no text": "",
    "zzz": "zzz",
    "a path": "../../etc/passwd",
    "a module": "os.system",
    "a zero byte": "a\x00b",
    "10000 letters": "x" * 10_000,
    "an empty list": [],
    "nested lists": [[[]]],
    "a list of texts": ["a", "b"],
    "a list of numbers": [1, 2, 3],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a config, as keys from the outside in."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def at(config: Any, path: tuple[Any, ...]) -> Any:
    """The value at a place."""
    for key in path:
        config = config[key]
    return config


def changed(config: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a config with another value at a place."""
    result = copy.deepcopy(config)
    at(result, path[:-1])[path[-1]] = value
    return result


def without(config: Any, path: tuple[Any, ...]) -> Any:
    """A copy of a config without what is at a place."""
    result = copy.deepcopy(config)
    del at(result, path[:-1])[path[-1]]
    return result


def shown(path: tuple[Any, ...]) -> str:
    """A place in words: layers[2].config.units."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
