"""Reuters: 11,228 news as numbers of words, in 46 topics."""

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

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TEXTS = Source(
    ORIGIN + "reuters.npz",
    ("d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916", "87aedbeb0cb229e378797a632c1997b6"),
    ("reuters.npz", "reuters.pkl"),
)
_WORDS = Source(
    ORIGIN + "reuters_word_index.json",
    ("4d44cc38712099c9e383dc6e5f11a921",),
    ("reuters_word_index.json", "reuters_word_index.pkl"),
)
_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


@renamed
@api_boundary
def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[Split, Split]:
    """The news as `(x_train, y_train), (x_test, y_test)`.

    Words are numbered by how often they occur. 0 stands for no word: it fills up short texts.

    Args:
        path: the file in `~/.keras/datasets`, or an absolute path. The pickle of Keras 1 is read as well.
        num_words: numbers from this one on become `oov_char`; None keeps all but the largest, as Keras does.
        skip_top: numbers below this one become `oov_char`.
        maxlen: news of this length and longer are left out; None keeps all.
        test_split: which part is for testing, from 0 to 1.
        seed: of the order of the news.
        start_char: the first number of each text; None for none.
        oov_char: stands for words that are not kept; None leaves them out.
        index_from: the numbers of words begin above this one.
        **kwargs: older names of these arguments.

    Shape: x (n,), an array of lists of numbers; y (n,), topics from 0 to 45. 8,982 to train on, 2,246 to test.
    Raises: ArgumentError if `maxlen` leaves no text; DownloadError without the file and without a network, which says
        which file to put where; TypeError for unknown arguments.
    Source: Reuters-21578, https://github.com/keras-team/keras/issues/12072; Keras 2.3.1, `keras/datasets/reuters.py`.

    Example:
        >>> from keras_front.datasets import reuters
        >>> (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=10_000)  # doctest: +SKIP
    """
    reject_unknown("reuters.load_data", kwargs, ("num_words", "skip_top", "maxlen", "test_split", "oov_char"))
    texts, labels = read_texts(cached_file(path, _TEXTS, get_file), "x", "y")
    texts, labels = shuffled(texts, labels, np.random.RandomState(seed))
    texts, labels = without_long(maxlen, mark_start(texts, start_char, index_from), labels)
    texts = keep_words(texts, num_words, skip_top, oov_char)
    train = int(len(texts) * (1 - test_split))
    return (as_texts(texts[:train]), labels[:train]), (as_texts(texts[train:]), labels[train:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Words with their numbers, from 1; `load_data` adds `index_from` to them.

    Args:
        path: the file in `~/.keras/datasets`, or an absolute path. The pickle of Keras 1 is read as well.

    Raises: DownloadError without the file and without a network.
    Source: Keras 2.3.1, `keras/datasets/reuters.py`.

    Example:
        >>> index = get_word_index()  # doctest: +SKIP
        >>> words = {number + 3: word for word, number in index.items()}  # doctest: +SKIP
    """
    return read_word_index(cached_file(path, _WORDS, get_file))


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    Source: https://martin-thoma.com/nlp-reuters/; Keras 3.15, `keras/src/datasets/reuters.py`.
    Example:
        >>> get_label_names()[:3]
        ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())
