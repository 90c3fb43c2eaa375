"""`ProgbarLogger`: what `fit`, `evaluate` and `predict` print.

It asks for batches only now and then (`refresh_every`): values are read from the backend only when they
are about to be shown. In a log file, where no line can be redrawn, it prints a line when an epoch is
complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keras_front import conventions
from keras_front.callbacks.base import Callback
from keras_front.errors import ArgumentError
from keras_front.utils.messages import print_msg
from keras_front.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """Prints a progress bar for each epoch.

    Args:
        count_mode: 'samples' or 'steps': what the bar counts.
        stateful_metrics: names of values that are running means already. In `fit`, all are.
        validation: what `fit` validates on, with `samples` and `steps`, so that its bar knows how much there is; None
            if that is unknown.
        one_line: with `verbose=2`, one line an epoch, which begins with the number of the epoch; by default that stands
            in a line of its own.

    Example:
        >>> bar = ProgbarLogger()  # `fit` adds one by itself, unless verbose=0
    """

    refresh_every = 0.15

    def __init__(
        self,
        count_mode: str = "samples",
        stateful_metrics: Iterable[str] | None = None,
        validation: Any = None,
        one_line: bool = False,
    ):
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ArgumentError(f"ProgbarLogger: count_mode: expected 'samples' or 'steps', received {count_mode!r}.")
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.validation, self.one_line = validation, one_line
        self.verbose, self.epochs = 0, 1
        self.seen = 0
        self.target: int | None = None
        self.progbar: Progbar | None = None
        self._validation_bar: Progbar | None = None
        self._validated: int | None = None  # batches of the last validation, of which nobody knew how many there are

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.verbose = int(self.params.get("verbose", 0))
        self.epochs = self.params.get("epochs", 1)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not self.verbose:
            return
        untitled = self.epochs is None or (self.epochs == 1 and conventions.current().progress == "of tf.keras")
        self._start("" if untitled else f"Epoch {epoch + 1}/{self.epochs}", header=True)

    def _start(self, title: str, header: bool = False) -> None:
        self.target = self.params.get("steps" if self.use_steps else "samples")
        self.progbar = self._bar(self.target)
        self.seen = 0
        if self.progbar.in_notebook or self.one_line:
            self.progbar.title = title
        elif title and header:
            print_msg(title)
        if self.progbar.redraws and self.verbose == 1 and self.target is not None:
            self.progbar.update(0)

    def _bar(self, target: int | None) -> Progbar:
        shown_as_given = self.stateful_metrics
        if shown_as_given is None:
            names = self.params.get("metrics", ())
            shown_as_given = {*names, *("val_" + name for name in names)}
        return Progbar(target, verbose=self.verbose, stateful_metrics=shown_as_given, interval=0)

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._batch_done(batch, logs or {})

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._within_fit:
            self._validation_batch_done(batch, logs or {})
        else:
            self._batch_done(batch, logs or {})

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._batch_done(batch, logs or {})

    @property
    def _within_fit(self) -> bool:
        return bool(self.params.get("epochs"))

    def _batch_done(self, batch: int, logs: Mapping[str, Any]) -> None:
        if self.progbar is None or self.verbose != 1:
            return
        self.seen = batch + 1 if self.use_steps else logs.get("seen", self.seen + logs.get("size", 0))
        done = self.target is not None and self.seen >= self.target
        if self.progbar.redraws and not done:  # the finished bar is drawn at the epoch's end, with validation
            self.progbar.steps = batch + 1
            self.progbar.update(self.seen, self._values(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._finish(logs or {})

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._within_fit:
            self._start_validation()
        else:
            self._start_pass("Evaluation")

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._start_pass("Prediction")

    def _start_pass(self, title: str) -> None:
        self.verbose = int(self.params.get("verbose", 0))
        if self.verbose:
            self._start(title)

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._validation_bar = None
        if not self._within_fit:
            self._finish(logs or {})

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._finish(logs or {})

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
        others = [name for name in logs if name not in wanted and name not in _NOT_SHOWN]
        return [(name, logs[name]) for name in (*wanted, *others) if name in logs]

    # The validation of `fit` has a bar of its own, which takes the place of the epoch's until that ends ---

    def _start_validation(self) -> None:
        bar = self.progbar
        if bar is None or self.verbose != 1 or not bar.redraws or conventions.current().progress != "with speed":
            return
        samples, steps = (getattr(self.validation, name, None) for name in ("samples", "steps"))
        target = samples * getattr(self.validation, "repeats", 1) if samples else steps or self._validated
        self._validation_bar = self._bar(target)
        self._validation_bar.follow(bar)
        self._validation_bar.title = f"{bar.title} validation".strip()

    def _validation_batch_done(self, batch: int, logs: Mapping[str, Any]) -> None:
        bar = self._validation_bar
        if bar is None:
            return
        bar.steps = self._validated = batch + 1
        seen = logs.get("seen", batch + 1) if getattr(self.validation, "samples", None) else batch + 1
        values = [(f"val_{name}", logs[name]) for name in logs if name not in _NOT_SHOWN]
        bar.update(seen, values, finalize=False)


_NOT_SHOWN = ("batch", "size", "seen")
