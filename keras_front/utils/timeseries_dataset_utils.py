"""`timeseries_dataset_from_array`: windows of a time series by batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures
from keras_front.utils.dataset import Dataset, Orders
from keras_front.utils.dataset_utils import dataset_of_rows

__all__ = ["timeseries_dataset_from_array"]


@explains_failures
def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Dataset:
    """Windows of a time series by batches, which `fit` takes on any backend.

    Args:
        data: the series, step by step, each a number or an array.
        targets: `targets[i]` is the target of the window that begins at step i; None for windows alone.
        sequence_length: steps in a window.
        sequence_stride: steps between the beginnings of two windows.
        sampling_rate: steps of the series between two steps of a window.
        batch_size: windows a batch; None for single windows.
        shuffle: give the windows in a random order, another one in each pass.
        seed: of that order.
        start_index: the first step that is used; None for the first one.
        end_index: the step after the last one that is used; None for the end.

    Shape: a batch is (batch, sequence_length, ...), alone or with targets (batch, ...).
    Raises: ArgumentError for numbers that make no sense, or that leave no window.
    Source: tf.keras 2 and Keras 3, `keras.utils.timeseries_dataset_from_array`.
    Example:
        >>> windows = timeseries_dataset_from_array(np.arange(6), np.arange(6) * 10, sequence_length=3, batch_size=2)
        >>> [(x.tolist(), y.tolist()) for x, y in windows]
        [([[0, 1, 2], [1, 2, 3]], [0, 10]), ([[2, 3, 4], [3, 4, 5]], [20, 30])]
    """
    data = np.asarray(data)
    targets = None if targets is None else np.asarray(targets)
    first, last = start_index or 0, len(data) if end_index is None else end_index
    _check(
        len(data),
        sequence_length=sequence_length,
        sequence_stride=sequence_stride,
        sampling_rate=sampling_rate,
        start_index=first + 1,
        end_index=last,
    )
    windows = last - first - (sequence_length - 1) * sampling_rate
    windows = windows if targets is None else min(windows, len(targets) - first)
    if windows < 1:
        raise ArgumentError(
            "timeseries_dataset_from_array: expected steps and targets for one window at least, received "
            f"{last - first} steps for windows of {sequence_length} steps, one out of {sampling_rate}."
        )
    starts = np.arange(0, windows, sequence_stride)
    steps = np.arange(0, sequence_length * sampling_rate, sampling_rate)
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)

    def fetch(rows: np.ndarray) -> Any:
        begin = first + starts[rows]
        batch = data[begin[:, None] + steps]
        return batch if targets is None else (batch, targets[begin])

    return dataset_of_rows(len(starts), fetch, batch_size, Orders(seed) if shuffle else None)


def _check(length: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if not 1 <= number <= length:
            shown = number - 1 if name == "start_index" else number
            raise ArgumentError(
                f"timeseries_dataset_from_array: expected {name} to be positive and at most the {length} steps of the "
                f"data, received {shown}."
            )
