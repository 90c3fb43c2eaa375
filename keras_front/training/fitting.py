"""`Fit`: one call of `fit` as a whole: callbacks, epochs, validation. The epochs themselves are in `loop`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import callbacks as callback_module
from keras_front.errors import ArgumentError
from keras_front.training import live, loop, passes
from keras_front.training.feed import StreamFeed, orders
from keras_front.training.step import Steps


class Fit:
    """One call of `fit`: callbacks, epochs, validation."""

    def __init__(
        self,
        model: Any,
        feed: Any,
        held_out: Any,
        callbacks: Sequence[Any] | None,
        verbose: int,
        epochs: int,
        initial_epoch: int,
        shuffle: Any,
        validation_freq: Any,
    ):
        self.model, self.feed, self.held_out = model, feed, held_out
        self.verbose, self.epochs, self.initial_epoch = verbose, epochs, initial_epoch
        self.shuffle, self.validation_freq = shuffle, validation_freq
        self.steps: Steps = model._setup.steps
        if isinstance(shuffle, str):
            orders(1, 1, shuffle, None)  # an unknown word is an error before anything is done
        self.history = callback_module.History()
        self.callbacks = callback_module.CallbackList(self._all(callbacks))
        self.callbacks.set_model(model)
        self.callbacks.set_params(self._params())

    def _all(self, callbacks: Sequence[Any] | None) -> list[Any]:
        given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
        if self.verbose:
            mode = "steps" if self.feed.samples is None else "samples"
            given.append(callback_module.ProgbarLogger(mode))
        return [*given, self.history]

    def _params(self) -> dict[str, Any]:
        names = self.steps.names
        return {
            "batch_size": getattr(self.feed, "batch_size", None),
            "epochs": self.epochs,
            "steps": self.feed.steps,
            "samples": self._samples(),
            "verbose": self.verbose,
            "do_validation": self.held_out is not None,
            "metrics": [*names, *(f"val_{name}" for name in names)] if self.held_out is not None else list(names),
        }

    def _samples(self) -> int | None:
        return None if self.feed.samples is None else self.feed.samples * self.feed.passes

    def run(self) -> Any:
        model, callbacks = self.model, self.callbacks
        model.history, model.stop_training = self.history, False
        self._announce()
        try:
            with live.adopted(self.steps.variables) as values:
                if isinstance(self.feed, StreamFeed):
                    self.feed.open()
                training = loop.Training(model, self.steps, self.feed, callbacks, values, self.shuffle)
                callbacks.on_train_begin()
                for epoch in range(self.initial_epoch, self.epochs):
                    self._epoch(training, epoch, values)
                    if model.stop_training or training.ended:
                        break
                    if isinstance(self.feed, StreamFeed):
                        self.feed.end_epoch()
                        callbacks.set_params(self._params())
                callbacks.on_train_end()
        finally:
            close(self.feed)
            close(self.held_out)
        return self.history

    def _announce(self) -> None:
        if self.verbose and self.held_out is not None and None not in (self.feed.samples, self.held_out.samples):
            print(f"Train on {self.feed.samples} samples, validate on {self.held_out.samples} samples")

    def _epoch(self, training: loop.Training, epoch: int, values: list[Any]) -> None:
        self.callbacks.on_epoch_begin(epoch)
        live.readopt(self.steps.variables, values)
        logs: dict[str, Any] = training.epoch()
        if self.held_out is not None and validates(self.validation_freq, epoch):
            results = passes.test(self.steps, self.held_out, self.callbacks)
            logs.update({f"val_{name}": value for name, value in zip(self.steps.names, results, strict=True)})
        self.callbacks.on_epoch_end(epoch, logs)
        live.readopt(self.steps.variables, values)


def validates(frequency: Any, epoch: int) -> bool:
    """Whether there is a validation after epoch number `epoch` (from 0)."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def check_validation(frequency: Any) -> None:
    """Raise ArgumentError unless `frequency` is a positive integer or a list of epochs."""
    if isinstance(frequency, bool) or not isinstance(frequency, int | list | tuple | set):
        raise ArgumentError(f"fit: validation_freq must be an integer or a list of epochs, received {frequency!r}.")
    if isinstance(frequency, int) and frequency < 1:
        raise ArgumentError(f"fit: validation_freq cannot be less than 1, received {frequency}.")


def close(feed: Any) -> None:
    """End the workers of a feed that has some."""
    if isinstance(feed, StreamFeed):
        feed.close()
