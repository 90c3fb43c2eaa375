"""`ProgbarLogger`: what `fit`, `evaluate` and `predict` print.

It asks for batches only now and then (`refresh_every`): values are read from the backend only when they
are about to be shown. In a log file, where no line can be redrawn, it prints a line when an epoch is
complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keras_front.callbacks.base import Callback
from keras_front.errors import ArgumentError
from keras_front.utils.generic_utils import Progbar


class ProgbarLogger(Callback):
    """Prints a progress bar for each epoch.

    Args:
        count_mode: 'samples' or 'steps': what the bar counts.
        stateful_metrics: names of values that are running means already. In `fit`, all are.
    """

    refresh_every = 0.15

    def __init__(self, count_mode: str = "samples", stateful_metrics: Iterable[str] | None = None):
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ArgumentError(f"ProgbarLogger: count_mode: expected 'samples' or 'steps', received {count_mode!r}.")
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.verbose, self.epochs = 0, 1
        self.seen = 0
        self.target: int | None = None
        self.progbar: Progbar | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.verbose = int(self.params.get("verbose", 0))
        self.epochs = self.params.get("epochs", 1)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not self.verbose:
            return
        if self.epochs is not None:
            print(f"Epoch {epoch + 1}/{self.epochs}")
        self._start()

    def _start(self) -> None:
        self.target = self.params.get("steps" if self.use_steps else "samples")
        shown_as_given = self.stateful_metrics
        if shown_as_given is None:
            names = self.params.get("metrics", ())
            shown_as_given = {*names, *("val_" + name for name in names)}
        self.progbar = Progbar(self.target, verbose=self.verbose, stateful_metrics=shown_as_given, interval=0)
        self.seen = 0
        if self.progbar.redraws and self.verbose == 1 and self.target is not None:
            self.progbar.update(0)

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._batch_done(batch, logs or {})

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not self.params.get("epochs"):  # not within the validation of `fit`
            self._batch_done(batch, logs or {})

    on_predict_batch_end = on_test_batch_end

    def _batch_done(self, batch: int, logs: Mapping[str, Any]) -> None:
        if self.progbar is None or self.verbose != 1:
            return
        self.seen = batch + 1 if self.use_steps else logs.get("seen", self.seen + logs.get("size", 0))
        done = self.target is not None and self.seen >= self.target
        if self.progbar.redraws and not done:  # the finished bar is drawn at the epoch's end, with validation
            self.progbar.update(self.seen, self._values(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._finish(logs or {})

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self.params.get("epochs"):
            self.verbose = int(self.params.get("verbose", 0))
            if self.verbose:
                self._start()

    on_predict_begin = on_test_begin

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self.params.get("epochs"):
            self._finish(logs or {})

    on_predict_end = on_test_end

    def _finish(self, logs: Mapping[str, Any]) -> None:
        if self.progbar is None or not self.verbose:
            return
        known = self.params.get("steps") if self.use_steps else None
        total = logs.get("seen") or self.target or known or self.seen or 1
        self.progbar.target = total
        self.progbar.update(total, self._values(logs))
        self.progbar = None

    def _values(self, logs: Mapping[str, Any]) -> list[tuple[str, Any]]:
        names = self.params.get("metrics", ())
        wanted = [*names, *("val_" + name for name in names)]
        others = [name for name in logs if name not in wanted and name not in ("batch", "size", "seen")]
        return [(name, logs[name]) for name in (*wanted, *others) if name in logs]
