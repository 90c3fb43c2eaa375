"""CIFAR-100: 60,000 coloured pictures of 32 by 32 pixels in 100 classes, which form 20 groups."""

from __future__ import annotations

from keras_front.datasets.cifar import load_split
from keras_front.datasets.files import Source, Split, unpacked_folder
from keras_front.errors import ArgumentError
from keras_front.tracebacks import api_boundary
from keras_front.utils.file_cache import get_file

__all__ = ["load_data"]

_SOURCE = Source(
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    ("85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",),
    ("cifar-100-python-target_archive",),
)


@api_boundary
def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """The pictures as `(x_train, y_train), (x_test, y_test)`.

    Args:
        label_mode: 'fine' for the 100 classes, 'coarse' for the 20 groups.

    Shape: x (n, 32, 32, 3), or (n, 3, 32, 32) if the configuration says 'channels_first', uint8; y (n, 1), uint8.
        50,000 to train on, 10,000 to test.
    Raises: ArgumentError for another mode; DownloadError without the files and without a network.
    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009),
        https://www.cs.toronto.edu/~kriz/cifar.html; Keras 2.3.1, `keras/datasets/cifar100.py`.

    Example:
        >>> from keras_front.datasets import cifar100
        >>> (x_train, y_train), (x_test, y_test) = cifar100.load_data()  # doctest: +SKIP
    """
    if label_mode not in ("fine", "coarse"):
        raise ArgumentError(f"cifar100.load_data: expected label_mode 'fine' or 'coarse', received {label_mode!r}.")
    folder = unpacked_folder("cifar-100-python", _SOURCE, get_file)
    key = f"{label_mode}_labels"
    return load_split([folder / "train"], key), load_split([folder / "test"], key)
