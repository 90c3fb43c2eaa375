"""IMDB: 50,000 film reviews as numbers of words, with what the critic thought."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.compatibility import reject_unknown, renamed
from keras_front.datasets.files import ORIGIN, Source, Split, cached_file
from keras_front.datasets.texts import (
    as_texts,
    keep_words,
    mark_start,
    read_texts,
    read_word_index,
    shuffled,
    without_long,
)
from keras_front.tracebacks import api_boundary
from keras_front.utils.file_cache import get_file

__all__ = ["get_word_index", "load_data"]

_TEXTS = Source(
    ORIGIN + "imdb.npz",
    ("69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f", "599dadb1135973df5b59232a0e9a887c"),
    ("imdb.npz", "imdb_full.pkl", "imdb_full.pkl.gz"),
)
_WORDS = Source(
    ORIGIN + "imdb_word_index.json",
    ("bfafd718b763782e994055a2d397834f",),
    ("imdb_word_index.json", "imdb_word_index.pkl"),
)


@renamed
@api_boundary
def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[Split, Split]:
    """The reviews as `(x_train, y_train), (x_test, y_test)`.

    Words are numbered by how often they occur. 0 stands for no word: it fills up short texts.

    Args:
        path: the file in `~/.keras/datasets`, or an absolute path. The pickle of Keras 1 is read as well.
        num_words: numbers from this one on become `oov_char`; None keeps all but the largest, as Keras does.
        skip_top: numbers below this one become `oov_char`.
        maxlen: reviews of this length and longer are left out; None keeps all.
        seed: of the order of the reviews.
        start_char: the first number of each review; None for none.
        oov_char: stands for words that are not kept; None leaves them out.
        index_from: the numbers of words begin above this one.
        **kwargs: older names of these arguments.

    Shape: x (25000,), an array of lists of numbers; y (25000,), 1 for praise and 0 for the contrary.
    Raises: ArgumentError if `maxlen` leaves no review; DownloadError without the file and without a network, which says
        which file to put where; TypeError for unknown arguments.
    Source: Maas et al., Learning Word Vectors for Sentiment Analysis (2011), https://ai.stanford.edu/~amaas/data/sentiment/;
        Keras 2.3.1, `keras/datasets/imdb.py`.

    Example:
        >>> from keras_front.datasets import imdb
        >>> (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10_000)  # doctest: +SKIP
    """
    reject_unknown("imdb.load_data", kwargs, ("num_words", "skip_top", "maxlen", "start_char", "oov_char"))
    arrays = read_texts(cached_file(path, _TEXTS, get_file), "x_train", "y_train", "x_test", "y_test")
    generator = np.random.RandomState(seed)
    parts = []
    for texts, labels in (arrays[:2], arrays[2:]):
        texts, labels = shuffled(texts, labels, generator)
        parts.append(without_long(maxlen, mark_start(texts, start_char, index_from), labels))
    (x_train, y_train), (x_test, y_test) = parts
    texts = keep_words(x_train + x_test, num_words, skip_top, oov_char)
    return (as_texts(texts[: len(x_train)]), y_train), (as_texts(texts[len(x_train) :]), y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Words with their numbers, from 1; `load_data` adds `index_from` to them.

    Args:
        path: the file in `~/.keras/datasets`, or an absolute path. The pickle of Keras 1 is read as well.

    Raises: DownloadError without the file and without a network.
    Source: Keras 2.3.1, `keras/datasets/imdb.py`.

    Example:
        >>> index = get_word_index()  # doctest: +SKIP
        >>> words = {number + 3: word for word, number in index.items()}  # doctest: +SKIP
    """
    return read_word_index(cached_file(path, _WORDS, get_file))
