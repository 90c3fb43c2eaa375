"""MNIST: 70,000 handwritten digits of 28 by 28 pixels."""

from __future__ import annotations

import numpy as np

from keras_front.datasets.files import ORIGIN, Source, Split, cached_file, read_arrays
from keras_front.tracebacks import api_boundary
from keras_front.utils.file_cache import get_file

__all__ = ["load_data"]

_SOURCE = Source(
    ORIGIN + "mnist.npz",
    ("731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1", "8a61469f7ea1b51cbae51d4f78837e45"),
    ("mnist.npz", "mnist.pkl.gz"),
)


@api_boundary
def load_data(path: str = "mnist.npz") -> tuple[Split, Split]:
    """The digits as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: the file in `~/.keras/datasets`, or an absolute path. The `mnist.pkl.gz` of Keras 1 is read as well.

    Shape: x (n, 28, 28), uint8 from 0 (paper) to 255 (ink); y (n,), uint8 from 0 to 9. 60,000 to train on, 10,000 to
        test.
    Raises: DownloadError without the file and without a network; it says which file to put where.
    Source: LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist/, CC BY-SA 3.0; Keras 2.3.1,
        `keras/datasets/mnist.py`.

    Example:
        >>> from keras_front.datasets import mnist
        >>> (x_train, y_train), (x_test, y_test) = mnist.load_data()  # doctest: +SKIP
    """
    file = cached_file(path, _SOURCE, get_file)
    x_train, y_train, x_test, y_test = map(np.asarray, read_arrays(file, "x_train", "y_train", "x_test", "y_test"))
    return (x_train, y_train), (x_test, y_test)
