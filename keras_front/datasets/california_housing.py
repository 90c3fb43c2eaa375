"""California housing: 20,640 districts with 8 numbers each, and the median price of a house."""

from __future__ import annotations

from keras_front.datasets.files import ORIGIN, Source, Split, cached_file, read_arrays, split
from keras_front.errors import ArgumentError
from keras_front.tracebacks import api_boundary
from keras_front.utils.file_cache import get_file

__all__ = ["load_data"]

_SOURCE = Source(
    ORIGIN + "california_housing.npz",
    ("1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",),
    ("california_housing.npz",),
)
_SMALL = 600


@api_boundary
def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Split, Split]:
    """The districts as `(x_train, y_train), (x_test, y_test)`.

    The numbers are income, age of the houses, rooms, bedrooms, population, occupants, latitude and longitude.

    Args:
        version: 'large' for all districts, 'small' for the first 600, in the place of `boston_housing`.
        path: the file in `~/.keras/datasets`, or an absolute path.
        test_split: which part is for testing, from 0 to below 1.
        seed: of the order in which the districts come before they are divided.

    Shape: x (n, 8), y (n,); prices are in dollars. 16,512 to train on, 4,128 to test.
    Raises: ArgumentError for another `version` or `test_split`; DownloadError without the file and without a network.
    Source: Pace & Barry (1997), from the census of 1990; Keras 3.15, `keras/src/datasets/california_housing.py`.

    Example:
        >>> from keras_front.datasets import california_housing
        >>> (x_train, y_train), (x_test, y_test) = california_housing.load_data()  # doctest: +SKIP
    """
    if version not in ("small", "large"):
        raise ArgumentError(f"california_housing.load_data: expected version 'small' or 'large', received {version!r}.")
    x, y = read_arrays(cached_file(path, _SOURCE, get_file), "x", "y")
    rows = slice(_SMALL if version == "small" else None)
    return split(x[rows], y[rows], test_split, seed)
