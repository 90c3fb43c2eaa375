"""CIFAR-10: 60,000 coloured pictures of 32 by 32 pixels in ten classes."""

from __future__ import annotations

from keras_front.datasets.cifar import load_split
from keras_front.datasets.files import Source, Split, unpacked_folder
from keras_front.tracebacks import api_boundary
from keras_front.utils.file_cache import get_file

__all__ = ["load_data"]

_SOURCE = Source(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    ("6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",),
    ("cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive"),
)


@api_boundary
def load_data() -> tuple[Split, Split]:
    """The pictures as `(x_train, y_train), (x_test, y_test)`.

    The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck.

    Shape: x (n, 32, 32, 3), or (n, 3, 32, 32) if the configuration says 'channels_first', uint8; y (n, 1), uint8 from
        0 to 9. 50,000 to train on, 10,000 to test.
    Raises: DownloadError without the files and without a network; it says which file to put where.
    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009),
        https://www.cs.toronto.edu/~kriz/cifar.html; Keras 2.3.1, `keras/datasets/cifar10.py`.

    Example:
        >>> from keras_front.datasets import cifar10
        >>> (x_train, y_train), (x_test, y_test) = cifar10.load_data()  # doctest: +SKIP
    """
    folder = unpacked_folder("cifar-10-batches-py", _SOURCE, get_file)
    train = [folder / f"data_batch_{i}" for i in range(1, 6)]
    return load_split(train, "labels"), load_split([folder / "test_batch"], "labels")
