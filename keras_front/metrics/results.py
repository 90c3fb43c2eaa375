"""Which metric a tensor is the result of, so that `add_metric(metric(values))` means the metric itself.

Entries go with their tensors. This module must not know what a metric does.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

_RESULTS: dict[int, tuple[weakref.ref[Any], Any, tuple[Any, ...]]] = {}


def remember(result: Any, metric: Any, values: Sequence[Any]) -> Any:
    """`result`, of which it is known from now on that `metric` computed it of `values`.

    Args:
        result: a tensor; what cannot be referred to weakly, such as a number of NumPy, is not kept.
        metric: the metric.
        values: the arguments of its call.
    """
    key = id(result)
    try:
        _RESULTS[key] = weakref.ref(result, lambda _: _RESULTS.pop(key, None)), metric, tuple(values)
    except TypeError:
        pass
    return result


def metric_of(value: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """(the metric whose result a tensor is, the arguments of its call); None if it is no such result.

    Args:
        value: anything.
    """
    found = _RESULTS.get(id(value))
    return found[1:] if found is not None and found[0]() is value else None
