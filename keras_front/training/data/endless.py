"""Data without end, as far as it can be told before the first batch is drawn."""

from __future__ import annotations

import dis
import inspect
import itertools
import warnings
from typing import Any

from keras_front.errors import ArgumentError
from keras_front.utils.data_utils import number_of_batches

_RETURNS = frozenset(code for name, code in dis.opmap.items() if name.startswith("RETURN_") and "GENERATOR" not in name)


def is_endless(source: Any, by_number: bool) -> bool:
    """Whether a source of batches has no end: it says so, or is a generator whose code has no way out.

    Args:
        source: a generator, an iterator, a `Sequence` or a dataset.
        by_number: whether it gives batches by number, as a `Sequence` does.

    What cannot be told (a generator that returns somewhere, an iterator of a class of its own) counts as having an end.
    """
    if inspect.isgenerator(source):  # of `while True:` without a `break`, Python compiles no return
        return _RETURNS.isdisjoint(source.gi_code.co_code[::2])
    if isinstance(source, itertools.count | itertools.cycle):
        return True
    if isinstance(source, itertools.repeat):
        return _has_no_length(source)
    if by_number:
        return number_of_batches(source) is None
    cardinality = getattr(source, "cardinality", None)
    return callable(cardinality) and int(cardinality()) == -1


def _has_no_length(source: Any) -> bool:
    try:
        source.__length_hint__()
    except TypeError:
        return True
    return False


def refuse_endless(where: str, name: str, source: Any, stoppable: bool) -> None:
    """Say that data without end need a number of batches.

    Args:
        where, name: the method and its argument for the number of batches.
        source: what has no end.
        stoppable: whether a callback may end the loop; then it is a warning.

    Raises: ArgumentError.
    """
    told = f"{type(source).__name__} {getattr(source, '__name__', '')}".strip()
    if not stoppable:
        raise ArgumentError(f"{where}: expected `{name}`, because {told} has no end.")
    warnings.warn(
        f"{where}: {told} has no end and `{name}` is not given, so the first epoch lasts until a callback sets "
        "model.stop_training.",
        stacklevel=4,
    )
