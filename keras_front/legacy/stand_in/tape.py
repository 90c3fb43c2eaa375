"""`tf.GradientTape`: gradients of what was computed in a block, of values and of the symbols of a step.

In a step of a model, which is traced, a loss knows what it was computed from. Elsewhere the outermost tape opens a
recording (`backend/eager_tensors.py`): what is computed in the block has values and can be differentiated.

Source: TensorFlow 2.15, `tensorflow/python/eager/backprop.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from keras_front import backend as K
from keras_front import nest
from keras_front.backend import scopes
from keras_front.backend.eager_tensors import EagerTensor, Recording
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import StateError


class GradientTape:
    """A block whose results can be differentiated.

    Args:
        persistent: whether `gradient` may be called more than once.
        watch_accessed_variables: whether trainable variables that the block reads are watched; otherwise those given to
            `watch` alone.

    Example:
        >>> x = K.variable(3.0)
        >>> with GradientTape() as tape:
        ...     y = x * x
        >>> float(tape.gradient(y, x))
        6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent, self._watches_variables = persistent, watch_accessed_variables
        self._recording: Recording | None = None
        self._block: AbstractContextManager[Any] | None = None
        self._watched: dict[int, Any] = {}
        self._used = False

    def __enter__(self) -> GradientTape:
        trace = scopes.tracing()
        self._used = False
        if trace is not None:  # a step, or the block of another tape
            self._recording = trace.recording
            return self
        self._recording = self._recording or Recording()
        self._block = self._recording.block()
        self._block.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        block, self._block = self._block, None
        if block is not None:
            block.__exit__(*error)

    def watch(self, tensor: Any) -> None:
        """Differentiate by a tensor, too.

        Args:
            tensor: a tensor or a variable, or nested lists and dicts of them.
        """
        items = nest.flatten(tensor)
        if self._block is not None and any(isinstance(i, SymbolicTensor) and i.is_open for i in items):
            self.__exit__(None, None, None)  # symbols of a graph, which know what they are computed from
            self._recording = None
        for item in items:
            self._watched[id(item)] = item
            if self._recording is not None and not K.is_variable(item):
                leaf = self._recording.leaf(item, watch=True)
                self._watched[id(leaf)] = leaf

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables by which can be differentiated."""
        read = () if self._recording is None else tuple(self._recording.frame.table)
        return tuple(v for v in read if self._sees(v))

    def reset(self) -> None:
        """Forget what was recorded."""
        if self._block is None:
            self._recording = None
            return
        self.__exit__(None, None, None)
        self._recording = None
        self.__enter__()

    @contextmanager
    def stop_recording(self) -> Any:
        """A block in which nothing is recorded."""
        with scopes.trace_scope(None), scopes.eager():
            yield

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """The derivatives of a tensor, or of the sum of several.

        Args:
            target: what is differentiated: a tensor, or nested lists and dicts of them.
            sources: tensors and variables, in any structure.
            output_gradients: a factor for each tensor of the target, shaped as it is; None for ones.
            unconnected_gradients: what there is for a source on which nothing depends: 'none', which gives None, or
                'zero'.

        Returns: a tensor for each source, in the same structure; None where nothing depends on it.
        Raises: StateError where nothing was recorded, or on the second call of a tape that is not persistent.
        """
        targets, flat = nest.flatten(target), nest.flatten(sources)
        factors = [None] * len(targets) if output_gradients is None else nest.flatten(output_gradients)

        def total() -> Any:
            parts = [t if f is None else t * f for t, f in zip(targets, factors, strict=True)]
            return sum(K.sum(part) for part in parts)

        recording = self._taken(targets)
        found = K.gradients(total(), flat) if recording is None else self._gradients(recording, total, flat)
        if getattr(unconnected_gradients, "value", unconnected_gradients) == "zero":
            found = [K.zeros_like(s) if g is None else g for s, g in zip(flat, found, strict=True)]
        rest = iter(found)
        return nest.map_structure(lambda _: next(rest), sources)

    def _gradients(self, recording: Recording, total: Any, sources: Sequence[Any]) -> list[Any]:
        seen = [s for s in sources if self._sees(s)]
        found = dict(zip(map(id, seen), recording.gradients(total, seen), strict=True))
        return [found.get(id(s)) for s in sources]

    def _taken(self, targets: Sequence[Any]) -> Recording | None:
        """The recording to differentiate; a tape that is not persistent gives it away once."""
        recording = self._recording
        if recording is None and not any(map(K.is_symbolic, targets)):
            again = " a second time: pass persistent=True for that" if self._used else " before its block"
            raise StateError(f"tf.GradientTape: asked for gradients{again}.")
        if not self._persistent and self._block is None and recording is not None:
            self._recording, self._used = None, True
        return recording

    def _sees(self, source: Any) -> bool:
        if id(source) in self._watched:
            return True
        if K.is_variable(source):
            return bool(self._watches_variables and source.trainable)
        return not isinstance(source, EagerTensor) or source.origin is not None

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivatives of each element of a tensor.

        Args:
            target: what is differentiated.
            sources: tensors and variables, in any structure.
            unconnected_gradients: as for `gradient`.
            parallel_iterations: not used.
            experimental_use_pfor: not used.

        Returns: for each source a tensor shaped as the target and then the source.
        """
        flat, count = nest.flatten(sources), int(K.prod(K.constant(target.shape, "int32")))
        persistent, self._persistent = self._persistent, True
        rows = []
        for i in range(count):
            chosen = K.reshape(K.constant([float(i == j) for j in range(count)], target.dtype), tuple(target.shape))
            rows.append(self.gradient(target, flat, chosen, unconnected_gradients))
        self._persistent = persistent
        shape = tuple(target.shape)
        stacked = [
            None if c[0] is None else K.reshape(K.stack(list(c)), (*shape, *c[0].shape))
            for c in zip(*rows, strict=True)
        ]
        rest = iter(stacked)
        return nest.map_structure(lambda _: next(rest), sources)

    def batch_jacobian(self, target: Any, source: Any, *args: Any, **options: Any) -> Any:
        """For each sample the derivatives of each element of its part of the target.

        Args:
            target: what is differentiated, (n, ...).
            source: a tensor, (n, ...).
            args: not used.
            options: not used.

        Returns: a tensor (n, ... of the target, ... of the source).
        """
        whole, samples = self.jacobian(target, source), int(target.shape[0])
        between = (slice(None),) * (len(target.shape) - 1)
        return K.stack([whole[(i, *between, i)] for i in range(samples)])
