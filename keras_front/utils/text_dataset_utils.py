"""`text_dataset_from_directory`: batches of texts from a folder with a folder for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.failures import explains_failures
from keras_front.utils.dataset_utils import FolderDataset, Path

__all__ = ["text_dataset_from_directory"]


@explains_failures
def text_dataset_from_directory(
    directory: Path,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """The texts in a folder as batches, on which `TextVectorization` can be adapted and which `map` makes numbers of.

    The files, their labels, their order for a seed and which are for validation are those of tf.keras. Where files are
    shuffled, each pass has an order of its own that follows from `seed`.

    Args:
        directory: the folder; a class is a folder in it, with files that end with '.txt', in UTF-8.
        labels: 'inferred' for the numbers of the folders, a list with a number for each file in the order of their
            names, or None for no labels.
        label_mode: 'int' for numbers, 'categorical' for rows with a 1, 'binary' for columns of 0.0 and 1.0, None for
            texts alone.
        class_names: the folders, whose order gives the numbers of the classes; None for the order of their names.
        batch_size: texts a batch; None for single texts.
        max_length: how many bytes of a text are read; None for all.
        shuffle: give the texts in a random order.
        seed: of that order; needed where texts are shuffled and split.
        validation_split: the share of the texts for validation, the last ones in that order.
        subset: 'training', 'validation', or 'both' for a pair of datasets.
        follow_links: follow links to folders.
        verbose: print how many files were found.

    Shape: a batch is (batch,), strings, alone or with labels (batch,), (batch, 1) or (batch, classes).
    Returns: a `Dataset`, with `class_names` and `file_paths`; two for 'both'.
    Raises: ArgumentError if there are no files, or arguments do not go together.
    Source: tf.keras 2 and Keras 3, `keras.utils.text_dataset_from_directory`, where a text is bytes.

    Example:
        >>> reviews = text_dataset_from_directory("reviews", batch_size=16)  # doctest: +SKIP
        >>> words.adapt(reviews.map(lambda text, label: text))  # doctest: +SKIP
    """

    def read(path: str) -> Any:
        with open(path, "rb") as file:
            return file.read(-1 if max_length is None else max_length).decode("utf-8", errors="replace")

    return FolderDataset(
        "text_dataset_from_directory", (".txt",), directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    ).make(read, lambda texts: np.array(texts, dtype=object))  # fmt: skip
