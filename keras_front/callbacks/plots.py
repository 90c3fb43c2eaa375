"""`PlotHistory`: the curves of a training while it goes on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from keras_front.arguments import Flag, Path, Positive
from keras_front.backend.placement import path_to_write, writes_files
from keras_front.callbacks.base import Callback
from keras_front.callbacks.history import History
from keras_front.utils import figures
from keras_front.utils.messages import print_msg
from keras_front.utils.notebook import Svg, notebook_output
from keras_front.utils.terminal import has_colours, painted, width_of


class PlotHistory(Callback):
    """Draws losses and metrics over the epochs, while the training goes on.

    In a notebook the picture stands below the cell and is drawn anew after an epoch. Elsewhere the curves are printed
    as characters when the training ends, unless there is a file for the picture.

    Args:
        metrics: names of the metrics to draw, with or without `val_`; None for all.
        every: draw after each so many epochs, and at the end.
        to_file: a file, such as 'training.svg' or 'training.png', that is written anew each time; None for none.
        log_scale: whether values are on a logarithmic scale.

    Attributes: `curves`, a `History` of the epochs up to now.

    Raises: MissingPackageError when training begins, where a picture is wanted and Matplotlib is not installed.

    Example:
        >>> curves = PlotHistory(to_file="training.svg")  # fit(..., callbacks=[curves])
    """

    _SHARE = 10  # drawing may take a tenth of the time

    def __init__(
        self,
        metrics: str | Sequence[str] | None = None,
        every: Positive = 1,
        to_file: Path | None = None,
        log_scale: Flag = False,
    ):
        super().__init__()
        self.metrics, self.every, self.log_scale = metrics, every, log_scale
        self.to_file = None if to_file is None else os.fspath(to_file)
        self.curves = History()
        self._output: Any = None
        self._next, self._drawn = 0.0, 0  # when it may draw again, and how many epochs the picture has

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.curves.on_train_begin()
        self._output = notebook_output() if writes_files() else None
        if self._output is not None or self.to_file is not None:
            figures.import_matplotlib("Pictures of a training")  # an error now rather than after an epoch
        self._next, self._drawn = 0.0, 0

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.curves.on_epoch_end(epoch, logs)
        began = time.monotonic()
        if (epoch + 1) % self.every == 0 and began >= self._next:
            self._draw()
            self._next = time.monotonic() + self._SHARE * (time.monotonic() - began)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self.curves.epoch:
            return
        if self._drawn < len(self.curves.epoch):
            self._draw()
        if self._output is None and self.to_file is None and writes_files():
            self._print()

    def _draw(self) -> None:
        if self._output is None and self.to_file is None:
            return
        self._drawn = len(self.curves.epoch)
        figure = self.curves.curves().draw(self.metrics, log_scale=self.log_scale)[0].figure
        if self._output is not None:
            self._output.show(Svg(figures.svg_of(figure), f"<curves of {len(self.curves.epoch)} epochs>"))
        if self.to_file is not None:
            figures.save(figure, path_to_write(self.to_file))

    def _print(self) -> None:
        colours, curves = has_colours(sys.stdout), self.curves.curves()
        for metric in curves.groups(self.metrics):
            for line in curves.chart(metric, min(100, width_of(sys.stdout) or 72)):
                print_msg(painted(line, colours))
