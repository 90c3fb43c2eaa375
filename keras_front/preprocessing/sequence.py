"""Data that has an order: rows of one length, windows of time series, pairs of words for word2vec."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence as Sized
from typing import Any

import numpy as np

from keras_front.arguments import Positive, reading
from keras_front.errors import ArgumentError, DtypeError
from keras_front.failures import explains_failures
from keras_front.utils.data_utils import Sequence
from keras_front.utils.sequence_utils import pad_sequences

__all__ = [
    "TimeseriesGenerator",
    "make_sampling_table",
    "pad_sequences",
    "skipgrams",
    "timeseries_generator_from_json",
]

EULER = 0.577  # the Euler-Mascheroni constant with the digits of the original, whose numbers these are

Pairs = tuple[list[list[int]], list[Any]]


# Words ------------------------------------------------------------------------------------------------


@explains_failures
def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The probability with which `skipgrams` keeps a word, by its rank in a language that follows Zipf's law.

    A word of frequency f is kept with probability min(1, sqrt(factor / f)) or, as Keras computes it from the inverse
    frequency q = 1 / f of the rank, min(1, factor q / sqrt(factor q)).

    Args:
        size: how many words there are, the most frequent one first.
        sampling_factor: the factor of word2vec: the smaller, the fewer frequent words are kept.

    Shape: -> (size,), float64; the entry of rank 0, which no word has, is that of rank 1.
    Source: Keras 2.3.1, `keras.preprocessing.sequence.make_sampling_table`; Mikolov et al., Distributed
        Representations of Words and Phrases (2013).
    Example:
        >>> make_sampling_table(4, sampling_factor=0.01).round(3)
        array([0.1  , 0.1  , 0.173, 0.235])
    """
    if size < 1:
        raise ArgumentError(f"make_sampling_table: expected at least one word, received size={size}.")
    rank = np.arange(size)
    rank[0] = 1
    inverse_frequency = rank * (np.log(rank) + EULER) + 0.5 - 1.0 / (12.0 * rank)
    share = sampling_factor * inverse_frequency
    return np.minimum(1.0, share / np.sqrt(share))


@explains_failures
def skipgrams(
    sequence: Sized[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> Pairs:
    """Pairs of words, and whether the second one stands near the first: what word2vec learns from.

    Args:
        sequence: numbers of words; 0 is no word and is left out.
        vocabulary_size: one more than the largest number of a word.
        window_size: how far a word reaches to either side.
        negative_samples: how many pairs with a random second word there are for each pair from the text; 0 for none.
        shuffle: give the pairs in random order.
        categorical: write labels as `[0, 1]` for a pair from the text and `[1, 0]` for a random one.
        sampling_table: by word, the probability of keeping it as the first of a pair (`make_sampling_table`); None to
            keep all.
        seed: of the order; None to draw one. Python's own generator (`random`) draws, and starts anew from this seed
            when the pairs are shuffled.

    Returns: the pairs as lists of two numbers, and their labels, 1 or 0.
    Source: Keras 2.3.1, `keras.preprocessing.sequence.skipgrams`: the same pairs after the same `random.seed`.
    Example:
        >>> skipgrams([1, 2, 3], vocabulary_size=4, window_size=1, negative_samples=0, shuffle=False)
        ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    pairs = _pairs_of_text(sequence, window_size, sampling_table)
    near, far = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [near] * len(pairs)
    random_pairs = _random_pairs(pairs, int(len(labels) * negative_samples), vocabulary_size)
    pairs, labels = pairs + random_pairs, labels + [far] * len(random_pairs)
    if not shuffle:
        return pairs, labels
    order = list(range(len(pairs)))
    random.seed(random.randint(0, 10_000_000) if seed is None else seed)
    random.shuffle(order)
    return [pairs[i] for i in order], [labels[i] for i in order]


def _pairs_of_text(sequence: Sized[int], window_size: int, sampling_table: Any) -> list[list[int]]:
    """Each word with every word in its window."""
    pairs = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        first, last = max(0, place - window_size), min(len(sequence), place + window_size + 1)
        pairs += [[word, sequence[other]] for other in range(first, last) if other != place and sequence[other]]
    return pairs


def _random_pairs(pairs: list[list[int]], number: int, vocabulary_size: int) -> list[list[int]]:
    """The first words of pairs, in random order, each with any word."""
    if number <= 0:
        return []
    if vocabulary_size < 2:
        raise ArgumentError(f"skipgrams: expected vocabulary_size to be at least 2, received {vocabulary_size}.")
    words = [word for word, _ in pairs]
    random.shuffle(words)
    return [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(number)]


def _remove_long_seq(maxlen: int, seq: Any, label: Any) -> tuple[list[Any], list[Any]]:
    """The sequences shorter than `maxlen` steps, and their labels."""
    kept = [(sequence, its) for sequence, its in zip(seq, label) if len(sequence) < maxlen]
    return [sequence for sequence, _ in kept], [its for _, its in kept]


# Time series ------------------------------------------------------------------------------------------


class TimeseriesGenerator(Sequence):
    """Windows of a time series, by batches, each with the target of the step after it; `fit` takes it as it is.

    Args:
        data: the series, an array or list: step by step, each a number or an array.
        targets: the target of each step; as many as steps.
        length: how many steps of the series a window spans.
        sampling_rate: take one step out of so many in a window.
        stride: how many steps lie between the starts of two windows.
        start_index: the first step that is used.
        end_index: the last target that is used; None for the last one.
        shuffle: draw windows at random (from NumPy's global state) instead of in order.
        reverse: give the steps of a window latest first.
        batch_size: windows a batch; the last one may have fewer.

    Shape: a batch is (batch, length / sampling_rate, ...) and (batch, ...).
    Raises: ArgumentError if there are not as many targets as steps, or no window is left.
    Source: Keras 2.3.1, `keras.preprocessing.sequence.TimeseriesGenerator`.
    Example:
        >>> windows = TimeseriesGenerator([10, 20, 30, 40], [1, 2, 3, 4], length=2, batch_size=2)
        >>> windows[0]
        (array([[10, 20],
               [20, 30]]), array([3, 4]))
    """

    @reading
    @explains_failures
    def __init__(
        self,
        data: Any,
        targets: Any,
        length: Positive,
        sampling_rate: Positive = 1,
        stride: Positive = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: Positive = 128,
    ):
        if len(data) != len(targets):
            raise ArgumentError(
                f"TimeseriesGenerator: expected a target for each step, received {len(data)} steps and {len(targets)} "
                "targets."
            )
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ArgumentError(
                f"TimeseriesGenerator: `start_index+length={self.start_index} > end_index={self.end_index}` is "
                "disallowed, because no window is left; give a shorter length or more steps."
            )

    def __len__(self) -> int:
        """How many batches there are."""
        span = self.batch_size * self.stride
        return (self.end_index - self.start_index + span) // span

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"TimeseriesGenerator: expected a batch from 0 to {len(self) - 1}, received {index}.")
        rows = self._rows(index % len(self))
        samples, targets = self._windows(rows), np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1] if self.reverse else samples), targets

    def _rows(self, index: int) -> np.ndarray:
        """The steps whose targets are in a batch."""
        if self.shuffle:
            return np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        span = self.batch_size * self.stride
        first = self.start_index + span * index
        return np.arange(first, min(first + span, self.end_index + 1), self.stride)

    def _windows(self, rows: np.ndarray) -> np.ndarray:
        """The steps before each of some rows."""
        if isinstance(self.data, np.ndarray):
            return self.data[rows[:, None] + np.arange(-self.length, 0, self.sampling_rate)]
        return np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])

    def get_config(self) -> dict[str, Any]:
        """The arguments, with `data` and `targets` as texts in JSON.

        As in Keras `start_index` has `length` added already.
        Raises: DtypeError (a TypeError) for data that JSON has no form for.
        """
        return {
            "data": _as_json("data", self.data),
            "targets": _as_json("targets", self.targets),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """The generator with its data as a text in JSON, which `timeseries_generator_from_json` reads.

        Args:
            **kwargs: for `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _as_json(name: str, values: Any) -> str:
    values = values.tolist() if isinstance(values, np.ndarray) else values
    try:
        return json.dumps(values)
    except TypeError as error:
        raise DtypeError(f"TimeseriesGenerator: expected {name} that JSON can hold; {error}.") from error


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """The generator that `TimeseriesGenerator.to_json` wrote.

    Args:
        json_string: the text.

    Raises: ArgumentError if it is not such a text.
    Source: Keras-Preprocessing 1.1.2, which reads `start_index` as it is written, with `length` in it, and so starts
        `length` steps later than the one that was written; here it starts where that one did.
    Example:
        >>> written = TimeseriesGenerator([1, 2, 3, 4], [1, 2, 3, 4], length=2).to_json()
        >>> timeseries_generator_from_json(written)[0][0].tolist()
        [[1, 2], [2, 3]]
    """
    try:
        config = dict(json.loads(json_string)["config"])
        config["data"], config["targets"] = json.loads(config["data"]), json.loads(config["targets"])
        config["start_index"] -= config["length"]
        if config["start_index"] < 0:
            raise ValueError("start_index is smaller than length")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(
            f"timeseries_generator_from_json: expected what TimeseriesGenerator.to_json wrote; {error!r}."
        ) from error
    return TimeseriesGenerator(**config)
