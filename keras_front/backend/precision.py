"""Functions that use Python's operators on tensors of an engine, in the precision that ops have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from keras_front.backend import discovery
from keras_front.tracebacks import api_boundary

P = ParamSpec("P")
R = TypeVar("R")


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, run where the operators of the active engine keep numbers of 64 bits, as ops of K do everywhere.

    Its errors leave it without the frames of this package.

    Args:
        function: any function that computes with tensors by operators.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        backend = discovery.present()
        if backend is None:
            return function(*args, **kwargs)
        with backend.user_code():
            return function(*args, **kwargs)

    return api_boundary(run)
