"""Callbacks that keep or average what happened: `History`, `BaseLogger`, `CSVLogger`, `RemoteMonitor`."""

from __future__ import annotations

import csv
import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front.arguments import Flag, Path, Text
from keras_front.backend.placement import path_to_write, writes_files
from keras_front.callbacks.base import Callback, Records

if TYPE_CHECKING:
    from keras_front.utils.training_curves import Curves


class History(Callback):
    """What `fit` returns: the values of every epoch.

    Attributes: `history`, a dict from names ('loss', 'val_loss', ...) to lists with one value an epoch; `epoch`, the
        numbers of the epochs, from 0; `model`, `params`.
    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model = Sequential([Dense(1, input_shape=(2,))])
        >>> model.compile("sgd", "mse")
        >>> len(model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=3, verbose=0).history["loss"])
        3
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = Records()
        self._epochs_of: dict[str, list[int]] = {}  # not every epoch has every value

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.epoch, self.history, self._epochs_of = [], Records(), {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value) if isinstance(value, np.floating) else value)
            self._epochs_of.setdefault(name, []).append(epoch)

    def curves(self) -> Curves:
        """The values as curves over the epochs, to be drawn or printed.

        Raises: StateError if there was no epoch.
        """
        from keras_front.utils.training_curves import Curves

        noted = getattr(self, "_epochs_of", {})  # one that an earlier version pickled has none
        known = {name: epochs for name, epochs in noted.items() if len(epochs) == len(self.history.get(name, ()))}
        return Curves(self.history, self.epoch, known)

    def plot(
        self,
        metrics: str | Sequence[str] | None = None,
        axes: Any = None,
        to_file: str | os.PathLike[str] | None = None,
        log_scale: bool = False,
    ) -> list[Any]:
        """Draw losses and metrics over the epochs with Matplotlib, a panel for each, training beside validation.

        A notebook shows the figure; in a script `matplotlib.pyplot.show()` does. With `to_file` nothing is shown.

        Args:
            metrics: names of the metrics to draw, with or without `val_`; all by default.
            axes: axes of Matplotlib to draw on, one for each metric; by default those of a new figure.
            to_file: a file to write, such as 'training.png' or 'training.svg'.
            log_scale: whether values are on a logarithmic scale.

        Returns: the axes of Matplotlib, one for each metric.
        Raises: MissingPackageError without Matplotlib (`pip install 'keras-front[plot]'`); StateError before the first
            epoch; ArgumentError for a metric that there is not, or too few axes.
        """
        from keras_front.utils import figures

        drawn = self.curves().draw(metrics, axes, shown=to_file is None, log_scale=log_scale)
        if to_file is not None:
            figures.save(drawn[0].figure, to_file)
        return drawn


class BaseLogger(Callback):
    """Averages the values of batches over the epoch. `fit` does so by itself; this is for loops of one's own.

    Args:
        stateful_metrics: names of values that are running means already and are taken as they are.

    Example:
        >>> logger = BaseLogger()  # for loops of one's own: `fit` averages by itself
    """

    def __init__(self, stateful_metrics: Iterable[str] | None = None):
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self.totals: dict[str, float] = {}

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.seen, self.totals = 0, {}

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        size = logs.get("size", 0)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0) + value * size

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name in self.params.get("metrics", ()) if logs is not None else ():
            if name in self.totals:
                mean = self.totals[name] if name in self.stateful_metrics else self.totals[name] / self.seen
                logs[name] = mean


class CSVLogger(Callback):
    """Writes the values of each epoch as a row of a CSV file.

    Values of the validation have columns from the start, also where the first epochs are not validated; what an epoch
    does not have is written as NA.

    Args:
        filename: path of the file.
        separator: between two fields.
        append: go on in a file that is there, with its columns, instead of starting it anew.

    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`.

    Example:
        >>> logger = CSVLogger("log.csv")  # fit(..., callbacks=[logger])
    """

    def __init__(self, filename: Path, separator: Text = ",", append: Flag = False):
        super().__init__()
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self.csv_file: Any = None
        self._writer: Any = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        header = self._header()
        self._needs_header = not header
        self.keys = header[1:] or None
        self.csv_file = open(path_to_write(self.filename), "a" if self.append else "w", newline="")
        self._writer = csv.writer(self.csv_file, delimiter=self.separator)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = self._columns(logs)
        if self._needs_header:
            self._writer.writerow(["epoch", *self.keys])
            self._needs_header = False
        self._writer.writerow([epoch, *(_field(logs.get(key, "NA")) for key in self.keys)])
        self.csv_file.flush()

    def _header(self) -> list[str]:
        """The first line of the file in which it goes on; nothing if there is none."""
        if not (self.append and os.path.exists(self.filename)):
            return []
        with open(self.filename, newline="") as file:
            return next(csv.reader(file, delimiter=self.separator), [])

    def _columns(self, logs: Mapping[str, Any]) -> list[str]:
        """The values of this epoch, and those of the validation that later ones will have."""
        known = self.params.get("metrics") or () if self.params.get("do_validation") else ()
        return sorted({*logs, *(name for name in known if name.startswith("val_"))})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self.csv_file.close()
        self._writer = self.csv_file = None


class RemoteMonitor(Callback):
    """Posts the values of each epoch to a server.

    Args:
        root, path: the address, in two parts.
        field: name of the form field that carries the JSON text.
        headers: HTTP headers to send.
        send_as_json: send the JSON text itself (application/json) instead of a form.

    Example:
        >>> monitor = RemoteMonitor("http://localhost:9000")  # fit(..., callbacks=[monitor])
    """

    def __init__(
        self,
        root: Text = "http://localhost:9000",
        path: Text = "/publish/epoch/end/",
        field: Text = "data",
        headers: dict[str, str] | None = None,
        send_as_json: Flag = False,
    ):
        super().__init__()
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not writes_files():
            return
        values = {"epoch": epoch, **{name: _number(value) for name, value in (logs or {}).items()}}
        try:
            self._post(values)
        except OSError as reason:  # URLError is one
            warnings.warn(f"RemoteMonitor: could not reach {self.root}: {reason}.", stacklevel=2)

    def _post(self, values: dict[str, Any]) -> None:
        """By `requests`, if the program has imported it, as Keras 2 and tf.keras did."""
        requests = sys.modules.get("requests")
        if requests is None:
            from urllib import request  # with all of the standard library's networking; nobody else needs it

            request.urlopen(self._message(json.dumps(values)), timeout=10).close()
        elif self.send_as_json:
            requests.post(self.root + self.path, json=values, headers=self.headers)
        else:
            requests.post(self.root + self.path, {self.field: json.dumps(values)}, headers=self.headers)

    def _message(self, text: str) -> Any:
        from urllib import parse, request

        if self.send_as_json:
            body, kind = text.encode(), "application/json"
        else:
            body, kind = parse.urlencode({self.field: text}).encode(), "application/x-www-form-urlencoded"
        return request.Request(self.root + self.path, body, {"Content-Type": kind, **(self.headers or {})})


def _number(value: Any) -> Any:
    """A value that JSON writes plainly; an array of one number is that number."""
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else _field(value)


def _field(value: Any) -> Any:
    """A value that `csv` and `json` write plainly."""
    if isinstance(value, np.ndarray | np.generic):
        return value.item() if value.ndim == 0 else value.tolist()
    return value
