"""`tf.data`: the datasets of `keras_front.utils.dataset`, which have its methods, and what programs say beside them.

Source: TensorFlow 2.15, `tf.data`.
"""

from __future__ import annotations

from typing import Any

from keras_front.utils.dataset import Dataset

AUTOTUNE = -1  # as a number of threads or batches
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2


class Options:
    """Settings of how a dataset is computed, which change nothing here."""

    def __init__(self) -> None:
        self.__dict__["settings"] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.settings.setdefault(name, Options())

    def __setattr__(self, name: str, value: Any) -> None:
        self.settings[name] = value


def cardinality(dataset: Dataset) -> int:
    """How many elements a dataset has; -2 if that is not known.

    Args:
        dataset: the dataset.
    """
    return dataset.cardinality()
