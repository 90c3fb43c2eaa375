"""What IMDB and Reuters share: texts as numbers of words, and which of them are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_front.datasets.files import read_arrays
from keras_front.errors import ArgumentError, SerializationError

__all__ = ["as_texts", "keep_words", "mark_start", "read_texts", "read_word_index", "shuffled", "without_long"]

Texts = list[list[int]]


def read_texts(file: Path, *names: str) -> list[Any]:
    """Texts and labels by turns: lists of lists of numbers, and arrays of as many labels.

    Args:
        file: the file of the data set.
        names: of the arrays in it, of texts and of labels by turns.

    Raises: SerializationError if it holds something else.
    """
    found: list[Any] = []
    arrays = read_arrays(file, *names)
    for texts, labels in zip(arrays[::2], arrays[1::2], strict=True):
        try:
            found += [[list(map(int, text)) for text in texts], np.asarray(labels)]
        except (TypeError, ValueError, OverflowError) as error:
            raise _other(file, f"what is none ({error})") from error
        if found[-1].shape != (len(found[-2]),) or found[-1].dtype.kind not in "biuf":
            raise _other(file, f"{len(found[-2])} texts with labels of shape {found[-1].shape}")
    return found


def _other(file: Path, received: str) -> SerializationError:
    expected = "texts as lists of numbers, and a number as the label of each"
    return SerializationError(f"{file}: expected {expected}, received {received}. Delete it to have it fetched again.")


def shuffled(texts: Any, labels: Any, generator: np.random.RandomState) -> tuple[Any, np.ndarray]:
    """Texts and labels in a random order, the same for both.

    Args:
        texts: an array or list of lists of numbers.
        labels: as many labels.
        generator: from which the order is drawn.
    """
    order = np.arange(len(texts))
    generator.shuffle(order)
    return [texts[i] for i in order], np.asarray(labels)[order]


def mark_start(texts: Sequence[Sequence[int]], start_char: int | None, index_from: int | None) -> Texts:
    """Texts whose numbers begin at `index_from`, with a first number that marks the start.

    Args:
        texts: lists of numbers.
        start_char: the first number of each text; None for none.
        index_from: what is added to the number of each word; None or 0 for nothing.
    """
    start, offset = [] if start_char is None else [start_char], index_from or 0
    return [start + [word + offset for word in text] for text in texts]


def without_long(maxlen: int | None, texts: Texts, labels: np.ndarray) -> tuple[Texts, np.ndarray]:
    """Texts of fewer than `maxlen` numbers, and their labels.

    Args:
        maxlen: length from which on texts are left out, the mark of the start counted; None keeps all.
        texts: lists of numbers.
        labels: as many labels.

    Raises: ArgumentError if no text is left.
    """
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ArgumentError(
            f"load_data: after filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. "
            "Increase maxlen."
        )
    return [texts[i] for i in kept], labels[kept]


def keep_words(texts: Texts, num_words: int | None, skip_top: int, oov_char: int | None) -> Texts:
    """Texts with the numbers from `skip_top` to below `num_words`; others become `oov_char`.

    Args:
        texts: lists of numbers.
        num_words: the first number that is not kept; by default the largest that there is. (So that one is not kept
            either, as in Keras.)
        skip_top: the first number that is kept.
        oov_char: stands for words that are not kept; None leaves them out.
    """
    last = num_words or max((max(text) for text in texts if text), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < last] for text in texts]
    return [[word if skip_top <= word < last else oov_char for word in text] for text in texts]


def as_texts(texts: Texts) -> np.ndarray:
    """Lists of numbers as an array of lists, also where all have one length.

    Args:
        texts: lists of numbers.
    """
    array = np.empty(len(texts), object)
    for i, text in enumerate(texts):
        array[i] = text
    return array


def read_word_index(file: Path) -> dict[str, int]:
    """Words with their numbers, from JSON, or from a pickle of Keras 1.

    Args:
        file: the file.
    """
    content = file.read_bytes()
    try:
        if content.lstrip()[:1] == b"{" and file.suffix != ".pkl":
            found = json.loads(content)
        else:
            from keras_front.utils.pickles import load_pickle

            found = load_pickle(content, str(file))
    except (ValueError, RecursionError) as error:
        raise SerializationError(f"{file}: expected words with their numbers: {error}") from None
    if not isinstance(found, dict):
        raise SerializationError(f"{file}: expected words with their numbers, received {type(found).__name__}.")
    words = {word.decode("latin-1") if isinstance(word, bytes) else word: number for word, number in found.items()}
    if not (all(isinstance(word, str) for word in words) and all(type(number) is int for number in words.values())):
        raise SerializationError(f"{file}: expected words with their numbers, received other keys or values.")
    return words
