"""Names and sessions: counters for names, and the contexts of graph engines, which have no effect here."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_front.backend import discovery, scopes, shared_programs
from keras_front.failures import explains_failures

__all__ = [
    "clear_session",
    "control_dependencies",
    "get_uid",
    "manual_variable_initialization",
    "name_scope",
    "reset_uids",
]


_uids: defaultdict[str, int] = defaultdict(int)


@explains_failures
def get_uid(prefix: str = "") -> int:
    """The next number (from 1) for names that begin with `prefix`.

    Args:
        prefix: the beginning of the names.

    Example:
        >>> K.reset_uids()
        >>> K.get_uid("dense"), K.get_uid("dense")
        (1, 2)
    """
    _uids[prefix] += 1
    return _uids[prefix]


def reset_uids() -> None:
    """Let all names start from 1 again.

    Example:
        >>> K.reset_uids()
        >>> K.get_uid("conv")
        1
    """
    _uids.clear()


def clear_session() -> None:
    """Let names start from 1 again, forget a fixed learning phase, and free what nobody refers to any more.

    There is no global graph to clear. Models refer to themselves, so Python frees them only when it looks for such
    circles, as it does here.

    Example:
        >>> K.clear_session()
        >>> K.get_uid("dense")
        1
    """
    reset_uids()
    scopes.clear_learning_phase()
    shared_programs.forget()
    gc.collect()
    for engine in discovery.loaded():
        engine.release_memory()


_scopes: list[str] = []


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """A context that names things; kept for code that uses it, and without effect on values.

    Args:
        name: the name of the scope.

    Example:
        >>> with K.name_scope("block"):
        ...     name = K.variable(1.0, name="w").name
        >>> "w" in name
        True
    """
    _scopes.append(name)
    try:
        yield "/".join(_scopes)
    finally:
        _scopes.pop()


@contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A context for code that orders side effects; a step assigns in the order of the code, so it has no effect.

    Args:
        control_inputs: ignored.

    Example:
        >>> with K.control_dependencies([]):
        ...     x = K.constant(1.0)
        >>> float(x)
        1.0
    """
    yield


def manual_variable_initialization(value: bool) -> None:
    """Kept for code that calls it: variables have their values when they are made.

    Args:
        value: ignored.

    Example:
        >>> K.manual_variable_initialization(True)
    """
