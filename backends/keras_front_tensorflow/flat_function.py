"""A concrete function of TensorFlow, called with its tensors in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_front_tensorflow import gradient_table
from keras_front_tensorflow.updates import FOR_XLA

# XLA makes training of recurrent and of very small models about twice as fast, and others slower. Compiling
# takes seconds, so it begins after so many steps as have shown that the training is a long one.
XLA_STEPS = 32


class FlatFunction:
    """A concrete function: traced when first called, then called with its tensors in a row.

    That leaves out the look-up and the checks of tf.function, which take longer than a small step.

    XLA compiles it with `jit`; with `late` only when it has been called often. The tensors at the places `long` may
    have any number of rows.
    """

    def __init__(
        self,
        backend: Any,
        function: Callable[..., Any],
        args: Sequence[Any],
        jit: bool = False,
        late: bool = False,
        long: Sequence[int] = (),
    ):
        self.backend, self.function, self.marks = backend, function, [_marks(a) for a in args]
        self.jit, self.late, self.long = jit, late, long
        self.calls = 0
        self.call: Any = None
        self.structure: Any = None

    def __call__(self, *args: Any) -> Any:
        flat = [t for a in args for t in (a if isinstance(a, list | tuple) else (a,)) if t is not None]
        if self.call is None or (self.late and self.calls == XLA_STEPS):
            self.call = self._traced(flat, jit=self.jit or self.calls == XLA_STEPS)
        self.calls += 1
        return _filled(self.structure, iter(self.call(*flat)))

    def _traced(self, flat: list[Any], jit: bool) -> Callable[..., Any]:
        def whole(*tensors: Any) -> Any:
            results = self.function(*_filled(self.marks, iter(tensors)))
            self.structure = _marks(results)
            return [t if tf.is_tensor(t) else tf.convert_to_tensor(t) for t in _leaves(results)]

        sizes = [(None, *t.shape[1:]) if i in self.long else t.shape for i, t in enumerate(flat)]
        specs = [tf.TensorSpec(shape, t.dtype) for shape, t in zip(sizes, flat, strict=True)]
        compiled = tf.function(whole, input_signature=specs, autograph=False, jit_compile=jit or None)
        token = FOR_XLA.set(jit)
        try:
            with self.backend._placed(), gradient_table.forgotten_afterwards():
                concrete = compiled.get_concrete_function()
        finally:
            FOR_XLA.reset(token)
        inner = getattr(concrete, "_inference_function", None)  # what a call ends in, half of its cost spared
        if not hasattr(inner, "call_flat"):
            return concrete
        constants = tuple(concrete.captured_inputs)
        self.concrete = concrete  # which keeps the inner function alive
        return lambda *tensors: inner.call_flat(*tensors, *constants)


def _marks(structure: Any) -> Any:
    """Lists and tuples with True for a tensor and None for None."""
    if isinstance(structure, list | tuple):
        return type(structure)(map(_marks, structure))
    return None if structure is None else True


def _filled(marks: Any, values: Any) -> Any:
    if isinstance(marks, list | tuple):
        return type(marks)([_filled(m, values) for m in marks])
    return next(values) if marks else None


def _leaves(structure: Any) -> list[Any]:
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in _leaves(item)]
    return [] if structure is None else [structure]
