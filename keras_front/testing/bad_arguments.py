"""Calls that are wrong: every argument that is an axis, a shape or a choice, given a value that does not exist.

The wrong calls are made from the cases: the same arrays and attributes, but for one. On symbols the error belongs to
keras_front and its message names what was received; on real tensors it may be the engine's, but there must be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import declare, discovery
from keras_front.errors import KerasFrontError
from keras_front.testing import tolerances
from keras_front.testing.case import Case
from keras_front.testing.values import apply, call

# A wrong value for each argument that is an axis, a shape or a choice.
WRONG: dict[str, Any] = {
    "axis": 9,
    "axes": (9,),
    "reduction_axes": (9,),
    "shape": (7, 11),
    "pattern": (0, 0),
    "input_shape": (1, 2),
    "kernel_shape": (1, 2),
    "output_shape": (1, 2),
    "padding": "full",
    "data_format": "channels_middle",
    "pool_mode": "sum",
    "interpolation": "cubic",
    "dtype": "float99",
    "strides": (0, 0, 0, 0),
    "pool_size": (0, 0, 0, 0),
    "kernel_size": (0, 0, 0, 0),
    "dilation": (0, 0, 0, 0),
    "dilation_rate": (0, 0, 0, 0),
    "groups": 5,
    "k": 99,
    "equation": "ij,jk->q",
    "activation": "nonsense",
    "recurrent_activation": "nonsense",
}


def wrong_arguments(op: str) -> list[str]:
    """The arguments of the op for which there is a wrong value."""
    parameters = declare.OPS[op].signature.parameters
    return [name for name in parameters if name in WRONG and (op, name) not in tolerances.ANY_VALUE]


def errors(op: str, cases: Sequence[Case]) -> None:
    """Each wrong argument is an error: of keras_front's own on symbols, of anybody's on real tensors."""
    for name, wrong in _wrong_calls(op, cases):
        symbols = apply(lambda a: K.placeholder(a.shape, dtype=a.dtype.name), wrong.arrays)
        message = _error(op, name, wrong, symbols)
        if not isinstance(message, KerasFrontError):
            raise AssertionError(f"{op}, {name}={WRONG[name]!r} on symbols: expected a clear error, {message!r}")
        if (op, name) not in tolerances.UNCHECKED_EAGERLY:
            _error(op, name, wrong, apply(discovery.active().asarray, wrong.arrays))


def _wrong_calls(op: str, cases: Sequence[Case]) -> Iterator[tuple[str, Case]]:
    case = next((c for c in cases if all(np.size(a) for a in c.arrays if not isinstance(a, list))), cases[0])
    for name in wrong_arguments(op):
        yield name, Case(*case.arrays, reference=case.reference, **case.attrs | {name: WRONG[name]})


def _error(op: str, name: str, wrong: Case, arguments: list[Any]) -> Exception:
    try:
        results = call(op, arguments, wrong)
        discovery.active().block([r for r in results if discovery.active().is_tensor(r)])
    except Exception as error:  # an engine's error may be of any class
        return error
    raise AssertionError(f"{op}, {name}={WRONG[name]!r}: expected an error, received {[r.shape for r in results]}")
