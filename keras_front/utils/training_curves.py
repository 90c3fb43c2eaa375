"""Losses and metrics over the epochs: which belong together, drawn by Matplotlib or as text.

Knows numbers and names only, so that a `History` and a log file are drawn alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front.errors import ArgumentError, StateError
from keras_front.utils import figures
from keras_front.utils.terminal import Span

__all__ = ["Curve", "Curves", "sparkline"]

BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
WHAT = "Pictures of a training"


class Curve(NamedTuple):
    """Values over epochs.

    Attributes:
        name: of the value, such as 'val_loss'.
        epochs: their numbers, from 1.
        values: one for each.
    """

    name: str
    epochs: np.ndarray
    values: np.ndarray

    @property
    def of_validation(self) -> bool:
        """Whether the values are those of a validation."""
        return self.name.startswith("val_")


class Curves:
    """The curves of one training.

    Args:
        values: names, and the values of each in the order of the epochs; what is no number is left out.
        epochs: numbers of the epochs, from 0; by default they are counted.
        epochs_of: the epochs of names that were not there in every one.

    Raises: StateError if there is nothing to draw.
    """

    def __init__(
        self,
        values: Mapping[str, Sequence[Any]],
        epochs: Sequence[int] | None = None,
        epochs_of: Mapping[str, Sequence[int]] | None = None,
    ):
        longest = max(map(len, values.values()), default=0)
        known = list(range(longest)) if epochs is None else list(epochs)
        self.curves = [
            curve
            for name, found in values.items()
            if (curve := _curve(name, found, (epochs_of or {}).get(name, known)))
        ]
        if not self.curves:
            raise StateError("There are no values over epochs to draw. Train for an epoch first.")

    def groups(self, metrics: Iterable[str] | str | None = None) -> dict[str, list[Curve]]:
        """The curves that share a picture: a metric of the training and of the validation.

        Args:
            metrics: names of metrics to draw, with or without `val_`; all by default.

        Returns: from the name of the metric to its one or two curves.
        Raises: ArgumentError for a name that is not there.
        """
        found: dict[str, list[Curve]] = {}
        for curve in sorted(self.curves, key=lambda curve: curve.name.removeprefix("val_") != "loss"):  # the loss first
            found.setdefault(curve.name.removeprefix("val_"), []).append(curve)
        if metrics is None:
            return found
        wanted = [metrics] if isinstance(metrics, str) else metrics
        if not isinstance(wanted, list | tuple | set) or not all(isinstance(name, str) for name in wanted):
            raise ArgumentError(f"metrics: expected names among {sorted(found)}, received {metrics!r}.")
        names = {name: name.removeprefix("val_") for name in wanted}
        for name, metric in names.items():
            if metric not in found:
                raise ArgumentError(f"metrics: expected names among {sorted(found)}, received {name!r}.")
        return {metric: found[metric] for metric in dict.fromkeys(names.values())}

    def draw(self, metrics: Any = None, axes: Any = None, shown: bool = False, log_scale: bool = False) -> list[Any]:
        """Draw the curves with Matplotlib, a panel for each metric.

        Args:
            metrics: see `groups`.
            axes: one or several axes to draw on, one for each metric; by default those of a new figure.
            shown: whether `pyplot` knows a new figure.
            log_scale: whether values are on a logarithmic scale.

        Returns: the axes that were drawn on, one for each metric.
        Raises: MissingPackageError without Matplotlib; ArgumentError for an unknown metric, or too few axes.
        """
        groups = self.groups(metrics)
        if axes is None:
            columns = min(3, len(groups))
            figure = figures.new_figure(WHAT, math.ceil(len(groups) / columns), columns, shown=shown)
            panels = list(figure.subplots(math.ceil(len(groups) / columns), columns, squeeze=False).flat)
        else:
            panels = list(np.atleast_1d(np.asarray(axes, dtype=object)).flat)
            if not all(hasattr(panel, "get_figure") and hasattr(panel, "plot") for panel in panels):
                raise ArgumentError(f"axes: expected axes of Matplotlib, received {axes!r}.")
        if len(panels) < len(groups):
            raise ArgumentError(f"axes: expected {len(groups)}, for {list(groups)}, received {len(panels)}.")
        for panel, (name, curves) in zip(panels, groups.items()):
            _draw_panel(panel, name, curves, log_scale)
        for panel in panels[len(groups) :] if axes is None else ():
            panel.remove()
        return panels[: len(groups)]

    def table(self, metrics: Any = None, width: int = 40) -> list[list[Span]]:
        """A line for each curve: its name, a sparkline, first and last value, the least and the greatest.

        Args:
            metrics: see `groups`.
            width: the most characters of a sparkline.
        """
        curves = [curve for group in self.groups(metrics).values() for curve in group]
        longest = max(len(curve.name) for curve in curves)
        sparks = [sparkline(curve.values, width) for curve in curves]
        room = max(map(len, sparks))
        numbers = _columns([_figures(curve) for curve in curves])
        return [
            [
                Span(curve.name.ljust(longest) + "  ", "bold"),
                Span(spark.ljust(room), "yellow" if curve.of_validation else "cyan"),
                Span("  " + text),
                Span(f"  {lost} not finite" if (lost := int((~np.isfinite(curve.values)).sum())) else "", "red"),
            ]
            for curve, spark, text in zip(curves, sparks, numbers)
        ]

    def chart(self, metric: str, width: int = 72, height: int = 12) -> list[list[Span]]:
        """A chart of one metric in characters: `*` is the training, `o` the validation, `@` both.

        Args:
            metric: its name.
            width: of the chart with its scale, in characters.
            height: lines of the field.
        """
        (name, curves), *_ = self.groups(metric).items()
        return _chart(name, curves, max(width, 24), max(height, 3))


def _curve(name: str, values: Sequence[Any], epochs: Sequence[int]) -> Curve | None:
    """The values that are numbers."""
    pairs = zip(epochs_of_some(len(values), list(epochs)), values)
    kept = [(epoch + 1, float(value)) for epoch, value in pairs if _is_number(value)]
    if not kept:
        return None
    numbers, found = zip(*kept)
    return Curve(name, np.array(numbers), np.array(found))


def epochs_of_some(count: int, epochs: Sequence[int]) -> Sequence[int]:
    """The epochs that some values are taken to belong to: every second one of half as many values, otherwise the last.

    Args:
        count: how many values there are.
        epochs: the numbers of all epochs.
    """
    if count and count < len(epochs) and len(epochs) % count == 0:  # `validation_freq`
        every = len(epochs) // count
        return epochs[every - 1 :: every]
    return epochs[len(epochs) - count :] if count else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) or (isinstance(value, np.ndarray) and value.ndim == 0)


# By Matplotlib ------------------------------------------------------------------------------------------------


def _draw_panel(panel: Any, name: str, curves: list[Curve], log_scale: bool) -> None:
    for curve in curves:
        few = len(curve.epochs) < 16
        label, line = ("validation", "--") if curve.of_validation else ("training", "-")
        panel.plot(curve.epochs, curve.values, line, marker="o" if few else None, markersize=3, label=label)
    panel.set(xlabel="epoch", title=name, yscale="log" if log_scale else "linear")
    panel.grid(alpha=0.3)
    places = panel.xaxis.get_major_locator()
    if type(places).__name__ in ("AutoLocator", "MaxNLocator"):  # the user's own axes may have others
        places.set_params(integer=True)
    if len(curves) > 1 or curves[0].of_validation:
        panel.legend()


# As text ------------------------------------------------------------------------------------------------------


def sparkline(values: Sequence[float] | np.ndarray, width: int = 40) -> str:
    """Values as a line of blocks, low and high; what is no number is a space.

    Args:
        values: numbers; of more than `width` each block is the mean of some.
        width: the most characters.

    Example:
        >>> sparkline([0, 1, 2, 3])
        '▁▃▆█'
    """
    means = _resampled(np.asarray(values, float), width)
    finite = means[np.isfinite(means)]
    if not len(finite):
        return " " * len(means)
    low, span = finite.min(), np.ptp(finite) or 1.0
    places = [-1 if not math.isfinite(v) else round((v - low) / span * (len(BLOCKS) - 1)) for v in means]
    return "".join(" " if place < 0 else BLOCKS[place] for place in places)


def _resampled(values: np.ndarray, width: int) -> np.ndarray:
    if len(values) <= width:
        return values
    return np.array([part.mean() for part in np.array_split(values, max(1, width))])


def _figures(curve: Curve) -> list[str]:
    """First and last value, the least and the greatest, as texts."""
    finite = np.isfinite(curve.values)
    texts = [_number(curve.values[0]), f"\u2192 {_number(curve.values[-1])}"]
    if not finite.any():
        return [*texts, "", ""]
    values, epochs = curve.values[finite], curve.epochs[finite]
    extremes = (("least", values.argmin()), ("greatest", values.argmax()))
    return [*texts, *(f" {word} {_number(values[i])} (epoch {epochs[i]})" for word, i in extremes)]


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [" ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]


def _number(value: float) -> str:
    return f"{value:.4g}"


def _chart(name: str, curves: list[Curve], width: int, height: int) -> list[list[Span]]:
    values = np.concatenate([curve.values for curve in curves])
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    labels = {0: _number(high), height - 1: _number(low)}
    margin = max(map(len, labels.values()))
    first, last = min(c.epochs.min() for c in curves), max(c.epochs.max() for c in curves)
    field = np.full((height, width - margin - 2), " ")
    for curve in curves:
        _mark(field, curve, (first, last), (low, high))
    rows = [
        [Span(f"{labels.get(i, ''):>{margin}} \u2502", "dim"), *_marks("".join(row))] for i, row in enumerate(field)
    ]
    axis = f"{first}".ljust(field.shape[1] - len(str(last))) + f"{last}"
    legend = "* training" + "   o validation   @ both" * (len(curves) > 1)
    return [
        [Span(name.center(width).rstrip(), "bold")],
        *rows,
        [Span(" " * margin + " \u2514" + "\u2500" * field.shape[1], "dim")],
        [Span(" " * (margin + 2) + axis, "dim")],
        [Span((" " * (margin + 2) + f"epoch   {legend}").rstrip(), "dim")],
    ]


def _mark(field: np.ndarray, curve: Curve, across: tuple[Any, Any], up: tuple[Any, Any]) -> None:
    height, width = field.shape
    sign = "o" if curve.of_validation else "*"
    columns = np.arange(width)
    epochs = across[0] + columns * (across[1] - across[0]) / max(width - 1, 1)
    finite = np.isfinite(curve.values)
    if not finite.any():
        return
    inside = (epochs >= curve.epochs[finite][0]) & (epochs <= curve.epochs[finite][-1])
    if across[0] == across[1]:  # one epoch
        inside = columns == 0
    values = np.interp(epochs, curve.epochs[finite], curve.values[finite])
    rows = np.rint((up[1] - values) / ((up[1] - up[0]) or 1.0) * (height - 1)).astype(int)
    for column in columns[inside]:
        there = field[rows[column], column]
        field[rows[column], column] = sign if there in (" ", sign) else "@"


def _marks(row: str) -> list[Span]:
    styles = {"*": "cyan", "o": "yellow", "@": "green"}
    spans: list[Span] = []
    for sign in row.rstrip():
        style = styles.get(sign, "")
        if spans and spans[-1].style == style:
            spans[-1] = Span(spans[-1].text + sign, style)
        else:
            spans.append(Span(sign, style))
    return spans
