"""Functions with a gradient of their own in TensorFlow's graphs, and what they leave behind.

In a graph, `tf.custom_gradient` enters each use in a table of the process, and the entry keeps the graph, with all that
it has captured, for ever. The entry is asked for only while gradients are built, so after a trace ours are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record
from tensorflow.python.framework import ops

_made: ContextVar[list[str] | None] = ContextVar("keras_front_tensorflow_gradients", default=None)


def custom_gradient(fn: Callable[..., Any], args: Any) -> list[Any]:
    """The results of a function with a gradient of its own.

    Args:
        fn: gives (results, rule) from the arguments.
        args: tensors.
    """

    @tf.custom_gradient
    def run(*args: Any) -> Any:
        results, rule = fn(*args)
        return tuple(results), rule

    results = list(run(*args))
    made = _made.get()
    if made is not None and results and not tf.executing_eagerly():
        made.append(results[0].op.get_attr("_gradient_op_type").decode())
    return results


def recompute(backend: Any, fn: Callable[..., Any], args: Any, captured: Any) -> list[Any]:
    """The results of a function that is computed again for its gradient, once that is there.

    `tf.recompute_grad` does the same, but it adds a number to each argument, which must then be a float, and so copies
    it.

    Args:
        backend: the adapter.
        fn: gives a list of results from the two lists.
        args: tensors.
        captured: further tensors.
    """
    n = len(args)

    def ruled(*flat: Any) -> Any:
        def rule(*upstream: Any) -> Any:
            fresh = backend.barrier(flat, upstream)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(fresh)
                results = fn(fresh[:n], fresh[n:])
            return tape.gradient(results, fresh, list(upstream))

        with record.stop_recording():
            return fn(list(flat[:n]), list(flat[n:])), rule

    return custom_gradient(ruled, [*args, *captured])


@contextmanager
def forgotten_afterwards() -> Iterator[None]:
    """A context in which graphs are made and differentiated; what they entered in the table of gradients is removed."""
    made: list[str] = []
    token = _made.set(made)
    try:
        yield
    finally:
        _made.reset(token)
        for name in made:
            ops.gradient_registry._registry.pop(name, None)
