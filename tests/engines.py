"""Which backends the tests run on.

`KERAS_FRONT_TEST_BACKENDS=numpy,jax` restricts them; a dotted path (`package.module:Class`) names one of somebody
else's. A name that nobody declares is an error, and so is an engine that is not installed: a test that silently does
not run proves nothing.
"""

from __future__ import annotations

import functools
import os

import pytest

from keras_front.backend import discovery

EVERY_BACKEND = ("numpy", "torch", "jax", "tensorflow")


def wanted_backends() -> list[str]:
    """The backends to test on, from the environment."""
    text = os.environ.get("KERAS_FRONT_TEST_BACKENDS", "")
    names = [name.strip() for name in text.split(",") if name.strip()] or list(EVERY_BACKEND)
    unknown = sorted({name for name in names if ":" not in name} - set(statuses()))
    if unknown:
        raise pytest.UsageError(
            f"KERAS_FRONT_TEST_BACKENDS: no installed package declares {', '.join(unknown)}; "
            f"there are {', '.join(statuses())}."
        )
    return names


@functools.cache
def statuses() -> dict[str, discovery.Status]:
    """What is installed; reading the metadata once is enough, it takes longer than most tests."""
    return discovery.available()
