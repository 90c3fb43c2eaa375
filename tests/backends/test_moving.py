"""Tensors that go from one backend to another: the same values, and nobody sees what the other does with them later."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front.backend import discovery

SOURCES = ("numpy", "torch", "jax", "tensorflow")


@pytest.mark.parametrize("origin", SOURCES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_values_arrive(backend, origin, dtype):
    source = discovery.get(origin)
    values = np.arange(12).reshape(3, 4) % 5
    moved = backend.import_tensor(source.asarray(values.astype(dtype)), source, dtype)
    assert backend.dtype_of(moved) == dtype
    np.testing.assert_array_equal(backend.to_numpy(moved), values.astype(dtype))


@pytest.mark.parametrize("origin", ["numpy", "torch"])
def test_what_the_source_does_later_is_its_own_business(backend, origin):
    source = discovery.get(origin)
    for n in (3, 4096):
        tensor = source.asarray(np.zeros(n, "float32"))
        moved = backend.import_tensor(tensor, source, "float32")
        tensor[:] = 1
        assert not backend.to_numpy(moved).any()


@pytest.mark.backends("torch")
@pytest.mark.parametrize("origin", SOURCES)
def test_what_torch_does_later_is_its_own_business(backend, origin):
    source = discovery.get(origin)
    for n in (3, 4096):
        tensor = source.asarray(np.zeros(n, "float32"))
        backend.import_tensor(tensor, source, "float32").fill_(1)
        assert not source.to_numpy(tensor).any()
