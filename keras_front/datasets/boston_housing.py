"""Boston housing: 506 districts with 13 numbers each, and the median price of a house.

One of the numbers was made on the assumption that segregation by race influences prices; use `california_housing` where
the data do not matter.
"""

from __future__ import annotations

from keras_front.datasets.files import ORIGIN, Source, Split, cached_file, read_arrays, split
from keras_front.tracebacks import api_boundary
from keras_front.utils.file_cache import get_file

__all__ = ["load_data"]

_SOURCE = Source(
    ORIGIN + "boston_housing.npz",
    ("f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",),
    ("boston_housing.npz",),
)


@api_boundary
def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Split, Split]:
    """The districts as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: the file in `~/.keras/datasets`, or an absolute path.
        test_split: which part is for testing, from 0 to below 1.
        seed: of the order in which the districts come before they are divided.

    Shape: x (n, 13), y (n,), float64; prices are in 1,000 dollars. 404 to train on, 102 to test.
    Raises: ArgumentError for another `test_split`; DownloadError without the file and without a network.
    Source: Harrison & Rubinfeld (1978), http://lib.stat.cmu.edu/datasets/boston; Keras 2.3.1,
        `keras/datasets/boston_housing.py`.

    Example:
        >>> from keras_front.datasets import boston_housing
        >>> (x_train, y_train), (x_test, y_test) = boston_housing.load_data()  # doctest: +SKIP
    """
    x, y = read_arrays(cached_file(path, _SOURCE, get_file), "x", "y")
    return split(x, y, test_split, seed)
