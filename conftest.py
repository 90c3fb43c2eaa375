"""Names that the examples in docstrings may use: `K` and `np`, as a reader of them has imported both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def names_of_examples(doctest_namespace: dict[str, Any]) -> None:
    """`K` and `np` in every doctest."""
    from keras_front import backend as K

    doctest_namespace.update(K=K, np=np)
