"""Fashion-MNIST: 70,000 pictures of clothes, 28 by 28 pixels, in ten classes."""

from __future__ import annotations

import gzip
import math
import struct
import zlib

import numpy as np

from keras_front.datasets.files import ORIGIN, Source, Split, cached_file
from keras_front.errors import SerializationError
from keras_front.tracebacks import api_boundary
from keras_front.utils.file_cache import get_file
from keras_front.utils.unpacking import most_unpacked

__all__ = ["load_data"]

_SUBDIR = "datasets/fashion-mnist"


@api_boundary
def load_data() -> tuple[Split, Split]:
    """The pictures as `(x_train, y_train), (x_test, y_test)`.

    The classes are T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and ankle boot.

    Shape: x (n, 28, 28), uint8 from 0 to 255; y (n,), uint8 from 0 to 9. 60,000 to train on, 10,000 to test.
    Raises: DownloadError without the files and without a network; it says which file to put where.
    Source: Xiao, Rasul & Vollgraf, Fashion-MNIST (2017), https://github.com/zalandoresearch/fashion-mnist, MIT licence;
        Keras 2.3.1, `keras/datasets/fashion_mnist.py`.

    Example:
        >>> from keras_front.datasets import fashion_mnist
        >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()  # doctest: +SKIP
    """
    return (_read("train-images-idx3", 3), _read("train-labels-idx1", 1)), (
        _read("t10k-images-idx3", 3),
        _read("t10k-labels-idx1", 1),
    )


def _read(name: str, axes: int) -> np.ndarray:
    """One file: two zeros, a code for bytes, the number of axes, their lengths, the bytes."""
    name += "-ubyte.gz"
    file = cached_file(name, Source(ORIGIN + name, subdir=_SUBDIR), get_file)
    try:
        with gzip.open(file) as stream:
            magic, *shape = struct.unpack(f">{axes + 1}I", stream.read(4 * (axes + 1)))
            size = math.prod(shape)
            data = stream.read(min(size + 1, most_unpacked(file.stat().st_size)))
    except (OSError, EOFError, struct.error, zlib.error) as error:
        raise SerializationError(
            f"{file}: the file is damaged: {error}. Delete it to have it fetched again."
        ) from error
    if magic != 0x800 + axes or len(data) != size:
        raise SerializationError(f"{file}: expected a file of {axes} axes and {size} bytes; delete it and try again.")
    return np.frombuffer(bytearray(data), np.uint8).reshape(shape)
