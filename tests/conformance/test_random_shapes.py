"""Ops on shapes and axes that hypothesis draws, on every backend."""

from __future__ import annotations

import subprocess
import sys

import pytest

from keras_front.testing import random_shapes


@pytest.mark.parametrize("family", random_shapes.FAMILIES)
def test_drawn(backend, family):
    random_shapes.run(family)


def test_the_published_suite_needs_no_hypothesis():
    code = (
        "import sys; sys.modules['hypothesis'] = None; from keras_front.testing import conformance; conformance.table()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
