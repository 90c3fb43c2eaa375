"""Callbacks that end training: `EarlyStopping`, `TerminateOnNaN`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_front import conventions
from keras_front.arguments import Flag, Number, Text, Verbosity
from keras_front.callbacks.base import Callback, epoch_text, is_improvement, monitored
from keras_front.errors import StateError


class EarlyStopping(Callback):
    """Stops when a monitored value has stopped improving.

    Args:
        monitor: name of a value in the logs, such as 'val_loss' or 'val_accuracy'.
        min_delta: least change that counts as an improvement, in the unit of the value.
        patience: epochs without improvement after which training stops. 0 stops at the first; noise in the value asks
            for more.
        verbose: 1 prints when it stops.
        mode: 'min' if the value should fall, 'max' if it should rise; 'auto' chooses by the name: it rises if that
            holds 'acc', 'auc' or begins with 'fmeasure'.
        baseline: value that must be improved on from the start; None for none.
        restore_best_weights: when it stops, go back to the weights of the best epoch (in the dialects 'tf.keras'
            and 'keras3' also when training ends by itself). They are copied at each improvement.
        start_from_epoch: epochs before this one (from 0) are not looked at, while a training warms up.

    Attributes: `stopped_epoch`, the epoch (from 0) in which it stopped, 0 if it did not; `best`, the best value.
    Raises: ArgumentError for another mode. A value that is not there warns with the names of those that are.
    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`; Keras 3.15 for `start_from_epoch`.
    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model = Sequential([Dense(1, input_dim=1)])
        >>> model.compile("sgd", "mse")
        >>> stop = EarlyStopping("loss", patience=1, min_delta=1e9)
        >>> history = model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=9, verbose=0, callbacks=[stop])
        >>> len(history.epoch)
        2
    """

    def __init__(
        self,
        monitor: Text = "val_loss",
        min_delta: Number = 0,
        patience: Number = 0,
        verbose: Verbosity = 0,
        mode: str = "auto",
        baseline: Number | None = None,
        restore_best_weights: Flag = False,
        start_from_epoch: Number = 0,
    ):
        super().__init__()
        self.start_from_epoch = start_from_epoch
        self.monitor, self.patience, self.verbose, self.baseline = monitor, patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self._better, self._worst, sign = is_improvement(mode, monitor)
        self.min_delta = abs(min_delta) * sign
        self.wait = self.stopped_epoch = 0
        self.best = self._worst
        self.best_weights: list[np.ndarray] | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.wait = self.stopped_epoch = 0
        self.best = self._worst if self.baseline is None or not self._is_classic() else self.baseline
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        better = self._is_better(current, self.best)
        if better:
            self.best = current
        if self.restore_best_weights and (better or (self.best_weights is None and not self._is_classic())):
            self.best_weights = self.model.get_weights()
        if better:
            if self.baseline is None or self._is_better(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and (epoch > 0 or self._is_classic()):
            self.stopped_epoch = epoch
            self.model.stop_training = True
            self._restore()

    def _is_better(self, value: float, other: float) -> bool:
        return bool(self._better(value - self.min_delta, other))

    def _is_classic(self) -> bool:
        return conventions.current().stops_after_first_epoch

    def _restore(self) -> None:
        if self.best_weights is not None:
            if self.verbose > 0:
                print("Restoring model weights from the end of the best epoch")
            self.model.set_weights(self.best_weights)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"{epoch_text(self.stopped_epoch)}: early stopping")
        if conventions.current().best_weights_at_end and not self.stopped_epoch:
            self._restore()

    def get_monitor_value(self, logs: Mapping[str, Any] | None) -> float | None:
        """The monitored value; None, with a warning, if it is not there.

        Args:
            logs: the values of an epoch.
        """
        value = monitored(logs or {}, self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping: expected the value {self.monitor!r}, "
                f"but this epoch has {', '.join(logs or ())}. "
                "Pass validation data, or monitor one of these.",
                RuntimeWarning,
                stacklevel=2,
            )
        return value


class TerminateOnNaN(Callback):
    """Stops at the first batch whose loss is not a number or infinite. Reads the loss at every batch.

    Args:
        raise_error: whether training then ends with an error, and not as if it were through. Source: Keras 3.15.

    Raises: StateError from `fit`, with `raise_error`.
    Example:
        >>> guard = TerminateOnNaN()  # fit(..., callbacks=[guard])
    """

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            if self.raise_error:
                raise StateError(f"NaN or Inf loss encountered at batch {batch}: the loss is {loss}.")
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True
