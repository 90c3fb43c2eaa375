"""What only `keras.preprocessing.text` of Keras 1 had."""

from __future__ import annotations

import string

__all__ = ["base_filter"]


def base_filter() -> str:
    """The characters that texts were rid of by default: punctuation but for apostrophes, tabs and line ends.

    Source: Keras 1.2.2, `keras/preprocessing/text.py`.
    Example:
        >>> "'" in base_filter(), "!" in base_filter()
        (False, True)
    """
    return string.punctuation.replace("'", "") + "\t\n"
