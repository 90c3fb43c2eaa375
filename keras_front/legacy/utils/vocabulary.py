"""`keras.utils.warmstart_embedding_matrix`: the rows of an embedding for a vocabulary that has changed.

Source: TensorFlow 2.15, `keras/utils/layer_utils.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import initializers

__all__ = ["warmstart_embedding_matrix"]


def warmstart_embedding_matrix(
    base_vocabulary: str | Iterable[Any],
    new_vocabulary: str | Iterable[Any],
    base_embeddings: Any,
    new_embeddings_initializer: Any = "uniform",
) -> np.ndarray:
    """The matrix of an embedding for another vocabulary: known words keep their rows.

    Args:
        base_vocabulary: the words of the old rows, or the path of a file with a word in each line.
        new_vocabulary: the words of the new rows, likewise.
        base_embeddings: array (words, size), the old rows.
        new_embeddings_initializer: first values of the rows of words that the old vocabulary does not have.

    Returns: array (new words, size).

    Example:
        >>> warmstart_embedding_matrix(["a", "b"], ["b", "c"], np.array([[1.0], [2.0]]), "zeros").tolist()
        [[2.0], [0.0]]
    """
    old, new = _words(base_vocabulary), _words(new_vocabulary)
    rows = np.asarray(base_embeddings)
    made = K.to_numpy(initializers.get(new_embeddings_initializer)((len(new), rows.shape[1]), dtype=rows.dtype.name))
    places = {word: place for place, word in enumerate(old)}
    made = np.array(made, rows.dtype)
    for place, word in enumerate(new):
        if word in places:
            made[place] = rows[places[word]]
    return made


def _words(vocabulary: str | Iterable[Any]) -> list[Any]:
    if isinstance(vocabulary, str):
        return Path(vocabulary).read_text(encoding="utf-8").splitlines()
    return [word.decode() if isinstance(word, bytes) else word for word in vocabulary]
