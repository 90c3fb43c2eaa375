"""The examples in the docstrings of ops run, on NumPy. `--doctest-modules` cannot see functions made at import."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import declare

EXAMPLES = [
    example
    for name, op in sorted(declare.OPS.items())
    for example in doctest.DocTestFinder(recurse=False).find(
        getattr(K, name, op), name, globs={"K": K, "np": np, name: getattr(K, name, op)}
    )
    if example.examples
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(example):
    with K.use_backend("numpy"):
        result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert result.failed == 0


def test_there_are_examples():
    assert len(EXAMPLES) > 60
