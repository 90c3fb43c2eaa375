"""1,797 handwritten digits of 8 by 8 pixels, bundled with the package.

The whole of a small, real problem: a convolutional net learns it in seconds, also on NumPy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

_FILE = Path(__file__).with_name("digits.npz")

Split = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Split, Split]:
    """The digits as `(x_train, y_train), (x_test, y_test)`: every fifth one is kept for testing.

    Shape: x (n, 8, 8), uint8 from 0 (paper) to 16 (ink); y (n,), uint8 from 0 to 9. 1,438 to train on, 359 to
        test.
    Source: Alpaydin & Kaynak, Optical Recognition of Handwritten Digits (1998), UCI Machine Learning
        Repository,
        https://doi.org/10.24432/C50P49, the test part, as distributed with scikit-learn; CC BY 4.0.
    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_test.shape
        ((1438, 8, 8), (359,))
    """
    with np.load(_FILE, allow_pickle=False) as stored:
        x, y = stored["x"], stored["y"]
    kept = np.arange(len(x)) % 5 == 4
    return (x[~kept], y[~kept]), (x[kept], y[kept])
