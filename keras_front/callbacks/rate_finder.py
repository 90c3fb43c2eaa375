"""`LearningRateFinder`: which learning rate a training should start with, found by trying many on a few batches."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_front.arguments import Fraction, Number, Positive
from keras_front.callbacks.base import Callback
from keras_front.callbacks.schedule import write_rate
from keras_front.errors import ArgumentError, StateError
from keras_front.utils.figures import import_matplotlib

__all__ = ["LearningRateFinder"]


class LearningRateFinder(Callback):
    """Trains with a rate that rises from batch to batch, notes the losses, and puts everything back.

    Give it to a `fit` by itself; that ends after `steps` batches, or when the loss has grown beyond hope. Weights, the
    state of the optimizer and of layers are then as they were before.

    Args:
        start: the first learning rate.
        end: the last one; each is the one before times the same factor.
        steps: how many batches are tried; 100 are enough for a smooth curve.
        smoothing: the part of the running mean of the losses that each batch keeps, from 0 (none) to below 1.
        stop_factor: the sweep ends when the smoothed loss is so many times the least one.

    Attributes: `rates` and `losses`, what was tried; `smoothed`, the running means of the losses; `suggestion`.
    Raises: ArgumentError unless 0 < start < end, and for an optimizer whose rate follows a schedule.
    Source: Smith (2017), "Cyclical learning rates", section 3.3; the choice of the steepest place is that of fastai.
    Example:
        >>> import numpy as np
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model = Sequential([Dense(1, input_dim=2, kernel_initializer="zeros")])
        >>> model.compile("sgd", "mse")
        >>> finder = LearningRateFinder(1e-4, 10.0, steps=50)
        >>> x = np.ones((64, 2))
        >>> _ = model.fit(x, x.sum(1), epochs=50, verbose=0, callbacks=[finder])
        >>> 0.01 < finder.suggestion < 1.0, model.get_weights()[0].tolist()
        (True, [[0.0], [0.0]])
    """

    def __init__(
        self,
        start: Number = 1e-7,
        end: Number = 10.0,
        steps: Positive = 100,
        smoothing: Fraction = 0.9,
        stop_factor: Number = 4.0,
    ):
        super().__init__()
        if not 0 < start < end < math.inf:
            raise ArgumentError(f"LearningRateFinder: expected 0 < start < end, received start={start} and end={end}.")
        if not 0 <= smoothing < 1:
            raise ArgumentError(f"LearningRateFinder: expected smoothing from 0 to below 1, received {smoothing}.")
        self.start, self.end, self.steps = float(start), float(end), int(steps)
        self.smoothing, self.stop_factor = smoothing, stop_factor
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._before: Any = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if getattr(self.model.optimizer, "is_scheduled", False):
            raise ArgumentError(
                "LearningRateFinder: the learning rate of the optimizer follows a schedule, so it cannot be swept. "
                "Compile the model with a number as learning rate first."
            )
        self.rates, self.losses, self.smoothed = [], [], []
        self._before = self.model.get_weights(), self._position().saved(within=False)

    def _position(self) -> Any:
        return self.model._compilation.steps.position

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        tried = len(self.rates)
        self.rates.append(self.start * (self.end / self.start) ** (tried / max(1, self.steps - 1)))
        write_rate(self.model, self.rates[-1])
        self.model.reset_metrics()  # the loss of this batch alone

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = float((logs or {})["loss"])
        self.losses.append(loss)
        weights = self.smoothing ** np.arange(len(self.losses))
        self.smoothed.append(float(np.dot(weights, self.losses[::-1]) / weights.sum()))
        beyond = not math.isfinite(loss) or self.smoothed[-1] > self.stop_factor * abs(min(self.smoothed))
        if len(self.losses) >= self.steps or beyond:
            self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        weights, state = self._before
        self.model.set_weights(weights)
        self._position().restore(state, done=0)
        self._before = None
        if not self.model.stop_training:
            warnings.warn(
                f"LearningRateFinder: the data ended after {len(self.losses)} of {self.steps} batches, at a rate of "
                f"{self.rates[-1]:g}. Give `fit` more epochs; the sweep ends by itself.",
                stacklevel=2,
            )

    @property
    def suggestion(self) -> float:
        """The rate at which the loss fell fastest, before it was least.

        Raises: StateError if nothing was tried yet, or the loss fell nowhere.
        """
        losses = np.asarray(self.smoothed)[: len(self.smoothed) - (not np.isfinite(self.smoothed[-1:]).all())]
        least = int(losses.argmin()) if len(losses) else 0
        if not len(losses):
            raise StateError("LearningRateFinder: nothing was tried yet. Give it to `fit` as a callback first.")
        if least < 1:
            raise StateError(
                f"LearningRateFinder: expected losses that fall somewhere, received {len(losses)} that do not, from a "
                f"rate of {self.start:g} on. Try a smaller `start`."
            )
        slopes = np.gradient(losses[: least + 1], np.log(self.rates[: least + 1]))
        return float(self.rates[int(slopes.argmin())])

    def plot(self, axes: Any = None) -> Any:
        """The smoothed losses over the rates, drawn with matplotlib.

        Args:
            axes: where to draw; by default axes of a new figure.

        Returns: the axes.
        Raises: MissingPackageError without matplotlib; StateError as `suggestion`.
        """
        suggestion = self.suggestion
        if axes is None:
            pyplot = import_matplotlib("Pictures of learning rates", "matplotlib.pyplot")
            axes = pyplot.subplots()[1]
        axes.plot(self.rates[: len(self.smoothed)], self.smoothed)
        axes.axvline(suggestion, linestyle="--", label=f"suggestion {suggestion:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        return axes
