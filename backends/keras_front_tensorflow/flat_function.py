"""A concrete function of TensorFlow, called with its tensors in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_front_tensorflow import gradient_table
from keras_front_tensorflow.updates import FOR_XLA, Held, is_held, leaves, variable_of

# XLA makes training of recurrent and of very small models about twice as fast, and others slower. Compiling
# takes seconds, so it begins after so many steps as have shown that the training is a long one.
XLA_STEPS = 32


class FlatFunction:
    """A concrete function: traced when first called, then called with its tensors in a row.

    That leaves out the look-up and the checks of tf.function, which take longer than a small step.

    XLA compiles it with `jit`; with `late` only when it has been called often. The tensors at the places `long` may
    have any number of rows. With `owns` the first argument is a list that belongs to the function, whose new values are
    the first result: large ones are taken out of it and change in the memory where they lie, see `updates.Held`.
    """

    def __init__(
        self,
        backend: Any,
        function: Callable[..., Any],
        args: Sequence[Any],
        jit: bool = False,
        late: bool = False,
        long: Sequence[int] = (),
        owns: bool = False,
    ):
        self.backend, self.function, self.marks = backend, function, [_marks(a) for a in args]
        self.jit, self.late, self.long, self.owns = jit, late, long, owns
        self.held: list[int] = []  # places of the first argument that are given as variables
        self.calls = 0
        self.call: Any = None
        self.structure: Any = None

    def __call__(self, *args: Any) -> Any:
        flat = [t for a in args for t in (a if isinstance(a, list | tuple) else (a,)) if t is not None]
        if self.call is None or (self.late and self.calls == XLA_STEPS):
            self.call = self._traced(flat, jit=self.jit or self.calls == XLA_STEPS)
        self.calls += 1
        if self.held:
            return self._changing(args[0], flat)
        return _filled(self.structure, iter(self.call(*flat)))

    def _changing(self, state: list[Any], flat: list[Any]) -> Any:
        """A call that changes large tensors of a state in their memory; after an error they are back in it."""
        handles = [(place, variable_of(state[place])) for place in self.held]
        for place, handle in handles:
            state[place], flat[place] = None, handle
        new = state
        try:
            results = _filled(self.structure, iter(self.call(*flat)))
            new = results[0]
        finally:
            for place, handle in handles:
                new[place] = tf.raw_ops.ReadVariableOp(resource=handle, dtype=self.types[place])
        return results

    def _traced(self, flat: list[Any], jit: bool) -> Callable[..., Any]:
        self.held = [i for i, t in enumerate(flat[: len(self.marks[0])]) if is_held(t)] if self.owns and not jit else []
        self.types = [t.dtype for t in flat]
        shapes = {place: flat[place].shape for place in self.held}

        def whole(*tensors: Any) -> Any:
            held = Held()
            given = [held.read(t, self.types[i], shapes[i]) if i in shapes else t for i, t in enumerate(tensors)]
            with held:
                results = self.function(*_filled(self.marks, iter(given)))
            if self.held:
                held.assign(results, self.held)
            self.structure = _marks(results)
            return [t if tf.is_tensor(t) else tf.convert_to_tensor(t) for t in leaves(results)]

        sizes = [(None, *t.shape[1:]) if i in self.long else t.shape for i, t in enumerate(flat)]
        specs = [
            tf.TensorSpec((), tf.resource) if i in shapes else tf.TensorSpec(shape, t.dtype)
            for i, (shape, t) in enumerate(zip(sizes, flat, strict=True))
        ]
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
