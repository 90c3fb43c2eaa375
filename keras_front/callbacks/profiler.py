"""`Profiler`: where the time of a training step goes, while `fit` runs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from keras_front.backend import scopes
from keras_front.backend.hand_over import copies
from keras_front.backend.op_timing import OpTime, op_times
from keras_front.callbacks.base import Callback
from keras_front.callbacks.profile_report import LayerOp, Profile, StepTime
from keras_front.errors import ArgumentError
from keras_front.graph import call_context


class Profiler(Callback):
    """Measures where the time of a training step goes: between us, the callbacks and the engine, and layer by layer.

    It looks at some steps of `fit` and changes nothing in what they compute. Each of these waits until the engine is
    done, which `fit` otherwise does once an epoch, and goes by itself, where JAX and TensorFlow would have got several
    in one dispatch. When training ends, the last of these steps is computed again op by op, with a clock: this shows
    the share of each layer. Its sum is not the time of the compiled step, which is beside it, because nothing is
    fused, and because gradients are those of K's rules on every backend.

    Args:
        steps: how many steps to look at.
        skip: steps before these, which are traced, compiled, and not yet warm; their times are shown by themselves.
        html: a file for a flame graph, one page that needs nothing else; None for none.
        trace: a file for a timeline in the form of Chrome's traces, for https://ui.perfetto.dev; None for none.
        by_layer: whether to compute a step op by op at the end; it takes the memory of a second step.
        print_fn: what prints the report when training ends; None prints nothing, and `profile` has it.

    Attributes:
        profile: what was measured, a `Profile`; None until training has ended.

    Raises: ArgumentError unless there is at least one step to look at.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> profiler = Profiler(steps=3, print_fn=None)
        >>> model = Sequential([Dense(2, input_shape=(3,))])
        >>> model.compile("sgd", "mse")
        >>> _ = model.fit(np.ones((40, 3)), np.ones((40, 2)), batch_size=4, verbose=0, callbacks=[profiler])
        >>> len(profiler.profile.steps), sorted({op.phase for op in profiler.profile.ops})
        (3, ['backward', 'forward', 'loss', 'optimizer'])
    """

    def __init__(
        self,
        steps: int = 20,
        skip: int = 3,
        html: str | None = None,
        trace: str | None = None,
        by_layer: bool = True,
        print_fn: Callable[[str], None] | None = print,
    ):
        super().__init__()
        if steps < 1 or skip < 0:
            raise ArgumentError(
                f"Profiler: expected steps of at least 1 and skip of at least 0, received {steps}, {skip}."
            )
        self.steps, self.skip, self.html, self.trace = steps, skip, html, trace
        self.by_layer, self.print_fn = by_layer, print_fn
        self.profile: Profile | None = None
        self._times: list[StepTime] = []
        self._last: tuple[Any, list[Any]] | None = None
        self._batch_ended = 0.0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begin to measure.

        Args:
            logs: not needed.
        """
        self._times, self._last, self.profile = [], None, None
        self._state = self.model._compilation.steps._held
        self._state.step = self._timed(self._state.step)
        self._batch_ended = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note when the other callbacks were done.

        Args:
            batch: not needed.
            logs: not needed; that nobody reads them saves the engine a wait.
        """
        self._batch_ended = time.perf_counter()
        if self._times and self._times[-1].callbacks_ended == 0.0:
            self._times[-1] = self._times[-1]._replace(callbacks_ended=self._batch_ended)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Compute a step op by op, report, and write the files.

        Args:
            logs: not needed.
        """
        del self._state.step  # the method is there again
        self.profile = Profile(
            self.model.name,
            self._state.engine.name,
            self._times[: self.skip],
            self._times[self.skip :],
            self._ops() if self.by_layer else [],
        )
        if self.print_fn is not None:
            self.print_fn(str(self.profile))
        if self.html is not None:
            self.profile.write_html(self.html)
        if self.trace is not None:
            self.profile.write_trace(self.trace)

    def _timed(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """`StateList.step`, which waits for the engine, and notes when what was over."""

        def timed(run: Any, *arguments: Any) -> Any:
            if len(self._times) >= self.skip + self.steps:
                return step(run, *arguments)
            began = time.perf_counter()
            results = step(run, *arguments)
            returned = time.perf_counter()
            self._state.engine.block(self._state.values)
            ended = time.perf_counter()
            self._times.append(StepTime(self._batch_ended, began, returned, ended))
            self._last = self.model._compilation.steps.running, list(arguments)
            return results

        return timed

    def _ops(self) -> list[LayerOp]:
        """The last step op by op; without a word about the layers where that cannot be had."""
        if self._last is None:
            return []
        run, arguments = self._last
        engine = self._state.engine
        if not hasattr(run, "fn") or getattr(engine, "placement", None) is not None:
            return []

        def step(*leaves: Any) -> Any:
            with call_context.watched(_record_layer):
                return run.fn(*leaves)

        try:
            found = op_times(step, [copies(self._state.values, engine), *arguments])
        except Exception as error:  # code that runs on real tensors alone
            warnings.warn(f"Profiler: the step cannot be computed op by op: {error}", stacklevel=2)
            return []
        return [_layer_op(op) for op in found]


def _record_layer(layer: Any) -> Callable[[Any, Any], None]:
    """Begin to record for a layer; what is returned ends it."""
    part = ExitStack()
    part.enter_context(scopes.recorded_for((layer.name, type(layer).__name__)))
    return lambda inputs, outputs: part.close()


def _layer_op(op: OpTime) -> LayerOp:
    """An op with its phase and its layer, without the model around all layers."""
    layers = tuple(label for label in op.labels if isinstance(label, tuple))
    named = next((label for label in op.labels if isinstance(label, str)), None)
    is_gradient = any(isinstance(label, int) for label in op.labels)
    phase = named or ("backward" if is_gradient else "forward" if layers else "loss")
    inner = layers[1:]
    return LayerOp(
        op.op, phase, "/".join(name for name, _ in inner), inner[-1][1] if inner else "", op.seconds, op.shape
    )
