"""`ModelCheckpoint`: saves the model while it trains."""

from __future__ import annotations

import os
import string
import warnings
from collections.abc import Mapping
from typing import Any

from keras_front import conventions
from keras_front.arguments import Flag, Number, Path, Positive, Text, Verbosity
from keras_front.callbacks.base import (
    SavesEvery,
    epoch_text,
    is_improvement,
    monitored,
    other_spelling,
)
from keras_front.errors import ArgumentError


class _PlainNames(string.Formatter):
    """Fills in values by their names, whatever the names are; a name asks for no attribute of a value."""

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        return kwargs[field_name], field_name


class ModelCheckpoint(SavesEvery):
    """Saves the model after epochs, all of them or the best.

    Args:
        filepath: path, in which `{epoch:02d}` (from 1), `{batch}` and values such as `{val_loss:.2f}` are filled in.
            Its ending chooses the format: `.keras` or `.h5`. Its folder is made if it is not there.
        monitor: name of the value that says which epoch is best, such as 'val_loss'.
        verbose: 1 prints what is saved.
        save_best_only: save only when the monitored value has improved.
        save_weights_only: save the weights instead of the whole model, its structure and the optimizer's state.
        mode: 'min' if the value should fall, 'max' if it should rise; 'auto' chooses by the name, as in
            `EarlyStopping`.
        period: epochs between two saves.
        save_freq: 'epoch', or after how many batches to save; then `period` has no meaning, and `monitor` names a value
            of the batches, such as 'loss'.
        options: accepted because tf.keras has it; files are written in one way.
        initial_value_threshold: value that must be improved on from the start, such as the best one of an earlier run.

    Attributes: `best`, the best value so far.
    Raises: ArgumentError for another mode or `save_freq`, and in an epoch that lacks a value that the path names.
    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`; tf.keras 2.15, `keras/src/callbacks.py`, for the last three.
    Example:
        >>> ModelCheckpoint("best-{epoch:02d}.h5", save_best_only=True).filepath
        'best-{epoch:02d}.h5'
    """

    def __init__(
        self,
        filepath: Path,
        monitor: Text = "val_loss",
        verbose: Verbosity = 0,
        save_best_only: Flag = False,
        save_weights_only: Flag = False,
        mode: str = "auto",
        period: Positive = 1,
        save_freq: str | int = "epoch",
        options: Any = None,
        initial_value_threshold: Number | None = None,
    ):
        super().__init__()
        self._save_every(save_freq)
        self.filepath = os.fspath(filepath)
        self.monitor, self.verbose, self.period = monitor, verbose, period
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self._better, self.best, _ = is_improvement(mode, monitor)
        self.best = self.best if initial_value_threshold is None else initial_value_threshold
        self.epochs_since_last_save = 0
        self._first = 0 if conventions.current().epochs_of_files_from_zero else 1

    def _save_within(self, batch: int, logs: Mapping[str, Any]) -> None:
        self._consider(self._epoch, {**logs, "batch": batch + 1})

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.epochs_since_last_save += 1
        if self.save_freq != "epoch" or self.epochs_since_last_save < self.period:
            return
        self.epochs_since_last_save = 0
        self._consider(epoch, logs or {})

    def _consider(self, epoch: int, logs: Mapping[str, Any]) -> None:
        path = self._path(epoch, logs)
        if not self.save_best_only:
            self._say(f"\n{epoch_text(epoch)}: saving model to {path}")
            self._save(path)
        elif self._is_best(epoch, logs, path):
            self._save(path)

    def _path(self, epoch: int, logs: Mapping[str, Any]) -> str:
        values = {**{other_spelling(name): value for name, value in logs.items()}, **logs}
        try:
            return _PlainNames().vformat(self.filepath, (), {**values, "epoch": epoch + self._first})
        except KeyError as missing:
            raise ArgumentError(
                f"ModelCheckpoint: {self.filepath!r} names {missing}, but this epoch has epoch, {', '.join(logs)}."
            ) from None
        except (ValueError, IndexError, TypeError) as error:
            raise ArgumentError(
                f"ModelCheckpoint: expected a path with places such as {{epoch:02d}}, received {self.filepath!r} "
                f"({error}).\n  A brace in the name of a file is written twice: {{{{ or }}}}."
            ) from None

    def _is_best(self, epoch: int, logs: Mapping[str, Any], path: str) -> bool:
        current = monitored(logs, self.monitor)
        if current is None:
            warnings.warn(
                f"ModelCheckpoint: expected the value {self.monitor!r}, "
                f"but this epoch has {', '.join(logs)}; "
                "nothing was saved.",
                RuntimeWarning,
                stacklevel=3,
            )
            return False
        if not self._better(current, self.best):
            self._say(f"\n{epoch_text(epoch)}: {self.monitor} did not improve from {self.best:0.5f}")
            return False
        change = f"{self.monitor} improved from {self.best:0.5f} to {current:0.5f}"
        self._say(f"\n{epoch_text(epoch)}: {change}, saving model to {path}")
        self.best = current
        return True

    def _save(self, path: str) -> None:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _say(self, text: str) -> None:
        if self.verbose > 0:
            print(text)
